"""The stages of a round of a game, and what a participant takes from each other one in them."""

from typing import NamedTuple

from folkmoot.agreement.messages import LIMITS
from folkmoot.bc_ucb.contract import Terms
from folkmoot.bc_ucb.messages import MOST_COMPARISON
from folkmoot.bc_ucb.records import value_bytes
from folkmoot.machine import Stage

PULLING, REPORTING, ANSWERING, SCREENING = range(4)

VOTES = frozenset({"proposal", "vote", "confirmation", "certificate", "want", "blocks"})  # taken whenever they come
_HEAD = 512  # bytes of numbers, hashes and signatures in a message, more than enough


class Stages(NamedTuple):
    """Numbers of the later stages of a round, and how many there are."""

    propose: int
    second: int
    prevote: int
    precommit: int
    confirm: int
    commit: int
    total: int


def stages(faulty: int) -> Stages:
    """The stages of a round of a game that stands so many faulty participants."""
    first = SCREENING + faulty + 1
    return Stages(*range(first, first + 7))


def bounded(terms: Terms) -> tuple[Stage, ...]:
    """All stages in order.

    In any of them a participant may send what it owes in it, and late votes, and blocks that were asked for: a few
    messages. In those of the agreement it relays two values of each validator at most. Who comes back in the middle of
    a round takes no part in it any more, but it can still vote.
    """
    m, at = terms.n_participants, stages(terms.faulty)
    relays = [f"relay {number}" for number in range(1, terms.faulty + 1)]
    names = ("pull", "report", "answer", "screen", *relays, "propose", "second", "prevote", "precommit", "confirm")
    owed = 2 * LIMITS.size  # an answer with blocks, and a certificate or a proposal
    value = value_bytes(m, terms.n_arms) + (terms.faulty + 1) * 128 + _HEAD
    rows = []
    for number, name in enumerate((*names, "commit")):
        size = owed
        if number in (ANSWERING, SCREENING):
            size += 2 * (MOST_COMPARISON + _HEAD) + m * 8 * terms.n_arms
        elif SCREENING < number <= at.propose + 1:
            size += 2 * m * value
        late = VOTES | {"report"} if number == SCREENING else VOTES
        rows.append(Stage(name, 4 * m + 16, size, frozenset(late), number >= ANSWERING))
    return tuple(rows)
