"""How a block is handed on among the members of a chain: as it stands there, or with more that only they may see.

A block of some kinds holds commitments, and members need what is behind them to judge it. Their votes, hashes and
signatures are on the block as it stands on the chain; whatever passes one on, or keeps it, takes the bytes from here.
"""

from typing import Protocol

from folkmoot.ledger.block import Block


class Carries(Protocol):
    """Makes bytes for other members of a block, and a block of such bytes."""

    def carried(self, block: Block) -> bytes:
        """The bytes for other members, and for the own store."""

    def received(self, data: bytes) -> Block:
        """The block in bytes of another member; whether it follows is not known.

        Raises:
            Malformed: there is none.
        """


class AsItStands:
    """Of kinds whose blocks hold all there is."""

    def carried(self, block: Block) -> bytes:
        """See `Carries`."""
        return block.to_bytes()

    def received(self, data: bytes) -> Block:
        """See `Carries`.

        Raises:
            Malformed: see there.
        """
        return Block.from_bytes(data)
