"""What a member knows of the next block: what has come in, what it has said itself, how far the chain is."""

from collections.abc import Mapping
from typing import Any

from folkmoot.agreement.catching_up import Others
from folkmoot.agreement.finality import Finality
from folkmoot.agreement.hand import Hand
from folkmoot.agreement.kinds import Kind
from folkmoot.agreement.links import Links
from folkmoot.agreement.messages import Certificate, Confirmation, Proposal, verify_by
from folkmoot.agreement.shared import Call, by_first, directly
from folkmoot.agreement.states import Step
from folkmoot.encoding import Malformed
from folkmoot.ledger.block import Block, Header
from folkmoot.ledger.chain import Chain
from folkmoot.machine import Chain as Stored

LOCK = "lock"  # the key under which a lock is kept


class Known:
    """What a member knows of the block that is sought.

    Attributes:
        index: the member's number.
        hand: its keys.
        kind: what the chain's kind says.
        chain: as it stands.
        keys: of the members.
        round: it is in.
        proposals: hash by sender, of this round.
        states: after each block that was seen in this round and would follow, by its hash.
        links: do messages get lost?
        far: blocks behind at which a state is taken instead of all blocks; None: never. Only of kinds with states.
    """

    def __init__(self, index: int, hand: Hand, kind: Kind, chain: Chain, stored: Stored, call: Call = directly) -> None:
        """`stored`: where the blocks of the chain are read."""
        self.index, self.hand, self.kind, self.chain = index, hand, kind, chain
        self.round = -1
        self.proposals: dict[int, bytes] = {}
        self.states: dict[bytes, Any] = {}
        self.far: int | None = None
        self.links = Links(len(kind.keys(chain.state)))
        self._stored, self._call = stored, call
        self._shown: dict[int, Proposal] = {}  # the proposal of each in this round
        self._sent: set[str] = set()  # what was done in this round already
        self._caught: set[tuple[str, int]] = set()  # whose second word was noticed in this round
        self._bodies: dict[bytes, bytes] = {}  # unsigned blocks that would follow, by hash
        self._blocks: dict[bytes, Block] = {}  # those that came in this round, as they were read
        self._headers: dict[bytes, Header] = {}  # of blocks of this height that would follow, by hash
        self._asked: dict[int, int] = {}  # the last round in which blocks were sent to a member
        self._pushed: dict[int, int] = {}  # the height of the block it was then sent without having asked; 0: it asked
        self._others = Others(index)
        self._last: Step | None = None
        self._repeats: list[Confirmation | None] = []  # what is still to be said again, the last first
        self._finality = self._next_height(None)

    def resume(self, kept: Mapping[str, bytes]) -> None:
        """Go on with the lock that was kept, if there is one.

        Raises:
            Malformed: bytes that are no certificate for the next block.
        """
        if LOCK in kept:
            lock = self.kind.forms.from_bytes(kept[LOCK], self.kind.shape(self.chain.state))
            if not isinstance(lock, Certificate) or lock.height != self.height:
                raise Malformed(f"lock: expected a certificate for height {self.height}")
            self._finality = self._next_height(lock)

    @property
    def best(self) -> Certificate | None:
        """The certificate of the highest round known for the next block."""
        return self._finality.best

    @property
    def height(self) -> int:
        """Of the block that is sought."""
        return self._finality.height

    def enter(self, round: int) -> None:
        """Begin a round: votes and proposals of the last one are forgotten, what is certified stays."""
        self.round, self._sent, self._caught = round, set(), set()
        self.proposals, self._shown, self.states = {}, {}, {}
        best = self._finality.best
        self._bodies, self._blocks = {} if best is None else {best.hash: best.block}, {}
        self._finality.enter(round)
        self._others.enter()

    def _next_height(self, best: Certificate | None) -> Finality:
        state = self.chain.state
        self._origin, self.keys = self.kind.origin(self.chain), self.kind.keys(state)
        self._verifying = by_first(self._call, verify_by, tuple(self.keys), self._origin, self._call)
        finality = Finality(self.chain.height + 1, self.kind.quorum(state), best)
        finality.enter(self.round)
        self._bodies, self._blocks = {} if best is None else {best.hash: best.block}, {}
        return finality
