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


class Voting(NamedTuple):
    """How blocks are voted on.

    Attributes:
        turns: "rounds": in each round one may propose, the makers take turns; "free": all may, and whose block it
            becomes is for the votes (and, with proof of work, for who is quickest) to say.
    """

    turns: str = BY_ROUNDS


def read_voting(value: Value) -> Voting:
    """What the genesis says.

    Raises:
        Malformed: not a known kind of turns.
    """
    if type(value) is not tuple or len(value) != 1 or type(value[0]) is not str or value[0] not in TURNS:
        raise Malformed(f"voting = {value!r:.80}: expected (turns,), with turns one of {', '.join(TURNS)}")
    return Voting(value[0])


def quorum(members: int) -> int:
    """More than two thirds."""
    return 2 * members // 3 + 1


def in_turn(voting: Voting, makers: tuple[bytes, ...], round: int) -> frozenset[bytes]:
    """Keys of those who may propose in a round."""
    return frozenset(makers) if voting.turns == FREE else frozenset([makers[round % len(makers)]])
