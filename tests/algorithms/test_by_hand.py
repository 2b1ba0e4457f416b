"""An agent driven by hand is the simulator's agent; what it is handed wrongly is refused in one line."""

from dataclasses import fields, replace

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.coins import replicate_coins, seed_words
from folkmoot.interface import Scalar, draw_links, links, pay
from folkmoot.machine import Noticed

MEANS = np.array([[0.9, 0.1, 0.7], [0.1, 0.9, 0.8], [0.3, 0.2, 0.9], [0.2, 0.3, 0.8]])
NETWORK = fm.ErdosRenyi(nx.complete_graph(4), 0.6)
PROBLEM = fm.Problem.on(NETWORK, n_arms=3, horizon=80)


def play(agents, rounds, first=1, seed=3, replicate=2):
    """The world of `simulate`, in a loop of one's own."""
    coins, rewards, network = (
        replicate_coins(*seed_words(seed), replicate),
        fm.Bernoulli(MEANS).record(),
        NETWORK.record(),
    )
    active, reward, pulls = links(network), np.zeros((4, 1)), np.zeros((4, 3), np.int64)
    for t in range(first, first + rounds):
        draw_links(network, t, coins, active)
        for i, agent in enumerate(agents):
            arm = agent.arm()
            pulls[i, arm] += 1
            pay(rewards, None, i, arm, t, coins, reward)
            agent.outcome(reward[i, 0])
        while (messages := [agent.message() for agent in agents])[0] is not None:
            for i, agent in enumerate(agents):
                row = active.neighbours[active.start[i] : active.start[i] + active.count[i]]
                assert agent.receive({int(j): messages[j] for j in row}) == []
        for agent in agents:
            agent.close_round()
    return pulls


def simulated(algorithm):
    result = fm.simulate(algorithm, fm.Bernoulli(MEANS), NETWORK, horizon=80, replicates=3, seed=3, progress=False)
    return result.pulls[2]


@pytest.mark.parametrize(
    "algorithm", [fm.GSE(), fm.DrFedUCB(burn_in=20), fm.GossipUCB(), fm.UCB()], ids=lambda a: a.label
)
def test_a_loop_of_ones_own_plays_what_the_simulator_plays(algorithm):
    agents = [fm.agent(algorithm, PROBLEM, i, seed=3, replicate=2) for i in range(4)]
    assert (play(agents, 80) == simulated(algorithm)).all()


def test_an_agent_goes_on_from_what_it_kept():
    agents = [fm.agent(fm.GSE(), PROBLEM, i, seed=3, replicate=2) for i in range(4)]
    pulls = play(agents, 30)
    stored = [dict(agent.kept) for agent in agents]
    again = [fm.agent(fm.GSE(), PROBLEM, i, seed=3, replicate=2, kept=kept) for i, kept in enumerate(stored)]
    assert [agent.round for agent in again] == [31] * 4
    assert (pulls + play(again, 50, 31) == simulated(fm.GSE())).all()


def test_inside_a_round_too():
    agent = fm.agent(fm.GSE(), PROBLEM, 0)
    arm = agent.arm()
    agent.outcome(1.0)
    told = agent.message()
    again = fm.agent(fm.GSE(), PROBLEM, 0, kept=agent.kept)
    assert (again.round, again.arm()) == (1, arm)
    assert again.message() is None  # that message is gone; nothing is told twice
    agent.receive({})
    again.receive({})
    assert told is not None
    assert agent.message() == again.message()


def test_without_neighbours_it_learns_alone():
    agent = fm.agent(fm.UCB(), PROBLEM, 0)
    for reward in (0.1, 0.9, 0.2):
        agent.outcome(reward)
        agent.close_round()
    assert (agent.round, agent.arm()) == (4, 1)


def test_arms_without_an_outcome_are_pulled_again():
    agent, arms = fm.agent(fm.UCB(), PROBLEM, 0), []
    for t in range(1, 7):
        arms.append(agent.arm())
        if t == 4:
            agent.outcome(0.5)
        assert agent.message() is None
        agent.close_round()
    assert arms == [0, 1, 2, 0, 1, 2]
    assert agent.awaited == {t: (t - 1) % 3 for t in (1, 2, 3, 5, 6)}


def test_an_outcome_of_an_earlier_round_is_handed_in_with_its_number():
    agent = fm.agent(fm.GSE(), PROBLEM, 0)
    for t in range(1, 5):
        arm = agent.arm()
        if t == 3:
            agent.outcome(0.25, round=1)
            agent.outcome(0.75)  # waits for the next round: one enters in each
        assert agent.message() is not None
        agent.receive({})
        agent.close_round()
    state = agent.machine.learner.state
    assert (arm, agent.awaited) == (0, {2: 1, 4: 0})
    assert (state.pulls[0].tolist(), state.mean[0].tolist()) == ([1, 0, 1], [0.25, 0.0, 0.75])
    assert state.waiting[0].tolist() == [1, 1, 0]
    again = fm.agent(fm.GSE(), PROBLEM, 0, kept=agent.kept)
    again.outcome(0.5, round=2)
    for of in (1, 2, 0, 99):
        with pytest.raises(ValueError, match=rf"^round {of}: has its outcome, or none is awaited any more$"):
            again.outcome(0.5, round=of)


def test_late_outcomes_are_taken_within_the_window():
    agent = fm.agent(fm.UCB(), PROBLEM, 0, window=2)
    for _ in range(4):
        agent.close_round()
    assert agent.arm() == 1
    assert agent.awaited.keys() == {3, 4, 5}
    for bad in (0, True, 1.5):
        with pytest.raises(ValueError, match=r"^window = .*: expected a number of rounds from 1 on$"):
            fm.agent(fm.UCB(), PROBLEM, 0, window=bad)


def test_it_says_when_it_has_settled_and_when_it_wants_a_verified_pull():
    problem = fm.Problem(4, 3, 80, NETWORK.base, 0.6, 0.5, verification=20)
    agent = fm.agent(fm.S3Cert(), problem, 0)
    assert agent.asks_to_verify
    assert agent.decision == -1
    assert not fm.agent(fm.GSE(), PROBLEM, 0).asks_to_verify


def test_what_was_wrong_with_a_message_is_told():
    agents = [fm.agent(fm.GSE(), PROBLEM, i) for i in range(2)]
    for agent in agents:
        agent.outcome(0.5)
    told = agents[1].message()
    notices = agents[0].receive({1: told[:-1], 0: told, 7: told, 2: told})
    assert [tuple(notice)[:2] for notice in notices] == [(0, "no neighbour"), (1, "malformed"), (7, "no neighbour")]


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), (0.5, 0.5), "much", None, True, [True], 1 + 0j])
def test_what_is_no_reward_is_refused(reward):
    agent = fm.agent(fm.GSE(), PROBLEM, 0)
    with pytest.raises(ValueError, match=r"^reward = .*: expected 1 number\(s\) from 0 to 1$"):
        agent.outcome(reward)


def test_a_second_outcome_and_messages_after_the_end_are_refused():
    agent = fm.agent(fm.GSE(), PROBLEM, 0)
    agent.outcome(0.5)
    with pytest.raises(ValueError, match=r"^round 1: has its outcome"):
        agent.outcome(0.5)
    agent.receive({})
    agent.receive({})
    with pytest.raises(ValueError, match=r"^round 1: takes no more messages; call close_round first$"):
        agent.receive({})


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [
        (fm.CentralUCB(), "CentralUCB: is an oracle"),
        (fm.S2(radius="oracle"), "S2: is an oracle"),
        (fm.BCUCB(), "BCUCB: plays on a chain; use folkmoot.simulate_chain"),
        (fm.UCBSBM(clusters="detect", n_clusters=2), "UCBSBM: studies its world"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_agent_can_run_alone_is_refused(algorithm, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        fm.agent(algorithm, PROBLEM, 0)


@pytest.mark.parametrize("i", [-1, 4, True, 1.0, "1"])
def test_an_agent_that_is_not_there_is_refused(i):
    with pytest.raises(ValueError, match=r"^agent = .*: expected a number from 0 to 3$"):
        fm.agent(fm.GSE(), PROBLEM, i)


def test_after_the_horizon_there_is_no_round():
    problem = fm.Problem.on(NETWORK, n_arms=3, horizon=3)
    agent = fm.agent(fm.UCB(), problem, 0)
    for _ in range(3):
        agent.outcome(0.5)
        agent.close_round()
    with pytest.raises(ValueError, match=r"^round = 4: expected at most the horizon, 3$"):
        agent.arm()


@pytest.mark.parametrize(("n_arms", "horizon"), [(0, 5), (6, 5)])
def test_a_problem_without_room_is_refused(n_arms, horizon):
    with pytest.raises(ValueError, match=r"^n_arms = \d, horizon = 5: expected"):
        fm.Problem.on(NETWORK, n_arms=n_arms, horizon=horizon)


@pytest.mark.parametrize("reward", [7.0, -0.001, 1.0000001])
def test_an_outcome_out_of_the_range_of_rewards_is_refused(reward):
    network = fm.Static(nx.path_graph(4))
    with pytest.raises(ValueError, match=rf"^reward = {reward}: expected 1 number\(s\) from 0 to 1$"):
        fm.agent(fm.CooperativeUCB(), fm.Problem.on(network, n_arms=2, horizon=9), 0).outcome(reward)
    fm.agent(fm.UCB(), fm.Problem.on(network, n_arms=2, horizon=9, bounded=False), 0).outcome(reward)


TOLD = {"mean": 7.0, "total": 90.0, "reward": -0.5, "row": 7.0}


@pytest.mark.parametrize(
    "algorithm", [fm.CooperativeUCB(), fm.ByzantineUCB(), fm.FloodSE(), fm.UCBSBM(clusters=(0,) * 4)]
)
def test_a_message_out_of_the_range_of_rewards_is_refused_with_a_reason(algorithm):
    problem = fm.Problem.on(fm.Static(nx.complete_graph(4)), n_arms=2, horizon=400)
    honest, liar = (fm.agent(algorithm, problem, i) for i in (0, 1))
    for agent in (honest, liar):
        agent.outcome(0.5)
    data, learner = liar.message(), liar.machine.learner

    def change(box):
        for name, value in TOLD.items():
            if name in box._fields and getattr(box, name).size > 0:
                getattr(box, name)[1] = value

    assert honest.receive({1: learner.retold(data, change)}) == [Noticed(1, "impossible")]
    again = fm.agent(algorithm, problem, 0)
    again.outcome(0.5)
    assert again.receive({1: data}) == []


@pytest.mark.parametrize("messages", [[b"m"], {1: "m"}, {"1": b"m"}, {True: b"m"}, None])
def test_what_is_no_message_is_refused(messages):
    agent = fm.agent(fm.CooperativeUCB(), fm.Problem.on(fm.Static(nx.path_graph(4)), n_arms=2, horizon=9), 0)
    agent.outcome(0.5)
    with pytest.raises(ValueError, match=r"^message[^\n]*: expected bytes by the numbers of agents$"):
        agent.receive(messages)


def test_true_is_no_round_and_no_network_is_refused():
    problem = fm.Problem.on(fm.Static(nx.path_graph(4)), n_arms=2, horizon=9)
    with pytest.raises(ValueError, match=r"^round = True: expected an integer"):
        fm.agent(fm.UCB(), problem, 0).outcome(0.5, round=True)
    with pytest.raises(ValueError, match=r"^verified = 1: expected true or false$"):
        fm.agent(fm.UCB(), problem, 0).outcome(0.5, verified=1)
    with pytest.raises(ValueError, match=r"^network = Graph: expected a network such as folkmoot\.Static\(graph\)$"):
        fm.Problem.on(nx.path_graph(4), n_arms=2, horizon=9)


def test_what_was_kept_with_another_window_is_refused():
    problem = fm.Problem.on(fm.Static(nx.path_graph(4)), n_arms=2, horizon=9)
    agent = fm.agent(fm.UCB(), problem, 0, window=5)
    agent.outcome(0.5)
    agent.close_round()
    assert fm.agent(fm.UCB(), problem, 0, window=5, kept=agent.kept).round == 2
    for window in (4, 1_000):
        with pytest.raises(ValueError, match=rf"^window = {window}: kept by an agent with 5; expected the same$"):
            fm.agent(fm.UCB(), problem, 0, window=window, kept=agent.kept)


FACTS = {
    "n_agents": 5,
    "n_arms": 4,
    "horizon": 81,
    "graph": fm.Static(nx.cycle_graph(4)).base,
    "link_probability": 0.7,
    "sub_gaussian": 0.25,
    "labels": np.array([0, 0, 1, 1]),
    "bounded": False,
    "n_objectives": 2,
    "scalarisation": Scalar(2),
    "corruption": 1.0,
    "verification": 1,
    "one_sided": True,
    "absent": True,
    "delayed": True,
    "moving": True,
    "replayed": True,
}


@pytest.mark.parametrize("fact", [field.name for field in fields(fm.Problem)])
def test_what_was_kept_for_another_problem_is_refused(fact):
    """Whatever of it the record of the algorithm holds: that of UCB holds the first two and sub_gaussian."""
    algorithm = fm.S2() if fact == "n_objectives" else fm.UCB()
    if fact == "n_agents":
        other = fm.Problem.on(fm.ErdosRenyi(nx.complete_graph(5), 0.6), n_arms=3, horizon=80)
    else:
        other = replace(PROBLEM, **{fact: FACTS[fact]})
    agent = fm.agent(algorithm, other, 0)
    agent.arm()
    with pytest.raises(ValueError, match=r"^kept values: another agent, or one of another algorithm or game, has kept"):
        fm.agent(algorithm, PROBLEM, 0, kept=agent.kept)
    assert fm.agent(algorithm, other, 0, kept=agent.kept).round == 1


def test_one_of_another_algorithm_with_such_a_record_is_refused():
    class Twin(fm.UCB):
        """Another name, the same record."""

    agent = fm.agent(fm.UCB(), PROBLEM, 0)
    agent.arm()
    with pytest.raises(ValueError, match=r"^kept values"):
        fm.agent(Twin(), PROBLEM, 0, kept=agent.kept)


def test_an_equal_problem_made_anew_goes_on():
    agent = fm.agent(fm.UCB(), PROBLEM, 0)
    agent.arm()
    facts = {"horizon": 80, "sub_gaussian": np.float64(0.5), "bounded": np.True_}
    again = fm.Problem.on(fm.ErdosRenyi(nx.complete_graph(4), 0.6), n_arms=3, **facts)
    assert fm.agent(fm.UCB(), again, 0, kept=agent.kept).round == 1


def test_base_graphs_without_stored_edges_are_told_apart():
    model, labels = fm.StochasticBlockModel, [0, 0, 1, 1]
    networks = [
        model(labels, 0.5, 0.0),
        model(labels, 0.0, 0.5),
        model(labels, 0.5, 0.5),
        model([0, 1, 0, 1], 0.5, 0.0),
    ]
    networks += [model(labels, probabilities=[[0.5, p], [p, 0.5]]) for p in (0.0, 0.25)]
    assert len({network.base.digest for network in networks}) == 6
    assert model(labels, 0.4, 0.0).base.digest == networks[0].base.digest


@pytest.mark.parametrize(("given", "called"), [("gse", "str"), (fm.GSE, "the class GSE"), (None, "NoneType")])
def test_what_is_no_algorithm_is_refused_as_simulate_does(given, called):
    line = rf"^algorithm = {called}: expected an algorithm such as folkmoot\.GSE\(\)$"
    with pytest.raises(ValueError, match=line):
        fm.agent(given, PROBLEM, 0)
    with pytest.raises(ValueError, match=line):
        fm.simulate(given, fm.Bernoulli(MEANS), NETWORK, horizon=80)


def test_what_is_no_problem_is_refused():
    with pytest.raises(
        ValueError, match=r"^problem = int: expected facts such as folkmoot\.Problem\.on\(network, \.\.\.\)$"
    ):
        fm.agent(fm.GSE(), 3, 0)
