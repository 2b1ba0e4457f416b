"""HMR as published, in the configurations published with it (2, 3 and 7 parties), beside local training alone.

Theirs are Fashion-MNIST and a network of three convolutions; ours are MNIST, a twentieth of it, and LeNet-5. Budget,
optimiser, rate, batch and what goes to whom are theirs.
"""

import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from folkmoot.multiparty import HMR, LeNet5, NetworkLearner
from folkmoot.multiparty.predictors import Max, Mean
from folkmoot.report.plots import look
from folkmoot.reproductions import cells as reproductions
from folkmoot.reproductions.cells import PaperCell
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.saved import provenance
from folkmoot.world.datasets import load_mnist

from .gathered import SEEDS, shared, text

BUDGET, LOOKS = 105, (0, 5, 10, 20, 35, 70, 105)  # samples sent; after how many accuracy is measured
IMAGES, EPOCHS = 3_000, 10  # training images of all parties; epochs before
LABELS = {
    "HMR": "HMR, the surest model",
    "alone": "local training alone, the surest model",
    "HMR, mean": "HMR, the mean of its models",
    "alone, mean": "local training alone, the mean of the models",
}
Owner = dict[int, tuple[float, float]]  # class -> from which to which share of its images
ALL, HALF, REST = (0.0, 1.0), (0.0, 0.5), (0.5, 1.0)
CONFIGURATIONS: dict[str, tuple[str, tuple[Owner, ...]]] = {
    "2 A": ("two, all classes, half of each", (dict.fromkeys(range(10), HALF), dict.fromkeys(range(10), REST))),
    "2 B": (
        "two, eight classes each",
        (
            {0: ALL, 1: ALL, 2: (0, 0.8), 3: (0, 0.6), 4: HALF, 5: HALF, 6: (0, 0.4), 7: (0, 0.2)},
            {2: (0.8, 1), 3: (0.6, 1), 4: REST, 5: REST, 6: (0.4, 1), 7: (0.2, 1), 8: ALL, 9: ALL},
        ),
    ),
    "2 C": ("two, five classes each", (dict.fromkeys(range(5), ALL), dict.fromkeys(range(5, 10), ALL))),
    "3 A": (
        "three, five classes each",
        (
            {0: ALL, 1: ALL, 2: (0, 0.8), 3: HALF, 4: (0, 0.2)},
            {2: (0.8, 1), 3: REST, 4: (0.2, 1), 5: (0, 0.8), 6: HALF},
            {5: (0.8, 1), 6: REST, 7: ALL, 8: ALL, 9: ALL},
        ),
    ),
    "3 B": (
        "three, no class in common",
        (dict.fromkeys(range(3), ALL), dict.fromkeys(range(3, 7), ALL), dict.fromkeys(range(7, 10), ALL)),
    ),
    "7": (
        "seven, two to four classes",
        (
            {0: ALL, 1: (0, 0.6), 2: (0, 0.2)},
            {1: (0.6, 1), 2: (0.2, 0.8), 3: (0, 0.4)},
            {2: (0.8, 1), 3: (0.4, 1), 4: (0, 0.6), 5: (0, 0.2)},
            {4: (0.6, 1), 5: (0.2, 0.8), 6: (0, 0.4)},
            {5: (0.8, 1), 6: (0.4, 1), 7: (0, 0.6), 8: (0, 0.2)},
            {7: (0.6, 1), 8: (0.2, 0.8), 9: (0, 0.4)},
            {8: (0.8, 1), 9: (0.4, 1)},
        ),
    ),
}


def play_published(told: dict[str, Any], cache: Path) -> dict[str, Any]:
    """Accuracy of HMR and of its control after so many samples were sent.

    Args:
        told: `configuration`, `seed`, `images` (of all parties) and `budget`.
    """
    begun = time.process_time()
    digits = load_mnist()
    owners, seed = CONFIGURATIONS[told["configuration"]][1], told["seed"]
    order = np.random.default_rng([seed, 40]).permutation(len(digits.train_labels))[: told["images"]]
    x, y = digits.train_images[order], digits.train_labels[order].astype(np.int64)
    data = [(x[rows], y[rows]) for rows in (held(y, owner) for owner in owners)]
    learners = [
        _trained(*pair, tuple(sorted(owner)), 10 * seed + i) for i, (pair, owner) in enumerate(zip(data, owners))
    ]
    hmr, alone = (HMR(deepcopy(learners), data, 10, seed) for _ in range(2))
    test, truth = digits.test_images[:5_000], digits.test_labels[:5_000]
    found: dict[str, list[float]] = {"HMR": [], "HMR, mean": [], "alone": [], "alone, mean": []}
    looks = [look for look in LOOKS if look <= told["budget"]]
    for number in looks:
        hmr.calibrate(number - len(hmr.exchanged))
        alone.train_alone([n - own for n, own in zip(hmr.epochs, alone.epochs, strict=True)])
        for name, one in (("HMR", hmr), ("alone", alone)):
            scores = one.scores(test)
            for more, predictor in (("", Max()), (", mean", Mean())):
                found[name + more].append(float((predictor.predict(scores, one.claims) == truth).mean()))
    return {"looks": looks, "accuracy": found, "revealed": hmr.revealed, "epochs": sum(hmr.epochs),
            "seconds": time.process_time() - begun, "provenance": provenance(("torch",))}  # fmt: skip


def held(y: Any, owner: Owner) -> Any:
    """Numbers of the samples that a party has: of each of its classes those from one share to another."""
    parts = []
    for label, (first, last) in owner.items():
        rows = np.flatnonzero(y == label)
        parts.append(rows[round(first * len(rows)) : round(last * len(rows))])
    return np.concatenate(parts)


def _trained(x: Any, y: Any, classes: tuple[int, ...], seed: int) -> NetworkLearner:
    """LeNet-5; afterwards Adam goes on anew, with the published rate and batch."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = LeNet5(len(classes))
    first = NetworkLearner(module, classes, rate=1e-3, batch=64, seed=seed)
    for _ in range(EPOCHS):
        first.retrain(x, y)
    return NetworkLearner(first.module, classes, seed=seed)


def hmr(out: Path, jobs: int, progress: bool) -> bool:
    """All configurations, three seeds: before, after 105 samples, and the control."""
    claims, cache, home = Claims("bema/hmr", out), shared(out), Path(__file__).resolve().parent
    cells = [
        PaperCell(
            home, "published", "play_published",
            {"configuration": name, "seed": seed, "images": IMAGES, "budget": BUDGET}, cache, ("torch",),
        )
        for name in CONFIGURATIONS
        for seed in SEEDS
    ]  # fmt: skip
    told = reproductions.play_all(cells, cache, jobs, progress)
    groups = {name: told[i * len(SEEDS) : (i + 1) * len(SEEDS)] for i, name in enumerate(CONFIGURATIONS)}
    return report(claims, groups)


def report(claims: Claims, groups: dict[str, list[dict[str, Any]]]) -> bool:
    """The table and the picture."""
    rows = []
    for name, group in groups.items():
        at = {what: [one["accuracy"][what] for one in group] for what in group[0]["accuracy"]}
        before = [text([one[0] for one in at[what]]) for what in ("HMR", "HMR, mean")]
        numbers = [*before, *(text([one[-1] for one in at[what]]) for what in at)]
        counts = [f"{np.mean([one[what] for one in group]):.0f}" for what in ("revealed", "epochs")]
        rows.append([f"{name}: {CONFIGURATIONS[name][0]}", *numbers, *counts])
    after = ["HMR", "HMR, mean", "local training", "local training, mean"]
    header = ["parties", "before", "before, mean", *after, "revealed", "epochs"]
    claims.table("HMR as published: accuracy on 5,000 test images", header, rows, "hmr.csv")
    figure = Figure(figsize=(9.6, 6.2), layout="constrained")
    panels = figure.subplots(2, 3)
    for panel, (name, group) in zip(panels.ravel(), groups.items()):
        for number, (what, label) in enumerate(LABELS.items()):
            style, looks = look(number), group[0]["looks"]
            values = np.array([one["accuracy"][what] for one in group])
            mean = values.mean(axis=0)
            panel.plot(looks, mean, color=style.colour, linestyle=style.dashes, marker=style.marker, label=label)
            if len(group) > 1:
                _, half = student_interval(values)
                panel.fill_between(looks, mean - half, np.minimum(mean + half, 1.0), color=style.colour, alpha=0.12,
                                   linewidth=0)  # fmt: skip
        panel.set_title(f"{name}: {CONFIGURATIONS[name][0]}", fontsize="small")
    for panel in panels[1]:
        panel.set_xlabel("samples sent")
    for panel in panels[:, 0]:
        panel.set_ylabel("accuracy on 5,000 test images")
    seeds = len(next(iter(groups.values())))
    figure.suptitle(f"HMR as published; mean and 95 % band, {seeds} seeds", fontsize="medium")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    claims.picture("hmr.png", figure)
    return claims.all_hold
