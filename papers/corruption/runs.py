"""One replicate on each of many instances, in parallel."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.progress import Progress
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.rows import Finished
from folkmoot.simulation.runner import run


def play(name: str, jobs: Sequence[Job], workers: int, progress: bool) -> list[Finished]:
    """Replicate number x of job x; jobs of one figure stand in the order of their instances."""
    found: dict[int, Finished] = {}
    with Progress(progress) as bars:
        tell = bars.line(name, len(jobs))
        for done in run([(job, [x]) for x, job in enumerate(jobs)], workers):
            if done.error is not None:
                raise done.error
            found |= {outcome.replicate: outcome for outcome in done.outcomes}
            tell(len(found))
    return [found[x] for x in range(len(jobs))]


def regrets(jobs: Sequence[Job], outcomes: Sequence[Finished]) -> NDArray[np.float64]:
    """float64 [jobs]: final regret, summed over agents."""
    return np.array([float(o.team_pulls[-1] @ job.rewards.gaps) for job, o in zip(jobs, outcomes, strict=True)])
