"""Frames: one sequence of bytes for each, and whatever else comes is refused in one way."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.encoding import Malformed, encode
from folkmoot.machine import Moment
from folkmoot.node.frames import (
    FRAME_KINDS,
    HELLO,
    HELLO_BYTES,
    LENGTH,
    STEP,
    Frame,
    Hello,
    from_bytes,
    hello_of,
    size_of,
    spoken,
)

moments = st.builds(Moment, st.integers(0, (1 << 62) - 1), st.integers(0, 65_535))
FRAMES = st.builds(
    Frame, st.sampled_from(sorted(FRAME_KINDS)), moments, st.lists(st.binary(max_size=40), max_size=5).map(tuple)
)
HELLO_HERE = Hello(1, 2, bytes(32), "0.1.0", 1.5, 3)


def body_of(frame):
    data = frame.to_bytes()
    assert LENGTH.unpack(data[: LENGTH.size])[0] == len(data) - LENGTH.size
    return data[LENGTH.size :]


@given(FRAMES)
def test_a_frame_comes_back(frame):
    assert from_bytes(body_of(frame)) == frame
    assert len(body_of(frame)) == size_of(map(len, frame.parts))


@given(st.binary(max_size=80))
def test_other_bytes_are_a_frame_or_malformed(data):
    try:
        frame = from_bytes(data)
    except Malformed:
        return
    assert body_of(frame) == data


@given(FRAMES, st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_never_raises_anything_else(frame, place, byte):
    data = bytearray(body_of(frame))
    data[place % len(data)] = byte
    with contextlib.suppress(Malformed):
        assert body_of(from_bytes(bytes(data))) == bytes(data)


@given(FRAMES, st.integers(1, 60))
def test_a_frame_that_is_cut_or_longer_is_malformed(frame, cut):
    data = body_of(frame)
    for wrong in (data[: max(0, len(data) - cut)], data + bytes(cut)):
        with pytest.raises(Malformed):
            from_bytes(wrong)


def test_a_greeting_comes_back_and_fits():
    frame = HELLO_HERE.frame(Moment(7, 2))
    assert (hello_of(frame), frame.moment) == (HELLO_HERE, Moment(7, 2))
    longest = HELLO_HERE._replace(version="x" * 64, height=(1 << 62) - 1)
    assert len(longest.frame(Moment((1 << 62) - 1, 65_535)).to_bytes()) <= HELLO_BYTES
    assert len(Frame(STEP).to_bytes()) == 4 + 13  # the length, and what stands before the parts


@pytest.mark.parametrize(
    "wrong",
    [
        Frame(STEP, parts=(encode(tuple(HELLO_HERE)),)),
        Frame(HELLO),
        Frame(HELLO, parts=(b"", b"")),
        Frame(HELLO, parts=(b"\x00\xff",)),
        Frame(HELLO, parts=(encode(7),)),
        Frame(HELLO, parts=(encode(tuple(HELLO_HERE)[:-1]),)),
        Frame(HELLO, parts=(encode((True, *tuple(HELLO_HERE)[1:])),)),
        Frame(HELLO, parts=(encode(tuple(HELLO_HERE._replace(oldest=3))),)),
        Frame(HELLO, parts=(encode(tuple(HELLO_HERE._replace(charter=b"short"))),)),
        Frame(HELLO, parts=(encode(tuple(HELLO_HERE._replace(time=math.inf))),)),
        Frame(HELLO, parts=(encode(tuple(HELLO_HERE._replace(height=-1))),)),
    ],
)
def test_a_greeting_that_is_none_is_malformed(wrong):
    with pytest.raises(Malformed):
        hello_of(wrong)


@pytest.mark.parametrize(
    ("ours", "theirs", "common"),
    [((1, 1), (1, 1), 1), ((1, 2), (2, 3), 2), ((2, 3), (1, 2), 2), ((1, 1), (2, 2), None)],
)
def test_versions_that_differ_by_one_talk_to_each_other(ours, theirs, common):
    assert spoken(ours, theirs) == common


def test_what_a_newer_version_adds_to_its_greeting_is_passed_over():
    """Else no two nodes of neighbouring versions would ever come to ask which of them both speak."""
    newer = (*HELLO_HERE._replace(oldest=1, newest=2), "more", (1, 2))
    assert hello_of(Frame(HELLO, parts=(encode(newer),))) == HELLO_HERE._replace(oldest=1, newest=2)
