"""Every algorithm on links that one side only may notice: one machine an agent, interpreted, and compiled, the same."""

import numpy as np
import pytest
from cases import CASES, DIFFERENT, Case, complete

import folkmoot as fm
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.cells import new_control
from folkmoot.simulation.simulate import make_job

ROUNDS = 40
NETWORK = fm.OneSided(complete(6, 0.9), loss=0.3)
RUNNABLE = [case for case in CASES if not case.oracle]
ACCOUNTS = [case for case in CASES if case.name in ("GSE", "GossipUCB, matching, c1 = 0.5", "DistUCB")]


def job_of(case: Case, engine: str = "interpreted"):
    algorithm = case.algorithm
    if isinstance(algorithm, fm.GSE) and algorithm.link_probability is None:
        algorithm = algorithm.model_copy(update={"link_probability": 0.6})  # there is no constant one
    more = case.verified(6, ROUNDS) if case.verification else {}
    return make_job(algorithm, fm.Bernoulli(DIFFERENT), NETWORK, horizon=ROUNDS, seed=17, engine=engine, **more)


def played(job):
    """int64 [n_agents, n_arms]."""
    return job.play([0], new_control(1), 1)[0].pulls


@pytest.mark.parametrize("case", RUNNABLE, ids=[case.name for case in RUNNABLE])
def test_machines_pull_what_the_loop_pulls(case: Case) -> None:
    job = job_of(case)
    assert job.problem().one_sided
    game = Agents(job)
    game.play(ROUNDS)
    assert (game.pulls == played(job)).all()


@pytest.mark.parametrize("case", ACCOUNTS, ids=[case.name for case in ACCOUNTS])
def test_accounts_are_the_same_compiled(case: Case) -> None:
    assert job_of(case).params().slots == 6
    assert (played(job_of(case)) == played(job_of(case, "compiled"))).all()


def test_messages_with_accounts_are_counted_by_what_a_neighbour_needs() -> None:
    """GSE: four estimates, the account of the link and four arms in play; two messages a round."""
    one_sided = job_of(ACCOUNTS[0]).play([0], new_control(1), 1)[0]
    assert one_sided.bytes * 2 == one_sided.messages * (8 * 4 + 8 * 4 + 4)
    assert np.asarray(one_sided.pulls).sum() == 6 * ROUNDS
