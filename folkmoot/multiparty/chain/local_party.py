"""A party on the chain: what it finds in its own data it signs and sends, for everybody to see."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from folkmoot.multiparty.chain.messages import sample_message
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.sample import Proposal, View
from folkmoot.signatures import SigningKey


class Finds(Protocol):
    """Whatever proposes samples: a `party.Party`, honest or not."""

    def mine(self, view: View, wanted: int, generator: np.random.Generator) -> Sequence[Proposal]:
        """Up to `wanted` proposals, looked for in the order the generator draws."""


class LocalParty:
    """The one that signs for a party.

    Args:
        key: its Ed25519 key.
        origin: hash of the genesis of the chain.
        number: of the party on the chain.
        party: finds the samples; one that lies is wrapped, `sample_message` signs any content.
        order: draws the order in which it looks through its data.
    """

    def __init__(self, key: SigningKey, origin: bytes, number: int, party: Finds, order: np.random.Generator) -> None:
        self.key, self.origin, self.number, self.party, self.order = key, origin, number, party, order

    def mine(self, committee: Committee, wanted: int) -> list[bytes]:
        """Up to `wanted` signed samples."""
        return [self.message(proposal) for proposal in self.party.mine(committee, wanted, self.order)]

    def message(self, proposal: Proposal) -> bytes:
        """A proposal, signed."""
        return sample_message(self.key, self.origin, self.number, *proposal)
