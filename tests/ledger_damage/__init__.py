"""Ledger files and what lies beside them, damaged in ways that are drawn from a seed; what is then said is judged.

No damage may pass as another chain, end in anything but a named error, or keep silent about which file it is in and,
where there is one, which block. A damage that changes nothing of the chain may pass: then with the same tip.

A chain is only computed once as far as it is undamaged: `remembered` keeps what follows on which chain, and reads the
contents again each time. `plainly` does without, and much slower.
"""

import io
import random
import re
import shutil
import sqlite3
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from folkmoot import ledger
from folkmoot.cli import main
from folkmoot.errors import OtherSide
from folkmoot.ledger import around, contents, file, place, replay, store

from .damages import KINDS, Damage

OUTCOMES = ("refused", "bad block", "shorter", "the same")


class Wrong(AssertionError):
    """What must not happen."""


class Subject(NamedTuple):
    """A good ledger: its files and those beside it, by name in a folder, and what is in it."""

    name: str
    files: dict[str, bytes]
    blocks: list[ledger.Block]
    tip: bytes
    genesis: bytes

    @property
    def traits(self):
        """What kinds of damage ask for."""
        beside = any(".contents/" in name for name in self.files)
        return {"left" if "x.ledger-wal" in self.files else "whole", "contents" if beside else "alone"}


def subject(name, path):
    """A ledger that is closed, or that was left behind with its second file, and the contents that it names."""
    book = ledger.open(path)
    book.contents = seen = _Seen(book.contents)
    verdict = book.verify()
    assert verdict.ok, verdict
    blocks, genesis = list(book.blocks()), book.genesis.hash
    files = {}
    for ending in ("", "-wal"):
        if Path(f"{path}{ending}").exists():
            files[f"x.ledger{ending}"] = Path(f"{path}{ending}").read_bytes()
    beside = Path(f"{path}.contents")
    for entry in sorted(beside.rglob("*")):
        if entry.is_file() and bytes.fromhex(entry.parent.name + entry.name) in seen.names:
            files[f"x.ledger.contents/{entry.relative_to(beside)}"] = entry.read_bytes()
    return Subject(name, files, blocks, verdict.tip, genesis)


def left_behind(name, path, stored, folder):
    """The same chain, whose writer was killed after the last block: most of it is in the second file only."""
    with ledger.create(folder / "written", ledger.open(path).genesis) as book:
        for number, block in enumerate(ledger.open(path).blocks()):
            if number == stored:
                book.close()  # what is there so far goes into the file itself
            book.append(block)
        for ending in ("", "-wal"):
            shutil.copy(folder / f"written{ending}", folder / f"left{ending}")
    found = subject(name, folder / "left")
    for entry in folder.iterdir():
        entry.unlink()
    return found


@contextmanager
def remembered(known):
    """Blocks that follow on the same chain are computed once, and kept in `known`; what they name is read each time."""
    plain = replay._next

    def quick(chain, height, data, source):
        key = (str(source.path) if chain is None else id(chain), data)
        if key in known:
            after, _, names = known[key]
            try:
                for name in names:
                    source.get(name)
                return after
            except OtherSide:
                return plain(chain, height, data, source)
        seen = _Seen(source) if chain is None else known[id(chain)]
        seen.names = []
        after = plain(chain, height, data, seen if chain is None else source)
        known[key] = (after, chain, tuple(seen.names))
        known[id(after)] = seen
        return after

    with patch.object(replay, "_next", quick):
        yield


class _Seen:
    """Contents that note what they are asked for."""

    def __init__(self, source):
        self.source, self.names = source, []

    def get(self, name):
        self.names.append(name)
        return self.source.get(name)


class Bench:
    """A folder in which ledgers are put up, damaged and judged, one after the other."""

    def __init__(self, folder, subjects):
        self.folder, self.subjects = Path(folder), subjects

    def play(self, seed, subject=None, kind=None):
        """Draw a damage, of this ledger and this kind if they are given, do it, judge: ledger, kind and outcome.

        Raises:
            Wrong: what must not be.
        """
        dice = random.Random(f"damage {seed}")
        one = dice.choice([one for one in self.subjects if subject in (None, one.name)])
        kinds = [other for other in KINDS if other.needs is None or other.needs in one.traits]
        kinds = [other for other in kinds if kind in (None, other.name)]
        kind = dice.choices(kinds, [kind.weight for kind in kinds])[0]
        path = self._put_up(one)
        try:
            named = kind.do(path, dice) or path
            outcome = _judged(one, named, kind)
            if outcome == "the same" and dice.random() < 0.1:
                _stays_good_when_it_grows(one, named)
            return one.name, kind.name, outcome
        except Wrong as error:
            raise Wrong(f"seed {seed}: {kind.name} of {one.name}: {error}") from None
        finally:
            shutil.rmtree(self.folder / "at")

    def _put_up(self, one):
        at = self.folder / "at"
        for name, data in one.files.items():
            (at / name).parent.mkdir(parents=True, exist_ok=True)
            (at / name).write_bytes(data)
        return at / "x.ledger"


def _judged(one, path, kind: Damage):
    status, said = _command(path)
    _library(one, path, status)
    if status:
        if kind.expected == "harmless":
            raise Wrong(f"{said!r} of a damage that changes nothing")
        return "refused" if status == 2 else "bad block"
    blocks = [block.hash for block in ledger.open(path).blocks()]
    found = re.fullmatch(r".*: (\d+) blocks, all good, tip ([0-9a-f]{64})\n", said)
    if found is None or int(found[1]) != len(blocks):
        raise Wrong(f"{said!r} of {len(blocks)} blocks")
    if found[2] == one.tip.hex():
        if kind.expected == "noticed" or (kind.expected == "whole" and "whole" in one.traits):
            raise Wrong("not noticed")
        if list(ledger.open(path).blocks()) != one.blocks:
            raise Wrong("other blocks with the same tip")
        return "the same"
    whole = [block.hash for block in one.blocks]
    if kind.may_lose is None or blocks != whole[: len(blocks)] or len(blocks) < len(whole) - kind.may_lose:
        raise Wrong(f"passes as another chain, of {len(blocks)} blocks where there were {len(whole)}")
    return "shorter"


def _command(path):
    """What the command says: status and text."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(["ledger", "verify", str(path)])
        except BaseException as error:
            raise Wrong(f"verify ends in {type(error).__name__}: {error}") from error
    said = (out if status == 0 else err).getvalue()
    if status == 0:  # notes on what a file is for follow the one line
        said = "".join(line for line in said.splitlines(keepends=True) if not line.startswith("note: "))
    start = {0: "", 1: "folkmoot: failed: ", 2: "folkmoot: error: "}[status]
    if said.count("\n") != 1 or not said[:-1].isprintable() or (out.getvalue() and err.getvalue()):
        raise Wrong(f"verify says {out.getvalue()!r} and {err.getvalue()!r}")
    if not said.startswith(f"{start}{path}") or (status == 1 and not re.search(r": block \d+: ", said)):
        raise Wrong(f"verify does not say where: {said!r}")
    return status, said


def _library(one, path, status):
    """Each way to read a file gives what it holds, or one named error that says where."""
    ways = {
        "height": lambda book: book.height,
        "genesis": lambda book: book.genesis.hash,
        "blocks": lambda book: list(book.blocks()),
        "chain": lambda book: book.chain.tip,
    }
    for what, way in ways.items():
        try:
            way(ledger.open(path))
        except OtherSide as error:
            if not str(error).startswith(str(path)) or "\n" in str(error):
                raise Wrong(f"{what} does not say where: {error}") from None
            if isinstance(error, ledger.DamagedLedger) and f": block {error.height}" not in str(error):
                raise Wrong(f"{what} does not say in which block: {error}") from None
            if status == 0:
                raise Wrong(f"verify finds all good, {what}: {error}") from None
        except BaseException as error:
            raise Wrong(f"{what} ends in {type(error).__name__}: {error}") from error
        else:
            if status and what == "chain":
                raise Wrong("verify refuses what `chain` takes")


def _stays_good_when_it_grows(one, path):
    """A ledger of notes that passes takes a block, and is good after that; or says that it cannot be written."""
    book = ledger.open(path)
    if book.genesis.kind != "notes" or book.genesis.work_bits:
        return
    from earlier.write import note

    try:
        with book:
            book.append(note(book.chain, b"more"))
    except ledger.NotStored as error:
        if not str(error).startswith(str(path)):
            raise Wrong(f"append does not say where: {error}") from None
        return
    except BaseException as error:
        raise Wrong(f"append ends in {type(error).__name__}: {error}") from error
    verdict = ledger.open(path).verify()
    if not verdict.ok or verdict.blocks != len(one.blocks) + 1:
        raise Wrong(f"bad after a block was appended: {verdict.reason}")


# --- Rules that are broken on purpose: the search must find each ------------------------------------------------------


def _unsealed(database, height):
    """Rows as they are, with the seal that they should have."""
    found = _row_of(database, height)
    if found is None or found[0] is None:
        return found
    _unsealed.seal = file.next_seal(b"" if height == 0 else _unsealed.seal, found[0])
    return found[0], _unsealed.seal


_row_of = file.row_of


def _unresolved(path):
    given = path.absolute()
    return place.Place(given, given, place.printable(path))


def _anywhere(self, name):
    found = self._file(name)
    if not found.is_file():
        raise ledger.MissingContent("missing")
    return contents._checked(name, found.read_bytes())


class _Nameless(replay.DamagedLedger):
    def __init__(self, height, reason, file=""):
        super().__init__(height, reason)


ONLY_SQLITE = (sqlite3.Error,)
BROKEN = {
    "ends": [(around, "loose_end", lambda length, pages, size: None)],
    "log": [(around, "broken_off", lambda log, page: None)],
    "links": [(store, "place_of", _unresolved)],
    "names": [(contents, "_checked", lambda name, data: data)],
    "plain files": [(contents.FolderContents, "get", _anywhere)],
    "seals": [(replay, "row_of", _unsealed)],
    "head": [(replay, "_checked_head", lambda database, last: last)],
    "text": [(module, "FAULTS", ONLY_SQLITE) for module in (file, replay, store)],
    "where": [(store, "DamagedLedger", _Nameless)],
}


@contextmanager
def broken(rule):
    """Inside, a rule of the library does not hold; None: all do."""
    with ExitStack() as until:
        for thing, name, instead in BROKEN.get(rule, ()):
            until.enter_context(patch.object(thing, name, instead))
        yield
