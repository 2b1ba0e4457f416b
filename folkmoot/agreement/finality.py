"""Which block becomes the next one: prevotes, precommits and confirmations of all members.

After Tendermint (Buchman, Kwon, Milosevic 2018). In every round each member prevotes once; a quorum
of prevotes of one round for one block is a certificate. Whoever sees one in its own round keeps it durably (its *lock*)
and precommits. Everybody prevotes for the block of the highest certificate it knows, and for a new candidate only if
it knows none. A quorum of precommits of ONE round decides; then the header is signed, and a quorum of these
confirmations is what the chain keeps.

Confirmations are apart from precommits because signatures on a header name no round: added up over several rounds,
precommits for two blocks could each reach a quorum. A decision is for ever, so confirmations may be added up.

With less than a third of the members faulty, two quorums share an honest one. If a quorum precommits B in round
r, every later certificate is for B: the first one for another block would need a prevote of somebody honest that was
locked on B in round r, knew a certificate of round r or later, hence one for B. This holds whatever the network does.
Once everybody hears everybody, the highest certificate of the honest is known to all of them before they prevote.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from folkmoot.agreement.messages import PRECOMMIT, PREVOTE, Certificate, Confirmation, Verified, Vote

_CONFIRMATION = "confirmation"
Ballot: TypeAlias = Vote | Confirmation


class Finality:
    """What one member knows of the votes for one height.

    Attributes:
        height: of the block that is sought.
        best: the certificate of the highest round known; None if there is none.
    """

    __slots__ = (
        "_confirmations", "_found", "_number", "_precommits", "_prevotes", "_round", "best", "height", "quorum",
    )  # fmt: skip

    def __init__(self, height: int, quorum: int, best: Certificate | None = None) -> None:
        self.height, self.quorum = height, quorum
        self.best = best
        self._round = -1
        self._prevotes: dict[int, Vote] = {}
        self._precommits: dict[int, Vote] = {}
        self._confirmations: dict[int, Confirmation] = {}
        self._number: dict[tuple[str, bytes], int] = {}  # of votes by phase and hash
        self._found: dict[str, bytes] = {}  # by phase the hash that a quorum stands for

    def enter(self, round: int) -> None:
        """Votes of earlier rounds are forgotten: they never count together with those of this one."""
        self._round = round
        self._prevotes, self._precommits = {}, {}
        self._number = {about: number for about, number in self._number.items() if about[0] == _CONFIRMATION}
        self._found.pop(PREVOTE, None)
        self._found.pop(PRECOMMIT, None)

    def choice(self, candidate: bytes | None) -> bytes | None:
        """The hash to prevote for, given the round's new candidate; None: nothing."""
        return candidate if self.best is None else self.best.hash

    def learn(self, verified: Verified[Certificate]) -> bool:
        """Take in a certificate for this height; does it change what is prevoted?"""
        certificate = verified.message
        if certificate.height != self.height or certificate.round > self._round:
            return False
        if self.best is not None and certificate.round <= self.best.round:
            return False
        self.best = certificate
        return True

    def vote_of(self, phase: str, sender: int) -> Vote | None:
        """The vote of this phase that was counted in this round."""
        return (self._prevotes if phase == PREVOTE else self._precommits).get(sender)

    def votes(self, phase: str) -> Mapping[int, Vote]:
        """Those of this phase that were counted in this round, by sender."""
        return self._prevotes if phase == PREVOTE else self._precommits

    def confirmation_of(self, sender: int) -> Confirmation | None:
        """The confirmation that was counted."""
        return self._confirmations.get(sender)

    def vote(self, vote: Verified[Vote]) -> None:
        """Count a prevote or precommit, the first of its sender in the round."""
        message = vote.message
        phase = message.phase
        if message.round == self._round:
            self._count(self._prevotes if phase == PREVOTE else self._precommits, phase, message)

    def confirm(self, confirmation: Verified[Confirmation]) -> None:
        """Count a confirmation; honest members confirm one block of a height only."""
        self._count(self._confirmations, _CONFIRMATION, confirmation.message)

    def _count(self, counted: dict[int, Any], phase: str, ballot: Ballot) -> None:
        sender, about = ballot.sender, (phase, ballot.hash)
        if sender not in counted:
            counted[sender] = ballot
            number = self._number[about] = self._number.get(about, 0) + 1
            if number == self.quorum:
                self._found.setdefault(*about)

    def certified(self, blocks: Mapping[bytes, bytes]) -> Certificate | None:
        """The certificate of this round, if there are the votes and the block is among `blocks` (bytes by hash)."""
        found = self._agreed(PREVOTE)
        if found is None or found not in blocks:
            return None
        voters = tuple(sorted(v for v, vote in self._prevotes.items() if vote.hash == found))
        signatures = tuple(self._prevotes[v].signature for v in voters)
        return Certificate(self.height, self._round, found, voters, signatures, blocks[found])

    def decided(self) -> bytes | None:
        """The hash that a quorum precommitted in this round."""
        return self._agreed(PRECOMMIT)

    def confirmed(self) -> tuple[bytes, dict[int, bytes]] | None:
        """The hash that a quorum confirmed, and the signatures by their signers."""
        found = self._agreed(_CONFIRMATION)
        if found is None:
            return None
        return found, {v: vote.signature for v, vote in self._confirmations.items() if vote.hash == found}

    def confirmed_beside(self, hash: bytes) -> bool:
        """Has anybody confirmed another block than this one?"""
        return any(phase == _CONFIRMATION and other != hash for phase, other in self._number)

    def _agreed(self, phase: str) -> bytes | None:
        return self._found.get(phase)
