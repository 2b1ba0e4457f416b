"""What the blocks of an exchange say, with the names of parties and classes; nothing is checked."""

from collections import Counter
from collections.abc import Callable, Sequence

from folkmoot.ledger.rules import ShownRecord
from folkmoot.multiparty.chain.exchanged import BallotNote, ShownNote, read_committed, read_exchange
from folkmoot.multiparty.exchange.revealing import UNVOUCHED

Named = Callable[[int], str]
Told = tuple[str, tuple[ShownRecord, ...]]


def commitments_told(records: Sequence[bytes], party: Named, label: Named) -> Told:
    """Who has committed to a check set.

    Raises:
        Malformed: no such records.
    """
    found, names = [], []
    for one in map(read_committed, records):
        counts = {label(c): n for c, n in one.said.counts}
        name, samples = party(one.party), sum(counts.values())
        values = {"record": "checks", "party": name, "digest": one.said.digest.hex(), "samples": counts}
        found.append(ShownRecord(values, f"{name}: a check set of {samples} samples", frozenset([name])))
        names.append(name)
    return f"check sets of {', '.join(names)}", tuple(found)


def exchange_told(records: Sequence[bytes], party: Named, label: Named) -> Told:
    """Samples, candidates, votes and the decision of a gate.

    Raises:
        Malformed: no such records.
    """
    block = read_exchange(records)
    gate, found = block.gate, [_shown(note, party, label) for note in block.shown]
    for one in block.candidates:
        name = party(one.party)
        became = "refused" if not gate.accepted else "taken back" if one.party in gate.reverted else "accepted"
        values = {"record": "candidate", "party": name, "parameters": one.parameters.hex(), "verdict": became}
        found.append(ShownRecord(values, f"{name}: a candidate for its model: {became}", frozenset([name])))
    for told in block.recalls:
        judge, rows = party(told.judge), [[party(m), label(c), right, n] for m, c, right, n in told.rows]
        right, looked = (sum(row[i] for row in told.rows) for i in (2, 3))
        what = "candidates" if told.after else "models"
        line = f"{judge}: the {what} of others are right {right} times of {looked}"
        found.append(
            ShownRecord({"record": "recalls", "judge": judge, "of": what, "right": rows}, line, frozenset([judge]))
        )
    found += [_ballot(note, party, label) for note in block.ballots]
    used = Counter(note.sender for note in block.shown if not note.verdict)
    samples = ", ".join(f"{party(sender)} {n}" for sender, n in sorted(used.items())) or "none"
    back = ", ".join(party(number) for number in gate.reverted) or "nobody's"
    became = f"candidates {'accepted' if gate.accepted else 'refused'}, gain {gate.gain:.2%}, taken back: {back}"
    return f"{gate.mode}: samples used: {samples}; {became}", tuple(found)


def _shown(note: ShownNote, party: Named, label: Named) -> ShownRecord:
    sender, name = party(note.sender), label(note.label)
    values = {"record": "shown", "sender": sender, "label": name, "verdict": note.verdict or "used"}
    values |= {"content": note.name.hex()} | ({} if note.wrong < 0 else {"wrong": label(note.wrong)})
    became = f"not used, {note.verdict}" if note.verdict else "used"
    if note.verdict == UNVOUCHED:
        became += " (the models of others name another class; that is no blame)"
    return ShownRecord(values, f"{sender}: a sample of {name}: {became}", frozenset([sender]))


def _ballot(note: BallotNote, party: Named, label: Named) -> ShownRecord:
    judge, without = party(note.judge), [party(number) for number in note.reverted]
    rows = [[label(c), lost, won, n] for c, lost, won, n in note.rows]
    lost, won = (sum(row[i] for row in note.rows) for i in (1, 2))
    line = f"{judge}: all candidates{' but those of ' + ', '.join(without) if without else ''}: lost {lost}, won {won}"
    values = {"record": "ballot", "judge": judge, "without": without, "classes": rows}
    return ShownRecord(values, line, frozenset([judge]))
