"""One game of the BEMA reproduction: parties of a case calibrate by some rules while a share of messages is bogus."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.multiparty import Consortium, OneStepHMR, Party, SwappedLabels, SwappedWithin, lying
from folkmoot.multiparty.games.watch import overall, watch
from folkmoot.reproductions import cells as reproductions
from folkmoot.reproductions.cells import PaperCell
from folkmoot.simulation.cells import new_control
from folkmoot.simulation.saved import provenance
from folkmoot.world.datasets import load_mnist
from folkmoot.world.mnist import Digits

from . import settings as s
from .reuse import play_reuse

ITERATIONS, SAMPLES, ALPHA = 50, 200, 0.75
PUBLISHED = "HMR as published"
REMINDED = f"{PUBLISHED}, with public images"  # every epoch of it has them too, as the training before had
ALONE = "local training alone"  # the control of HMR as published: as many epochs in all, and nothing is sent
TRAINED = (PUBLISHED, REMINDED, ALONE)
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
        method: "BEMA"; "HMR": BEMA's reading of it, one step for each of two models; or one of TRAINED.
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
    digits = load_mnist()
    parties = _parties(cell, digits, cache)
    if cell.method in TRAINED:
        test, rows = (digits.test_images, digits.test_labels), CASES[cell.case](digits.train_labels, cell.seed).public
        public = (digits.train_images[rows], digits.train_labels[rows]) if cell.method == REMINDED else None
        given = (parties, cell.share, cell.seed, ITERATIONS, cell.at, cell.alpha, test, public)
        told = play_reuse(*given, alone=cell.method == ALONE)
        return told | {"cell": asdict(cell), "provenance": provenance(("torch",))}
    liars = np.random.default_rng([cell.seed, 8]).permutation(len(parties))[: round(cell.share * len(parties))]
    attack = ATTACKS[cell.attack]
    if cell.liars == "parties":
        parties = [lying(party, attack) if i in liars else party for i, party in enumerate(parties)]
    elif cell.share > 0.0:
        parties = [lying(party, attack, cell.share) for party in parties]
    terms: dict[str, Any] = {name: getattr(cell, name) for name in ("seed", "score_gradient", "eta", "alpha")}
    if cell.method == "HMR":
        together: OneStepHMR | Consortium = OneStepHMR(parties, predictor="max", **terms)
    else:  # rules and predictor of the paper, not the library's defaults
        more: dict[str, Any] = {"rules": cell.rules, "without": cell.without, "edition": 1, "keys": "derived"}
        together = Consortium(parties, predictor="krum", **more, **terms)
    begun, y = time.process_time(), digits.test_labels
    seen = watch(together, digits.test_images, y, cell.at, SAMPLES, new_control(1))
    assert seen is not None  # nobody stops it
    refused = sum((Counter(counts) for counts in seen.by_sender.values()), Counter())
    return {
        "cell": asdict(cell),
        "krum": overall(seen.krum, y).tolist(),
        "max": overall(seen.maximum, y).tolist(),
        "accepted": refused.pop("", 0),
        "refused": dict(refused),
        "seconds": time.process_time() - begun,
        "provenance": provenance(("torch",)),
    }


def accuracy(told: dict[str, Any]) -> list[float]:
    """By the predictor of the method: Krum's for BEMA, the surest model's for HMR and its control."""
    found: list[float] = told["krum" if told["cell"]["method"] == "BEMA" else "max"]
    return found


def play_all(cells: Sequence[Cell], cache: Path, jobs: int, progress: bool) -> dict[Cell, dict[str, Any]]:
    """All cells, each in one process; those that have been played before are read."""
    cells = list(dict.fromkeys(cells))
    worlds = list({(c.case, c.seed, c.reserved): c for c in cells}.values())
    home = Path(__file__).resolve().parent

    def all_of(function: str, group: Sequence[Cell]) -> list[dict[str, Any]]:
        named = [PaperCell(home, "cells", function, asdict(c), cache, ("torch",)) for c in group]
        return reproductions.play_all(named, cache, jobs, progress)

    all_of("train_told", worlds)  # so that no two cells train the same
    return dict(zip(cells, all_of("play_told", cells), strict=True))


def play_told(cell: dict[str, Any], cache: Path) -> dict[str, Any]:
    """`play`, of the fields of a cell."""
    return play(_cell(cell), cache)


def train_told(cell: dict[str, Any], cache: Path) -> dict[str, Any]:
    """Train the parties of a cell, of which the fields are given; their models are kept."""
    _parties(_cell(cell), load_mnist(), cache)
    return {}


def _cell(told: dict[str, Any]) -> Cell:
    return Cell(**{**told, "without": tuple(told["without"]), "at": tuple(told["at"])})


def _parties(cell: Cell, digits: Digits, cache: Path) -> list[Party]:
    models = cache / "models" / f"{cell.case} {cell.seed}{' reserved' * cell.reserved}"
    division = CASES[cell.case](digits.train_labels, cell.seed)
    return s.trained(division, digits, s.Training(cell.reserved), cell.seed, models)
