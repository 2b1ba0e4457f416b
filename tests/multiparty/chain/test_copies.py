"""A sample with another last bit is another sample. What bounds such copies is what they do: see decision 0077."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_machines import CLASSES, INPUTS, party

from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.multiparty.rules.validation import DUPLICATE, MARGIN

COPIES = 40


def committee():
    terms = Terms(CLASSES, (INPUTS,), delta=0.1, sigma=0.95, eta=0.02)
    return Committee([party(n).model for n in range(CLASSES)], terms)


def wrong_together(group):
    """Samples that their senders may send, about which the models are wrong together."""
    for number in range(CLASSES):
        for one, label in zip(party(number).x, party(number).y, strict=True):
            for wrong in {*range(CLASSES)} - {label}:
                said = Sample(one[None], int(label), wrong, number, bytes(32))
                if group.copy().take(said).refused is None:
                    yield number, one, int(label), wrong


def copies(x, most):
    """Samples that look the same: the last bit of the first number changes, then the one before it, and so on."""
    for number in range(most):
        yield x * np.float32(1 + 2e-7 * number)


def taken(group, number, x, label, wrong, most=COPIES):
    said = [Sample(one[None], label, wrong, number, bytes([n]) * 32) for n, one in enumerate(copies(x, most))]
    return [group.take(one).refused for one in said]


def test_copies_move_models_for_as_long_as_these_are_wrong_about_them():
    """Some soon, and many of them for long: what bounds a sender is how many samples it may send in a round."""
    group, counts = committee(), []
    for number, x, label, wrong in wrong_together(group):
        verdicts = taken(group.copy(), number, x, label, wrong)
        counts.append(verdicts.count(None))
        assert verdicts == [None] * counts[-1] + [MARGIN] * (COPIES - counts[-1])
    assert min(counts) < COPIES == max(counts)


def test_the_same_bytes_count_once():
    group = committee()
    number, x, label, wrong = next(wrong_together(group))
    one = Sample(x[None], label, wrong, number, b"1" * 32)
    assert group.take(one).refused is None
    assert group.take(one).refused == DUPLICATE
