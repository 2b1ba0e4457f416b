"""Outcomes that are late or never come, where whoever reads the reward of none reads nonsense."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.interface import IMPLEMENTATIONS, implements
from folkmoot.world.feedback import Feedback, FeedbackRecord


class NonsenseRecord(NamedTuple):
    """Field by field a FeedbackRecord."""

    horizon: int
    delay: int
    shrink: float
    recorded: NDArray[np.int64]
    loss: float
    room: int


class Nonsense(Feedback):
    """As Feedback; but in a round in which no outcome comes (arm -1) its reward is NaN. For the interpreter."""

    def record(self, n_agents: int, n_objectives: int, horizon: int) -> Any:
        """What the loop needs."""
        return NonsenseRecord(*super().record(n_agents, n_objectives, horizon))


for _record, _name in list(IMPLEMENTATIONS):
    if _record is FeedbackRecord and _name != "fetch":
        implements(NonsenseRecord)(IMPLEMENTATIONS[_record, _name])
_fetch = IMPLEMENTATIONS[FeedbackRecord, "fetch"]


@implements(NonsenseRecord)
def fetch(feedback: Any, calendar: Any, i: Any, t: int, seen: Any) -> None:
    _fetch(feedback, calendar, i, t, seen)
    if seen.arm[i] < 0:
        seen.reward[i] = np.nan
