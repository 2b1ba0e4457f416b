"""What a pull brings: signed by the environment or claimed, late or never; and what is paid for it, once."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from made_round import (
    BURN_IN,
    COINS,
    SALT,
    SEEDS,
    TERMS,
    K,
    M,
    block,
    full_round,
    identities,
    keys,
    record,
    report,
    value,
)
from small_game import by_the_loop, different, sized_game, small_game

import folkmoot as fm
from folkmoot.agreement.identity import Identity
from folkmoot.agreement.messages import StateGiven
from folkmoot.bc_ucb import costs, snapshot
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.bounds import state_shares
from folkmoot.bc_ucb.contract import ONE
from folkmoot.bc_ucb.costs import DISCLOSED, MOST_ENTERED, Disclosure, most_kept
from folkmoot.bc_ucb.earnings import EARNED, earned_words, seal_of
from folkmoot.bc_ucb.genesis import configuration
from folkmoot.bc_ucb.messages import GAME, ReportSent
from folkmoot.bc_ucb.participant import Role
from folkmoot.bc_ucb.protocol import Table, play
from folkmoot.bc_ucb.records import Claim
from folkmoot.bc_ucb.rules import KIND
from folkmoot.bc_ucb.settled import Charges, settled
from folkmoot.bc_ucb.stages import PULLING, stages
from folkmoot.coins import replicate_coins
from folkmoot.comparison.in_rounds import TrustedMachine, Trusting
from folkmoot.ledger.chain import Genesis, apply_block, start
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.machine import ALL, Moment, Outcome, Received
from folkmoot.simulation.host import Host
from folkmoot.simulation.network import Address

WINDOW = 4
PARAMS = Params(M, K, BURN_IN, 2.0, 1500, 1000, 1, True, True)
ENVIRONMENT = Identity(b"e" * 32)
BLINDING = b"b" * 32


def chain_of(environment=(), window=WINDOW, **terms):
    terms = TERMS._replace(window=window, **terms)
    told = configuration(terms, keys(), BURN_IN, COINS, salt=SALT, environment=environment)
    return start(Genesis(KIND, told))


def earned(chain, t, m, reward, arm=0, by=ENVIRONMENT):
    """Seal and signature of an outcome."""
    seal = seal_of(arm, BLINDING)
    return seal, by.sign(EARNED, earned_words(chain.state.origin, t, m, reward, seal))


def told_by(chain, t, m, reward):
    seal, proof = earned(chain, t, m, reward)
    return report(chain, t, m, reward=reward, seal=seal, proof=proof)


# --- Rewards are signed, or they are claims -------------------------------------------------------------------------


def test_attack_of_a_reward_that_the_environment_has_not_signed():
    """A liar that claims 1 whatever it pulls is paid nothing, and its report counts as a lie."""
    chain = chain_of((ENVIRONMENT.public_key,))
    t = full_round(chain)
    low, high = earned(chain, t, 3, 3 * ONE // 10), earned(chain, t, 3, ONE, by=identities()[3])
    for seal, proof in (low, high, (b"", b""), earned(chain, t - 1, 3, ONE), earned(chain, t, 2, ONE)):
        liar = report(chain, t, 3, reward=ONE, seal=seal, proof=proof)
        made = record(chain, t, [*(told_by(chain, t, m, ONE // 2) for m in range(3)), liar])
        assert made.refused == ((3, "unsigned reward"),)
        assert made.paid.tolist() == [ONE // 2] * 3 + [0]
    made = record(chain, t, [*(told_by(chain, t, m, ONE // 2) for m in range(3)), told_by(chain, t, 3, 3 * ONE // 10)])
    assert made.paid[3] == 3 * ONE // 10
    assert apply_block(chain, block(chain, made)).state.accounts.earned.tolist() == made.paid.tolist()


def test_a_signature_hides_the_arm_and_binds_it():
    assert seal_of(0, BLINDING) != seal_of(1, BLINDING)
    assert seal_of(0, BLINDING) != seal_of(0, b"c" * 32)


def test_without_an_environment_nothing_looks_as_if_it_were_signed():
    chain = chain_of()
    t = full_round(chain)
    made = record(chain, t, [told_by(chain, t, 0, ONE // 2), *(report(chain, t, m) for m in range(1, M))])
    assert made.refused == ((0, "unsigned reward"),)


def test_trust_that_follows_rewards_needs_an_environment():
    with pytest.raises(ValueError, match=r"^trust = 'reward': needs environment = True"):
        fm.simulate_chain(fm.BCUCB(trust="reward"), fm.Bernoulli((0.3, 0.8), n_agents=4), horizon=12, progress=False)


@pytest.mark.parametrize("more", [{}, {"trust": 1}, {"sortition": "vrf"}])
def test_an_environment_changes_nothing_for_honest_pulls(more):
    game = small_game("sign_flip", seed=2, environment=True, **more)
    played = play(game, 1)
    assert "vrf" in more.values() or different(by_the_loop(game, 1), played.tally) == []
    chain = played.chain
    earned = sum(np.array([r.reward for r in chain.state.last.reports]) >= 0)
    assert earned == M
    assert all(report.proof for report in chain.state.last.reports)


# --- Outcomes that come late, or never ------------------------------------------------------------------------------


def test_no_outcome_is_said_and_costs_nothing():
    """Its means count as ever; the contract waits for what the pull brought."""
    chain = chain_of()
    t = full_round(chain)
    made = record(chain, t, [report(chain, t, m, reward=-1 if m == 1 else ONE) for m in range(M)])
    assert made.refused == ()
    assert made.paid.tolist() == [ONE, 0, ONE, ONE]
    after = apply_block(chain, block(chain, made)).state
    assert after.accounts.waiting.tolist() == [0, 1, 0, 0]
    paid = apply_block(chain, block(chain)).state
    assert after.accounts.units.tolist() == paid.accounts.units.tolist()


def waiting(rounds_later, window=WINDOW):
    """A chain that waits for an outcome of participant 1, and a round so many later at the earliest."""
    chain = chain_of(window=window)
    t = full_round(chain)
    chain = apply_block(chain, block(chain, record(chain, t, [report(chain, t, m, reward=-1) for m in range(M)])))
    return chain, t, full_round(chain, t + rounds_later - 1)


def with_claims(chain, t, *claims):
    claims = tuple(Claim(round, reward, b"", b"") for round, reward in claims)
    return [report(chain, t, m, reward=ONE // 4, earlier=claims if m == 1 else ()) for m in range(M)]


def test_a_late_outcome_is_claimed_and_paid_once():
    chain, missed, t = waiting(1)
    made = record(chain, t, with_claims(chain, t, (missed, ONE // 2)))
    assert made.refused == ()
    assert made.paid.tolist() == [ONE // 4, 3 * ONE // 4, ONE // 4, ONE // 4]
    chain = apply_block(chain, block(chain, made))
    assert chain.state.accounts.earned.tolist() == made.paid.tolist()
    assert chain.state.accounts.waiting[1] == 0
    later = full_round(chain, t)
    made = record(chain, later, with_claims(chain, later, (missed, ONE // 2)))
    assert made.refused == ((1, "reward"),)
    assert made.paid[1] == 0


def test_attack_of_claims_that_are_not_due():
    chain, missed, t = waiting(1)
    for claims in [((missed - 1, ONE),), ((missed, ONE + 1),), ((missed, -1),), ((t, ONE),), ((t + 5, ONE),)]:
        made = record(chain, t, with_claims(chain, t, *claims))
        assert (made.refused, made.paid[1]) == (((1, "reward"),), 0)


@pytest.mark.parametrize("late", range(1, 12))
def test_a_claim_beyond_the_window_pays_nothing(late):
    chain, missed, t = waiting(late, window=5)
    made = record(chain, t, with_claims(chain, t, (missed, ONE // 2)))
    assert made.paid[1] == (3 * ONE // 4 if t - missed <= 5 else 0)


class Four:
    """Four participants; what the pull of participant 1 in round `missed` brings comes `late` rounds later."""

    def __init__(self, late, environment=False):
        self.chain = chain_of((ENVIRONMENT.public_key,) if environment else (), expected_validators=8)
        self.late, self.environment, self.machine = late, environment, TrustedMachine(M, Fraction(3, 2), 16)
        self.hosts = [Host(self.role(m)) for m in range(M)]
        self.inboxes, self.outcomes, self.told = [[] for _ in range(M)], [], []
        self.noticed = []

    def role(self, m):
        return Role(m, SEEDS[m], self.chain, PARAMS, lambda dice: Trusting(self.machine, m), replicate_coins(*COINS))

    def outcome(self, m, t, arm):
        reward = 0.5 if m == 1 and t == BURN_IN + 2 else 0.25
        if not self.environment:
            return Outcome(t, reward)
        _, proof = earned(self.chain, t, m, int(reward * ONE), arm)
        return Outcome(t, reward, proof=BLINDING + proof)

    def play(self, t):
        for stage in range(stages(1).total if t > BURN_IN else 1):
            arrived, self.inboxes = self.inboxes, [[] for _ in range(M)]
            for m, host in enumerate(self.hosts):
                due = [(when, to, outcome) for when, to, outcome in self.outcomes if to == m and when <= (t, stage)]
                self.outcomes = [item for item in self.outcomes if item not in due]
                effects = host.step(Moment(t, stage), arrived[m], [outcome for *_, outcome in due])
                self.noticed += [notice.reason for notice in effects.noticed]
                if effects.pull is not None:
                    slow = m == 1 and t == BURN_IN + 2
                    when = (t + self.late, PULLING + 1) if slow else (t, PULLING + 1)
                    self.outcomes.append((when, m, self.outcome(m, t, effects.pull)))
                self.send(m, effects.send)

    def send(self, m, messages):
        for receiver, data in messages:
            message = GAME.from_bytes(data, (M, K))
            if isinstance(message, ReportSent) and m == 1:
                self.told.append(message)
            for to in range(M):
                if to != m and receiver in (ALL, to):
                    self.inboxes[to].append(Received(m, data))


@pytest.mark.parametrize("environment", [False, True])
@pytest.mark.parametrize("late", [1, 3, WINDOW, WINDOW + 2])
def test_a_participant_learns_an_outcome_that_comes_late(late, environment):
    """Within the window it is claimed, paid and learnt from; beyond it the pull is as if it had never been."""
    four = Four(late, environment)
    last = BURN_IN + 2 + WINDOW + 4
    for t in range(1, last + 1):
        four.play(t)
        if t == BURN_IN + 3:
            four.hosts[1].restart()  # what it waits for is kept
    assert [host.kept.height for host in four.hosts] == [last - BURN_IN] * M
    one, other = four.hosts[1].machine, four.hosts[0].machine
    known = late <= WINDOW
    assert one.pulls.learnt.pulls[1].sum() == last - (not known)
    assert other.pulls.learnt.pulls[0].sum() == last
    accounts = other.chain.state.accounts
    assert accounts.earned[1] == (last - BURN_IN - 1) * ONE // 4 + (ONE // 2 if known else 0)
    assert accounts.waiting.tolist() == [0] * M
    assert one.pulls.pending == {}
    assert [len(said.earlier) for said in four.told].count(1) == known
    assert four.noticed == []


# --- What the application may get wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [1, BURN_IN + 1])
@pytest.mark.parametrize("reward", [float("nan"), float("inf"), 1.5, -0.1, 2.0**40, True, (0.5, 0.5), "1"])
def test_a_reward_that_cannot_be_is_as_if_none_had_come(t, reward):
    """In the burn-in too, where it would be learnt from at once."""
    four = Four(0)
    for earlier in range(1, t):
        four.play(earlier)
    host = four.hosts[0]
    assert host.step(Moment(t, PULLING), [], []).pull is not None
    learnt = host.machine.pulls.learnt.mean.copy()
    moment = Moment(t, PULLING + 1) if t > BURN_IN else Moment(t + 1, PULLING)
    effects = host.step(moment, [], [Outcome(t, reward)])
    assert [(notice.sender, notice.reason) for notice in effects.noticed] == [(-1, "outcome")]
    assert np.array_equal(host.machine.pulls.learnt.mean, learnt)
    right = host.step(Moment(moment.round, moment.stage + 1), [], [Outcome(t, 0.5)])  # a right one may still come
    assert right.noticed == []


@pytest.mark.parametrize("proof", [b"", b"p" * 95, BLINDING + bytes(64)])
def test_a_participant_takes_no_outcome_that_the_environment_has_not_signed(proof):
    four = Four(0, environment=True)
    host = four.hosts[0]
    assert host.step(Moment(1, PULLING), [], []).pull == 0
    effects = host.step(Moment(2, PULLING), [], [Outcome(1, 0.5, proof=proof)])
    assert [notice.reason for notice in effects.noticed] == ["outcome"]
    assert host.machine.pulls.learnt.pulls.sum() == 0


# --- Silence, and what malicious estimates cost ----------------------------------------------------------------------


def test_silence_gains_nothing_and_costs_nothing_beside_what_all_gain():
    """With silence = delta, who was not heard keeps its exponent; with edition 1's it lost nine tenths of a unit."""
    for silence, expected in ((ONE // 10, 0), (ONE, ONE // 10 - ONE)):
        chain = chain_of(silence=silence, span=9 * ONE, delta=ONE // 10)
        t = full_round(chain)
        made = record(chain, t, [report(chain, t, m, [ONE // 2] * K) for m in range(3)])
        assert made.refused == ((3, "missing"),)
        exponent = apply_block(chain, block(chain, made)).state.accounts.exponent
        assert exponent[3] - exponent[0] == expected - ONE // 10


def test_a_liar_that_asks_for_every_arm_of_a_round_is_told_what_the_first_one_brought(monkeypatch):
    """Else it claims the best of them, signed by the environment."""
    told = {}
    with Table(sized_game(4, 2, 6, environment=True), 0) as table:
        liar = table.hosts[Address(3, 0)].machine

        def greedy(moment, inbox, outcomes, blocks=(), step=liar.step):
            for outcome in outcomes:
                told.setdefault(outcome.round, set()).add(outcome)
            effects = step(moment, inbox, outcomes, blocks)
            if moment.stage > 0:
                effects.pull = moment.stage % 2
            return effects

        monkeypatch.setattr(liar, "step", greedy)
        for t in range(1, 17):
            table.play_round(t)
    assert len(told) == 16
    assert all(len(outcomes) == 1 for outcomes in told.values())


def test_the_environment_discloses_and_costs_are_booked():
    """In every block whose average a malicious estimate has entered each honest one pays c, each liar is paid it."""
    cost = ONE // 8
    game = small_game("drift", more={"value": 0.0}, validators=8, environment=True, seed=1)
    game = replace(game, terms=game.terms._replace(cost=cost))
    played = play(game, 0)
    blocks, state = int(played.tally.entered[0, -1]), played.chain.state
    assert blocks > 0
    assert state.accounts.costs.tolist() == [-cost * blocks if liar else cost * blocks for liar in game.malicious]
    assert (state.entered, state.disclosed) == (b"", int(game.checkpoints[-1]))


def disclosure(chain, t, malicious, by=ENVIRONMENT):
    said = Disclosure.of(t, np.array(malicious))
    return said._replace(signature=by.sign(DISCLOSED, said.words(chain.state.origin))).to_bytes()


def shown_by_all(chain, t, *statements):
    reports = [told_by(chain, t, m, ONE // 2) for m in range(M)]
    values = {v: value(chain, t, v, reports, shown=statements) for v in range(M)}
    return record(chain, t, reports, values)


def test_attack_of_disclosures_that_are_old_or_not_signed_by_the_environment():
    chain = chain_of((ENVIRONMENT.public_key,), cost=ONE // 8)
    t = full_round(chain)
    chain = apply_block(chain, block(chain, shown_by_all(chain, t)))
    assert len(chain.state.entered) == 1
    t = full_round(chain)
    liars = [False, True, False, False]
    true, false = disclosure(chain, t, liars), disclosure(chain, t, [True, False, False, False], identities()[1])
    made = shown_by_all(chain, t, false, true)
    assert made.shown == (true,)
    chain = apply_block(chain, block(chain, made))
    assert chain.state.accounts.costs.tolist() == [ONE // 4, -ONE // 4, ONE // 4, ONE // 4]
    t = full_round(chain)
    assert shown_by_all(chain, t, true).shown == ()  # said already
    with pytest.raises(RefusedRecord, match="shown"):
        apply_block(chain, block(chain, shown_by_all(chain, t)._replace(shown=(true,))))


def test_what_is_kept_to_book_costs_is_bounded_and_fits_into_a_given_state():
    """Of more blocks the oldest are never booked."""
    chain = chain_of((ENVIRONMENT.public_key,), cost=ONE // 8)
    full = bytes([0b0100_0000]) + bytes(most_kept(M) - 1)  # participant 1 was in the oldest block alone
    chain = replace(chain, state=chain.state._replace(entered=full))
    t = full_round(chain)
    chain = apply_block(chain, block(chain, shown_by_all(chain, t)))
    assert chain.state.entered == full[1:] + bytes([0b0110_0000])
    assert len(chain.state.entered) == MOST_ENTERED
    share = state_shares(chain.state.configuration)[GAME.name(StateGiven)]
    assert len(GAME.to_bytes(StateGiven(snapshot.to_bytes(chain), bytes(1000)))) <= share.size
    t = full_round(chain)
    made = shown_by_all(chain, t, disclosure(chain, t, [False, True, False, False]))
    booked = apply_block(chain, block(chain, made)).state
    assert booked.accounts.costs.tolist() == [ONE // 4, -ONE // 4, ONE // 4, ONE // 4]


def test_a_settlement_forgets_the_blocks_that_the_chain_forgets(monkeypatch):
    monkeypatch.setattr(costs, "MOST_ENTERED", 2)
    chain = chain_of((ENVIRONMENT.public_key,), cost=ONE // 8)
    charges, settings, charged = Charges(chain.state), chain.state.configuration, []
    for number in range(4):
        t, before = full_round(chain), chain.state.round
        told = (disclosure(chain, t, [False, True, False, False]),) if number == 3 else ()
        made = shown_by_all(chain, t, *told)
        chain = apply_block(chain, block(chain, made))
        charged.append(charges.after(*settled(settings, made.to_bytes(), before)).charged)
    assert charged == [0, 0, 0, 2]
    assert chain.state.accounts.costs.tolist() == [ONE // 4, -ONE // 4, ONE // 4, ONE // 4]


@pytest.mark.parametrize("resolution", [4, 12])
@pytest.mark.parametrize("attack", ["sign_flip", "trim_window", "drift", "random"])
def test_means_on_a_coarse_grid_are_the_same_in_the_loop_and_among_participants(attack, resolution):
    """Liars know the grid: nobody is refused for it."""
    game = small_game(attack, validators=8, seed=1)
    game = replace(game, terms=game.terms._replace(resolution=resolution))
    played = play(game, 1)
    assert different(by_the_loop(game, 1), played.tally) == []
    last = played.chain.state.last
    assert last.refused == ()
    assert all((report.means % (1 << (32 - resolution)) == 0).all() for report in last.reports)
