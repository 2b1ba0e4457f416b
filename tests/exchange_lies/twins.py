"""Every rule of an exchange, broken on purpose."""

from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from folkmoot.multiparty.exchange import bench, exchanging, gate, revealing


class Twin(NamedTuple):
    """What stands in the place of what, and which goals that opens."""

    patches: tuple
    goals: tuple


def _without(reason):
    def verdicts(shown, scores, claims, kept, each):
        found = _VERDICTS(shown, scores, claims, kept, each)
        return ["" if one == reason else one for one in found]

    return verdicts


_VERDICTS = revealing.verdicts
_LOOK = gate.look


def _loud(ballots, judges, labels):
    """Who says nothing is not counted."""
    heard = tuple(judge for judge in judges if judge.number in ballots)
    return _LOOK(ballots, heard, labels)


ANY = (gate, "passes", lambda found: True)
NO_GAIN = (gate, "LEAST_GAIN", -np.inf)
NO_OBJECTION = (gate, "objects", lambda lost, won: False)
NO_REVERTING = (gate, "better", lambda one, than: False)

NO_SUSPECTS = (gate, "DROP", np.inf)
NO_MEDIAN = (gate, "agreed", max)

RULES = {
    "gate": Twin((ANY, NO_REVERTING, NO_SUSPECTS), ("harm",)),
    "objection and gain": Twin((NO_OBJECTION, NO_GAIN, NO_REVERTING, NO_SUSPECTS), ("harm",)),
    "reverting": Twin((NO_REVERTING, NO_SUSPECTS), ("spoil",)),
    "candidates that are wrong": Twin((NO_SUSPECTS, NO_MEDIAN), ("harm",)),
    "the lower median": Twin(((gate, "agreed", max), (gate, "majority", lambda a, n: a == n), NO_SUSPECTS), ("harm",)),
    "silence is a no": Twin(((gate, "look", _loud),), ("silence",)),
    "ballots are of the check set": Twin(((bench, "sound_ballot", lambda ballot, judge: True),), ("forged",)),
    "foreign labels": Twin(((exchanging, "verdicts", _without(revealing.FOREIGN)),), ("claim",)),
    "excess": Twin(((exchanging, "verdicts", _without(revealing.EXCESS)),), ("flood",)),
    "duplicates": Twin(((exchanging, "verdicts", _without(revealing.DUPLICATE)),), ("twice",)),
    "vouching": Twin(((revealing, "vouched", lambda *given: True),), ("false",)),
}


@contextmanager
def broken(rule):
    """Inside, this rule is broken; None: none is. The chain must agree, so it is broken there too."""
    from folkmoot.multiparty.chain import exchange_rules

    with ExitStack() as stack:
        for module, name, other in RULES[rule].patches if rule else ():
            stack.enter_context(patch.object(module, name, other))
            if hasattr(exchange_rules, name):
                stack.enter_context(patch.object(exchange_rules, name, other))
        yield
