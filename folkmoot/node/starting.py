"""When the first round of new terms begins: a moment, or so long after they are proposed."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from folkmoot.node.terms import Terms

_ROUNDS_TO_SIGN = 10  # fewer than so many are little time for all to sign
_IN = re.compile(r"in ([0-9]{1,6}) (second|minute|hour|day)s?")


def resolved(table: Mapping[str, Any], now: datetime | None = None) -> dict[str, Any]:
    """Terms as they stand in a file, with the moment instead of `in 2 minutes`."""
    start = table.get("start")
    found = _IN.fullmatch(start) if isinstance(start, str) else None
    if found is None:
        return dict(table)
    then = (now or datetime.now(UTC)) + timedelta(**{f"{found[2]}s": int(found[1])})
    return {**table, "start": then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def remarks(terms: Terms, now: datetime | None = None) -> list[str]:
    """What whoever proposes terms should know of their start."""
    when = (now or datetime.now(UTC)).timestamp()
    if not terms.period or terms.starts >= when:
        return []
    round = int((when - terms.starts) // terms.period) + 1
    if round > terms.rounds:
        return [f"start = {terms.start}: is so long ago that all {terms.rounds} rounds would be over"]
    return [f"start = {terms.start}: is in the past; members begin in round {round} or later"]


def hurry(before: Terms, after: int, now: datetime | None = None) -> list[str]:
    """What whoever has to do with an amendment should know, where little or no time is left before its epoch begins."""
    if not before.period:
        return []
    left = before.starts + after * before.period - (now or datetime.now(UTC)).timestamp()
    if left > _ROUNDS_TO_SIGN * before.period:
        return []
    ends = f"round {after} is over already" if left <= 0 else f"round {after} ends in {left:.0f} s"
    return [f"{ends}: who has not put the amendment into its folder by then plays on alone, and nothing of that counts"]
