"""The last round that a participant entered, among what it keeps: after a restart it enters none twice."""

from collections.abc import Mapping

from folkmoot.encoding import Limits, Malformed, decode

ROUND = "round"  # the key under which it is kept
_LIMITS = Limits(size=16, depth=0, items=1, int_size=8)


def last_round(kept: Mapping[str, bytes]) -> int:
    """The last round that was entered; 0: none.

    Raises:
        Malformed: bytes that are no round.
    """
    if ROUND not in kept:
        return 0
    value = decode(kept[ROUND], _LIMITS)
    if type(value) is not int or value < 0:
        raise Malformed(f"round: expected an integer of at least 0, {value!r:.40} was kept")
    return value
