"""A replicate played in parts is what it is in one go."""

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.simulation.parts import Parts
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.simulate import make_job

MEANS = np.array([[0.2, 0.5, 0.8, 0.4], [0.9, 0.1, 0.6, 0.4], [0.3, 0.3, 0.3, 0.4]])


def job_of(engine: str, **more: object) -> Job:
    network = fm.ErdosRenyi(nx.complete_graph(3), 0.7)
    return make_job(fm.GSE(), fm.Bernoulli(MEANS), network, horizon=90, seed=3, engine=engine, **more)


@pytest.mark.parametrize("engine", ["interpreted", "compiled"])
def test_parts_are_the_whole(engine: str) -> None:
    """With an adversary, whose account goes on from part to part."""
    job = job_of(engine, corruption=fm.Suppress(budget=7))
    whole = job.collect(job.play([2], Parts(job).control, 1))
    parts = Parts(job, 2, per_agent=True, realised=True)
    for last in (1, 2, 37, 90):
        parts.play(last)
        assert parts.table.state.pulls.sum() == 3 * last == parts.control.rounds[0] * 3
    for name, array in (("pulls", parts.tally.pulls), ("team_pulls", parts.tally.team_pulls)):
        assert (getattr(whole, name) == array).all(), name
    assert whole.corruption_spent_per_arm.tobytes() == parts.tally.spent.tobytes()
    assert (whole.decided_at == parts.tally.decided_at).all()
    assert whole.bytes[0] == parts.tally.bytes[0]
    assert parts.control.done[0]
    assert (parts.tally.agent_pulls.sum(axis=2) == parts.tally.team_pulls).all()
    assert (parts.tally.agent_pulls[:, -1] == parts.tally.pulls).all()
    earned = np.diff(parts.tally.realised[0], axis=0)
    assert (earned >= 0.0).all()
    assert (earned <= np.diff(job.checkpoints)[:, None]).all()


def test_rounds_that_are_over_or_never_come_are_refused() -> None:
    parts = Parts(job_of("interpreted"))
    parts.play(5)
    for last in (5, 91):
        with pytest.raises(ValueError, match=f"^last = {last}: expected a round from 6 to 90$"):
            parts.play(last)
