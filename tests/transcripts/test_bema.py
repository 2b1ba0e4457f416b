"""A BEMA round with a newcomer, and one of samples: what parties and miners say to each other."""

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_voted import MINERS, NAMES, newcomer, roles
from transcript import Play, check

from folkmoot.agreement.messages import Ballots, Blocks, Confirmation, Proposal, Vote, Want
from folkmoot.ledger import Block
from folkmoot.machine import Moment
from folkmoot.multiparty.chain.messages import read_application, read_sample
from folkmoot.multiparty.chain.records import CALIBRATE, Registered, answer_in, read_calibration, read_head
from folkmoot.multiparty.chain.talk import CONSORTIUM, Answered, Applied, Given, SampleTold
from folkmoot.simulation.host import Host

MEMBERS = len(NAMES) + len(MINERS)


class Words:
    """Messages in words; blocks are called A, B, ... in the order in which they are first spoken of."""

    def __init__(self):
        self._blocks = {}

    def block(self, hash):
        return "block " + self._blocks.setdefault(hash, chr(ord("A") + len(self._blocks)))

    def __call__(self, data):
        said = CONSORTIUM.from_bytes(data, (MEMBERS,))
        if isinstance(said, SampleTold):
            sent = read_sample(said.content)
            return f"a sample of party {sent.sender}: class {sent.label}, taken for {sent.wrong}"
        if isinstance(said, Applied):
            party = read_application(said.content).party
            return f"{party.name} asks to be admitted, with a model of the classes {party.classes}"
        if isinstance(said, Answered):
            return answer(said.content)
        if isinstance(said, Given):
            return f"contents that the block names: {len(said.contents)}"
        if isinstance(said, Proposal):
            return f"proposes {self.block(said.hash)} of height {said.height}: {contents(said.block)}"
        if isinstance(said, Vote):
            return f"{said.phase.removeprefix('round ')} for {self.block(said.hash)}"
        if isinstance(said, Confirmation):
            return f"confirms {self.block(said.hash)}"
        if isinstance(said, Want):
            return f"asks for blocks from height {said.height} on"
        if isinstance(said, Ballots):
            voters = " and ".join(map(str, said.voters))
            return f"passes on the {said.purpose.removeprefix('round ')} of {voters} for {self.block(said.hash)}"
        assert isinstance(said, Blocks)
        return f"blocks, with their signatures: {len(said.blocks)}"


def answer(record):
    said = answer_in(record)
    what = "approves" if isinstance(said, Registered) else "refuses"
    return f"party {said.approver} {what} {said.party.name}"


def contents(data):
    records = Block.from_bytes(data).records
    if read_head(records[0]).what != CALIBRATE:
        return answer(records[1])
    notes, leaves = read_calibration(records[1:])
    used = sum(not note.verdict for note in notes)
    return f"samples {len(notes)}, of which {used} move the models of {len(leaves)} parties"


def played():
    def lost(moment, sender, receiver):
        return moment == (2, 2) and receiver == 0

    hosts = [Host(role) for role in roles([lambda chain: newcomer(20, chain)])]
    play = Play(hosts, Words(), lambda *pulled: None, lost)
    play.say("Three original parties (0 to 2), two miners (3, 4), and dan (5), who wants to join. Blocks are voted on.")
    play.say("Round 1 admits dan; in round 2 it is the other miner's turn, and what it proposes to 0 is lost.")
    play.say("0 asks for it then.")
    for t in (1, 2):
        play.round(t)
    play.say("\nround 3 begins")
    for stage in (0, 1):
        play.stage(Moment(3, stage))
    return play.text


def test_a_bema_admission_and_calibration(rewrite):
    check("bema-admission-and-calibration", played(), rewrite)
