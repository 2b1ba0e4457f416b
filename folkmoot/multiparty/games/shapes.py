"""Images that are drawn, not collected: ten shapes, turned, bent, partly hidden, with a stray stroke; hard ones.

How it works: a shape is a list of straight strokes. For each pixel the distance to the nearest stroke is taken after
the pixel was moved by a random map: turned by up to 20 degrees, stretched, sheared, shifted, and bent by two waves.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from folkmoot.multiparty.games.data import Data, Samples
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.rules.margin import Integers

SIDE, AT_ONCE = 28, 128  # pixels of a side; images drawn in one go
TURN, BEND, NOISE, HIDDEN = np.radians(20.0), 0.08, 0.1, 7  # largest turn and wave; deviation; side of what is covered
Strokes = NDArray[np.float64]  # [strokes, 2 ends, 2]


def _closed(corners: NDArray[np.float64]) -> Strokes:
    return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)


def _open(*corners: tuple[float, float]) -> Strokes:
    points = np.array(corners)
    return np.stack([points[:-1], points[1:]], axis=1)


def _regular(corners: int, radii: tuple[float, ...] = (0.8,)) -> Strokes:
    angles = 2.0 * np.pi * np.arange(corners) / corners - np.pi / 2.0
    lengths = np.resize(radii, corners)
    return _closed(np.stack([lengths * np.cos(angles), lengths * np.sin(angles)], axis=1))


SHAPES: tuple[tuple[str, Strokes], ...] = (
    ("circle", _regular(14)),
    ("triangle", _regular(3)),
    ("square", _closed(np.array([(-0.65, -0.65), (0.65, -0.65), (0.65, 0.65), (-0.65, 0.65)]))),
    ("pentagon", _regular(5)),
    ("star", _regular(10, (0.9, 0.4))),
    ("cross", np.concatenate([_open((-0.8, 0.0), (0.8, 0.0)), _open((0.0, -0.8), (0.0, 0.8))])),
    ("tee", np.concatenate([_open((-0.7, -0.7), (0.7, -0.7)), _open((0.0, -0.7), (0.0, 0.8))])),
    ("arrow", np.concatenate([_open((0.0, 0.8), (0.0, -0.8)), _open((-0.5, -0.3), (0.0, -0.8), (0.5, -0.3))])),
    ("zigzag", _open((-0.7, 0.7), (-0.3, -0.7), (0.3, 0.7), (0.7, -0.7))),
    ("bowl", np.concatenate([_regular(14)[:7] @ np.array([[0.0, 1.0], [-1.0, 0.0]]), _open((-0.8, 0.0), (0.8, 0.0))])),
)
_MOST = max(len(strokes) for _, strokes in SHAPES)
_TABLE = np.stack([np.concatenate([s, np.repeat(s[-1:], _MOST - len(s), axis=0)]) for _, s in SHAPES])


def draw(labels: Integers, generator: np.random.Generator) -> Floats32:
    """Images of these shapes, float32 [samples, 1, 28, 28] of numbers from 0 to 1.

    Args:
        labels: numbers of SHAPES, [samples].
        generator: of all that is drawn at random.
    """
    parts = [_drawn(labels[i : i + AT_ONCE], generator) for i in range(0, len(labels), AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros((0, 1, SIDE, SIDE), np.float32)


def _drawn(labels: Integers, generator: np.random.Generator) -> Floats32:
    n = len(labels)
    pixels = _moved(n, generator)
    extra = generator.uniform(-1.2, 1.2, (n, 1, 1, 2)) + generator.uniform(-0.3, 0.3, (n, 1, 2, 2))
    strokes = np.concatenate([_TABLE[labels], extra], axis=1)
    away = _distance(pixels, strokes)
    width = generator.uniform(0.06, 0.16, (n, 1))
    ink = 1.0 / (1.0 + np.exp((away - width) / 0.035))
    image = (ink * generator.uniform(0.55, 1.0, (n, 1))).reshape(n, SIDE, SIDE)
    top, left = generator.integers(0, SIDE - HIDDEN, (2, n, 1))
    at = np.arange(SIDE)
    rows, columns = (at >= top) & (at < top + HIDDEN), (at >= left) & (at < left + HIDDEN)
    image = np.where(rows[:, :, None] & columns[:, None, :], 0.0, image)
    image += generator.normal(0.0, NOISE, image.shape)
    return np.clip(image, 0.0, 1.0).astype(np.float32)[:, None]


def _moved(n: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Where each pixel is on the sheet that the shape is drawn on, [images, pixels, 2]."""
    line = (np.arange(SIDE) + 0.5) / SIDE * 2.4 - 1.2
    pixels = np.stack(np.meshgrid(line, line), axis=-1).reshape(1, -1, 2)
    pixels = pixels - generator.uniform(-0.2, 0.2, (n, 1, 2))
    phase, turns = generator.uniform(0.0, 2.0 * np.pi, (n, 1, 2)), generator.uniform(1.5, 3.5, (n, 1, 2))
    pixels = pixels + BEND * np.sin(turns * pixels[:, :, ::-1] + phase)
    angle = generator.uniform(-TURN, TURN, n)
    stretch, shear = generator.uniform(0.9, 1.4, (n, 2)), generator.uniform(-0.15, 0.15, n)
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y = pixels[:, :, 0], pixels[:, :, 1]
    turned_x = cosine[:, None] * x + sine[:, None] * y
    turned_y = cosine[:, None] * y - sine[:, None] * x
    return np.stack([stretch[:, :1] * (turned_x + shear[:, None] * turned_y), stretch[:, 1:] * turned_y], axis=-1)


def _distance(pixels: NDArray[np.float64], strokes: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each pixel [images, pixels, 2] to the nearest of the strokes [images, strokes, 2, 2] of its image."""
    nearest = np.full(pixels.shape[:2], np.inf)
    for stroke in range(strokes.shape[1]):
        begin, way = strokes[:, stroke, 0][:, None], (strokes[:, stroke, 1] - strokes[:, stroke, 0])[:, None]
        x, y = pixels[:, :, 0] - begin[..., 0], pixels[:, :, 1] - begin[..., 1]
        length = np.maximum((way * way).sum(axis=2), 1e-12)
        along = np.clip((x * way[..., 0] + y * way[..., 1]) / length, 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(x - along * way[..., 0], y - along * way[..., 1]))
    return nearest


class Shapes(Data):
    """Ten drawn shapes, 28x28; every replicate draws its own.

    Attributes:
        train: samples for the parties.
        test: samples for the test.
    """

    train: int = Field(6_000, ge=100, le=1_000_000)
    test: int = Field(2_000, ge=10, le=1_000_000)

    @property
    def images(self) -> bool:
        """They are."""
        return True

    def load(self, generator: np.random.Generator) -> Samples:
        """See Data."""
        both = generator.permutation(np.arange(self.train + self.test) % len(SHAPES))
        x, y = draw(both, generator), both.astype(np.int64)
        return Samples(x[: self.train], y[: self.train], x[self.train :], y[self.train :])
