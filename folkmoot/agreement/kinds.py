"""What a kind of chain says to those who vote on its blocks, and what it is told of blocks that are final."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from folkmoot.agreement.carried import Carries
from folkmoot.agreement.forms import Forms, Shape
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain
from folkmoot.machine import Effects


class Final(NamedTuple):
    """A block that became final, and the chain after it."""

    block: Block
    chain: Chain


class Round(Protocol):
    """What a member knows of the blocks that are sought in a round, as a kind looks at it (see `voting.Voter`)."""

    @property
    def round(self) -> int:
        """It is in."""

    @property
    def proposals(self) -> dict[int, bytes]:
        """Hash by sender."""

    @property
    def states(self) -> dict[bytes, Any]:
        """After each block that was seen in this round and would follow, by its hash."""


class Kind(Carries, Protocol):
    """What a kind of chain says to those who vote on its blocks."""

    @property
    def forms(self) -> Forms:
        """The messages of the system."""

    def shape(self, state: Any) -> Shape:
        """What bounds the fields of messages: the number of members, and what else."""

    def origin(self, chain: Chain) -> bytes:
        """32 bytes that stand for the genesis, so that nothing of another run counts: every signature covers them."""

    def keys(self, state: Any) -> Sequence[bytes]:
        """Of the members who vote, in the order of their numbers."""

    def quorum(self, state: Any) -> int:
        """How many of them make a certificate, a decision, a final block."""

    def follow(self, chain: Chain, block: Block) -> Any:
        """The state after a block that nobody has signed yet.

        Raises:
            InvalidBlock: it does not follow.
        """

    def append(self, chain: Chain, block: Block) -> Chain:
        """The chain after a block with its signatures.

        Raises:
            InvalidBlock: it does not follow.
        """

    def candidate(self, voter: Round) -> bytes | None:
        """The hash of the block to prevote for in this round, of those that would follow (`voter.states`)."""

    def committed(self, final: Final, effects: Effects) -> None:
        """A block is final: what is learnt from it is kept, what its check took is counted."""
