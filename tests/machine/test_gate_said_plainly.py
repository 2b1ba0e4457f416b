"""What a gate lets through, held against the same said in the plainest way."""

import random
from collections import Counter

import pytest

from folkmoot.machine import Gate, Received, Share, Stage

KINDS = {b"a": "small", b"b": "large", b"c": "rare", b"d": "elsewhere"}
SHARES = {"small": Share(3, 4), "large": Share(4, 9), "rare": Share(1, 9)}


def kind_of(data):
    return KINDS.get(data[:1], "")


def plainly(stage, inbox):
    """What is let through, and why the rest is not: every bound looked at anew for every message."""
    through, dropped = [], Counter()
    for one in inbox:
        kind = kind_of(one.data) if stage.shares is not None else ""
        share = Share(stage.messages, stage.bytes) if stage.shares is None else stage.shares.get(kind)
        same = [other for other in through if other.sender == one.sender]
        alike = [other for other in same if stage.shares is None or kind_of(other.data) == kind]
        if share is None:
            dropped["kind out of place" if kind else "no known kind"] += 1
        elif stage.shares is not None and len(one.data) > share.size:
            dropped["too large"] += 1
        elif len(same) >= stage.messages or len(alike) >= share.messages:
            dropped["too many messages"] += 1
        elif sum(len(other.data) for other in same) + len(one.data) > stage.bytes:
            dropped["too many bytes"] += 1
        else:
            through.append(one)
    return through, dropped


@pytest.mark.parametrize("shares", [SHARES, None])
@pytest.mark.parametrize("in_a_row", [True, False])
def test_a_gate_drops_what_the_plain_rule_drops(shares, in_a_row):
    """Messages of one sender and kind come in a row or mixed, at once or one by one."""
    dice, reasons = random.Random(17), Counter()
    for _ in range(300):
        stage = Stage("stage", dice.randint(1, 8), dice.randint(5, 40), frozenset(), False, shares)
        inbox = [
            Received(dice.randint(0, 2), dice.choice([*KINDS, b"x"]) + bytes(dice.randint(0, 10)))
            for _ in range(dice.randint(0, 25))
        ]
        if in_a_row:
            inbox.sort()
        expected = plainly(stage, inbox)
        assert Gate(stage, kind_of).sift(inbox) == expected
        gate, at = Gate(stage, kind_of), dice.randint(0, len(inbox))
        first, second = gate.sift(inbox[:at]), gate.sift(inbox[at:])
        assert (first[0] + second[0], first[1] + second[1]) == expected
        gate = Gate(stage, kind_of)
        assert [one for one in inbox if not gate.refuses(one)] == expected[0]
        reasons += expected[1]
    assert set(reasons) == (
        {"too many messages", "too many bytes"}
        if shares is None
        else {"too many messages", "too many bytes", "too large", "no known kind", "kind out of place"}
    )
