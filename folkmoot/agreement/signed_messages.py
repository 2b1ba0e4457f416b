"""Agreement by signed messages: SM(f) of Lamport, Shostak and Pease (1982, "The Byzantine generals problem", 4).

Every member is general once: it broadcasts one value, and all broadcasts run side by side. A value travels with a
chain of signatures, the general's first; each relaying member signs the value and the chain before it. A value with
j signatures counts in relay round j only, and there are f + 1 relay rounds: a chain of f + 1 signatures holds an
honest one, and that member has told everybody. Two values signed by one general prove its fault and give the default
value, None; so at most two values of a general are ever relayed, each once (Dolev and Strong 1983).

If at most f members are faulty, however they behave, all honest members end with the same tuple of values, and the
value of an honest general is in its place. This needs rounds: a message sent in one round arrives before the next.

Nothing here reads a clock or a socket: a driver calls `step` once a round with the bytes that came in. It should pass
on at most 2 n messages of a sender and round, which is all that an honest member sends; each may cost f + 1
signature checks.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from folkmoot.agreement.identity import Signs
from folkmoot.agreement.shared import SMALL, Call, by_first, directly
from folkmoot.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.errors import OtherSide
from folkmoot.layouts import Layout, layout_of
from folkmoot.signatures import KEY_BYTES, SIGNATURE_BYTES, check

MAX_MEMBERS = 256
MAX_VALUE = 1 << 16  # bytes
MAX_SESSION_ID = 256  # bytes
ALL = None  # the destination "every other member"

VALUE, RELAY = "agreement value", "agreement relay"  # what a general, what a relaying member signs
_MESSAGE_LIMITS = Limits(size=MAX_VALUE + 128 * (MAX_MEMBERS + 4), depth=2, items=2 * MAX_MEMBERS + 8, int_size=2)

Outgoing = list[tuple[int | None, bytes]]  # (index of a member or ALL, message)


class Rejected(OtherSide):
    """A well-formed message that counts for nothing; `reason` is one of a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"message rejected: {reason}")
        self.reason = reason


def session_digest(session_id: bytes, members: bytes, f: int) -> bytes:
    """The 32 bytes that stand for one agreement in every signature: its name, the digest of its members, and f."""
    return digest("agreement session", (session_id, members, f))


def members_digest(members: Sequence[bytes]) -> bytes:
    """32 bytes that stand for keys in their order."""
    return digest("agreement members", tuple(members))


def value_digest(value: bytes) -> bytes:
    """32 bytes that stand for a value, so that evidence of two values need not hold them."""
    return digest("agreement content", value)


def value_words(session: bytes, general: int, content: bytes) -> bytes:
    """What a general signs; `content` is the digest of its value."""
    return digest("agreement value", (session, general, content))


class Chained(NamedTuple):
    """A message as another party sent it: its form is right, nothing else is known."""

    session: bytes  # 32 bytes, see session_digest
    general: int  # index of the member whose value this is
    value: bytes
    signers: tuple[int, ...]  # indices of members, the general first
    signatures: tuple[bytes, ...]  # 64 bytes each, of the value and the chain up to there

    def encode(self) -> bytes:
        return encode(tuple(self), _MESSAGE_LIMITS)

    @staticmethod
    def decode(data: bytes) -> "Chained":
        """The message of these bytes.

        Raises:
            Malformed: whatever else the bytes are.
        """
        layout = _layouts.get(len(data)) if type(data) is bytes else None
        value = None if layout is None else layout.read(data)
        if value is not None:  # so lay a message that was right: all but who they are is known
            message = Chained(*value)
            if not (min(message.signers) >= 0 and max(message.signers) < MAX_MEMBERS > message.general >= 0):
                raise Malformed("index of a member that is none")
            return message
        value = decode(data, _MESSAGE_LIMITS)
        message = Chained(*_fields(value, (bytes, int, bytes, tuple, tuple)))
        if len(message.session) != 32 or len(message.value) > MAX_VALUE:
            raise Malformed("session or value of a wrong length")
        if not 1 <= len(message.signers) == len(message.signatures) <= MAX_MEMBERS:
            raise Malformed(f"{len(message.signers)} signers with {len(message.signatures)} signatures")
        if not all(type(index) is int and 0 <= index < MAX_MEMBERS for index in (message.general, *message.signers)):
            raise Malformed("index of a member that is none")
        if not all(type(signature) is bytes and len(signature) == SIGNATURE_BYTES for signature in message.signatures):
            raise Malformed(f"signature that is not {SIGNATURE_BYTES} bytes")
        if len(data) <= SMALL and (layout := layout_of(value)) is not None:
            if len(_layouts) >= _MOST_LAYOUTS:
                _layouts.clear()
            _layouts[len(data)] = layout
        return message


_layouts: dict[int, Layout] = {}  # of messages that were right, by their length
_MOST_LAYOUTS = 1 << 6
_SEAL = object()


class Attested:
    """A message whose whole chain of signatures holds. Only `verify` makes one."""

    __slots__ = ("_tip", "message")

    def __init__(self, message: Chained, tip: bytes, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an Attested message comes from verify() only")
        self.message = message
        self._tip = tip  # digest of the value and the chain: what the next member signs

    def signed_on(self, index: int, me: Signs) -> Chained:
        """The message with one more signature, by member `index`."""
        session, general, value, signers, signatures = self.message
        return Chained(session, general, value, (*signers, index), (*signatures, me.sign(RELAY, self._tip)))


def verify(message: Chained, members: Sequence[bytes], session: bytes) -> Attested:
    """Check every signature of a message: distinct members of this session, the general first.

    Raises:
        Rejected: something does not hold.
    """
    _require_chain(message, len(members), session)
    tip, domain = _first(session, message.general, message.value), VALUE
    for index, signature in zip(message.signers, message.signatures, strict=True):
        if not check(members[index], domain, tip, signature):
            raise Rejected("signature")
        tip, domain = digest("agreement link", (tip, index, signature)), RELAY
    return Attested(message, tip, _SEAL)


class Fault(NamedTuple):
    """The digests of two values that one general signed in one session: everybody can check it, for ever."""

    session: bytes  # 32 bytes, see session_digest
    general: int
    one: bytes  # 32 bytes, see value_digest
    signature_of_one: bytes
    other: bytes
    signature_of_other: bytes

    def proves(self, key: bytes) -> bool:
        """Did the general, whose public key this is, sign two different values?"""
        pairs = (self.one, self.signature_of_one), (self.other, self.signature_of_other)
        return self.one != self.other and all(
            check(key, VALUE, value_words(self.session, self.general, content), sign) for content, sign in pairs
        )


class Agreement:
    """One member's part in one agreement: `step(0, [])`, then `step(j, received)` for j = 1, ..., f + 1.

    `members` are public keys in an order known to all, `me` signs for one of them, `value` is what it broadcasts (None:
    nothing; it still relays, as it should when it may have signed another value before a crash).
    `session_id` must never come twice: the hash of the previous block and the round. `me` should be
    `Signer(identity, VALUE, ...).at(round)`, so that a restart cannot make an honest general sign two values.
    `call`: see shared.py; all members read the same messages.

    Raises:
        ValueError: members not 1 to 256 distinct keys of 32 bytes with `me` among them, f not in [0, n), session_id
            not 1 to 256 bytes, or value neither None nor at most 65536 bytes.
    """

    __slots__ = (
        "_me", "_reading", "_round", "_value", "_values", "_verify", "checked", "f", "fresh", "index", "members",
        "rejected", "session",
    )  # fmt: skip

    def __init__(
        self,
        members: Sequence[bytes],
        me: Signs,
        f: int,
        session_id: bytes,
        value: bytes | None,
        call: Call = directly,
    ) -> None:
        members = tuple(members)
        known = call(_digest_of_members, members)
        if me.public_key not in members:
            raise ValueError(f"members: expected {me.public_key.hex()[:16]}... among them")
        if type(f) is not int or not 0 <= f < len(members):
            raise ValueError(f"f = {f!r:.80}: expected an integer from 0 to {len(members) - 1}")
        if type(session_id) is not bytes or not 1 <= len(session_id) <= MAX_SESSION_ID:
            raise ValueError(f"session_id = {session_id!r:.80}: expected 1 to {MAX_SESSION_ID} bytes")
        if value is not None and (type(value) is not bytes or len(value) > MAX_VALUE):
            raise ValueError(f"value = {value!r:.80}: expected at most {MAX_VALUE} bytes")
        self.members, self.f = members, f
        self.session = call(session_digest, session_id, known, f)
        self.index = members.index(me.public_key)
        self.rejected: Counter[str] = Counter()  # how many messages counted for nothing, by reason
        self.checked = 0  # signatures, in all chains that were checked
        self.fresh: list[tuple[int, bytes]] = []  # first values that the last step accepted
        self._me, self._value, self._round = me, value, 0
        self._reading, self._verify = by_first(call, _of_session, len(members), self.session), partial(call, verify)
        # Of each general: the values accepted, at most two, with its signature.
        self._values: tuple[dict[bytes, bytes], ...] = tuple({} for _ in members)

    def step(self, round: int, received: Iterable[bytes]) -> Outgoing:
        """Take in what arrived in relay round `round`, and give what to send for the next one.

        Raises:
            ValueError: not the next round.
            WouldEquivocate: `me` signed another value for this slot before (round 0 only).
        """
        if round != self._round or round > self.f + 1:
            raise ValueError(f"round = {round!r:.80}: expected {self._round}, of {self.f + 1} relay rounds")
        self.fresh = []
        if round == 0:
            outgoing = [] if self._value is None else [self._broadcast(self._value)]
        else:
            outgoing = [relayed for data in received if (relayed := self._receive(data)) is not None]
        self._round += 1
        return [(ALL, message.encode()) for message in outgoing]

    @property
    def finished(self) -> bool:
        """Have all relay rounds been taken?"""
        return self._round > self.f + 1

    def result(self) -> tuple[bytes | None, ...]:
        """Of each member the agreed value, or None: silent or faulty.

        Raises:
            ValueError: the relay rounds are not over.
        """
        if not self.finished:
            raise ValueError(f"round = {self._round}: the result stands after relay round {self.f + 1}")
        return tuple(next(iter(values)) if len(values) == 1 else None for values in self._values)

    def proofs_of_fault(self) -> tuple[Fault, ...]:
        """Of each general that was seen to sign two values: both, with its signatures."""
        twice = [(g, values) for g, values in enumerate(self._values) if len(values) == 2]
        pairs = [(g, sorted((value_digest(value), sign) for value, sign in values.items())) for g, values in twice]
        return tuple(Fault(self.session, g, *one, *other) for g, (one, other) in pairs)

    def _broadcast(self, value: bytes) -> Chained:
        signature = self._me.sign(VALUE, _first(self.session, self.index, value))
        self._values[self.index][value] = signature
        return Chained(self.session, self.index, value, (self.index,), (signature,))

    def _receive(self, data: bytes) -> Chained | None:
        """Accept the message if it is new and right; give what to relay, if anything."""
        try:
            is_small = type(data) is bytes and len(data) <= SMALL
            message = self._reading.known.get(data) if is_small else None
            if message is None:
                message = self._reading.learn(data) if is_small else _of_session(data, len(self.members), self.session)
            _, general, value, signers, signatures = message
            if len(signers) != self._round:
                raise Rejected("late" if len(signers) < self._round else "early")
            values = self._values[general]
            if value in values or len(values) == 2:
                return None  # nothing to learn, so nothing to check: most messages
            self.checked += len(signers)
            verified = (self._verify if is_small else verify)(message, self.members, self.session)
        except (Malformed, Rejected) as error:
            self.rejected[error.reason if isinstance(error, Rejected) else "malformed"] += 1
            return None
        if not values:
            self.fresh.append((general, value))
        values[value] = signatures[0]
        if self._round > self.f or self.index in signers:
            return None
        return verified.signed_on(self.index, self._me)


def _digest_of_members(members: tuple[bytes, ...]) -> bytes:
    """See `members_digest`; the same members agree again and again, and are looked at once.

    Raises:
        ValueError: not 1 to 256 distinct keys.
    """
    if not 1 <= len(members) <= MAX_MEMBERS or len(set(members)) < len(members):
        raise ValueError(f"members = {len(members)} keys: expected 1 to {MAX_MEMBERS} distinct keys")
    if not all(type(key) is bytes and len(key) == KEY_BYTES for key in members):
        raise ValueError(f"members: expected keys of {KEY_BYTES} bytes")
    return members_digest(members)


def _first(session: bytes, general: int, value: bytes) -> bytes:
    """What a general signs of this value."""
    return value_words(session, general, value_digest(value))


def _of_session(data: bytes, n: int, session: bytes) -> Chained:
    """The message of these bytes, if it can count among n members in this session.

    Raises:
        Malformed, Rejected: it cannot.
    """
    message = Chained.decode(data)
    _require_chain(message, n, session)
    return message


def _require_chain(message: Chained, n: int, session: bytes) -> None:
    """What can be said of a chain without looking at a signature."""
    if message.session != session:
        raise Rejected("session")
    signers = message.signers
    if len(set(signers)) < len(signers) or max(signers) >= n or signers[0] != message.general:
        raise Rejected("signers")


def _fields(value: object, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The items of a decoded tuple if they have exactly these types."""
    if type(value) is not tuple or tuple(map(type, value)) != kinds:
        raise Malformed(f"expected a tuple of {', '.join(kind.__name__ for kind in kinds)}")
    return value
