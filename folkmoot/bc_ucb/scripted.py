"""Liars that tell some what they do not tell others: the honest code inside, and a script for what leaves.

They show what progress needs (docs/decisions/0025-progress.md). The attacks of a configuration are in attackers.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from folkmoot.agreement.hand import Hand
from folkmoot.agreement.sealing import SealingRole
from folkmoot.bc_ucb.messages import GAME, Answer, Offer, ReportSent, SetsSent
from folkmoot.bc_ucb.participant import Participant, Role
from folkmoot.bc_ucb.protocol import Game, Table
from folkmoot.bc_ucb.records import REPORT, RoundRecord, report_words
from folkmoot.bc_ucb.rules import SharedRounds
from folkmoot.bc_ucb.stages import ANSWERING, REPORTING
from folkmoot.bc_ucb.validators import drawn_by_coins
from folkmoot.machine import NO_FLOOR, Chain, Chance, Effects, Floor, Moment, Outcome, Received

Told = tuple[int, bytes]  # receiver and message
Script = Callable[["Liar", int, list[Told]], list[Told]]  # (who, stage, what an honest one would send) to what it sends


@dataclass(frozen=True)
class LiarRole(Role):
    """Who lies by a script."""

    script: Script = field(kw_only=True)
    liars: tuple[int, ...] = field(kw_only=True)

    def resume(self, kept: Mapping[str, bytes], chain: Chain, chance: Chance, floor: Floor = NO_FLOOR) -> "Liar":
        """As of `Role`.

        Raises:
            Malformed, InvalidBlock: see there.
        """
        return Liar(self, kept, chain, chance, floor)


class Liar(Participant):
    """A liar; `m` participants, of whom those of `liars` are in league."""

    def __init__(self, role: LiarRole, kept: Mapping[str, bytes], stored: Chain, chance: Chance, floor: Floor) -> None:
        super().__init__(role, kept, stored, chance, floor)
        self.script, self.liars = role.script, role.liars
        self.m = role.params.n_agents
        self.waiting: list[Told] = []  # for scripts that send late

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        effects = super().step(moment, inbox, outcomes, blocks)
        told = [
            (to, data) for receiver, data in effects.send for to in (range(self.m) if receiver is None else [receiver])
        ]
        effects.send = list(self.script(self, moment.stage, [item for item in told if item[0] != self.index]))
        return effects

    def others(self) -> list[int]:
        """In an order of the liar's own: each liar begins with another one."""
        return [(self.index + n) % self.m for n in range(1, self.m)]

    def validators(self) -> list[int]:
        """Honest validators of this round, in the liar's order."""
        drawn = range(self.m) if self._work is None or self._work.validators is None else self._work.validators
        honest = [m for m in drawn if m not in self.liars]
        turn = self.liars.index(self.index) * max(1, len(honest) // max(1, len(self.liars))) + self.voter.round
        return [honest[(n + turn) % len(honest)] for n in range(len(honest))]

    def read(self, data: bytes) -> Any:
        """The message with this encoding."""
        return GAME.from_bytes(data, self.shape(self.chain.state))

    def another(self, message: ReportSent) -> bytes:
        """A second report, as well signed as the first."""
        other = message._replace(means=message.means + 1)
        words = report_words(self.chain.state.origin, other.previous, other.round, other.sender, other.report.body)
        free = Hand(self.role.seed, (REPORT,))  # no guard sees what it signs
        return GAME.to_bytes(other._replace(signature=free.sign(REPORT, other.round, words)))


# --- Scripts ---------------------------------------------------------------------------------------------------------


def reports_to(choose: Callable[[Liar], list[int]]) -> Script:
    """The own report goes to these honest ones only (and to the other liars)."""

    def script(liar: Liar, stage: int, told: list[Told]) -> list[Told]:
        if stage != REPORTING:
            return told
        wanted = {*choose(liar), *liar.liars}
        return [(to, data) for to, data in told if to in wanted or not isinstance(liar.read(data), ReportSent)]

    return script


def bare_majority(liar: Liar) -> list[int]:
    """Of all validators, liars among them: so many honest ones that with the liars it is more than half."""
    drawn = liar._work.validators if liar._work is not None and liar._work.validators is not None else range(liar.m)
    allies = sum(m in liar.liars for m in drawn)
    return liar.validators()[: max(0, len(drawn) // 2 + 1 - allies)]


def late(liar: Liar, stage: int, told: list[Told]) -> list[Told]:
    """The report is sent a stage later, to a bare majority: it comes in just before validators name."""
    if stage == REPORTING:
        wanted = {*bare_majority(liar), *liar.liars}
        is_report = [isinstance(liar.read(data), ReportSent) for _, data in told]
        liar.waiting = [item for item, held in zip(told, is_report) if held and item[0] in wanted]
        return [item for item, held in zip(told, is_report) if not held]
    if stage == ANSWERING:
        waiting, liar.waiting = liar.waiting, []
        return [*told, *waiting]
    return told


def halves(liar: Liar, stage: int, told: list[Told]) -> list[Told]:
    """Two reports, each to a half of the honest validators."""
    if stage != REPORTING:
        return told
    order = liar.validators()
    second = set(order[: len(order) // 2])
    return [
        (to, liar.another(said) if to in second and isinstance(said := liar.read(data), ReportSent) else data)
        for to, data in told
    ]


def silent_towards_some(first: int, last: int | None = None) -> Script:
    """From this stage to that one (None: the same) nothing goes to half of the honest, each liar's another half."""

    def script(liar: Liar, stage: int, told: list[Told]) -> list[Told]:
        if not first <= stage <= (first if last is None else last):
            return told
        deaf = set([m for m in liar.others() if m not in liar.liars][: liar.m // 2])
        return [(to, data) for to, data in told if to not in deaf]

    return script


def mute(liar: Liar, stage: int, told: list[Told]) -> list[Told]:
    """Says nothing at all."""
    return []


def without_votes(script: Script) -> Script:
    """The same, and no vote, proposal or block either: what the honest lack, no liar makes for them."""

    def silenced(liar: Liar, stage: int, told: list[Told]) -> list[Told]:
        said = script(liar, stage, told)
        return [item for item in said if isinstance(liar.read(item[1]), ReportSent | Offer | Answer | SetsSent)]

    return silenced


SELECTIVE: dict[str, Script] = {
    "majority": without_votes(reports_to(bare_majority)),
    "one": without_votes(reports_to(lambda liar: liar.validators()[:1])),
    "all but one": without_votes(reports_to(lambda liar: liar.validators()[1:])),
    "none": without_votes(reports_to(lambda liar: [])),
    "late": without_votes(late),
    "halves": without_votes(halves),
    "mute": mute,
}


# --- A game ----------------------------------------------------------------------------------------------------------


class LiarsTable(Table):
    """A game in which the malicious ones follow a script, or one each."""

    def __init__(self, game: Game, script: Script, replicate: int = 0) -> None:
        self._script = script
        super().__init__(game, replicate)

    def _role(self, address: Any, rules: SharedRounds) -> Role | SealingRole:
        honest = replace(self.game, malicious=np.zeros_like(self.game.malicious))
        game, self.game = self.game, honest
        role = super()._role(address, rules)
        self.game = game
        if not game.malicious[address.participant] or not isinstance(role, Role):
            return role
        fields = {name: getattr(role, name) for name in Role.__dataclass_fields__}
        liars = tuple(int(m) for m in np.flatnonzero(game.malicious))
        return LiarRole(**fields, script=self._script, liars=liars)

    def play(self) -> "LiarsTable":
        """All rounds."""
        for t in range(1, int(self.game.checkpoints[-1]) + 1):
            self.play_round(t)
        return self

    def fair_rounds(self) -> set[int]:
        """Rounds after the burn-in in which more than half of the drawn validators are honest."""
        chains, fair = {chain.state.last.round: chain for chain in self.watch.chains[1:]}, set()
        before = self.watch.chains[0]
        for t in range(self.game.params.burn_in + 1, int(self.game.checkpoints[-1]) + 1):
            state = before.state
            drawn = list(drawn_by_coins(state.configuration, state.accounts.units, t))
            if 2 * int(self.game.malicious[drawn].sum()) < len(drawn):
                fair.add(t)
            before = chains.get(t, before)
        return fair

    @property
    def records(self) -> list[RoundRecord]:
        """Of the rounds that have a block."""
        return [chain.state.last for chain in self.watch.chains[1:]]
