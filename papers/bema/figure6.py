"""Figure 6 of the BEMA paper: accuracy against the iteration, nobody lies."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from folkmoot.multiparty import LeNet5
from folkmoot.report.plots import look
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.world.datasets import load_mnist

from . import settings as s
from .cells import ALONE, PUBLISHED, RATE, Cell, accuracy, play_all
from .gathered import SEEDS, cell, shared, text
from .hard import DEFAULT

CASES = {
    "fig6a": ("2 even", "Two parties, all digits, half of each"),
    "fig6b": ("2 skewed", "Two parties, seven digits each"),
    "fig6c": ("5 skewed", "Five parties, four digits each"),
    "fig6d": ("10", "Ten parties, four digits each, a reserved class"),
}
LONG = ("2 even", "2 skewed")  # an epoch of two parties takes long: their control is of one seed


def _lines(case: str) -> dict[str, list[Cell]]:
    """The curves of a figure: label -> a cell for each seed."""
    # With one or two models that know a class, 0.75 of them is one, and a star that is one model's score moves nothing.
    both = {} if case == "10" else {"alpha": 1.0}
    kinds = {
        f"BEMA, eta {RATE:g} (Krum predictor)": ("BEMA", {"eta": RATE} | both),
        f"HMR, eta {RATE:g} (max predictor)": ("HMR", {"eta": RATE}),
    }
    if case == "10":
        kinds[f"BEMA, eta {DEFAULT:g} (Krum predictor)"] = ("BEMA", {"eta": DEFAULT})
    kinds[f"{PUBLISHED}, 105 samples"] = (PUBLISHED, {})
    kinds[f"{ALONE}, as many epochs{', seed 1' * (case in LONG)}"] = (ALONE, {})
    few = {ALONE: SEEDS[:1]} if case in LONG else {}
    return {
        label: [cell(case, method, 0.0, seed, reserved=case == "10", **what) for seed in few.get(method, SEEDS)]
        for label, (method, what) in kinds.items()
    }


def centralised(folder: Path) -> float:
    """Test accuracy of one LeNet-5 trained on everything, as long as the parties train."""
    kept = folder / "models" / "centralised.txt"
    if not kept.exists():
        digits = load_mnist()
        holding = s.Holding(LeNet5, tuple(range(10)), np.arange(len(digits.train_labels)))
        (party,) = s.trained(s.Case([holding], np.zeros(0, np.int64)), digits, s.Training(), SEEDS[0])
        scores = party.model.scores(digits.test_images)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(str(float((scores.argmax(axis=1) == digits.test_labels).mean())))
    return float(kept.read_text())


def curves(name: str, out: Path, jobs: int, progress: bool) -> bool:
    """One of the four parts of the figure."""
    case, title = CASES[name]
    claims, lines = Claims(f"bema/{name}", out), _lines(case)
    told = play_all([c for group in lines.values() for c in group], shared(out), jobs, progress)
    best = centralised(shared(out))
    plain = [told[c]["mean"][0] for group in lines.values() for c in group if c.method == PUBLISHED]
    figure = Figure(figsize=(8.0, 4.8), layout="constrained")
    axes = figure.subplots()
    rows = []
    for number, (label, group) in enumerate(lines.items()):
        values = np.array([accuracy(told[c]) for c in group])
        mean, half = student_interval(values)
        style, used = look(number), np.mean([told[c]["accepted"] for c in group])
        label = label if used or group[0].method == ALONE else f"{label}: no sample is used"
        looks = group[0].at
        axes.plot(looks, mean, color=style.colour, linestyle=style.dashes, marker=style.marker, label=label)
        if len(group) > 1:
            upper = np.minimum(mean + half, 1.0)
            axes.fill_between(looks, mean - half, upper, color=style.colour, alpha=0.2, linewidth=0)
        steps = [text(values[:, 0]), f"{float(np.max(mean)):.4f}", text(values[:, -1])]
        rows.append([label, *steps, f"{np.mean([told[c]['accepted'] for c in group]):,.0f}"])
    axes.axhline(best, color="0.3", linestyle=":", label="one LeNet-5 with all data")
    axes.axhline(float(np.mean(plain)), color="0.3", linestyle=(0, (6, 3)), label="mean of the models, nothing learnt")
    axes.set_xlabel("iteration (at most 200 samples used)")
    axes.set_ylabel("accuracy on 10,000 test images")
    axes.set_title(f"{title}; mean and 95 % band, {len(SEEDS)} seeds", fontsize="medium")
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    claims.picture(f"{name}.png", figure)
    rows.append(["mean of the models, nothing learnt", text(plain), "", "", "0"])
    header = ["", "before", "best mean", "after", "samples used"]
    claims.table(f"{title}; one LeNet-5 with all data: {best:.4f}", header, rows, f"{name}.csv")
    return claims.all_hold
