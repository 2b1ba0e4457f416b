"""One participant among three others on a perfect network, until the test interferes: locks, crashes, floods, gaps."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from made_round import BURN_IN, COINS, SEEDS, K, M, first_chain, full_round, identities

from folkmoot.agreement.evidence import culprit, two_votes
from folkmoot.agreement.identity import WouldEquivocate
from folkmoot.agreement.known import LOCK
from folkmoot.agreement.messages import (
    PRECOMMIT,
    PREVOTE,
    PROPOSAL,
    Ballots,
    Blocks,
    Certificate,
    Proposal,
    Vote,
    Want,
    proposal_words,
    vote_words,
)
from folkmoot.bc_ucb import snapshot
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.evidence import FAULT_KINDS, ground_of
from folkmoot.bc_ucb.messages import GAME, Passed, ReportSent
from folkmoot.bc_ucb.participant import CHAIN, Participant, Role
from folkmoot.bc_ucb.records import NO_REPORT, REPORT, RoundRecord, report_words
from folkmoot.bc_ucb.stages import ANSWERING, PULLING, REPORTING, SCREENING, stages
from folkmoot.coins import replicate_coins
from folkmoot.comparison.in_rounds import TrustedMachine, Trusting
from folkmoot.encoding import Malformed, decode, encode
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import propose
from folkmoot.ledger.errors import InvalidBlock
from folkmoot.machine import ALL, NO_FLOOR, Moment, Noticed, Outcome, Received
from folkmoot.simulation.host import Host

AT = stages(1)
PARAMS = Params(M, K, BURN_IN, 2.0, 1500, 1000, 1, True, True)
to_bytes = GAME.to_bytes


def from_bytes(data):
    return GAME.from_bytes(data, (M, K))


class Four:
    """Four honest ones; `lose(t, stage, sender, receiver, message)` says what does not arrive."""

    def __init__(self):
        machine = TrustedMachine(M, Fraction(3, 2), 16)
        coins = replicate_coins(*COINS)
        self.hosts = [
            Host(Role(m, SEEDS[m], first_chain(), PARAMS, lambda dice, m=m: Trusting(machine, m), coins))
            for m in range(M)
        ]
        self.inboxes = [[] for _ in range(M)]
        self.outcomes = [[] for _ in range(M)]
        self.lose = lambda *_: False
        self.sent = []  # (round, stage, sender, message)
        self.committed = [[] for _ in range(M)]
        self.noticed = Counter()

    @property
    def nodes(self):
        return [host.machine for host in self.hosts]

    def crash(self, m):
        self.hosts[m].restart()

    def play(self, t, first=PULLING, last=AT.total - 1):
        for stage in range(first, (last if t > BURN_IN else PULLING) + 1):
            self.stage(t, stage)

    def stage(self, t, stage):
        arrived, self.inboxes = self.inboxes, [[] for _ in range(M)]
        for m, host in enumerate(self.hosts):
            outcomes, self.outcomes[m] = self.outcomes[m], []
            effects = host.step(Moment(t, stage), arrived[m], outcomes)
            if effects.pull is not None:
                self.outcomes[m].append(Outcome(t, 0.25 + 0.5 * effects.pull + 0.01 * m))
            self.committed[m] += [final.chain for final in effects.committed]
            self.noticed.update(notice.reason for notice in effects.noticed)
            for receiver, data in effects.send:
                message = from_bytes(data)
                self.sent.append((t, stage, m, message))
                for to in range(M):
                    wanted = to != m and receiver in (ALL, to)
                    if wanted and not self.lose(t, stage, m, to, message):
                        self.inboxes[to].append(Received(m, data))

    def heights(self):
        return [node.chain.height for node in self.nodes]

    def of_kind(self, kind, t, sender=None):
        return [
            said for round, _, m, said in self.sent if round == t and isinstance(said, kind) and sender in (None, m)
        ]


def step(node, t, stage, *messages):
    """One stage, with these (sender, message); a message may be bytes."""
    inbox = [Received(m, said if isinstance(said, bytes) else to_bytes(said)) for m, said in messages]
    return node.step(Moment(t, stage), inbox, [])


def reasons(effects):
    return [notice.reason for notice in effects.noticed]


def locked_at(host):
    return from_bytes(host.kept.values[LOCK]) if LOCK in host.kept.values else None


def paid(node):
    return node.pulls.learnt.pulls.sum()


def after_burn_in():
    four = Four()
    for t in range(1, BURN_IN + 1):
        four.play(t)
    return four


def one_round_with_blocks(four, t):
    """Play rounds from t on until there is a first block; the number of the next round."""
    while max(four.heights()) == 0:
        four.play(t)
        t += 1
        assert t < BURN_IN + 12
    return t


# --- A good network ------------------------------------------------------------------------------------------------


def test_all_commit_the_same_block_in_the_last_stage_and_learn_from_it():
    four = after_burn_in()
    t = one_round_with_blocks(four, BURN_IN + 1)
    assert four.heights() == [1] * M
    assert len({chains[0].tip for chains in four.committed}) == 1
    assert [paid(node) for node in four.nodes] == [BURN_IN + 1] * M
    assert len(Block.from_bytes(four.hosts[0].kept.block(1)).signatures) == M
    assert not four.noticed
    assert all(node.pulls.pending == {} for node in four.nodes)
    assert four.committed[0][0].state.last.round == t - 1


def test_a_round_takes_the_stages_it_says():
    assert (AT.propose, AT.total) == (5, 11)
    assert stages(5).propose == 9
    four = after_burn_in()
    t = one_round_with_blocks(four, BURN_IN + 1) - 1
    when = {}
    for round, stage, _, message in four.sent:
        if round == t:
            name = message.phase if isinstance(message, Vote) else type(message).__name__
            when.setdefault(name, set()).add(stage)
    assert when["ReportSent"] == {REPORTING}
    assert when["Proposal"] == {AT.propose}
    assert (when[PREVOTE], when[PRECOMMIT], when["Confirmation"]) == ({AT.prevote}, {AT.precommit}, {AT.confirm})


def test_a_signature_never_leaves_before_it_is_remembered():
    four = after_burn_in()
    for stage in range(AT.total):
        four.play(BURN_IN + 1, stage, stage)
        for round, _, m, message in four.sent:
            if isinstance(message, Vote):
                assert decode(four.hosts[m].kept.values[f"slot/{message.phase}"])[0] >= round


# --- Locks and crashes ---------------------------------------------------------------------------------------------


def is_of(purpose, message):
    """Is it such a vote or proposal, by whosever hand?"""
    if isinstance(message, Ballots):
        return message.purpose == purpose
    return purpose == PROPOSAL if isinstance(message, Proposal) else getattr(message, "phase", None) == purpose


def until_locked(four):
    """Precommits are lost from some round on: everybody is locked, nothing is decided; that round."""
    four.lose = lambda t, stage, m, to, message: is_of(PRECOMMIT, message)
    for t in range(BURN_IN + 1, BURN_IN + 12):
        four.play(t)
        if all(locked_at(host) is not None for host in four.hosts):
            return t
    raise AssertionError("nobody was ever locked")


def test_whoever_is_locked_shows_the_certificate_and_all_vote_for_it():
    four = after_burn_in()
    t = until_locked(four)
    locked = locked_at(four.hosts[0])
    four.play(t + 1)
    assert four.of_kind(Proposal, t + 1) == []
    assert {said.hash for said in four.of_kind(Certificate, t + 1)} == {locked.hash}
    votes = [vote for vote in four.of_kind(Vote, t + 1) if vote.phase == PREVOTE]
    assert [vote.hash for vote in votes] == [locked.hash] * M


def test_a_block_that_was_locked_is_committed_later_and_paid_then():
    four = after_burn_in()
    t = until_locked(four)
    four.play(t + 1)
    pending = [dict(node.pulls.pending) for node in four.nodes]
    assert all(set(pulls) == {*range(BURN_IN + 1, t + 2)} for pulls in pending)
    four.lose = lambda *_: False
    pulls = paid(four.nodes[0])
    four.play(t + 2)
    assert four.heights() == [1] * M
    assert four.committed[0][0].state.last.round == t
    assert paid(four.nodes[0]) == pulls + 1
    arm = pending[0][t].arm
    assert four.nodes[0].pulls.learnt.pulls[0, arm] == BURN_IN // K + 1


def test_a_lock_survives_a_crash_of_everybody():
    four = after_burn_in()
    t = until_locked(four)
    locked = locked_at(four.hosts[0])
    for m in range(M):
        four.crash(m)
    four.play(t + 1)
    votes = [vote for vote in four.of_kind(Vote, t + 1) if vote.phase == PREVOTE]
    assert [vote.hash for vote in votes] == [locked.hash] * M


def test_after_a_crash_in_a_round_nothing_else_is_signed():
    """It has prevoted; the new node is asked to vote for something else in the same round and stays silent."""
    four = after_burn_in()
    for t in range(BURN_IN + 1, BURN_IN + 12):
        four.play(t, 0, AT.prevote)
        if four.of_kind(Vote, t, 1):
            break
        four.play(t, AT.second, AT.total - 1)
    four.crash(1)
    node = four.nodes[1]
    with pytest.raises(WouldEquivocate):
        node.hand.sign(PREVOTE, t, b"other words")
    node.voter.enter(t)
    node.voter._finality.best = Certificate(1, t - 1, b"h" * 32, (0, 1, 2), (bytes(64),) * 3, b"")
    effects = step(node, t, AT.prevote)
    assert effects.send == []
    assert effects.counts["own second value"] == 1


def test_a_second_block_of_a_height_is_never_confirmed():
    hand = Four().nodes[0].hand
    first = hand.confirm(3, b"a" * 32)
    assert hand.confirm(3, b"a" * 32) == first
    for height, hash in [(3, b"b" * 32), (2, b"a" * 32)]:
        with pytest.raises(WouldEquivocate):
            hand.confirm(height, hash)
    hand.confirm(4, b"b" * 32)


def test_attack_of_two_votes_in_one_round_is_evidence_for_all():
    """The first counts; who sees both can show them to anybody, and is asked to check no third one."""
    node, t = Four().nodes[0], BURN_IN + 1
    step(node, t, REPORTING)

    def vote(hash, round=t, phase=PREVOTE):
        words = vote_words(node.chain.state.origin, phase, 1, round, hash)
        return Vote(phase, 1, round, 2, hash, identities()[2].sign(phase, words))

    first, second, third = (vote(letter * 32) for letter in (b"a", b"b", b"c"))
    effects = step(node, t, AT.precommit, (2, first), (2, first), (1, second), (2, third))
    (notice,) = effects.noticed
    assert (notice.sender, notice.reason) == (2, "two values")
    assert effects.counts["signatures"] == 2
    ground = ground_of(node.chain.state)
    assert culprit(FAULT_KINDS, notice.evidence, ground) == 2
    for false in (
        two_votes(first, first),
        two_votes(first, second._replace(signature=third.signature)),
        two_votes(first, vote(b"b" * 32, t + 1)),  # as an honest one may vote
    ):
        assert culprit(FAULT_KINDS, false, ground) is None
    assert node.voter._finality.vote_of(PREVOTE, 2) == first


# --- Gaps ----------------------------------------------------------------------------------------------------------


def test_who_missed_blocks_asks_for_them_and_catches_up():
    four = after_burn_in()
    four.lose = lambda t, stage, m, to, message: to == 3
    t = BURN_IN + 1
    while min(four.heights()[:3]) < 3:
        four.play(t)
        t += 1
    assert four.heights()[3] == 0
    four.lose = lambda *_: False
    four.play(t)
    asked = [stage for round, stage, m, said in four.sent if (round, m) == (t, 3) and isinstance(said, Want)]
    assert asked[0] == ANSWERING  # the others' reports tell their heights
    assert four.heights()[3] >= 3
    assert four.nodes[3].chain.tip in {chain.tip for chain in four.committed[0]}


def test_blocks_are_given_once_a_round_to_each_and_never_many():
    four = after_burn_in()
    t = one_round_with_blocks(four, BURN_IN + 1)
    node = four.nodes[0]
    for wanted, expected in [(1, 1), (1, 0)]:
        assert len(step(node, t, ANSWERING, (2, Want(wanted))).send) == expected
    ((_, data),) = step(node, t + 1, ANSWERING, (2, Want(1))).send
    assert len(from_bytes(data).blocks) == 1
    for nonsense in (0, 5, 1 << 40):
        effects = step(node, t + 2, ANSWERING, (1, Want(nonsense)))
        assert (effects.send, reasons(effects)) == ([], ["want"])


def test_attack_of_blocks_that_nobody_signed():
    four = after_burn_in()
    one_round_with_blocks(four, BURN_IN + 1)
    block = Block.from_bytes(four.hosts[0].kept.block(1))
    fresh = Four().nodes[0]
    unsigned = type(block)(block.header, block.records, block.signatures[:2])
    effects = step(fresh, 50, ANSWERING, (1, Blocks((unsigned.to_bytes(),))))
    assert (effects.committed, reasons(effects)) == ([], ["block"])
    assert len(step(fresh, 50, SCREENING, (1, Blocks((block.to_bytes(),)))).committed) == 1


# --- Whatever comes in ---------------------------------------------------------------------------------------------


def test_attack_of_a_flood_is_cut_off():
    host = Four().hosts[0]
    wants = [Received(2, to_bytes(Want(1)))] * 1_000
    effects = host.step(Moment(50, ANSWERING), [Received(2, b"rubbish")] * 1_000 + wants)
    assert host.counts == {"no known kind": 1_000, "too many messages": 998}
    assert effects.noticed == [Noticed(2, "want")] * 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"round": 400}, "other round or block"),
        ({"previous": b"p" * 32}, "other round or block"),
        ({"reward": 12}, "signature"),
        ({"signature": bytes(64)}, "signature"),
    ],
)
def test_attack_of_false_reports_is_refused_with_its_reason(change, reason):
    four = after_burn_in()
    t = BURN_IN + 1
    four.play(t, PULLING, REPORTING)
    (message,) = four.of_kind(ReportSent, t, 1)
    node = four.nodes[0]
    assert reasons(step(node, t, ANSWERING, (1, message._replace(**change)))) == [reason]
    assert len(node._work.held) == 1  # its own
    assert reasons(step(node, t, SCREENING, (1, message))) == []
    assert len(node._work.held) == 2


def test_attack_of_two_reports_in_one_round():
    """Who says two things is heard as saying nothing; a third is not even looked at."""
    four = after_burn_in()
    t = BURN_IN + 1
    four.play(t, PULLING, REPORTING)
    (message,) = four.of_kind(ReportSent, t, 1)
    told = []
    for reward in (1, 2, 3):
        said = message._replace(reward=reward)
        words = report_words(first_chain().state.origin, message.previous, t, 1, said.report.body)
        told.append(said._replace(signature=identities()[1].sign(REPORT, words)))
    once, thrice = four.nodes[0], four.nodes[2]
    assert step(once, t, ANSWERING, (1, told[0])).noticed == []
    (notice,) = step(thrice, t, ANSWERING, *((1, one) for one in told)).noticed
    assert (notice.sender, notice.reason) == (1, "two reports")
    assert culprit(FAULT_KINDS, notice.evidence, ground_of(thrice.chain.state)) == 1
    assert sum(held.participant == 1 for held in thrice._work.held.values()) == 2
    assert once._work.naming().names[1] != NO_REPORT
    assert thrice._work.naming().names[1] == NO_REPORT


def test_late_reports_do_not_count():
    four = after_burn_in()
    t = BURN_IN + 1
    four.play(t, PULLING, REPORTING)
    (message,) = four.of_kind(ReportSent, t, 1)
    node = four.nodes[0]
    assert reasons(step(node, t, SCREENING + 1, (1, message))) == ["late"]


def test_attack_of_a_certificate_for_a_block_that_does_not_follow():
    four = after_burn_in()
    t = until_locked(four)
    good = locked_at(four.hosts[0])
    fresh = Four().nodes[0]
    step(fresh, t + 1, REPORTING)
    block = Block.from_bytes(good.block)
    other = Block(replace(block.header, nonce=1), block.records).to_bytes()
    for false, reason in [
        (good._replace(block=b"rubbish"), ["malformed"]),
        (good._replace(block=other), []),
        (good._replace(signatures=good.signatures[::-1]), ["signature"]),
    ]:
        assert reasons(step(fresh, t + 1, ANSWERING, (1, false))) == reason
        assert fresh.voter.best is None
    step(fresh, t + 1, ANSWERING, (1, good))
    assert fresh.voter.best == good


def test_attack_of_a_validator_that_proposes_a_false_block():
    """Signed as it should be, but its estimates do not follow from its sets: refused, and not remembered."""
    four = after_burn_in()
    t = one_round_with_blocks(four, BURN_IN + 1) - 1
    fresh = Four().nodes[0]
    chain = fresh.chain
    (good,) = four.of_kind(Proposal, t)[:1]
    made = chain_record(chain, good.block)
    for estimates, remembered in [(made.estimates + 1, False), (made.estimates, True)]:
        step(fresh, t, REPORTING)
        false = propose(chain, [made._replace(estimates=estimates).to_bytes()])
        signature = identities()[1].sign(PROPOSAL, proposal_words(chain.state.origin, 1, t, false.hash))
        proposal = Proposal(1, t, 1, false.hash, signature, false.to_bytes())
        effects = step(fresh, t, AT.second, (1, proposal))
        assert (false.hash in fresh.voter.states) is remembered
        assert reasons(effects) == [] if remembered else ["block"]
        fresh.voter.enter(t)


def chain_record(chain, body):
    return RoundRecord.from_bytes(Block.from_bytes(body).records[0], *chain.state.members.shape)


def test_a_block_needs_more_than_half_of_the_validators():
    """Proposals of two of four validators are lost on the way to participant 0; its own and one are left: no vote."""
    votes = {}
    for lost in ((), (2, 3), (1, 2, 3)):
        four = after_burn_in()
        t = full_round(first_chain())
        for earlier in range(BURN_IN + 1, t):
            four.lose = lambda *_: True
            four.play(earlier)
        four.lose = lambda t, stage, m, to, message, lost=lost: (
            to == 0 and is_of(PROPOSAL, message) and (m in lost or isinstance(message, Ballots))
        )
        four.play(t, 0, AT.prevote)
        assert len(four.of_kind(Proposal, t)) == M
        votes[len(lost)] = len([vote for vote in four.of_kind(Vote, t, 0) if vote.phase == PREVOTE])
    assert votes == {0: 1, 2: 0, 3: 0}


def test_a_validator_that_lacks_a_report_supports_the_block_of_the_others():
    """Three of four hold the report of participant 1, so it counts; the fourth cannot make the block but seconds it."""
    four = after_burn_in()
    t = full_round(first_chain())
    four.lose = lambda *_: True
    for earlier in range(BURN_IN + 1, t):
        four.play(earlier)
    four.lose = lambda t, stage, m, to, said: (
        isinstance(said, Passed) or (isinstance(said, ReportSent) and (m, to) == (1, 0))
    )
    four.play(t)
    proposals = {m: (stage, said.hash) for round, stage, m, said in four.sent if isinstance(said, Proposal)}
    assert {m: stage for m, (stage, _) in proposals.items()} == {0: AT.second} | dict.fromkeys((1, 2, 3), AT.propose)
    assert len({hash for _, hash in proposals.values()}) == 1
    assert four.heights() == [1] * M


def test_confirmations_without_the_block_make_it_ask():
    four = after_burn_in()
    four.lose = lambda t, stage, m, to, message: to == 3 and isinstance(message, Proposal | Certificate)
    t = BURN_IN + 1
    while max(four.heights()) == 0:
        four.play(t)
        t += 1
    if four.heights()[3] == 0:  # it was no validator, so it never saw the block
        assert four.of_kind(Want, t - 1, 3)
        four.play(t)
    assert four.heights()[3] >= 1


# --- What is kept ---------------------------------------------------------------------------------------------------


def test_who_comes_back_from_a_snapshot_is_who_would_have_played_all_blocks_again():
    four = after_burn_in()
    t = one_round_with_blocks(four, BURN_IN + 1)
    while max(four.heights()) < 3:
        four.play(t)
        t += 1
    host = four.hosts[0]
    before = host.machine.chain
    values = host.kept.values
    slow = Participant(host.machine.role, {k: v for k, v in values.items() if k != CHAIN}, host.kept, None, NO_FLOOR)
    host.restart()
    for other in (host.machine, slow):
        assert encode(snapshot.to_bytes(other.chain)) == encode(snapshot.to_bytes(before))
        assert other.chain.state.configuration == before.state.configuration
        assert other.arm(t) == four.nodes[1].arm(t)
        assert not any(array.flags.writeable for array in other.chain.state.accounts)


def kept_and_host():
    four = after_burn_in()
    until_locked(four)
    four.lose = lambda *_: False
    t = one_round_with_blocks(four, BURN_IN + 8)
    four.lose = lambda t, stage, m, to, message: is_of(PRECOMMIT, message)
    while locked_at(four.hosts[0]) is None:
        four.play(t)
        t += 1
    return four.hosts[0]


def test_damaged_values_are_refused_not_believed():
    host = kept_and_host()
    values = host.kept.values
    assert {key.split("/")[0] for key in values} == {"round", "chain", "lock", "learnt", "pull", "slot"}
    role, dice = host.machine.role, np.random.default_rng(1)
    for key, data in values.items():
        for wrong in (b"", data[:-1], data + b"\0", encode((1, 2)), encode("text"), dice.bytes(40)):
            with pytest.raises((Malformed, InvalidBlock)):
                role.resume({**values, key: wrong}, host.kept, None)


def test_a_snapshot_of_another_chain_than_the_blocks_is_refused():
    host = kept_and_host()
    values, chain = host.kept.values, host.machine.chain
    for false in (replace(chain, tip=b"t" * 32), replace(chain, height=chain.height + 1), replace(chain, height=0)):
        with pytest.raises(Malformed, match="snapshot"):
            host.machine.role.resume({**values, CHAIN: snapshot.to_bytes(false)}, host.kept, None)


def test_a_lock_for_another_block_than_the_next_is_refused():
    host = kept_and_host()
    values, lock = host.kept.values, locked_at(host)
    for false in (lock._replace(height=lock.height + 1), Want(1)):
        with pytest.raises(Malformed, match="lock"):
            host.machine.role.resume({**values, LOCK: to_bytes(false)}, host.kept, None)
