"""Exchange behind the gate in the table of practice: parties reveal a few samples, train on, and judges decide."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.multiparty import Party
from folkmoot.multiparty.adaptive import ExchangeLiar
from folkmoot.multiparty.exchange.exchanging import Held, hold
from folkmoot.multiparty.exchange.retraining import Retraining
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.multiparty.screening import screen

from .practice_models import Frozen, models_of
from .practice_worlds import (
    ADAPTING,
    BOGUS,
    CLEAN,
    CONTROL,
    EXCHANGED,
    FEWER,
    LYING,
    World,
    checks_of,
    lies,
    right,
    world,
)

Shows = list[tuple[Floats32, int]]


@dataclass(frozen=True)
class Member(Party):
    """A party in an exchange; forests and boostings are fitted anew.

    Attributes:
        bogus: probability that a label it reveals is another one of its classes.
    """

    bogus: float = 0.0

    def reveal(self, view: Any, each: int, generator: np.random.Generator) -> Shows:
        """Own samples, some with false labels."""
        told: Shows = []
        for x, label in super().reveal(view, each, generator):
            if generator.random() < self.bogus:
                label = int(generator.choice([c for c in self.model.classes if c != label]))
            told.append((x, label))
        return told

    def retrained(
        self, model: Model, foreign: Floats32, how: Retraining, generator: np.random.Generator
    ) -> Model | None:
        """See `Party`."""
        if not isinstance(model, Frozen):
            return super().retrained(model, foreign, how, generator)
        y = np.concatenate([np.asarray(self.y, np.int64), np.full(len(foreign), -1)])
        return model.fitted(np.concatenate([self.x, foreign]), y)


@dataclass(frozen=True)
class LyingMember(Member, ExchangeLiar):
    """A member that lies: as many blends of two classes as it thinks the gate lets pass, and it votes for all of it."""


def play_exchange(told: dict[str, Any], cache: Path) -> dict[str, Any]:
    """The rows of an exchange for one set of data and seed, of which the names are given."""
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on regressions that stop before they have converged
        rows, revealed = exchanged(world(told["data"], told["seed"]), told["seed"])
    return {"rows": rows, "revealed": revealed, "seconds": time.process_time() - begun}


def exchanged(made: World, seed: int) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """Rows, and how many samples were revealed."""
    rows: dict[str, dict[str, float]] = {}
    counts: dict[str, Any] = {}
    models = models_of(made)
    committee = Committee(models, Terms(made.claims.shape[1], made.test[0].shape[1:], edition=2))
    each = 5 if len(made.holdings) > 6 else 2
    adapting = ADAPTING if len(made.holdings) == 10 else {}
    plans: list[tuple[str, str, int, float, tuple[int, ...]]] = [
        (EXCHANGED, CLEAN, each, 0.0, ()),
        (FEWER, CLEAN, 2 if each > 2 else 1, 0.0, ()),
        (CONTROL, CLEAN, 0, 0.0, ()),
        *((EXCHANGED, column, each, share, ()) for column, share in BOGUS.items()),
        *((EXCHANGED, column, each, 0.0, liars) for column, liars in adapting.items()),
    ]
    for row, column, samples, bogus, adapts in plans:
        held = hold(_members(made, models, bogus, adapts), committee, samples, Retraining(), (seed, 31))
        columns = {column: ()} if column != CLEAN else {CLEAN: (), **dict(zip(LYING, made.setting.liars, strict=True))}
        after = _after(committee, held)
        for name, liars in columns.items():
            rows.setdefault(row, {})[name] = _screened(made, after, liars)
        counts[f"{row} {column}"] = len(held.shown)
        counts[f"gate, {row} {column}"] = held.votes.decision.accepted
    return rows, counts


def _members(made: World, models: Sequence[Any], bogus: float, adapts: Sequence[int]) -> list[Member]:
    """The parties; those that adapt lie in all that they send."""
    return [
        LyingMember(f"party {i}", model, *holding.own, check=holding.check, shows="dosed", votes="applaud")
        if i in adapts
        else Member(f"party {i}", model, *holding.own, check=holding.check, bogus=bogus)
        for i, (model, holding) in enumerate(zip(models, made.holdings, strict=True))
    ]


def _after(committee: Committee, held: Held) -> Any:
    """The models that came of it."""
    decision, fleet = held.votes.decision, committee.fleet
    models = [fleet.model(i) for i in range(len(fleet))]
    if decision.accepted:
        for number, model in held.candidates.items():
            models[number] = models[number] if number in decision.reverted else model
    return Committee(models, committee.terms).fleet


def _screened(made: World, fleet: Any, liars: Sequence[int]) -> float:
    x, y = (np.concatenate(part) for part in zip(*(h.check for h in made.holdings), strict=True))
    test = lies(fleet.scores(made.test[0]).astype(np.float64), made.test[1], made.claims, liars)
    check = lies(fleet.scores(x).astype(np.float64), y, made.claims, liars)
    kept = screen(checks_of(made, check, liars), made.claims)
    return right(kept.predictor.predict(test, made.claims), made)
