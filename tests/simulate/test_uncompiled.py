"""A function that cannot be compiled is named in one line, with the line of the user's file."""

import inspect
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.interface import IMPLEMENTATIONS, implements, kernel
from folkmoot.simulation import uncompiled


class Unknown(fm.Algorithm):
    """Asks for a field that its state has not, in a function that `select` calls."""

    def params(self, problem: Problem) -> "Params":
        return Params(problem.n_agents, problem.n_arms)


class Params(NamedTuple):
    n_agents: int
    n_arms: int


class State(NamedTuple):
    pulls: np.ndarray


@implements(Params)
def init(params):
    return State(np.zeros(params.n_agents, np.int64))


@kernel
def deep(state, i):
    return state.missing[i]


@implements(Params)
def select(params, state, i, t, coins):
    return 0 if deep(state, i) > 0 else 1


def test_one_line_names_function_and_line() -> None:
    line = inspect.getsourcelines(deep)[1] + 2
    with pytest.raises(ValueError, match="cannot be compiled") as caught:
        fm.simulate(Unknown(), fm.Bernoulli([0.2, 0.8], n_agents=4), fm.Static(nx.cycle_graph(4)), horizon=20)
    text = str(caught.value)
    assert text.startswith(f"deep (test_uncompiled.py, line {line}) cannot be compiled: Unknown attribute 'missing'")
    assert "\n" not in text
    assert len(str(caught.value.__cause__).splitlines()) > 50


def failing(text: str) -> Any:
    class Failing(Exception):
        pass

    Failing.__module__ = "numba.core.errors"

    def run() -> None:
        raise Failing(text)

    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # a name is given no line: that of the function asked for
            "No implementation of function Function(<function select at 0x7f>)\n NameError: name 'x' is not defined",
            "select (test_uncompiled.py, line {select}) cannot be compiled: NameError: name 'x' is not defined;",
        ),
        (
            "non-precise type pyobject\n- argument 0: Cannot determine Numba type of <class '__main__.Params'>\n",
            "record Params cannot be compiled: expected numbers, arrays or records of these in its fields",
        ),
        (
            "NumbaTypeError: Unsupported array index type float64 in Tuple(int64)\n",
            "one of init, select (test_uncompiled.py) cannot be compiled: Unsupported array index type float64 in",
        ),
        (
            "Something of the future\nmore\n",
            "one of init, select (test_uncompiled.py) cannot be compiled: Something of",
        ),
    ],
)
def test_other_texts_of_the_compiler(text: str, expected: str) -> None:
    line = IMPLEMENTATIONS[Params, "select"].__code__.co_firstlineno
    with pytest.raises(uncompiled.Uncompiled) as caught:
        uncompiled.named(failing(text), (Params(4, 2),))
    assert str(caught.value).startswith(expected.format(select=line))


def test_what_is_not_the_users_is_left_alone() -> None:
    with pytest.raises(Exception, match="of ours") as caught:
        uncompiled.named(failing("of ours"), (State(np.zeros(2)),))
    assert not isinstance(caught.value, uncompiled.Uncompiled)
    with pytest.raises(ZeroDivisionError):
        uncompiled.named(lambda: 1 // 0, (Params(4, 2),))
