"""The stages of a round of a game, and what a participant takes from each other one in them."""

from typing import NamedTuple

from folkmoot.agreement.shares import shares as voting_shares
from folkmoot.bc_ucb.bounds import (
    agreement_shares,
    block_bytes,
    comparison_shares,
    passed_shares,
    report_shares,
    shown_shares,
    state_shares,
)
from folkmoot.bc_ucb.genesis import GameSettings
from folkmoot.bc_ucb.messages import GAME
from folkmoot.machine import Stage

PULLING, REPORTING, ANSWERING, SCREENING = range(4)

# Taken whenever they come.
VOTES = frozenset(
    {
        "proposal",
        "vote",
        "confirmation",
        "certificate",
        "ballots",
        "want",
        "blocks",
        "want state",
        "state given",
        "shown",
    }
)


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


def bounded(settings: GameSettings, offer: int, answer: int) -> tuple[Stage, ...]:
    """All stages in order.

    In any of them a participant may send what it owes in it, and late votes, and blocks that were asked for: a few
    messages. In those of the agreement it relays two values of each validator at most, and passes reports on. Who comes
    back in the middle of a round takes no part in it any more, but it can still vote.

    Args:
        settings: of the game.
        offer, answer: bytes of these messages of the private comparison, 0: there are none.
    """
    faulty, at = settings.terms.faulty, stages(settings.terms.faulty)
    relays = [f"relay {number}" for number in range(1, faulty + 1)]
    names = ("pull", "report", "answer", "screen", *relays, "propose", "second", "prevote", "precommit", "confirm")
    voted = voting_shares(GAME, settings.terms.n_participants, block_bytes(settings))
    always = {**voted, **report_shares(settings), **shown_shares(), **state_shares(settings)}
    compared, agreed = comparison_shares(settings, offer, answer), agreement_shares(settings)
    passed = passed_shares(settings)
    rows = []
    for number, name in enumerate((*names, "commit")):
        shares = dict(always)
        if number in (ANSWERING, SCREENING):
            shares |= compared
        if SCREENING < number <= at.propose:
            shares |= agreed
        if SCREENING <= number <= at.second:
            shares |= passed
        late = VOTES | {"report sent"} if number == SCREENING else VOTES
        late |= {"passed"} if SCREENING < number <= at.second else set()
        messages = sum(share.messages for share in shares.values())
        size = sum(share.messages * share.size for share in shares.values())
        rows.append(Stage(name, messages, size, frozenset(late), number >= ANSWERING, shares))
    return tuple(rows)
