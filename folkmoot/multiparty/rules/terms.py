"""What the parties of a consortium agree on before they begin; it stands in the genesis of their chain."""

import math
from dataclasses import dataclass, fields
from typing import Any

from folkmoot.encoding import Malformed, Value
from folkmoot.errors import brief
from folkmoot.multiparty.models.labels import checked_labels
from folkmoot.multiparty.models.model import Pace
from folkmoot.multiparty.rules.validation import HARDENED, Thresholds

RULES = ("hardened", "printed")
GRADIENTS = ("probability", "log_probability")
MOST_CLASSES = 1 << 12
_LEAST = 11  # values that stand in every encoding of terms


@dataclass(frozen=True)
class Terms:
    """The settings of a consortium.

    Attributes:
        n_classes: C, the classes are 0 to C - 1.
        shape: of one sample, without the axis of samples; samples are float32.
        alpha: share of S(c) that a star averages, in (0, 1].
        delta: least star of a sample's label, in [0, 1] (eq. 9).
        sigma: largest distance from the star among the scores behind it, in [0, 1] (eq. 10).
        omega: largest mean distance of a newcomer's scores from an original party's, in [0, 1] (eq. 2).
        eta: learning rate, above 0 (eqs. 11, 12).
        cap: G, the norm a gradient is clipped to, above 0.
        score_gradient: "probability" (the paper's) or "log_probability", see `models.Pace`.
        rules: "printed" validates samples by eqs. 8-10 alone; "hardened" adds the checks of `validation`.
        tolerance: what a replay's parameters may differ from a block's, per number; 0: the hashes must agree. The
            replay goes on from the block's, so every miner may shift parameters by as much.
        without: hardened checks that are left out, in the order of `validation.HARDENED`; for measurements.
        edition: of the rules. By the first, which chains of earlier versions have and the paper means, a score that is
            no number makes a sample unusable, one model is enough for a star (the lowest-numbered of two), and equal
            distances count in the order of the models. By the second, a model whose scores of a sample are not all
            numbers from 0 to 1 has no part in it, two stand behind a star where two know the class, and the order of
            the models makes no difference.
        labels: names of the classes 0 to C - 1; empty: they have none.
        refusals: most samples of a sender that a block may record as refused, and most refused newcomers in a row; then
            a refusal of one sample is recorded once, and that of a newcomer whom no original party covers not at all.
            0: none of this, as in earlier versions.
        approvals: original parties that must approve a newcomer, or another model of a party; 1 or more also means that
            parties may leave, be expelled, and change models and keys (`chain.acts`). 0: one approves a newcomer, and
            none of the rest, as in earlier versions.
        outside: largest mean distance of a newcomer's scores from those of an original party on samples of classes that
            the newcomer does not claim, in [0, 1]; 1: nobody looks there. Below 1, a model needs a reserved class: one
            that knows two classes only is sure of one of them whatever it is shown.

    Raises:
        ValueError: a value out of range, named with what is allowed.
    """

    n_classes: int
    shape: tuple[int, ...]
    alpha: float = 0.75
    delta: float = 0.6
    sigma: float = 0.2
    omega: float = 0.2
    eta: float = 0.01
    cap: float = 1.0
    score_gradient: str = "log_probability"
    rules: str = "hardened"
    tolerance: float = 0.0
    without: tuple[str, ...] = ()
    edition: int = 1
    labels: tuple[str, ...] = ()
    refusals: int = 0
    approvals: int = 0
    outside: float = 1.0

    def __post_init__(self) -> None:
        _integer("n_classes", self.n_classes, 2, MOST_CLASSES)
        if type(self.shape) is not tuple or not 1 <= len(self.shape) <= 4:
            raise ValueError(f"shape = {brief(self.shape)}: expected a tuple of 1 to 4 lengths")
        for length in self.shape:
            _integer("shape", length, 1, 1 << 20)
        if math.prod(self.shape) > 1 << 20:
            raise ValueError(f"shape = {self.shape}: expected at most {1 << 20} numbers a sample")
        for name in ("delta", "sigma", "omega", "outside"):
            _number(name, getattr(self, name), 0.0, 1.0)
        _number("alpha", self.alpha, 0.0, 1.0, above=True)
        _number("eta", self.eta, 0.0, 1e6, above=True)
        _number("cap", self.cap, 0.0, 1e6, above=True)
        _number("tolerance", self.tolerance, 0.0, 1.0)
        for name, allowed in (("rules", RULES), ("score_gradient", GRADIENTS)):
            if type(getattr(self, name)) is not str or getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {brief(getattr(self, name))}: expected {' or '.join(map(repr, allowed))}")
        _integer("refusals", self.refusals, 0, 1 << 12)
        known = HARDENED if self.rules == "hardened" else ()
        if type(self.without) is not tuple or self.without != tuple(c for c in known if c in self.without):
            what = f"some of {known}, in this order, each once" if known else f"() with {self.rules} rules"
            raise ValueError(f"without = {brief(self.without)}: expected {what}")
        _integer("edition", self.edition, 1, 2)
        _integer("approvals", self.approvals, 0, 1 << 8)
        if self.outside < 1.0 and not self.approvals:
            raise ValueError(f"outside = {self.outside:g}: expected 1 where approvals is 0, or approvals of at least 1")
        if self.labels:
            checked_labels(self.labels)
            if len(self.labels) != self.n_classes:
                raise ValueError(
                    f"labels: {len(self.labels)} names for {self.n_classes} classes, expected one for each"
                )

    @property
    def checks(self) -> tuple[str, ...]:
        """What is checked before eqs. 8-10."""
        return tuple(c for c in HARDENED if c not in self.without) if self.rules == "hardened" else ()

    @property
    def thresholds(self) -> Thresholds:
        """Of eqs. 9 and 10."""
        return Thresholds(self.delta, self.sigma)

    @property
    def pace(self) -> Pace:
        """How models are moved."""
        return Pace(self.eta, self.cap, self.score_gradient == "log_probability")

    def to_value(self) -> Value:
        """As it is encoded: the values in the order of the fields; the last ones only as far as they say something."""
        values = tuple(getattr(self, field.name) for field in fields(self))
        while len(values) > _LEAST and values[-1] == fields(self)[len(values) - 1].default:
            values = values[:-1]
        return values

    @classmethod
    def from_value(cls, value: Value) -> "Terms":
        """The terms with this value.

        Raises:
            Malformed: there are none.
        """
        most = len(fields(cls))
        if type(value) is not tuple or not _LEAST <= len(value) <= most:
            raise Malformed(f"terms: expected {_LEAST} to {most} values")
        try:
            found = cls(*value)
        except ValueError as error:  # of the checks above, which look at these values and do nothing else
            raise Malformed(str(error)) from None
        if len(found.to_value()) < len(value):
            raise Malformed("terms: the last values say nothing, expected only as many as needed")
        return found


def _integer(name: str, value: Any, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} = {brief(value)}: expected an integer from {least} to {most}")


def _number(name: str, value: Any, least: float, most: float, above: bool = False) -> None:
    good = type(value) is float and (least < value if above else least <= value) and value <= most
    if not good:
        what = f"above {least:g} and at most" if above else f"from {least:g} to"
        raise ValueError(f"{name} = {brief(value)}: expected a number (float) {what} {most:g}")
