"""What a game says to those who vote on its blocks, as far as it is the same for every participant."""

from collections.abc import Sequence

from folkmoot.agreement.carried import AsItStands
from folkmoot.agreement.forms import Forms, Shape
from folkmoot.bc_ucb.messages import GAME
from folkmoot.bc_ucb.rules import Rounds, would_follow
from folkmoot.bc_ucb.state import State
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain, apply_block


class GameKind(AsItStands):
    """See `folkmoot.agreement.kinds.Kind`; the candidate of a round and what is learnt are a participant's own.

    Attributes:
        forms: of messages.
        rules: of the chain.
    """

    forms: Forms = GAME

    def __init__(self, rules: Rounds) -> None:
        self.rules = rules

    def shape(self, state: State) -> Shape:
        """(participants, arms)."""
        participants, arms = state.members.shape
        return (participants, arms)

    def kind_of(self, data: bytes) -> str:
        """See `folkmoot.machine.Machine`."""
        return self.forms.kind_of(data)

    def origin(self, chain: Chain) -> bytes:
        """The digest of what the genesis says."""
        origin: bytes = chain.state.origin
        return origin

    def keys(self, state: State) -> Sequence[bytes]:
        """Of all participants; empty for those that are excluded."""
        return state.keys

    def quorum(self, state: State) -> int:
        """More than two thirds of the members."""
        return state.quorum

    def follow(self, chain: Chain, block: Block) -> State:
        """The state after a block that nobody has signed yet.

        Raises:
            RefusedRecord: it does not follow.
        """
        return would_follow(chain, block, self.rules)

    def append(self, chain: Chain, block: Block) -> Chain:
        """The chain after a block with its signatures.

        Raises:
            InvalidBlock: it does not follow.
        """
        return apply_block(chain, block, self.rules)
