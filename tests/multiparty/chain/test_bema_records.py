"""Records and messages of kind "bema": one encoding each, and no crash on anything else."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `multiparty`")

from hypothesis import given, settings
from hypothesis import strategies as st
from made_bema import key, public

from folkmoot.encoding import encode
from folkmoot.ledger import Malformed, decode
from folkmoot.ledger.block import MOST_HEIGHT
from folkmoot.multiparty.chain.entries import Entry
from folkmoot.multiparty.chain.messages import Application, SampleSent, read_application, read_sample, sample_message
from folkmoot.multiparty.chain.records import (
    DISTANCE,
    MINER_KINDS,
    MOST_ROUND,
    MOST_TIME,
    REASONS,
    UNCOVERED,
    WHATS,
    Head,
    Leaf,
    Refused,
    Registered,
    SampleNote,
    read_calibration,
    read_head,
    read_refused,
    read_registered,
    read_x,
)
from folkmoot.multiparty.chain.signing import APPROVAL, SAMPLE, is_signed, signature_of

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64)
NAMES, SIGNATURES = st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64)
PARTIES, CLASSES = st.integers(0, 1023), st.integers(0, 4095)
DISTANCES = st.floats(0, allow_infinity=False, allow_nan=False)
SETTINGS = st.sampled_from([(False, 1.0), (3, (0.5,), (0.25,)), (), np.arange(3.0)]).map(encode)
ENTRIES = st.builds(Entry, TEXT, NAMES, TEXT, st.sets(CLASSES, min_size=1).map(sorted).map(tuple), SETTINGS, NAMES)
HEADS = st.builds(
    Head, st.sampled_from(WHATS), st.integers(0, MOST_TIME), NAMES, st.sampled_from(MINER_KINDS),
    st.none() | st.integers(1, MOST_ROUND),
)  # fmt: skip
ENDS = st.none() | st.integers(0, MOST_HEIGHT - 1)
REGISTERED = st.builds(Registered, ENTRIES, SIGNATURES, PARTIES, DISTANCES, SIGNATURES, ENDS)


@st.composite
def refused(draw):
    reason = draw(st.sampled_from(REASONS))
    nobody = reason == UNCOVERED
    return Refused(
        draw(ENTRIES), draw(SIGNATURES), -1 if nobody else draw(PARTIES), reason,
        draw(DISTANCES) if reason == DISTANCE else None, b"" if nobody else draw(SIGNATURES),
    )  # fmt: skip


@st.composite
def samples(draw):
    label, wrong = draw(st.lists(CLASSES, min_size=2, max_size=2, unique=True))
    verdict = draw(st.sampled_from(["", "margin", "no_such-check"]))
    return SampleNote(draw(PARTIES), draw(NAMES), label, wrong, draw(SIGNATURES), verdict)


LEAVES = st.lists(st.builds(Leaf, PARTIES, TEXT, NAMES), max_size=4, unique_by=lambda leaf: leaf.party).map(sorted)


@st.composite
def sent(draw):
    note = draw(samples())
    return SampleSent(note.sender, draw(st.binary(max_size=80)), note.label, note.wrong, note.signature)


APPLICATIONS = st.builds(Application, ENTRIES, SIGNATURES)
FORMS = [
    (HEADS, read_head),
    (REGISTERED, read_registered),
    (refused(), read_refused),
    (APPLICATIONS, read_application),
    (sent(), read_sample),
]


@pytest.mark.parametrize(("made", "read"), FORMS, ids=lambda item: getattr(item, "__name__", ""))
def test_records_come_back_as_they_were(made, read):
    @settings(max_examples=60, deadline=None)
    @given(made)
    def check(record):
        data = record.to_bytes()
        found = read(data)
        assert found == record
        assert found.to_bytes() == data

    check()


@settings(max_examples=60, deadline=None)
@given(st.lists(samples(), min_size=1, max_size=4), LEAVES)
def test_calibrations_come_back_as_they_were(notes, leaves):
    records = tuple(item.to_bytes() for item in (*notes, *leaves))
    assert read_calibration(records) == (tuple(notes), tuple(leaves))


def test_nothing_but_malformed_comes_of_2000_mutated_inputs():
    """Bits flipped, bytes cut, doubled, replaced, in one record of each form: read the same, another, or Malformed."""
    generator = np.random.default_rng(3)
    entry = Entry("dan", public(4), "torch/tiny", (0, 1, 300), encode((False, 1.0)), bytes(32))
    signature = bytes(64)
    forms = [
        (Head("calibrate", 5, public(1), "OP").to_bytes(), read_head),
        (Registered(entry, signature, 3, 0.25, signature).to_bytes(), read_registered),
        (Refused(entry, signature, 3, DISTANCE, 0.5, signature).to_bytes(), read_refused),
        (Refused(entry, signature, -1, UNCOVERED, None, b"").to_bytes(), read_refused),
        (SampleNote(3, bytes(32), 1, 2, signature, "margin").to_bytes(), lambda data: read_calibration((data,))),
        (Leaf(3, "torch/tiny", bytes(32)).to_bytes(), lambda data: read_calibration((data,))),
        (Application(entry, signature).to_bytes(), read_application),
        (sample_message(key(1), bytes(32), 0, np.zeros(8, np.float32), 1, 2), read_sample),
        (encode(np.zeros(8, np.float32)), lambda data: read_x(data, (8,))),
    ]
    refused, counts = 0, 2_000
    for number in range(counts):
        data, read = forms[number % len(forms)]
        data = bytearray(data)
        for _ in range(generator.integers(1, 4)):
            at = int(generator.integers(0, len(data))) if data else 0
            what = generator.integers(0, 5)
            if what == 0 and data:
                data[at] ^= 1 << int(generator.integers(0, 8))
            elif what == 1:
                del data[at:]
            elif what == 2:
                data[at:at] = data[: int(generator.integers(0, 20))]
            elif what == 3 and data:
                data[at] = int(generator.choice([0, 1, 3, 4, 5, 7, 8, 255]))
            else:
                data += generator.bytes(3)
        try:
            read(bytes(data))
        except Malformed:
            refused += 1
    assert counts // 2 < refused < counts  # a flipped bit in a signature is read, it is only not the right one


@pytest.mark.parametrize("read", [read_head, read_registered, read_refused, read_application, read_sample])
def test_nothing_but_malformed_comes_of_other_values(read):
    @settings(max_examples=150, deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-5, 5000) | st.floats(allow_nan=False) | st.binary(max_size=64)
            | st.sampled_from([*WHATS, *MINER_KINDS, *REASONS, "regular", "sample"]),
            lambda inner: st.lists(inner, max_size=8).map(tuple),
        )
    )  # fmt: skip
    def check(value):
        with pytest.raises(Malformed):
            read(encode(value))

    check()


def _entry(**fields):
    return Entry("dan", public(4), "torch/tiny", (0, 1), encode((False, 1.0)), bytes(32))._replace(**fields)


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        (_entry(name="a" * 65), "expected 1 to 64"),
        (_entry(name="\x1b[2J"), "expected 1 to 64"),
        (_entry(key=b"k"), "1 and 32 bytes"),
        (_entry(model_kind=""), "expected 1 to 64"),
        (_entry(classes=()), "expected at least one"),
        (_entry(classes=(1, 1)), "none twice"),
        (_entry(classes=(True,)), "integers"),
        (_entry(classes=(-1,)), "expected integers from 0"),
        (_entry(settings=encode((float("inf"),))), "not finite"),
        (_entry(settings=encode(np.array([np.inf]))), "not finite"),
        (_entry(settings=encode(bytes(20_000))), "at most 16384 are allowed"),
    ],
)
def test_entries_that_cannot_be(entry, match):
    with pytest.raises(Malformed, match=match):
        read_registered(Registered(entry, bytes(64), 0, 0.1, bytes(64)).to_bytes())


@pytest.mark.parametrize("distance", [float("inf"), -0.5])
def test_distances_that_cannot_be(distance):
    with pytest.raises(Malformed, match="expected a finite number"):
        read_registered(Registered(_entry(), bytes(64), 0, distance, bytes(64)).to_bytes())
    with pytest.raises(Malformed, match="expected a finite number"):
        read_refused(Refused(_entry(), bytes(64), 0, DISTANCE, distance, bytes(64)).to_bytes())


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_samples_must_be_finite(value):
    x = np.zeros(8, np.float32)
    x[3] = value
    with pytest.raises(Malformed, match="not finite"):
        read_x(encode(x), (8,))


def test_a_sample_that_was_read_can_be_written_to():
    x = read_x(encode(np.arange(8, dtype=np.float32)), (8,))
    assert x.shape == (1, 8)
    assert x.flags.writeable


def test_a_signature_is_worth_nothing_elsewhere():
    said = (0, bytes(32), 1, 2)
    signature = signature_of(key(1), SAMPLE, bytes(32), said)
    assert is_signed(public(1), SAMPLE, bytes(32), said, signature)
    assert not is_signed(public(2), SAMPLE, bytes(32), said, signature)
    assert not is_signed(public(1), APPROVAL, bytes(32), said, signature)
    assert not is_signed(public(1), SAMPLE, b"\x01" + bytes(31), said, signature)
    assert not is_signed(public(1), SAMPLE, bytes(32), (*said[:3], 3), signature)
    assert not is_signed(bytes(31), SAMPLE, bytes(32), said, signature)
    assert not is_signed(public(1), SAMPLE, bytes(32), said, signature[:-1])


def test_a_message_says_what_the_note_says():
    found = read_sample(sample_message(key(1), bytes(32), 3, np.ones((2, 4), np.float64), np.int64(1), 2))
    note = SampleNote(found.sender, found.name, found.label, found.wrong, found.signature, "")
    assert note.said() == found.said()
    assert is_signed(public(1), SAMPLE, bytes(32), note.said(), note.signature)
    assert decode(found.content).dtype == np.float32
