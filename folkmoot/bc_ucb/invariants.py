"""What must hold in every run, whatever the network and a third of the participants do; checked after every event."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement.kinds import Final
from folkmoot.agreement.messages import (
    PRECOMMIT,
    PREVOTE,
    Confirmation,
    Proposal,
    Vote,
)
from folkmoot.agreement.shared import Call, by_first, directly
from folkmoot.agreement.signed_messages import Chained
from folkmoot.bc_ucb.contract import MAJORITY
from folkmoot.bc_ucb.messages import GAME, ReportSent, SetsSent
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.bc_ucb.state import State
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain


class Broken(AssertionError):
    """An invariant that does not hold; one line that says which, and where."""


class Votes:
    """The three steps of the argument in finality.py, checked on what honest participants sign.

    Of a quorum, all but the malicious are honest: so many must have signed before the next step is taken.
    """

    def __init__(self, least: Callable[[int], int]) -> None:
        """`least`: how many honest ones are in every quorum, by the height of the block that is sought."""
        self._least = least
        self._signed: dict[tuple[str, int, int, bytes], set[int]] = {}  # phase, height, round, hash: by whom
        self._locks: dict[int, Vote] = {}  # the last precommit of each

    def cast(self, vote: Vote) -> None:
        """An honest participant votes.

        Raises:
            Broken: against its lock, or a precommit without a quorum of prevotes.
        """
        if vote.phase == PREVOTE:
            lock = self._locks.get(vote.sender)
            if lock is not None and lock.height == vote.height and lock.hash != vote.hash:
                later = range(lock.round + 1, vote.round)
                if not any(self._enough(PREVOTE, vote.height, round, vote.hash) for round in later):
                    raise Broken(f"lock: participant {vote.sender} leaves that of round {lock.round} in {vote.round}")
        elif not self._enough(PREVOTE, vote.height, vote.round, vote.hash):
            raise Broken(f"precommit: participant {vote.sender}, round {vote.round}: no quorum has prevoted")
        else:
            self._locks[vote.sender] = vote
        self._signed.setdefault((vote.phase, vote.height, vote.round, vote.hash), set()).add(vote.sender)

    def confirm(self, confirmation: Confirmation) -> None:
        """An honest participant confirms a block.

        Raises:
            Broken: it confirms what no quorum has precommitted in any one round.
        """
        height, hash = confirmation.height, confirmation.hash
        rounds = [key[2] for key in self._signed if key[0] == PRECOMMIT and key[1] == height and key[3] == hash]
        if not any(self._enough(PRECOMMIT, height, round, hash) for round in rounds):
            raise Broken(f"confirmation: participant {confirmation.sender}, height {height}: nothing was decided")

    def _enough(self, phase: str, height: int, round: int, hash: bytes) -> bool:
        return len(self._signed.get((phase, height, round, hash), ())) >= self._least(height)


class Watch:
    """Follows what honest participants send and commit, and raises `Broken` at once.

    Attributes:
        chains: the chain after each height, as the first honest participant committed it.
    """

    def __init__(self, first: Chain, honest: NDArray[np.bool_], trimming: bool = True, call: Call = directly) -> None:
        """`honest`: bool [participants]. `call`: see agreement/shared.py; participants read the same messages."""
        self.chains = [first]
        self._honest, self._trimming, self._call = honest, trimming, call
        self._votes = Votes(self._honest_in_quorum)
        self._confirmed: dict[int, bytes] = {}
        self._said: dict[tuple[int, str, int], bytes] = {}
        self._reported: dict[tuple[int, bytes], list[NDArray[np.int64]]] = {}  # round, block before: honest means

    def committed(self, participant: int, final: Final) -> None:
        """An honest participant has committed a block.

        Raises:
            Broken: another honest one has committed another block at this height, too few have signed it, or an
                estimate is out of range.
        """
        block, chain = final
        members = len(self._honest) - len(self._before(chain.height).excluded)
        if 3 * len(block.signatures) <= 2 * members:
            raise Broken(f"quorum: {len(block.signatures)} of {members} signed block {chain.height}")
        for who, _ in chain.state.faults:
            if self._honest[who]:
                raise Broken(f"evidence: honest participant {who} is convicted in block {chain.height}")
        if chain.height < len(self.chains):
            if self.chains[chain.height].tip != chain.tip:
                raise Broken(f"agreement: participant {participant} has another block at height {chain.height}")
            return
        if chain.height > len(self.chains):
            raise Broken(f"order: participant {participant} skipped to height {chain.height}")
        self.chains.append(chain)
        self._check_estimates(chain, block)
        self._reported = {key: told for key, told in self._reported.items() if key[0] > chain.state.last.round}

    def _before(self, height: int) -> State:
        """The state before the block of this height; of one beyond the chains seen, the last."""
        state: State = self.chains[min(height, len(self.chains)) - 1].state
        return state

    def _honest_in_quorum(self, height: int) -> int:
        state = self._before(height)
        liars = [m for m in np.flatnonzero(~self._honest) if m not in state.excluded]
        return 2 * (len(self._honest) - len(state.excluded)) // 3 + 1 - len(liars)

    def sent(self, participant: int, data: bytes) -> None:
        """An honest participant has sent this; reports must be told, the rest may.

        Raises:
            Broken: it has signed something else for the same purpose in the same round, it confirms another block
                than another honest one, or see `Votes`.
        """
        reading = by_first(self._call, GAME.from_bytes, self.chains[0].state.members.shape)
        message = reading.known.get(data) or reading.learn(data)
        if isinstance(message, ReportSent):
            self._reported.setdefault((message.round, message.previous), []).append(message.means)
        if isinstance(message, ReportSent | Proposal):
            self._once(participant, type(message).__name__, message.round, message.signature)
        elif isinstance(message, Vote):
            self._once(participant, message.phase, message.round, message.signature)
            self._votes.cast(message)
        elif isinstance(message, SetsSent):
            inner = Chained.decode(message.content)
            if len(inner.signers) == 1:  # said, not relayed
                self._once(participant, "sets", message.round, inner.value)
        elif isinstance(message, Confirmation):
            if self._confirmed.setdefault(message.height, message.hash) != message.hash:
                raise Broken(f"decision: participant {participant} confirms a second block of height {message.height}")
            self._votes.confirm(message)

    def _once(self, participant: int, purpose: str, slot: int, told: bytes) -> None:
        if self._said.setdefault((participant, purpose, slot), told) != told:
            raise Broken(f"equivocation: participant {participant} signed two values as {purpose} of {slot}")

    def _check_estimates(self, chain: Chain, block: Block) -> None:
        """An estimate lies in the range of the honest reports where liars do not decide who is in a set.

        An honest validator drops the `faulty` largest and smallest of those it heard, of whom at most so many are
        malicious, so whoever is left lies between two honest ones, which need not be in the block: others may not have
        heard them. Whom more than half of the sets name, an honest one names if at most half of the sets lie; with
        unions, none may.
        """
        record: RoundRecord = chain.state.last
        liars = sum(not self._honest[v] for v, _ in record.sets)
        terms = chain.state.configuration.terms
        stood = len(record.sets) // 2 if terms.combination == MAJORITY else 0
        if not self._trimming or np.count_nonzero(~self._honest) > terms.faulty or liars > stood:
            return
        means = np.array(self._reported.get((record.round, block.header.previous), []))
        if (
            len(means) == 0
            or (record.estimates < means.min(axis=0)).any()
            or (record.estimates > means.max(axis=0)).any()
        ):
            raise Broken(f"range: the estimates of block {chain.height} are not among the honest reports")
