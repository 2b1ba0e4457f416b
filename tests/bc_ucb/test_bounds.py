"""What a participant takes from each other one follows from the terms: nothing honest is refused, no flood is kept."""

import subprocess
import sys
from collections import Counter
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_game import sized_game

from folkmoot.agreement.catching_up import ANSWER_BYTES, MOST_BLOCKS, packed
from folkmoot.agreement.identity import Identity
from folkmoot.agreement.messages import PRECOMMIT, Blocks, Certificate, Confirmation, Proposal, Vote, Want
from folkmoot.agreement.shares import TWICE, signed_bytes
from folkmoot.agreement.vrf import PROOF_BYTES
from folkmoot.bc_ucb.bounds import block_bytes, inner_bytes
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.genesis import carried_bytes
from folkmoot.bc_ucb.messages import GAME, Answer, Offer, Passed, ReportSent, SetsSent
from folkmoot.bc_ucb.protocol import Table
from folkmoot.bc_ucb.rules import SharedRounds
from folkmoot.bc_ucb.stages import ANSWERING, SCREENING, bounded
from folkmoot.comparison.in_rounds import Pairwise
from folkmoot.ledger.block import MOST_HEIGHT, VERSION, Block, Header
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.machine import Gate, Moment, Received
from folkmoot.simulation.network import Faults

HERE = Path(__file__).parent
HASH, SIGNATURE = bytes(32), bytes(64)
MOST = (1 << 62) - 1


@cache
def settings_of(m, k, sortition="coin", rounds=4):
    with Table(sized_game(m, k, rounds, sortition=sortition), 0) as table:
        return table.first.state.configuration


def shares_of(settings, offer=0, answer=0):
    """The shares of every kind, in the stage that takes most of it."""
    return {kind: share for stage in bounded(settings, offer, answer) for kind, share in stage.shares.items()}


def blocks_in_one_answer(size):
    return (bytes(size),) * max(1, min(MOST_BLOCKS, ANSWER_BYTES // (size + 5)))


# --- Sizes -----------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 60))
def test_no_message_of_a_kind_is_larger_than_its_share_and_the_largest_is_as_large(m, k):
    """Each made as large as it can be: the bounds are right to some bytes of a number."""
    game, last = settings_of(m, k), m - 1
    offer, answer = 1_000, 700
    shares, block = shares_of(game, offer, answer), block_bytes(game)
    window = game.terms.window
    claims = tuple((MOST - window + n, MOST, HASH, SIGNATURE) for n in range(window))
    report = ReportSent(MOST, HASH, MOST, last, np.zeros(k, np.int64), -MOST, HASH, SIGNATURE, claims, SIGNATURE)
    largest = [
        report,
        Passed(MOST, (GAME.to_bytes(report),) * m),
        Offer(HASH, MOST, last, bytes(PROOF_BYTES), bytes(offer), SIGNATURE),
        Answer(HASH, MOST, last, last, bytes(answer), SIGNATURE),
        SetsSent(MOST, bytes(inner_bytes(game))),
        Proposal(MOST, MOST, last, HASH, SIGNATURE, bytes(block)),
        Vote(PRECOMMIT, MOST, MOST, last, HASH, SIGNATURE),
        Confirmation(MOST, last, HASH, SIGNATURE),
        Certificate(MOST, MOST, HASH, tuple(range(m)), (SIGNATURE,) * m, bytes(block)),
        Want(MOST),
        Blocks(blocks_in_one_answer(block + 111 * m)),
    ]
    for message in largest:
        size, share = len(GAME.to_bytes(message)), shares[GAME.name(type(message))]
        slack = (50 + 40 * window) * (m if isinstance(message, Passed) else 1) + 2 * m  # numbers, heads, a blinding
        slack += block + 120 * m if isinstance(message, Blocks) else 0  # one more would not fit
        assert share.size - slack <= size <= share.size, message
        assert GAME.kind_of(GAME.to_bytes(message)) == GAME.name(type(message))


@pytest.mark.parametrize(("arms", "bits"), [(1, 1), (2, 5), (5, 8), (8, 64)])
def test_offers_and_answers_have_the_size_that_their_bounds_say(arms, bits):
    pytest.importorskip("rbcl", reason="needs the extra `private`")
    keys = tuple(Identity(bytes([n + 1]) * 32).public_key for n in range(2))
    random = np.random.default_rng(0)
    one, other = (Pairwise(n, keys, Fraction(3, 2), bits, random.bytes) for n in range(2))
    for part in (one, other):
        part.begin(HASH, 3, [1] * arms, [1] * arms)
    offer = one.offer(keys[0])
    answer = other.answer(keys[0], offer)
    assert one.sizes(arms) == other.sizes(arms) == (len(offer), len(answer))


def test_a_private_comparison_that_no_message_holds_is_refused_at_once():
    game = settings_of(4, 2)
    with pytest.raises(ValueError, match="private comparison of 2 arms: messages of 4194305 bytes"):
        bounded(game, 1 << 22, (1 << 22) + 1)


def test_every_kind_of_message_has_a_share_and_every_late_one_is_a_kind():
    rows = bounded(settings_of(7, 3), 100, 100)
    assert set().union(*(row.shares for row in rows)) == GAME.names
    assert set().union(*(row.late for row in rows)) <= GAME.names


@pytest.mark.parametrize(("m", "k"), [(4, 2), (10, 5), (30, 2_000), (150, 5)])
def test_the_bounds_of_a_stage_are_sums_that_follow_from_the_terms(m, k):
    for row in bounded(settings_of(m, k), 98_816, 50_000):
        assert row.messages == sum(share.messages for share in row.shares.values())
        assert row.bytes == sum(share.messages * share.size for share in row.shares.values())
        record = carried_bytes(settings_of(m, k).terms)
        assert row.bytes < 24 * (record + 200 * m + 1_000) + 2 * m * (inner_bytes(settings_of(m, k)) + 100) + 400_000


# --- Nothing honest is refused ---------------------------------------------------------------------------------------


def refused_in(table):
    return [host.counts for host in table.hosts.values() if host.counts]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(4, 13), st.integers(2, 50), st.sampled_from(["coin", "vrf"]), st.integers(0, 3))
def test_what_honest_participants_send_fits_its_bounds(m, k, sortition, seed):
    with Table(sized_game(m, k, 2, seed, sortition=sortition), 0) as table:
        for t in range(1, int(table.game.checkpoints[-1]) + 1):
            table.play_round(t)
        assert len(table.watch.chains) > 1
        assert refused_in(table) == []
        assert not sum(table.noticed.values(), start=type(table.noticed[table.honest[0]])())


@pytest.mark.parametrize(("m", "k", "sortition"), [(4, 12, "vrf"), (7, 3, "coin")])
def test_what_honest_participants_compare_in_private_fits_its_bounds(m, k, sortition):
    pytest.importorskip("rbcl", reason="needs the extra `private`")
    with Table(sized_game(m, k, 2, sortition=sortition, private_comparison="pairwise"), 0) as table:
        for t in range(1, int(table.game.checkpoints[-1]) + 1):
            table.play_round(t)
        assert len(table.watch.chains) > 1
        assert refused_in(table) == []


@pytest.mark.parametrize(("m", "k"), [(4, 2), (7, 20)])
def test_who_was_away_catches_up_within_the_bounds(m, k):
    with Table(sized_game(m, k, 14), 0) as table:
        away, last = table.honest[0], int(table.game.checkpoints[-1])
        down = table.network.is_down
        table.network.is_down = lambda now, address: (
            (address == away and now < (last - 3) * table._stages) or down(now, address)
        )
        for t in range(1, last + 1):
            table.play_round(t)
        heights = [table.hosts[a].kept.height for a in table.honest]
        assert max(heights) >= 8
        assert heights[0] >= max(heights) - 1
        assert refused_in(table) == []


def test_on_a_bad_network_only_what_is_of_no_use_any_more_is_refused(monkeypatch):
    """What is late comes with what is not, and some comes twice: it fits; what is relayed does not count when late."""
    refused, sift = set(), Gate.sift

    def watched(gate, inbox):
        admitted, dropped = [], Counter()
        for received in inbox:
            found, why = sift(gate, (received,))
            admitted += found
            dropped += why
            refused.update((reason, GAME.kind_of(received.data)) for reason in why)
        return admitted, dropped

    monkeypatch.setattr(Gate, "sift", watched)
    faults = Faults(delay=0.3, duplicate=0.2, reorder=0.5)
    with Table(sized_game(7, 3, 12, faults=faults), 0) as table:
        for t in range(1, int(table.game.checkpoints[-1]) + 1):
            table.play_round(t)
        assert len(table.watch.chains) > 3
    late = {("kind out of place", kind) for kind in ("sets sent", "passed")}
    assert refused <= late | {("too many messages", "blocks")}  # a third answer with blocks: it is asked for again


LARGE = [(30, 2_000), (150, 5), (256, 20)]


@pytest.mark.parametrize(("m", "k"), LARGE)
def test_any_legal_block_can_be_proposed_answered_and_caught_up_with(m, k):
    """Blocks as large as the terms let them be: each message with one has an encoding and passes the bounds."""
    game = settings_of(m, k)
    shares, unsigned = shares_of(game), block_bytes(game)
    root = bytes(32)
    header = Header(VERSION, "bc_ucb", MOST_HEIGHT, root, root, 0, 0)
    keys = sorted(n.to_bytes(32, "big") for n in range(m))
    block = Block(header, (bytes(carried_bytes(game.terms)),), tuple((key, SIGNATURE) for key in keys))
    data = block.to_bytes()
    assert unsigned >= len(Block(block.header, block.records).to_bytes())
    assert len(data) <= signed_bytes(unsigned, m)
    for count in (1, 2, 8, 50):
        blocks = packed(range(count), lambda height: data)
        assert 1 <= len(blocks) <= count
        answer = GAME.to_bytes(Blocks(blocks))
        assert len(answer) <= shares["blocks"].size
        assert [Block.from_bytes(one) for one in GAME.from_bytes(answer, (m, k)).blocks] == [block] * len(blocks)
    shown = bytes(unsigned)
    voters = tuple(range(m))
    for message in (
        Proposal(MOST, MOST, m - 1, HASH, SIGNATURE, shown),
        Certificate(MOST, MOST, HASH, voters, (SIGNATURE,) * m, shown),
    ):
        told = GAME.to_bytes(message)
        assert len(told) <= shares[GAME.kind_of(told)].size
        assert GAME.from_bytes(told, (m, k)) == message


def test_what_is_remembered_of_large_blocks_is_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr("folkmoot.bc_ucb.rules.MOST_REMEMBERED", 3_000)
    rules, state = SharedRounds(), Table(sized_game(4, 2, 2), 0).first.state
    for n in range(20):
        with pytest.raises(RefusedRecord):
            rules.step(state, Header(VERSION, "bc_ucb", 1, HASH, n.to_bytes(32, "big"), 0, 0), (bytes(1_000),))
        assert len(rules._outcomes) == min(n + 1, 3)


# --- No flood is kept ------------------------------------------------------------------------------------------------


def flooded(how):
    """Bytes that the process took, and the blocks of the game."""
    paths = [str(HERE), str(HERE.parent / "made"), *sys.path]
    code = f"import sys; sys.path[:0] = {paths!r}; import flood; print(*flood.main({how!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    most, blocks = map(int, done.stdout.split())
    return most, blocks


@pytest.mark.skipif(sys.platform == "win32", reason="needs `resource`")
def test_attack_of_a_flood_of_every_kind_of_message_takes_less_than_64_mib():
    """Ten participants, three liars, private comparison: the node goes on, and the game has as many blocks."""
    pytest.importorskip("rbcl", reason="needs the extra `private`")
    honest, blocks = flooded("honest")
    most, with_flood = flooded("flood")
    assert most - honest < 64 << 20
    assert with_flood == blocks >= 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs `resource`")
def test_without_bounds_the_same_flood_takes_more():
    pytest.importorskip("rbcl", reason="needs the extra `private`")
    assert flooded("broken")[0] - flooded("honest")[0] > 256 << 20


def a_participant(m=4, k=2):
    """One that has begun to agree, and the stage it is in."""
    with Table(sized_game(m, k, 3, sortition="vrf"), 0) as table:
        t = int(table.game.params.burn_in) + 1
        for earlier in range(1, t):
            table.play_round(earlier)
        for stage in range(SCREENING + 1):
            moment = Moment(t, stage)
            if stage == 0:
                for address in table.hosts:
                    table._step(moment, address)
            else:
                table._play_stage(moment)
        return table.hosts[table.honest[0]].machine, Moment(t, SCREENING + 1)


def relayed(participant, number):
    """An inner message of the agreement as large as it may be, which says nothing."""
    value = number.to_bytes(4, "little") * (inner_bytes(participant.chain.state.configuration) // 4)
    return GAME.to_bytes(SetsSent(participant.voter.round, value))


@pytest.mark.parametrize("bounded_", [True, False])
def test_attack_of_inner_messages_that_no_signature_covers(bounded_, monkeypatch):
    """A liar sends a thousand: of each sender two for each general wait to be looked at, in the worst case."""
    participant, moment = a_participant()
    if not bounded_:
        monkeypatch.setattr(Deliberation, "take_inner", lambda self, content, sender: self._inner.append(content))
    kept = []
    relay = Deliberation.relay
    monkeypatch.setattr(Deliberation, "relay", lambda self: kept.append(len(self._inner)) or relay(self))
    inbox = [Received(3, relayed(participant, n)) for n in range(1_000)]
    effects = participant.step(moment, inbox, [])
    assert (max(kept) <= 2 * 4) == bounded_
    assert sum(notice.reason == "too many" for notice in effects.noticed) == (1_000 - 2 * 4 if bounded_ else 0)


def test_attack_of_messages_larger_than_their_kind_they_are_not_decoded(monkeypatch):
    participant, moment = a_participant()
    decoded = []
    real = GAME.from_bytes
    monkeypatch.setattr(GAME, "from_bytes", lambda data, shape: decoded.append(len(data)) or real(data, shape))
    settings = participant.chain.state.configuration
    shares = shares_of(settings)
    for start, kind in GAME._starts.items():
        if kind in shares:
            inbox = [Received(3, start + bytes(shares[kind].size + 1 - len(start)))]
            assert [notice.reason for notice in participant.step(moment, inbox, []).noticed] == ["too large"]
        else:
            inbox = [Received(3, start + bytes(100))]
            assert [notice.reason for notice in participant.step(moment, inbox, []).noticed] == ["kind out of place"]
        moment = participant.next
    assert decoded == []


def test_a_gate_counts_kinds_apart_and_senders_apart():
    stage = bounded(settings_of(4, 2), 0, 0)[SCREENING + 1]
    gate = Gate(stage, GAME.kind_of)
    want, report = GAME.to_bytes(Want(1)), GAME.name(ReportSent)
    assert [gate.refuses(Received(1, want)) for _ in range(3)] == ["", "", "too many messages"]
    assert gate.refuses(Received(2, want)) == ""
    sets = GAME.to_bytes(SetsSent(1, b"x"))
    assert [gate.refuses(Received(1, sets)) for _ in range(9)] == [""] * 8 + ["too many messages"]
    assert gate.refuses(Received(1, sets + bytes(stage.shares["sets sent"].size))) == "too large"
    assert gate.refuses(Received(1, b"rubbish")) == "no known kind"
    assert gate.refuses(Received(1, "text")) == "no known kind"
    assert stage.shares[report].messages == TWICE
    early = bounded(settings_of(4, 2), 0, 0)[ANSWERING]
    assert Gate(early, GAME.kind_of).refuses(Received(1, sets)) == "kind out of place"
