"""How a party comes to its model: kinds of models that are trained on its own samples."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from pydantic import Field

from folkmoot.configuration import Configuration
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.rules.margin import Integers


class Training(Configuration):
    """A kind of model and its training."""

    torch: ClassVar[bool] = False  # is it PyTorch's?

    @abstractmethod
    def train(self, x: Floats32, y: Integers, classes: tuple[int, ...], seed: int) -> Model:
        """A model of these classes, trained on samples x [samples, *shape] with labels y [samples]."""


class Softmax(Training):
    """Softmax regression, by scikit-learn.

    Attributes:
        c: inverse strength of the penalty on weights.
    """

    c: float = Field(1.0, gt=0, le=1e6)

    def train(self, x: Floats32, y: Integers, classes: tuple[int, ...], seed: int) -> Model:
        """See Training."""
        from sklearn.linear_model import LogisticRegression

        from folkmoot.multiparty import SklearnModel

        return SklearnModel(LogisticRegression(C=self.c, max_iter=300).fit(x.reshape(len(x), -1), y), classes)


class SupportVectors(Training):
    """A linear support vector machine with sigmoids, by scikit-learn.

    Attributes:
        c: inverse strength of the penalty on weights.
    """

    c: float = Field(1.0, gt=0, le=1e6)

    def train(self, x: Floats32, y: Integers, classes: tuple[int, ...], seed: int) -> Model:
        """See Training."""
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import LinearSVC

        from folkmoot.multiparty import SklearnModel

        svm = LinearSVC(C=self.c, random_state=0)
        fitted = CalibratedClassifierCV(svm, method="sigmoid", ensemble=False, cv=2).fit(x.reshape(len(x), -1), y)
        return SklearnModel(fitted, classes)


class _Network(Training):
    torch: ClassVar[bool] = True
    architecture: ClassVar[str]
    epochs: int = Field(3, ge=1, le=1_000)
    batch: int = Field(64, ge=1, le=65_536)
    rate: float = Field(1e-3, gt=0, le=1)

    def train(self, x: Floats32, y: Integers, classes: tuple[int, ...], seed: int) -> Model:
        """See Training."""
        import torch
        from torch import nn

        from folkmoot import multiparty

        torch.manual_seed(seed)
        module = getattr(multiparty, self.architecture)(len(classes))
        inputs, targets = torch.from_numpy(x), torch.from_numpy(np.searchsorted(classes, y))
        optimiser, loss = torch.optim.Adam(module.parameters(), lr=self.rate), nn.CrossEntropyLoss()
        for _ in range(self.epochs):
            for chosen in torch.split(torch.randperm(len(inputs)), self.batch):
                optimiser.zero_grad()
                loss(module(inputs[chosen]), targets[chosen]).backward()
                optimiser.step()
        model: Model = multiparty.TorchModel(module, classes)
        return model


class TrainLeNet5(_Network):
    """LeNet-5, by PyTorch with Adam; images of 28x28 only.

    Attributes:
        epochs: passes over the party's samples.
        batch: samples of a step.
        rate: learning rate.
    """

    architecture: ClassVar[str] = "LeNet5"


class TrainLeNet4(_Network):
    """LeNet-4, by PyTorch with Adam; images of 28x28 only."""

    architecture: ClassVar[str] = "LeNet4"


class TrainTwoHiddenLayers(_Network):
    """A network with two hidden layers, by PyTorch with Adam; images of 28x28 only."""

    architecture: ClassVar[str] = "TwoHiddenLayers"
