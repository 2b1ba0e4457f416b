"""All liars of a game together: they know what one of them knows, and say what their program makes of honest words."""

from collections import defaultdict

from folkmoot.machine import ALL

from .boards import BURN_IN
from .liars import Liar
from .words import kind_of


class Coalition:
    """All liars together: what one knows, all know.

    Attributes:
        liars: by number.
        spoken: what the honest have said in this stage, in order.
        reports: the reports of the honest in this round that were sent in this stage.
    """

    def __init__(self, arena, rules):
        self.arena, self._rules = arena, rules
        self.liars = {m: Liar(self, m) for m in arena.draw.liars}
        self._own = defaultdict(list)  # by liar and kind: what it would have said, in order, with its round
        self._before = {}  # by moment: what the honest said
        self._remembers = any(rule.act == "replay" or rule.kind == "old" for rule in rules)

    @property
    def spoken(self):
        return [data for _, _, data in self.arena.said]

    def words(self, m, effects):
        """What a liar sends in place of what its honest machine would: (stages until it arrives, receiver, message)."""
        liar, now = self.liars[m], self.arena.now
        liar.begin()
        if self._remembers:
            self._before[now] = self.spoken
        sent, offset = [], now.round - BURN_IN
        rules = [rule for rule in self._rules if rule.liar == m and offset in rule.rounds]
        for receiver, data in effects.send:
            message = liar.read(data)
            kind = kind_of(message, m)
            if self._remembers:
                self._own[m, kind].append((now.round, data))
            for to in [to for to in self.arena.members if to != m] if receiver is ALL else [receiver]:
                rule = next((r for r in rules if r.kind == kind and r.act != "say" and to in r.to), None)
                sent += [(delay, to, word) for delay, word in self._by(rule, liar, data, message)]
        for rule in rules:
            if rule.act == "say" and now.stage in rule.stages:
                sent += self._said(rule, liar)
        return sent

    def _by(self, rule, liar, data, message):
        """What becomes of one message to one receiver: (delay, message) of each."""
        if rule is None:
            return [(1, data)]
        if rule.act == "withhold":
            return []
        if rule.act == "twice":
            return [(1, data), (1, data)]
        if rule.act == "late":
            return [(1 + rule.amount, data)]
        if rule.act == "replay":
            earlier = [old for round, old in self._own[liar.index, rule.kind] if round < liar.round]
            return [(1, old) for old in earlier[-1:]]
        if rule.act == "past":
            return [(1, old) for old in liar.past_words() if kind_of(liar.read(old), liar.index) == rule.kind]
        others = [(1, word) for word in liar.make(rule.kind, rule.way, message)]
        return [(1, data), *others] if rule.act == "also" else others

    def _said(self, rule, liar):
        sent = []
        for to in rule.to:
            liar.to = to
            for number in range(rule.amount):
                for word in liar.make(rule.kind, rule.way, None, number):
                    sent.append((1, to, word))
        return sent

    def old_words(self):
        """What the honest said at this stage of the last round."""
        now = self.arena.now
        return self._before.get(now._replace(round=now.round - 1), [])
