"""States that a quorum has signed, so that a newcomer need not play all blocks again.

A block of some kinds names the state before it by a digest: who signs the block signs that state. A member gives the
state before its last block, and that block. Who takes it checks the state by the block, and the block by the keys
in the genesis: more than two thirds of them, less those whose faults the state itself proves. Nothing is believed, and
the rules compute nothing with a state before its digest is found to be the one in a block with these signatures.
"""

from typing import Any, NamedTuple, Protocol

from folkmoot.agreement.messages import StateGiven, WantState
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain
from folkmoot.ledger.errors import InvalidBlock


class GivesStates(Protocol):
    """What a kind of chain says whose blocks name the state before them."""

    def state_given(self, chain: Chain) -> bytes:
        """A chain as others are given it."""

    def chain_of(self, data: bytes) -> Chain:
        """The chain that somebody has given; what it says of faults is proven, all else is not.

        Raises:
            Malformed: there is none, or blocks of this chain name no states.
        """

    def received(self, data: bytes) -> Block:
        """See `carried.Carries`."""

    def append(self, chain: Chain, block: Block) -> Chain:
        """See `kinds.Kind`; it refuses a block that names another state before it, and computes nothing with that.

        Raises:
            InvalidBlock: it does not follow.
        """


class Step(NamedTuple):
    """The last step of a chain: before it, and the block."""

    before: Chain
    block: Block


def given(kind: Any, last: Step | None, want: WantState) -> StateGiven:
    """The answer to who wants a state.

    Raises:
        Rejected: there is none, or none of that height.
    """
    if last is None or not 1 <= want.height <= last.before.height:
        raise Rejected("want")
    return StateGiven(kind.state_given(last.before), kind.carried(last.block))


def checked(kind: GivesStates, told: StateGiven, height: int) -> Step:
    """The state that was given and the block that names it, both checked.

    Raises:
        Malformed: bytes that are neither.
        Rejected: the state is no newer than this height, or the quorum's block does not follow from it.
    """
    chain, block = kind.chain_of(told.state), kind.received(told.block)
    if chain.height <= height:
        raise Rejected("old state")
    try:
        kind.append(chain, block)
    except InvalidBlock:
        raise Rejected("state") from None
    return Step(chain, block)
