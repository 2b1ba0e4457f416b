"""Taking care of a data folder: a copy of it, a folder from a copy, and a look at whether all is well.

A copy of the store is older than what its node has said since. A node that goes on from one must not sign anything that
it may have signed before: like one that lost its folder, it waits until the others are past the rounds it cannot know.
Nor does the copy know which amendment was signed since: who signs one from such a folder says that there was none.
"""

import io
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from folkmoot.errors import OtherSide
from folkmoot.files import copy_plain, new_folder, or_say, write_file
from folkmoot.node import brought, keys, signed_log
from folkmoot.node.bema import Bema
from folkmoot.node.chained import BCUCBChain
from folkmoot.node.charter import MOST_BYTES, Charter
from folkmoot.node.epochs import EPOCHS, OPENING, SIGNED, begun, lineage, place
from folkmoot.node.folder import CARD, CHARTER, FROM_COPY, LOG, TOKEN, Folder
from folkmoot.node.journal import told_height
from folkmoot.node.lock import InUse, Lock
from folkmoot.node.resuming import RESTORED, check_whose
from folkmoot.node.store import FILE, Store
from folkmoot.node.system import System
from folkmoot.node.systems import system_of

_PLAIN = (keys.FILE, CARD, CHARTER, TOKEN, OPENING, SIGNED, FROM_COPY)


def backup(folder: Folder, target: Path) -> None:
    """Copy what must survive into a new folder, also while the node runs.

    Raises:
        ValueError: something is there already, or it cannot be written.
    """
    if target.exists():
        raise ValueError(f"{target}: is there already; expected a new folder")
    with or_say(f"folder {target}"), new_folder(target) as fresh:
        os.chmod(fresh, 0o700)
        _copy(folder.path, fresh)
        brought.copy(folder.path, fresh)
        for there in sorted((folder.path / EPOCHS).glob("[0-9]*")):
            (fresh / EPOCHS / there.name).mkdir(parents=True)
            _copy(there, fresh / EPOCHS / there.name)


def _copy(there: Path, fresh: Path) -> None:
    for name in _PLAIN:
        if (there / name).exists():
            copy_plain(there / name, fresh / name, MOST_BYTES)
    if (there / FILE).exists():
        store = Store(there / FILE)
        try:
            store.copy_to(fresh / FILE)
        finally:
            store.close()


def restore(copy: Path, target: Path) -> None:
    """A data folder from a copy.

    Raises:
        ValueError: it is no copy, or there is a folder already.
    """
    backup(Folder(copy), target)
    with or_say(f"folder {target}"):
        write_file(target / FROM_COPY, b"1\n", durable=True)
    for file in (target / FILE, *(target / EPOCHS).glob(f"*/{FILE}")):
        if file.exists():
            store = Store(file)
            store.note(RESTORED, b"1")
            store.close()


def problems(folder: Folder, passphrase: str | None) -> Iterator[str]:
    """What is wrong with a data folder, a sentence each; nothing: all is well. The node must not run.

    `passphrase`: None: the key is not looked into.
    """
    try:
        lock = Lock(folder.path)
    except InUse as error:
        yield f"{error}; stop the node first"
        return
    try:
        yield from _problems(folder, passphrase)
    finally:
        lock.close()


def _problems(folder: Folder, passphrase: str | None) -> Iterator[str]:
    yield from _open_to_others(folder.path)
    if (log := folder.path / LOG).exists() and not log.is_file():
        yield f"{LOG}: is no file, so nothing is written down of what happens; remove it"
    try:
        _ = folder.token
    except ValueError as error:
        yield str(error)
    try:
        card, charters = folder.card, lineage(folder)
        own = [charter for charter in charters if card.key in {one.key for one in charter.members}]
        if not own:
            charters[-1].number(card.key)
        if card not in own[-1].members:
            yield f"{CARD}: another one than in the charter"
        if passphrase is not None or not folder.needs_passphrase:
            folder.seed(passphrase or "")
        systems = [system_of(charter) for charter in charters]
    except (ValueError, OtherSide, OSError) as error:
        yield str(error)
        return
    last, told = begun(charters, None), told_height(folder.path / LOG)
    follows = (*charters[1:], None)
    for charter, system, after in zip(charters, systems, follows):
        if (place(folder, charter.epoch) / FILE).exists():
            yield from _of_epoch(folder, charter, system, after, told if charter is last else 0)


def _open_to_others(path: Path) -> Iterator[str]:
    """The folder and its secrets, as far as others of this host may look into them."""
    if os.name != "posix":
        return
    for there in (path, path / TOKEN, path / FILE):  # a key that others may read is refused by who reads it
        with suppress(FileNotFoundError):
            if (mode := stat.S_IMODE(there.stat().st_mode)) & 0o077:
                name = "the folder" if there is path else there.name
                yield f"{name}: others of this host may use it (mode {mode:04o}); expected {mode & 0o700:04o}"


def _of_epoch(
    folder: Folder, charter: Charter, system: System, after: Charter | None, told: int
) -> Iterator[str]:  # fmt: skip
    """`told`: the height that the journal tells of."""
    path = place(folder, charter.epoch) / FILE
    name = str(path.relative_to(folder.path))
    if path.stat().st_size == 0:
        yield f"{name}: is empty; a node that begins with it begins as one whose store is lost"
        return
    try:
        store = Store(path)
    except (ValueError, OtherSide, OSError) as error:
        yield str(error)
        return
    try:
        check_whose(store, charter, folder.card.key)
        yield from _of_store(store, name, system, folder.path)
        if store.height < told:
            yield f"{name}: ends with block {store.height}; the journal tells of block {told}"
        if not system.has_ledger:
            yield from _of_log(folder, store, name, charter)
        if after is not None and after.opening is not None and system.has_ledger:
            yield from _of_end(store, name, system, after)
    except (OtherSide, OSError, sqlite3.Error, IndexError) as error:
        yield f"{name}: {error}"
    finally:
        store.close()


def _of_log(folder: Folder, store: Store, name: str, charter: Charter) -> Iterator[str]:
    """The own signed log, looked at as by a stranger."""
    text, last = io.StringIO(), store.last_entry()
    ends, expected = 0 if last is None else last.round, 0 if store.position is None else store.position.round
    if ends != expected:
        yield f"{name}: signed log: ends in round {ends}; the last step that is stored is of round {expected}"
    try:
        if signed_log.write(text, charter, charter.number(folder.card.key), store.entries()):
            text.seek(0)
            signed_log.read(text, charter)
    except (OtherSide, OSError) as error:
        yield f"{name}: signed log: {error}"


def _of_end(store: Store, name: str, system: System, after: Charter) -> Iterator[str]:
    """Do the blocks of an epoch end with the one that the next epoch begins with?"""
    assert after.amends is not None
    assert after.opening is not None
    height, found = after.opening.height, system.last_block(store, after.amends.after)
    if found is None:
        yield f"{name}: ends with block {store.height}; the last one of its epoch, {height}, is not here"
    elif found[:2] != after.opening[:2]:
        yield f"{name}: its last block is {found.height}; epoch {after.epoch} begins with another one, {height}"
    elif after.opening.carried and system.opened(store.values, store, found, after) not in (None, after.opening):
        yield f"{name}: epoch {after.epoch} begins with other accounts than those after its last block, {height}"
    elif store.height > height:
        yield f"{name}: blocks after {height}, the last one of its epoch, do not count: the amendment came late"


def _of_store(store: Store, name: str, system: object, folder: Path) -> Iterator[str]:
    for line in store.damage():
        yield f"{name}: {line}"
    if isinstance(system, Bema) and (store.height or not system.lacks(folder)):
        for _ in system.blocks(store, folder):
            pass
    if isinstance(system, BCUCBChain):
        for _ in system.chains(store):
            pass


def export(folder: Folder, target: Path, epoch: int | None = None) -> int:
    """Write the blocks of a node into a new ledger file, which `folkmoot ledger verify` reads; how many they are.

    `epoch`: None: the one that has begun last. Each epoch is a ledger of its own, up to the block that ends it.

    Raises:
        ValueError: its charter has no chain, or it began in the middle of it, from a state that a quorum has signed.
        OtherSide: what is stored is damaged.
    """
    from folkmoot import ledger

    if target.exists():
        raise ValueError(f"{target}: is there already; expected a new file")
    charters = lineage(folder)
    charter = begun(charters, epoch)
    system, path = system_of(charter), place(folder, charter.epoch) / FILE
    if not isinstance(system, BCUCBChain | Bema):
        raise ValueError(f"{folder.path}: members of a {charter.terms.system} keep no chain")
    if not path.exists():
        raise ValueError(f"{folder.path}: holds nothing of epoch {charter.epoch}")
    store = Store(path)
    try:
        if isinstance(system, Bema):
            blocks, genesis = [*system.blocks(store, folder.path)], system.genesis
        else:
            blocks, genesis = [block for _, block in system.chains(store)], system.facts.first.genesis
    except IndexError:
        raise ValueError(f"{folder.path}: does not hold all blocks; export them from another member") from None
    finally:
        store.close()
    follows = charters[charter.epoch] if charter.epoch < len(charters) else None
    if follows is not None and follows.opening is not None:
        del blocks[follows.opening.height :]
    if isinstance(system, Bema):
        brought.copy_contents(folder.path, ledger.beside(target).path)
    with ledger.create(target, genesis) as file:
        for block in blocks:
            file.append(block)
    return len(blocks)
