"""The table [liars] of experiment files, what a result with liars says, and its rows in a log."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.errors import DamagedFile
from folkmoot.experiments.plan import plan
from folkmoot.report.words import liars_in_words, method
from folkmoot.simulation.replicates import Job, run_batch
from folkmoot.simulation.simulate import make_job

MEANS = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9]]


def cells(**changes):
    document = {
        "name": "test",
        "horizon": 50,
        "rewards": {"type": "bernoulli", "means": MEANS},
        "network": {"type": "static", "base": "complete"},
        "algorithm": [{"type": "byzantine_ucb"}],
        **changes,
    }
    return plan(document, Path(".")).cells


@pytest.mark.parametrize(
    ("table", "liars"),
    [
        ({"agents": [3], "law": "promote"}, fm.Liars([3], fm.PromotingLie())),
        ({"agents": [3], "law": {"type": "promote", "arm": 1}}, fm.Liars([3], fm.PromotingLie(arm=1))),
        ({"agents": [0, 3], "law": "sign_flip", "counts": "most"}, fm.Liars((0, 3), "sign_flip", counts="most")),
        (
            {"agents": [3], "law": {"type": "constant", "values": [0.4, 0.5]}},
            fm.Liars(np.array([3]), fm.ConstantLie(values=(0.4, 0.5))),
        ),
        ({"agents": [3], "law": {"type": "split", "even": 0}}, fm.Liars([3], fm.SplitLie(even=0))),
    ],
)
def test_a_table_is_the_class_of_python(table, liars) -> None:
    (cell,) = cells(liars=table)
    assert cell.job.liars == liars
    assert cell.job.configuration()["liars"] == liars.describe()


def test_without_the_table_nothing_is_said_of_liars() -> None:
    (cell,) = cells()
    assert cell.job.liars is None
    assert "liars" not in cell.job.configuration()


def test_grids_of_laws_are_cells() -> None:
    found = cells(liars={"agents": [3], "law": {"grid": ["promote", {"type": "drift", "rate": 0.1}]}})
    assert [type(cell.job.liars.law) for cell in found] == [fm.PromotingLie, fm.DriftingLie]
    assert len({cell.job.key() for cell in found}) == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"agents": [3]}, r"^liars\.law: missing; expected a table$"),
        ({"agents": [], "law": "promote"}, r"^liars\.agents: expected at least 1 of them$"),
        ({"agents": [4], "law": "promote"}, r"^liars: Liars: agents: 4: expected a number from 0 to 3$"),
        ({"agents": [1, 1], "law": "promote"}, r"^liars.agents: 1 is named twice; expected each agent once$"),
        ({"agents": [0, 1, 2, 3], "law": "drift"}, r"^liars: Liars: agents: all 4 of them lie; expected at least one"),
        ({"agents": [3], "law": "promot"}, r"^liars\.law\.type = 'promot': unknown; did you mean 'promote'\?"),
        ({"agents": [3], "law": {"type": "drift", "rate": 7}}, r"^liars\.law\.rate = 7: expected at most 1$"),
        ({"agents": [3], "law": "drift", "count": "own"}, r"^liars: field 'count': unknown; did you mean 'counts'\?"),
        ({"agents": [3], "law": {"type": "promote", "arm": 2}}, r"^liars: PromotingLie: arm = 2: expected an arm from"),
    ],
)
def test_what_is_wrong_is_one_line(table, said) -> None:
    with pytest.raises(ValueError, match=said):
        cells(liars=table)


def test_python_names_what_it_expects() -> None:
    world = fm.Bernoulli(MEANS), fm.Static(nx.path_graph(4))
    with pytest.raises(ValueError, match=r"^liars = list: expected such as folkmoot\.Liars\(\[3, 7\], 'promote'\)$"):
        fm.simulate(fm.UCB(), *world, horizon=50, liars=[3])
    with pytest.raises(ValueError, match=r"^Liars: law = 7: expected a name, 'constant', 'sign_flip', "):
        fm.Liars([3], 7)


def job() -> Job:
    world = fm.Bernoulli(MEANS), fm.Static(nx.cycle_graph(4))
    return make_job(fm.ByzantineUCB(), *world, horizon=50, engine="interpreted", liars=fm.Liars([3], "promote"))


def test_regret_is_that_of_the_honest(tmp_path: Path) -> None:
    """Agent 3 is paid for arm 1; its pulls are kept, and count nowhere."""
    found = job()
    result = found.collect(run_batch(found, [0, 1]))
    honest = result.pulls[:, :3].sum(axis=1)
    assert (result.team_pulls[:, -1] == honest).all()
    np.testing.assert_allclose(result.regret[:, -1], honest @ result.gaps)
    np.testing.assert_allclose(result.regret_per_agent, result.regret / 3)
    assert result.summary()["best_arm_share"] == pytest.approx(honest[:, 0].sum() / 300)
    again = fm.load(result.save(tmp_path / "r"))
    assert (again.regret_per_agent == result.regret_per_agent).all()
    assert again.configuration["liars"]["agents"] == [3]
    text = method({"one": result})
    assert "Agent 3 lied in its messages: PromotingLie, arm worst. Regret is that of the honest agents." in text


def test_a_row_of_the_log_is_read_back_and_must_add_up_to_the_honest() -> None:
    found = job()
    (outcome,) = run_batch(found, [4])
    row = {"replicate": 4, **found.encode(outcome)}
    assert (found.decode(row).team_pulls == outcome.team_pulls).all()
    row["team_pulls"][-1][0] += 1
    with pytest.raises(DamagedFile, match="do not add up"):
        found.decode(row)


def test_many_liars_are_named_in_short() -> None:
    told = liars_in_words({"agents": list(range(30)), "law": {"type": "DriftingLie", "rate": -0.1}, "counts": "most"})
    assert told.startswith("Agents 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 19 more lied in their messages: DriftingLie, ")
    assert told.endswith("rate -0.1, claiming the most pulls there can be")
