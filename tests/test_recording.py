"""Kernels are recorded at import and compiled when a loop is first asked for: who needs numba, and what it knows."""

import subprocess
import sys
from typing import NamedTuple

import networkx as nx
import numpy as np
from jitted import jit

import folkmoot as fm
from folkmoot.coins import CHOICE, below
from folkmoot.interface import Recorded, implements, inlined, kernel, tell

WITHOUT = """
import sys
from importlib import import_module
from pkgutil import iter_modules
import folkmoot.algorithms, folkmoot.world
import folkmoot.interface, folkmoot.coins, folkmoot.simulation.engine, folkmoot.simulation.compiled
for package in (folkmoot.algorithms, folkmoot.world):
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
assert folkmoot.coins.uniform(folkmoot.coins.replicate_coins(1, 2, 3), 1, 2, 3, 4) < 1.0
"""
INTERPRETED = """
import networkx as nx
import folkmoot as fm
world = fm.Bernoulli([0.1, 0.9], n_agents=3), fm.Static(nx.complete_graph(3))
fm.simulate(fm.GSE(), *world, horizon=20, engine="interpreted", progress=False)
"""
AGENTS = """
problem = fm.Problem.on(fm.Static(nx.complete_graph(3)), n_arms=2, horizon=20)
agents = [fm.agent(fm.GSE(), problem, i) for i in range(3)]
for t in range(10):
    for agent in agents:
        agent.outcome(float(agent.arm()))
    for _ in range(2):
        told = [agent.message() for agent in agents]
        for i, agent in enumerate(agents):
            assert agent.receive({j: told[j] for j in range(3) if j != i}) == []
    for agent in agents:
        agent.close_round()
"""
NODES = """
from contextlib import suppress
import folkmoot.node
found = [module.name for module in iter_modules(folkmoot.node.__path__)]
for name in found:
    with suppress(ModuleNotFoundError):  # of an extra that is not installed
        import_module(f"folkmoot.node.{name}")
assert "play" in found and "folkmoot.node.play" in sys.modules
"""
END = "assert 'numba' not in sys.modules and 'llvmlite' not in sys.modules"


def in_a_process(*parts):
    done = subprocess.run([sys.executable, "-c", "\n".join(parts)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_algorithm_or_world_loads_numba():
    in_a_process(WITHOUT, END)


def test_an_interpreted_run_loads_no_numba():
    in_a_process(WITHOUT, INTERPRETED, END)


def test_agents_at_work_load_no_numba():
    in_a_process(WITHOUT, "import networkx as nx, folkmoot as fm", AGENTS, END)


def test_no_part_of_a_node_loads_numba():
    in_a_process(WITHOUT, NODES, END)


def test_a_compiled_run_does():
    """Guards those above: were numba renamed, they would look for nothing."""
    in_a_process(WITHOUT, INTERPRETED.replace("interpreted", "compiled"), END.replace("not in", "in"))


def lucky_algorithm():
    """A user's algorithm, defined when this is called: a record, a kernel, an inlined one."""

    class Lucky(fm.Algorithm):
        def params(self, problem):
            return Own(problem.n_agents, problem.n_arms)

    class Own(NamedTuple):
        n_agents: int
        n_arms: int

    class State(NamedTuple):
        nothing: np.ndarray

    @kernel
    def chosen(params, i, t, coins):
        return below(coins, params.n_arms, CHOICE, t, i, 0)

    @inlined
    def again(arm, params):
        return (arm + 1) % params.n_arms

    @implements(Own)
    def init(params):
        return State(np.zeros((params.n_agents, 1)))

    @implements(Own)
    def select(params, state, i, t, coins):
        return again(chosen(params, i, t, coins), params)

    return Lucky()


def test_what_is_defined_after_the_first_compiled_run_is_known():
    world = fm.Bernoulli([0.1, 0.5, 0.9], n_agents=3), fm.Static(nx.complete_graph(3))
    fm.simulate(fm.UCB(), *world, horizon=50)
    for _ in range(2):  # a notebook's cell, run twice
        algorithm = lucky_algorithm()
        slow = fm.simulate(algorithm, *world, horizon=50, engine="interpreted")
        assert (fm.simulate(algorithm, *world, horizon=50).pulls == slow.pulls).all()


def test_marks_leave_a_function_as_it_is():
    def double(x):
        return 2 * x

    assert kernel(double) is double
    assert inlined(double) is double
    assert double(3) == 6


def test_a_compiler_is_told_of_what_came_before_and_what_comes_later():
    @kernel
    def before(x):
        return x

    heard = []
    tell(heard.append)
    assert Recorded("kernel", before) in heard

    @inlined
    def later(x):
        return before(x)

    assert heard[-1] == Recorded("inlined", later)


def test_functions_recorded_later_compile():
    jit(lambda x: x)(1)

    @kernel
    def triple(x):
        return 3 * x

    @jit
    def call(x):
        return triple(x)

    assert call(2) == 6
