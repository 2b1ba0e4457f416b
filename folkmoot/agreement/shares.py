"""How much of what is said about the next block a driver lets through, of one sender in one stage.

An honest member says each thing once a round, and asks for blocks and gives them once a stage. Twice as much may come
in one stage, since what is late comes with what is not; and of two values for one slot the second proves a fault.
"""

from collections.abc import Callable, Iterable

from folkmoot.agreement.catching_up import ANSWER_BYTES, MOST_BLOCKS
from folkmoot.agreement.forms import HEAD, START, Forms
from folkmoot.agreement.messages import PHASES, Ballots, Blocks, Certificate, Confirmation, Proposal, Vote, Want
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import Malformed
from folkmoot.machine import Share, Stage
from folkmoot.signatures import KEY_BYTES, SIGNATURE_BYTES

TWICE = 2


def signed_bytes(unsigned: int, members: int) -> int:
    """Bytes of a block at most, once so many members have signed it."""
    return unsigned + members * (HEAD + HEAD + KEY_BYTES + HEAD + SIGNATURE_BYTES)


def shares(forms: Forms, members: int, block: int) -> dict[str, Share]:
    """Of each kind of message about the next block.

    Args:
        forms: of the system's messages.
        members: how many vote.
        block: bytes of a block without signatures, at most.
    """
    one = HEAD + signed_bytes(block, members)
    sizes = {
        "block": block,
        "voters": members * (HEAD + 2),
        "signatures": members * (HEAD + SIGNATURE_BYTES),
        "blocks": min(MOST_BLOCKS * one, max(ANSWER_BYTES, one)),
    }
    numbers = {
        Proposal: TWICE,
        Vote: TWICE * len(PHASES),
        Confirmation: TWICE * TWICE,  # it is said again
        Certificate: TWICE,
        Ballots: TWICE * (len(PHASES) + 1),  # proposals, too
        Want: TWICE,
        Blocks: TWICE,
    }
    return {forms.name(kind): Share(number, forms.largest(kind, sizes)) for kind, number in numbers.items()}


class Largest:
    """How large a message of each kind can be in any stage: what is larger is refused before it is decoded.

    Attributes:
        known: bytes of the largest message by how it begins, of kinds that have come.
    """

    def __init__(self, stages: Iterable[Stage], kind_of: Callable[[bytes], str]) -> None:
        self._kind_of = kind_of
        self._sizes = {kind: share.size for stage in stages for kind, share in (stage.shares or {}).items()}
        self.known: dict[bytes, int] = {}

    def require(self, data: bytes) -> None:
        """Nothing, if these bytes may be a message of the kind they begin like.

        Raises:
            Malformed: they are of no kind.
            Rejected: they are larger than that, or nothing of this kind is sent.
        """
        if type(data) is bytes and len(data) <= self.known.get(data[:START], -1):
            return
        kind = self._kind_of(data)
        most = self._sizes.get(kind)
        if most is not None and len(data) <= most:
            self.known[data[:START]] = most
            return
        if kind == "":
            raise Malformed("message of no known kind")
        raise Rejected("kind out of place" if most is None else "too large")
