"""Python objects as agents: asked, told and heard as any algorithm, repeatable, and refused in one line."""

import subprocess
import sys
from math import log, sqrt

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.adapters import Objects

MEANS = np.linspace(0.1, 0.9, 12).reshape(4, 3)
PATH = fm.Static(nx.path_graph(4))


class OwnUCB:
    """UCB1, written elsewhere."""

    def __init__(self, i, problem, seed):
        self.pulls, self.means, self.t = [0] * problem.n_arms, [0.0] * problem.n_arms, 0

    def select(self):
        self.t += 1
        if 0 in self.pulls:
            return np.int64(self.pulls.index(0))
        width = sqrt(2.0 * log(self.t))
        indices = [mean + width * (1.0 / sqrt(n)) for mean, n in zip(self.means, self.pulls)]
        return indices.index(max(indices))

    def update(self, arm, reward):
        self.pulls[arm] += 1
        self.means[arm] += (reward - self.means[arm]) / self.pulls[arm]


class Chance:
    """Pulls at random and writes down what it was told."""

    def __init__(self, i, problem, seed):
        self.draw, self.n_arms, self.told, self.heard = np.random.default_rng(seed), problem.n_arms, [], []

    def select(self):
        return self.draw.integers(self.n_arms)

    def update(self, arm, reward):
        self.told.append((arm, reward))

    def hear(self, agent, arm, reward):
        self.heard.append((agent, arm, reward))


def play(algorithm, rewards=None, horizon=50, **options):
    rewards = fm.Bernoulli(MEANS) if rewards is None else rewards
    return fm.simulate(algorithm, rewards, PATH, horizon=horizon, engine="interpreted", **options)


def test_an_object_that_thinks_as_ucb_pulls_as_ucb():
    theirs, ours = play(Objects(OwnUCB), replicates=2), play(fm.UCB(), replicates=2)
    assert np.array_equal(theirs.pulls, ours.pulls)
    assert theirs.regret.tolist() == ours.regret.tolist()
    assert theirs.messages.tolist() == [0, 0]


def test_objects_that_draw_from_their_seed_repeat_and_differ():
    one, two = play(Objects(Chance), replicates=3, seed=1), play(Objects(Chance), replicates=3, seed=1, jobs=2)
    assert np.array_equal(one.pulls, two.pulls)
    different = {tuple(pulls) for replicate in one.pulls.tolist() for pulls in map(tuple, replicate)}
    assert len(different) > 6
    assert not np.array_equal(one.pulls, play(Objects(Chance), replicates=3, seed=2).pulls)


@pytest.mark.parametrize("feedback", [None, fm.Feedback(delay=2)])
def test_neighbours_are_heard_when_agents_share(feedback):
    made = []
    result = play(Objects(lambda *given: made.append(Chance(*given)) or made[-1], share=True), feedback=feedback)
    late = 0 if feedback is None else 2
    assert [len(one.told) for one in made] == [50 - late] * 4
    assert [{agent for agent, _, _ in one.heard} for one in made] == [{1}, {0, 2}, {1, 3}, {2}]
    assert [(arm, reward) for _, arm, reward in made[0].heard] == made[1].told
    assert result.messages.tolist() == [50 * 6]
    assert result.bytes.tolist() == [50 * 6 * 16]


def test_vectors_arrive_as_vectors():
    made = []
    rewards = fm.VectorBernoulli(np.full((3, 2), 0.4), fm.Linear([0.5, 0.5]), n_agents=4)
    play(Objects(lambda *given: made.append(Chance(*given)) or made[-1]), rewards)
    assert {reward.shape for _, reward in made[0].told} == {(2,)}
    assert len({reward.tobytes() for _, reward in made[0].told}) > 1


def test_a_result_says_what_was_played_and_is_saved(tmp_path):
    result = play(Objects(OwnUCB))
    assert result.configuration["algorithm"]["make"].endswith(":OwnUCB")
    result.save(tmp_path / "kept")
    assert np.array_equal(fm.load(tmp_path / "kept").pulls, result.pulls)


class NoUpdate:
    def select(self):
        return 0


class Says:
    def __init__(self, arm):
        self.arm = arm

    def select(self):
        return self.arm

    def update(self, arm, reward):
        pass


@pytest.mark.parametrize(
    ("make", "share", "said"),
    [
        (lambda i, problem, seed: 7, False, "agent 0: make gave int without select; expected select and update"),
        (lambda i, problem, seed: NoUpdate(), False, "agent 0: make gave NoUpdate without update"),
        (lambda i, problem, seed: Says(0), True, "agent 0: make gave Says without hear"),
        (lambda i, problem, seed: Says("a"), False, "agent 0: select gave 'a'; expected an arm from 0 to 2"),
        (lambda i, problem, seed: Says(True), False, "agent 0: select gave True"),
        (lambda i, problem, seed: Says(3), False, ".*3"),
    ],
)
def test_what_is_no_agent_is_refused_in_one_line(make, share, said):
    with pytest.raises(ValueError, match=rf"^{said}[^\n]*\Z"):
        play(Objects(make, share))


def test_no_function_and_the_compiled_loop_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"make = int: expected a function make\(i, problem, seed\)\Z"):
        Objects(3)
    with pytest.raises(ValueError, match=r"^Python objects: cannot be compiled; use engine='interpreted'\Z"):
        fm.simulate(Objects(OwnUCB), fm.Bernoulli(MEANS), PATH, horizon=50)


@pytest.mark.parametrize("name", ["GymnasiumEnv", "PettingZooEnv"])
@pytest.mark.parametrize("missing", ["gymnasium", "pettingzoo"])
def test_without_the_extra_one_line_says_what_to_install(name, missing):
    if (name, missing) == ("GymnasiumEnv", "pettingzoo"):
        return
    program = (
        f"import sys; sys.modules[{missing!r}] = None\nimport folkmoot.adapters as a\n"
        f"try: a.{name}\nexcept ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith(": pip install 'folkmoot[gym]'\n"), done.stderr
    assert done.stdout.startswith(f"{name} needs ")
