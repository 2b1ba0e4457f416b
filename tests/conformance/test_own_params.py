"""The record of an algorithm of one's own: what is wrong with it is said in one line that names the class."""

from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.cli import main

WORLD = fm.Bernoulli(np.array([[0.2, 0.8]] * 3)), fm.Static(nx.complete_graph(3))
PROBLEM = fm.Problem.on(WORLD[1], n_arms=2, horizon=10)
EXPECTED = "expected a NamedTuple with the fields n_agents and n_arms, as the problem has them"


class Arms(NamedTuple):
    n_arms: int


class Agents(NamedTuple):
    n_agents: int


class Both(NamedTuple):
    n_agents: Any
    n_arms: Any


class Given(fm.Algorithm):
    """Its record is whatever `what` is; an error is raised."""

    label: ClassVar[str] = "Given"
    what: Any = None

    def params(self, problem: fm.Problem) -> Any:
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


class Without(fm.Algorithm):
    """No params."""


CASES = [
    (Given(what=3), f"Given: params gave 3; {EXPECTED}"),
    (Given(), f"Given: params gave None; {EXPECTED}"),
    (Given(what=(3, 2)), f"Given: params gave (3, 2); {EXPECTED}"),
    (Given(what=Arms(2)), f"Given: Arms has no field n_agents; {EXPECTED}"),
    (Given(what=Agents(3)), f"Given: Agents has no field n_arms; {EXPECTED}"),
    (Given(what=Both(2, 3)), "Given: params gave n_agents = 2; expected the problem's 3"),
    (Given(what=Both(3, 2.0)), "Given: params gave n_arms = 2.0; expected the problem's 2"),
    (Given(what=Both(3, True)), "Given: params gave n_arms = True; expected the problem's 2"),
    (Given(what=KeyError("delta")), f"Given: params raised KeyError: 'delta'; {EXPECTED}"),
    (Given(what=ValueError("two\nlines")), "Given: two lines"),
    (Given(what=RuntimeError()), f"Given: params raised RuntimeError; {EXPECTED}"),
    (Without(), f"Without: has no method params(problem); {EXPECTED}"),
]


@pytest.mark.parametrize(("algorithm", "line"), CASES, ids=[line[:40] for _, line in CASES])
def test_it_is_refused_by_every_door(algorithm: fm.Algorithm, line: str) -> None:
    for call in (
        lambda: fm.simulate(algorithm, *WORLD, horizon=10, engine="interpreted", progress=False),
        lambda: fm.check_algorithm(algorithm, *WORLD, horizon=10),
        lambda: fm.agent(algorithm, PROBLEM, 0),
    ):
        with pytest.raises(ValueError, match=" ") as caught:
            call()
        assert str(caught.value) == line


MODULE = """
import folkmoot as fm
class Three(fm.Algorithm):
    def params(self, problem):
        return 3
"""
FILE = """
name = "three"
horizon = 10
[rewards]
type = "bernoulli"
means = [0.2, 0.8]
n_agents = 3
[network]
type = "static"
base = "complete"
[[algorithm]]
type = "own_params_three:Three"
"""


def test_a_file_says_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_params_three.py").write_text(MODULE)
    (tmp_path / "x.toml").write_text(FILE)
    assert main(["run", str(tmp_path / "x.toml"), "--out", str(tmp_path / "out")]) != 0
    said = capsys.readouterr().err
    assert f"Three: params gave 3; {EXPECTED}" in said
    assert "Traceback" not in said


def test_a_check_refuses_what_is_no_world() -> None:
    with pytest.raises(
        ValueError, match=r"^rewards = int: expected a reward law such as folkmoot\.Bernoulli\(means\)$"
    ):
        fm.check_algorithm(fm.UCB(), 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^network = int: expected a network such as folkmoot\.Static\(graph\)$"):
        fm.check_algorithm(fm.UCB(), WORLD[0], 3)  # type: ignore[arg-type]
