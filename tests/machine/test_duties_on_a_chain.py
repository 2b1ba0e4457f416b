"""The duties of a driver that only a chain can show, on participants of BC-UCB: what goes wrong where one is broken."""

from fractions import Fraction

import numpy as np
import pytest
from made_round import BURN_IN, COINS, SEEDS, K, M, first_chain, identities

from folkmoot.agreement.messages import Ballots, Blocks, Certificate, Confirmation, Proposal, Vote, Want
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.messages import GAME, Answer, Offer, Passed, ReportSent, SetsSent
from folkmoot.bc_ucb.participant import Role
from folkmoot.bc_ucb.stages import PULLING, REPORTING, stages
from folkmoot.coins import replicate_coins
from folkmoot.comparison.in_rounds import Pairwise, TrustedMachine, Trusting
from folkmoot.encoding import Malformed, decode
from folkmoot.ledger.block import Block
from folkmoot.machine import ALL, NO_FLOOR, Floor, Moment, Outcome, Received
from folkmoot.simulation.host import Host

AT = stages(1)
PARAMS = Params(M, K, BURN_IN, 2.0, 1500, 1000, 1, True, True)
FIRST = BURN_IN + 1
KINDS = {
    Blocks: "blocks",
    Certificate: "certificate",
    Confirmation: "confirmation",
    Proposal: "proposal",
    Vote: "vote",
    Want: "want",
    Ballots: "ballots",
    ReportSent: "report sent",
    Offer: "offer",
    Answer: "answer",
    SetsSent: "sets sent",
    Passed: "passed",
}


def said(data):
    return GAME.from_bytes(data, (M, K))


class Game:
    """Four participants, each behind a driver; what one sends in a stage arrives in the next."""

    def __init__(self):
        self.machine, self.coins = TrustedMachine(M, Fraction(3, 2), 16), replicate_coins(*COINS)
        self.hosts = [Host(self.role(m)) for m in range(M)]
        self.inboxes, self.outcomes = [[] for _ in range(M)], [[] for _ in range(M)]
        self.away = set()  # they take no steps

    def role(self, m):
        return Role(m, SEEDS[m], first_chain(), PARAMS, lambda dice: Trusting(self.machine, m), self.coins)

    def heights(self):
        return [host.kept.height for host in self.hosts]

    def play(self, *rounds):
        for t in rounds:
            for stage in range(AT.total if t > BURN_IN else 1):
                self.stage(Moment(t, stage))

    def stage(self, moment):
        arrived, self.inboxes = self.inboxes, [[] for _ in range(M)]
        for m, host in enumerate(self.hosts):
            if m not in self.away:
                outcomes, self.outcomes[m] = self.outcomes[m], []
                self.carry(m, moment, host.step(moment, self.handed(m, moment, arrived[m]), outcomes))

    def handed(self, m, moment, arrived):
        return arrived

    def carry(self, m, moment, effects):
        if effects.pull is not None:
            self.outcomes[m].append(Outcome(moment.round, 0.25 + 0.5 * effects.pull + 0.01 * m))
        for receiver, data in effects.send:
            for to in range(M):
                if to != m and receiver in (ALL, to):
                    self.inboxes[to].append(Received(m, data))

    def until_blocks(self, number, t=FIRST):
        """Play from round t on until the longest chain has so many; the next round."""
        while max(self.heights()) < number:
            self.play(t)
            t += 1
            assert t < FIRST + 30
        return t


def ready(game):
    game.play(*range(1, FIRST))
    return game


def reports(effects, m):
    return [
        message for _, data in effects.send if isinstance(message := said(data), ReportSent) and message.sender == m
    ]


# --- 1. What is to be kept is on disk before anything leaves ---------------------------------------------------------


class KeepsAtTheEnd(Host):
    """One transaction a round, for speed: what a step wants kept is stored with the round's last."""

    def step(self, moment, inbox=(), outcomes=(), blocks=()):
        effects = self.machine.step(moment, list(inbox), outcomes, blocks)
        self.waiting = [*getattr(self, "waiting", []), *effects.keep]
        if moment.stage == AT.total - 1 or moment.round <= BURN_IN:
            self.kept.store(moment, self.waiting)
            self.waiting = []
        return effects


@pytest.mark.parametrize("kind", [Host, KeepsAtTheEnd])
def test_1_nobody_signs_two_reports_of_a_round(kind):
    """A crash after the report; then the application asks again and its pull brings something else."""
    game = Game()
    game.hosts[0] = kind(game.role(0))
    ready(game)
    host, signed = game.hosts[0], []
    host.step(Moment(FIRST, PULLING))
    signed += reports(host.step(Moment(FIRST, REPORTING), [], [Outcome(FIRST, 0.25)]), 0)
    host.waiting = []
    host.restart()
    if host.machine.next <= Moment(FIRST, PULLING):
        host.step(Moment(FIRST, PULLING))
        signed += reports(host.step(Moment(FIRST, REPORTING), [], [Outcome(FIRST, 0.75)]), 0)
    assert len({report.reward for report in signed}) == (1 if kind is Host else 2)
    assert all(report.round == FIRST and report.signature for report in signed)


# --- 5. What is late is delivered ------------------------------------------------------------------------------------


class Late(Game):
    """The clock of participant 3 is a stage ahead: whatever is sent to it comes a stage late."""

    def __init__(self, deliver):
        super().__init__()
        self.deliver, self.held = deliver, []

    def handed(self, m, moment, arrived):
        if m != 3:
            return arrived
        late, self.held = self.held, arrived
        allowed = self.hosts[m].machine.stages[moment.stage].late
        return [message for message in late if self.deliver and KINDS[type(said(message.data))] in allowed]


@pytest.mark.parametrize("deliver", [True, False])
def test_5_a_member_with_a_fast_clock_is_not_isolated(deliver):
    game = ready(Late(deliver))
    game.until_blocks(3)
    assert game.heights()[:3] == [3, 3, 3]
    if deliver:
        assert game.heights()[3] >= 2
    else:
        assert game.heights()[3] == 0


# --- 6. Chance never gives the same bytes twice ----------------------------------------------------------------------


@pytest.mark.parametrize("fresh", [True, False])
def test_6_chance_repeated_after_a_restart_uncovers_what_was_hidden(fresh):
    """A validator offers its encrypted threshold, restarts, and offers another: which bits have changed is seen."""
    pytest.importorskip("rbcl", reason="needs the extra `private`")
    keys, bits = tuple(identity.public_key for identity in identities()), 8
    offers = []
    for birth, count in enumerate((3, 5)):  # thresholds 3 / 1.5 = 0b10 and floor(5 / 1.5) = 0b11
        drawn = iter(range(1_000_000))

        def chance(size, birth=birth, drawn=drawn):
            return next(drawn).to_bytes(8, "big") + bytes([birth if fresh else 0]) * (size - 8)

        part = Pairwise(0, keys, Fraction(3, 2), bits, chance)
        part.begin(b"\0" * 32, FIRST, [count] * K, [count] * K)
        hidden = decode(part.offer(keys[0]))[-1][0]  # of the first arm, bit by bit
        size = len(hidden) // bits
        offers.append([hidden[at : at + size] for at in range(0, len(hidden), size)])
    changed = [bit for bit, (before, after) in enumerate(zip(*offers)) if before != after]
    assert changed == (list(range(bits)) if fresh else [0])


# --- 7. A floor for one that lost its store --------------------------------------------------------------------------


@pytest.mark.parametrize("floor", [NO_FLOOR, Floor(round=FIRST + 1)])
def test_7_who_lost_its_store_signs_nothing_below_its_floor(floor):
    game = ready(Game())
    host = game.hosts[0]
    host.step(Moment(FIRST, PULLING))
    before = reports(host.step(Moment(FIRST, REPORTING), [], [Outcome(FIRST, 0.25)]), 0)
    reborn = Host(game.role(0))
    reborn.restart(floor)
    after = []
    if reborn.machine.next <= Moment(FIRST, PULLING):
        reborn.step(Moment(FIRST, PULLING))
        after = reports(reborn.step(Moment(FIRST, REPORTING), [], [Outcome(FIRST, 0.75)]), 0)
    assert len({report.signature for report in before + after}) == (2 if floor is NO_FLOOR else 1)


# --- 8. Verified blocks come in from outside the stages --------------------------------------------------------------


@pytest.mark.parametrize("handed_in", [True, False])
def test_8_who_was_away_has_the_chain_in_the_step_it_comes_back(handed_in):
    game = Game()
    game.away = {3}
    ready(game)
    t = game.until_blocks(2)
    store, host = game.hosts[0].kept, game.hosts[3]
    blocks = [Block.from_bytes(store.block(height)) for height in (1, 2)] if handed_in else []
    effects = host.step(Moment(t, PULLING), [], [], blocks)
    assert host.kept.height == (2 if handed_in else 0)
    if handed_in:
        assert [host.kept.block(height) for height in (1, 2)] == [store.block(height) for height in (1, 2)]
        assert len(effects.committed) == 2
    host.restart()
    assert host.machine.chain.height == host.kept.height


def test_8_blocks_that_do_not_follow_are_left_out():
    """They should have been verified; an error of the driver's stops nobody."""
    game = Game()
    game.away = {3}
    ready(game)
    t = game.until_blocks(2)
    second = Block.from_bytes(game.hosts[0].kept.block(2))
    host = game.hosts[3]
    host.step(Moment(t, PULLING), [], [], [second])
    assert host.kept.height == 0


# --- 9. A step never raises for what came in ------------------------------------------------------------------------


def test_9_no_bytes_end_a_participant():
    """Noise, and true messages with a byte changed, in every stage; the others still approve blocks with it."""
    game, dice = Game(), np.random.default_rng(2)

    def noisy(m, moment, arrived):
        if m != 3:
            return arrived
        wrong = []
        for sender, data in arrived:
            bytes_ = bytearray(data)
            bytes_[int(dice.integers(len(bytes_)))] ^= 1 << int(dice.integers(8))
            wrong.append(Received(sender, bytes(bytes_)))
        return [*arrived, *wrong, Received(0, dice.bytes(60)), Received(1, b"")]

    game.handed = noisy
    ready(game)
    game.until_blocks(2)
    assert game.heights() == [2, 2, 2, 2]


NO_REWARDS = (1e300, -1e18, 2.0**31, 10**400, float("nan"), float("-inf"), (1e300,), ("1",), "1", True)


@pytest.mark.parametrize("reward", NO_REWARDS, ids=lambda reward: f"{reward!s:.12}")
@pytest.mark.parametrize("when", ["in the burn-in", "later"])
def test_9_no_outcome_ends_a_participant(reward, when):
    """It is as if none had come: nothing is learnt from it, and the rounds after it go on."""
    game, t = Game(), BURN_IN if when == "in the burn-in" else FIRST
    game.play(*range(1, t))
    game.stage(Moment(t, PULLING))
    game.outcomes[0] = [Outcome(t, reward)]
    if t > BURN_IN:
        game.stage(Moment(t, REPORTING))
    game.until_blocks(1, t + 1)
    learnt = game.hosts[0].machine.pulls.learnt
    assert learnt.pulls[0].sum() == (BURN_IN - 1 if t == BURN_IN else BURN_IN) + game.heights()[0]
    assert (np.abs(learnt.mean[0]) <= 1).all()


@pytest.mark.parametrize("key", ["pull/", "pull/x", "pull/-1", "pull/01", "pull/\uff11", "pull/" + "9" * 5_000])
def test_a_pull_that_no_participant_kept_is_named(key):
    game = ready(Game())
    game.stage(Moment(FIRST, PULLING))
    kept = game.hosts[0].kept
    values = {**kept.values, key: kept.values[f"pull/{FIRST}"]}
    with pytest.raises(Malformed):
        game.role(0).resume(values, kept, lambda size: bytes(size))
