"""One liar of ten: the final regret of the honest, for every algorithm that hears others and under every law of lies.

The world is that of Zhu and others (2023), "Byzantine-resilient decentralized multi-armed bandits": ten agents that all
hear each other, four arms with means .5, .45, .4 and .3, 10,000 rounds.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.algorithms.base import Algorithm
from folkmoot.reproductions.cells import PaperCell, play_all
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval

N, LIAR, HORIZON, REPLICATES, SEED = 10, 3, 10_000, 20, 2023
REWARDS = fm.Bernoulli([0.5, 0.45, 0.4, 0.3], n_agents=N)
NETWORK = fm.ErdosRenyi(nx.complete_graph(N), np.ones(N * (N - 1) // 2))  # each link with its probability: always up
VERIFIED = 20_000  # of 100,000 pulls, for the one algorithm that does nothing without
HALVES = (0, 0, 0, 0, 0, 1, 1, 1, 1, 1)  # clusters, for the one that must be told some
AT_RANDOM, ROUNDING = HORIZON * float(REWARDS.gaps.mean()), 1e-6  # regret of an agent that pulls arms at random
Values = NDArray[np.float64]
ALONE, DEFENDED, NOBODY = "UCB, alone", "ByzantineUCB(faulty=1)", "nobody lies"
PATIENT = ("FloodSE(faulty=1)", "FloodSE(missing=1, faulty=1)")
BELIEVERS = ("FloodSE", "GSE", "CooperativeUCB", "DistUCB")
LAWS: Mapping[str, fm.Liars | None] = {
    NOBODY: None,
    "promote": fm.Liars([LIAR], "promote"),
    "promote, most pulls": fm.Liars([LIAR], "promote", counts="most"),
    "sign flip": fm.Liars([LIAR], "sign_flip"),
    "constant": fm.Liars([LIAR], "constant"),
    "random": fm.Liars([LIAR], "random"),
    "drift": fm.Liars([LIAR], "drift"),
    "split": fm.Liars([LIAR], "split"),
}


class Row(NamedTuple):
    """An algorithm, and how many pulls of its world are verified."""

    algorithm: Algorithm
    verification: int = 0


ROWS: Mapping[str, Row] = {
    ALONE: Row(fm.UCB()),
    DEFENDED: Row(fm.ByzantineUCB(faulty=1)),
    PATIENT[0]: Row(fm.FloodSE(faulty=1)),
    PATIENT[1]: Row(fm.FloodSE(missing=1, faulty=1)),
    "FloodSE": Row(fm.FloodSE()),
    "GSE": Row(fm.GSE()),
    "CooperativeUCB": Row(fm.CooperativeUCB()),
    "GoSInE": Row(fm.GoSInE()),
    "DrFedUCB": Row(fm.DrFedUCB()),
    "UCBSBM, two clusters": Row(fm.UCBSBM(clusters=HALVES)),
    "GossipUCB": Row(fm.GossipUCB()),
    "GossipUCB(c1=2)": Row(fm.GossipUCB(c1=2.0)),
    "DistUCB": Row(fm.DistUCB()),
    "S1": Row(fm.S1()),
    "S2": Row(fm.S2()),
    "S3": Row(fm.S3()),
    "S3Cert, a fifth verified": Row(fm.S3Cert(), VERIFIED),
    "LayeredElimination": Row(fm.LayeredElimination()),
}


def cell(fields: dict[str, Any], cache: Path) -> dict[str, Any]:
    """One algorithm under all laws: final regret of an honest agent, one a replicate."""
    row = ROWS[fields["algorithm"]]
    more: dict[str, Any] = {"verification": row.verification} if row.verification else {}
    told = {}
    for law, liars in LAWS.items():
        # Outcomes that come at once, asked for by name, take the loop that is compiled for liars: one for all laws.
        result = fm.simulate(
            row.algorithm, REWARDS, NETWORK, liars=liars, feedback=fm.Feedback(), horizon=HORIZON,
            replicates=REPLICATES, seed=SEED, checkpoints=[HORIZON], progress=False, **more,
        )  # fmt: skip
        told[law] = result.regret_per_agent[:, -1].tolist()
    return told


def laws(out: Path, jobs: int, progress: bool) -> bool:
    """One liar of ten under six laws: final regret of an honest agent, for every algorithm that hears others."""
    claims, home = Claims("liars/laws", out), Path(__file__).resolve().parent
    cells = {name: PaperCell(home, "laws", "cell", {"algorithm": name}, out) for name in ROWS}
    # One row of each class first: two workers at a time would compile the same code twice.
    play_all(list({type(ROWS[name].algorithm): one for name, one in cells.items()}.values()), out, jobs, progress)
    told = play_all(list(cells.values()), out, jobs, progress)
    found = {name: {law: np.array(one[law]) for law in LAWS} for name, one in zip(ROWS, told, strict=True)}
    claims.table(
        f"Regret of an honest agent: {N} agents, one lies, T = {HORIZON:,}, {REPLICATES} replicates",
        ["", *LAWS],
        [[name, *(_shown(values) for values in one.values())] for name, one in found.items()],
        "laws.csv",
    )
    _claim(claims, found)
    return claims.all_hold


def _claim(claims: Claims, found: Mapping[str, Mapping[str, Values]]) -> None:
    alone, lies = found[ALONE], [law for law in LAWS if law != NOBODY]
    same = all((alone[law] == alone[lies[0]]).all() for law in lies)
    claims.claim("UCB alone: to the last pull the same under every lie", same)
    for law in LAWS:
        gain, half = (float(x) for x in student_interval(alone[law] - found[DEFENDED][law]))
        claims.claim(f"{DEFENDED}, {law}: {gain:.0f} ± {half:.0f} below UCB alone, paired", gain > half)
    for name in PATIENT:
        worst = max(float(found[name][law].mean()) for law in LAWS)
        claims.claim(f"{name}: never worse than arms pulled at random ({worst:.0f})", worst <= AT_RANDOM + ROUNDING)
    for name, one in found.items():
        law = max(lies, key=lambda law, one=one: float(one[law].mean()))  # type: ignore[misc]
        times = float(one[law].mean()) / float(alone[law].mean())
        claims.say(f"{name}: worst is {law}, {times:.2f} times the regret of UCB alone")
        if name in BELIEVERS:
            claims.claim(f"{name} believes everybody, and loses to UCB alone", times > 1.0)


def _shown(values: Values) -> str:
    mean, half = student_interval(values)
    return f"{float(mean):.0f} ± {float(half):.0f}"
