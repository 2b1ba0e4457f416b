"""What a grid for reported means hides from those who read blocks, and what it costs."""

from pathlib import Path

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims

from . import settings as s
from .observer import found_out

BITS = (32, 16, 12, 10, 8, 6, 4)
PARTICIPANTS, ROUNDS = 4, 500
HORIZON = [10_000]
HIDDEN = 0.9


def privacy(out: Path, jobs: int, progress: bool) -> bool:
    """Pulls and counts that two observers of the blocks recover, beside regret, by the resolution of reports."""
    claims, rows = Claims("bc_ucb/privacy", out), []
    curves: dict[str, tuple[list[float], list[float]]] = {"reads numbers": ([], []), "knows the rule": ([], [])}
    regrets = []
    for bits in BITS:
        told = {}
        for name, knows in (("reads numbers", False), ("knows the rule", True)):
            told[name] = found_out(bits, knows, ROUNDS, PARTICIPANTS, s.SEED)
            curves[name][0].append(100 * told[name][0])
            curves[name][1].append(float("nan"))
        result = s.play(fm.BCUCB(resolution=bits), 0, fm.Attack(), jobs, progress, checkpoints=HORIZON)
        regrets.append(float(result.regret_per_agent[:, -1].mean()))
        cells = [f"{100 * share:.1f} %" for pair in told.values() for share in pair]
        rows.append([f"2^-{bits}", *cells, s.shown(result.regret_per_agent[:, -1], 1)])
        if bits >= 16:
            text = f"at 2^-{bits} who reads numbers finds {cells[0]} of the pulls"
            claims.claim(text, told["reads numbers"][0] > HIDDEN)
        claims.claim(
            f"at 2^-{bits} who knows the rule finds {cells[2]} of the pulls", told["knows the rule"][0] > HIDDEN
        )
    heads = ["grid", "numbers: pulls", "counts", "rule: pulls", "counts", f"regret of one, T = {HORIZON[0]:,}"]
    title = f"What an observer of {ROUNDS} blocks of {PARTICIPANTS} participants finds out, nobody lying"
    claims.table(title, heads, rows, "privacy.csv")
    drawing = plot_setting("resolution: bits of reported means", BITS, curves, "% of pulls found out")
    claims.picture("privacy.png", drawing)
    return claims.all_hold
