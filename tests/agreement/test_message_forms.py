"""Messages of the agreement as bytes and as evidence: forms, signatures of chains, proofs of fault."""

import numpy as np
import pytest
from room import Room

from folkmoot.agreement.signed_messages import MAX_VALUE, Attested, Chained, Fault, Rejected, value_digest, verify
from folkmoot.encoding import Malformed, encode

EVIL = 0  # the faulty general


# --- Chains of signatures and hostile bytes ------------------------------------------------------------------


def test_only_verify_makes_a_verified_message():
    room = Room(4, 1)
    message = room.seen[0]
    assert verify(message, room.keys, room.session).message is message
    with pytest.raises(TypeError, match="comes from verify"):
        Attested(message, b"", object())
    with pytest.raises(Rejected):
        verify(message._replace(value=b"x"), room.keys, room.session)


def test_any_flipped_bit_of_a_chain_is_noticed():
    room = Room(4, 3)
    chain = room.extended(room.seen[0], 1, 2)
    assert verify(chain, room.keys, room.session)
    data = chain.encode()
    for bit in range(8 * len(data)):
        number = int.from_bytes(data, "little") ^ 1 << bit
        with pytest.raises((Malformed, Rejected)):
            verify(Chained.decode(number.to_bytes(len(data), "little")), room.keys, room.session)


def test_signers_may_not_change_places():
    room = Room(4, 3)
    chain = room.extended(room.seen[0], 1, 2)
    for order in ((0, 2, 1), (1, 0, 2)):
        swapped = chain._replace(signers=order, signatures=tuple(chain.signatures[index] for index in order))
        with pytest.raises(Rejected):
            verify(swapped, room.keys, room.session)


def test_messages_survive_the_wire():
    room = Room(7, 6)
    chain = room.extended(room.seen[3], 0, 6, 5, 4, 2, 1)
    assert Chained.decode(chain.encode()) == chain
    largest = room.signed(0, bytes(MAX_VALUE))
    assert Chained.decode(largest.encode()) == largest


SOUND = Room(4, 1).seen[0]
FORMS = {
    "no chain": SOUND._replace(signers=(), signatures=()),
    "more signers than signatures": SOUND._replace(signers=(0, 1)),
    "more signatures than signers": SOUND._replace(signatures=SOUND.signatures * 2),
    "257 signers": SOUND._replace(signers=tuple(range(257)), signatures=SOUND.signatures * 257),
    "short session": SOUND._replace(session=bytes(31)),
    "short signature": SOUND._replace(signatures=(bytes(63),)),
    "signature as text": SOUND._replace(signatures=("x" * 64,)),
    "negative general": SOUND._replace(general=-1),
    "negative signer": SOUND._replace(signers=(-1,)),
    "signer 256": SOUND._replace(signers=(256,)),
    "signer True": SOUND._replace(signers=(True,)),
    "general as a float": SOUND._replace(general=0.0),
    "general True": SOUND._replace(general=True),
    "value as text": SOUND._replace(value="x"),
    "no value": SOUND._replace(value=None),
    "value too long": SOUND._replace(value=bytes(MAX_VALUE + 1)),
    "one field more": (*SOUND, 0),
    "one field less": SOUND[:-1],
    "not a tuple": b"x",
}


@pytest.mark.parametrize("form", FORMS)
def test_malformed(form):
    with pytest.raises(Malformed) as caught:
        Chained.decode(encode(tuple(FORMS[form]) if isinstance(FORMS[form], tuple) else FORMS[form]))
    assert "\n" not in str(caught.value)


def test_decoding_any_bytes_raises_malformed_at_most():
    """50,000 inputs: random bytes, and right messages with a few bytes changed, cut, doubled or swapped in."""
    rng = np.random.default_rng(5)
    room, _ = fault_of_evil()
    sound = [room.extended(room.seen[0], 1, 2).encode(), room.seen[1].encode()]
    survived = 0
    for turn in range(50_000):
        data = bytearray(sound[turn % len(sound)])
        place, length = int(rng.integers(len(data))), int(rng.integers(1, 9))
        if turn % 5 == 0:
            data = bytearray(rng.bytes(length * 12))
        elif turn % 5 == 1:
            data[place] = int(rng.integers(256))
        elif turn % 5 == 2:
            data[place : place + length] = rng.bytes(length)
        elif turn % 5 == 3:
            del data[place : place + length]
        else:
            data[place:place] = data[place - length : place + length]
        try:
            message = Chained.decode(bytes(data))
        except Malformed:
            continue
        survived += 1
        assert message.encode() == bytes(data)
    assert survived > 1000  # mostly changed values and signatures: form right, content wrong


# --- Proofs of fault ---------------------------------------------------------------------------------------


def fault_of_evil():
    room = Room(4, 1, [EVIL])
    for number in (0, 1):
        room.send(room.signed(EVIL, b"%d" % number))
    room.finish()
    return room, next(iter(room.honest.values())).proofs_of_fault()[0]


def test_a_proof_of_fault_convinces_a_stranger():
    room, fault = fault_of_evil()
    assert fault.proves(room.keys[EVIL])


def test_nothing_else_convinces():
    room, fault = fault_of_evil()
    honest = next(message for message in room.seen if message.general == 2)
    wrong = [
        fault._replace(session=bytes(32)),
        fault._replace(general=1),
        fault._replace(one=value_digest(b"2")),
        fault._replace(signature_of_other=fault.signature_of_one),
        fault._replace(signature_of_one=b""),
        fault._replace(other=fault.one, signature_of_other=fault.signature_of_one),
    ]
    assert not any(fault.proves(room.keys[EVIL]) for fault in wrong)
    assert not fault.proves(room.keys[2])
    lie = value_digest(honest.value), honest.signatures[0], value_digest(b"lie"), honest.signatures[0]
    assert not Fault(room.session, 2, *lie).proves(room.keys[2])


def test_values_of_two_sessions_are_no_fault():
    one, other = Room(4, 1), Room(4, 1, session_id=b"tip 40, round 41")
    first, second = one.seen[2], other.signed(2, b"another")
    said = [(value_digest(message.value), message.signatures[0]) for message in (first, second)]
    for session in (one.session, other.session):
        assert not Fault(session, 2, *said[0], *said[1]).proves(one.keys[2])
