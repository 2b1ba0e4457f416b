"""Adversaries as programs: what each liar does with which message, and what goes wrong besides.

The first rule that fits a message decides; without one a liar does what an honest member in its place does.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from folkmoot.bc_ucb.stages import REPORTING

from .boards import BOARDS, BURN_IN

FOLLOWS = 2  # rounds after which who was cut off is to have what the others had when it came back


class Rule(NamedTuple):
    """What a liar does with its messages of a kind, or what it says unasked.

    `act` is "withhold", "other" (another one instead, made in this `way`), "also" (both), "late", "replay" (one of an
    earlier round instead), "past" (one of an earlier game instead), "twice", or "say" (unasked, in these stages).
    """

    liar: int
    kind: str
    act: str
    to: tuple[int, ...]  # receivers
    rounds: tuple[int, ...]  # since the burn-in, from 1
    way: str = ""
    amount: int = 1  # how often it is said, or how many stages late
    stages: tuple[int, ...] = ()

    def __str__(self):
        to = f"to {', '.join(map(str, self.to))} in round {', '.join(map(str, self.rounds))}"
        times = f", {self.amount} times" if self.amount > 1 else ""
        what = {
            "withhold": f"withholds {self.kind}",
            "other": f"instead of {self.kind}: {self.way}",
            "also": f"besides {self.kind}: {self.way}",
            "late": f"{self.kind} {self.amount} stages late",
            "replay": f"instead of {self.kind}: one of an earlier round",
            "past": f"instead of {self.kind}: one of an earlier game",
            "twice": f"{self.kind} twice",
            "say": f"says {self.kind}, {self.way}{times}, in stage {', '.join(map(str, self.stages))}",
        }[self.act]
        return f"liar {self.liar}: {what}; {to}"


class Away(NamedTuple):
    """An honest one that is cut off, or down, for some rounds (since the burn-in), the last one not included."""

    who: int
    first: int
    end: int
    crash: bool = False
    liars_reach_it: bool = False
    stage: int = REPORTING  # in which a crash ends

    def __str__(self):
        how = "is down" if self.crash else "hears liars only" if self.liars_reach_it else "is cut off"
        return f"participant {self.who} {how} in rounds {self.first} to {self.end - 1}"


@dataclass(frozen=True)
class Draw:
    """One adversary; `rounds` are played after the burn-in."""

    seed: int
    focus: str
    board: int
    liars: tuple[int, ...]
    rounds: int
    rules: tuple[Rule, ...]
    away: Away | None = None
    loss: float = 0.0
    liars_first: bool = False
    watched: bool = False

    @property
    def floods(self):
        """May it make others hold much?"""
        return self.focus == "flood" or any(rule.amount > 3 for rule in self.rules)

    def lost(self, sender, to, round):
        """Does the cut swallow a message of this round?"""
        away, offset = self.away, round - BURN_IN
        if away is None or away.crash or not away.first <= offset < away.end or away.who not in (sender, to):
            return False
        return not (away.liars_reach_it and (sender in self.liars or to in self.liars))

    def down(self, member, now):
        """Is it down at this moment?"""
        away = self.away
        if away is None or not away.crash or member != away.who:
            return False
        first, end = (BURN_IN + away.first, REPORTING), (BURN_IN + away.end, away.stage)
        return first <= now < end

    def back(self, member, now):
        """Does it come back at this moment?"""
        away = self.away
        return away is not None and away.crash and (member, *now) == (away.who, BURN_IN + away.end, away.stage)

    def calm(self, round, before):
        """Does nothing go wrong besides, in this round and so many before it?"""
        away, offset = self.away, round - BURN_IN
        return self.loss == 0 and (
            away is None or offset < away.first or offset - before >= away.end + (away.crash and away.stage > REPORTING)
        )

    def __str__(self):
        lines = [f"{BOARDS[self.board]}; liars {', '.join(map(str, self.liars))}; {self.rounds} rounds"]
        lines += [str(self.away)] if self.away else []
        lines += [f"{self.loss:.0%} of messages are lost"] if self.loss else []
        lines += ["what liars send comes in first"] if self.liars_first else []
        return "\n".join([*lines, *map(str, self.rules)])


def minimised(found, wins):
    """With as few rules as still win (`wins` of a draw is a bool), and no trouble that is not needed."""
    for plain in (replace(found, loss=0.0), replace(found, away=None), replace(found, liars_first=False)):
        simpler = replace(
            found,
            loss=min(found.loss, plain.loss),
            away=found.away and plain.away,
            liars_first=found.liars_first and plain.liars_first,
        )
        if simpler != found and wins(simpler):
            found = simpler
    again = True
    while again:
        again = False
        for number in reversed(range(len(found.rules))):
            simpler = replace(found, rules=found.rules[:number] + found.rules[number + 1 :])
            if wins(simpler):
                found, again = simpler, True
        for number, rule in enumerate(found.rules):
            for smaller in _smaller(rule):
                rules = (*found.rules[:number], smaller, *found.rules[number + 1 :])
                simpler = replace(found, rules=rules)
                if wins(simpler):
                    found, again = simpler, True
                    break
    return found


def _smaller(rule):
    """The same rule for less."""
    if len(rule.rounds) > 1:
        yield from (rule._replace(rounds=(round,)) for round in rule.rounds)
    if len(rule.to) > 1:
        yield from (rule._replace(to=tuple(m for m in rule.to if m != one)) for one in rule.to)
    if len(rule.stages) > 1:
        yield from (rule._replace(stages=(stage,)) for stage in rule.stages)
