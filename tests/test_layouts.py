"""Reading by a layout gives what `decode` gives, or nothing at all."""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from folkmoot.encoding import DTYPES, Malformed, decode, encode
from folkmoot.layouts import layout_of

arrays = hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)).filter(
    lambda a: a.dtype.kind != "f" or not np.isnan(a).any()
)
leaves = st.one_of(
    st.integers(-(2**70), 2**70), st.integers(-300, 300), st.floats(allow_nan=False), st.binary(max_size=9),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5), arrays,
)  # fmt: skip
flat = st.lists(leaves, max_size=4).map(tuple)
tuples = st.lists(st.one_of(leaves, flat), max_size=5).map(tuple)


def or_none(data):
    try:
        return decode(data)
    except Malformed:
        return None


def agree(layout, data):
    """What is read is what is decoded; bytes that lie otherwise are left to `decode`."""
    found = layout.read(data)
    assert found is None or encode(found) == data
    if found is not None:
        assert repr(found) == repr(decode(data))
    if or_none(data) is None:
        assert found is None


@settings(deadline=None)
@given(tuples)
def test_a_value_is_read_by_its_own_layout(value):
    data = encode(value)
    layout = layout_of(decode(data))
    if layout is None:
        assert not any(item for item in value if type(item) is not tuple) or len(value) == 0
    else:
        assert encode(layout.read(data)) == data


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tuples, st.integers(0, 2**32))
def test_whatever_is_done_to_the_bytes_nothing_is_read_that_decode_refuses(value, seed):
    data, dice = encode(value), random.Random(seed)
    layout = layout_of(value)
    if layout is None:
        return
    for _ in range(20):
        changed = bytearray(data)
        for _ in range(dice.randint(1, 3)):
            changed[dice.randrange(len(changed))] = dice.choice([0, 1, 127, 128, 255, dice.randrange(256)])
        agree(layout, bytes(changed))
    agree(layout, data[:-1])
    agree(layout, data + b"\0")


@pytest.mark.parametrize(
    ("learnt", "other"),
    [
        ((300,), b"\x07\1\0\0\0\3\2\0\0\0\1\0"),  # 1 in two bytes
        ((-300,), b"\x07\1\0\0\0\3\2\0\0\0\xff\xff"),
        ((1.0,), b"\x07\1\0\0\0\4" + b"\xff" * 8),  # NaN
        (("aa",), b"\x07\1\0\0\0\6\2\0\0\0\xff\xff"),
        ((np.array([True]),), b"\x07\1\0\0\0\x08\0\1\1\0\0\0\2"),
        ((np.array([1.0]),), b"\x07\1\0\0\0\x08\x0a\1\1\0\0\0" + b"\xff" * 8),
    ],
)
def test_what_a_head_does_not_say_is_looked_at(learnt, other):
    layout = layout_of(learnt)
    assert layout.read(encode(learnt)) is not None
    assert len(encode(learnt)) == len(other)
    assert layout.read(other) is None
    with pytest.raises(Malformed):
        decode(other)


def test_two_layouts_of_one_length_are_told_apart():
    one, other = (300, 1), (1, 300)
    assert layout_of(one).read(encode(other)) is None
    assert layout_of(one).read(encode((301, 2))) == (301, 2)


@pytest.mark.parametrize("value", [1, (), (None,), (True, 1), ((1, (2,)),), ((False,),), tuple(range(129))])
def test_only_tuples_of_a_few_plain_values_have_a_layout(value):
    assert layout_of(value) is None


def test_an_empty_tuple_inside_is_read():
    value = (b"a", (), 1, (2, b"bc"), ())
    assert layout_of(value).read(encode(value)) == value
