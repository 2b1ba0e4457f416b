"""The miner: what it takes from strangers, and how it makes blocks."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `multiparty`")

from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_bema import MINER, asks, created, data, genesis, key, next_block, original, party

from folkmoot import ledger
from folkmoot.encoding import Malformed, encode
from folkmoot.multiparty.chain.messages import MOST_MESSAGE, SampleSent, read_sample, sample_message
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.pool import BAD_SAMPLE, BAD_SIGNATURE, FULL, KNOWN, UNKNOWN_CLASS, UNKNOWN_SENDER
from folkmoot.multiparty.chain.records import read_calibration, read_head
from folkmoot.multiparty.chain.signing import SAMPLE, signature_of
from folkmoot.multiparty.chain.standing import calibrated
from folkmoot.multiparty.rules import validation

STORE = ledger.MemoryContents()
CHAIN = ledger.start(genesis(STORE), STORE)
ORIGIN = CHAIN.genesis.hash
X = data(0, (0, 1, 2, 3))[0]
ONLY_DUPLICATES = (validation.FOREIGN, validation.CONTRADICTED)  # left out: they would refuse samples anyway


def miner(chain=CHAIN, **more):
    return Miner(key(MINER), chain, **more)


def said(x=X[0], sender=0, label=1, wrong=2, signer=None, origin=ORIGIN):
    return sample_message(key(sender if signer is None else signer), origin, sender, x, label, wrong)


def signed(content, label=1, wrong=2):
    """Any bytes as a sample, signed as they should be."""
    one = SampleSent(0, content, label, wrong, b"")
    return one._replace(signature=signature_of(key(0), SAMPLE, ORIGIN, one.said())).to_bytes()


HOSTILE = [
    (b"", "malformed: byte 0"),
    (b"\x07\xff\xff\xff\xff", "malformed: .* items in 0 bytes"),
    ("text", "malformed: expected at most"),
    (bytes(MOST_MESSAGE + 1), "malformed: expected at most"),
    (said()[:-1], "malformed: "),
    (said() + b"\x00", "malformed: .*follow the value"),
    (encode((0, b"", 1, 2)), "malformed: sample message: expected"),
    (encode((True, b"", 1, 2, bytes(64))), "malformed: sample message: expected"),
    (said(label=2), "malformed: label and wrong label are both 2"),
    (said(label=-1), "malformed: label = -1"),
    (said(wrong=1 << 20), "malformed: wrong label = 1048576"),
    (said(sender=3), UNKNOWN_SENDER),
    (said(wrong=4), UNKNOWN_CLASS),
    (said(signer=1), BAD_SIGNATURE),
    (said(origin=bytes(32)), BAD_SIGNATURE),
    (encode((*read_sample(said())[:3], 0, read_sample(said())[4])), BAD_SIGNATURE),
    (said(X[:2]), BAD_SAMPLE),
    (said(X[0, :7]), BAD_SAMPLE),
    (said(X[0] * np.inf), BAD_SAMPLE),
    (signed(encode(X[0].astype(np.float64))), BAD_SAMPLE),
    (signed(b""), BAD_SAMPLE),
    (signed(encode(tuple(range(9)))), BAD_SAMPLE),
]


@pytest.mark.parametrize(("message", "reason"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_message_is_refused_with_its_reason(message, reason):
    one = miner()
    found = one.receive(message)
    assert found is not None
    assert __import__("re").match(reason, found), found
    assert one.waiting == 0
    assert one.block(0) is None
    assert one.receive(said()) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
@example(b"\x08\x09\x04" + b"\xff" * 16)
def test_any_bytes_are_survived(message):
    assert miner().receive(message).startswith("malformed")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 8 * len(said()) - 1), st.integers(0, len(said())))
def test_a_flipped_bit_or_a_cut_is_refused(bit, length):
    one, number = miner(), int.from_bytes(said(), "little") ^ 1 << bit
    assert one.receive(number.to_bytes(len(said()), "little")) is not None
    assert one.receive(said()[:length]) is None or length < len(said())


def test_the_pool_is_bounded_and_shared_by_the_senders():
    one = miner(capacity=9)
    for number in range(3):
        assert one.receive(said(X[number])) is None
    assert one.receive(said(X[0])) == KNOWN
    assert one.receive(said(X[3])) == FULL
    assert one.receive(said(X[3], sender=1)) is None
    assert one.waiting == 4
    with pytest.raises(ValueError, match="capacity = 0: expected 1 to 8192"):
        miner(capacity=0)


def test_what_stands_in_a_block_waits_no_longer(tmp_path):
    with created(tmp_path / "x.ledger", rules="hardened", without=ONLY_DUPLICATES) as book:
        one = miner(book.chain)
        messages = [m for n in range(3) for m in party(book.chain, n).mine(book.chain.state.committee, 4)]
        assert [one.receive(m) for m in messages] == [None] * len(messages)
        block = one.block(12, samples=5)
        assert one.waiting == len(messages)
        assert read_head(block.records[0]).time == 12
        notes, _ = read_calibration(block.records[1:])
        assert [note.said() for note in notes] == [read_sample(m).said() for m in messages[:5]]
        one.follow(book.append(block), [block])
        assert one.waiting == len(messages) - 5
        assert one.receive(messages[0]) is None  # the rules say whether it counts twice
        following = one.block(13, samples=100)
        verdicts = {n.said(): n.verdict for n in read_calibration(following.records[1:])[0]}
        used = [n for n in notes if not n.verdict]
        assert used
        if notes[0] in used:
            assert verdicts[notes[0].said()] == "duplicate"


def test_the_work_can_be_stopped(tmp_path):
    with created(tmp_path / "x.ledger", work_bits=64) as book:
        one = miner(book.chain)
        one.receive(said(origin=book.genesis.hash))
        asked = []

        def stop():
            asked.append(1)
            return len(asked) > 3

        assert one.block(0, stop=stop) is None
        assert len(asked) == 4
        answer = original(0).assess(book.chain, asks(book.chain))
        assert one.admission(answer, 0, stop=lambda: True) is None


def test_what_a_miner_cannot_do():
    with pytest.raises(ValueError, match="neither a miner nor a party"):
        Miner(key(77), CHAIN)
    one = miner()
    one.receive(said())
    with pytest.raises(ValueError, match="samples = 0: expected 1 to 4096"):
        one.block(0, samples=0)
    with pytest.raises(ValueError, match="time = -1"):
        one.block(-1)
    for answer in (b"", encode(("calibrate",)), encode(()), said()):
        with pytest.raises(ledger.Malformed):
            one.admission(answer, 0)


def test_a_sample_that_breaks_the_models_gets_into_no_block():
    """Numbers so large that scores or gradients overflow: the block is made without, or with a verdict on it."""
    one = miner()
    generator = np.random.default_rng(1)
    for number in range(40):
        x = (generator.choice([-1, 1], 8) * 3e38).astype(np.float32)
        assert one.receive(said(x, label=number % 4, wrong=(number + 1) % 4)) is None
    messages = party(CHAIN, 1).mine(CHAIN.state.committee, 4)
    assert [one.receive(m) for m in messages] == [None] * len(messages)
    block = one.block(0)
    after = ledger.apply_block(CHAIN, block)
    for number in range(3):
        assert np.isfinite(after.state.committee.fleet.scores(X)).all()
        after.state.committee.fleet.parameters(number)


def test_a_sample_that_makes_parameters_useless_is_dropped(monkeypatch):
    """Whatever the model's library makes of a sample, the miner goes on without it, and the rules refuse it."""
    one = miner()
    messages = party(CHAIN, 1).mine(CHAIN.state.committee, 4)
    for message in messages:
        one.receive(message)
    bad = read_sample(messages[2]).name

    def broken(committee, samples):
        if any(sample.name == bad for sample in samples):
            raise Malformed("parameter 0: numbers that are not finite")
        return calibrated(committee, samples)

    CHAIN.state.ahead.clear()
    monkeypatch.setattr("folkmoot.multiparty.chain.miner.calibrated", broken)
    monkeypatch.setattr("folkmoot.multiparty.chain.standing.calibrated", broken)
    block = one.block(0)
    notes, _ = read_calibration(block.records[1:])
    assert [note.name for note in notes] == [read_sample(m).name for m in messages if read_sample(m).name != bad]
    assert one.waiting == len(messages) - 1


def test_a_party_sends_under_hardened_terms_what_was_not_used(tmp_path):
    with created(tmp_path / "x.ledger", rules="hardened", without=ONLY_DUPLICATES) as book:
        one, own = miner(book.chain), party(book.chain, 0, samples=40)
        used = set()
        for time in range(6):
            messages = own.mine(book.chain.state.committee, 30)
            names = {read_sample(message).name for message in messages}
            assert not names & used
            for message in messages:
                one.receive(message)
            block = one.block(time)
            one.follow(book.append(block), [block])
            used |= {note.name for note in read_calibration(block.records[1:])[0] if not note.verdict}
        assert used == book.chain.state.committee.used
        assert len(used) > 3


def test_next_block_is_applied_without_computing_twice(tmp_path, monkeypatch):
    calls = []

    def counted(committee, samples):
        calls.append(len(samples))
        return calibrated(committee, samples)

    monkeypatch.setattr("folkmoot.multiparty.chain.standing.calibrated", counted)
    with created(tmp_path / "x.ledger") as book:
        next_block(book, miner(book.chain), [party(book.chain, 0)])
        assert len(calls) == 1
        assert book.verify().ok
        assert len(calls) == 2  # from the file, everything anew
