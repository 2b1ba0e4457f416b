"""What adversaries are looking for, and how one sees that it is reached.

stop    no block in a round in which most of those drawn are honest, though the network is perfect
split   two honest ones hold different blocks, or a step of the argument for safety does not hold
range   an estimate outside the range of the honest reports (where honest sets decide: see invariants.py)
money   paid more than one's pulls have brought (where rewards are claims: than they could)
trust   more weight gained on an honest one than the distances of their reports explain
lot     the lots of a round depend on what was said before, so that somebody can choose them
pin     an honest one is behind, so many rounds after it was cut off
replay  a block of an earlier game with the same keys is final in this one
frame   an honest one is recorded as a proven liar
hidden  a fault that an honest one has proof of is in no block soon after, or its culprit still counts
memory  more bytes held than an honest game needs and the bounds allow
crash   an exception comes out of an honest machine
"""

from collections import Counter

import numpy as np

from folkmoot.bc_ucb.contract import ONE, rounded
from folkmoot.bc_ucb.invariants import Broken, Watch
from folkmoot.bc_ucb.messages import GAME, ReportSent
from folkmoot.bc_ucb.stages import REPORTING

from .boards import BURN_IN, DELTA
from .programs import FOLLOWS
from .weight import held_bytes

GOALS = ("stop", "split", "range", "money", "trust", "lot", "pin", "replay", "frame", "hidden", "memory", "crash")
MOST_HELD = 1 << 18  # bytes beyond those of an honest game that one liar may make a member of these small games hold
SHOWN = 1  # rounds with honest majorities after which evidence is in a block


class Win(Exception):
    """A goal that was reached."""

    def __init__(self, goal, detail):
        super().__init__(f"{goal}: {detail}")
        self.goal, self.detail = goal, detail


class Judge:
    """Looks at what honest machines do.

    Attributes:
        tried: how often the precondition of a goal was there.
    """

    def __init__(self, arena, goals=GOALS):
        self._arena, draw, self._goals = arena, arena.draw, goals
        good = np.array([m not in draw.liars for m in arena.members])
        self._watch = Watch(arena.opened.first, good)
        old = any(rule.act == "past" or "earlier game" in rule.way for rule in draw.rules)
        self.tried = Counter({"crash": 1, "split": 1, "replay": int(old)})
        self._paid = Counter()
        self._blocks = Counter()  # committed in a round by anybody honest
        self._fair, self._were_fair = False, set()
        self._proven = {}  # the round in which an honest one first had proof against a member
        self._highest = []  # block of the honest, by round

    # --- In a round ----------------------------------------------------------------------------------------------

    def stepped(self, m, effects):
        """An honest one has made a step."""
        arena, round, stage = self._arena, *self._arena.now
        for notice in effects.noticed:
            if notice.evidence and notice.sender >= 0:
                self._proven.setdefault(notice.sender, round)
        try:
            for _, data in effects.send:
                if arena.draw.watched or (stage == REPORTING and GAME.kind_of(data) == GAME.name(ReportSent)):
                    self._watch.sent(m, data)
            for final in effects.committed:
                new = final.chain.height == len(self._watch.chains)
                if final.chain.tip in arena.opened.past_tips:
                    raise Win("replay", f"participant {m} takes block {final.chain.height} of an earlier game")
                before = self._watch.chains[-1].state
                members = len(arena.members) - len(before.excluded)
                if new and 3 * len(final.block.signatures) <= 2 * members:
                    raise Win(
                        "split", f"block {final.chain.height} is final by {len(final.block.signatures)} signatures"
                    )
                self._watch.committed(m, final)
                self._blocks[round] += 1
                if new:
                    self._booked(before, final.chain.state)
        except Broken as error:
            goal = {"range": "range", "evidence": "frame"}.get(str(error).partition(":")[0], "split")
            raise Win(goal, str(error)) from error

    def stage_ends(self, moment):
        """All have acted."""
        arena = self._arena
        if moment.stage == REPORTING:
            drawn = [m for m in arena.members if arena.hosts[m].machine.drawn]
            liars = sum(m in arena.draw.liars for m in drawn)
            self._fair = 2 * liars < len(drawn)
            if self._fair:
                self._were_fair.add(moment.round)
            self._lots(moment.round)
        if arena.draw.floods:
            self.tried["memory"] = 1
            for m in arena.honest:
                held = held_bytes(arena.hosts[m].machine)
                allowed = arena.opened.honest_bytes + MOST_HELD * len(arena.draw.liars)
                if held > allowed:
                    raise Win("memory", f"participant {m} holds {held >> 10} KiB, more than {allowed >> 10} KiB")

    def round_ends(self, round):
        """Who has a block, who is behind?"""
        if round <= BURN_IN:
            return
        draw, heights = self._arena.draw, self.heights()
        self._highest.append(max(heights))
        if self._fair and draw.calm(round, 1):
            self.tried["stop"] = 1
            if self._blocks[round] == 0:
                raise Win("stop", f"no block in round {round - BURN_IN}")
        if draw.calm(round, SHOWN):
            self._show_up(round)
        if len(self._highest) > FOLLOWS and draw.calm(round, FOLLOWS - 1):
            self.tried["pin"] |= draw.away is not None
            if min(heights) < self._highest[-1 - FOLLOWS]:
                raise Win(
                    "pin", f"heights {heights}, {FOLLOWS} rounds ago the highest was {self._highest[-1 - FOLLOWS]}"
                )

    def _show_up(self, round):
        """Who is proven to lie is named in a block, if enough rounds of honest majorities came since."""
        known = dict(self._watch.chains[-1].state.faults)
        for who, since in self._proven.items():
            if self._fair_rounds(since + 1, round) >= SHOWN and self._blocks[round]:
                self.tried["hidden"] = 1
                if who not in known:
                    raise Win("hidden", f"proof against participant {who}, of round {since - BURN_IN}, is in no block")

    def _fair_rounds(self, first, last):
        return sum(round in self._were_fair for round in range(first, last + 1))

    def heights(self):
        """Of the honest."""
        return [self._arena.hosts[m].machine.chain.height for m in self._arena.honest]

    # --- On a block ------------------------------------------------------------------------------------------------

    def _booked(self, before, after):
        arena, record = self._arena, after.last
        self.tried["range"] = self.tried["trust"] = 1
        self._blamed(before, after)
        self._pays(after)
        accounts = after.accounts
        gain = accounts.exponent - before.accounts.exponent
        apart = {
            report.participant: max(
                abs(int(told) - int(agreed)) for told, agreed in zip(report.means, record.estimates)
            )
            for report in record.reports
        }
        refused = {m for m, _ in record.refused}
        least = -arena.opened.terms.span
        free = [m for m in arena.members if int(accounts.exponent[m]) > least]  # not clipped
        for liar in (m for m in arena.draw.liars if m in free):
            for m in (m for m in arena.honest if m in free and m not in refused):
                explained = apart[m] - (apart[liar] if liar not in refused else DELTA)
                if int(gain[liar] - gain[m]) > explained:
                    raise Win("trust", f"liar {liar} gains on participant {m} in the block of round {record.round}")

    def _pays(self, state):
        """Nobody is paid more than its pulls have brought; where rewards are claims, than they can bring."""
        arena, record, signed = self._arena, state.last, bool(state.configuration.environment)
        self.tried["money"] = 1
        for m in arena.members:
            self._paid[m] += int(record.paid[m])
            rounds = range(BURN_IN + 1, record.round + 1)
            most = sum(
                rounded(arena.earned[r, m][1].reward) if signed else ONE for r in rounds if (r, m) in arena.earned
            )
            if self._paid[m] > most or record.paid[m] < 0:
                raise Win("money", f"participant {m} is paid {self._paid[m] / ONE:g} for {most / ONE:g}")

    def _blamed(self, before, after):
        liars, record = self._arena.draw.liars, after.last
        for who, _ in after.faults:
            self.tried["frame"] = 1
            if who not in liars:
                raise Win("frame", f"participant {who} is proven to lie in the block of round {record.round}")
        if after.configuration.evidence == "exclude":
            for who, _ in before.faults:
                if record.holds(who) or who in record.validators:
                    raise Win("hidden", f"participant {who}, who is excluded, counts in round {record.round}")

    def _lots(self, round):
        arena = self._arena
        lots = arena.opened.lots.get(round)
        if lots is None or "lot" not in self._goals:
            return
        self.tried["lot"] = 1
        for m in arena.honest:
            work = arena.hosts[m].machine._work
            if work is not None and work.proof and lots[m] and work.proof != lots[m]:
                raise Win("lot", f"the lot of participant {m} in round {round - BURN_IN} depends on what was said")
