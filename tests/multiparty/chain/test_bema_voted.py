"""Blocks that are voted on: one chain, whoever proposes, whatever is lost; and the rules a replay holds it to."""

import functools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

import made_voted
from hypothesis import given, settings
from hypothesis import strategies as st
from made_voted import MINERS, NAMES, Play, data, key, miner, model, newcomer, public, roles, started

from folkmoot import ledger
from folkmoot.agreement.messages import Proposal, proposal_words
from folkmoot.cli import main
from folkmoot.machine import Moment, Received
from folkmoot.multiparty.chain import voted, voting
from folkmoot.multiparty.chain.exchanging import Exchanging
from folkmoot.multiparty.chain.messages import sample_message
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.records import CALIBRATE, REFUSE, REGISTER, Head, answer_in, read_calibration, read_head
from folkmoot.multiparty.chain.talk import CONSORTIUM, Answered, Applied, Lacking, SampleTold
from folkmoot.simulation.host import Host
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


AT_WORK = """
import sys
sys.path.insert(0, {folder!r})
from made_voted import Play, roles
assert min(chain.height for chain in Play(roles()).play(3).chains) > 0
assert "numba" not in sys.modules and "llvmlite" not in sys.modules
"""


def test_parties_and_miners_at_work_need_no_compiler():
    text = AT_WORK.format(folder=str(Path(made_voted.__file__).parent))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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
    assert len({chain.state.committee.fleet.hash(0) for chain in play.chains}) == 1


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
    words = proposal_words(chain.genesis.hash, proposal.height, proposal.round, block.hash)
    signature = identity.sign("round proposal", words)
    told = Proposal(proposal.height, proposal.round, proposal.sender, block.hash, signature, block.to_bytes())
    return told, [next(host.machine.shelf.give([note.name])) for note in _notes(block)]


def _notes(block):
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
                    play.hosts[i].machine.shelf.lay(content, sender, MEMBERS)
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


# --- Newcomers -------------------------------------------------------------------------------------------------------


def test_a_newcomer_is_admitted_and_then_sends_samples():
    play = Play(roles([lambda chain: newcomer(20, chain)])).play(4)
    first, *later = heads(play)
    assert [first.what, *(head.what for head in later)] == [REGISTER, *[CALIBRATE] * 3]
    chain = play.chains[-1]
    assert [one.name for one in chain.state.parties] == [*NAMES, "dan"]
    assert play.hosts[-1].machine.index == -1  # it has no vote
    assert 3 in {note.sender for block in play.blocks(0)[1:] for note in _notes(block)}
    assert not play.noticed


def test_a_newcomer_that_is_too_far_away_is_refused_once():
    weights = model(20, (0, 1))
    odd = weights.from_bytes(weights.to_bytes())
    odd.weights[:] = -odd.weights
    odd.intercepts[:] = [9.0, -9.0]
    play = Play(roles([lambda chain: newcomer(21, chain, "eve", given=odd)])).play(3)
    assert [head.what for head in heads(play)] == [REFUSE, CALIBRATE, CALIBRATE]
    said = answer_in(play.blocks(0)[0].records[1])
    assert (said.reason, said.approver) == ("distance", 0)
    play.hosts[-1].restart()
    assert play.hosts[-1].machine.newcomers.refused  # it asks no more, after a restart neither


def test_an_answer_in_somebody_else_s_name_waits_for_no_block():
    play = Play(roles([lambda chain: newcomer(20, chain)]))
    play.play(1)
    good = play.blocks(0)[0].records[1]
    forged = answer_in(good)._replace(distance=0.0).to_bytes()
    fresh = Play(roles([lambda chain: newcomer(20, chain)]))
    told = CONSORTIUM.to_bytes(Answered(forged))
    effects = fresh.hosts[4].step(Moment(1, 0), [Received(5, told)])
    assert [(notice.sender, notice.reason) for notice in effects.noticed] == [(5, "signature")]
    fresh.hosts[3].step(Moment(1, 0), [Received(0, CONSORTIUM.to_bytes(Answered(good)))])
    assert len(fresh.hosts[3].machine.newcomers._answers) == 1


# --- The rules -------------------------------------------------------------------------------------------------------


def good_block(chain, number, round):
    """The next block by a miner, unsigned."""
    one = Miner(key(number), chain)
    x, labels = data(50 + round)
    for i in range(3):
        label = int(labels[i])
        one.receive(sample_message(key(0), chain.genesis.hash, 0, x[i], label, (label + 1) % 3))
    return one.block(0, round=round)


def by_turn(chain, round):
    keys = {public(n): n for n in MINERS}
    return keys[chain.state.makers[round % 2]]


def signed(block, signers=(0, 1, 2, 7)):
    return block.signed(*(key(n) for n in signers))


def test_a_block_that_a_quorum_has_signed_follows_and_is_replayed(tmp_path, capsys):
    path = tmp_path / "voted.ledger"
    first = started()
    for name in [party[5] for party in first.genesis.configuration[1]]:
        ledger.beside(path).put(first.state.contents.get(name))
    with ledger.create(path, first.genesis) as book:
        for round in (1, 2, 5):
            book.append(signed(good_block(book.chain, by_turn(book.chain, round), round)))
    assert main(["ledger", "verify", str(path)]) == 0
    assert ": 3 blocks, all good" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: signed(good_block(c, by_turn(c, 3), 3), (0, 1, 2)), "3 signatures: 4 are needed"),
        (lambda c: signed(good_block(c, by_turn(c, 3), 3), (0, 1, 2, 20)), "has no say in this block"),
        (lambda c: signed(good_block(c, by_turn(c, 2), 3)), "round 3 is not the turn of miner"),
        (lambda c: signed(good_block(c, by_turn(c, 1), 1)), "round 1: expected one after 1"),
        (lambda c: signed(without_round(c)), "no round of a vote on this chain"),
        (lambda c: signed(by_a_party(c)), "none that proposes blocks"),
    ],
)
def test_a_block_against_the_rules_of_votes_does_not_follow(change, match):
    chain = started()
    chain = ledger.apply_block(chain, signed(good_block(chain, by_turn(chain, 1), 1)))
    with pytest.raises(ledger.InvalidBlock, match=match):
        ledger.apply_block(chain, change(chain))


def without_round(chain):
    block = good_block(chain, by_turn(chain, 3), 3)
    head = read_head(block.records[0])._replace(round=None)
    return ledger.propose(chain, [head.to_bytes(), *block.records[1:]])


def by_a_party(chain):
    block = good_block(chain, by_turn(chain, 3), 3)
    head = Head(CALIBRATE, 0, public(0), "OP", 3)
    return ledger.propose(chain, [head.to_bytes(), *block.records[1:]])


def test_a_chain_of_the_old_kind_knows_no_rounds():
    chain = started(voting=False)
    assert len(chain.genesis.configuration) == 3
    one = Miner(key(7), chain)
    x, labels = data(1)
    one.receive(sample_message(key(0), chain.genesis.hash, 0, x[0], int(labels[0]), (int(labels[0]) + 1) % 3))
    assert ledger.apply_block(chain, one.block(0)).height == 1
    with pytest.raises(ledger.InvalidBlock, match="a round of a vote on this chain"):
        ledger.apply_block(chain, one.block(0, round=1).signed(key(7)))
    with pytest.raises(ValueError, match="its genesis says nothing of votes"):
        Host(miner(7, chain))


@pytest.mark.parametrize("told", [(), ("never",), (3,), ("free", "free"), "free"])
def test_a_genesis_with_other_turns_makes_no_sense(told):
    chain = started()
    value = (*chain.genesis.configuration[:3], told)
    with pytest.raises(ledger.Malformed, match=r"voting|configuration of bema"):
        ledger.start(ledger.Genesis("bema", value), chain.state.contents)
    with pytest.raises(ledger.Malformed, match="each key once"):
        started(miners=(0, 7))


def test_work_is_a_rule_of_the_chain_under_votes_too():
    play = Play(roles(work_bits=4)).play(2)
    assert min(len(chain) for chain in tips(play)) == 2
    chain = started(work_bits=8)
    block = good_block(chain, by_turn(chain, 1), 1)
    lazy = next(b for n in range(99) if (b := replace(block, header=replace(block.header, nonce=n))).hash[0])
    with pytest.raises(ledger.InvalidBlock, match="8 leading zero bits were promised"):
        voted.VotedKind(chain).follow(chain, lazy)


def test_without_miners_the_original_parties_take_turns():
    play = Play(roles(miners=())).play(3)
    assert [(head.miner, head.miner_kind) for head in heads(play)] == [(public(n), "OP") for n in (1, 2, 0)]


# --- What others send ------------------------------------------------------------------------------------------------


@functools.cache
def overheard():
    """Messages of a good game, of every kind, and a participant that goes on after round 2."""
    heard = []

    def listen(moment, sender, receiver, data):
        heard.append(data)
        return data

    play = Play(roles([lambda chain: newcomer(20, chain)]), tampered=listen).play(2)
    heard += [CONSORTIUM.to_bytes(message) for message in (Lacking((bytes(32),)), Applied(b"x", b"y"))]
    return play, sorted(set(heard))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nothing_that_comes_in_is_raised(drawn):
    play, heard = overheard()
    host = play.hosts[drawn.draw(st.integers(0, 5))]
    inbox = []
    for _ in range(drawn.draw(st.integers(1, 4))):
        told = bytearray(drawn.draw(st.sampled_from(heard)))
        for _ in range(drawn.draw(st.integers(0, 3))):
            told[drawn.draw(st.integers(0, len(told) - 1))] = drawn.draw(st.integers(0, 255))
        inbox.append(Received(drawn.draw(st.integers(0, 9)), bytes(told)))
    inbox.append(Received(0, drawn.draw(st.binary(max_size=40))))
    host.step(host.machine.next, sorted(inbox))


def test_somebody_who_asks_too_often_is_not_answered():
    host = Play(roles()).hosts[0]
    want = CONSORTIUM.to_bytes(Lacking((started().genesis.configuration[1][0][5],)))
    effects = host.step(Moment(1, 0), [Received(4, want)] * 9)
    assert len([data for receiver, data in effects.send if receiver == 4]) == 1  # once in a round
    assert host.counts == {"too many messages": 1}
    effects = host.step(Moment(1, 1), [Received(4, want)])
    assert [data for receiver, data in effects.send if receiver == 4] == []
    assert [notice.reason for notice in effects.noticed] == ["asked too often"]


# --- Bounds ----------------------------------------------------------------------------------------------------------


def test_nothing_honest_is_refused_by_its_bounds():
    play = Play(roles([lambda chain: newcomer(20, chain), lambda chain: newcomer(21, chain, "eve")])).play(6)
    assert [host.counts for host in play.hosts if host.counts] == []
    assert {REGISTER, CALIBRATE} <= {head.what for head in heads(play)}


def of_all_kinds():
    """Members that may also act and exchange."""
    return [replace(role, exchanging=Exchanging(each=2, most=2)) for role in roles(approvals=1)]


def test_every_kind_of_message_of_a_consortium_has_a_share():
    rows = Play(of_all_kinds()).hosts[0].machine.stages
    assert set().union(*(row.shares for row in rows)) == CONSORTIUM.names
    assert set().union(*(row.late for row in rows)) <= CONSORTIUM.names
    assert all(row.bytes < 64 << 20 for row in rows)


def test_attack_of_messages_larger_than_their_kind_in_a_consortium_they_are_not_decoded(monkeypatch):
    machine, decoded = Play(of_all_kinds()).hosts[0].machine, []
    monkeypatch.setattr(CONSORTIUM, "from_bytes", lambda data, shape: decoded.append(data))
    for start, kind in CONSORTIUM._starts.items():
        share = next(row.shares[kind] for row in machine.stages if kind in row.shares)
        large = start + bytes(share.size + 1 - len(start))
        effects = machine.step(machine.next, [Received(3, large), Received(3, b"none")], [], [])
        assert [notice.reason for notice in effects.noticed] == ["too large", "malformed"]
    assert decoded == []


@pytest.mark.parametrize("apart", [True, False])
def test_attack_of_contents_that_nobody_names_they_take_no_room_of_others(apart, monkeypatch):
    """A liar and strangers send contents of their own; what an honest miner hands in is taken nevertheless."""
    shelf = Play(roles()).hosts[0].machine.shelf
    if not apart:  # all of them share the room
        lay = type(shelf).lay
        monkeypatch.setattr(type(shelf), "lay", lambda self, content, sender, members: lay(self, content, 1, members))
    size = 1 << 20
    for sender in (1, *range(100, 120)):
        for n in range(12):
            shelf.lay(bytes([sender, n]) * (size // 2), sender, MEMBERS)
    shelf.lay(bytes(shelf._room - shelf._laid[1]), 1, MEMBERS)
    assert sum(map(len, shelf._loose.values())) <= shelf._room + (1 << 25)
    shelf.lay(b"honest", 2, MEMBERS)
    assert (b"honest" in shelf._loose.values()) == apart
    shelf.clear()
    shelf.lay(bytes(size), 1, MEMBERS)
    assert len(shelf._loose) == 1


def test_who_was_away_gets_blocks_and_what_they_name():
    def away(moment, sender, receiver, data):
        return None if moment.round < 5 and 2 in (sender, receiver) else data

    play = Play(roles(), tampered=away).play(4)
    assert [len(chain) for chain in tips(play)] == [4, 4, 0, 4, 4]  # a quorum of four goes on
    play.play(2)
    assert [len(chain) for chain in tips(play)] == [6] * 5
    own = play.chains[2].state.contents
    assert all(own.get(note.name) for block in play.blocks(2) for note in _notes(block))
    assert not {reason for _, _, reason, _ in play.noticed} - {"want", "old height"}
