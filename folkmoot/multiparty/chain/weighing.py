"""What a participant votes for besides what the rules of the chain say: no blocks that only keep others from something.

An exchange in which few judges have spoken brings nothing, and would use up one of those that members have agreed on.
While one is under way, blocks that one party can make again and again would keep it from ever coming to an end. Whoever
computes a chain again takes both: what a quorum has signed counts.
"""

from collections.abc import Sequence

from folkmoot.ledger.errors import RefusedRecord
from folkmoot.multiparty.chain.exchange_rules import judges_of
from folkmoot.multiparty.chain.exchanged import ExchangeBlock, read_exchange
from folkmoot.multiparty.chain.exchanging import Exchanging
from folkmoot.multiparty.chain.records import (
    CALIBRATE,
    CHECKPOINT,
    EXCHANGE,
    PREDICT,
    REFUSE,
    REGISTER,
    ROTATE,
    read_head,
)
from folkmoot.multiparty.chain.standing import State

HELD_UP = frozenset([CALIBRATE, CHECKPOINT, PREDICT, REFUSE, REGISTER, ROTATE])  # while an exchange is under way


def is_heard(state: State, block: ExchangeBlock) -> bool:
    """Have more than half of the judges said what they make of the candidates? Else nothing can come of it."""
    return 2 * sum(note.after for note in block.recalls) > len(judges_of(state))


def require_worth(state: State, records: Sequence[bytes], agreed: Exchanging, exchanges: int) -> None:
    """An exchange is within what members have agreed on, and more than half of its judges were heard.

    Args:
        state: before the block.
        records: of the block.
        agreed: on exchanges.
        exchanges: that stand on the chain.

    Raises:
        RefusedRecord: it is not worth a vote.
    """
    if read_head(records[0]).what != EXCHANGE:
        return
    block = read_exchange(records[1:])
    most = {n: agreed.each * len(party.classes) for n, party in enumerate(state.parties)}
    for note in block.shown:
        most[note.sender] -= 1
    if exchanges >= agreed.most or block.gate.each > agreed.each or min(most.values()) < 0:
        raise RefusedRecord("more exchanges, or samples, than the members have agreed on")
    if not is_heard(state, block):
        raise RefusedRecord("an exchange in which half of the judges or more have said nothing")
