"""What the table of practice is played on: six sets of data, parties with models of several kinds, who lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from folkmoot.multiparty.games.data import Mnist, Samples, SmallDigits
from folkmoot.multiparty.games.shapes import Shapes
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.rules.margin import Bools, Floats, Integers
from folkmoot.multiparty.screening import Check

TRAIN, CHECK = 50, 20  # samples of a class that an owner trains on and keeps back, at most
EXCHANGED, CONTROL = "exchange behind the gate", "the same training, nothing revealed"  # rows
FEWER = "exchange behind the gate, fewer samples"
CLEAN = "clean"  # columns of the table
BOGUS = {"20 % bogus": 0.2, "50 % bogus": 0.5}
LYING = ("1 of 4 lies", "2 of 4 lie", "3 of 4 lie")
ADAPTING = {"1 of 10 adapts": (0,), "3 of 10 adapt": (0, 3, 6)}  # who looks first, and lies in what it sends
Pair = tuple[Floats32, Integers]  # samples [samples, *shape], labels [samples]


def _bundled(name: str, generator: np.random.Generator) -> Samples:
    """A set of scikit-learn's; a random third is the test."""
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return _cut(x, y, generator.permutation(len(y)), len(y) // 3)


def _made(generator: np.random.Generator) -> Samples:
    """Ten classes of two clouds each in twenty numbers, of which twelve tell them apart."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        n_samples=5_000, n_features=20, n_informative=12, n_redundant=4, n_classes=10, n_clusters_per_class=2,
        class_sep=1.5, random_state=int(generator.integers(1 << 31)),
    )  # fmt: skip
    return _cut(x, y, np.arange(len(y)), 1_000)


def _images(samples: Samples, generator: np.random.Generator) -> Samples:
    """As many as are needed."""
    train, test = generator.permutation(len(samples.y))[:4_000], generator.permutation(len(samples.test_y))[:1_000]
    return Samples(samples.x[train], samples.y[train], samples.test_x[test], samples.test_y[test])


def _cut(x: NDArray[Any], y: NDArray[Any], order: Integers, test: int) -> Samples:
    x, y = np.asarray(x[order], np.float32), np.asarray(y[order], np.int64)
    return Samples(x[test:], y[test:], x[:test], y[:test])


@dataclass(frozen=True)
class Setting:
    """Data, and who has which classes; four parties know each class.

    Attributes:
        load: from a generator to samples.
        classes: of each party.
        liars: parties that lie, for 1, 2 and 3 of the four owners of a class (with three classes: at most).
        pool: public samples.
        images: are they images of 28x28?
        title: for tables.
    """

    load: Callable[[np.random.Generator], Samples]
    classes: tuple[tuple[int, ...], ...]
    liars: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    pool: int
    title: str
    images: bool = False


TEN = tuple(tuple(sorted((i + k) % 10 for k in range(4))) for i in range(10))
TEN_LIARS = ((0, 5), (0, 2, 5, 7), (0, 1, 2, 5, 6, 7))
SETTINGS = {
    "digits": Setting(SmallDigits().load, TEN, TEN_LIARS, 200, "digits (8x8)"),
    "wine": Setting(
        lambda g: _bundled("wine", g), ((0, 1), (1, 2), (0, 2)) * 2, ((0,), (0, 1, 2), (0, 1, 2, 3)), 20, "wine"
    ),
    "cancer": Setting(
        lambda g: _bundled("breast_cancer", g), ((0, 1),) * 4, ((0,), (0, 1), (0, 1, 2)), 40, "breast cancer"
    ),
    "clouds": Setting(_made, TEN, TEN_LIARS, 200, "ten clouds (made)"),
    "mnist": Setting(lambda g: _images(Mnist().load(g), g), TEN, TEN_LIARS, 200, "MNIST", True),
    "shapes": Setting(
        lambda g: _images(Shapes(train=4_000, test=1_000).load(g), g), TEN, TEN_LIARS, 200, "shapes (drawn)", True
    ),
}


class Holding(NamedTuple):
    """What a party has."""

    classes: tuple[int, ...]
    own: Pair  # it trains on
    check: Pair  # kept back


class World(NamedTuple):
    """Data as they are divided, and models trained on them."""

    setting: Setting
    holdings: list[Holding]
    pool: Pair
    test: Pair
    learners: list[Any]  # `learners.Learner`
    kinds: list[str]
    claims: Bools  # [parties, classes]


def world(name: str, seed: int) -> World:
    """A world of a setting; everything in it depends on the two."""
    setting = SETTINGS[name]
    generator = np.random.default_rng([seed, sorted(SETTINGS).index(name), 30])
    found = setting.load(generator)
    n_classes = 1 + max(max(classes) for classes in setting.classes)
    pool = found.x[: setting.pool], found.y[: setting.pool]
    x, y = found.x[setting.pool :], found.y[setting.pool :]
    if not setting.images and name != "digits":  # what a public pool says of the size of each number
        mean, width = pool[0].mean(axis=0), pool[0].std(axis=0) + 1e-6
        x, test, pool = (x - mean) / width, (found.test_x - mean) / width, ((pool[0] - mean) / width, pool[1])
        found = found._replace(test_x=test.astype(np.float32))
        x = x.astype(np.float32)
    holdings = _divided(setting, x, y, n_classes)
    learners, kinds = [], []
    for number, holding in enumerate(holdings):
        kind = KINDS[setting.images][number % 4]
        learners.append(trained(kind, holding.classes, holding.own, 100 * seed + number))
        kinds.append(kind)
    claims = np.zeros((len(holdings), n_classes), np.bool_)
    for number, holding in enumerate(holdings):
        claims[number, list(holding.classes)] = True
    test_pair = found.test_x, found.test_y
    return World(setting, holdings, (pool[0].astype(np.float32), pool[1]), test_pair, learners, kinds, claims)


def _divided(setting: Setting, x: Floats32, y: Integers, n_classes: int) -> list[Holding]:
    """Each owner of a class has as many samples of it as the others; three in ten, at most 20, are kept back."""
    own: list[list[Integers]] = [[] for _ in setting.classes]
    check: list[list[Integers]] = [[] for _ in setting.classes]
    for label in range(n_classes):
        owners = [i for i, classes in enumerate(setting.classes) if label in classes]
        for i, part in zip(owners, np.array_split(np.flatnonzero(y == label), len(owners)), strict=True):
            kept = min(CHECK, max(1, 3 * len(part) // 10))
            check[i].append(part[:kept])
            own[i].append(part[kept : kept + TRAIN])
    rows = [(np.concatenate(a), np.concatenate(b)) for a, b in zip(own, check, strict=True)]
    return [
        Holding(classes, (x[mine], y[mine]), (x[kept], y[kept]))
        for classes, (mine, kept) in zip(setting.classes, rows, strict=True)
    ]


KINDS = {False: ("logistic", "forest", "boosting", "network"), True: ("convolutions", "forest", "network", "logistic")}
EPOCHS = {"convolutions": 20, "network": 40, "perceptron": 20}


def trained(kind: str, classes: Sequence[int], own: Pair, seed: int) -> Any:
    """A learner of a kind, trained on these samples."""
    from folkmoot.multiparty import EstimatorLearner

    x, y = own
    if kind in ("convolutions", "network"):
        learner: Any = _network(kind, classes, x, seed)
        epochs = EPOCHS["perceptron" if x.ndim > 2 and kind == "network" else kind]
    else:
        learner, epochs = EstimatorLearner(_estimator(kind, x, seed), classes), 1
    for _ in range(epochs):
        learner.retrain(x, y)
    return learner


def _estimator(kind: str, x: Floats32, seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    if kind == "logistic":
        return LogisticRegression(C=0.1, max_iter=60, tol=1e-3) if x.ndim > 2 else LogisticRegression(max_iter=200)
    if kind == "forest":
        return Forest(20, random_state=seed)
    return GradientBoostingClassifier(
        n_estimators=10, learning_rate=0.3, max_depth=2, max_features="sqrt", random_state=seed
    )


class Forest(RandomForestClassifier):  # type: ignore[misc]
    """scikit-learn's, but for how trees are asked: one after the other, without its scheduler, which takes longer."""

    def predict_proba(self, X: Any) -> Any:
        """Mean of the trees' shares, [samples, classes]."""
        given = np.ascontiguousarray(X, np.float32)
        return sum(tree.tree_.predict(given) for tree in self.estimators_) / len(self.estimators_)


def _network(kind: str, classes: Sequence[int], x: Floats32, seed: int) -> Any:
    import torch
    from torch import nn

    from folkmoot.multiparty import LeNet4, NetworkLearner, TwoHiddenLayers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "convolutions":
            module: nn.Module = LeNet4(len(classes))
        elif x.ndim > 2:
            module = TwoHiddenLayers(len(classes))
        else:
            module = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Linear(32, len(classes)))
    small = kind == "network" and x.ndim == 2
    return NetworkLearner(module, classes, rate=3e-3 if small else 1e-3, batch=16 if small else 32, seed=seed)


def lies(scores: Floats, truth: Integers, claims: Bools, liars: Sequence[int]) -> Floats:
    """Scores [models, samples, classes] if these models lie as badly as one can.

    A liar knows the truth, and what the mean of the honest models says. It gives 1 to the wrong class it knows that is
    nearest to the truth, and 0 to all others.
    """
    honest = [i for i in range(len(scores)) if i not in liars]
    mean = scores[honest].sum(axis=0) / np.maximum(claims[honest].sum(axis=0), 1)
    mean[np.arange(len(truth)), truth] = -1.0
    found = scores.copy()
    for i in liars:
        wrong = np.where(claims[i], mean, -2.0).argmax(axis=1)
        found[i] = np.arange(scores.shape[2]) == wrong[:, None]
    return found


def checks_of(made: World, scores: Floats, liars: Sequence[int]) -> list[Check]:
    """What the judges look at; liars call a sample what their models do."""
    ends = np.cumsum([len(h.check[1]) for h in made.holdings])[:-1]
    found = []
    for judge, (part, holding) in enumerate(zip(np.split(scores, ends, axis=1), made.holdings, strict=True)):
        labels = holding.check[1]
        if judge in liars:
            labels = np.where(made.claims[judge], part[judge], -1.0).argmax(axis=1)
        found.append(Check(judge, False, part, labels))
    return found


def right(found: Integers, made: World) -> float:
    return float((found == made.test[1]).mean())
