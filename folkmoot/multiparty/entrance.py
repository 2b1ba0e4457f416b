"""What comes in at the door of a consortium: parties, samples and labels are looked at before they are used."""

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.models.labels import every, named, numbered
from folkmoot.multiparty.models.model import Floats32, check_alone
from folkmoot.multiparty.party import Party, as_float32, as_numbers
from folkmoot.multiparty.rules.margin import ROUNDING, Integers
from folkmoot.multiparty.rules.terms import Terms

CHECKED = 256  # samples of a party on which its model's scores are looked at when it joins


def checked(party: Party, terms: Terms) -> Party:
    """The party, if its model and data fit the terms.

    Raises:
        ValueError: a class outside of 0 to C - 1, samples of another shape, scores of another shape, not finite or
            outside [0, 1].
    """
    classes = party.model.classes
    foreign = [c for c in classes if c >= terms.n_classes]
    if foreign:
        label, allowed = named(foreign[:1], getattr(party.model, "labels", ())), every(terms.n_classes, terms.labels)
        raise ValueError(f"party {party.name}: class {label}: the classes are {allowed}")
    if party.x.shape[1:] != terms.shape:
        raise ValueError(f"party {party.name}: samples of shape {party.x.shape[1:]}: expected {terms.shape}")
    if len(party.x):
        looked = party.x[:CHECKED]
        try:
            scores = np.asarray(party.model.scores(looked))
        except RuntimeError as error:  # PyTorch's, for shapes that do not fit
            raise ValueError(f"party {party.name}: {' '.join(str(error).split())[:200]}") from None
        wanted = (len(looked), len(classes))
        if scores.shape != wanted:
            raise ValueError(f"party {party.name}: scores of shape {scores.shape}: expected {wanted}")
        if not np.isfinite(scores).all():
            raise ValueError(f"party {party.name}: the model gives scores that are not finite")
        if scores.min() < 0.0 or scores.max() > 1.0 + ROUNDING:
            raise ValueError(f"party {party.name}: scores from {scores.min():g} to {scores.max():g}: expected 0 to 1")
        check_alone(f"party {party.name}", party.model, looked)
    return party


def checked_samples(x: NDArray[np.floating], terms: Terms) -> Floats32:
    """Samples as the models take them.

    Raises:
        ValueError: no numbers, another shape than [samples, *shape], or numbers that are not finite.
    """
    found = as_numbers(x, "x")
    if found.ndim == 0 or found.shape[1:] != terms.shape:
        raise ValueError(f"x of shape {found.shape}: expected [samples, {', '.join(map(str, terms.shape))}]")
    return as_float32(found, "x")


def checked_labels_of(y: object, samples: int, terms: Terms) -> Integers:
    """The numbers of the classes of so many samples, int64 [samples].

    Raises:
        ValueError: no list of classes, another number of them, none, or one that is no class.
    """
    found = numbered(y, terms.labels, "y")  # type: ignore[arg-type]
    allowed = every(terms.n_classes, terms.labels)
    if found.dtype.kind not in "iu" or found.shape != (samples,) or not samples:
        shown = f"y of shape {found.shape}, {found.dtype}, for {samples} samples"
        raise ValueError(f"{shown}: expected one of {allowed} for each, at least one")
    foreign = found[(found < 0) | (found >= terms.n_classes)]
    if len(foreign):
        raise ValueError(f"y: class {foreign[0]}: expected one of {allowed}")
    return found.astype(np.int64)
