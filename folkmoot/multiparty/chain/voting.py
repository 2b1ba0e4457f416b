"""Chains whose blocks are voted on: what the genesis says of it, and whose turn it is.

The members are the original parties, in their order, and after them the miners. A block needs the signatures of more
than two thirds of them; so with less than a third of them faulty no two blocks of one height can have these. Only
miners propose blocks (where there are none, the original parties do). A chain whose genesis says nothing of voting is
one of blocks with one signature, its maker's: two miners who make a block at the same time split it in two.
"""

from typing import NamedTuple

from folkmoot.encoding import Malformed, Value

BY_ROUNDS, FREE = "rounds", "free"
TURNS = (BY_ROUNDS, FREE)
MOST_MEMBERS = 256
CHARTER_BYTES = 32


class Voting(NamedTuple):
    """How blocks are voted on.

    Attributes:
        turns: "rounds": in each round one may propose, the makers take turns; "free": all may, and whose block it
            becomes is for the votes (and, with proof of work, for who is quickest) to say.
        charter: 32 bytes of what the members have signed before the chain began, such as the identity of a charter: so
            what they say on it counts on no other chain of the same models. Empty: they have signed nothing.
    """

    turns: str = BY_ROUNDS
    charter: bytes = b""

    def to_value(self) -> Value:
        """As it stands in the genesis."""
        return tuple(self) if self.charter else (self.turns,)


def read_voting(value: Value) -> Voting:
    """What the genesis says.

    Raises:
        Malformed: not a known kind of turns, or a charter that is not 32 bytes.
    """
    if type(value) is not tuple or len(value) not in (1, 2) or type(value[0]) is not str or value[0] not in TURNS:
        raise Malformed(f"voting = {value!r:.80}: expected (turns,), with turns one of {', '.join(TURNS)}")
    if len(value) == 2 and (type(value[1]) is not bytes or len(value[1]) != CHARTER_BYTES):
        raise Malformed(f"voting: charter = {value[1]!r:.80}: expected {CHARTER_BYTES} bytes")
    return Voting(*value)


def quorum(members: int) -> int:
    """More than two thirds."""
    return 2 * members // 3 + 1


def in_turn(voting: Voting, makers: tuple[bytes, ...], round: int) -> frozenset[bytes]:
    """Keys of those who may propose in a round."""
    return frozenset(makers) if voting.turns == FREE else frozenset([makers[round % len(makers)]])
