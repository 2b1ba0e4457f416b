"""`type = "module:Class"`: algorithms, rewards, networks and attacks of one's own, from the file to the report."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

import folkmoot as fm
from folkmoot import own_code
from folkmoot.cli import main
from folkmoot.experiments.files import read
from folkmoot.experiments.plan import plan

MODULE = """
from typing import ClassVar, NamedTuple
import networkx as nx
import numpy as np
import folkmoot as fm
from folkmoot.interface import implements
from folkmoot.world.corruption import Corruption
from {helper} import FIRST

class Stubborn(fm.Algorithm):
    label: ClassVar[str] = "Stubborn"
    arm: int = FIRST
    def params(self, problem):
        return Params(problem.n_agents, problem.n_arms, self.arm)

class Params(NamedTuple):
    n_agents: int
    n_arms: int
    arm: int

class State(NamedTuple):
    nothing: np.ndarray

@implements(Params)
def init(params):
    return State(np.zeros(params.n_agents))

@implements(Params)
def select(params, state, i, t, coins):
    return params.arm

class Coins(fm.Bernoulli):
    "Bernoulli, by another name."

class Ring(fm.Static):
    "Static, by another name."

class Flip(fm.SignFlip):
    "A lie of a chain, by another name."

class Less(fm.Suppress):
    "An adversary, by another name."

class Lying(fm.ConstantLie):
    "A law of lies, by another name."

def nothing():
    pass
"""
BANDITS = """
name = "own"
horizon = 20
replicates = 2
[rewards]
type = "{module}:Coins"
means = [0.2, 0.8]
n_agents = 4
[network]
type = "{module}:Ring"
base = "cycle"
[[algorithm]]
type = "{module}:Stubborn"
arm = {{ grid = [0, 1] }}
[[algorithm]]
type = "ucb"
"""


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a module beside the files of this test; it and the path are forgotten afterwards."""
    name = f"own_{abs(hash(request.node.nodeid))}"
    (tmp_path / f"{name}_helper.py").write_text("FIRST = 1\n")
    (tmp_path / f"{name}.py").write_text(MODULE.format(helper=f"{name}_helper"))
    before = list(sys.path)
    yield name
    sys.path[:] = before


def forget(name: str) -> None:
    """As a new process: whatever is named so is not loaded."""
    for loaded in [one for one in sys.modules if one.startswith(name)]:
        del sys.modules[loaded]


def said(text: str, folder: Path) -> str:
    (folder / "x.toml").write_text(text)
    with pytest.raises(ValueError, match=" ") as caught:
        plan(read(folder / "x.toml"), folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_played_resumed_and_reported(module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "own.toml", tmp_path / "out"
    file.write_text(BANDITS.format(module=module).replace('"ucb"', f'"{module}:Stubborn"\nname = "default"'))
    words = ["run", str(file), "--out", str(out), "--jobs", "2"]
    assert main(words) == 0
    results = fm.load(out)
    assert set(results) == {"Stubborn, arm = 0", "Stubborn, arm = 1", "default"}
    assert (results["Stubborn, arm = 0"].pulls[:, :, 0] == 20).all()
    assert (results["default"].pulls[:, :, 1] == 20).all()
    told = results["default"].configuration["own_code"]
    assert set(told) == {f"{module}:{name}" for name in ("Stubborn", "Coins", "Ring")}
    report = (out / "report.html").read_text()
    assert module in report
    assert next(iter(told.values())) in report
    capsys.readouterr()
    rows = len((out / "log.jsonl").read_text().splitlines())
    assert main(words) == 0  # nothing is left to play
    assert len((out / "log.jsonl").read_text().splitlines()) == rows


def test_other_code_is_another_game(module: str, tmp_path: Path) -> None:
    """An edit of the module, or of one beside it that it uses, makes old rows those of another game."""
    file = tmp_path / "own.toml"
    file.write_text(BANDITS.format(module=module))

    def keys() -> list[str]:
        forget(module)
        return [cell.job.key() for cell in plan(read(file), tmp_path).cells]

    first = keys()
    assert keys() == first
    helper = tmp_path / f"{module}_helper.py"
    helper.write_text("FIRST = 1  # edited\n")
    second = keys()
    assert not set(first) & set(second)  # UCB too: it meets rewards of one's own
    (tmp_path / f"{module}.py").write_text(MODULE.format(helper=f"{module}_helper") + "\n# edited\n")
    assert not set(second) & set(keys())


def test_the_package_s_own_classes_have_no_digest() -> None:
    network = fm.OneSided(fm.Static(nx.cycle_graph(4)), 0.1)
    assert own_code.versions(fm.UCB(), network, fm.Liars([0], fm.FlippedLie()), None) == {}


def test_corruption_and_lies_of_ones_own(module: str, tmp_path: Path) -> None:
    text = BANDITS.format(module=module)
    text = text.replace(f"{module}:Coins", "bernoulli").replace(f"{module}:Stubborn", "cooperative_ucb")
    text = text.replace("arm = { grid = [0, 1] }\n", "").replace('[[algorithm]]\ntype = "ucb"', "")
    text += f'[corruption]\ntype = "{module}:Less"\nbudget = 3\n[liars]\nagents = [0]\nlaw = "{module}:Lying"\n'
    (tmp_path / "x.toml").write_text(text)
    (cell,) = plan(read(tmp_path / "x.toml"), tmp_path).cells
    assert {type(cell.job.corruption).__name__, type(cell.job.liars.law).__name__} == {"Less", "Lying"}
    own = cell.job.configuration()["own_code"]
    assert set(own) == {f"{module}:{name}" for name in ("Ring", "Less", "Lying")}


def test_an_attack_on_a_chain_of_ones_own(module: str, tmp_path: Path) -> None:
    text = f"""
name = "chain"
horizon = 60
[rewards]
type = "{module}:Coins"
means = [0.2, 0.8]
n_agents = 4
[chain]
malicious = [3]
attack = {{ type = "{module}:Flip" }}
"""
    (tmp_path / "x.toml").write_text(text)
    (cell,) = plan(read(tmp_path / "x.toml"), tmp_path).cells
    assert set(cell.job.configuration()["own_code"]) == {f"{module}:Flip", f"{module}:Coins"}
    key = cell.job.key()
    helper = tmp_path / f"{module}_helper.py"
    helper.write_text("FIRST = 0\n")
    assert cell.job.key() != key


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("nowhere_at_all:X", "no module 'nowhere_at_all' beside the file or on Python's path"),
        ("{module}:Stubborm", "module '{module}' has no 'Stubborm'; did you mean 'Stubborn'? there are Stubborn"),
        ("{module}:nothing", "'nothing' is of type function, but not a subclass of folkmoot.algorithms.base.Algorithm"),
        ("{module}:Ring", "'Ring' is a class, but not a subclass of folkmoot.algorithms.base.Algorithm, as expected"),
        ("folkmoot:Algorithm", "'Algorithm' is a class, but not a subclass"),
        ("{module}:", "expected 'module:Class', such as 'my_module:MyClass'"),
        ("../x:Y", "expected 'module:Class', such as 'my_module:MyClass'"),
        ("{module}_raises:X", "raises ZeroDivisionError: division by zero ({module}_raises.py, line 2)"),
        ("{module}_lacks:X", "module '{module}_lacks' raises ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("{module}_typo:X", "module '{module}_typo' raises SyntaxError: "),
        ("{module}_leaves:X", "module '{module}_leaves' raises SystemExit: 3 ({module}_leaves.py, line 2)"),
        ("json:X", "module 'json' is another one, from "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(given: str, expected: str, module: str, tmp_path: Path) -> None:
    for name, text in {"raises": "\n1 / 0", "lacks": "import nowhere_at_all", "typo": "\n\nx = = 1\n",
                       "leaves": "import sys\nsys.exit(3)"}.items():  # fmt: skip
        (tmp_path / f"{module}_{name}.py").write_text(text)
    (tmp_path / "json.py").write_text("")
    text = BANDITS.format(module=module).replace('type = "ucb"', f'type = "{given.format(module=module)}"')
    found = said(text, tmp_path)
    assert found.startswith("algorithm[1].type = ")
    assert expected.format(module=module) in found
    assert json.dumps(1) == "1"


def test_fields_are_checked_as_ever(module: str, tmp_path: Path) -> None:
    text = BANDITS.format(module=module).replace("{ grid = [0, 1] }", '"one"')
    assert said(text, tmp_path) == "algorithm[0].arm = 'one': expected a whole number"


def test_a_consortium_takes_no_classes_of_ones_own(tmp_path: Path) -> None:
    """Its models and rules are entered otherwise: see the pages on them."""
    text = 'name = "c"\n[consortium]\ndata = { type = "my_module:Mine" }\n'
    assert "consortium.data.type = 'my_module:Mine': unknown; allowed are" in said(text, tmp_path)
