"""What estimates of malicious participants have cost, booked when the environment discloses who they are.

BC-UCB, case 2: in each block whose average an estimate of a malicious participant has entered, every honest one pays c,
unawares. Nobody on the chain knows who is malicious, so the state keeps, of each block, who was in a validated set. The
environment, who does know, says it in a statement, as a rule when the game is over. It enters with a block: then all
blocks since the last such statement are booked, and what was kept of them is dropped. A state stays small: of more
blocks than `most_kept` the oldest are forgotten and never booked, so an environment should speak before.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.bc_ucb.contract import Accounts, charge
from folkmoot.bc_ucb.genesis import GameSettings
from folkmoot.bc_ucb.records import MOST_ROUND, MOST_STATEMENT
from folkmoot.bc_ucb.state import State
from folkmoot.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.signatures import check

DISCLOSED = "environment disclosure"  # purpose of a signature
KNOWN_MALICIOUS = 64  # number of this kind of statement; those of evidence are lower
MOST_ENTERED = 1 << 18  # bytes of what a state keeps of blocks since the last disclosure
_LIMITS = Limits(size=MOST_STATEMENT, depth=1, items=8, int_size=8)


def most_kept(participants: int) -> int:
    """Of how many blocks since the last disclosure a state keeps who was in a validated set."""
    return MOST_ENTERED // -(-participants // 8)


class Disclosure(NamedTuple):
    """Who is malicious, as the environment says."""

    round: int  # later than that of the last such statement
    malicious: bytes  # a bit for each participant, the first one the highest of the first byte
    signature: bytes

    @staticmethod
    def of(round: int, malicious: NDArray[np.bool_]) -> "Disclosure":
        """What is to be signed of these participants (bool [participants])."""
        return Disclosure(round, np.packbits(malicious).tobytes(), b"")

    def words(self, origin: bytes) -> bytes:
        """What the environment signs."""
        return digest("environment disclosure", (origin, self.round, self.malicious))

    def to_bytes(self) -> bytes:
        """The statement."""
        return encode((KNOWN_MALICIOUS, *self), _LIMITS)


def disclosure_in(settings: GameSettings, origin: bytes, statement: bytes) -> Disclosure | None:
    """The disclosure that a statement is, signed by the environment of this game; None: it is none."""
    if not settings.environment:
        return None
    return _signed_by(settings.environment, len(settings.keys), origin, statement)


def _signed_by(keys: tuple[bytes, ...], participants: int, origin: bytes, statement: bytes) -> Disclosure | None:
    try:
        value = decode(statement, _LIMITS)
    except Malformed:
        return None
    if type(value) is not tuple or tuple(map(type, value)) != (int, int, bytes, bytes) or value[0] != KNOWN_MALICIOUS:
        return None
    found = Disclosure(*value[1:])
    spare = 8 * len(found.malicious) - participants
    if not 0 < found.round <= MOST_ROUND or not 0 <= spare < 8 or found.malicious[-1] & ((1 << spare) - 1):
        return None
    words = found.words(origin)
    return found if any(check(key, DISCLOSED, words, found.signature) for key in keys) else None


def new_disclosure(state: State, statement: bytes) -> Disclosure | None:
    """The disclosure that a statement is, if it is later than the last one on the chain."""
    found = disclosure_in(state.configuration, state.origin, statement)
    return found if found is not None and found.round > state.disclosed else None


def booked(state: State, shown: tuple[bytes, ...], members: NDArray[np.bool_], accounts: Accounts) -> tuple[bytes, int]:
    """Book a disclosure among the statements of a block; `State.entered` and `State.disclosed` after it.

    Args:
        state: before the block.
        shown: its statements.
        members: bool [participants, arms], its validated sets.
        accounts: after its round; written.
    """
    settings, entered = state.configuration, state.entered
    if settings.environment and settings.terms.cost > 0:
        mask = np.packbits(members.any(axis=1)).tobytes()
        entered = (entered + mask)[-most_kept(len(settings.keys)) * len(mask) :]
    found = next((one for statement in shown if (one := new_disclosure(state, statement)) is not None), None)
    if found is None:
        return entered, state.disclosed
    masks = np.frombuffer(entered, np.uint8).reshape(-1, len(found.malicious))
    told = np.frombuffer(found.malicious, np.uint8)
    blocks = int(np.count_nonzero((masks & told).any(axis=1)))
    malicious = np.unpackbits(told)[: len(settings.keys)].astype(np.bool_)
    charge(accounts, malicious, settings.terms.cost * blocks)
    return b"", found.round
