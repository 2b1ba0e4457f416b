"""What a game says to those who vote on its blocks, as far as it is the same for every participant."""

from collections.abc import Sequence

from folkmoot.agreement.forms import Forms, Shape
from folkmoot.bc_ucb.disclosed import Opened, as_told, openings
from folkmoot.bc_ucb.genesis import GameSettings
from folkmoot.bc_ucb.messages import GAME
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.bc_ucb.rules import Rounds, WithOpenings, would_follow
from folkmoot.bc_ucb.state import State
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain, apply_block, propose
from folkmoot.ledger.rules import Rules


class GameKind:
    """See `folkmoot.agreement.kinds.Kind`; the candidate of a round and what is learnt are a participant's own.

    Attributes:
        forms: of messages.
        rules: of the chain.
    """

    forms: Forms = GAME

    def __init__(self, rules: Rounds, settings: GameSettings) -> None:
        self.rules, self._settings = rules, settings
        self.kind_of = self.forms.kind_of  # see `folkmoot.machine.Machine`

    def carried(self, block: Block) -> bytes:
        """See `folkmoot.agreement.carried.Carries`: with its openings, where it has some."""
        return block.carried() if isinstance(block, Opened) else block.to_bytes()

    def received(self, data: bytes) -> Block:
        """See `folkmoot.agreement.carried.Carries`.

        Raises:
            Malformed: see there.
        """
        return Opened.received(data) if self._settings.sealed else Block.from_bytes(data)

    def _rules_for(self, block: Block) -> Rules:
        return WithOpenings(self.rules, block.openings) if isinstance(block, Opened) else self.rules

    def shape(self, state: State) -> Shape:
        """(participants, arms)."""
        participants, arms = state.members.shape
        return (participants, arms)

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
        return would_follow(chain, block, self._rules_for(block))

    def append(self, chain: Chain, block: Block) -> Chain:
        """The chain after a block with its signatures.

        Raises:
            InvalidBlock: it does not follow.
        """
        return apply_block(chain, block, self._rules_for(block))


def block_of(chain: Chain, record: RoundRecord) -> Block:
    """The next block with this record, unsigned."""
    settings: GameSettings = chain.state.configuration
    if not settings.sealed:
        return propose(chain, [record.to_bytes()])
    about = record, (settings.terms.n_participants, settings.terms.n_arms), settings.coins is None
    plain = propose(chain, [as_told(*about).to_bytes()])
    return Opened(plain.header, plain.records, (), openings(*about))
