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
from folkmoot.agreement.signed_messages import VALUE
from folkmoot.agreement.signed_messages import Unverified as Chained
from folkmoot.bc_ucb.attacks import ALLIES, EQUIVOCATE, FORGE, HONEST, REPLAY, Misbehaviour, lie
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.messages import GAME, ReportSent, SetsSent
from folkmoot.bc_ucb.participant import Participant, Role
from folkmoot.bc_ucb.records import SETS, Named
from folkmoot.bc_ucb.stages import SCREENING
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
        self._to_self: list[Received] = []

    def overhear(self, messages: Iterable[bytes]) -> None:
        """What honest participants have sent in this stage."""
        self._overheard = {}
        for message in map(self._read, messages):
            if isinstance(message, ReportSent):
                self._overheard[message.sender] = message.means

    def _read(self, data: bytes) -> Any:
        return self.rules.call(GAME.from_bytes, data, self.shape(self.chain.state))

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        told, self._to_self = self._to_self, []
        effects = super().step(moment, [*told, *inbox], outcomes, blocks)
        if moment.stage == SCREENING and self._extra:
            effects.send = [item for item in effects.send if not isinstance(self._read(item[1]), SetsSent)]
        effects.send += self._extra
        self._extra = []
        return effects

    def arm(self, round: int) -> int:
        return self._attack.pull if self._attack.pull >= 0 else super().arm(round)

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
        return np.array(table[self.index])

    def statements(self) -> tuple[bytes, ...]:
        return ()  # it does not tell on its allies

    # --- As a validator --------------------------------------------------------------------------------------------

    def own_value(self, work: Deliberation, named: Named) -> bytes | None:
        kind = self._attack.validator
        if kind == HONEST:
            return super().own_value(work, named)
        if kind == ALLIES:
            members = np.repeat(self._allies[:, None], self.role.params.n_arms, axis=1)
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
        return Hand(self._seed, (SETS, VALUE))

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
