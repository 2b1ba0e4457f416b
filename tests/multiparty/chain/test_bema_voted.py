"""Blocks that are voted on: one chain, whoever proposes, whatever is lost; and the rules a replay holds it to."""

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_voted import MINERS, NAMES, Play, data, key, newcomer, public, roles, started

from folkmoot import ledger
from folkmoot.agreement.messages import Proposal, proposal_words
from folkmoot.multiparty.chain import voted, voting
from folkmoot.multiparty.chain.messages import sample_message
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.records import read_head
from folkmoot.multiparty.chain.talk import CONSORTIUM, SampleTold
from folkmoot.simulation.network import Faults

MEMBERS = len(NAMES) + len(MINERS)


def tips(play):
    """The blocks that each participant has kept, as hashes."""
    return [[block.hash for block in play.blocks(i)] for i in range(len(play.hosts))]


def is_one_chain(play):
    """Is each participant's chain the beginning of the longest?"""
    chains = tips(play)
    longest = max(chains, key=len)
    return all(chain == longest[: len(chain)] for chain in chains)


def heads(play, i=0):
    return [read_head(block.records[0]) for block in play.blocks(i)]


# --- One chain -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_two_miners_that_propose_different_blocks_at_one_height_make_one_chain(seed):
    """Both may propose in every round, and no two receivers hear the same samples."""

    def uneven(moment, sender, receiver, data):
        lost = isinstance(read(data), SampleTold) and hash((seed, sender, receiver, *moment)) % 3 == 0
        return None if lost else data

    proposed = {}

    def watched(moment, sender, receiver, data):
        message = read(data)
        if isinstance(message, Proposal):
            proposed.setdefault(message.height, set()).add(message.hash)
        return uneven(moment, sender, receiver, data)

    play = Play(roles(turns="free"), tampered=watched).play(6)
    assert any(len(hashes) > 1 for hashes in proposed.values())
    assert is_one_chain(play)
    assert min(len(chain) for chain in tips(play)) >= 4


def read(data):
    return CONSORTIUM.from_bytes(data, (MEMBERS,))


FAULTS = {
    "lost": Faults(drop=0.15, heal_at=9),
    "late": Faults(delay=0.3, duplicate=0.2, reorder=0.5, heal_at=9),
    "parted": Faults(partition=0.5, heal_at=9),
    "down": Faults(crash=0.2, heal_at=9),
    "all": Faults(drop=0.05, delay=0.1, duplicate=0.1, reorder=0.3, partition=0.2, crash=0.1, heal_at=9),
}


@pytest.mark.parametrize("turns", voting.TURNS)
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_lost_there_is_one_chain_and_it_goes_on(name, turns, seed):
    play = Play(roles([lambda chain: newcomer(20, chain)], turns=turns), FAULTS[name], seed).play(8)
    assert is_one_chain(play)
    before = max(len(chain) for chain in tips(play))
    play.play(5)
    assert is_one_chain(play)
    chains = tips(play)
    assert all(len(chain) == len(chains[0]) for chain in chains)  # who was behind has caught up, contents and all
    assert len(chains[0]) >= before + 3
    assert {chain.state.committee.fleet.hash(0) for chain in play.chains}.__len__() == 1


def another(play, proposal):
    """A second block of the same maker for the same round, and its proposal."""
    host = play.hosts[proposal.sender]
    chain = host.machine.chain
    own = next(n for n in MINERS if public(n) == chain.state.members[proposal.sender])
    other = Miner(key(own), chain)
    x, labels = data(99)
    for i in range(3):
        other.receive(sample_message(key(0), chain.genesis.hash, 0, x[i], int(labels[i]), (int(labels[i]) + 1) % 3))
    block = other.block(0, round=proposal.round)
    identity = host.machine.voter.hand.identity
    words = proposal_words(proposal.height, proposal.round, block.hash)
    signature = identity.sign("round proposal", words)
    told = Proposal(proposal.height, proposal.round, proposal.sender, block.hash, signature, block.to_bytes())
    return told, [host.machine.shelf.give([note.name])[0] for note in _notes(block)]


def _notes(block):
    from folkmoot.multiparty.chain.records import read_calibration

    return read_calibration(block.records[1:])[0]


def two_faced(victims):
    """A network on which one miner shows another block to some, with all they need to check it."""
    liar = MEMBERS - 1
    shown = {}

    def tampered(moment, sender, receiver, data):
        message = read(data)
        if sender != liar or receiver not in victims or not isinstance(message, Proposal):
            return data
        if moment not in shown:
            shown[moment], contents = another(play, message)
            for i in victims:
                for content in contents:
                    play.hosts[i].machine.shelf.lay(content)
        return CONSORTIUM.to_bytes(shown[moment])

    play = Play(roles(), tampered=tampered)
    return play


@pytest.mark.parametrize("victims", [(0,), (0, 1), (0, 1, 2)])
def test_a_miner_that_shows_two_blocks_of_one_height_does_not_split_the_chain(victims):
    play = two_faced(victims).play(6)
    assert is_one_chain(play)
    assert min(len(chain) for chain in tips(play)) >= 3  # the other miner's turns


def test_with_too_small_a_quorum_it_does(monkeypatch):
    """The rule broken: a bare majority confirms, half of it liars' friends. The test above would notice."""
    monkeypatch.setattr(voted, "quorum", lambda members: 2)
    monkeypatch.setattr("folkmoot.multiparty.chain.kind.quorum", lambda members: 2)
    lost = two_faced((0, 1))
    told = lost._tampered

    def parted(moment, sender, receiver, data):
        """Nobody hears the other side."""
        if (sender in (0, 1)) != (receiver in (0, 1)) and sender != MEMBERS - 1:
            return None
        return told(moment, sender, receiver, data)

    lost._tampered = parted
    lost.play(4)
    assert not is_one_chain(lost)


def test_of_old_chains_two_honest_miners_make_two():
    """What votes are for: with one signature a block, both blocks follow."""
    chain = started(voting=False)
    blocks = []
    for number in MINERS:
        one = Miner(key(number), chain)
        x, labels = data(number)
        for i in range(4):
            label = int(labels[i])
            one.receive(sample_message(key(0), chain.genesis.hash, 0, x[i], label, (label + 1) % 3))
        blocks.append(one.block(0))
    assert blocks[0].hash != blocks[1].hash
    assert {ledger.apply_block(chain, block).height for block in blocks} == {1}
