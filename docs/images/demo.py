"""`python docs/images/demo.py FOLDER`: the picture of the README, from what `folkmoot run demo --out FOLDER` wrote."""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from folkmoot.simulation.measures import student_interval
from folkmoot.simulation.saved import load_all

HERE = Path(__file__).resolve().parent
WORDS = {  # name of the result: words at its line, colour, weight, shift in parts of the axis
    "GSE": ("GSE: too few links for it, and it says so", "#CC79A7", 1.6, 0.0),
    "UCB (alone)": ("each alone (UCB)", "#000000", 1.6, 0.012),
    "Dist_UCB (C1 = 2)": ("Dist_UCB: gossip", "#E69F00", 1.6, -0.012),
    "Cooperative UCB": ("Cooperative UCB: pools what it hears", "#D55E00", 1.6, 0.0),
    "DrFed-UCB (recalled C1)": ("DrFed-UCB: averages whom it has met", "#56B4E9", 1.6, 0.0),
    "FloodSE": ("FloodSE, recommended: settled", "#0072B2", 3.0, 0.008),
    "Central UCB (oracle)": ("oracle that sees all", "#595959", 1.6, -0.012),
}


def main(folder: str) -> None:
    """Draw it beside this file."""
    figure = Figure(figsize=(7.6, 4.1), layout="constrained")
    axes = figure.subplots()
    results = load_all(Path(folder))
    top = max(float(result.regret[:, -1].mean()) for result in results.values())
    for name, (words, colour, width, shift) in WORDS.items():
        result = results[name]
        mean, half = student_interval(result.regret)
        axes.plot(result.checkpoints, mean, color=colour, linewidth=width, linestyle=":" if "oracle" in name else "-")
        axes.fill_between(result.checkpoints, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)
        place = (float(result.checkpoints[-1]) * 1.012, float(mean[-1]) + 2.2 * shift * top)
        weight = "bold" if width > 2 else "normal"
        axes.text(*place, words, color=colour, va="center", fontweight=weight, fontsize=10)
    axes.set_xlim(0, 10_000)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("round")
    axes.set_ylabel("regret of all 20 together\n(reward lost so far)")
    axes.set_title("Lower is better.  Flat: nothing is lost any more.", loc="left", fontsize=10.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    figure.savefig(HERE / "demo.png", dpi=160, metadata={"Software": None})


if __name__ == "__main__":
    main(sys.argv[1])
