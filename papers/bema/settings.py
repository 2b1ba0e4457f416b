"""The worlds of the BEMA reproduction: who has which digits, which networks, and how they are trained.

The figure with the paper's exact shares is lost; these are ours. Every training image is used once, but for the
public ones, which everybody may look at.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from folkmoot.multiparty import LeNet4, LeNet5, Party, TorchModel, TwoHiddenLayers
from folkmoot.world.mnist import Digits

SHARES = (0.4, 0.3, 0.2, 0.1)  # of the 1st, 2nd, 3rd and 4th class of a party, of that digit's images
PUBLIC = 0.01  # of the training images
EPOCHS, BATCH, RATE = 3, 64, 1e-3  # Adam


class Holding(NamedTuple):
    """What a party has before it trains."""

    build: type[nn.Module]
    classes: tuple[int, ...]
    images: NDArray[np.int64]  # numbers of training images


class Case(NamedTuple):
    """A division of the training images."""

    holdings: list[Holding]
    public: NDArray[np.int64]


def _by_class(labels: NDArray[np.int64], seed: int) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    generator = np.random.default_rng([seed, 6])
    order = generator.permutation(len(labels))
    cut = round(PUBLIC * len(labels))
    rest = order[cut:]
    return [rest[labels[rest] == c] for c in range(10)], order[:cut]


def _divided(labels: NDArray[np.int64], seed: int, owners: Sequence[dict[int, float]], builds: Sequence[type]) -> Case:
    """Owners say which share of each digit they hold; the shares of a digit sum to one."""
    digits, public = _by_class(labels, seed)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in owners]
    for c, numbers in enumerate(digits):
        holders = [i for i, owner in enumerate(owners) if c in owner]
        ends = np.round(np.cumsum([owners[i][c] for i in holders]) * len(numbers)).astype(int)
        for i, part in zip(holders, np.split(numbers, ends[:-1]), strict=True):
            parts[i].append(part)
    generator = np.random.default_rng([seed, 7])
    holdings = [
        Holding(build, tuple(sorted(owner)), generator.permutation(np.concatenate(part)))
        for build, owner, part in zip(builds, owners, parts, strict=True)
    ]
    return Case(holdings, public)


def two_even(labels: NDArray[np.int64], seed: int) -> Case:
    """Fig. 5a: two parties, half of every digit each."""
    return _divided(labels, seed, [dict.fromkeys(range(10), 0.5)] * 2, [LeNet5] * 2)


def two_skewed(labels: NDArray[np.int64], seed: int) -> Case:
    """Fig. 5b: one has 0 to 6, the other 3 to 9; what both have is split 7 : 3 towards its own side."""
    first = {c: 1.0 if c < 3 else 0.7 if c < 5 else 0.3 for c in range(7)}
    second = {c: 1.0 if c > 6 else 0.7 if c > 4 else 0.3 for c in range(3, 10)}
    return _divided(labels, seed, [first, second], [LeNet5] * 2)


def five_skewed(labels: NDArray[np.int64], seed: int) -> Case:
    """Fig. 5c: party i has the digits 2i to 2i + 3 mod 10, three quarters of the first two, a quarter of the others."""
    owners = [{(2 * i + k) % 10: 0.75 if k < 2 else 0.25 for k in range(4)} for i in range(5)]
    return _divided(labels, seed, owners, [LeNet5] * 5)


def ten_skewed(labels: NDArray[np.int64], seed: int, each: int = 1) -> Case:
    """Fig. 5d: party i has the digits i to i + 3 mod 10 in `SHARES`; each of the ten split evenly into `each`."""
    owners = [{(i + k) % 10: share for k, share in enumerate(SHARES)} for i in range(10)]
    case = _divided(labels, seed, owners, [LeNet5] * 3 + [LeNet4] * 3 + [TwoHiddenLayers] * 4)
    split = [Holding(h.build, h.classes, part) for h in case.holdings for part in np.array_split(h.images, each)]
    return Case(split, case.public)


class Training(NamedTuple):
    """How a party trains.

    Attributes:
        reserved: with one more output, "none of mine", taught by the public images of other classes.
        temperature: of the scores.
        smoothing: of the labels.
    """

    reserved: bool = False
    temperature: float = 1.0
    smoothing: float = 0.0


def trained(case: Case, digits: Digits, training: Training, seed: int, cache: Path | None = None) -> list[Party]:
    """The parties of a case with their trained models.

    Args:
        cache: a folder where parameters are kept and looked for.
    """
    parties = []
    torch.set_num_threads(1)
    for i, holding in enumerate(case.holdings):
        module = holding.build(len(holding.classes) + training.reserved)
        kept = cache / f"{i}.safetensors" if cache is not None else None
        if kept is not None and kept.exists():
            module.load_state_dict(safetensors.torch.load_file(kept))
        else:
            torch.manual_seed(1000 * seed + i)
            module = holding.build(len(holding.classes) + training.reserved)
            _train(module, holding, case.public, digits, training)
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                safetensors.torch.save_file(module.state_dict(), kept)
        model = TorchModel(module, holding.classes, reserved=training.reserved, temperature=training.temperature)
        x, y = digits.train_images[holding.images], digits.train_labels[holding.images]
        parties.append(Party(f"party {i + 1}", model, x, y))
    return parties


def _train(module: nn.Module, holding: Holding, public: NDArray[np.int64], digits: Digits, training: Training) -> None:
    images, column = holding.images, np.full(10, len(holding.classes))
    column[list(holding.classes)] = np.arange(len(holding.classes))
    known = np.isin(digits.train_labels[public], holding.classes)
    images = np.concatenate([images, public if training.reserved else public[known]])
    x = torch.from_numpy(digits.train_images[images])
    y = torch.from_numpy(column[digits.train_labels[images]])
    optimiser = torch.optim.Adam(module.parameters(), lr=RATE)
    loss = nn.CrossEntropyLoss(label_smoothing=training.smoothing)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimiser.zero_grad()
            loss(module(x[batch]), y[batch]).backward()
            optimiser.step()
