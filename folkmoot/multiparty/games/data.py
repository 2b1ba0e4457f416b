"""Data sets that consortia are tried on: what parties divide, and what nobody has."""

from abc import abstractmethod
from typing import NamedTuple

import numpy as np

from folkmoot.configuration import Configuration
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.rules.margin import Integers


class Samples(NamedTuple):
    """Samples [samples, *shape] with labels [samples], for the parties and for the test."""

    x: Floats32
    y: Integers
    test_x: Floats32
    test_y: Integers


class Data(Configuration):
    """A data set of ten classes."""

    n_classes: int = 10

    @property
    @abstractmethod
    def images(self) -> bool:
        """Are samples images [1, 28, 28], as the networks of the paper take?"""

    @abstractmethod
    def load(self, generator: np.random.Generator) -> Samples:
        """The samples; what is drawn at random is drawn from the generator.

        Raises:
            ValueError: they are not installed, or not found.
        """


class SmallDigits(Data):
    """scikit-learn's 1,797 digits of 8x8 numbers, bundled; a random third is the test."""

    @property
    def images(self) -> bool:
        """They are rows of 64."""
        return False

    def load(self, generator: np.random.Generator) -> Samples:
        """See Data."""
        try:
            from sklearn.datasets import load_digits
        except ModuleNotFoundError:
            raise ValueError("data set digits needs sklearn: pip install 'folkmoot[multiparty]'") from None
        x, y = load_digits(return_X_y=True)
        order = generator.permutation(len(y))
        x, y = (x[order] / 16.0).astype(np.float32), y[order].astype(np.int64)
        cut = 2 * len(y) // 3
        return Samples(x[:cut], y[:cut], x[cut:], y[cut:])


class Mnist(Data):
    """MNIST's 60,000 images of 28x28 and its 10,000 test images: `folkmoot data fetch mnist`."""

    @property
    def images(self) -> bool:
        """They are."""
        return True

    def load(self, generator: np.random.Generator) -> Samples:
        """See Data."""
        from folkmoot.world.datasets import load_mnist

        found = load_mnist()
        return Samples(found.train_images, found.train_labels, found.test_images, found.test_labels)
