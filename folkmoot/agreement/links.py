"""Do messages get lost? What is sent more than once is sent so only where they do: without faults it costs nothing."""

from collections.abc import Iterable

from folkmoot.interface import inlined

MEMORY = 8  # rounds in which who was heard is still expected, and a loss is still remembered


@inlined
def is_missed(round: int, last: int) -> bool:
    """Is somebody missed who was last heard in this round? One who stays away is not expected for ever."""
    return round - MEMORY <= last < round


@inlined
def is_remembered(round: int, lost: int) -> bool:
    """Is a loss in this round still a reason to send more?"""
    return round - lost <= MEMORY


class Links:
    """Whoever was heard of late and is not heard now says that messages get lost, or is a liar.

    One who is silent for good is not expected after a while. So a liar makes others send more only as long as it speaks
    now and then.
    """

    def __init__(self, members: int) -> None:
        self._members = members
        self._heard: dict[str, dict[int, int]] = {}  # what was said, by whom, in which round for the last time
        self._lost = -MEMORY - 1  # the last round in which somebody was missed

    def heard(self, what: str, round: int, members: Iterable[int]) -> None:
        """Who has said something in time, such as a report. The first time everybody is expected."""
        last = self._heard.get(what)
        if last is None:
            last = self._heard[what] = dict.fromkeys(range(self._members), round - 1)
        last.update(dict.fromkeys(members, round))
        rounds = {*last.values()}
        if rounds != {round} and any(is_missed(round, earlier) for earlier in rounds):
            self._lost = round

    def bad(self, round: int) -> bool:
        """Has something been lost in one of the last rounds?"""
        return is_remembered(round, self._lost)
