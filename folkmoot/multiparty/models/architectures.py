"""The network architectures of the BEMA paper, and the register in which anyone enters their own.

A chain names an architecture, and a digest of its code; whoever replays it looks the name up here. LeNet-4 and LeNet-5
follow LeCun et al. 1998 with plain average pooling and a linear output layer; the two-hidden-layer net has 128 and 64
rectified units.
"""

import re
from collections.abc import Callable

import torch
from torch import nn

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.multiparty.models.code import code_of

Builder = Callable[[int], nn.Module]  # number of outputs -> a module from [samples, *shape] to [samples, outputs]

ARCHITECTURES: dict[str, Builder] = {}


@guarded
def register_architecture(name: str, build: Builder) -> None:
    """Make a module known by a name, so that chains with such models can be replayed.

    Args:
        name: 1 to 32 of a-z, 0-9, _ and -, beginning with a letter.
        build: from the number of outputs to a new module; the same structure every time.

    Raises:
        ValueError: a bad name, or one that stands for something else already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
        raise ValueError(f"architecture {brief(name)}: expected 1 to 32 of a-z, 0-9, _ and -, beginning with a letter")
    if ARCHITECTURES.get(name, build) is not build:
        raise ValueError(f"architecture {brief(name)}: the name is taken")
    ARCHITECTURES[name] = build


def code_named(name: str) -> str:
    """The digest of the code of an architecture (`code.code_of`); empty where its source is not to be had."""
    return code_of(ARCHITECTURES[name])


class LeNet5(nn.Module):
    """Two convolutions of 5x5 with average pooling, 6 and 16 channels, then 120, 84 and the outputs; 28x28 images."""

    def __init__(self, n_outputs: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, n_outputs)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [samples, outputs] of images [samples, 1, 28, 28]."""
        logits: torch.Tensor = self.head(self.features(x))
        return logits


class LeNet4(nn.Module):
    """As LeNet-5 with 4 and 16 channels and one hidden layer of 120; 28x28 images."""

    def __init__(self, n_outputs: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(4, 16, 5), nn.Tanh(), nn.AvgPool2d(2)
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, n_outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [samples, outputs] of images [samples, 1, 28, 28]."""
        logits: torch.Tensor = self.head(self.features(x))
        return logits


class TwoHiddenLayers(nn.Module):
    """784 inputs, 128 and 64 rectified units, the outputs."""

    def __init__(self, n_outputs: int = 10) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, n_outputs)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [samples, outputs] of images [samples, 1, 28, 28] or [samples, 784]."""
        logits: torch.Tensor = self.layers(x)
        return logits


for _name, _build in (("lenet5", LeNet5), ("lenet4", LeNet4), ("two_hidden_layers", TwoHiddenLayers)):
    register_architecture(_name, _build)
