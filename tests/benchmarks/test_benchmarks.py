"""The benchmarks run, and the C twins pull the same arms. No timing is judged here."""

from importlib.util import find_spec
from subprocess import CalledProcessError

import numpy as np
import pytest

pytest.importorskip("resource", reason="peak memory is measured on Unix only")

from benchmarks import growth, primitives, rivals, startup, versus, worlds
from benchmarks.__main__ import check_twin, main, verdict
from benchmarks.cases import CASES
from benchmarks.measure import Row, table
from benchmarks.twins import Twins, compiler

needs_gcc = pytest.mark.skipif(compiler() is None, reason="there is no gcc")


@pytest.fixture
def twins():
    both = Twins()
    yield both
    both.close()


@needs_gcc
@pytest.mark.parametrize(("n_arms", "horizon"), [(1, 5), (2, 300), (10, 1_000)])
def test_the_ucb_twin_pulls_the_same_arms(twins, n_arms, horizon):
    check_twin(worlds.lone_ucb(n_arms, horizon), 5, twins.ucb)


@needs_gcc
@pytest.mark.parametrize(("n_agents", "n_arms", "horizon"), [(1, 2, 50), (2, 2, 400), (5, 1, 20), (16, 5, 3_000)])
def test_the_gse_twin_pulls_the_same_arms(twins, n_agents, n_arms, horizon):
    check_twin(worlds.team_gse(n_agents, n_arms, horizon), 3, twins.gse)


@needs_gcc
def test_the_gse_twin_pulls_the_same_arms_on_a_grid(twins):
    check_twin(worlds.grid_gse(4, 2_000), 2, twins.gse)


@needs_gcc
def test_another_twin_is_noticed(twins):
    def other(job, replicates):
        pulls, team_pulls = twins.ucb(job, replicates)
        pulls[-1, 0, 0] += 1
        return pulls, team_pulls

    with pytest.raises(AssertionError, match="replicate 2: other pulls than the C twin"):
        check_twin(worlds.lone_ucb(3, 100), 3, other)


def test_the_connectivity_of_a_grid_is_the_closed_form():
    job = worlds.grid_gse(5, 20)
    assert job.algorithm.algebraic_connectivity == pytest.approx(job.network.base.algebraic_connectivity)


def test_rivals_play_the_same_game():
    """Same laws, other random numbers: the best arm gets most of the pulls, and every pull is counted."""
    lone, team = worlds.lone_ucb(horizon=2_000), worlds.team_gse(horizon=3_000)
    for pulls in (np.array(rivals.python_ucb(lone, 3)), rivals.numpy_ucb(lone, 3)):
        assert (pulls.sum(axis=1) == 2_000).all()
        assert (pulls.argmax(axis=1) == 9).all()
    pulls = rivals.numpy_gse(team, 2, 0.9)
    assert (pulls.sum(axis=2) == 3_000).all()
    assert (pulls.argmax(axis=2) == 4).all()


def test_plain_pytorch_computes_what_a_fleet_does():
    pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
    from benchmarks import learning

    learning.agree(10)


def test_a_ratio_is_taken_within_a_turn():
    assert Row("a", (2.0, 4.0, 9.0)).ratio(Row("b", (1.0, 2.0, 3.0))) == 2.0


def test_a_table_is_markdown():
    assert table(["x", "y"], [["long", "1"]]).splitlines() == ["| x    | y |", "|------|--:|", "| long | 1 |"]


def test_a_missed_requirement_says_so():
    assert verdict("cost", 2.0, 1.5, True).startswith("- MISSED: cost: 2.00 (at most 1.50)")
    assert verdict("gain", 30.0, 25.0, False).startswith("- met")


def test_a_size_is_measured_in_a_process_of_its_own():
    size = growth.measure(3, 12, 1)
    assert (size.n_agents, size.horizon) == (9, 12)
    assert 2**25 < size.peak_bytes < 2**36


def test_bounds_are_below_what_a_step_costs_and_grow_with_arms():
    cost = dict.fromkeys((primitives.COIN, primitives.COINS, primitives.LOG, primitives.ROOT, primitives.ADD), 1.0)
    assert primitives.bound_of_ucb(cost, 10) == 12.0  # a coin, a logarithm, ten roots
    assert primitives.bound_of_gse(cost, 5, 16) == pytest.approx(1.0 + 2.0 + 5 * (0.9 * 16 + 1.0))


def test_a_command_that_fails_is_no_measurement(tmp_path):
    assert 0.0 < startup.command(tmp_path, "--version") < 60.0
    with pytest.raises(CalledProcessError):
        startup.command(tmp_path, "run", "nothing.toml")


def test_the_quick_run_prints_and_saves_everything(tmp_path, capsys):
    assert main(["--quick", "--save", str(tmp_path / "out.md")]) == 0
    printed, saved = capsys.readouterr().out, (tmp_path / "out.md").read_text(encoding="utf-8")
    for text in (printed, saved):
        assert text.count("### ") == 14 + (find_spec("rbcl") is not None) + (find_spec("safetensors") is not None)
        assert "identical pulls" in text or "there is no gcc" in text
    assert [path.name for path in tmp_path.iterdir()] == ["out.md"]


class Played:
    """A tree whose costs are made up."""

    def __init__(self, *costs):
        self.costs = list(costs)

    def played(self, case):
        return self.costs.pop(0)


def test_two_trees_play_in_turn_and_the_ratio_is_within_a_turn():
    line = versus.compared("a game", Played(10.0, 30.0, 10.0), Played(5.0, 30.0, 10.0), 3)
    assert line == ["a game", "10", "10", "1.000", "1.000", "2.000"]
    assert versus.compared("a game", Played(None), Played(1.0), 1) is None


def test_a_tree_is_compared_with_itself(capsys):
    case = "ledger of a game, verified"
    assert versus.main([str(versus.HERE), "--turns", "1", "--only", case]) == 0
    assert f"| {case} " in capsys.readouterr().out
    assert versus.main([str(versus.HERE), "--turns", "1", "--only", case, "--most", "0"]) == 1


def test_another_folder_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        versus.main([str(tmp_path)])
    assert "expected a checkout" in capsys.readouterr().err


def test_cases_have_names_of_their_own():
    assert all("|" not in name and name.strip() == name for name in CASES)
