"""Adversaries drawn at random, each from one integer.

Draws are biased: each has a focus, one of the things that the protocol's rules protect, since general programs alone
hardly ever come near some of them.
"""

from dataclasses import replace
from random import Random

from folkmoot.bc_ucb.stages import REPORTING, SCREENING, stages

from .boards import BOARDS, SEARCHED
from .programs import FOLLOWS, Away, Draw, Rule
from .words import OTHERS

SPOKEN = (
    "report",
    "passed",
    "shown",
    "sets",
    "relay",
    "proposal",
    "prevote",
    "precommit",
    "confirmation",
    "certificate",
    "want",
    "blocks",
)
VOTES = ("proposal", "prevote", "precommit", "confirmation", "certificate")
AHEAD = (
    ("prevote", "unsigned, a far height"),
    ("prevote", "a far height"),
    ("precommit", "the next height"),
    ("confirmation", "a far height"),
    ("confirmation", "the next height"),
    ("proposal", "a far height"),
    ("certificate", "a far height"),
    ("report", "a far height"),
)
LARGE = (
    ("junk", "16 KiB of an inner message"),
    ("junk", "16 KiB of an inner message"),
    ("junk", "256 KiB of an inner message"),
    ("junk", "4 MiB"),
    ("answer", "in large"),
    ("offer", "in large"),
    ("proposal", "a large block"),
    ("blocks", "large"),
    ("sets", "a long value"),
    ("passed", "in large"),
    ("passed", "64 KiB"),
    ("report", "tampered"),
)
TOO_LARGE = ("4 MiB", "in large", "large", "a large block")  # a few are enough


class _Dice:
    """What programs are drawn from."""

    def __init__(self, seed, boards):
        self.random, self._boards = Random(seed), boards
        self.chance, self.choice, self.below = self.random.random, self.random.choice, self.random.randrange

    def board(self, wanted=lambda board: True):
        every = self._boards
        self.number = self.choice([n for n in every if wanted(BOARDS[n])] or every)  # a wish with chance in it may fail
        self.of = BOARDS[self.number]
        self.rounds = self.choice((2, 2, 3) if self.of.members == 4 else (1, 2))
        self.members = range(self.of.members)
        self.liars = tuple(sorted(self.random.sample(self.members, self.of.faulty)))
        self.honest = tuple(m for m in self.members if m not in self.liars)
        self.at = stages(self.of.faulty)

    def receivers(self, liar, among=None):
        others = [m for m in (among or self.members) if m != liar]
        size = self.choice(
            (1, len(others) - 1, len(others), len(others), self.of.members // 2, self.below(len(others)))
        )
        return tuple(sorted(self.random.sample(others, max(1, min(size, len(others))))))

    def part(self, of):
        """Some, not all."""
        return tuple(sorted(self.random.sample(of, 1 + self.below(len(of) - 1))))

    def when(self):
        every = tuple(range(1, self.rounds + 1))
        return every if self.chance() < 0.7 else (self.choice(every),)

    def some_stages(self):
        if self.chance() < 0.3:
            return tuple(range(REPORTING, self.at.total))
        return (self.below(REPORTING, self.at.total),)

    def rule(self, liar, kinds=SPOKEN):
        """Any."""
        kind = self.choice(kinds)
        act = self.choice(("withhold", "withhold", "other", "other", "also", "late", "replay", "past", "twice", "say"))
        if act in ("other", "also", "say"):
            return self.made(liar, kind, act)
        amount = 1 + self.below(4) if act == "late" else 1
        return Rule(liar, kind, act, self.receivers(liar), self.when(), amount=amount)

    def made(self, liar, kind, act, way=None, to=None, at=None):
        """One that makes messages."""
        way = way or self.choice(list(OTHERS[kind]))
        at = (at or self.some_stages()) if act == "say" else ()
        return Rule(liar, kind, act, to or self.receivers(liar), self.when(), way, stages=at)


def _general(dice):
    dice.board()
    return [dice.rule(dice.choice(dice.liars)) for _ in range(1 + dice.below(6))]


def _reports(dice):
    dice.board(lambda board: board.members == (7 if dice.chance() < 0.6 else 4))
    if dice.of.members == 7 and dice.chance() < 0.3:
        return _halves(dice) if dice.chance() < 0.6 else _entering(dice)
    rules = []
    for liar in dice.liars:
        if dice.chance() < 0.8:
            every = tuple(range(1, dice.rounds + 1))
            rules.append(Rule(liar, "report", "withhold", dice.part(dice.honest), every))
        if dice.chance() < 0.4:
            rules.append(dice.made(liar, "report", dice.choice(("other", "also"))))
        if dice.chance() < 0.2:
            rules.append(Rule(liar, "report", "late", dice.receivers(liar), dice.when(), amount=1 + dice.below(3)))
        if dice.chance() < 0.4:
            rules.append(dice.rule(liar, ("sets", "relay", "passed", "passed", "shown")))
    return rules


def _halves(dice):
    """Each liar's report goes to so many that most name it, each to others, so that nobody holds all of them."""
    few = dice.of.members // 2 + 1 - len(dice.liars)
    order, rules = dice.random.sample(dice.honest, len(dice.honest)), []
    for number, liar in enumerate(dice.liars):
        told = order[few * number : few * (number + 1)]
        rules.append(Rule(liar, "report", "withhold", tuple(m for m in dice.honest if m not in told), (1, 2)))
        rules.append(Rule(liar, "proposal", "withhold", dice.honest, (1, 2)))
    return rules + [dice.rule(liar, ("passed", "sets", "relay")) for liar in dice.liars if dice.chance() < 0.3]


def _entering(dice):
    """One report for some, which they name, and another one for most, which then enters."""
    first, most, every = dice.liars[0], dice.part(dice.honest), tuple(range(1, dice.rounds + 1))
    way = dice.choice(("the largest", "all 1", "all 0"))
    rules = [Rule(first, "report", "other", most, every, way)]
    for liar in dice.liars:
        rules.append(Rule(liar, "sets", "other", dice.honest, every, "members all, by the liars' other reports"))
    return rules


def _late(dice):
    """A value that is said late, to some."""
    liar = dice.choice(dice.liars)
    told, amount = dice.part(dice.honest), 1 + dice.below(dice.of.faulty)
    every = tuple(range(1, dice.rounds + 1))
    return [Rule(liar, "sets", "late", told, every, amount=amount), Rule(liar, "sets", "withhold", dice.honest, every)]


def _sets(dice):
    dice.board()
    if dice.chance() < 0.15:
        return _late(dice)
    rules = []
    for liar in dice.liars:
        rules += [dice.rule(liar, ("sets", "relay")) for _ in range(1 + dice.below(3))]
        if dice.chance() < 0.5:
            at = (dice.below(SCREENING, dice.at.propose),)
            rules.append(dice.made(liar, "relay", "say", "by an accomplice, at the last moment", at=at))
        if dice.chance() < 0.4:
            rules.append(
                dice.made(liar, "report", "other", dice.choice(("low window", "high window", "all 1", "all 0")))
            )
    return rules


def _faults(dice):
    """Two words for one slot, shown to all or to some."""
    dice.board()
    dice.rounds = 3 if dice.of.members == 4 else 2
    rules = []
    for liar in dice.liars:
        kind = dice.choice(("report", "sets", "prevote", "precommit", "proposal", "confirmation"))
        rules.append(dice.made(liar, kind, dice.choice(("also", "also", "other")))._replace(rounds=(1,)))
        rules += [dice.rule(liar, ("shown", "passed", "sets")) for _ in range(dice.below(2))]
    return rules


def _votes(dice):
    dice.board(lambda board: board.members == (4 if dice.chance() < 0.8 else 7))
    dice.rounds = 4 if dice.of.members == 4 else 2
    return [dice.rule(liar, VOTES) for liar in dice.liars for _ in range(1 + dice.below(4))]


def _behind(dice):
    dice.board(lambda board: board.members == (4 if dice.chance() < 0.8 else 7))
    crash, victim, first = dice.chance() < 0.3, dice.choice(dice.honest), 1 + dice.below(2)
    end = first + 1
    dice.rounds = end - 1 + FOLLOWS + crash
    stage = dice.below(REPORTING, dice.at.total) if crash else REPORTING
    dice.away = Away(victim, first, end, crash, not crash and dice.chance() < 0.3, stage)
    rules, always = [], tuple(range(REPORTING, dice.at.total))
    for liar in dice.liars:
        if dice.chance() < 0.7:
            kind, way = dice.choice(AHEAD)
            at = always if dice.chance() < 0.7 else dice.some_stages()
            rules.append(dice.made(liar, kind, "say", way, (victim,), at)._replace(rounds=tuple(range(1, 9))))
        kinds = ("blocks", "blocks", "confirmation", "certificate", "want")
        rules += [dice.rule(liar, kinds) for _ in range(dice.below(3))]
        if dice.chance() < 0.6:
            rules.append(Rule(liar, "blocks", "withhold", (victim,), tuple(range(1, 9))))
    return rules


def _flood(dice):
    dice.board(lambda board: board.members == 4)
    dice.rounds = 1
    rules = []
    for liar in dice.liars:
        for _ in range(1 + dice.below(2)):
            kind, way = dice.choice(LARGE) if dice.chance() < 0.7 else (dice.choice(SPOKEN), None)
            rule = dice.made(liar, kind, "say", way, dice.receivers(liar, dice.honest))
            amount = 4 if way in TOO_LARGE else dice.choice((12, 40))
            rules.append(rule._replace(amount=amount, stages=(dice.below(REPORTING, dice.at.total),)))
    return rules


def _past(dice):
    dice.board()
    rules = []
    for liar in dice.liars:
        kind, way = dice.choice(
            (("blocks", "of an earlier game"), ("old", "of an earlier game"), ("old", "a round ago"))
        )
        rules.append(dice.made(liar, kind, "say", way))
        rules += [
            Rule(liar, dice.choice(SPOKEN), dice.choice(("past", "replay")), dice.receivers(liar), dice.when())
            for _ in range(dice.below(3))
        ]
    return rules


def _claims(dice):
    dice.board(lambda board: board.members == 4)
    dice.rounds = 4
    ways = [way for way in OTHERS["report"] if way.startswith("claims")]
    rules = []
    for liar in dice.liars:
        every = tuple(m for m in dice.members if m != liar)
        for round in range(1, 5):
            way = dice.choice(("", *ways, "no outcome yet", "no outcome yet"))
            if way:
                rules.append(Rule(liar, "report", "other", every, (round,), way))
    return rules


def _junk(dice):
    dice.board(lambda board: board.members == 4)
    kinds = [*OTHERS, "junk", "junk", "junk"]
    return [dice.made(liar, dice.choice(kinds), "say") for liar in dice.liars for _ in range(2 + dice.below(4))]


FOCI = {
    "general": _general,
    "reports": _reports,
    "sets": _sets,
    "faults": _faults,
    "votes": _votes,
    "behind": _behind,
    "flood": _flood,
    "past": _past,
    "claims": _claims,
    "junk": _junk,
}
_WEIGHTS = {
    "general": 2,
    "reports": 3,
    "sets": 2,
    "faults": 1,
    "votes": 2,
    "behind": 3,
    "flood": 1,
    "past": 1,
    "claims": 1,
    "junk": 1,
}


def draw(seed, boards=SEARCHED):
    """The adversary of this seed, on one of these boards."""
    dice = _Dice(seed, boards)
    dice.away = None
    focus = dice.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    rules = FOCI[focus](dice)
    found = Draw(seed, focus, dice.number, dice.liars, dice.rounds, tuple(rules), dice.away)
    if focus in ("votes", "sets", "general"):
        return _troubled(dice, found)
    return replace(found, liars_first=dice.chance() < 0.3, watched=dice.away is not None and dice.away.crash)


def _troubled(dice, found):
    """Safety is to hold on any network: sometimes messages are lost, or somebody is cut off."""
    votes = found.focus == "votes"
    trouble = dice.choice(("none", "loss", "loss", "away") if votes else ("none", "none", "loss", "away"))
    away, loss = None, 0.0
    if trouble == "loss":
        loss = dice.choice((0.05, 0.15, 0.3))
    elif trouble == "away":
        first = 1 + dice.below(max(1, found.rounds - 1))
        away = Away(dice.choice(dice.honest), first, first + 1, liars_reach_it=dice.chance() < 0.5)
    first = dice.chance() < 0.3
    return replace(found, away=away, loss=loss, liars_first=first, watched=votes or dice.chance() < 0.3)
