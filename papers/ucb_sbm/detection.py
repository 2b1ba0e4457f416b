"""Clusters that nobody told the agents: found in the burn-in, then used."""

from pathlib import Path

import folkmoot as fm
from folkmoot.algorithms.clustering import adjusted_rand_index
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.replicates import Job, prepared_job
from folkmoot.simulation.simulate import make_job

from . import settings as s


def detection(out: Path, jobs: int, progress: bool) -> bool:
    """Unknown clusters on fig1a's instance: found in at least 24 of 25 runs, and then played as if known."""
    claims = Claims("ucb_sbm/detection", out)
    labels, extra = s.labels(), s.N_AGENTS - 1  # rounds in which everybody passes everything on
    world, length = (s.rewards(), s.network()), s.BURN_IN
    options = {"horizon": s.HORIZON, "seed": s.SEED, "checkpoints": [length + extra, s.HORIZON]}
    known = fm.UCBSBM(clusters=labels, c1=s.COMMON_C1, burn_in=length + extra)
    told = fm.simulate(known, *world, replicates=s.REPLICATES, jobs=jobs, progress=progress, **options)
    rows, exact, cost = [], {}, {}
    for similarity in ("frequency", "met_once"):
        finder = fm.UCBSBM(
            clusters="detect", n_clusters=s.N_CLUSTERS, c1=s.COMMON_C1, burn_in=length, similarity=similarity
        )
        job = make_job(finder, *world, **options)
        found = [prepared_job(job, replicate).algorithm.clusters for replicate in range(s.REPLICATES)]
        indices = [adjusted_rand_index(labels, one) for one in found]
        result = fm.simulate(finder, *world, replicates=s.REPLICATES, jobs=jobs, progress=progress, **options)
        exact[similarity] = [r for r, index in enumerate(indices) if index == 1.0]
        after = (result.regret[:, 1] - result.regret[:, 0]).mean()
        cost[similarity] = float(after)
        passed = _passed_on(job) / s.N_AGENTS / extra
        right = f"{len(exact[similarity])} of {s.REPLICATES}"
        rows.append([similarity, right, f"{min(indices):.2f}", f"{after:.0f}", f"{passed:,.0f}"])
    cost["told"] = float((told.regret[:, 1] - told.regret[:, 0]).mean())
    rows.append(["(told)", "", "", f"{cost['told']:.0f}", ""])
    claims.table(
        f"Detection in a burn-in of {length} rounds, then {extra} to pass everything on",
        [
            "similarity of two agents",
            "all clusters right",
            "least adjusted Rand index",
            "regret after the burn-in",
            "bytes an agent and round of passing on",
        ],
        rows,
        "detection.csv",
    )
    claims.claim("by link frequency: adjusted Rand index 1 in at least 24 of 25 runs", len(exact["frequency"]) >= 24)
    claims.claim(
        "regret after the burn-in is within 5 % of that with known clusters",
        abs(cost["frequency"] - cost["told"]) <= 0.05 * cost["told"],
    )
    claims.say(
        'Under "met once", the paper\'s similarity, everybody meets everybody here: rewards alone tell the clusters.'
    )
    return claims.all_hold


def _passed_on(job: Job) -> float:
    """Bytes of the rounds in which rows are passed on, in the first replicate."""
    algorithm = prepared_job(job, 0).algorithm
    return float(algorithm.params(job.problem()).survey_bytes.sum())  # type: ignore[attr-defined]
