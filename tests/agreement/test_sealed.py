"""Sealed messages: read by one receiver in one game, and by nobody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_scalarmult_base
from nacl.public import Box, PrivateKey, PublicKey

from folkmoot.agreement import sealed
from folkmoot.agreement.identity import Identity
from folkmoot.agreement.sealed import SEAL_BYTES, ChannelKey, Channels, channel_key, check_channel_key
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import digest

SEEDS = [bytes([n]) * 32 for n in range(1, 5)]
KEYS = [channel_key(seed, Identity(seed)) for seed in SEEDS]
ORIGIN, OTHER_ORIGIN = bytes([7]) * 32, bytes([8]) * 32
MOST = 1 << 10


def channels(origin=ORIGIN):
    return [Channels(seed, number, [key.key for key in KEYS], origin) for number, seed in enumerate(SEEDS)]


ALICE, BOB, CAROL, _ = channels()
SAID = ALICE.seal(1, b"means and counts")


def test_the_receiver_reads_it():
    assert BOB.open(0, SAID, MOST) == b"means and counts"
    assert b"means" not in SAID


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=2 * MOST))
def test_every_content_comes_back(content):
    assert BOB.open(0, ALICE.seal(1, content), 2 * MOST) == content
    assert len(ALICE.seal(1, content)) == len(content) + SEAL_BYTES


def refused(open_it):
    with pytest.raises(Rejected):
        open_it()
    return True


def test_a_third_member_cannot_read_it():
    assert refused(lambda: CAROL.open(0, SAID, MOST))
    assert refused(lambda: CAROL.open(1, SAID, MOST))


def test_what_is_sent_back_to_its_sender_is_not_taken_for_the_receivers_word():
    """Both ends of a NaCl box share one key; here each direction has its own."""
    assert refused(lambda: ALICE.open(1, SAID, MOST))


def test_a_message_of_another_game_between_the_same_two_is_refused():
    assert refused(lambda: channels(OTHER_ORIGIN)[1].open(0, SAID, MOST))


def test_a_message_in_the_name_of_another_member_is_refused():
    assert refused(lambda: BOB.open(2, SAID, MOST))


def test_every_flipped_bit_is_noticed():
    for place in range(8 * len(SAID)):
        flipped = bytearray(SAID)
        flipped[place // 8] ^= 1 << place % 8
        assert refused(lambda flipped=flipped: BOB.open(0, bytes(flipped), MOST))


def test_cut_and_lengthened_messages_are_refused():
    for length in range(len(SAID)):
        assert refused(lambda length=length: BOB.open(0, SAID[:length], MOST))
    assert refused(lambda: BOB.open(0, SAID + b"\0", MOST))


@pytest.mark.parametrize("nonsense", [None, "text", 5, (), bytearray(SAID), [SAID]])
def test_what_is_not_bytes_is_refused(nonsense):
    assert refused(lambda: BOB.open(0, nonsense, MOST))


@pytest.mark.parametrize("sender", [-1, 1, 4, 1 << 70])
def test_a_sender_that_is_none_is_refused(sender):
    assert refused(lambda: BOB.open(sender, SAID, MOST))


def test_too_large_a_message_is_refused_before_it_is_opened(monkeypatch):
    def opened(*_):
        raise AssertionError("opened")

    large = ALICE.seal(1, bytes(MOST + 1))
    monkeypatch.setattr(sealed, "crypto_secretbox_open", opened)
    assert refused(lambda: BOB.open(0, large, MOST))
    assert refused(lambda: BOB.open(0, SAID[: SEAL_BYTES - 1], MOST))


def test_one_sealing_of_a_content_and_no_nonce_twice_for_two():
    """After a restart the same words are sealed as before; other words, or another receiver, have another nonce."""
    again = channels()[0].seal(1, b"means and counts")
    assert again == SAID
    nonces = {ALICE.seal(to, bytes([byte]))[:24] for to in (1, 2, 3) for byte in range(100)}
    assert len(nonces) == 300


def test_a_content_sealed_under_another_nonce_is_refused():
    """Who holds the keys could choose a nonce; then one content had many sealings, and copies would not be noticed."""
    key, _ = ALICE._pair(0, 1)
    nonce = bytes(24)
    assert refused(lambda: BOB.open(0, nonce + sealed.crypto_secretbox(b"x", nonce, key), MOST))


def test_the_secret_of_two_is_that_of_a_nacl_box():
    secret, other = sealed._secret(SEEDS[0]), KEYS[1].key
    shared = Box(PrivateKey(secret), PublicKey(other)).shared_key()
    assert ALICE._pair(0, 1)[0] == digest("channel", (shared, ORIGIN, 0, 1))


def test_nothing_is_sealed_for_oneself_or_for_nobody():
    for receiver in (0, -1, 4):
        with pytest.raises(ValueError, match="another member"):
            ALICE.seal(receiver, b"x")


@pytest.mark.parametrize("seed", [b"short", "text", None])
def test_a_seed_that_is_none(seed):
    with pytest.raises(ValueError, match="32 bytes"):
        Channels(seed, 0, [], ORIGIN)


# --- The first bytes, which drivers read ------------------------------------------------------------------------------

SHOWING = [Channels(seed, number, [key.key for key in KEYS], ORIGIN, 4) for number, seed in enumerate(SEEDS)]


@pytest.mark.parametrize("content", [b"vote for block 7", b"vote", b"vo", b""])
def test_first_bytes_are_shown_and_what_is_opened_begins_with_them(content):
    alice, bob = SHOWING[:2]
    said = alice.seal(1, content)
    assert said.startswith(content[:4])
    if len(content) >= 4:
        assert len(said) == len(content) + alice.added
        assert bob.open(0, said, MOST) == content
    else:  # no message is so short
        assert refused(lambda: bob.open(0, said, MOST))


def test_other_first_bytes_are_refused():
    alice, bob = SHOWING[:2]
    said = alice.seal(1, b"vote for block 7")
    assert refused(lambda: bob.open(0, b"want" + said[4:], MOST))


def test_what_is_for_all_is_sealed_for_each_other_member():
    bob = SHOWING[1]
    sealed_ones = bob.addressed([(None, b"vote for 7"), (3, b"here is 7")])
    assert [to for to, _ in sealed_ones] == [0, 2, 3, 3]
    assert [SHOWING[to].open(1, data, MOST) for to, data in sealed_ones] == [b"vote for 7"] * 3 + [b"here is 7"]


# --- Registration ----------------------------------------------------------------------------------------------------


def test_keys_are_registered_by_their_own_identity_only():
    assert all(check_channel_key(Identity(seed).public_key, key) for seed, key in zip(SEEDS, KEYS))
    assert not check_channel_key(Identity(SEEDS[0]).public_key, KEYS[1])
    assert len({*(key.key for key in KEYS), *(Identity(seed).vrf_key for seed in SEEDS)}) == 8


def test_points_of_small_order_are_refused():
    """Whoever registers one shares a secret with others that everybody knows."""
    identity = Identity(SEEDS[0])
    for point in (bytes(32), b"\1" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f")):
        assert not check_channel_key(identity.public_key, ChannelKey(point, identity.sign("channel key", point)))
    fine = crypto_scalarmult_base(SEEDS[3])
    assert check_channel_key(identity.public_key, ChannelKey(fine, identity.sign("channel key", fine)))


@pytest.mark.parametrize("nonsense", [None, (), (b"", b""), ("a", "b"), (bytes(32), bytes(64)), KEYS[0] + (b"",)])
def test_a_registration_that_is_none(nonsense):
    assert not check_channel_key(Identity(SEEDS[0]).public_key, nonsense)
