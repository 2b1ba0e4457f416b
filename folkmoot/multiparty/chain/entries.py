"""A party as the chain has it: who it is, and the model it came with, down to the last bit of its parameters."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from folkmoot.encoding import Limits, Malformed, Value, decode, encode
from folkmoot.ledger.contents import Contents
from folkmoot.ledger.rules import UnknownRules
from folkmoot.multiparty.models import kinds
from folkmoot.multiparty.models.labels import every
from folkmoot.multiparty.models.model import Floats32, Model, Unfit, checked_classes
from folkmoot.multiparty.models.users import blamed
from folkmoot.multiparty.rules.terms import MOST_CLASSES, Terms
from folkmoot.signatures import KEY_BYTES

NAME_BYTES = 32  # of the name of a content
MOST_PARTIES = 1 << 10
MOST_NAME = 64  # characters of a party's name and of a model's kind
SETTINGS = Limits(size=1 << 14, depth=4, items=1 << 10, int_size=8)


class UnusableModel(Malformed):
    """A model of others that cannot be read, or that gives no scores."""


class Entry(NamedTuple):
    """A party and its model as it came; on the chain as these six fields."""

    name: str  # 1 to 64 printable ASCII characters
    key: bytes  # Ed25519 public key
    model_kind: str  # as long as the name
    classes: tuple[int, ...]  # Y, ascending
    settings: bytes  # encoding of model.settings(), at most 16,384 bytes
    parameters: bytes  # name of model.to_bytes() in the contents


def entry(name: str, key: bytes, model: Model, contents: Contents) -> Entry:
    """The entry of a party; the parameters of its model are put into the contents.

    Raises:
        ValueError: a name, key or model that no chain can have.
        NotStored: see `Contents.put`.
    """
    settings = encode(model.settings(), SETTINGS)
    found = Entry(name, key, model.kind, tuple(model.classes), settings, bytes(NAME_BYTES))
    read_entry(tuple(found))
    return found._replace(parameters=contents.put(model.to_bytes()))


def read_entry(value: Value) -> Entry:
    """An entry from its decoded fields.

    Raises:
        Malformed: anything else, or a number that is not finite.
    """
    fields = typed(value, (str, bytes, str, tuple, bytes, bytes), "party")
    found = Entry(*fields)
    for what, text in (("name of a party", found.name), ("kind of a model", found.model_kind)):
        if not 1 <= len(text) <= MOST_NAME or not text.isascii() or not text.isprintable():
            raise Malformed(f"{what} = {text!r:.80}: expected 1 to {MOST_NAME} printable ASCII characters")
    if len(found.key) != KEY_BYTES or len(found.parameters) != NAME_BYTES:
        raise Malformed(
            f"key and name of parameters of {len(found.key)} and {len(found.parameters)} bytes: expected 32"
        )
    if len(found.classes) > MOST_CLASSES or any(type(c) is not int for c in found.classes):
        raise Malformed(f"classes of {found.name}: expected at most {MOST_CLASSES} integers")
    try:
        ordered = checked_classes(found.classes)
    except ValueError as error:
        raise Malformed(str(error)) from None
    if ordered != found.classes:
        raise Malformed(f"classes of {found.name}: expected ascending order")
    if not _all_finite(decode(found.settings, SETTINGS)):
        raise Malformed(f"settings of {found.name}: numbers that are not finite")
    return found


def load(party: Entry, terms: Terms, contents: Contents) -> Model:
    """The model of an entry, tried out on one sample.

    Raises:
        MissingContent, TamperedContent: see `Contents.get`.
        UnknownRules: models of this kind are not known here, or what they need is not installed.
        UnusableModel: there is no such model.
    """
    if party.classes[-1] >= terms.n_classes:
        raise UnusableModel(f"class {party.classes[-1]}: the classes are {every(terms.n_classes, terms.labels)}")
    return with_parameters(party, terms, contents.get(party.parameters))


def with_parameters(party: Entry, terms: Terms, data: bytes) -> Model:
    """The model of an entry with these parameters instead of those it came with.

    Raises:
        UnknownRules, UnusableModel: see `load`.
    """
    _require_known(party.model_kind)
    try:
        with _judged(party):
            model = kinds.blank(party.model_kind, party.classes, decode(party.settings, SETTINGS)).from_bytes(data)
            same = (model.kind, tuple(model.classes)) == (party.model_kind, party.classes)
            same = same and encode(model.settings(), SETTINGS) == party.settings and model.to_bytes() == data
    except Malformed as error:
        raise UnusableModel(str(error)) from None
    if not same:
        raise UnusableModel(f"model of {party.name}: written down again it is another one")
    scores_of(model, np.zeros((1, *terms.shape), np.float32), party.name)
    return model


@contextmanager
def _judged(party: Entry) -> Iterator[None]:
    """Where a user's code runs for a model, whatever it raises is the model's fault; of ours, nothing is taken."""
    if not kinds.is_users(party.model_kind):
        yield
        return
    with blamed(lambda said: UnusableModel(f"model of {party.name} of kind {party.model_kind}: {said}")):
        yield


def _require_known(kind: str) -> None:
    try:
        known = kinds.is_known(kind)
    except ImportError as error:
        what = f"models of kind {kind} need {error.name or 'more'}"
        raise UnknownRules(f"{what}: install folkmoot[multiparty]") from None
    if not known:
        what = f"model of kind {kind!r}: unknown here"
        how = "enter it with register_architecture or register_model_kind (a command: --models FILE.py)"
        raise UnknownRules(f"{what}; {how}") from None


def scores_of(model: Model, x: Floats32, name: str) -> Floats32:
    """A foreign model's scores [samples, |Y|] of samples [samples, *shape].

    That it takes no such samples, and what its library says of them (a RuntimeError), is the model's own fault; so is
    whatever the code of a user's kind raises.

    Raises:
        UnusableModel: no scores, or none that are float32, of this shape, from 0 to 1.
    """
    what = f"model of {name}: no scores for samples of shape {x.shape[1:]}"
    try:
        with blamed(lambda said: UnusableModel(f"{what}: {said}")) if kinds.is_users(model.kind) else nullcontext():
            scores = model.scores(x)
    except (Unfit, RuntimeError) as error:
        raise UnusableModel(f"{what}: {' '.join(str(error).split())[:160]}") from None
    shape = (len(x), len(model.classes))
    if type(scores) is not np.ndarray or scores.dtype != np.float32 or scores.shape != shape:
        raise UnusableModel(f"model of {name}: expected float32 scores of shape {shape}")
    if not bool(((scores >= 0.0) & (scores <= 1.0)).all()):
        raise UnusableModel(f"model of {name}: scores that are no numbers from 0 to 1")
    return scores


def typed(value: Value, kinds: tuple[type, ...], what: str) -> tuple[Any, ...]:
    """A decoded tuple of exactly these types.

    Raises:
        Malformed: anything else.
    """
    if type(value) is not tuple or tuple(map(type, value)) != kinds:
        raise Malformed(f"{what}: expected {', '.join(kind.__name__ for kind in kinds)}")
    return value


def _all_finite(value: Value) -> bool:
    if type(value) is tuple:
        return all(map(_all_finite, value))
    if type(value) is np.ndarray:
        return bool(np.isfinite(value).all())
    return type(value) is not float or math.isfinite(value)
