"""What a model is here: whatever gives scores for its classes, can be moved a little, and can be written down."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import is_whole
from folkmoot.encoding import Value
from folkmoot.errors import brief

Floats32 = NDArray[np.float32]


class Unfit(ValueError):
    """Samples of a shape that a model does not take, or a model whose outputs do not fit its classes."""


def require_samples(x: object) -> None:
    """Refuse what no model can take for samples; a quick look, for what is called often.

    Raises:
        Unfit: no array of numbers [samples, ...].
    """
    if not isinstance(x, np.ndarray) or isinstance(x, np.ma.MaskedArray) or x.ndim < 2 or x.dtype.kind not in "fiub":
        shown = f" of shape {x.shape}, {x.dtype}" if isinstance(x, np.ndarray) else f" = {brief(x)}"
        raise Unfit(f"x{shown}: expected an array of numbers [samples, ...]")


class Pace(NamedTuple):
    """How a step is made.

    Attributes:
        eta: learning rate.
        cap: G, the Euclidean norm a gradient is clipped to (all parameters of a model together).
        log_probability: the gradient is that of log h to enhance and of -log(1 - h) to impair, instead of h itself
            (the paper's), which vanishes where a model is confidently wrong.
    """

    eta: float
    cap: float
    log_probability: bool


@runtime_checkable
class Model(Protocol):
    """A party's model. A user's own is a class with these members, entered with `kinds.register_model_kind`."""

    @property
    def kind(self) -> str:
        """What the chain calls this type of model: 1 to 64 printable ASCII characters."""

    @property
    def classes(self) -> tuple[int, ...]:
        """Y, the classes it knows, ascending, out of the consortium's 0 to C - 1."""

    def scores(self, x: Floats32) -> Floats32:
        """Scores in [0, 1] of samples [samples, ...], one column for each of `classes`; float32, deterministic.

        Raises:
            Unfit: it takes no samples of this shape.
        """

    def step(self, x: Floats32, column: int, sign: int, pace: Pace) -> None:
        """Move along the clipped gradient of the score of one class for one sample [1, ...] (eqs. 11, 12).

        `sign` is +1 to raise the score and -1 to lower it.
        """

    def settings(self) -> Value:
        """What besides the parameters decides the scores (a shape, a temperature); goes on the chain."""

    def to_bytes(self) -> bytes:
        """The parameters; the same bytes for the same parameters."""

    def from_bytes(self, data: bytes) -> Self:
        """The same model with other parameters.

        Raises:
            Malformed: not the bytes of such parameters, or numbers that are not finite.
        """


@runtime_checkable
class Stackable(Model, Protocol):
    """A model that is evaluated and stepped together with others of its likeness."""

    @property
    def likeness(self) -> Hashable:
        """Equal for models that can be stacked."""

    def stack(self, others: Sequence[Any]) -> Any:
        """The model and others of its likeness as one: has scores, step, copy and to_bytes as `stacked.Stack`."""


ALONE = 1e-3  # by so much scores inside may differ from what the party's own model gives alone


def check_alone(who: str, model: Model, x: Floats32) -> None:
    """Does a model give the scores that the party's own object gives alone?

    A model that was made from one has a method `alone(x)` for it.

    Args:
        who: whose model it is.
        x: samples [samples, *shape].

    Raises:
        ValueError: no.
    """
    alone = getattr(model, "alone", None)
    own = None if alone is None else alone(x)
    if own is None:
        return
    away = float(np.abs(np.asarray(own, np.float64) - model.scores(x)).max(initial=0.0))
    if not away <= ALONE:
        raise ValueError(
            f"{who}: scores as {model.kind} differ by up to {away:.3g} from those of the model it was made from; "
            f"{ALONE:g} is allowed"
        )


def checked_classes(classes: Sequence[int], labels: tuple[str, ...] = ()) -> tuple[int, ...]:
    """Classes in ascending order; `labels`: their names, for an error.

    Raises:
        ValueError: none, the same one twice, or something that is no class from 0 to 65,535.
    """
    for value in classes:
        if not is_whole(value) or not 0 <= value < 1 << 16:
            raise ValueError(f"classes: {brief(value)} given, expected integers from 0 to 65535")
    found = tuple(sorted(int(value) for value in classes))
    if not found or len(set(found)) < len(found):
        shown = [labels[one] for one in classes] if labels else list(classes)
        raise ValueError(f"classes = {brief(shown)}: expected at least one, and none twice")
    return found
