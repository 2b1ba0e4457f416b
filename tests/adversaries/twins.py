"""Rules of the protocol, each broken on purpose: a search that finds none of them wanting is worth nothing."""

from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from folkmoot.agreement import evidence as agreed_evidence
from folkmoot.agreement import messages, signed_messages
from folkmoot.agreement.catching_up import Others
from folkmoot.agreement.finality import Finality
from folkmoot.agreement.messages import Blocks
from folkmoot.agreement.shares import Largest
from folkmoot.agreement.voting import Voter
from folkmoot.bc_ucb import deliberation, earnings, edition_1, evidence, protocol, round, rules, validators
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.state import State
from folkmoot.machine import Gate


class Twin(NamedTuple):
    """A rule that can be broken."""

    what: str  # the rule
    patches: tuple  # each gives a context in which it does not hold
    goals: tuple[str, ...]  # what adversaries reach then


def _attribute(owner, name, value):
    return lambda: patch.object(owner, name, value)


def _believes(*_):
    return True


def _does_nothing(*_):
    return None


def _lets_all_through(self, inbox):
    return list(inbox), Counter()


def _takes_any_inner(self, content, sender):
    self._inner.append(content)


def _forgetful_choice(self, candidate):
    return candidate if candidate is not None or self.best is None else self.best.hash


def _hasty(self):
    return self._agreed(messages.PREVOTE)


def _pushes_as_an_answer(self, final, absent, effects):
    for member in absent:
        if self._asked.get(member) != self.round:
            self._asked[member] = self.round
            self._send(effects, Blocks((self.kind.carried(final),)), member)


def _named_untrimmed(params, heard, reports, sets, row):
    sets[row] = np.asarray(heard)[:, None]


def _at_any_time(self, data):
    number, self._round = self._round, len(signed_messages.Chained.decode(data).signers)
    try:
        return _receive(self, data)
    finally:
        self._round = number


_receive = signed_messages.Agreement._receive


def _by_hash(settings, previous, round):
    return edition_1.question(previous, round)


def _shows_nothing(state, sets, call=None):
    return ()


def _is_of_before(state, participant, round, earlier):
    return 0 <= state.round - earlier < 62


_book = round.book


def _books_silence_as_nothing(terms, *rest):
    return _book(terms._replace(silence=0), *rest)


_take = Voter.take


def _takes_anybodys_confirmation(self, message, sender, effects):
    _take(self, message, message.sender if isinstance(message, messages.Confirmation) else sender, effects)


def _asks_the_highest(self, height, members, faulty):
    ahead = self.ahead(height)
    return max(ahead, key=self._claims.get) if ahead else None


def _asks_the_lowest(self, height, members, faulty):
    return next(iter(self.ahead(height)), None)


def _nobody(self):
    return frozenset()


RULES = {
    "evidence": Twin(
        "what proves a fault enters the next block", (_attribute(rules, "entering", _shows_nothing),), ("hidden",)
    ),
    "exclusion": Twin(
        "who is proven to lie is no member any more", (_attribute(State, "excluded", property(_nobody)),), ("hidden",)
    ),
    "evidence unchecked": Twin(
        "evidence is checked before it counts",
        (_attribute(evidence, "check", _believes), _attribute(agreed_evidence, "check", _believes)),
        ("frame",),
    ),
    "salt": Twin(
        "every signature covers the salt",
        (_attribute(protocol, "_salt", lambda game, replicate: bytes(32)),),
        ("replay", "stop"),
    ),
    "sortition": Twin(
        "no block enters the lots of a round",
        (_attribute(deliberation, "asked", _by_hash), _attribute(validators, "asked", _by_hash)),
        ("lot",),
    ),
    "bytes": Twin(
        "what a driver and a member take in is bounded in bytes",
        (
            _attribute(Gate, "sift", _lets_all_through),
            _attribute(Largest, "require", _does_nothing),
            _attribute(Deliberation, "take_inner", _takes_any_inner),
        ),
        ("memory",),
    ),
    "pushing": Twin(
        "reports are passed on to those who lack them, before and after sets are named",
        (
            _attribute(Deliberation, "pushed", lambda self: []),
            _attribute(Deliberation, "pass_on", lambda self, links: []),
        ),
        ("stop",),
    ),
    "heights": Twin(
        "what others say of their heights, unverified, redirects nothing",
        (_attribute(Others, "ask", _asks_the_highest),),
        ("pin", "stop"),
    ),
    "turns": Twin(
        "blocks are asked of all in turn", (_attribute(Others, "ask", _asks_the_lowest),), ("pin", "stop")
    ),
    "answers": Twin(
        "a block that was sent without having been asked for is no answer to who asks",
        (_attribute(Voter, "_push", _pushes_as_an_answer),),
        ("pin", "stop"),
    ),
    "confirmations": Twin(
        "a confirmation counts only from the channel of whose it is",
        (_attribute(Voter, "take", _takes_anybodys_confirmation),),
        ("stop",),
    ),
    "lock": Twin(
        "who is locked on a block prevotes for no other one",
        (_attribute(Finality, "choice", _forgetful_choice),),
        ("split",),
    ),
    "precommit": Twin(
        "a block is decided by precommits, not by prevotes", (_attribute(Finality, "decided", _hasty),), ("split",)
    ),
    "quorum": Twin(
        "a quorum is more than two thirds",
        (_attribute(State, "quorum", property(lambda self: 2 * (len(self.keys) - len(self.excluded)) // 3)),),
        ("split",),
    ),
    "trimming": Twin(
        "the f largest and smallest reports are dropped",
        (_attribute(deliberation, "named", _named_untrimmed),),
        ("range",),
    ),
    "gives way": Twin(
        "screening gives way where it would stop a game", (_attribute(deliberation, "hear", _does_nothing),), ("stop",)
    ),
    "strike out": Twin(
        "a set speaks only for the reports it was made of",
        (_attribute(rules, "strike_out", _does_nothing),),
        ("range",),
    ),
    "claims": Twin("a claimed reward lies between 0 and 1", (_attribute(earnings, "payable", _believes),), ("money",)),
    "environment": Twin(
        "a reward counts with the environment's signature only",
        (_attribute(earnings, "is_signed", _believes),),
        ("money",),
    ),
    "claimed once": Twin(
        "an earlier outcome is paid once, and only if it was awaited",
        (_attribute(earnings, "claimable", _is_of_before),),
        ("money",),
    ),
    "silence": Twin(
        "who says nothing gains no trust", (_attribute(round, "book", _books_silence_as_nothing),), ("trust",)
    ),
    "vote signatures": Twin(
        "votes are signed", (_attribute(messages, "_is_signed", _believes),), ("split", "stop", "hidden")
    ),
    "value signatures": Twin(
        "values that are agreed on are signed", (_attribute(signed_messages, "check", _believes),), ("stop", "hidden")
    ),
    "relay rounds": Twin(
        "a value with j signatures counts in relay round j only",
        (_attribute(signed_messages.Agreement, "_receive", _at_any_time),),
        ("stop",),
    ),
}  # fmt: skip


@contextmanager
def broken(rule):
    """Everything inside runs with this rule broken; None: with none."""
    from .arena import opened

    with ExitStack() as stack:
        if rule is not None:
            for each in RULES[rule].patches:
                stack.enter_context(each())
            _anew(opened, rule)
            stack.callback(_anew, opened, None)
        yield


_open = [None]


def _anew(opened, rule):
    """Boards that were opened under other rules are of no use."""
    if _open[0] != rule:
        opened.cache_clear()
        _open[0] = rule
