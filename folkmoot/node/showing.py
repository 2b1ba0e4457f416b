"""The signed log of an epoch of a folder, printed, written to a file, and checked by whoever is shown one."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from folkmoot.errors import OtherSide
from folkmoot.files import growing_beside, or_say, take_place
from folkmoot.node import signed_log
from folkmoot.node.charter import Charter, read_charter
from folkmoot.node.epochs import begun, lineage, place
from folkmoot.node.folder import Folder
from folkmoot.node.signed_log import Entry, from_bytes
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of
from folkmoot.plurals import plural


@contextmanager
def _store(folder: Folder, epoch: int | None) -> Iterator[tuple[Charter, Store]]:
    charter = begun(lineage(folder), epoch)
    path = place(folder, charter.epoch) / FILE
    if system_of(charter).has_ledger:
        raise ValueError(f"{folder.path}: members of a {charter.terms.system} have a chain; see folkmoot node export")
    if not path.exists():
        raise ValueError(f"{folder.path}: its node has not run yet")
    store = Store(path)
    try:
        yield charter, store
    finally:
        store.close()


def lines(folder: Folder, first: int = 1, last: int | None = None, epoch: int | None = None) -> Iterator[str]:
    """A line for each of these rounds, for people; `epoch`: None: of the one that has begun last.

    Raises:
        ValueError: it has no log, or none of these rounds.
    """
    with _store(folder, epoch) as (charter, store):
        _check_rounds(folder, store, first, last)
        entries = (from_bytes(row.entry) for row in store.entries(first, last))
        for round, steps in groupby(entries, key=lambda entry: entry.round):
            yield _of_round(charter, round, list(steps))


def _check_rounds(folder: Folder, store: Store, first: int, last: int | None) -> None:
    """Has the log an entry of these rounds? All of a log that is empty yet are none.

    Raises:
        ValueError: no.
    """
    if first < 1:
        raise ValueError(f"--from = {first}: expected at least 1")
    if last is not None and last < first:
        raise ValueError(f"--from {first} --to {last}: expected --to of at least --from")
    everything = first == 1 and last is None
    if not everything and next(store.entries(first, last), None) is None:
        low, high = next(store.entries(), None), store.last_entry()
        there = f"it has rounds {low.round} to {high.round}" if low and high else "it is empty"
        until = "the last one" if last is None else last
        raise ValueError(f"{folder.path}: its log has no entry of rounds {first} to {until}; {there}")


def _of_round(charter: Charter, round: int, steps: list[Entry]) -> str:
    terms, names = charter.terms, [card.name for card in charter.members]
    parts = [f"round {round}:"]
    parts += [f"played {terms.arms[arm]};" for arm in dict.fromkeys(s.arm for s in steps) if arm is not None]
    for one in (got for step in steps for got in step.got):
        value = "nothing" if one.reward is None else f"{terms.low + one.reward * (terms.high - terms.low):g}"
        parts.append(f"got {value} of round {one.round} ({plural(one.requests, 'request')});")
    said = sum(len(step.sent) for step in steps)
    heard = sorted({sender for step in steps for sender, _ in step.heard})
    parts.append(f"said {plural(said, 'message')}; heard {', '.join(names[one] for one in heard) or 'nobody'};")
    return " ".join((*parts, f"entries {steps[0].number} to {steps[-1].number}"))


def write(folder: Folder, target: Path, first: int = 1, last: int | None = None, epoch: int | None = None) -> int:
    """Write the log of these rounds into a new file; how many entries it has. `epoch`: as for `lines`.

    Raises:
        ValueError: it has no log, none of these rounds, or the file is there already or cannot be written.
    """
    with _store(folder, epoch) as (charter, store):
        me = charter.number(folder.card.key)
        _check_rounds(folder, store, first, last)
        if target.exists():
            raise ValueError(f"{target}: is there already; expected a new file")
        with or_say(f"file {target}"):
            beside = growing_beside(target)
            with open(beside, "w", encoding="utf-8", newline="\n") as file:
                count = signed_log.write(file, charter, me, store.entries(first, last))
            take_place(beside, target)
    return count


def verified(file: Path, charter_file: Path) -> str:
    """What a file shows, if it holds, in a line.

    Raises:
        ValueError: a file cannot be read.
        OtherSide: it does not hold, and why.
    """
    charter = read_charter(charter_file)
    if charter.amends is None:  # whether an amendment counts is to be checked with the charter before it
        charter.check_signed()
    try:
        with open(file, encoding="utf-8", newline="\n") as text:
            shown = signed_log.read(text, charter)
    except OSError as error:
        raise ValueError(f"file {file}: cannot be read ({error.strerror})") from None
    except OtherSide as error:
        raise type(error)(f"{file}: {error}") from None
    (low, high), rounds = shown.numbers, shown.rounds
    return (
        f"{file}: {shown.member} of {charter.terms.name!r} has signed this: rounds {rounds[0]} to {rounds[1]}, "
        f"entries {low} to {high} (hash {shown.last.hex()[:16]}), and none between them is missing; "
        "whether there are entries before or after these, it cannot show"
    )
