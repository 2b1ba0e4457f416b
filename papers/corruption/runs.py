"""One replicate on each of many instances, in parallel."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from folkmoot.simulation.progress import Progress
from folkmoot.simulation.replicates import Job, Outcome, run_batch


def play(name: str, jobs: Sequence[Job], workers: int, progress: bool) -> list[Outcome]:
    """Replicate number x of job x; jobs of one figure stand in the order of their instances."""
    outcomes: list[Outcome] = []
    with Progress(progress) as bars, ThreadPoolExecutor(workers) as pool:
        tell = bars.line(name, len(jobs))
        for x, found in enumerate(pool.map(lambda pair: run_batch(pair[1], [pair[0]]), enumerate(jobs))):
            outcomes += found
            tell(x + 1)
    return outcomes


def regrets(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> NDArray[np.float64]:
    """float64 [jobs]: final regret, summed over agents."""
    return np.array([float(o.team_pulls[-1] @ job.rewards.gaps) for job, o in zip(jobs, outcomes, strict=True)])
