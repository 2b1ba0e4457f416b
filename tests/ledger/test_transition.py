"""apply_block: every way to be invalid has its name, and nothing else is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_ledgers import KEYS, PUBLIC, genesis, signed

from folkmoot import ledger
from folkmoot.encoding import Malformed, decode, digest, encode
from folkmoot.errors import OtherSide
from folkmoot.ledger import errors, merkle, notes, rules
from folkmoot.ledger.block import Block, Header

ONE = ledger.start(genesis())
TWO = ledger.apply_block(ONE, signed(ONE))


def resigned(block, keys=3, **changes):
    """The block with other fields in its header, properly signed."""
    return Block(replace(block.header, **changes), block.records).signed(*KEYS[:keys])


def test_blocks_follow():
    assert (ONE.height, ONE.tip, ONE.state.notes) == (0, ONE.genesis.hash, 0)
    block = signed(TWO, (b"x", b"y"))
    three = ledger.apply_block(TWO, block)
    assert (three.height, three.tip, three.state.notes) == (2, block.hash, 3)
    assert three.genesis is ONE.genesis


def test_a_chain_is_not_changed_by_what_follows():
    before = (TWO.height, TWO.tip, TWO.state)
    ledger.apply_block(TWO, signed(TWO))
    with pytest.raises(ledger.InvalidBlock):
        ledger.apply_block(TWO, signed(ONE))
    assert (TWO.height, TWO.tip, TWO.state) == before
    with pytest.raises(AttributeError):
        TWO.height = 7


GOOD = signed(TWO)
FLIPPED = bytes([GOOD.signatures[1][1][0] ^ 1]) + GOOD.signatures[1][1][1:]
INVALID = {
    "another version": (errors.WrongVersion, resigned(GOOD, version=2), "version 2: the chain has version 1"),
    "another kind": (errors.WrongKind, resigned(GOOD, kind="votes"), "kind 'votes'"),
    "the same height again": (errors.WrongHeight, resigned(GOOD, height=1), "height 1: the next block is 2"),
    "a height left out": (errors.WrongHeight, resigned(GOOD, height=3), "height 3: the next block is 2"),
    "replayed": (errors.WrongHeight, signed(ONE), "height 1"),
    "of another chain": (errors.WrongParent, resigned(GOOD, previous=ONE.tip), f"the chain ends in {TWO.tip.hex()}"),
    "a record changed": (errors.WrongRoot, replace(GOOD, records=(b"a note!",)), "these 1 records"),
    "a record added": (errors.WrongRoot, replace(GOOD, records=(b"a note", b"")), "these 2 records"),
    "no record left": (errors.WrongRoot, replace(GOOD, records=()), "these 0 records"),
    "more work promised than done": (errors.LowWork, resigned(GOOD, work_bits=64), "64 leading zero bits"),
    "no signature": (errors.MissingSignature, replace(GOOD, signatures=()), "0 signatures: 3 are needed"),
    "a signature too few": (errors.MissingSignature, resigned(GOOD, keys=2), "2 signatures: 3 are needed"),
    "a stranger's signature added": (errors.UnknownSigner, GOOD.signed(KEYS[5]), PUBLIC[5].hex()),
    "a stranger's signature instead": (
        errors.UnknownSigner,
        replace(GOOD, signatures=()).signed(KEYS[0], KEYS[1], KEYS[5]),
        "has no say",
    ),
    "a signature with a flipped bit": (
        errors.BadSignature,
        replace(GOOD, signatures=(GOOD.signatures[0], (PUBLIC[1], FLIPPED), GOOD.signatures[2])),
        PUBLIC[1].hex(),
    ),
    "signatures of another block": (
        errors.BadSignature,
        replace(GOOD, signatures=signed(ONE).signatures),
        "not on this header",
    ),
    "an empty note": (errors.RefusedRecord, signed(TWO, (b"x", b"")), "record 1 is empty"),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid(name):
    error, block, reason = INVALID[name]
    with pytest.raises(ledger.InvalidBlock) as caught:
        ledger.apply_block(TWO, block)
    assert type(caught.value) is error
    assert reason in str(caught.value)
    assert caught.value.reason == f"{error.__name__}: {caught.value}"
    assert "\n" not in caught.value.reason


def test_every_name_is_used():
    names = {name for name in vars(errors).values() if isinstance(name, type)} - {OtherSide, errors.InvalidBlock}
    assert names == {error for error, _, _ in INVALID.values()}
    assert all(issubclass(name, ledger.InvalidBlock) for name in names)


@given(st.integers(0, 10**9))
def test_any_flipped_bit_of_a_block_is_noticed(bit):
    data = bytearray(GOOD.to_bytes())
    bit %= len(data) * 8
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises((Malformed, ledger.InvalidBlock)):
        ledger.apply_block(TWO, Block.from_bytes(bytes(data)))


def test_a_quorum_may_be_reached_in_any_way():
    chain = ledger.start(genesis(4, quorum=2))
    for keys in (KEYS[:2], KEYS[1:3], KEYS[:4]):
        chain = ledger.apply_block(chain, ledger.propose(chain, [b"x"]).signed(*keys))
    assert chain.height == 3
    with pytest.raises(errors.MissingSignature):
        ledger.apply_block(chain, ledger.propose(chain, [b"x"]).signed(KEYS[0]))


def test_every_signature_beyond_the_quorum_must_be_good_too():
    chain = ledger.start(genesis(3, quorum=1))
    block = ledger.propose(chain, [b"x"]).signed(*KEYS[:3])
    wrong = replace(block, signatures=(*block.signatures[:2], (PUBLIC[2], bytes(64))))
    with pytest.raises(errors.BadSignature):
        ledger.apply_block(chain, wrong)


def test_work_is_demanded_where_the_genesis_says_so():
    chain = ledger.start(genesis(work_bits=6))
    proposed = ledger.propose(chain, [b"x"])
    assert proposed.header.work_bits == 6
    done = ledger.mined(proposed, range(10**5))
    assert ledger.apply_block(chain, done.signed(*KEYS[:3])).height == 1
    nonce = next(n for n in range(10**5) if replace(done.header, nonce=n).hash[0] >> 2)
    with pytest.raises(errors.LowWork, match="6 leading zero bits were promised"):
        ledger.apply_block(chain, resigned(done, nonce=nonce))
    with pytest.raises(errors.LowWork, match="5 bits promised: the chain demands 6"):
        ledger.apply_block(chain, resigned(done, work_bits=5))
    more = ledger.mined(Block(replace(done.header, work_bits=7), done.records), range(10**5))
    assert ledger.apply_block(chain, more.signed(*KEYS[:3])).height == 1


# Genesis


def test_a_genesis_goes_through_its_bytes():
    first = genesis(work_bits=3)
    assert ledger.Genesis.from_bytes(first.to_bytes()) == first
    assert first.hash == digest("genesis", encode(("genesis", 1, "notes", 3, first.configuration)))


def test_each_field_of_a_genesis_is_in_its_hash():
    first = genesis(3, work_bits=3)
    others = [genesis(4, work_bits=3), genesis(3, 2, work_bits=3), genesis(3, work_bits=4), replace(first, version=2)]
    assert len({one.hash for one in (first, *others, replace(first, kind="votes"))}) == 6


@pytest.mark.parametrize(
    "value",
    [
        b"genesis",
        ("genesis", 1, "notes", 0),
        ("genesis", 1, "notes", 0, (), ()),
        ("Genesis", 1, "notes", 0, ()),
        ("genesis", 1, "../notes", 0, ()),
        ("genesis", 1.0, "notes", 0, ()),
        ("genesis", 1, "notes", 65, ()),
        ("genesis", 1, "notes", True, ()),
    ],
)
def test_a_malformed_genesis(value):
    with pytest.raises(Malformed):
        ledger.Genesis.from_bytes(encode(value))


def test_a_genesis_holds_only_what_has_an_encoding():
    with pytest.raises(ValueError, match="list: expected"):
        ledger.Genesis("notes", [1])


def test_an_unknown_kind_or_version_is_said():
    with pytest.raises(ledger.UnknownRules, match=r"kind = 'votes': rules are known for .*notes"):
        ledger.start(ledger.Genesis("votes", None))
    with pytest.raises(ledger.UnknownRules, match="chain of version 2: only version 1"):
        ledger.start(replace(genesis(), version=2))


K = PUBLIC[0]


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (None, r"expected \(keys, quorum\)"),
        (((K,),), r"expected \(keys, quorum\)"),
        ((K, 1), r"expected \(keys, quorum\)"),
        (((), 0), "expected 1 to 1024 of 32 bytes"),
        (((K[:31],), 1), "expected 1 to 1024 of 32 bytes"),
        ((("k" * 32,), 1), "expected 1 to 1024 of 32 bytes"),
        (((1,), 1), "expected 1 to 1024 of 32 bytes"),
        (((K, K), 1), "each key once"),
        ((PUBLIC[1::-1], 1), "ascending order"),
        (((K,), 0), "an integer from 1 to 1"),
        (((K,), 2), "an integer from 1 to 1"),
        (((K,), True), "an integer from 1 to 1"),
    ],
)
def test_notes_refuse_a_configuration(configuration, reason):
    with pytest.raises(Malformed, match=reason):
        ledger.start(ledger.Genesis("notes", configuration))


# A kind of one's own


class Sum:
    """Records are encoded numbers; who may sign next is in the block before."""

    def genesis(self, configuration, contents):
        return (configuration, 0)

    def signers(self, state, records):
        decode(records[0])
        return ledger.Signers(frozenset({state[0]}), 1)

    def step(self, state, header, records):
        assert isinstance(header, Header)
        number = decode(records[0])
        if type(number) is not int:
            raise ledger.RefusedRecord(f"{number!r} is not an integer")
        return (PUBLIC[number % 7], state[1] + number)


SUM = Sum()


@pytest.fixture
def _with_sums(monkeypatch):
    monkeypatch.setitem(rules.KINDS, "sum", f"{__name__}:SUM")


@pytest.mark.usefixtures("_with_sums")
def test_a_kind_of_ones_own_decides_who_signs_and_what_records_mean():
    chain = ledger.start(ledger.Genesis("sum", PUBLIC[0]))
    chain = ledger.apply_block(chain, ledger.propose(chain, [encode(4)]).signed(KEYS[0]))
    assert chain.state == (PUBLIC[4], 4)
    following = ledger.propose(chain, [encode(9)])
    with pytest.raises(errors.UnknownSigner):
        ledger.apply_block(chain, following.signed(KEYS[0]))
    chain = ledger.apply_block(chain, following.signed(KEYS[4]))
    assert chain.state == (PUBLIC[2], 13)
    with pytest.raises(ledger.RefusedRecord, match="'x' is not an integer"):
        ledger.apply_block(chain, ledger.propose(chain, [encode("x")]).signed(KEYS[2]))
    with pytest.raises(ledger.RefusedRecord, match="unknown tag 255"):
        ledger.apply_block(chain, ledger.propose(chain, [b"\xff"]).signed(KEYS[2]))


@pytest.mark.usefixtures("_with_sums")
def test_a_mistake_in_rules_is_not_taken_for_an_invalid_block():
    chain = ledger.start(ledger.Genesis("sum", PUBLIC[0]))
    with pytest.raises(IndexError):
        ledger.apply_block(chain, ledger.propose(chain, []).signed(KEYS[0]))


def test_the_root_is_that_of_the_records():
    assert GOOD.header.records_root == merkle.root(GOOD.records)


def test_configuration_sorts_keys_and_asks_for_all():
    assert notes.configuration(PUBLIC[::-1]) == (PUBLIC, 7)
