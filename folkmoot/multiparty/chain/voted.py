"""What a chain of kind "bema" says to those who vote on its blocks, as far as it is the same for all of them."""

from collections.abc import Sequence
from dataclasses import replace

from folkmoot.agreement.carried import AsItStands
from folkmoot.agreement.forms import Forms, Shape
from folkmoot.encoding import Malformed
from folkmoot.ledger import work
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain, apply_block, propose
from folkmoot.ledger.contents import MissingContent
from folkmoot.ledger.errors import LowWork, RefusedRecord
from folkmoot.ledger.rules import UnknownRules
from folkmoot.multiparty.chain.kind import BEMA
from folkmoot.multiparty.chain.pool import Pool
from folkmoot.multiparty.chain.records import NO_APPROVER, Refused, Registered
from folkmoot.multiparty.chain.shelf import MOST_LOOSE, Shelf
from folkmoot.multiparty.chain.signing import APPROVAL, REFUSAL, is_signed
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.talk import CONSORTIUM
from folkmoot.multiparty.chain.voting import in_turn, quorum


class VotedKind(AsItStands):
    """See `folkmoot.agreement.kinds.Kind`; what is learnt from a block is a participant's own.

    A block is looked at only when all is at hand that it names: the contents come from the pool and the shelf.

    Attributes:
        forms: of messages.
        pool: samples that wait for a block.
        shelf: other contents.
    """

    forms: Forms = CONSORTIUM

    def __init__(self, chain: Chain, room: int = MOST_LOOSE) -> None:
        """`room`: bytes of contents that no block names yet, for each sender."""
        self.pool = Pool(chain)
        self.shelf = Shelf(chain.state.contents, self.pool, room)

    def shape(self, state: State) -> Shape:
        """(members,)."""
        return (len(state.members),)

    def kind_of(self, data: bytes) -> str:
        """See `folkmoot.machine.Machine`."""
        return self.forms.kind_of(data)

    def origin(self, chain: Chain) -> bytes:
        """The hash of the genesis."""
        return chain.genesis.hash

    def keys(self, state: State) -> Sequence[bytes]:
        """Of the members."""
        return state.members

    def quorum(self, state: State) -> int:
        """More than two thirds of them."""
        return quorum(len(state.voters))

    def follow(self, chain: Chain, block: Block) -> State:
        """The state after a block that nobody has signed yet.

        Raises:
            RefusedRecord, LowWork: it does not follow.
        """
        header = block.header
        if replace(header, nonce=0) != propose(chain, block.records).header:
            raise RefusedRecord("the header is not that of the next block with these records")
        if not work.enough(header.hash, header.work_bits):
            raise LowWork(f"hash {header.hash.hex()}: {header.work_bits} leading zero bits were promised")
        self.shelf.supply(chain.state, block, final=False)
        try:
            return BEMA.step(chain.state, header, block.records)
        except (Malformed, UnknownRules) as error:
            raise RefusedRecord(str(error)) from None

    def append(self, chain: Chain, block: Block) -> Chain:
        """The chain after a block with its signatures.

        Raises:
            InvalidBlock: it does not follow.
        """
        try:
            try:
                return apply_block(chain, block)
            except MissingContent:  # its signatures hold, so it is worth while to look for what it names
                self.shelf.supply(chain.state, block, final=True)
                return apply_block(chain, block)
        except UnknownRules as error:
            raise RefusedRecord(str(error)) from None


def is_vouched(state: State, origin: bytes, said: Registered | Refused) -> bool:
    """Is an answer to a newcomer from whom it says it is? Whether it holds is for the rules.

    Args:
        state: of the chain so far.
        origin: hash of the genesis.
        said: the answer.
    """
    if said.approver == NO_APPROVER:
        return not any(state.covers(original, said.party.classes) for original in range(state.originals))
    if said.approver not in state.trusted:
        return False
    purpose = APPROVAL if isinstance(said, Registered) else REFUSAL
    return is_signed(state.parties[said.approver].key, purpose, origin, said.said(), said.signature)


def chosen(state: State, round: int, proposals: dict[int, bytes], states: dict[bytes, State]) -> bytes | None:
    """The hash of the block to prevote for: of those proposed in their turn, made for this round, the least.

    Args:
        state: of the chain so far.
        round: of the vote.
        proposals: hash by the number of the member.
        states: after each block that would follow, by its hash.
    """
    assert state.voting is not None
    turn, members = in_turn(state.voting, state.makers, round), state.members
    hashes = {hash for sender, hash in proposals.items() if members[sender] in turn}
    return min((hash for hash in hashes if hash in states and states[hash].round == round), default=None)
