"""Beyond the paper: an algorithm that is told no budget, against those that are told too large a one."""

from pathlib import Path

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.simulate import make_job

from . import settings as s
from .runs import play, regrets

N_AGENTS = 10
SPENT = 100.0  # what the adversary really has
TOLD = (100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)  # what the learners are told it has


def tolerance(out: Path, jobs: int, progress: bool) -> bool:
    """Layered elimination, which needs no budget, against S1 and S2 that are told from 1 to 100 times the real one."""
    claims, network = Claims("corruption/tolerance", out), s.network(N_AGENTS)
    for name, scalarisation in s.SCALARISATIONS.items():

        def regret(algorithm: fm.Algorithm, scalarisation=scalarisation):
            games = [
                make_job(
                    algorithm,
                    s.with_gap(scalarisation, N_AGENTS, x),
                    network,
                    horizon=s.HORIZON,
                    seed=s.SEED,
                    checkpoints=[s.HORIZON],
                    corruption=s.adversary(SPENT),
                )
                for x in range(s.INSTANCES)
            ]
            return regrets(games, play(algorithm.label, games, jobs, progress))

        told = {
            "S1, aware": [regret(fm.S1(budget=b)) for b in TOLD],
            "S2, aware": [regret(fm.S2(budget=b)) for b in TOLD],
        }
        untold = {"layered elimination": regret(fm.LayeredElimination()), "S2, naive": regret(fm.S2(radius="naive"))}
        cells = {**told, **{label: [values] * len(TOLD) for label, values in untold.items()}}
        pairs = {label: [student_interval(values) for values in row] for label, row in cells.items()}
        rows = [[label, *(f"{float(m):.0f} ± {float(h):.0f}" for m, h in row)] for label, row in pairs.items()]
        claims.table(
            f"{name}: final regret, {N_AGENTS} agents, {s.INSTANCES} instances, gap {s.GAP:g}, really spent {SPENT:g}",
            ["told", *(f"{b:,.0f}" for b in TOLD)],
            rows,
            f"tolerance-{name}.csv",
        )
        curves = {label: ([float(m) for m, _ in row], [float(h) for _, h in row]) for label, row in pairs.items()}
        picture = plot_setting(f"budget the learners are told; really spent: {SPENT:g} ({name})", TOLD, curves)
        claims.picture(f"tolerance-{name}.png", picture)
        ours = untold["layered elimination"]
        for label, values in (("S1 told 300", told["S1, aware"][1]), ("S2 told 3,000", told["S2, aware"][3])):
            mean, half = student_interval(ours - values)
            text = (
                f"{name}: layered elimination's regret minus that of {label} is {float(mean):.0f} ± {float(half):.0f}"
            )
            claims.claim(text, float(mean + half) < 0.0)
        mean, half = student_interval(ours - untold["S2, naive"])
        claims.claim(
            f"{name}: minus that of naive S2 it is {float(mean):.0f} ± {float(half):.0f}", float(mean + half) < 0.0
        )
    return claims.all_hold
