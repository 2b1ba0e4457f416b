"""Models, applications and samples of others, damaged in ways that are drawn from a seed; what is then said is judged.

Each is read as a participant reads it. Either it is taken, or refused in one printable line by an error that blames the
other side. Whatever else is raised is a mistake of ours, and so is memory of more than twice what the good one takes.
"""

import hashlib
import json
import random
import re
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import safetensors.numpy
from torch import nn

from folkmoot.encoding import Limits, decode, encode
from folkmoot.errors import OtherSide
from folkmoot.ledger import Genesis
from folkmoot.ledger.chain import begin
from folkmoot.ledger.contents import MemoryContents
from folkmoot.multiparty.chain import entries
from folkmoot.multiparty.chain.messages import SampleSent, application, sample_message
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.pool import Pool
from folkmoot.multiparty.chain.records import LIMITS, answer_in
from folkmoot.multiparty.chain.signing import APPLICATION, SAMPLE, signature_of
from folkmoot.multiparty.chain.standing import configuration
from folkmoot.multiparty.models import estimator_model, forest, kinds, linear_model, program, tensors, torch_model
from folkmoot.multiparty.models.architectures import register_architecture
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.signatures import SigningKey, public_key

from .damages import BYTES, HEADERS, a_value

SHAPE, CLASSES = (6,), (0, 1, 2)
TERMS = Terms(3, SHAPE, omega=1.0)
SLACK = 1 << 16  # bytes of Python's own: messages of errors, frames
PAGES = 1 << 25  # bytes by which a process may grow for reasons of its own
WIDE = Limits(size=1 << 23, depth=8, items=1 << 14, int_size=16)  # what a liar may encode
OUTCOMES = ("refused", "taken")


class Wrong(AssertionError):
    """What must not happen."""


class Subject(NamedTuple):
    """Something good that others send, how it is damaged, and how it is read."""

    name: str
    good: bytes
    damages: tuple[Callable[[bytes, random.Random], bytes], ...]
    read: Callable[[bytes], Any]  # raises OtherSide, or returns why it is not taken
    largest: bytes = b""  # of its form; empty: the good one
    weight: float = 1.0  # how often it is drawn


def small(outputs):
    """Every kind of number that a module may keep: weights, running means, a count."""
    return nn.Sequential(nn.Linear(SHAPE[0], 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, outputs))


register_architecture("damaged", small)


def _key(number):
    return SigningKey(bytes([number]) * 32)


def _linear(kind, settings):
    generator = np.random.default_rng(3)
    model = kinds.blank(kind, CLASSES, settings)
    model.weights = generator.normal(size=(3, SHAPE[0])).astype(np.float32)
    return model


def _of_model(name, model):
    contents = MemoryContents()
    party = entries.entry(name, public_key(_key(9)), model, contents)
    return Subject(
        name, model.to_bytes(), BYTES + HEADERS * 3, lambda data: entries.with_parameters(party, TERMS, data)
    )


def _program():
    """Of every operation one step at least; the last gives three probabilities."""
    writer, ones = program.Writer(SHAPE[0]), np.ones(6)
    marked = writer.add("marked", [0], np.array([-1.0]))
    filled = writer.add("filled", [marked], np.zeros(6))
    scaled = writer.add("scaled", [filled], ones, 2 * ones)
    few = writer.add("columns", [scaled], np.array([0, 2, 5], np.uint32))
    trees = [np.array(a, np.uint32) for a in ([0, 3], [1, 0, 0, 0], [1, 1, 2, 3], [2, 1, 2, 3])]
    walked = writer.add("forest", [marked], *trees[:2], np.array([0.5, 0, 0, 0]), *trees[2:], np.zeros(4, bool),
                        np.eye(3), np.zeros(3), np.array([True]))  # fmt: skip
    near = writer.add("nearest", [scaled], np.eye(6)[:4], np.eye(4)[:, :3], 2, 2.0, True)
    square = writer.add("quadratic", [few], np.eye(3), np.ones((3, 3)), np.zeros(3))
    flags = writer.add("missing", [marked], np.arange(3, dtype=np.uint32))
    same = writer.add("same", [scaled], np.arange(3, dtype=np.uint32), np.zeros(3))
    both = writer.add("beside", [square, flags])
    line = writer.add("linear", [both], np.eye(3, 6), np.zeros(3))
    whole = writer.add("sum", [walked, near, line, same], np.array([0.4, 0.3, 0.2, 0.1]))
    writer.add("function", [whole], "softmax")
    return writer.data()


def _estimator(data):
    """A model of a forest and others on three classes."""
    layer = linear_model.softmax_of(CLASSES, np.eye(3), np.zeros(3))
    return estimator_model.with_program(CLASSES, program.Program(data), layer)


def _programs():
    """A model as it comes, and a program in it that its sender changed and gave its digest."""
    good = _estimator(_program())
    tried = np.random.default_rng(4).random((4, *SHAPE), np.float32)

    def changed(data, dice):
        old = good.program.data
        return dice.choice(BYTES)(old, dice) if dice.random() < 0.4 else _encoded(a_value(decode(old), dice), old)

    def read(data):
        settings = (SHAPE[0], len(data), hashlib.sha256(data).digest())
        layer = {"intercepts": good.layer.intercepts, "weights": good.layer.weights}
        sent = safetensors.numpy.save({**layer, "program": np.frombuffer(data, np.uint8)})
        party = entries.Entry("liar", bytes(32), good.kind, CLASSES, encode(settings), bytes(32))
        return entries.scores_of(entries.with_parameters(party, TERMS, sent), tried, "liar")

    many = tuple(("sum", (0,) * 1000, (np.ones(1000),)) for _ in range(6))  # as many numbers as a wrong one is given
    largest = encode((1, *SHAPE, (*many, ("columns", (0,), (np.arange(3, dtype=np.uint32),)))), WIDE)
    return [_of_model("estimator", good), Subject("signed program", good.program.data, (changed,), read, largest, 0.2)]


def _encoded(value, otherwise):
    try:
        return encode(value, WIDE)
    except ValueError:  # nothing that anybody can send
        return otherwise


def _applications(chain, judge):
    """An application as it comes, and one by a newcomer that signs whatever it sends."""
    contents = chain.state.contents
    model = _linear("linear/sigmoid", (SHAPE[0], (-1.0,) * 3, (0.0,) * 3))
    good = application(_key(4), chain.genesis.hash, entries.entry("newcomer", public_key(_key(4)), model, contents))

    def signed(data, dice):
        party = a_value(decode(data)[0], dice)
        if type(party) is tuple and len(party) > 1 and dice.random() < 0.9:
            party = (party[0], public_key(_key(4)), *party[2:])
        signature = signature_of(_key(4), APPLICATION, chain.genesis.hash, party)
        try:
            return encode((party, signature), LIMITS)
        except ValueError:
            return good

    def other_parameters(data, dice):
        party = decode(data)[0]
        bad = dice.choice(BYTES + HEADERS)(model.to_bytes(), dice)
        party = (*party[:-1], contents.put(bad))
        return encode((party, signature_of(_key(4), APPLICATION, chain.genesis.hash, party)), LIMITS)

    def read(data):
        record = judge.assess(chain, data)
        return "not for this one to say" if record is None else getattr(answer_in(record), "reason", "")

    wide = (*decode(good)[0][:3], tuple(range(4096)), *decode(good)[0][4:])
    largest = encode((wide, signature_of(_key(4), APPLICATION, chain.genesis.hash, wide)), LIMITS)
    return [
        Subject("application", good, BYTES, read, largest),
        Subject("signed application", good, (signed, other_parameters), read, largest),
    ]


def _samples(chain):
    x = np.linspace(0, 1, SHAPE[0], dtype=np.float32)
    good = sample_message(_key(1), chain.genesis.hash, 0, x, 0, 1)

    def signed(data, dice):
        sender, content, label, wrong, _ = decode(data)
        value = a_value((sender, content, label, wrong), dice)
        if type(value) is not tuple or len(value) != 4:
            return good
        if dice.random() < 0.5:
            bad = dice.choice(BYTES)(content, dice)
            value = (value[0], bad, *value[2:])
        try:
            sent = SampleSent(*value, b"")
            signature = signature_of(_key(1), SAMPLE, chain.genesis.hash, sent.said())
            return encode((*value, signature), WIDE)
        except (TypeError, ValueError):  # nothing that anybody can send
            return good

    def read(data):
        return Pool(chain).receive(data)

    return [Subject("sample", good, BYTES, read), Subject("signed sample", good, (signed,), read)]


def subjects():
    """All of them, on a chain with one original party."""
    contents = MemoryContents()
    own = _linear("linear/softmax", (SHAPE[0], (), ()))
    original = entries.entry("original", public_key(_key(1)), own, contents)
    chain = begin(Genesis("bema", configuration(TERMS, [original])), contents)
    generator = np.random.default_rng(1)
    x, y = generator.random((8, *SHAPE), np.float32), generator.choice(CLASSES, 8)
    judge = OriginalParty(_key(1), x, y)
    net = kinds.blank("torch/damaged", CLASSES, (False, 1.0))
    return [
        _of_model("linear", own),
        _of_model("torch", net)._replace(weight=0.1),  # each net that is taken costs what forty others do
        *_programs(),
        *_applications(chain, judge),
        *_samples(chain),
    ]


def _grown():
    """Most bytes that the process has asked for so far; 0 where that cannot be known."""
    try:
        with open("/proc/self/status", encoding="ascii") as told:
            return 1024 * int(re.search(r"VmPeak:\s+(\d+)", told.read())[1])
    except OSError:
        return 0


class Bench:
    """Subjects, and the memory that a good one takes."""

    def __init__(self, found):
        self.subjects = found
        self.most = {one.name: self._good(one) for one in found}

    def _good(self, one):
        one.read(one.good)  # what is loaded once
        peak, error, _ = measured(one.read, one.good)
        assert error is None, error
        return max(peak, measured(one.read, one.largest)[0]) if one.largest else peak

    def play(self, seed, subject=None, kind=None):
        """Draw a damage, read, judge: name of the subject, of the damage, and what became of it.

        Raises:
            Wrong: what must not be.
        """
        dice = random.Random(f"damage {seed}")
        among = [one for one in self.subjects if subject in (None, one.name)]
        one = dice.choices(among, [one.weight for one in among])[0]
        damage = dice.choice([damage for damage in one.damages if kind in (None, damage.__name__)])
        data, before = damage(one.good, dice), _grown()
        peak, error, answer = measured(one.read, data)
        what = f"seed {seed}: {damage.__name__} of {one.name}"
        if error is not None and not isinstance(error, OtherSide):
            raise Wrong(f"{what} ends in {type(error).__name__}: {error}")
        said = str(error) if error is not None else answer if isinstance(answer, str) else ""
        if "\n" in said or not said.isprintable() or len(said) > 1000:
            raise Wrong(f"{what}: {said[:2000]!r} is no line")
        if peak > 2 * self.most[one.name] + len(data) + SLACK:
            raise Wrong(f"{what} takes {peak} bytes, the good one {self.most[one.name]}")
        if _grown() - before > PAGES:
            raise Wrong(f"{what}: the process grows by {_grown() - before} bytes")
        return one.name, damage.__name__, "refused" if said else "taken"


def measured(read, data):
    """Most bytes allocated at once while this is read, what was raised, and what was returned."""
    error = answer = None
    tracemalloc.start()
    try:
        try:
            answer = read(data)
        except Exception as raised:
            error = raised
        return tracemalloc.get_traced_memory()[1], error, answer
    finally:
        tracemalloc.stop()


# --- Rules that are broken on purpose: the search must find each ------------------------------------------------------


def _anything(*given):
    return given[0]


def _as_they_are(value, below):
    return np.asarray(value).astype(np.int64)


_blank = linear_model.blank


def _allocating(kind, classes, settings):
    model = _blank(kind, classes, settings)
    model.weights = model.weights.copy()
    return model


BROKEN = {
    "header of torch": [(torch_model, "require", _anything)],
    "header of linear": [(linear_model, "require", _anything)],
    "size and depth of a header": [(tensors, "MOST_METADATA", 1 << 30), (tensors, "parsed", json.loads)],
    "places in arrays": [(forest, "indices", _as_they_are)],
    "types of fields": [(entries, "typed", _anything)],
    "nothing allocated": [(linear_model, "blank", _allocating)],
}


@contextmanager
def broken(rule):
    """Inside, a rule of the library does not hold; None: all do."""
    with ExitStack() as until:
        for thing, name, instead in BROKEN.get(rule, ()):
            until.enter_context(patch.object(thing, name, instead))
        yield
