"""How much memory a replicate takes."""

from typing import Any

from folkmoot.algorithms.base import Problem


def bytes_of_tables(job: Any) -> float:
    """Bytes of the large tables of one replicate: the algorithm's, and what is kept on request; of a `Job`."""
    size = 8.0 * len(job.checkpoints) * job.rewards.n_agents
    kept = (job.rewards.n_arms if job.wanted.per_agent else 0) + job.wanted.realised
    asked: list[float] = []

    class Counting(Problem):
        def require_memory(self, n_bytes: float, what: str) -> None:
            asked.append(float(n_bytes))

    job.algorithm.params(Counting(**vars(job.problem())))
    return float(sum(asked) + size * kept)
