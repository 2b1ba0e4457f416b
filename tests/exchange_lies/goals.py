"""What liars want to reach, and may not."""

from collections import Counter
from typing import NamedTuple

from .board import consortium_of, right

LOST = 0.015  # of 497 test samples: a point is allowed, and half a point is what these samples resolve
GOALS = ("crash", "claim", "flood", "twice", "false", "silence", "forged", "harm", "spoil")


class Win(NamedTuple):
    """A goal that was reached."""

    goal: str
    detail: str


class Game(NamedTuple):
    """An exchange that was played: what it came to and what it was made of."""

    held: object
    exchange: object
    before: float
    after: float


def play(board, parties, each, steps=60):
    """One exchange, with what is inside of it."""
    from unittest.mock import patch

    from folkmoot.multiparty import Retraining, gated

    consortium, kept = consortium_of(parties, seed=1), []

    def keep(*given):
        kept.append(hold(*given))
        return kept[-1]

    hold = gated.hold
    with patch.object(gated, "hold", keep):
        found = consortium.exchange(each, Retraining(steps=steps, rate=0.01))
    return Game(kept[0], found, board.before, right(consortium, board, "mean"))


def outcome(board, lies, parties, goals=GOALS):
    """The first goal that is reached, or None."""
    try:
        game = play(board, parties, lies.each)
    except Exception as error:  # any is a finding
        return Win("crash", f"{type(error).__name__}: {str(error)[:120]}") if "crash" in goals else None
    for goal in goals[1:] if goals[0] == "crash" else goals:
        detail = _CHECKS[goal](board, lies, game)
        if detail:
            return Win(goal, detail)
    return None


def _used(game):
    shown, said = game.held.shown, game.held.verdicts
    return [one for one, refused in zip(shown, said, strict=True) if not refused]


def _claim(board, lies, game):
    bad = [one for one in _used(game) if one.label not in board.parties[one.sender].model.classes]
    return f"{len(bad)} samples of classes that their sender does not know" if bad else ""


def _flood(board, lies, game):
    counts = Counter((one.sender, one.label) for one in _used(game))
    most = max(counts.values(), default=0)
    return f"{most} samples of a sender and class, {lies.each} are allowed" if most > lies.each else ""


def _twice(board, lies, game):
    most = max(Counter(one.name for one in _used(game)).values(), default=0)
    return f"one sample {most} times" if most > 1 else ""


def _false(board, lies, game):
    """Plain false labels of whole images: most are not used."""
    if lies.ways["shows"] not in ("swapped", "random"):
        return ""
    sent = Counter(one.sender for one in game.held.shown if one.sender in lies.liars)
    truth = {x.tobytes(): int(y) for p in board.parties for x, y in zip(p.x, p.y, strict=True)}
    bad = [one for one in _used(game) if one.sender in lies.liars and truth.get(one.x.tobytes()) != one.label]
    limit = max(3, sum(sent.values()) // 3)
    return f"{len(bad)} false labels of {sum(sent.values())} samples are used" if len(bad) > limit else ""


def _silence(board, lies, game):
    """Accepted with a class of which most judges have said nothing."""
    ballots = game.held.votes.ballots.get(game.exchange.decision.reverted, {})
    for label in range(10) if game.exchange.decision.accepted else ():
        judges = [j.number for j in game.held.bench.judges if label in dict(j.counts)]
        if sum(number in ballots for number in judges) * 2 < len(judges):
            return f"class {label}: accepted, and most judges are silent"
    return ""


def _forged(board, lies, game):
    """A ballot on more samples than its judge has committed to."""
    counts = {judge.number: dict(judge.counts) for judge in game.held.bench.judges}
    for by_judge in game.held.votes.ballots.values():
        for judge, ballot in by_judge.items():
            if any(row.lost + row.won > counts[judge].get(row.label, 0) for row in ballot.counts):
                return f"party {judge} votes on more samples than it has"
    return ""


def _harm(board, lies, game):
    lost = game.before - game.after
    return f"{lost:.1%} lost against no exchange" if lost > LOST else ""


def _spoil(board, lies, game):
    """One party hands in a wrong candidate and is honest otherwise; all others lose what they would have gained."""
    alone = len(lies.liars) == 1 and lies.ways["candidate"] == "wrong"
    if not alone or any(lies.ways[name] != "honest" for name in ("shows", "votes", "recalls")):
        return ""
    if game.held.each < 3 or game.exchange.decision.accepted:
        return ""
    return "one wrong candidate, and nothing is accepted"


_CHECKS = {"claim": _claim, "flood": _flood, "twice": _twice, "false": _false, "silence": _silence,
           "forged": _forged, "harm": _harm, "spoil": _spoil}  # fmt: skip
