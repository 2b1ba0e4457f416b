"""The exchange that `folkmoot try` asks for where a charter has one, so that there is one to be seen without a word.

An exchange comes early, once all models are there; then a line says what came of it. Whoever was asked may be killed
before its next step is on the disk. So somebody is asked again where, some rounds later, nobody knows of an exchange.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from folkmoot.errors import OtherSide
from folkmoot.node.asking import EXCHANGE
from folkmoot.node.charter import Charter
from folkmoot.node.client import Client
from folkmoot.node.folder import Folder

MOST_MEMBERS = 12  # of a trial with exchanges: the messages of one grow with the square
_FIRST, _AGAIN = 3, 8  # rounds before it is asked for, and before that is repeated


class Tried(Protocol):
    """A member as a trial sees it."""

    name: str
    folder: Folder
    state: dict[str, Any]


class TriedExchange:
    """`look` at it again and again.

    Attributes:
        told: has what came of it been said?
    """

    def __init__(self, charter: Charter, say: Callable[[str], None]) -> None:
        self._each = int(charter.terms.settings.get("each", 0)) if charter.terms.system == "bema" else 0
        self._say, self._asked, self.told = say, 0, not self._each

    def look(self, members: Sequence[Tried]) -> None:
        """Ask the first honest member that has all models, or say what came of it. Nothing that fails ends a trial."""
        if self.told:
            return
        for member in members:
            learning = member.state.get("learning") or {"lacking": 1, "exchanges": [], "exchange": ""}
            if learning["exchanges"]:
                self.told = True
                self._say(_words(member, learning["exchanges"][0]))
                return
        self._ask(members)

    def _ask(self, members: Sequence[Tried]) -> None:
        there = [one for one in members if (one.state.get("learning") or {"lacking": 1})["lacking"] == 0]
        if len(there) < len(members) or any(one.state["learning"]["exchange"] for one in there):
            return  # somebody who still fetches models could not answer
        round = int(there[0].state.get("round", 0))
        if round < (self._asked + _AGAIN if self._asked else _FIRST):
            return
        try:
            with Client.of(there[0].folder, timeout=5.0) as client:
                client.ask(EXCHANGE, each=self._each)
        except (OtherSide, ValueError):
            return  # it has just been killed, or there is one already
        if not self._asked:
            self._say(f"round {round}: {there[0].name} asks all for an exchange behind the gate")
        self._asked = round


def _words(member: Tried, exchange: dict[str, Any]) -> str:
    """What came of it, in one line."""
    back = set(exchange["rolled_back"])
    taken = [name for name in exchange["candidates"] if name not in back]
    word = f"taken, a gain of {exchange['gain']:.1%} on the check sets" if exchange["accepted"] else "refused"
    said = f"block {exchange['height']}: the exchange was {word}; new models: {', '.join(taken) or 'none'}"
    said += f"; rolled back: {', '.join(exchange['rolled_back']) or 'none'}"
    if exchange["after"] is None:
        return said
    change = f"{exchange['before']:.1%} right before, {exchange['after']:.1%} after"
    return f"{said}; {member.name}'s own check set: {change}"
