"""Worlds as environments: they pass the tests of both libraries, and meet the simulator's own rewards and links."""

import warnings

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm

gymnasium = pytest.importorskip("gymnasium", reason="needs the extra `gym`")
pettingzoo_test = pytest.importorskip("pettingzoo.test", reason="needs the extra `gym`")
from gymnasium.utils.env_checker import check_env

from folkmoot.adapters import GymnasiumEnv, PettingZooEnv

MEANS = np.linspace(0.1, 0.9, 12).reshape(4, 3)
WORLDS = {
    "bernoulli, random links": (fm.Bernoulli(MEANS), fm.ErdosRenyi(nx.cycle_graph(4), 0.5), None),
    "gaussian, late and lost": (
        fm.Gaussian(MEANS, 0.5), fm.Static(nx.complete_graph(4)), fm.Feedback(delay="geometric", mean=2.0, loss=0.1),
    ),
    "moving means": (
        fm.Piecewise([(1, fm.Bernoulli(MEANS)), (20, fm.Bernoulli(MEANS[:, ::-1]))]),
        fm.OneSided(fm.Static(nx.path_graph(4)), loss=0.3),
        None,
    ),
    "vectors": (fm.VectorBernoulli(np.full((3, 2), 0.4), fm.Chebyshev(), n_agents=4), None, fm.Feedback(delay=3)),
    "one agent": (fm.Bernoulli(MEANS[:1]), None, None),
}  # fmt: skip


@pytest.fixture(params=WORLDS)
def world(request):
    return WORLDS[request.param]


def test_the_test_of_pettingzoo_passes(world):
    rewards, network, feedback = world
    pettingzoo_test.parallel_api_test(PettingZooEnv(rewards, network, horizon=10, feedback=feedback), num_cycles=25)


def test_parallel_seeds_repeat(world):
    rewards, network, feedback = world
    pettingzoo_test.parallel_seed_test(
        lambda: PettingZooEnv(rewards, network, horizon=10, feedback=feedback), num_cycles=10
    )


def test_the_test_of_gymnasium_passes(world):
    rewards, network, feedback = world
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that rewards of a normal law have no bounds
        check_env(GymnasiumEnv(rewards, network, horizon=30, feedback=feedback))


def play_by_hand(algorithm, rewards, network, feedback, *, horizon, seed, replicate):
    """Agents by hand in the environment, until its end: the environment."""
    env = PettingZooEnv(rewards, network, horizon=horizon, feedback=feedback)
    problem = fm.Problem(
        n_agents=rewards.n_agents, n_arms=rewards.n_arms, horizon=horizon, graph=network.base,
        link_probability=network.link_probability, sub_gaussian=rewards.sub_gaussian, bounded=rewards.bounded,
        delayed=feedback is not None,
    )  # fmt: skip
    agents = [fm.agent(algorithm, problem, i, seed=seed, replicate=replicate) for i in range(rewards.n_agents)]
    env.reset(seed=seed, options={"replicate": replicate})
    while env.agents:
        actions = {f"agent_{i}": agent.arm() for i, agent in enumerate(agents)}
        seen, paid, _, _, info = env.step(actions)
        for i, agent in enumerate(agents):
            name = f"agent_{i}"
            if seen[name]["arm"][i] >= 0:
                assert agent.awaited[info[name]["round"]] == seen[name]["arm"][i]
                assert paid[name] == seen[name]["reward"][i, 0]
                agent.outcome(seen[name]["reward"][i, 0], round=info[name]["round"])
        while True:
            said = {i: message for i, agent in enumerate(agents) if (message := agent.message()) is not None}
            if not said:
                break
            for i, agent in enumerate(agents):
                heard = np.flatnonzero(seen[f"agent_{i}"]["heard"]).tolist()
                agent.receive({j: said[j] for j in heard if j in said})
        for agent in agents:
            agent.close_round()
    return env


@pytest.mark.parametrize(("name", "algorithm"), [
    ("bernoulli, random links", fm.GSE()), ("gaussian, late and lost", fm.CooperativeUCB()),
])  # fmt: skip
def test_agents_of_ours_play_in_it_as_in_the_simulator(name, algorithm):
    rewards, network, feedback = WORLDS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = fm.simulate(
            algorithm, rewards, network, horizon=25, replicates=2, seed=5, feedback=feedback, engine="interpreted"
        )
    for replicate in range(2):
        env = play_by_hand(algorithm, rewards, network, feedback, horizon=25, seed=5, replicate=replicate)
        assert np.array_equal(env.rounds.pulls, result.pulls[replicate])
        assert env.rounds.regret == pytest.approx(result.regret[replicate, -1], rel=1e-12)


def test_regret_where_means_move_is_the_simulators():
    rewards, network, _ = WORLDS["moving means"]
    env = PettingZooEnv(rewards, network, horizon=30)
    result = fm.simulate(fm.UCB(), rewards, network, horizon=30, seed=3, engine="interpreted")
    problem = fm.Problem.on(network, n_arms=3, horizon=30)
    agents = [fm.agent(fm.UCB(), problem, i, seed=3) for i in range(4)]
    env.reset(seed=3)
    while env.agents:
        seen, *_ = env.step({f"agent_{i}": agent.arm() for i, agent in enumerate(agents)})
        for i, agent in enumerate(agents):
            agent.outcome(seen[f"agent_{i}"]["reward"][i, 0])
            agent.close_round()
    assert env.rounds.regret == pytest.approx(result.regret[0, -1], rel=1e-12)


def test_an_episode_without_a_seed_is_the_next_replicate():
    rewards, network, _ = WORLDS["gaussian, late and lost"]
    env = GymnasiumEnv(rewards, network, horizon=2, seed=9)
    places = []
    for call in ({}, {}, {"seed": 4}, {}, {"options": {"replicate": 7}}, {}):
        env.reset(**call)
        places.append((env.rounds.seed, env.rounds.replicate))
    assert places == [(9, 0), (9, 1), (4, 0), (4, 1), (4, 7), (4, 8)]


def test_means_that_are_drawn_anew_are_those_of_the_replicate():
    rewards = fm.Bernoulli({"law": "uniform", "n_agents": 2, "n_arms": 3}, redraw=True)
    env = GymnasiumEnv(rewards, None, horizon=40)
    result = fm.simulate(fm.UCB(), rewards, fm.Static(nx.path_graph(2)), horizon=40, replicates=2, engine="interpreted")
    for replicate in range(2):
        env.reset(options={"replicate": replicate})
        env.step([0, 0])
        assert env.rounds.regret == pytest.approx(2 * result.gaps[replicate, 0])


@pytest.mark.parametrize("share", [True, False])
def test_an_agent_sees_itself_and_its_neighbours_alone(share):
    env = PettingZooEnv(fm.Gaussian(MEANS), fm.Static(nx.path_graph(4)), horizon=5, share=share)
    first, _ = env.reset()
    assert all((seen["arm"] == -1).all() and not seen["reward"].any() for seen in first.values())
    seen, *_ = env.step({f"agent_{i}": i % 3 for i in range(4)})
    assert seen["agent_0"]["heard"].tolist() == [0, 1, 0, 0]
    assert seen["agent_0"]["arm"].tolist() == ([0, 1, -1, -1] if share else [0, -1, -1, -1])
    assert (seen["agent_0"]["reward"][2:] == 0.0).all()


GOOD = {f"agent_{i}": 0 for i in range(4)}


@pytest.mark.parametrize("actions", [{}, {**GOOD, "agent_0": 3}, {**GOOD, "agent_0": 1.0}, {**GOOD, "x": 0}, [0] * 4])
def test_what_is_no_arm_for_each_agent_is_refused_in_one_line(actions):
    env = PettingZooEnv(fm.Bernoulli(MEANS), horizon=5)
    env.reset()
    with pytest.raises(ValueError, match=r"^action[^\n]*: expected an arm [^\n]*\Z"):
        env.step(actions)


@pytest.mark.parametrize("action", [0, [0] * 3, [0, 0, 0, 3], [0, 0, 0, True], "0000", [[0]] * 4])
def test_what_is_no_action_is_refused_in_one_line(action):
    env = GymnasiumEnv(fm.Bernoulli(MEANS), horizon=5)
    env.reset()
    with pytest.raises(ValueError, match=r"^action[^\n]*: expected an arm [^\n]*\Z"):
        env.step(action)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rewards": MEANS}, "rewards = ndarray"),
        ({"network": nx.path_graph(4)}, "network = Graph"),
        ({"network": fm.Static(nx.path_graph(3))}, "rewards are for 4 agents, the network has 3"),
        ({"horizon": 0}, "horizon = 0"),
        ({"feedback": 3}, "feedback = int"),
        ({"seed": -1}, "seed = -1"),
    ],
)
@pytest.mark.parametrize("kind", [PettingZooEnv, GymnasiumEnv])
def test_what_does_not_fit_is_refused_in_one_line(kind, given, said):
    with pytest.raises(ValueError, match=rf"^{said}[^\n]*\Z"):
        kind(**{"rewards": fm.Bernoulli(MEANS), "horizon": 5, **given})


def test_after_the_last_round_and_with_unknown_options_it_says_so():
    env = GymnasiumEnv(fm.Bernoulli(MEANS[:1]), horizon=1)
    env.reset()
    assert env.step(0)[3]
    with pytest.raises(ValueError, match="round 1 was the last: call reset first"):
        env.step(0)
    with pytest.warns(UserWarning, match="options: field 'replicat': unknown; did you mean 'replicate'"):
        env.reset(options={"replicat": 1})
