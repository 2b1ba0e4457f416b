"""What each defence is worth: without screening, without trimming, without both; and alone."""

from pathlib import Path

import networkx as nx

import folkmoot as fm
from folkmoot.report.plots import plot_regret
from folkmoot.reproductions.claims import Claims

from . import settings as s

LEAST_RATIO = 2.0
WIDTHS = (0.25, 0.5, 1.0, 2.0)  # C1
PICTURED = "promote the 2nd arm"
UNSCREENED = "without screening (a trimmed mean)"
BARE = "without both (a plain mean)"
HONEST = 8


def defences(out: Path, jobs: int, progress: bool) -> bool:
    """The same without screening, without trimming, without both; and participants alone."""
    claims, rows, worst, equal = Claims("bc_ucb/defences", out), [], {}, []
    ways = {
        "BC-UCB": fm.BCUCB(),
        UNSCREENED: fm.BCUCB(screening=False),
        "without trimming": fm.BCUCB(trimming=False),
        BARE: fm.BCUCB(screening=False, trimming=False),
    }
    lonely, pictured = {c1: alone(c1, jobs, progress) for c1 in WIDTHS}, {}
    for name, attack in s.REPORT_ATTACKS.items():
        found = {way: s.play(a, 2, attack, jobs, progress) for way, a in ways.items()}
        rows.append([name, *(s.shown(result.regret[:, -1]) for result in found.values())])
        worst[name] = float(found[BARE].regret[:, -1].mean() / found["BC-UCB"].regret[:, -1].mean())
        if (found["BC-UCB"].pulls == found[UNSCREENED].pulls).all():
            equal.append(name)
        if name == PICTURED:
            pictured = {**found, "alone (UCB)": lonely[2.0]}
    claims.table(
        f"Regret of {HONEST} honest participants, 2 liars, T = {s.HORIZON:,}, C1 = 2, {s.REPLICATES} replicates",
        ["attack", *ways],
        rows,
        "defences.csv",
    )
    name = max(worst, key=lambda attack: worst[attack])
    claims.claim(
        f"without screening and trimming regret is up to {worst[name]:.0f} times as large ({name}; >= {LEAST_RATIO:g})",
        worst[name] >= LEAST_RATIO,
    )
    claims.claim(
        f"games with and without screening are equal, pull for pull, under: {', '.join(equal)}",
        set(equal) == set(s.REPORT_ATTACKS) - {"congestion"},
    )
    del pictured[UNSCREENED], pictured["without trimming"]  # the same curves
    claims.picture("defences.png", plot_regret(pictured, log_y=True))
    attacks = {"none: they play fair": fm.Attack(), "trim window": fm.TrimWindow()}
    table = [
        [f"BC-UCB, {name}", *(_guarded(c1, attack, jobs, progress) for c1 in WIDTHS)]
        for name, attack in attacks.items()
    ]
    table.append(["alone (UCB)", *(s.shown(result.regret[:, -1]) for result in lonely.values())])
    claims.table("What sharing is worth", ["", *(f"C1 = {c1:g}" for c1 in WIDTHS)], table, "defences-c1.csv")
    return claims.all_hold


def _guarded(c1: float, attack: fm.Attack, jobs: int, progress: bool) -> str:
    return s.shown(s.play(fm.BCUCB(c1=c1), 2, attack, jobs, progress).regret[:, -1])


def alone(c1: float, jobs: int, progress: bool) -> fm.Result:
    """As many participants as are honest, who tell each other nothing."""
    return fm.simulate(
        fm.UCB(exploration=c1),
        fm.Bernoulli(s.MEANS, n_agents=HONEST),
        fm.Static(nx.empty_graph(HONEST)),
        horizon=s.HORIZON,
        checkpoints=s.CHECKPOINTS,
        replicates=s.REPLICATES,
        seed=s.SEED,
        jobs=jobs,
        progress=progress,
    )
