"""What the blocks of a chain of kind "bema" say, with the names of parties and classes, for whoever audits it.

Nothing is checked here and no model is loaded: who has the file alone can read it. Which models one sample of a block
moved does not stand in the block, which names those that all of its samples moved; it is told where the chain is
computed again meanwhile (a state is handed in).
"""

from collections import Counter
from typing import Any

from folkmoot.encoding import Malformed, Value
from folkmoot.json_text import parsed
from folkmoot.ledger.block import Block
from folkmoot.ledger.contents import Contents
from folkmoot.ledger.rules import ShownBlock, ShownRecord
from folkmoot.multiparty.chain.acts import (
    Act,
    Admitted,
    Checkpoint,
    Expelled,
    Left,
    Prediction,
    Rotated,
    Updated,
    read_act,
    what_of,
)
from folkmoot.multiparty.chain.checkpoints import is_going_on, read_going_on, read_told
from folkmoot.multiparty.chain.entries import Entry
from folkmoot.multiparty.chain.exchange_reading import commitments_told, exchange_told
from folkmoot.multiparty.chain.exchanged import ExchangeBlock, read_exchange
from folkmoot.multiparty.chain.records import (
    ACTS,
    CALIBRATE,
    COMMIT,
    EXCHANGE,
    REFUSE,
    REGISTER,
    Head,
    Leaf,
    Refused,
    Registered,
    SampleNote,
    answer_in,
    read_calibration,
    read_head,
)
from folkmoot.multiparty.chain.samples import moved_by_each
from folkmoot.multiparty.chain.standing import State, read_configuration

ORIGINAL, REGULAR, MINER = "original", "regular", "miner"
_KINDS = {"OP": ORIGINAL, "RP": REGULAR, "miner": MINER}


class BemaReader:
    """See `folkmoot.ledger.rules.Reader`."""

    def __init__(self, configuration: Value, contents: Contents) -> None:
        self._began = 0  # height of the checkpoint that the chain goes on from
        self._gone: dict[int, int] = {}  # number of a party -> height of the block by which it went
        if is_going_on(configuration):
            _, block, _, act = read_going_on(configuration)
            told = read_told(contents.get(act.snapshot))
            self._terms, self._voting, self._began = told.terms, told.voting, block.header.height
            self._parties = [
                (entry, ORIGINAL if number < told.originals else REGULAR, 0)
                for number, entry in enumerate(told.parties)
            ]
            self._miners, self._gone = sorted(told.miners), dict.fromkeys(told.life.gone, 0)
        else:
            self._terms, originals, miners, self._voting = read_configuration(configuration)
            self._parties = [(entry, ORIGINAL, 0) for entry in originals]
            self._miners = sorted(miners)

    @property
    def entries(self) -> list[Entry]:
        """The parties by their numbers, with the models they came with, have brought since or have by an exchange."""
        return [entry for entry, _, _ in self._parties]

    def terms(self) -> ShownBlock:
        """See there."""
        told, parties = dict(vars(self._terms)), [self._party(number) for number in range(len(self._parties))]
        shape, voted = "x".join(map(str, self._terms.shape)), self._voting is not None
        miners = [key.hex() for key in self._miners]
        line = (
            f"{self._terms.n_classes} classes, samples of shape {shape}, {self._terms.rules} rules, "
            f"alpha {self._terms.alpha:g}, delta {self._terms.delta:g}, sigma {self._terms.sigma:g}, "
            f"omega {self._terms.omega:g}, eta {self._terms.eta:g}"
        )
        return ShownBlock({"terms": told, "voted": voted, "miners": miners}, line, tuple(parties))

    def _party(self, number: int) -> ShownRecord:
        entry, kind, joined = self._parties[number]
        classes = [self._class(label) for label in entry.classes]
        gone = self._gone.get(number)
        values = {"party": entry.name, "number": number, "kind": kind, "joined": joined, "classes": classes}
        values |= {} if gone is None else {"gone": gone}
        values |= {"model": entry.model_kind, "key": entry.key.hex(), "parameters": entry.parameters.hex()}
        until = "" if gone is None else f", gone by block {gone}"
        line = f"{entry.name} ({kind}, since block {joined}{until}): {entry.model_kind}, knows {', '.join(classes)}"
        return ShownRecord(values, line, frozenset([entry.name]))

    def follow(self, block: Block) -> None:
        """See there."""
        what, height = read_head(_first(block)).what, block.header.height
        if what == REGISTER:
            said = answer_in(_second(block))
            if isinstance(said, Registered):
                self._parties.append((said.party, REGULAR, height))
        elif what == EXCHANGE:
            self._exchange(read_exchange(block.records[1:]))
        elif what in ACTS:
            self._change(read_act(_second(block)), height)

    def _exchange(self, block: ExchangeBlock) -> None:
        for one in block.taken:
            if one.party < len(self._parties):
                entry, kind, joined = self._parties[one.party]
                entry = entry._replace(settings=one.settings, parameters=one.parameters)
                self._parties[one.party] = entry, kind, joined

    def _change(self, act: Act, height: int) -> None:
        if isinstance(act, Admitted):
            self._parties.append((act.party, REGULAR, height))
        elif isinstance(act, Left | Expelled):
            self._gone[act.number] = height
        elif isinstance(act, Updated | Rotated) and act.number < len(self._parties):
            entry, kind, joined = self._parties[act.number]
            entry = act.party if isinstance(act, Updated) else entry._replace(key=act.key)
            self._parties[act.number] = entry, kind, joined

    def read(self, block: Block, state: State | None = None) -> ShownBlock:
        """See there."""
        head = read_head(_first(block))
        maker = self._maker(head)
        values: dict[str, Any] = {"what": head.what, "maker": maker, "maker_kind": _KINDS[head.miner_kind]}
        values |= {"time": head.time} | ({} if head.round is None else {"round": head.round})
        if head.what == CALIBRATE:
            summary, records = self._calibration(block, state)
        elif head.what in ACTS:
            summary, record = self._act(read_act(_second(block)))
            records = (record,)
        elif head.what == COMMIT:
            summary, records = commitments_told(block.records[1:], self._name, self._class)
        elif head.what == EXCHANGE:
            summary, records = exchange_told(block.records[1:], self._name, self._class)
        else:
            summary, records = self._answer(answer_in(_second(block)))
        self.follow(block)
        return ShownBlock(values, f"{summary}; made by {maker}", records)

    def _maker(self, head: Head) -> str:
        found = [entry.name for entry, _, _ in self._parties if entry.key == head.miner]
        return found[0] if found else f"miner {head.miner.hex()[:16]}"

    def _name(self, number: int) -> str:
        return self._parties[number][0].name if 0 <= number < len(self._parties) else f"party {number}"

    def _class(self, label: int) -> str:
        return self._terms.labels[label] if label < len(self._terms.labels) else str(label)

    def _answer(self, said: Registered | Refused) -> tuple[str, tuple[ShownRecord, ...]]:
        party, admitted = said.party, isinstance(said, Registered)
        by = self._name(said.approver) if said.approver >= 0 else None
        classes = [self._class(label) for label in party.classes]
        values: dict[str, Any] = {"record": REGISTER if admitted else REFUSE, "party": party.name, "by": by}
        values |= {"classes": classes, "model": party.model_kind, "distance": said.distance, "key": party.key.hex()}
        values |= {"parameters": party.parameters.hex()}
        away = "" if said.distance is None else f", distance {said.distance:.4g}"
        who = f" by {by}" if by is not None else ""
        if isinstance(said, Refused):
            values["reason"] = said.reason
            line = f"{party.name} was refused{who} as {said.reason}{away}"
        else:
            line = f"{party.name} was admitted{who}{away}"
        about = frozenset(name for name in (party.name, by) if name is not None)
        more = f"{party.model_kind}, says that it knows {', '.join(classes)}"
        return line, (ShownRecord(values, f"{line}: {more}", about),)

    def _act(self, act: Act) -> tuple[str, ShownRecord]:
        """An act in words: one line, of which the record says more."""
        values: dict[str, Any] = {"record": what_of(act)}
        about, more = set[str](), ""
        if isinstance(act, Checkpoint):
            values["snapshot"], line = act.snapshot.hex(), f"checkpoint {act.snapshot.hex()[:16]}"
            return line, ShownRecord(values, line, frozenset())
        name = act.party.name if isinstance(act, Admitted) else self._name(act.number)
        values["party"] = name
        about.add(name)
        if isinstance(act, Left):
            line = f"{name} left"
        elif isinstance(act, Expelled):
            by = [self._name(number) for number, _ in act.signatures]
            values |= {"by": by, "reason": act.reason}
            line, about = f"{name} was expelled by {', '.join(by)}: {act.reason}", about | set(by)
        elif isinstance(act, Rotated):
            values["key"], line = act.key.hex(), f"{name} has another key, {act.key.hex()[:16]}"
        elif isinstance(act, Prediction):
            answers = [None if answer < 0 else self._class(answer) for answer in act.answers]
            values |= {"input": act.input.hex(), "answers": answers, "predictor": parsed(act.predictor)}
            values["models"] = {self._name(number): parameters.hex() for number, parameters in act.models}
            line = f"{name} put a prediction of {len(answers)} samples on record, input {act.input.hex()[:16]}"
            more = f": {', '.join('nobody speaks' if answer is None else answer for answer in answers)}"
        else:
            by = [self._name(approval.approver) for approval in act.approvals]
            classes = [self._class(label) for label in act.party.classes]
            values |= {"classes": classes, "model": act.party.model_kind, "parameters": act.party.parameters.hex()}
            values["approvals"] = [
                {"by": self._name(one.approver), "distance": one.distance, "outside": one.outside}
                for one in act.approvals
            ]
            did = "was admitted" if isinstance(act, Admitted) else "has another model, approved"
            line, about = f"{name} {did} by {', '.join(by) or 'nobody, as nobody could'}", about | set(by)
            away = ", ".join(f"{one.distance:.4g} (outside {one.outside:.4g})" for one in act.approvals)
            more = f", distance {away}: {act.party.model_kind}, says that it knows {', '.join(classes)}"
        return line, ShownRecord(values, line + more, frozenset(about))

    def _calibration(self, block: Block, state: State | None) -> tuple[str, tuple[ShownRecord, ...]]:
        notes, leaves = read_calibration(block.records[1:])
        each = None if state is None else moved_by_each(state, block, notes)
        taught = [self._sample(note, None if each is None else each[n]) for n, note in enumerate(notes)]
        moved = [self._leaf(leaf) for leaf in leaves]
        all_of, good = Counter(note.sender for note in notes), Counter(n.sender for n in notes if not n.verdict)
        told = ", ".join(f"{self._name(sender)} {good[sender]} of {count}" for sender, count in sorted(all_of.items()))
        names = ", ".join(self._name(leaf.party) for leaf in leaves) or "none"
        return f"samples taken: {told}; models moved: {names}", (*taught, *moved)

    def _sample(self, note: SampleNote, moved: tuple[int, ...] | None) -> ShownRecord:
        sender, label, wrong = self._name(note.sender), self._class(note.label), self._class(note.wrong)
        values: dict[str, Any] = {"record": "sample", "sender": sender, "label": label, "wrong": wrong}
        values |= {"verdict": note.verdict or "accepted", "content": note.name.hex()}
        became = f"refused as {note.verdict}" if note.verdict else "accepted"
        about, taught = {sender}, [] if moved is None else [self._name(number) for number in moved]
        if moved is not None:
            values["moved"] = taught
            about |= set(taught)
            became += f", taught {', '.join(taught)}" if taught else ""
        line = f"{sender}: a sample of {label}, taken for {wrong}: {became}"
        return ShownRecord(values, line, frozenset(about))

    def _leaf(self, leaf: Leaf) -> ShownRecord:
        name = self._name(leaf.party)
        values = {"record": "model", "party": name, "model": leaf.model_kind, "parameters": leaf.parameters.hex()}
        return ShownRecord(values, f"{name}: its model has moved to {leaf.parameters.hex()[:16]}", frozenset([name]))


def _first(block: Block) -> bytes:
    return _record(block, 0)


def _second(block: Block) -> bytes:
    return _record(block, 1)


def _record(block: Block, number: int) -> bytes:
    if len(block.records) <= number:
        raise Malformed(f"record {number}: there is none")
    return block.records[number]
