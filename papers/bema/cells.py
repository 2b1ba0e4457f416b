"""One game of the BEMA reproduction: parties of a case calibrate by some rules while a share of messages is bogus."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich.progress import track

from folkmoot.multiparty import HMR, Consortium, SwappedLabels, SwappedWithin, lying
from folkmoot.multiparty.margin import grouped
from folkmoot.multiparty.predictor import krum_prediction, max_prediction
from folkmoot.world.datasets import load_mnist

from . import settings as s

ITERATIONS, SAMPLES, ALPHA = 50, 200, 0.75
ATTACKS = {"swapped": SwappedLabels, "swapped within": SwappedWithin}
CASES = {
    "2 even": s.two_even,
    "2 skewed": s.two_skewed,
    "5 skewed": s.five_skewed,
    "10": s.ten_skewed,
    "20": lambda labels, seed: s.ten_skewed(labels, seed, 2),
    "50": lambda labels, seed: s.ten_skewed(labels, seed, 5),
}


@dataclass(frozen=True)
class Cell:
    """What is played; everything that makes a difference is in here.

    Attributes:
        case: one of CASES.
        method: "BEMA" or "HMR".
        share: of all messages, bogus ones.
        seed: of the division, the training and the game.
        rules: of BEMA.
        without: hardened checks that are left out.
        attack: one of ATTACKS.
        liars: "messages": every party lies with probability `share`; "parties": that share of the parties only lies.
        reserved: models have a reserved class.
        score_gradient, eta: of the terms.
        at: iterations after which accuracy is measured.
        test: number of test images.
        alpha: of the terms.
    """

    case: str
    method: str
    share: float
    seed: int
    rules: str = "hardened"
    without: tuple[str, ...] = ()
    attack: str = "swapped"
    liars: str = "messages"
    reserved: bool = False
    score_gradient: str = "log_probability"
    eta: float = 0.01
    at: tuple[int, ...] = (0, ITERATIONS)
    test: int = 10_000
    alpha: float = field(default=ALPHA, repr=False)


def play(cell: Cell, cache: Path) -> dict[str, Any]:
    """Accuracy by the Krum and by the max predictor at each of `cell.at`, what became of the samples, and seconds.

    The seconds are processor time after training: calibration, and accuracy on the test images.
    """
    key = repr(cell) + (f" alpha {cell.alpha}" if cell.alpha != ALPHA else "")
    kept = cache / "cells" / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.json"
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    digits = load_mnist()
    case = CASES[cell.case](digits.train_labels, cell.seed)
    models = cache / "models" / f"{cell.case} {cell.seed}{' reserved' * cell.reserved}"
    parties = s.trained(case, digits, s.Training(cell.reserved), cell.seed, models)
    liars = np.random.default_rng([cell.seed, 8]).permutation(len(parties))[: round(cell.share * len(parties))]
    attack = ATTACKS[cell.attack]
    if cell.liars == "parties":
        parties = [lying(party, attack) if i in liars else party for i, party in enumerate(parties)]
    elif cell.share > 0.0:
        parties = [lying(party, attack, cell.share) for party in parties]
    terms = {"seed": cell.seed, "score_gradient": cell.score_gradient, "eta": cell.eta, "alpha": cell.alpha}
    together = HMR(parties, **terms) if cell.method == "HMR" else Consortium(parties, rules=cell.rules, **terms)
    if cell.without:
        together.group.checks = tuple(check for check in together.group.checks if check not in cell.without)
    x, y = digits.test_images[: cell.test], digits.test_labels[: cell.test]
    begun = time.process_time()
    told: dict[str, Any] = {"cell": asdict(cell), "krum": [], "max": [], "accepted": 0, "refused": {}}
    for iteration in range(max(cell.at) + 1):
        if iteration in cell.at:
            scores, claims = together.group.fleet.scores(x), together.group.fleet.claims
            krum = krum_prediction(scores, grouped(claims, together.terms.alpha))
            told["krum"].append(float((krum == y).mean()))
            told["max"].append(float((max_prediction(scores, claims) == y).mean()))
        if iteration < max(cell.at):
            tally = together.calibrate(1, SAMPLES, progress=False)
            told["accepted"] += tally.accepted
            for reason, count in tally.refused.items():
                told["refused"][reason] = told["refused"].get(reason, 0) + count
    told["seconds"] = time.process_time() - begun
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_suffix(".tmp")
    temporary.write_text(json.dumps(told))
    temporary.rename(kept)
    return told


def accuracy(told: dict[str, Any]) -> list[float]:
    """By the predictor of the method: Krum's for BEMA, the surest model's for HMR."""
    found: list[float] = told["max" if told["cell"]["method"] == "HMR" else "krum"]
    return found


def play_all(cells: Sequence[Cell], cache: Path, jobs: int, progress: bool) -> dict[Cell, dict[str, Any]]:
    """All cells, each in one process; those that have been played before are read."""
    load_mnist()  # says where to put it if it is not there
    worlds = list({(c.case, c.seed, c.reserved): c for c in cells}.values())
    pool = Parallel(n_jobs=jobs, return_as="generator")
    for _ in track(pool(delayed(_train)(c, cache) for c in worlds), "training", len(worlds), disable=not progress):
        pass
    games = track(pool(delayed(play)(c, cache) for c in cells), "cells", len(cells), disable=not progress)
    return dict(zip(cells, games, strict=True))


def _train(cell: Cell, cache: Path) -> None:
    digits = load_mnist()
    models = cache / "models" / f"{cell.case} {cell.seed}{' reserved' * cell.reserved}"
    s.trained(CASES[cell.case](digits.train_labels, cell.seed), digits, s.Training(cell.reserved), cell.seed, models)
