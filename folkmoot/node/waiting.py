"""For what a node waits, and until when, in a sentence for people."""

from datetime import UTC, datetime

from folkmoot.node.charter import Charter
from folkmoot.node.play import Player

_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))
_NAMED = 8  # members, at most, in a sentence


def span(seconds: float) -> str:
    """3 min 12 s: the two largest units."""
    left, said = max(0, int(seconds + 0.5)), list[str]()
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or (unit == "s" and not said):
            said.append(f"{count} {unit[:-1] if (count, unit) == (1, 'days') else unit}")
        elif said:
            break
    return " ".join(said[:2])


def at(moment: float, now: float) -> str:
    """19:52:00 UTC, in 3 min 12 s; with its date where that is another day's."""
    when, today = datetime.fromtimestamp(moment, UTC), datetime.fromtimestamp(now, UTC)
    form = "%H:%M:%S" if when.date() == today.date() else "%Y-%m-%d %H:%M:%S"
    return f"{when.strftime(form)} UTC, in {span(moment - now)}"


def epoch_to_come(player: Player, before: Charter | None) -> str:
    """Where the epoch of this node has not begun while its members are in the one before it; empty: it has."""
    amends, now = player.charter.amends, player.clock.now()
    if amends is None or player.moment.round or player.phase not in ("starting", "waiting"):
        return ""
    said = f"Your epoch begins after round {amends.after}"
    terms = None if before is None else before.terms
    if terms is not None and terms.period and now < terms.starts + amends.after * terms.period:
        round = int((now - terms.starts) // terms.period) + 1
        return f"{said}; the others {f'are in round {round}' if round > 0 else 'have not begun'}."
    elsewhere = (reason for one in player.traffic.values() for reason in one.refused)
    there = sum(one.connected for one in player.traffic.values()) + 1
    if there < player.charter.quorum and any(reason.startswith("of another charter") for reason in elsewhere):
        return f"{said} of the one before it; the others are still there."
    return ""


def missing(player: Player) -> str:
    """The members that are not there, by name; empty: all are."""
    names = [player.charter.members[number].name for number, one in player.traffic.items() if not one.connected]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"; not there: {', '.join(names[:_NAMED])}{more}" if names else ""


def waits_for(player: Player, before: Charter | None = None) -> str:
    """For what the node waits; empty: for nothing. `before`: the charter of the epoch before, if there is one."""
    if player.phase != "waiting":
        return ""
    if said := epoch_to_come(player, before):
        return said
    terms, now, quorum = player.charter.terms, player.clock.now(), player.charter.quorum
    there = sum(one.connected for one in player.traffic.values()) + 1
    first = f"first round at {at(terms.starts, now)}" if terms.period and now < terms.starts else ""
    if there < quorum:
        lacks = f"waits for a quorum: {there} of {quorum} needed are there{missing(player)}"
        return f"{lacks}; {first}" if first else lacks
    return first or f"waits for a round that it can join{missing(player)}"
