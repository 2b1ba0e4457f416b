"""The epochs of a data folder: which charters lie in it, which of them has begun, and what is carried over.

charter.toml            of epoch 1; its store is node.sqlite
epochs/N/charter.toml   the amendment that begins epoch N, from 2 on
epochs/N/opening.toml   there as soon as epoch N has begun: where the chain of the epoch before has ended
epochs/N/node.sqlite    what must not be forgotten of epoch N
epochs/N/signed         the one amendment with this number that was signed here

Each epoch has a store of its own: rounds, heights and keys of values begin anew in it, and the one before is not
written any more.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from folkmoot.files import or_say, read_plain, write_file
from folkmoot.machine import Put
from folkmoot.node import amendment as amendments
from folkmoot.node.charter import BadCharter, Charter, read_charter, read_toml, write_charter, write_table
from folkmoot.node.epoch import MOST_EPOCHS, NOTHING, Opening, is_opening
from folkmoot.node.folder import CHARTER, FROM_COPY, Folder
from folkmoot.node.store import FILE, Store
from folkmoot.node.system import System
from folkmoot.node.systems import system_of

EPOCHS, OPENING, SIGNED = "epochs", "opening.toml", "signed"


def place(folder: Folder, epoch: int) -> Path:
    """Where the files of an epoch lie."""
    return folder.path if epoch == 1 else folder.path / EPOCHS / str(epoch)


def lineage(folder: Folder, first: Charter | None = None) -> list[Charter]:
    """The charter and its amendments, in order, each with its opening if it has begun.

    `first`: the charter, if it has been read and checked already.

    Raises:
        ValueError: there is no charter, or a file cannot be read.
        BadCharter: one makes no sense, does not follow from the one before, or not all have signed it who must.
    """
    charters = [first or folder.charter()]
    for epoch in range(2, MOST_EPOCHS + 1):
        file = place(folder, epoch) / CHARTER
        if not file.exists():
            break
        amendment = read_charter(file)
        amendments.check_counts(amendment, charters[-1])
        charters.append(replace(amendment, opening=_opening(place(folder, epoch) / OPENING)))
    return charters


def _opening(file: Path) -> Opening | None:
    if not file.exists():
        return None
    table = read_toml(file)
    try:
        height, hash = table["height"], bytes.fromhex(table["hash"])
        opening = Opening(height, hash, bytes.fromhex(table.get("carried", "")))
        if type(height) is not int or height < 0 or not is_opening(opening):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise BadCharter(f"{file}: expected the height and the hash of a block, and what is carried over") from None
    return opening


def current(charters: Sequence[Charter]) -> Charter:
    """That of the last epoch that has begun."""
    return next(charter for charter in reversed(charters) if charter.opening is not None or charter.amends is None)


def begun(charters: Sequence[Charter], epoch: int | None) -> Charter:
    """That of an epoch that has begun; None: of the last one.

    Raises:
        ValueError: it has not begun.
    """
    last = current(charters)
    if epoch is None:
        return last
    if not 1 <= epoch <= last.epoch:
        raise ValueError(f"epoch = {epoch}: expected 1 to {last.epoch}, which has begun last")
    return charters[epoch - 1]


def later(charters: Sequence[Charter], charter: Charter) -> list[Charter]:
    """Those of epochs after this one's."""
    return [one for one in charters if one.epoch > charter.epoch]


def give(folder: Folder, amendment: Charter, before: Sequence[Charter] = ()) -> None:
    """Put an amendment there; a node that runs takes it in by itself.

    Args:
        folder: of a member, old or new.
        amendment: signed by all who must.
        before: the first charter and the amendments up to this one, where the folder does not have them yet.

    Raises:
        BadCharter: it does not follow, or does not count.
        ValueError: another one is there, or it cannot be written.
    """
    if before and not (folder.path / CHARTER).exists():
        amendments.check_lineage([*before, amendment])
        folder.join(before[0])
    for one in (*before[1:], amendment):
        _put(folder, one, lineage(folder))


def _put(folder: Folder, amendment: Charter, there: Sequence[Charter]) -> None:
    known = {one.epoch: one for one in there}
    if amendment.epoch in known:
        if known[amendment.epoch].digest != amendment.digest:
            raise ValueError(f"{place(folder, amendment.epoch)}: holds another amendment; there cannot be two")
        return
    amendments.check_counts(amendment, there[-1])
    system_of(amendment)
    target = place(folder, amendment.epoch)
    with or_say(f"folder {target}"):
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_charter(target / CHARTER, amendment)


def sign(folder: Folder, amendment: Charter, before: Charter, seed: bytes, no_other: bool = False) -> Charter:
    """The amendment with this member's signature; it is written down first that it is this one.

    `no_other`: whoever signs knows that this member has signed no other one, which a folder from a copy does not.

    Raises:
        ValueError: this member has signed another amendment of the same charter, may have, or is none.
        BadCharter: it makes no sense.
    """
    signed = amendments.signed(amendment, before, seed)
    target = place(folder, amendment.epoch)
    file, digest = target / SIGNED, amendment.digest.hex()
    with or_say(f"file {file}"):
        if file.exists() and (first := read_plain(file, 1 << 10).decode("ascii", "replace").strip()) != digest:
            raise ValueError(
                f"{folder.path}: has signed another amendment of this charter, {first[:16]}; two that count would "
                f"split the consortium. If that one is given up by all, remove {file}"
            )
        if not file.exists() and (folder.path / FROM_COPY).exists():
            if not no_other:
                raise ValueError(
                    f"{folder.path}: is from a copy, and may have signed another amendment since; two that count would "
                    "split the consortium. If you know that it has signed none: --signed-no-other"
                )
            (folder.path / FROM_COPY).unlink()
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(file, f"{digest}\n".encode("ascii"), durable=True)
    return signed


def begin(folder: Folder, charter: Charter, before: Charter, me: int | None) -> None:
    """The epoch of this charter begins, after that of the one before; what can be carried over is.

    `me`: own number in the epoch before; None: none. What is there already stays: this is repeated after a crash.

    Raises:
        ValueError, Full: it cannot be written.
    """
    opening = charter.opening or NOTHING
    target = place(folder, charter.epoch)
    if not (target / OPENING).exists():
        for file in target.glob(f"{FILE}*"):
            file.unlink()
        _carry(folder, charter, before, me)
        said = {"height": opening.height, "hash": opening.hash.hex(), "carried": opening.carried.hex()}
        write_table(target / OPENING, said)


def _carry(folder: Folder, charter: Charter, before: Charter, me: int | None) -> None:
    """The own pulls by arm, for people, and where a machine can take it, what it has learnt from them."""
    old = place(folder, before.epoch) / FILE
    if me is None or not old.exists() or not amendments.same_game(before, charter):
        return
    number = next((n for n, card in enumerate(charter.members) if card.name == before.members[me].name), None)
    if number is None:
        return
    store, fresh = Store(old), Store(place(folder, charter.epoch) / FILE)
    try:
        carried = carried_values(system_of(before), system_of(charter), store.values)
        fresh.carry([Put(key, value) for key, value in carried.items()], store.tally())
    finally:
        store.close()
        fresh.close()


def carried_values(old: System, new: System, kept: dict[str, bytes]) -> dict[str, bytes]:
    """What the machine of the next epoch begins with, of what that of the epoch before has kept."""
    keys = set(old.carries()) & set(new.carries())
    return {key: kept[key] for key in sorted(keys) if key in kept}
