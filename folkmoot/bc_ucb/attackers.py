"""Attacks done for real: malicious participants are nodes whose answers are changed, with keys of their own only.

Each has the honest code inside, which it overrules where its attack says so. It acts after the honest ones of a
stage and reads what they have just sent (a *rushing* adversary). See attacks.py for the list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement.hand import Hand
from folkmoot.agreement.shared import by_first
from folkmoot.agreement.signed_messages import VALUE, Chained
from folkmoot.bc_ucb.contract import on_grid
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.lies import (
    ALLIES,
    EQUIVOCATE,
    EVERYBODY,
    FIRST,
    FORGE,
    HONEST,
    NOT_HELD,
    REPLAY,
    SENT_LATE,
    TO_ALL,
    Misbehaviour,
    claimed,
    lie,
    proposes,
    second_report,
    which_report,
)
from folkmoot.bc_ucb.messages import GAME, Passed, ReportSent, SetsSent
from folkmoot.bc_ucb.participant import Participant, Role
from folkmoot.bc_ucb.records import NO_REWARD, REPORT, SETS, Claim, Named, report_words
from folkmoot.bc_ucb.stages import REPORTING, SCREENING
from folkmoot.machine import NO_FLOOR, Chain, Chance, Effects, Floor, Moment, Outcome, Received

CLAIMED = 1 << 62  # pulls that pass every comparison


@dataclass(frozen=True)
class AttackerRole(Role):
    """Who an attacker is: a participant that lies.

    Attributes:
        attack: what it does.
        allies: bool [participants], with whom.
    """

    attack: Misbehaviour = field(kw_only=True)
    allies: NDArray[np.bool_] = field(kw_only=True)

    def resume(self, kept: Mapping[str, bytes], chain: Chain, chance: Chance, floor: Floor = NO_FLOOR) -> "Attacker":
        """As of `Role`.

        Raises:
            Malformed, InvalidBlock: see there.
        """
        return Attacker(self, kept, chain, chance, floor)


class Attacker(Participant):
    """A malicious participant."""

    def __init__(
        self, role: AttackerRole, kept: Mapping[str, bytes], stored: Chain, chance: Chance, floor: Floor
    ) -> None:
        super().__init__(role, kept, stored, chance, floor)
        self._attack, self._allies, self._seed = role.attack, role.allies, role.seed
        self._overheard: dict[int, NDArray[np.int64]] = {}
        self._sent_before: bytes | None = None
        self._extra: list[tuple[int | None, bytes]] = []
        self._late: list[tuple[int | None, bytes]] = []
        self._reported = b""
        self._to_self: list[Received] = []

    def overhear(self, messages: Iterable[bytes]) -> None:
        """What honest participants have sent in this stage."""
        self._overheard = {}
        for message in map(self._read, messages):
            if isinstance(message, ReportSent):
                self._overheard[message.sender] = message.means

    def _read(self, data: bytes) -> Any:
        reading = by_first(self.rules.call, GAME.from_bytes, self.shape(self.chain.state))
        return reading.known.get(data) or reading.learn(data)

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        told, self._to_self = self._to_self, []
        if self._attack.deliver != TO_ALL:  # it knows what it wants to name
            inbox = [message for message in inbox if self.kind_of(message.data) != "passed"]
        effects = super().step(moment, [*told, *inbox], outcomes, blocks)
        if moment.stage == SCREENING and self._extra:
            effects.send = [item for item in effects.send if not isinstance(self._read(item[1]), SetsSent)]
        effects.send = self._apart(moment.stage, effects.send) + self._extra
        self._extra = []
        return effects

    def _apart(self, stage: int, sent: list[tuple[int | None, bytes]]) -> list[tuple[int | None, bytes]]:
        """What is sent by one that chooses who gets its reports."""
        if self._attack.deliver == TO_ALL:
            return sent
        reports = [(data, self._read(data)) for _, data in sent]
        mine = [data for data, message in reports if isinstance(message, ReportSent) and message.sender == self.index]
        told: list[tuple[int | None, bytes]]
        if stage == REPORTING and mine:
            self._reported = mine[0]
            honest_ones = [n for n, lies in enumerate(self._allies) if not lies]
            told = [(n, data) for n in range(len(self._allies)) if n != self.index and (data := self._for(n))]
            if self._attack.deliver == SENT_LATE:
                self._late = [(n, mine[0]) for n in honest_ones]
        else:
            told, self._late = (self._late, []) if stage == SCREENING else ([], self._late)
        hidden = [data for data, message in reports if isinstance(message, ReportSent | Passed)]
        return [item for item in sent if item[1] not in hidden] + told

    def _for(self, receiver: int) -> bytes | None:
        """The own report as this one gets it in the stage of reports."""
        assert self._work is not None
        validators = np.array(self._work.members(), np.int64)
        which = which_report(self._attack, self._allies, validators, len(validators), self.index, receiver)
        first: ReportSent = self._read(self._reported)
        if which in (NOT_HELD, FIRST):
            return self._reported if which == FIRST else None
        table = np.zeros((len(self._allies), len(first.means)), np.int64)
        other = table.copy()
        table[self.index] = first.means
        second_report(self._attack, self.index, table, other)
        return self._signed_anew(first._replace(means=other[self.index]))

    def _signed_anew(self, report: ReportSent) -> bytes:
        """A report of the own with a signature that fits."""
        assert self._work is not None
        words = report_words(self._work.origin, report.previous, report.round, report.sender, report.report.body)
        return GAME.to_bytes(report._replace(signature=self._freely().sign(REPORT, report.round, words)))

    def _propose_own(self, work: Deliberation, effects: Effects) -> None:
        if proposes(self._attack):
            super()._propose_own(work, effects)

    def _second(self, effects: Effects) -> None:
        if proposes(self._attack):
            super()._second(effects)

    def arm(self, round: int) -> int:
        return self._attack.pull if self._attack.pull >= 0 else super().arm(round)

    def own_outcome(self, round: int) -> Claim:
        true = super().own_outcome(round)
        return true if true.reward == NO_REWARD else true._replace(reward=claimed(self._attack, True, true.reward))

    def told_counts(self) -> list[int]:
        return [CLAIMED] * self.role.params.n_arms if self._attack.inflated else super().told_counts()

    def own_means(self) -> NDArray[np.int64]:
        own = super().own_means()
        if self._attack.report == HONEST:
            return own
        params = self.role.params
        table = np.zeros((params.n_agents, params.n_arms), np.int64)
        truth = table.copy()
        truth[self.index] = own
        for sender, means in self._overheard.items():
            table[sender] = means
        round, coins = self.voter.round, self.role.coins
        lie(self._attack, self.index, round, truth, table, self._allies, params.faulty, coins)
        resolution = self.chain.state.configuration.terms.resolution
        return np.array([on_grid(int(mean), resolution) for mean in table[self.index]], np.int64)

    def statements(self) -> tuple[bytes, ...]:
        return ()  # it does not tell on its allies

    # --- As a validator --------------------------------------------------------------------------------------------

    def own_value(self, work: Deliberation, named: Named) -> bytes | None:
        kind = self._attack.validator
        if kind == HONEST:
            return super().own_value(work, named)
        if kind in (ALLIES, EVERYBODY):
            members = np.repeat(self._allies[:, None] | (kind == EVERYBODY), self.role.params.n_arms, axis=1)
            return self._signed_freely(work, named._replace(members=members)).to_bytes()
        if kind == EQUIVOCATE:
            self._tell_two(work, named)
            return self._signed_freely(work, named).to_bytes()
        if kind == FORGE:
            self._forge(work, named)
        elif kind == REPLAY:
            self._replay(work, named)
        return None  # also of one that withholds

    def _freely(self) -> Hand:
        """The own keys without a guard: a hand that remembers nothing."""
        return Hand(self._seed, (REPORT, SETS, VALUE))

    def _signed_freely(self, work: Deliberation, named: Named) -> Named:
        return work.signed(named, self._freely())

    def _sets_message(self, work: Deliberation, value: bytes) -> bytes:
        """The message with which an honest validator would broadcast this value."""
        ((_, content),) = work.agreement(value, self._freely()).step(0, [])
        return content

    def _tell_two(self, work: Deliberation, named: Named) -> None:
        """Two signed sets, each to a half of the validators; where halves do not come out even, one gets both.

        The honest code inside hears of both as well, so it does not stand for either.
        """
        second = self._signed_freely(work, named._replace(members=~named.members))
        one, other = (self._sets_message(work, n.to_bytes()) for n in (self._signed_freely(work, named), second))
        others = [m for m in work.members() if m != self.index]
        half = (len(others) + 1) // 2
        self._extra += [(m, self._wrapped(one)) for m in others[:half]]
        self._extra += [(m, self._wrapped(other)) for m in others[len(others) - half :]]
        self._to_self.append(Received(self.index, self._wrapped(other)))

    def _forge(self, work: Deliberation, named: Named) -> None:
        """A set in the name of an honest validator, signed with the own key."""
        victims = [m for m in work.members() if not self._allies[m]]
        if victims:
            mine = Chained.decode(self._sets_message(work, named.to_bytes()))
            place = work.members().index(victims[0])
            forged = mine._replace(general=place, signers=(place,))
            self._extra.append((None, self._wrapped(forged.encode())))

    def _replay(self, work: Deliberation, named: Named) -> None:
        """The message of the last time it was a validator."""
        if self._sent_before is not None:
            self._extra.append((None, self._wrapped(self._sent_before)))
        self._sent_before = self._sets_message(work, named.to_bytes())

    def _wrapped(self, content: bytes) -> bytes:
        return GAME.to_bytes(SetsSent(self.voter.round, content))
