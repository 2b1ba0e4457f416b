"""Agents see their own row and the inbox rows of their neighbours, nothing else, and write to their own row only.

Every function is called twice, the second time with nonsense in all rows that it may not read: what it returns and
what it writes must be the same both times.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.coins import Coins
from folkmoot.interface import (
    decision,
    draw_links,
    init,
    late_outbox,
    links,
    message_bytes,
    messages,
    nothing_seen,
    outbox,
    pay,
    publish,
    publish_late,
    scene,
    select,
    set_scene,
    update,
    update_late,
    verify,
)


def poisoned(record: Any, keep: Iterable[int]) -> Any:
    """A copy in which every row but those to keep is nonsense: NaN, the opposite, or a huge negative number."""
    copies, kept = [column.copy() for column in record], list(keep)
    for column in copies:
        rows = np.ones(len(column), np.bool_)
        rows[kept] = False
        if column.dtype.kind == "f":
            column[rows] = np.nan
        elif column.dtype.kind == "b":
            column[rows] = ~column[rows]
        else:
            column[rows] = np.iinfo(column.dtype).min // 2
    return type(record)(*copies)


class Rows:
    """An algorithm's functions in one world, each called with and without nonsense around the own row.

    Args:
        params: the algorithm's record.
        rewards, network: those of the world.
        coins: of the replicate.
        n_objectives: numbers in a reward.
    """

    def __init__(self, params: Any, rewards: Any, network: Any, coins: Coins, n_objectives: int = 1) -> None:
        self._params, self._rewards, self._network, self._coins = params, rewards, network, coins
        self._state: Any = init(params)
        self._boxes: list[Any] = [outbox(params), late_outbox(params)]
        self._links, self._nature = links(network), scene(rewards)
        n = len(self._links.start)
        self._seen: Any = nothing_seen(n, n_objectives)
        self._agents = range(n)

    def check(self, rounds: int) -> None:
        """Play so many rounds.

        Raises:
            ValueError: a function reads or writes what it may not; its name, the agent and the round.
        """
        with np.errstate(all="ignore"):
            for t in range(1, rounds + 1):
                self._round(t)

    def _round(self, t: int) -> None:
        params, coins, seen = self._params, self._coins, self._seen
        draw_links(self._network, t, coins, self._links)
        set_scene(self._rewards, t, coins, self._nature)
        drawn = self._links
        row = [drawn.neighbours[drawn.start[i] : drawn.start[i] + drawn.count[i]] for i in self._agents]
        nobody = np.zeros(0, np.int64)
        for i in self._agents:
            seen.arm[i] = seen.pulled[i] = self._same("select", i, t, lambda s, i=i: select(params, s, i, t, coins))
            arm = int(seen.arm[i])
            asked = self._same("verify", i, t, lambda s, i=i, arm=arm: verify(params, s, i, t, arm, coins))
            seen.verified[i] = asked
            pay(self._rewards, self._nature, i, arm, t, coins, seen.reward)
        for i in self._agents:
            self._told(i, t)
        self._all("publish", publish, t, [nobody] * len(row), 0, lambda i: (poisoned(seen, [i]),), lambda i: ())
        self._all("update", update, t, row, 0, lambda i: (poisoned(seen, [i]),), lambda i: (row[i], coins))
        self._all("publish_late", publish_late, t, [nobody] * len(row), 1, lambda i: (), lambda i: ())
        self._all("update_late", update_late, t, row, 1, lambda i: (), lambda i: (row[i],))

    def _same(self, name: str, i: int, t: int, call: Any) -> Any:
        """What a function that writes nothing returns, the same with nonsense in all rows but agent i's."""
        clean = call(self._state)
        try:
            same = bool(clean == call(poisoned(self._state, [i])))
        except (IndexError, ValueError, OverflowError, ZeroDivisionError):
            same = False
        _require(same, f"{name} of agent {i} in round {t} reads a row of somebody else's state")
        return clean

    def _told(self, i: int, t: int) -> None:
        """What is counted of an agent's messages, and its decision."""

        def told(state: Any) -> Any:
            seen = self._seen if state is self._state else poisoned(self._seen, [i])
            sent = messages(self._params, state, i, t, seen, 3)
            size = message_bytes(self._params, state, i, t, seen, sent, 8)
            return sent, size, decision(self._params, state, i)

        self._same("messages, message_bytes or decision", i, t, told)

    def _all(self, name: str, function: Any, t: int, row: list[Any], exchange: int, seen: Any, more: Any) -> None:
        """The function for every agent, and then what all of them have written."""
        box, writes_box = self._boxes[exchange], name.startswith("publish")
        out = []
        for i in self._agents:

            def call(state: Any, box: Any, i: int = i) -> None:
                function(self._params, state, i, t, *seen(i), box, *more(i))

            state_and_box = self._twice(f"{name} of agent {i} in round {t}", call, i, row[i], box)
            out.append(state_and_box[1 if writes_box else 0])
        target = box if writes_box else self._state
        for i, changed in enumerate(out):
            for column, new in zip(target, changed, strict=True):
                column[i] = new[i]

    def _twice(self, who: str, call: Any, i: int, row: NDArray[Any], box: Any) -> tuple[Any, Any]:
        results = []
        everybody = list(self._agents)
        for keep, heard in ((everybody, everybody), ([i], [*row.tolist(), i])):
            state, inbox = poisoned(self._state, keep), poisoned(box, heard)
            before = [column.copy() for column in (*state, *inbox)]
            try:
                call(state, inbox)
            except (IndexError, ValueError, OverflowError, ZeroDivisionError):
                _require(keep is everybody, f"{who} reads a row that it may not read")
                raise
            others = [j for j in everybody if j != i]
            for was, now in zip(before, (*state, *inbox), strict=True):
                same = np.array_equal(was[others], now[others], equal_nan=was.dtype.kind == "f")
                _require(same, f"{who} writes to a row of somebody else")
            results.append((state, inbox))
        for one, other in zip(results[0], results[1], strict=True):
            for a, b in zip(one, other, strict=True):
                same = np.array_equal(a[i], b[i], equal_nan=a.dtype.kind == "f")
                _require(same, f"{who} reads a row that it may not read")
        return results[0]


def _require(kept: bool, what: str) -> None:
    if not kept:
        raise ValueError(what)
