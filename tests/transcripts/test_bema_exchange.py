"""What machines say to come to an exchange, and to acts of parties."""

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_machines import AGREED, MEMBERS, party, played
from transcript import Play, check

from folkmoot.agreement.messages import Ballots, Blocks, Confirmation, Proposal, Vote
from folkmoot.ledger import Block
from folkmoot.multiparty.chain.acts import Expelled, Updated, read_act
from folkmoot.multiparty.chain.exchanged import read_exchange
from folkmoot.multiparty.chain.records import EXCHANGE, read_head
from folkmoot.multiparty.chain.sheets import PHASES, Sheet, read_told
from folkmoot.multiparty.chain.talk import CONSORTIUM, ExchangeTold, Given, Lacking, RecordsTold, WishTold
from folkmoot.multiparty.chain.wishes import read_wish
from folkmoot.multiparty.models import blank

ASKS = dict(zip(PHASES, ("what it commits to", "samples", "a new model", "its vote"), strict=True))


class Words:
    """Messages in words; blocks are called A, B, ... in the order in which they are first spoken of."""

    def __init__(self):
        self._blocks, self._sheets = {}, {}

    def block(self, hash):
        return "block " + self._blocks.setdefault(hash, chr(ord("A") + len(self._blocks)))

    def __call__(self, data):
        said = CONSORTIUM.from_bytes(data, (MEMBERS,))
        if isinstance(said, ExchangeTold):
            return self.exchange(read_told(said.content))
        if isinstance(said, WishTold | RecordsTold):
            what, records = read_wish(said.content)
            return f"for a block: {acts(what, records)}"
        if isinstance(said, Given):
            return f"contents that the block names: {len(said.contents)}"
        if isinstance(said, Lacking):
            return f"asks for contents: {len(said.names)}"
        if isinstance(said, Proposal):
            records = Block.from_bytes(said.block).records
            what = acts(read_head(records[0]).what, records[1:])
            return f"proposes {self.block(said.hash)} of height {said.height}: {what}"
        if isinstance(said, Vote):
            return f"{said.phase.removeprefix('round ')} for {self.block(said.hash)}"
        if isinstance(said, Ballots):
            return f"passes on the {said.purpose.removeprefix('round ')} of {names(said.voters)}"
        if isinstance(said, Blocks):
            return f"blocks, with their signatures: {len(said.blocks)}"
        assert isinstance(said, Confirmation)
        return f"confirms {self.block(said.hash)}"

    def exchange(self, told):
        if isinstance(told, Sheet):
            self._sheets[told.digest] = told
            asked = f", on {len(told.asked)} sets of candidates" if told.asked else ""
            return f"asks each party for {ASKS[told.phase]}{asked}; shows what is there: {len(told.records)} records"
        about = self._sheets[told.about]
        return f"of {ASKS[about.phase]}: {len(told.records)} records, {len(told.contents)} contents"


def acts(what, records):
    if what == EXCHANGE:
        block = read_exchange(records)
        became = "accepted" if block.gate.accepted else "refused"
        return (
            f"an exchange, {became}: {len(block.shown)} samples, {len(block.candidates)} candidates, "
            f"{len(block.ballots)} ballots"
        )
    if what == "commit":
        return f"commitments to check sets: {len(records)}"
    act = read_act(records[0])
    if isinstance(act, Expelled):
        return f"p{act.number} is expelled ({act.reason}), signed by {names(number for number, _ in act.signatures)}"
    if isinstance(act, Updated):
        by = names(one.approver for one in act.approvals)
        return f"another model of p{act.number}, approved by {by}"
    return f"{what} of p{act.number}"


def names(numbers):
    return ", ".join(f"p{number}" for number in numbers) or "nobody yet"


def begun(text):
    hosts = played([party(n) for n in range(MEMBERS)], AGREED).hosts
    play = Play(hosts, Words(), lambda *pulled: None, lambda *about: False)
    for line in text:
        play.say(line)
    return play, [host.machine for host in hosts]


def test_an_exchange_in_words(rewrite):
    play, machines = begun([
        "Four parties. Whoever operates 0 asks for an exchange, between rounds 0 and 1.",
    ])  # fmt: skip
    machines[0].convening.call(3, machines[0].aside)
    for t in range(1, 10):
        if not machines[3].exchanges:  # how many rounds it takes is for the gate to say: it asks for ballots by levels
            play.round(t)
    assert machines[3].exchanges == 1
    check("bema-exchange", play.text, rewrite)


def test_an_expulsion_and_another_model_in_words(rewrite):
    play, machines = begun([
        "Four parties. Those who operate 0, 1 and 2 want 3 to be expelled; 1 has another model.",
    ])  # fmt: skip
    for number in (0, 1, 2):
        machines[number].wishes.expel(3, "its samples are copies", machines[number].aside)
    machines[1].wishes.want(updated(machines[1]), machines[1].aside)
    for t in range(1, 4):
        play.round(t)
    assert machines[2].chain.height == 2
    check("bema-acts", play.text, rewrite)


def updated(own):
    """Another model of party 1."""
    from folkmoot.multiparty.chain.entries import entry
    from folkmoot.multiparty.chain.signing import CHANGE, signature_of

    classes = tuple(party(1).model.classes)
    model = blank("linear/softmax", classes, (6, (), ()))
    model.weights = party(1).model.weights + 0.01
    asks = entry("p1", own.own, model, own.chain.state.contents)
    act = Updated(1, asks, 0, 60, b"", ())
    return act._replace(consent=signature_of(own.key, CHANGE, own.chain.genesis.hash, act.said()))
