"""What a member of a bandit played, got, said and heard, signed by itself: so that somebody can be shown what was said.

How it works. Each step of the machine has one entry. It is on the disk with the step, in one transaction, and so before
anything of the step has left. An entry names the hash of the one before it (the first one names the charter), and the
identity key signs it. So in a log that is shown nothing can be changed, left out or put in between two entries. That
its end is missing shows when somebody has seen a later entry.

Messages are not in it, only their digests: who has kept one can show that it is the one that was said. What a log says
was heard is its owner's word; the log of the sender has the same digest among what it sent, or one of the two is wrong.

A member never has two entries of one moment: not after a crash, for a step is whole or not there, and not after its
store was lost or restored, for then it says nothing before a later round. Two such entries are two stories.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple, Protocol

from folkmoot.agreement.identity import Identity
from folkmoot.encoding import Malformed, decode, digest, encode
from folkmoot.errors import DamagedFile, OtherSide, brief
from folkmoot.json_text import parsed
from folkmoot.machine import ALL, Effects, Moment, Received
from folkmoot.node.charter import Charter
from folkmoot.node.store import Row, Waiting
from folkmoot.signatures import check

FORMAT = "folkmoot signed log 1"
TO_ALL = "*"  # in a file; no member has this name
_ALL = -1  # in an entry
_PURPOSE = "log entry"
_MOST_LINE = 1 << 20  # characters
_MOST = 1 << 62  # of any number


class BadLog(OtherSide):
    """A log that is damaged, or that its member has not written like this."""


class Got(NamedTuple):
    """An outcome that entered: of which round, from 0 to 1 (None: none will come), and of how many requests."""

    round: int
    reward: float | None
    requests: int


class Entry(NamedTuple):
    """One step.

    Attributes:
        number: 1, 2, ...
        round, stage: its moment.
        arm: that was to be pulled, or again after a restart; None: none in this step.
        got: outcomes that the step was handed.
        heard: (sender, digest) of each message that the step was handed.
        sent: (receiver, digest) of each message it sent; receiver -1: all others.
        before: hash of the entry before; of the first one, the digest of the charter.
    """

    number: int
    round: int
    stage: int
    arm: int | None
    got: tuple[Got, ...]
    heard: tuple[tuple[int, bytes], ...]
    sent: tuple[tuple[int, bytes], ...]
    before: bytes

    def to_bytes(self) -> bytes:
        """As it is stored."""
        return encode((*self[:4], tuple(map(tuple, self.got)), *self[5:]))

    def hash(self, charter: bytes) -> bytes:
        """What is signed, and what the next entry names."""
        return digest(_PURPOSE, encode((charter, self.to_bytes())))


def from_bytes(data: bytes) -> Entry:
    """The entry in these bytes, of the own store.

    Raises:
        Malformed: there is none.
    """
    try:
        number, round, stage, arm, got, heard, sent, before = decode(data)
        return Entry(number, round, stage, arm, tuple(Got(*one) for one in got), heard, sent, before)
    except (TypeError, ValueError):
        raise Malformed("entry of a log: expected eight parts") from None


def of_message(data: bytes) -> bytes:
    """The digest of a message, as it stands in a log."""
    return digest("said", data)


class Keeps(Protocol):
    """The part of a store that holds a log."""

    def entries(self, first: int = 1, last: int | None = None) -> Iterator[Row]:
        """Of these rounds."""

    def last_entry(self) -> Row | None:
        """The last one; None: there is none."""


class SignedLog:
    """The log of one member, as it goes on. What cannot be stored ends the node, and this with it."""

    def __init__(self, charter: Charter, seed: bytes, kept: Keeps) -> None:
        self._charter, self._identity = charter.digest, Identity(seed)
        last = kept.last_entry()
        self._number, self._before = 0, self._charter
        if last is not None:
            entry = from_bytes(last.entry)
            self._number, self._before = entry.number, entry.hash(self._charter)

    def entry(self, moment: Moment, inbox: Sequence[Received], entering: Sequence[Waiting], effects: Effects) -> Row:
        """What this step was handed and came to, signed: it is stored with the step."""
        made = Entry(
            self._number + 1, *moment, effects.pull,
            tuple(Got(*one.outcome[:2], len(one.numbers)) for one in entering),  # type: ignore[arg-type]
            tuple((sender, of_message(data)) for sender, data in inbox),
            tuple((_ALL if to is ALL else to, of_message(data)) for to, data in effects.send), self._before,
        )  # fmt: skip
        self._number, self._before = made.number, made.hash(self._charter)
        return Row(made.number, moment.round, made.to_bytes(), self._identity.sign(_PURPOSE, self._before))


# --- Shown to others -------------------------------------------------------------------------------------------------


def write(file: IO[str], charter: Charter, me: int, rows: Iterable[Row]) -> int:
    """Write entries as lines of JSON, which `read` reads; how many they are."""
    import json

    names, count = [card.name for card in charter.members], 0
    head = {"format": FORMAT, "charter": charter.digest.hex(), "member": names[me]}
    file.write(json.dumps(head) + "\n")
    for row in rows:
        entry = from_bytes(row.entry)
        table = {
            **dict(zip(Entry._fields[:4], entry)),
            "got": [list(one) for one in entry.got],
            "heard": [[names[sender], said.hex()] for sender, said in entry.heard],
            "sent": [[TO_ALL if to == _ALL else names[to], said.hex()] for to, said in entry.sent],
            "before": entry.before.hex(),
            "signature": row.signature.hex(),
        }
        file.write(json.dumps(table) + "\n")
        count += 1
    return count


class Shown(NamedTuple):
    """What a log that was checked shows.

    Attributes:
        member: whose it is.
        numbers, rounds: the first and the last.
        last: hash of the last entry.
    """

    member: str
    numbers: tuple[int, int]
    rounds: tuple[int, int]
    last: bytes


def read(lines: IO[str], charter: Charter, saw: Callable[[Entry], None] = lambda entry: None) -> Shown:
    """Check a log that somebody shows; `saw` is called with each entry that holds.

    Raises:
        DamagedFile: it is no log.
        BadLog: of another charter, or an entry does not hold; it says which line, and why.
    """
    me = _owner(_line(lines, 1), charter)
    key, first, last, before = charter.members[me].key, None, None, b""
    for number in range(2, 1 << 62):
        table = _line(lines, number)
        if table is None:
            break
        entry, signature = _entry(table, charter, me, number)
        if last is None:
            expected = charter.digest if entry.number == 1 else entry.before
        else:
            expected = before
            if entry.number != last.number + 1:
                raise BadLog(f"line {number}: entry {entry.number}: expected {last.number + 1}; entries are missing")
            if entry[1:3] <= last[1:3]:
                raise BadLog(f"line {number}: round {entry.round}, stage {entry.stage}: not after the entry before")
        if entry.before != expected:
            raise BadLog(f"line {number}: entry {entry.number} does not follow from the one before")
        before = entry.hash(charter.digest)
        if not check(key, _PURPOSE, before, signature):
            raise BadLog(f"line {number}: entry {entry.number} is not what {charter.members[me].name} has signed")
        saw(entry)
        first, last = first or entry, entry
    if first is None or last is None:
        raise BadLog("log: there is no entry in it")
    numbers, rounds = (first.number, last.number), (first.round, last.round)
    return Shown(charter.members[me].name, numbers, rounds, before)


def _line(lines: IO[str], number: int) -> Any:
    """The table in the next line; None: there is no line any more.

    Raises:
        DamagedFile: it is none.
    """
    try:
        text = lines.readline(_MOST_LINE)
        if not text:
            return None
        table = parsed(text, object_pairs_hook=_once) if text.endswith("\n") else None
    except ValueError:
        table = None
    if not isinstance(table, dict):
        raise DamagedFile(f"line {number}: expected a line of a log")
    return table


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table in which no key stands twice: another program might read the other value.

    Raises:
        ValueError: one does.
    """
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key stands there twice")
    return table


def _owner(head: Any, charter: Charter) -> int:
    if not isinstance(head, dict) or head.get("format") != FORMAT or set(head) != {"format", "charter", "member"}:
        raise DamagedFile("line 1: not a log, or of another version")
    if head.get("charter") != charter.digest.hex():
        raise BadLog(f"log of charter {brief(head.get('charter'))}: expected one of {charter.digest.hex()[:16]}")
    for number, card in enumerate(charter.members):
        if card.name == head.get("member"):
            return number
    raise BadLog(f"log of {brief(head.get('member'))}: no member of {charter.terms.name!r}")


def _entry(table: Mapping[str, Any], charter: Charter, me: int, line: int) -> tuple[Entry, bytes]:
    """The entry in a line, and its signature.

    Raises:
        BadLog: it holds what no entry of this charter can hold.
    """
    numbers = {card.name: number for number, card in enumerate(charter.members) if number != me}
    names = (*Entry._fields, "signature")
    try:
        odd = next((name for name in (*names, *table) if (name in names) != (name in table)), None)
        if odd is not None:
            word = "missing" if odd in names else "unknown"
            raise ValueError(f"field {brief(odd)}: {word}; an entry has {', '.join(names)}")
        whole = [_whole(name, table[name], _MOST) for name in Entry._fields[:3]]
        arm = None if table["arm"] is None else _whole("arm", table["arm"], len(charter.terms.arms) - 1, ", or null")
        entry = Entry(
            whole[0], whole[1], whole[2], arm, tuple(_got(place, one) for place, one in _places("got", table)),
            tuple(_said(place, one, numbers) for place, one in _places("heard", table)),
            tuple(_said(place, one, numbers | {TO_ALL: _ALL}) for place, one in _places("sent", table)),
            _bytes("before", table["before"]),
        )  # fmt: skip
        return entry, _bytes("signature", table["signature"])
    except ValueError as error:
        raise BadLog(f"line {line}: no entry of this charter: {error}") from None


def _places(name: str, table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Each of a list in a field, with its place."""
    if not isinstance(table[name], list):
        raise ValueError(f"{name} = {brief(table[name])}: expected a list")
    return [(f"{name}[{number}]", one) for number, one in enumerate(table[name])]


def _whole(name: str, value: Any, most: int, or_else: str = "") -> int:
    if type(value) is not int or not 0 <= value <= most:
        limits = f" from 0 to {most}" if most < _MOST else ""
        raise ValueError(f"{name} = {brief(value)}: expected a whole number{limits}{or_else}")
    return value


def _bytes(name: str, value: Any) -> bytes:
    try:
        if type(value) is str:
            return bytes.fromhex(value)
    except ValueError:
        pass
    raise ValueError(f"{name} = {brief(value)}: expected bytes in hex")


def _listed(name: str, value: Any, parts: Sequence[str]) -> list[Any]:
    if not isinstance(value, list) or len(value) != len(parts):
        raise ValueError(f"{name} = {brief(value)}: expected a list of {len(parts)}: {', '.join(parts)}")
    return value


def _said(name: str, value: Any, numbers: Mapping[str, int]) -> tuple[int, bytes]:
    """Of a message: the other member, and the digest."""
    member, said = _listed(name, value, ("a member", "a digest"))
    if type(member) is not str or member not in numbers:
        known = ", ".join(one for one in numbers if one != TO_ALL)
        raise ValueError(f"{name}[0] = {brief(member)}: expected another member: {known:.200}")
    return numbers[member], _bytes(f"{name}[1]", said)


def _got(name: str, value: Any) -> Got:
    round, reward, requests = _listed(name, value, Got._fields)
    if reward is not None and not (type(reward) is float and 0 <= reward <= 1):
        raise ValueError(f"{name}[1] = {brief(reward)}: expected a reward from 0.0 to 1.0, or null")
    return Got(_whole(f"{name}[0]", round, _MOST), reward, _whole(f"{name}[2]", requests, _MOST))
