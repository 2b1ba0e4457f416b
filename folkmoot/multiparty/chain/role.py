"""Who a participant of a consortium is: what it was told before it began."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from folkmoot.encoding import Malformed, digest
from folkmoot.ledger.chain import Chain
from folkmoot.multiparty.chain.entries import Entry
from folkmoot.multiparty.chain.exchanging import Exchanging
from folkmoot.multiparty.chain.local_party import Finds
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.talk import ROOM
from folkmoot.multiparty.party import Party
from folkmoot.signatures import SEED_BYTES, SigningKey, public_key

KEYS = "keys"  # the key under which later secrets are kept, hidden by the first one


@dataclass(frozen=True)
class Told:
    """What a participant was told before it began.

    Attributes:
        seed: 32 secret bytes, of its key.
        first: the chain before its first block, with the participant's own store of contents.
        finds: its data, in which it looks for samples; None: it sends none.
        judge: an original party's opinion of newcomers.
        asks: a newcomer's entry; its parameters are in the store.
        wanted: samples a party sends in a round; the same for all, as drivers bound what they let through by it.
        most: samples in a block; the same for all. So is `room`: bytes of contents in one message.
        clock: milliseconds since 1970, for the heads of blocks.
        party: its data as they now are, for exchanges, and to look at others' models; None: it has none.
        exchanging: what members have agreed on about exchanges.
    """

    seed: bytes
    first: Chain
    finds: Finds | None = None
    judge: OriginalParty | None = None
    asks: Entry | None = None
    wanted: int = 8
    most: int = 200
    room: int = ROOM
    clock: Callable[[], int] = lambda: 0
    party: Callable[[], Party | None] = lambda: None
    exchanging: Exchanging = field(default_factory=Exchanging)


def secrets_in(seed: bytes, kept: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """All secrets of a participant, the last one first; the first one is `seed`.

    Raises:
        Malformed: bytes that are none.
    """
    told, size = kept.get(KEYS, b""), 2 * SEED_BYTES
    if len(told) % size or len(told) > 2 * size:
        raise Malformed(f"keys: expected one or two times {size} bytes")
    rows = [told[at : at + size] for at in range(0, len(told), size)]
    return (*(hidden(seed, row[:SEED_BYTES], row[SEED_BYTES:]) for row in rows), seed)


def keeping(secrets: Sequence[bytes], nonce: bytes) -> bytes:
    """What `secrets_in` reads: of three secrets the last is the first one, and is not in it. A nonce serves once."""
    first, rows = secrets[-1], b""
    for number, secret in enumerate(secrets[:-1]):
        if secret != first:
            hides = nonce[:16] + bytes([number]) * 16
            rows += hides + hidden(first, hides, secret)
    return rows


def hidden(seed: bytes, nonce: bytes, secret: bytes) -> bytes:
    """32 secret bytes so that only who has the first secret can read them; the same undoes it. A nonce serves once."""
    mask = digest("multiparty/next key", (seed, nonce))
    return bytes(a ^ b for a, b in zip(secret, mask, strict=True))


def seed_in(state: State, seeds: Sequence[bytes], otherwise: bytes) -> bytes:
    """The first of a participant's secrets that the chain knows it by; empty ones are none."""
    for seed in seeds:
        if seed and (state.number_of(key := public_key(SigningKey(seed))) >= 0 or key in state.members):
            return seed
    return otherwise
