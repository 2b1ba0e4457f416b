"""Every algorithm where agents are absent, outcomes are late or never come, and links are noticed by one side only."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, DIFFERENT, Case, complete

import folkmoot as fm
from folkmoot.conformance.late import Nonsense
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.cells import Cell, new_control
from folkmoot.simulation.parts import Parts
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.sweep import sweep

# One case of each algorithm: compiled, each costs one variant, which serves all of these worlds and those with liars.
COMPILED = list({type(case.algorithm): case for case in CASES}.values())
HORIZON = 48
OUT_OF_ORDER = np.tile([9, 0, -1, 4, 7, 1, 2], (6, 1)).T.copy()
WORLDS: dict[str, dict[str, Any]] = {
    "absent": {"presence": fm.Presence(probability=0.8, absences=[(0, 1, 9), (5, 20), (3, 11, 30)])},
    "late and lost": {"feedback": fm.Feedback(delay="geometric", mean=6.0, loss=0.2)},
    "late, out of order, absent": {
        "feedback": fm.Feedback(delay=OUT_OF_ORDER),
        "presence": fm.Presence(recorded=np.arange(30).reshape(5, 6) % 4 != 0),
    },
    "never": {"feedback": fm.Feedback(loss=1.0)},
}
FIELDS = ("pulls", "team_pulls", "messages", "bytes", "verified", "decisions", "decided_at")


def play(case: Case, world: str, engine: str, horizon: int = HORIZON, **more: Any) -> fm.Result:
    """All worlds have links that one side only may notice; where nothing else is wrong, none is lost so."""
    network = fm.OneSided(complete(6, 0.8), 0.0 if world == "never" else 0.3)
    options = {**WORLDS[world], **case.verified(6, horizon), "horizon": horizon, "engine": engine, **more}
    return fm.simulate(case.algorithm, fm.Bernoulli(DIFFERENT), network, seed=4, progress=False, **options)


def same(one: fm.Result, other: fm.Result) -> None:
    for field in FIELDS:
        assert getattr(one, field).tobytes() == getattr(other, field).tobytes(), field


@pytest.mark.parametrize("case", COMPILED, ids=[case.name for case in COMPILED])
def test_the_engines_agree_and_so_do_workers(case: Case) -> None:
    """One agent lies too: a world has what kernels of the algorithm there are. Without liars: GSE, for all."""
    for world in WORLDS:
        more = {} if isinstance(case.algorithm, fm.GSE) else {"liars": fm.Liars([1], "sign_flip")}
        fast = play(case, world, "compiled", replicates=3, **more)
        same(fast, play(case, world, "compiled", replicates=3, jobs=2, **more))
        slow = play(case, world, "interpreted", **more)
        for field in FIELDS:
            assert getattr(slow, field)[0].tobytes() == getattr(fast, field)[0].tobytes(), (world, field)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_no_outcome_is_not_an_outcome(case: Case) -> None:
    """Whoever looks at the reward of an outcome that has not come (arm -1) learns nonsense, and plays otherwise."""
    nonsense = Nonsense(delay="geometric", mean=6.0, loss=0.2)
    clean = play(case, "late and lost", "interpreted")
    same(clean, play(case, "late and lost", "interpreted", feedback=nonsense))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_who_is_absent_does_nothing(case: Case) -> None:
    """One pull for each round in which an agent is there, and none after it has left."""
    result = play(case, "absent", "interpreted")
    made = result.pulls[0].sum(axis=1)
    assert (made < HORIZON).all()
    assert made[5] < 20
    assert result.team_pulls[0, -1].sum() == made.sum()
    assert np.isfinite(result.regret).all()


@pytest.mark.parametrize("case", COMPILED, ids=[case.name for case in COMPILED])
def test_at_once_and_present_is_as_ever(case: Case) -> None:
    """The records of absence and delay, with nothing in them, change no pull."""
    world = fm.Bernoulli(DIFFERENT), complete(6, 0.6)
    options: dict[str, Any] = {"horizon": 30, "seed": 11, "engine": "interpreted", **case.verified(6, 30)}
    neutral = {"presence": fm.Presence(), "feedback": fm.Feedback()}
    same(fm.simulate(case.algorithm, *world, **options), fm.simulate(case.algorithm, *world, **options, **neutral))


def test_a_log_is_read_again(tmp_path: Path) -> None:
    """A row with fewer pulls than rounds is taken where agents may be absent; what is finished is not played again."""
    network = fm.OneSided(complete(6, 0.8), 0.3)
    jobs = [
        make_job(fm.UCB(), fm.Bernoulli(DIFFERENT), network, horizon=HORIZON, engine="interpreted", **WORLDS[name])
        for name in WORLDS
    ]
    assert len({job.key() for job in jobs}) == len(jobs)
    cells = [Cell(name, job) for name, job in zip(WORLDS, jobs, strict=True)]
    first = sweep(cells, 2, tmp_path / "log.jsonl", progress=False)
    again = sweep(cells, 2, tmp_path / "log.jsonl", progress=False)
    assert (first.resumed, again.resumed) == (0, 8)
    for name, job in zip(WORLDS, jobs, strict=True):
        for field in FIELDS:
            expected = getattr(job.collect(job.play([0, 1], new_control(2), 1)), field)
            for swept in (first, again):
                assert getattr(swept.results[name], field).tobytes() == expected.tobytes()


RUNNABLE = [case for case in CASES if not case.oracle]


@pytest.mark.parametrize("case", RUNNABLE, ids=[case.name for case in RUNNABLE])
@pytest.mark.parametrize("world", ["late and lost", "late, out of order, absent"])
def test_machines_play_the_arms_of_the_loop(case: Case, world: str) -> None:
    """One machine an agent, which sleeps while the agent is absent, and is handed each outcome when it comes."""
    network, options = fm.OneSided(complete(6, 0.8), 0.3), {**WORLDS[world], **case.verified(6, HORIZON)}
    job = make_job(case.algorithm, fm.Bernoulli(DIFFERENT), network, horizon=HORIZON, engine="interpreted", **options)
    loop, machines = Parts(job, 1), Agents(job, 1)
    for t in range(1, 31):
        loop.play(t)
        machines.play_round()
        assert (loop.tally.pulls[0] == machines.pulls).all(), t
