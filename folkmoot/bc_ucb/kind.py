"""What a game says to those who vote on its blocks, as far as it is the same for every participant."""

from collections.abc import Mapping, Sequence

from folkmoot.agreement.forms import Forms, Shape
from folkmoot.bc_ucb.disclosed import Opened, as_told, openings
from folkmoot.bc_ucb.genesis import GameSettings
from folkmoot.bc_ucb.messages import GAME
from folkmoot.bc_ucb.records import Report, RoundRecord
from folkmoot.bc_ucb.rules import ROUNDS, Rounds, conclude, copied, state_after
from folkmoot.bc_ucb.state import State
from folkmoot.ledger.block import Block, Header
from folkmoot.ledger.chain import Chain, apply_block, is_next, propose
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.ledger.rules import Rules


class WithOpenings:
    """The rules for one block with what is behind its commitments."""

    def __init__(self, rules: Rounds, behind: bytes) -> None:
        self.genesis, self.signers = rules.genesis, rules.signers
        self._rules, self._behind = rules, behind

    def step(self, state: State, header: Header, records: tuple[bytes, ...]) -> State:
        """As of `Rounds`.

        Raises:
            RefusedRecord: see there.
        """
        return self._rules.step_with(state, header, records, self._behind)


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


def would_follow(chain: Chain, candidate: Block, rules: Rules = ROUNDS) -> State:
    """The state after a block that nobody has signed yet.

    Raises:
        RefusedRecord: the chain's rules refuse it, or its header is not the one these records get.
    """
    if not is_next(chain, candidate):
        raise RefusedRecord("the header is not that of the next block with these records")
    state: State = rules.step(chain.state, candidate.header, candidate.records)
    return state


def block_of(chain: Chain, record: RoundRecord) -> Block:
    """The next block with this record, unsigned."""
    settings: GameSettings = chain.state.configuration
    if not settings.sealed:
        return propose(chain, [record.to_bytes()])
    about = record, (settings.terms.n_participants, settings.terms.n_arms), settings.coins is None
    plain = propose(chain, [as_told(*about).to_bytes()])
    return Opened(plain.header, plain.records, (), openings(*about))


def made(
    rules: Rounds, chain: Chain, round: int, values: Mapping[int, bytes | None], held: Mapping[bytes, Report]
) -> Block:
    """The next block, unsigned, that agreed values and the reports they name amount to; see `conclude`.

    It is worked out with the accounts, so that it need not be once more when it is looked at: nothing is left of the
    rules that could refuse it, but for reports of another form, which are held where they came late.

    Raises:
        Unfinished: there is none.
    """
    state: State = chain.state
    accounts = copied(state.accounts)
    record, members = conclude(state, chain.tip, round, values, held, accounts, rules.call)
    block, sealed = block_of(chain, record), state.configuration.sealed
    if not sealed and round > state.round and not any(report.blinding for report in record.reports):
        rules.remember(state, block, state_after(state, block.hash, record, members, accounts, rules.call))
    return block
