"""What rules do when outcomes come late or never, and when agents were absent: pulls made and outcomes told apart."""

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.gossip_ucb import is_behind
from folkmoot.coins import replicate_coins
from folkmoot.interface import (
    Seen,
    init,
    late_outbox,
    messages,
    outbox,
    publish,
    publish_late,
    select,
    update,
    update_late,
)

COINS = replicate_coins(1, 0, 0)
NOBODY = np.zeros(0, np.int64)
N, K = 4, 3
COMPLETE = fm.Static(nx.complete_graph(N))

RULES = [
    fm.UCB(),
    fm.CooperativeUCB(),
    fm.GSE(link_probability=0.9),
    fm.DrFedUCB(burn_in=6),
    fm.GoSInE(),
    fm.GossipUCB(),
    fm.DistUCB(),
    fm.S1(radius="naive"),
    fm.S2(radius="naive"),
    fm.LayeredElimination(n_layers=1),
]
every_rule = pytest.mark.parametrize("algorithm", RULES, ids=lambda rule: rule.label)


def problem(horizon=200, n=N, **facts):
    network = fm.Static(nx.complete_graph(n))
    return Problem(n, K, horizon, network.base, 1.0, facts.pop("sub_gaussian", 0.5), **facts)


class Alone:
    """One agent, whose rounds and outcomes a test decides."""

    def __init__(self, algorithm):
        self.p = algorithm.params(problem())
        self.state, self.boxes = init(self.p), (outbox(self.p), late_outbox(self.p))
        n = self.p.n_agents
        self.seen = Seen(np.full(n, -1), np.zeros((n, 1)), np.zeros(n, np.bool_), np.full(n, -1))

    def round(self, t, outcome=None):
        """Pull; learn from `outcome`, (arm, reward), or from none. The arm pulled."""
        p, s, arm = self.p, self.state, int(select(self.p, self.state, 0, t, COINS))
        if outcome == "at once":
            outcome = (arm, 0.1 * (arm + 1))
        self.seen.pulled[0], (self.seen.arm[0], self.seen.reward[0, 0]) = arm, outcome or (-1, 0.0)
        publish(p, s, 0, t, self.seen, self.boxes[0])
        update(p, s, 0, t, self.seen, self.boxes[0], NOBODY, COINS)
        publish_late(p, s, 0, t, self.boxes[1])
        update_late(p, s, 0, t, self.boxes[1], NOBODY)
        return arm


@every_rule
def test_while_no_outcome_comes_arms_are_pulled_in_turn(algorithm):
    agent = Alone(algorithm)
    arms = [agent.round(t) for t in range(1, 10)]
    if isinstance(algorithm, fm.GoSInE):
        assert sorted(arms) == sorted([*range(K)] * 3)
    else:
        assert arms == [*range(K)] * 3
    assert agent.state.waiting[0].tolist() == [3, 3, 3]


@every_rule
def test_a_lost_outcome_is_made_up_for_by_one_more_pull(algorithm):
    agent = Alone(algorithm)
    first = [agent.round(t, None if t == 2 else "at once") for t in range(1, K + 1)]
    assert sorted(first) == [0, 1, 2]
    if isinstance(algorithm, fm.GSE | fm.LayeredElimination):  # count pulls made, and need no outcome to begin with
        assert agent.round(K + 1, "at once") == 0
        return
    assert agent.round(K + 1, "at once") == first[1]


@every_rule
def test_a_late_outcome_counts_for_its_own_arm(algorithm):
    """Of arm 0, in a round in which another arm is pulled: the mean of arm 0 alone has it."""
    agent = Alone(algorithm)
    arms = [agent.round(1), agent.round(2, (0, 0.75))]
    state = agent.state
    if isinstance(algorithm, fm.GoSInE):
        assert 0 in arms
    else:
        assert arms == [0, 1]
    count = state.samples[0].reshape(-1, K).sum(axis=0) if hasattr(state, "samples") else state.pulls[0]
    assert count.tolist() == [1, 0, 0]
    assert state.waiting[0].tolist() == [np.sum(np.array(arms) == k) - (k == 0) for k in range(K)]


def test_gse_takes_the_arm_pulled_least_whether_its_outcome_came_or_not():
    agent = Alone(fm.GSE(link_probability=0.9))
    agent.round(1, "at once")
    assert [agent.round(t) for t in (2, 3)] == [1, 2]
    assert agent.round(4) == 0  # one pull of each: those of 1 and 2 wait


def test_gossip_ucb_counts_pulls_made_at_the_gate():
    """16 pulls are enough for GossipUCB with N = 4, wherever their outcomes are."""
    p = fm.GossipUCB().params(problem())
    state = init(p)
    state.tried[0], state.largest[0], state.gossip[0] = K, 20, [0.0, 0.0, 9.0]
    state.pulls[0], state.waiting[0] = [1, 1, 20], [15, 15, 0]
    assert not any(is_behind(p, state, 0, k) for k in range(K))
    state.waiting[0, 0] = 14
    assert {select(p, state, 0, t, COINS) for t in range(60, 90)} == {0}


def test_layers_get_the_outcomes_of_their_own_pulls():
    """Two pulls of arm 0 wait, asked for by layers 0 and 2: whichever comes first, both layers end with one sample."""
    p = fm.LayeredElimination(n_layers=3).params(problem())
    for coin in (0.2, 0.8):
        state, box = init(p), outbox(p)
        seen = Seen(np.array([0, -1, -1, -1]), np.full((N, 1), 0.5), np.zeros(N, np.bool_), np.array([1, -1, -1, -1]))
        state.waiting[0, 0], state.asked[0, 0, 0], state.asked[0, 2, 0] = 2, 1, 1
        for t in (5, 6):
            state.layer[0], state.coin[0] = 1, coin
            publish(p, state, 0, t, seen, box)
            update(p, state, 0, t, seen, box, NOBODY, COINS)
        assert state.samples[0, :, 0].tolist() == [1, 0, 1]
        assert state.asked[0, :, 0].tolist() == [0, 0, 0]
        assert state.asked[0, 1].tolist() == [0, 2, 0]
        assert state.waiting[0].tolist() == [0, 2, 0]


def test_an_agent_that_missed_the_end_of_an_epoch_asks_when_it_is_back():
    """S3 with three arms: epochs end in rounds 3, 9, 21. Agent 0 was away from round 2 to 10; 1 likes arm 2."""
    p = fm.S3(radius="naive").params(problem())
    state, box = init(p), outbox(p)
    seen = Seen(np.full(N, -1), np.zeros((N, 1)), np.zeros(N, np.bool_), np.zeros(N, np.int64))
    state.liked[1] = 2
    state.end[1] = 21
    for i in (0, 1):
        publish(p, state, i, 11, seen, box)
    assert box.favourite[1] == 2
    assert messages(p, state, 0, 11, seen, 3) == 3
    update(p, state, 0, 11, seen, box, np.array([1]), COINS)
    assert np.flatnonzero(state.active[0]).tolist() == [0, 2]
    assert state.end[0] == 21
    assert messages(p, state, 0, 12, seen, 3) == 0


def test_gosine_ends_the_phases_it_missed():
    p = fm.GoSInE().params(problem())
    state, box = init(p), outbox(p)
    seen = Seen(np.full(N, -1), np.zeros((N, 1)), np.zeros(N, np.bool_), np.zeros(N, np.int64))
    publish(p, state, 0, 30, seen, box)
    update(p, state, 0, 30, seen, box, NOBODY, COINS)
    assert state.phase[0] == 3  # phases end in rounds 1, 8, 27, 64
    assert messages(p, state, 0, 31, seen, 2) == 0


def test_drfed_hears_nothing_of_who_has_no_outcomes_yet():
    """A newcomer's means are zeros: they do not enter the others' averages; its own burn-in ends with its last arm."""
    p = fm.DrFedUCB(burn_in=6, c1=0.5).params(problem(n=2))
    state, box = init(p), outbox(p)
    seen = Seen(np.full(2, -1), np.zeros((2, 1)), np.zeros(2, np.bool_), np.full(2, -1))
    for t in range(1, 30):
        here = [0] if t < 10 else [0, 1]
        for i in here:
            seen.pulled[i] = seen.arm[i] = select(p, state, i, t, COINS)
            seen.reward[i, 0] = 0.5
            publish(p, state, i, t, seen, box)
        for i in here:
            others = np.array([j for j in here if j != i], np.int64)
            update(p, state, i, t, seen, box, others, COINS)
        assert state.ready.tolist() == [t >= 6, t >= 12]
        if t >= 6:
            np.testing.assert_allclose(state.gossip[0], 0.5, atol=1e-12)
    np.testing.assert_allclose(state.gossip, 0.5, atol=1e-12)


def test_the_oracle_averages_the_agents_that_can_be_heard():
    """Agent 0 is paid 0 by arm 0, agent 1 is paid 1: that is 1/2, and best, also when 1 is there in a third of rounds.

    Pooled, the rewards of arm 0 would average to .23.
    """
    rewards = fm.Bernoulli([[0.0, 0.4], [1.0, 0.4]])
    presence = fm.Presence(probability=(1.0, 0.3))
    world = rewards, fm.Static(nx.complete_graph(2))
    result = fm.simulate(
        fm.CentralUCB(), *world, horizon=3_000, presence=presence, engine="interpreted", progress=False, seed=4
    )
    assert result.pulls[0, 0, 0] > 0.6 * 3_000


# --- Rewards that are not in [0, 1] ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "field"),
    [
        (fm.UCB(), "exploration"),
        (fm.CooperativeUCB(), "exploration"),
        (fm.CentralUCB(), "exploration"),
        (fm.GoSInE(), "alpha"),
        (fm.GossipUCB(), "width"),
        (fm.DistUCB(c1=0.5), "width"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.label,
)
def test_a_radius_is_as_wide_as_rewards_are_noisy(algorithm, field):
    """Its square grows by (2 sigma)^2; 1/2 leaves it as it is, to the last bit."""
    narrow, wide = (getattr(algorithm.params(problem(sub_gaussian=s)), field) for s in (0.5, 1.5))
    default = {"exploration": 2.0, "alpha": 4.0, "width": 0.5 if isinstance(algorithm, fm.DistUCB) else 2.0 * N}[field]
    assert narrow == default
    assert wide == 9.0 * default


def test_gossip_ucbs_second_term_is_a_length():
    assert fm.GossipUCB().params(problem(sub_gaussian=1.0)).extra == 2.0 * fm.GossipUCB().params(problem()).extra


@pytest.mark.parametrize("algorithm", [fm.S1(), fm.S2(), fm.S3(), fm.S3Cert()], ids=lambda rule: rule.label)
def test_what_needs_rewards_from_0_to_1_refuses_others(algorithm):
    name = type(algorithm).__name__
    with pytest.raises(ValueError, match=rf"^{name}: expected rewards from 0 to 1; these may lie outside$"):
        algorithm.params(problem(bounded=False))
