"""One world of the table of practice: what each way to predict together comes to, and how many samples it reveals."""

import time
import warnings
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.multiparty import HMR, NetworkLearner, Party, SwappedLabels
from folkmoot.multiparty import lying as lies_told
from folkmoot.multiparty.adaptive import unknown_images
from folkmoot.multiparty.hmr import Exchanged
from folkmoot.multiparty.predictors import Krum, Max, Mean, Predictor, fit_stacked
from folkmoot.multiparty.rules.committee import Committee, Judgement
from folkmoot.multiparty.rules.margin import Bools, Floats, Integers
from folkmoot.multiparty.rules.sample import Proposal
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.multiparty.screening import screen
from folkmoot.multiparty.together import Together
from folkmoot.simulation.saved import provenance

from .practice_models import models_of
from .practice_worlds import ADAPTING, BOGUS, CLEAN, LYING, World, checks_of, lies, right, trained, world

BUDGET, SEARCHES = 105, 2  # samples that may move models, as in HMR as published
Rows = dict[str, dict[str, float]]  # row -> column -> accuracy


def play_world(told: dict[str, Any], cache: Path) -> dict[str, Any]:
    """All rows for one set of data and seed.

    Args:
        told: `data`, `seed`, and `budget`, samples that may move models.
    """
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on regressions that stop before they have converged
        made = world(told["data"], told["seed"])
        rows, revealed = _as_they_are(made), {"pool": len(made.pool[1])}
        for play in (_reuse, _printed):
            more, counts = play(made, told["budget"], told["seed"])
            rows |= more
            revealed |= counts
    return {
        "rows": rows,
        "revealed": revealed,
        "kinds": made.kinds,
        "own": [len(holding.own[1]) for holding in made.holdings],
        "check": [len(holding.check[1]) for holding in made.holdings],
        "seconds": time.process_time() - begun,
        "provenance": provenance(("torch", "scikit-learn")),
    }


def scores_of(made: World, learners: Sequence[Any], x: Any) -> Floats:
    """Of all models and classes, float64 [models, samples, classes]."""
    found = np.zeros((len(learners), len(x), made.claims.shape[1]))
    for number, learner in enumerate(learners):
        found[number][:, list(learner.classes)] = learner.scores(x)
    return found


def _as_they_are(made: World) -> Rows:
    """Ways that change no model: clean, and with models that lie.

    The pool is public: liars know its samples, and do not lie there. Check sets are private: they lie there too.
    """
    at_test, at_pool = (scores_of(made, made.learners, x) for x in (made.test[0], made.pool[0]))
    at_check = scores_of(made, made.learners, np.concatenate([h.check[0] for h in made.holdings]))
    labels = np.concatenate([h.check[1] for h in made.holdings])
    alone = max(right(Mean().predict(at_test[i : i + 1], made.claims[i : i + 1]), made) for i in range(len(at_test)))
    best = trained("convolutions" if made.setting.images else "logistic", range(made.claims.shape[1]), made.pool, 1)
    rows: Rows = {
        "best single model": {CLEAN: alone},
        "a model of the public pool alone": {CLEAN: right(scores_of(made, [best], made.test[0])[0].argmax(1), made)},
    }
    for column, liars in ((CLEAN, ()), *zip(LYING, made.setting.liars, strict=True)):
        test, check = (
            lies(scores, truth, made.claims, liars) for scores, truth in ((at_test, made.test[1]), (at_check, labels))
        )
        honest = np.array([i not in liars for i in range(len(test))])
        kept = screen(checks_of(made, check, liars), made.claims)
        found = {
            "vote": vote(test, made.claims),
            "mean": Mean().predict(test, made.claims),
            "screened mean": kept.predictor.predict(test, made.claims),
            "stacking on the public pool": fit_stacked(at_pool, made.claims, made.pool[1]).predict(test, made.claims),
            "mean of the honest models": Mean().predict(test[honest], made.claims[honest]),
        }
        for row, answer in found.items():
            rows.setdefault(row, {})[column] = right(answer, made)
    return rows


def vote(scores: Floats, claims: Bools) -> Integers:
    """Each model votes for one of its classes; a class has its share of those who know it; ties: the mean decides."""
    own = np.where(claims[:, None], scores, -1.0).argmax(axis=2)
    votes = (own[:, :, None] == np.arange(claims.shape[1])).sum(axis=0) / np.maximum(claims.sum(axis=0), 1)
    found: Integers = (votes + 1e-6 * Mean().class_scores(scores, claims)).argmax(axis=1)
    return found


def _told(made: World, scores: Floats, names: dict[str, Predictor], column: str) -> Rows:
    """Some predictors of changed models; in the clean column also with models that lie when asked."""
    rows: Rows = {}
    for name, predictor in names.items():
        rows[name] = {column: right(predictor.predict(scores, made.claims), made)}
        if column == CLEAN:
            for lying, liars in zip(LYING, made.setting.liars, strict=True):
                told = lies(scores, made.test[1], made.claims, liars)
                rows[name][lying] = right(predictor.predict(told, made.claims), made)
    return rows


def _merge(rows: Rows, more: Rows) -> None:
    for row, columns in more.items():
        rows.setdefault(row, {}).update(columns)


class Deceived(HMR):
    """HMR where some parties lie in all that they send: their sample, as the wrong class that the models are surest of.

    Attributes:
        liars: numbers of these parties.
    """

    liars: tuple[int, ...] = ()

    def _first(self, drawn: Integers, lie: bool) -> tuple[Exchanged | None, int]:
        false = np.isin(self._owner[drawn], self.liars)
        found: list[tuple[int, Exchanged]] = []
        for those, how in ((~false, lie), (false, True)):
            at = np.flatnonzero(those)
            one, used = super()._first(drawn[at], how) if len(at) else (None, 0)
            if one is not None:
                found.append((int(at[used - 1]), one))
        if not found:
            return None, len(drawn)
        first, sent = min(found, key=lambda one: one[0])
        return sent._replace(draw=self.draws + first), first + 1


def _adapting(made: World) -> dict[str, tuple[int, ...]]:
    """Who adapts, by column; where there are other than ten parties nobody does."""
    return ADAPTING if len(made.holdings) == 10 else {}


def _reuse(made: World, budget: int, seed: int) -> tuple[Rows, dict[str, int]]:
    """HMR as published, and the control: as many epochs, and nothing is sent."""
    rows: Rows = {}
    revealed: dict[str, int] = {}
    names: dict[str, Predictor] = {"HMR as published": Max(), "HMR, the mean of its models": Mean()}
    for column, share in {CLEAN: 0.0, **BOGUS, **dict.fromkeys(_adapting(made), 0.0)}.items():
        hmr = Deceived(deepcopy(made.learners), [h.own for h in made.holdings], made.claims.shape[1], seed)
        hmr.liars = ADAPTING.get(column, ())
        hmr.calibrate(budget, bogus=share)
        _merge(rows, _told(made, scores_of(made, hmr.learners, made.test[0]), names, column))
        revealed[f"HMR {column}"] = hmr.revealed
        if column == CLEAN:
            revealed["epochs"] = sum(hmr.epochs)
            control = HMR(deepcopy(made.learners), [h.own for h in made.holdings], made.claims.shape[1], seed)
            # An estimator that is fitted anew on the same samples is the same one.
            moving = [isinstance(learner, NetworkLearner) for learner in made.learners]
            control.train_alone([n * moves for n, moves in zip(hmr.epochs, moving, strict=True)])
            at_test = scores_of(made, control.learners, made.test[0])
            own = {"local training alone, surest model": Max(), "local training alone, mean": Mean()}
            _merge(rows, _told(made, at_test, own, column))
    return rows, revealed


class Printed(Together):
    """BEMA by its printed rules, without a chain."""

    def __init__(self, parties: Sequence[Party], committee: Committee, seed: int) -> None:
        super().__init__(committee.terms, seed, "krum")
        self._parties = list(parties)
        self._committee = committee.copy()
        self.seen: set[bytes] = set()

    @property
    def group(self) -> Committee:
        """All models as they now are."""
        return self._committee

    def _use(self, proposals: Sequence[tuple[int, Proposal]]) -> list[tuple[int, Judgement]]:
        self.seen |= {proposal.name for _, proposal in proposals}
        return [(number, self._committee.take(proposal.of(number))) for number, proposal in proposals]


def _printed(made: World, budget: int, seed: int) -> tuple[Rows, dict[str, int]]:
    """BEMA's printed rules; forests and boostings are not moved."""
    rows: Rows = {}
    revealed: dict[str, int] = {}
    models = models_of(made)
    terms = Terms(made.claims.shape[1], made.test[0].shape[1:], rules="printed")
    committee = Committee(models, terms)
    for column, share in {CLEAN: 0.0, **BOGUS, **dict.fromkeys(_adapting(made), 0.0)}.items():
        parties = [Party(f"party {i}", m, *h.own) for i, (m, h) in enumerate(zip(models, made.holdings, strict=True))]
        if share:
            parties = [lies_told(party, SwappedLabels, share) for party in parties]
        for liar in _adapting(made).get(column, ()):
            x, y = made.pool
            parties[liar] = unknown_images(parties[liar], x[~np.isin(y, made.holdings[liar].classes)])
        bema = Printed(parties, committee, seed)
        tally = bema.calibrate(3, max(1, budget // 3), progress=False, searches=SEARCHES)
        at_test = bema.group.fleet.scores(made.test[0]).astype(np.float64)
        names: dict[str, Predictor] = {"BEMA, printed": Krum(bema.terms.alpha), "BEMA, the mean of its models": Mean()}
        _merge(rows, _told(made, at_test, names, column))
        revealed[f"BEMA {column}"], revealed[f"BEMA accepted {column}"] = len(bema.seen), tally.accepted
    return rows, revealed
