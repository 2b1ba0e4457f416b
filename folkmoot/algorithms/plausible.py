"""Can numbers in a message of somebody else be made of rewards in [0, 1]?

How it works. An outcome or a mean of outcomes lies in [0, 1] as the rewards do, and so does what a message conveys of
an arm (`said`). Estimates that follow the means by gossip may leave [0, 1] for a while, and the accounts of links
and sums over agents are sums: of those only the size is bounded, by what all outcomes so far can add up to.
"""

from typing import Any

import numpy as np

from folkmoot import interface

_OF_OUTCOMES = ("reward", "mean")  # fields that hold an outcome, or means of outcomes
_FOLLOWING = ("gossip", "sum")  # fields with what follows the means, or adds them up over agents
_SLACK = 1e-9  # of sums that were rounded


def in_range(box: Any, params: Any, j: int, t: int) -> bool:
    """Is it so of row j of a record of messages of round t, whose numbers are finite?"""
    most = 4.0 * params.n_agents * t
    for name, column in zip(box._fields, box):
        if column.dtype.kind == "f" and column.size > 0:
            row = column[j]
            if (np.abs(row) > most).any() or (name in _OF_OUTCOMES and not _between(row)):
                return False
    if any(getattr(box, name, np.zeros(0)).size > 0 for name in _FOLLOWING):
        return True
    values = np.zeros(params.n_arms)
    interface.said(box, params, j, values)
    return _between(values)


def _between(values: Any) -> bool:
    return bool(((values >= -_SLACK) & (values <= 1.0 + _SLACK)).all())
