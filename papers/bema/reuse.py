"""HMR as published in the places of Table I and figure 6: the same parties, models and lies, 105 samples."""

import time
from collections.abc import Sequence
from typing import Any

from folkmoot.multiparty import HMR, NetworkLearner, Party
from folkmoot.multiparty.hmr import BUDGET
from folkmoot.multiparty.predictors import Krum, Max, Mean

Told = dict[str, Any]


def play_reuse(
    parties: Sequence[Party], share: float, seed: int, iterations: int, at: Sequence[int], alpha: float,
    test: tuple[Any, Any],
) -> Told:  # fmt: skip
    """Accuracy by several predictors, how many samples were sent, and seconds.

    Args:
        parties: with their trained networks.
        share: of all messages, bogus ones.
        seed: of what is drawn.
        iterations: so many stand for the whole budget.
        at: iterations after which accuracy is measured.
        alpha: of Krum's predictor.
        test: images and labels.
    """
    begun, (x, y) = time.process_time(), test
    learners = [
        NetworkLearner(party.model.module(), party.model.classes, reserved=party.model.reserved, seed=100 * seed + i)  # type: ignore[attr-defined]
        for i, party in enumerate(parties)
    ]
    hmr = HMR(learners, [(party.x, party.y) for party in parties], 10, seed)
    found: dict[str, list[float]] = {"krum": [], "max": [], "mean": []}
    for number in at:
        hmr.calibrate(round(BUDGET * number / iterations) - len(hmr.exchanged), bogus=share)
        scores = hmr.scores(x)
        for name, predictor in {"krum": Krum(alpha), "max": Max(), "mean": Mean()}.items():
            found[name].append(float((predictor.predict(scores, hmr.claims) == y).mean()))
    return found | {
        "accepted": len(hmr.exchanged),
        "refused": {},
        "epochs": sum(hmr.epochs),
        "seconds": time.process_time() - begun,
    }
