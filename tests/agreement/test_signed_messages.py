"""Agreement by signed messages: agreement and validity under attacks, by name; restarts; bad use."""

from collections import Counter

import pytest
from room import SESSION_ID, Room, identity, own_value, truncated

from folkmoot.agreement.identity import Signer, WouldEquivocate
from folkmoot.agreement.signed_messages import (
    ALL,
    MAX_VALUE,
    VALUE,
    Agreement,
    Rejected,
    members_digest,
    session_digest,
    value_digest,
    verify,
)
from folkmoot.encoding import encode

SIZES = [(n, f) for n in (4, 7) for f in range(n)]
ATTACKED = [(n, f) for n, f in SIZES if f > 0]
EVIL = 0  # the faulty general in most attacks


def coalition(n, f):
    """The largest number of faulty members that leaves an honest one."""
    return range(min(f, n - 1))


def rejections(room):
    """How many messages all the honest together rejected, by reason."""
    return sum((member.rejected for member in room.honest.values()), start=Counter())


# --- Nobody is faulty --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "f"), [(1, 0), (2, 0), (2, 1), (3, 1), *SIZES])
def test_everybody_ends_with_everybodys_value(n, f):
    room = Room(n, f)
    assert set(room.finish()) == {tuple(map(own_value, range(n)))}
    room.check()
    assert not rejections(room)
    assert all(member.proofs_of_fault() == () for member in room.honest.values())


def test_each_value_is_relayed_once():
    """n broadcasts, then each of the n members relays the n - 1 other values in round 1, and nothing in round 2."""
    room = Room(7, 3)
    assert len(room.seen) == 7
    room.step()
    assert len(room.seen) == 7 + 7 * 6
    room.finish()
    assert len(room.seen) == 7 + 7 * 6


def test_the_result_is_the_same_in_any_order_of_arrival():
    one, other = Room(4, 1, faulty=[EVIL]), Room(4, 1, faulty=[EVIL])
    for room in (one, other):
        room.send(room.signed(EVIL, b"x"))
    for inbox in other.inbox.values():
        inbox.reverse()
    assert one.finish() == other.finish()


# --- Attacks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "f"), ATTACKED)
def test_attack_silent_generals_and_relays(n, f):
    room = Room(n, f, coalition(n, f))
    room.finish()
    room.check()
    assert all(room.results()[0][index] is None for index in room.faulty)


@pytest.mark.parametrize(("n", "f"), ATTACKED)
def test_attack_twins_of_a_general(n, f):
    """Two copies run with one key and broadcast a value each, one to the even members, one to the odd."""
    room = Room(n, f, [EVIL])
    for twin in (0, 1):
        room.send(room.signed(EVIL, b"twin %d" % twin), [index for index in room.honest if index % 2 == twin])
    room.finish()
    room.check()
    assert room.results()[0][EVIL] is None
    for member in room.honest.values():
        (fault,) = member.proofs_of_fault()
        assert fault.general == EVIL
        assert {fault.one, fault.other} == {value_digest(b"twin 0"), value_digest(b"twin 1")}


@pytest.mark.parametrize(("n", "f"), [(n, f) for n, f in ATTACKED if f < n - 1])
def test_attack_whole_twins(n, f):
    """Both twins run the honest code in full, relaying too; each sees what the even or the odd members send."""
    room = Room(n, f, [EVIL])
    twins = [Agreement(room.keys, identity(EVIL), f, SESSION_ID, b"twin %d" % twin) for twin in (0, 1)]
    heard = [[], []]
    for round in range(f + 1):
        for twin, member in enumerate(twins):
            for _, data in member.step(round, heard[twin]):
                room.send(data, [index for index in room.honest if index % 2 == twin])
        heard = [
            [m.encode() for m in room.seen if len(m.signers) == round + 1 and m.signers[-1] % 2 == t] for t in (0, 1)
        ]
        room.step()
    room.check()
    assert room.results()[0][EVIL] is None


@pytest.mark.parametrize(("n", "f"), ATTACKED)
def test_attack_a_value_for_one_member_only(n, f):
    """The one relays it to all: it counts as if all had been told."""
    room = Room(n, f, [EVIL])
    room.send(room.signed(EVIL, b"whisper"), [n - 1])
    room.finish()
    room.check()
    assert room.results()[0][EVIL] == b"whisper"


@pytest.mark.parametrize(("n", "f"), ATTACKED)
@pytest.mark.parametrize("equivocates", [False, True])
def test_attack_a_coalition_reveals_a_value_at_the_last_moment(n, f, equivocates):
    """A chain of all f faulty signatures reaches one honest member in relay round f: it still tells all in the last."""
    room = Room(n, f, coalition(n, f))
    if equivocates:
        room.send(room.signed(EVIL, b"early"))
    while room.round < f:
        room.step()
    room.send(room.extended(room.signed(EVIL, b"secret"), *range(1, f)), [n - 1])
    room.finish()
    room.check()
    assert room.results()[0][EVIL] == (None if equivocates else b"secret")


@pytest.mark.parametrize(("n", "f"), ATTACKED)
def test_attack_too_late(n, f):
    """A first message in the last round, for one member: nobody could be told any more, so it counts as absent."""
    room = Room(n, f, [EVIL])
    while room.round <= f:
        room.step()
    room.send(room.signed(EVIL, b"late"), [n - 1])
    room.finish()
    room.check()
    assert room.results()[0][EVIL] is None
    assert room.honest[n - 1].rejected["late"] == 1


def test_attack_too_early():
    """A chain of two signatures in the first round: it counts when two are asked for."""
    room = Room(4, 2, [EVIL, 1])
    chain = room.extended(room.signed(EVIL, b"x"), 1)
    room.send(chain)
    room.step()
    assert rejections(room) == {"early": 2}
    room.send(chain)
    room.finish()
    room.check()
    assert room.results()[0][EVIL] == b"x"


@pytest.mark.parametrize(("n", "f"), ATTACKED)
def test_attack_a_chain_of_f_plus_1_signatures_by_f_members(n, f):
    """In the last round a chain without an honest signature would reach one member only."""
    room = Room(n, f, coalition(n, f))
    while room.round <= f:
        room.step()
    chain = room.extended(room.signed(EVIL, b"x"), *range(1, f))
    target = n - 1
    for last in (EVIL, f - 1):  # one of them signs twice
        room.send(room.extended(chain, last), [target])
    forged = chain._replace(signers=(*chain.signers, n - 1), signatures=(*chain.signatures, chain.signatures[-1]))
    room.send(forged, [target])  # an honest signature is made up
    stranger = chain._replace(signers=(*chain.signers, n), signatures=(*chain.signatures, chain.signatures[-1]))
    room.send(stranger, [target])
    room.finish()
    room.check()
    assert room.results()[0][EVIL] is None
    assert room.honest[target].rejected == {"signers": 3, "signature": 1}


def test_more_faulty_members_than_f_can_split_the_honest():
    """What is not promised: with f = 1 two accomplices make a chain of two signatures for one member alone."""
    room = Room(4, 1, [0, 1])
    room.step()
    room.send(room.extended(room.signed(0, b"x"), 1), [3])
    room.finish()
    with pytest.raises(AssertionError, match="the honest disagree"):
        room.check()


@pytest.mark.parametrize(("n", "f"), ATTACKED)
def test_attack_truncated_chains(n, f):
    """An honest relay's chain without the relay's signature is right in an earlier round, and late now."""
    room = Room(n, f, [EVIL])
    room.send(room.signed(EVIL, b"x"), [n - 1])
    room.step()
    relayed = [message for message in room.seen if message.general == EVIL]
    assert len(relayed) == 1
    room.send(truncated(relayed[0], 1))
    room.send(relayed[0]._replace(signers=(n - 1,), signatures=relayed[0].signatures[1:]))  # the general's cut off
    room.finish()
    room.check()
    assert {"late", "signers"} <= set(rejections(room))


def test_attack_forged_values_of_an_honest_general():
    room = Room(4, 1, [EVIL])
    lie = room.signed(2, b"lie", signer=EVIL)
    right = next(message for message in room.seen if message.general == 2)
    room.send(lie)
    room.send(right._replace(value=b"lie"))
    room.send(right._replace(value=b"lie", general=EVIL, signers=(EVIL,)))
    room.send(right._replace(general=EVIL, signers=(EVIL,)))
    room.step()
    for message in (lie, right._replace(value=b"lie")):
        room.send(room.extended(message, EVIL))
    room.finish()
    room.check()
    assert set(rejections(room)) == {"signature"}
    assert rejections(room)["signature"] == 3 * 6


def test_attack_a_relays_signature_is_no_generals():
    """A member that relays signs for another purpose: its signature of a chain can never stand as its own value."""
    room = Room(4, 2, [EVIL])
    room.send(room.signed(EVIL, b"x"), [3])
    room.step()
    relayed = next(message for message in room.seen if message.general == EVIL)
    moved = relayed._replace(general=3, signers=(3,), signatures=relayed.signatures[1:])
    with pytest.raises(Rejected, match="signature"):
        verify(moved, room.keys, room.session)


@pytest.mark.parametrize("length", [1, 2])
def test_attack_replay_of_another_session(length):
    """Yesterday's messages: another session id, another list of members, or another f."""
    keys = Room(4, 1).keys
    for other in (Room(4, 1, session_id=b"tip 40, round 41"), Room(5, 1), Room(4, 2)):
        room = Room(4, 1, [EVIL])
        while room.round < length:
            room.step()
            other.step()
        old = [message for message in other.seen if message.general == EVIL and len(message.signers) == length]
        assert old
        for message in old:
            room.send(message)
            room.send(message._replace(session=room.session))
        room.finish()
        room.check()
        assert room.results()[0][EVIL] is None
        assert set(rejections(room)) <= {"session", "signature", "signers"}
        assert rejections(room)["session"] == 3 * len(old)
    assert (
        len({session_digest(SESSION_ID, members_digest(k), f) for k in (keys, keys[::-1], keys[:3]) for f in (0, 1)})
        == 6
    )


def test_attack_many_values_of_one_general():
    """Only two of a hundred are relayed by anyone, and cost signatures to check."""
    room = Room(4, 2, [EVIL])
    for number in range(100):
        room.send(room.signed(EVIL, b"value %d" % number))
    room.step()
    assert sum(message.general == EVIL for message in room.seen) == 2 * 3
    room.finish()
    room.check()
    assert room.results()[0][EVIL] is None


def test_attack_different_pairs_of_values_for_each_member():
    """Nobody sees the same two values; all know that there are two."""
    room = Room(4, 1, [EVIL])
    for target in room.honest:
        for number in (0, 1):
            room.send(room.signed(EVIL, b"value %d of %d" % (number, target)), [target])
    room.finish()
    room.check()
    assert room.results()[0][EVIL] is None
    assert len({member.proofs_of_fault() for member in room.honest.values()}) == 3


def test_attack_malformed_bytes_are_counted():
    room = Room(4, 1, [EVIL])
    for data in (b"", b"\xff" * 100, encode((1, 2, 3)), bytes(1 << 20)):
        room.send(data)
    room.finish()
    room.check()
    assert rejections(room) == {"malformed": 3 * 4}


# --- Restarts ----------------------------------------------------------------------------------------------


def test_an_honest_general_that_restarts_cannot_equivocate():
    stored = []
    keys = Room(4, 1).keys

    def member(value, last=None):
        signer = Signer(identity(1), VALUE, lambda *record: stored.append(record), last)
        return Agreement(keys, signer.at(42), 1, SESSION_ID, value)

    sent = member(b"before").step(0, [])
    assert member(b"before", stored[-1]).step(0, []) == sent
    with pytest.raises(WouldEquivocate):
        member(b"after", stored[-1]).step(0, [])


def test_the_guard_against_equivocation_lets_relays_through():
    room = Room(4, 1, [EVIL])
    signer = Signer(identity(EVIL), VALUE, lambda *record: None)
    guarded = Agreement(room.keys, signer.at(42), 1, SESSION_ID, b"x")
    guarded.step(0, [])
    assert len(guarded.step(1, [message.encode() for message in room.seen])) == 3


def test_a_member_that_broadcasts_nothing_still_relays():
    room = Room(4, 1, [EVIL])
    mute = Agreement(room.keys, identity(EVIL), 1, SESSION_ID, None)
    assert mute.step(0, []) == []
    relayed = mute.step(1, [message.encode() for message in room.seen])
    assert [destination for destination, _ in relayed] == [ALL] * 3
    room.step()
    for _, data in relayed:
        room.send(data)
    room.finish()
    room.check()
    mute.step(2, [])
    assert mute.result() == room.results()[0] == (None, *map(own_value, (1, 2, 3)))


# --- Bad use -----------------------------------------------------------------------------------------------


def test_rounds_come_in_order():
    member = Agreement(Room(4, 1).keys, identity(0), 1, SESSION_ID, b"x")
    with pytest.raises(ValueError, match="round = 1: expected 0, of 2 relay rounds"):
        member.step(1, [])
    for round in range(3):
        assert not member.finished
        with pytest.raises(ValueError, match="the result stands after relay round 2"):
            member.result()
        member.step(round, [])
    assert member.finished
    with pytest.raises(ValueError, match="round = 3"):
        member.step(3, [])


KEYS = Room(4, 1).keys


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": []}, "members = 0 keys"),
        ({"members": [*KEYS, KEYS[0]]}, "members = 5 keys: expected 1 to 256 distinct keys"),
        ({"members": [n.to_bytes(32, "big") for n in range(257)]}, "members = 257 keys"),
        ({"members": [*KEYS, b"short"]}, "expected keys of 32 bytes"),
        ({"members": [*KEYS, "x" * 32]}, "expected keys of 32 bytes"),
        ({"members": KEYS[1:]}, "among them"),
        ({"f": -1}, "f = -1: expected an integer from 0 to 3"),
        ({"f": 4}, "f = 4: expected"),
        ({"f": 1.0}, "f = 1.0: expected"),
        ({"f": True}, "f = True: expected"),
        ({"session_id": b""}, "session_id = b''"),
        ({"session_id": bytes(257)}, "session_id = "),
        ({"session_id": "text"}, "session_id = 'text'"),
        ({"value": bytes(MAX_VALUE + 1)}, "value = "),
        ({"value": "text"}, "value = 'text'"),
    ],
)
def test_bad_arguments(change, message):
    right = {"members": KEYS, "me": identity(0), "f": 1, "session_id": SESSION_ID, "value": b"x"}
    Agreement(**right)
    with pytest.raises(ValueError, match=message) as caught:
        Agreement(**{**right, **change})
    assert "\n" not in str(caught.value)
