"""One game of the BEMA reproduction: parties of a case calibrate by some rules while a share of messages is bogus."""

import hashlib
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich.progress import track

from folkmoot.files import write_file
from folkmoot.multiparty import HMR, Consortium, Party, SwappedLabels, SwappedWithin, lying
from folkmoot.multiparty.rules.margin import claimants_of
from folkmoot.multiparty.rules.predictor import krum_prediction, max_prediction
from folkmoot.reproductions.papers import perform
from folkmoot.simulation.saved import provenance
from folkmoot.world.datasets import load_mnist
from folkmoot.world.mnist import Digits

from . import settings as s

ITERATIONS, SAMPLES, ALPHA = 50, 200, 0.75
RATE = 0.002  # eta at which all methods are near their best when nobody lies
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
    eta: float = RATE
    at: tuple[int, ...] = (0, ITERATIONS)
    alpha: float = ALPHA


def play(cell: Cell, cache: Path) -> dict[str, Any]:
    """Accuracy by the Krum and by the max predictor at each of `cell.at`, what became of the samples, and seconds.

    The seconds are processor time after training: calibration, and accuracy on the test images.
    """
    kept = cache / "cells" / f"{hashlib.sha256(repr(cell).encode()).hexdigest()[:20]}.json"
    if kept.exists():
        return read(kept)
    digits = load_mnist()
    parties = _parties(cell, digits, cache)
    liars = np.random.default_rng([cell.seed, 8]).permutation(len(parties))[: round(cell.share * len(parties))]
    attack = ATTACKS[cell.attack]
    if cell.liars == "parties":
        parties = [lying(party, attack) if i in liars else party for i, party in enumerate(parties)]
    elif cell.share > 0.0:
        parties = [lying(party, attack, cell.share) for party in parties]
    terms: dict[str, Any] = {name: getattr(cell, name) for name in ("seed", "score_gradient", "eta", "alpha")}
    if cell.method == "HMR":
        together: HMR | Consortium = HMR(parties, **terms)
    else:
        together = Consortium(parties, rules=cell.rules, without=cell.without, **terms)
    x, y = digits.test_images, digits.test_labels
    begun = time.process_time()
    told: dict[str, Any] = {"cell": asdict(cell), "krum": [], "max": [], "accepted": 0, "refused": {}}
    for iteration in range(max(cell.at) + 1):
        if iteration in cell.at:
            scores, claims = together.group.fleet.scores(x), together.group.fleet.claims
            krum = krum_prediction(scores, claimants_of(claims, together.terms.alpha))
            told["krum"].append(float((krum == y).mean()))
            told["max"].append(float((max_prediction(scores, claims) == y).mean()))
        if iteration < max(cell.at):
            tally = together.calibrate(1, SAMPLES, progress=False)
            told["accepted"] += tally.accepted
            for reason, count in tally.refused.items():
                told["refused"][reason] = told["refused"].get(reason, 0) + count
    told["seconds"] = time.process_time() - begun
    told["provenance"] = provenance() | {"torch": version("torch")}
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_file(kept, json.dumps(told).encode())
    return read(kept)


def read(kept: Path) -> dict[str, Any]:
    """A cell that has been played."""
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def accuracy(told: dict[str, Any]) -> list[float]:
    """By the predictor of the method: Krum's for BEMA, the surest model's for HMR."""
    found: list[float] = told["max" if told["cell"]["method"] == "HMR" else "krum"]
    return found


def play_all(cells: Sequence[Cell], cache: Path, jobs: int, progress: bool) -> dict[Cell, dict[str, Any]]:
    """All cells, each in one process; those that have been played before are read."""
    cells = list(dict.fromkeys(cells))
    worlds = list({(c.case, c.seed, c.reserved): c for c in cells}.values())
    pool = Parallel(n_jobs=jobs, return_as="generator")

    def all_of(what: str, function: str, group: Sequence[Cell]) -> list[Any]:
        home = Path(__file__).resolve().parent
        calls = (delayed(perform)(home.parent, home.name, "cells", function, asdict(c), cache) for c in group)
        with warnings.catch_warnings():  # a process that has grown is replaced, which is no matter
            warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
            return list(track(pool(calls), what, len(group), disable=not progress))

    all_of("training", "train_told", worlds)
    return dict(zip(cells, all_of("cells", "play_told", cells), strict=True))


def play_told(cell: dict[str, Any], cache: Path) -> dict[str, Any]:
    """`play`, of the fields of a cell."""
    return play(Cell(**cell), cache)


def train_told(cell: dict[str, Any], cache: Path) -> None:
    """Train the parties of a cell, of which the fields are given; their models are kept."""
    _parties(Cell(**cell), load_mnist(), cache)


def _parties(cell: Cell, digits: Digits, cache: Path) -> list[Party]:
    models = cache / "models" / f"{cell.case} {cell.seed}{' reserved' * cell.reserved}"
    division = CASES[cell.case](digits.train_labels, cell.seed)
    return s.trained(division, digits, s.Training(cell.reserved), cell.seed, models)
