"""Clusters that nobody told the agents: found in the burn-in, then used."""

from pathlib import Path

import folkmoot as fm
from folkmoot.algorithms.clustering import adjusted_rand_index
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.replicates import prepared_job
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
    rows, exact, same = [], {}, {}
    for similarity in ("frequency", "met_once"):
        finder = fm.UCBSBM(
            clusters="detect", n_clusters=s.N_CLUSTERS, c1=s.COMMON_C1, burn_in=length, similarity=similarity
        )
        job = make_job(finder, *world, **options)
        found = [prepared_job(job, replicate).algorithm.clusters for replicate in range(s.REPLICATES)]
        indices = [adjusted_rand_index(labels, one) for one in found]
        result = fm.simulate(finder, *world, replicates=s.REPLICATES, jobs=jobs, progress=progress, **options)
        exact[similarity] = [r for r, index in enumerate(indices) if index == 1.0]
        same[similarity] = all((result.pulls[r] == told.pulls[r]).all() for r in exact[similarity])
        after = result.regret[:, 1] - result.regret[:, 0]
        rows.append(
            [similarity, f"{len(exact[similarity])} of {s.REPLICATES}", f"{min(indices):.2f}", f"{after.mean():.0f}"]
        )
    after = told.regret[:, 1] - told.regret[:, 0]
    rows.append(["(told)", "", "", f"{after.mean():.0f}"])
    claims.table(
        f"Detection in a burn-in of {length} rounds, then {extra} to pass everything on",
        ["similarity of two agents", "all clusters right", "least adjusted Rand index", "regret after the burn-in"],
        rows,
        "detection.csv",
    )
    claims.claim("by link frequency: adjusted Rand index 1 in at least 24 of 25 runs", len(exact["frequency"]) >= 24)
    claims.claim("where it is 1, every pull is that of the run with known clusters", same["frequency"])
    claims.say(
        'Under "met once", the paper\'s similarity, everybody meets everybody here: rewards alone tell the clusters.'
    )
    return claims.all_hold
