"""A game among honest machines and liars that play a program: the driver, in the fewest lines, and the judge beside it.

The honest are the machines of contract 2 behind the bounds of their driver (`folkmoot.simulation.host`). Liars step
after them and have read what these have just sent. Between the honest the network is perfect, unless the draw says
that somebody is cut off for a round, crashes, or that messages are lost.
"""

from collections import defaultdict
from functools import cache
from random import Random

from folkmoot.bc_ucb.stages import PULLING, REPORTING, stages
from folkmoot.ledger.block import Block
from folkmoot.machine import ALL, Moment, Received
from folkmoot.simulation.host import Host

from .boards import BOARDS, BURN_IN, MOST_ROUNDS, Opened
from .coalition import Coalition
from .goals import GOALS, Judge, Win
from .programs import Draw
from .weight import held_bytes


class Arena:
    """One play.

    Attributes:
        opened: the board.
        draw: who lies, what goes wrong, how long it takes.
        hosts: of each participant.
        now: round and stage.
        earned: arm and outcome, by round and participant.
        said: (sender, receiver, message) of the honest in this stage.
        judge: looks for goals.
    """

    def __init__(self, opened, draw, goals=GOALS):
        self.opened, self.draw = opened, draw
        self.members = range(opened.board.members)
        self.honest = [m for m in self.members if m not in draw.liars]
        roles = opened.fresh_roles()
        self.hosts = [Host(role, chance=_no_secret, sorts=False) for role in roles]
        self.now = Moment(0, 0)
        self.said, self.earned = [], {}
        self._stages = stages(opened.terms.faulty).total - REPORTING
        self._under_way = defaultdict(lambda: [[] for _ in self.members])
        self._outcomes = [[] for _ in self.members]
        self._dice = Random(draw.seed)
        self.coalition = Coalition(self, draw.rules)
        self.judge = Judge(self, goals)
        self.heard = None  # called after each stage

    def play(self):
        """The goal that was reached, or None."""
        try:
            for round in range(1, BURN_IN + self.draw.rounds + 1):
                self._round(round)
                self.judge.round_ends(round)
        except Win as win:
            return win
        return None

    def _round(self, round):
        self.now, arms = Moment(round, PULLING), []
        time = round * self._stages  # a pull takes none
        for m in self.members:
            effects = None if self._is_down(m) else self._step(m, [])
            arms.append(None if effects is None else effects.pull)
            for receiver, data in [] if effects is None else effects.send:
                for to in self._others(m) if receiver is ALL else (receiver,):
                    self._send(time + 1, m, to, data)
        for m, outcome in enumerate(self.opened.outcomes(round, arms)):
            if outcome is not None:
                self._outcomes[m].append(outcome)
                self.earned[round, m] = arms[m], outcome
        if round <= BURN_IN:
            return
        for stage in range(REPORTING, REPORTING + self._stages):
            self._stage(Moment(round, stage))

    def _stage(self, moment):
        self.now, self.said = moment, []
        time = moment.round * self._stages + moment.stage - REPORTING
        arrived = self._under_way.pop(time, None) or [[] for _ in self.members]
        for m in self.honest:
            if self._is_down(m):
                continue
            if self.draw.back(m, moment):
                self.hosts[m].restart()
            effects = self._step(m, arrived[m])
            for receiver, data in effects.send:
                self.said.append((m, receiver, data))
                for to in self._others(m) if receiver is ALL else (receiver,):
                    self._send(time + 1, m, to, data)
        for m in self.draw.liars:
            for delay, to, data in self.coalition.words(m, self._step(m, arrived[m])):
                self._send(time + delay, m, to, data)
        self.judge.stage_ends(moment)
        if self.heard is not None:
            self.heard(self)

    def _step(self, m, inbox):
        outcomes, self._outcomes[m] = self._outcomes[m], []
        try:
            effects = self.hosts[m].step(self.now, inbox, outcomes)
        except Exception as error:
            raise Win("crash", f"participant {m}: {type(error).__name__}: {error}"[:200]) from error
        if m not in self.draw.liars:
            self.judge.stepped(m, effects)
        return effects

    def _others(self, m):
        return [to for to in self.members if to != m]

    def _send(self, time, sender, to, data):
        draw, round = self.draw, self.now.round
        if to == sender or draw.lost(sender, to, round):
            return
        if draw.loss > 0 and self._dice.random() < draw.loss:
            return
        inbox = self._under_way[time][to]
        if draw.liars_first and sender in draw.liars:
            inbox.insert(0, Received(sender, data))
        else:
            inbox.append(Received(sender, data))

    def _is_down(self, m):
        return self.draw.down(m, self.now)


def _no_secret(size):
    return bytes(size)


class Past:
    """An honest game.

    Attributes:
        words: messages by moment.
        blocks: with their signatures, from the first on.
        tips: their hashes.
        lots: by round, the proof of each participant that was drawn.
        most: bytes a member held at most.
    """

    def __init__(self, opened):
        draw = Draw(0, "honest", 0, (), MOST_ROUNDS, ())
        arena = Arena(opened, draw)
        self.words, self.lots, self.most = {}, {}, 0
        arena.heard = self._hear
        win = arena.play()
        if win is not None:
            raise win
        kept = arena.hosts[0].kept
        self.blocks = tuple(kept.block(height) for height in range(1, kept.height + 1))
        self.tips = frozenset(Block.from_bytes(block).hash for block in self.blocks)

    def _hear(self, arena):
        self.words[arena.now] = [data for _, _, data in arena.said]
        works = [host.machine._work for host in arena.hosts]
        self.lots[arena.now.round] = [b"" if work is None else work.proof for work in works]
        if arena.now.round <= BURN_IN + 2:
            self.most = max(self.most, *(held_bytes(host.machine) for host in arena.hosts))


@cache
def opened(number):
    """A board by its number, with an earlier game on it."""
    board = BOARDS[number]
    before = Past(Opened(board, past=True))
    found = Opened(board)
    found.past, found.past_tips = before, before.tips
    honest = Past(found)
    found.lots = honest.lots if board.sortition == "vrf" else {}
    found.honest_bytes = honest.most
    return found


def outcome(draw, opened, goals=GOALS):
    """The goal that an adversary reached, or None, and what it tried."""
    arena = Arena(opened, draw, goals)
    return arena.play(), arena.judge.tried
