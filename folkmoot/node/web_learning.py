"""What is asked of a node of a consortium of models: `POST /v1/predict`, `POST /v1/samples` and `POST /v1/ask`.

A body is JSON of one form, read strictly: samples as rows of numbers, no text for a number, no field that is not known.
What is wrong is said in one line. Models are asked between two steps, by the thread that plays them.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from folkmoot.errors import OtherSide
from folkmoot.json_text import parsed
from folkmoot.node.database import Full
from folkmoot.node.play import Player
from folkmoot.node.view import View

if TYPE_CHECKING:
    from folkmoot.node.learner import Learner

PREDICT, SAMPLES, ASK = PATHS = "/v1/predict", "/v1/samples", "/v1/ask"
MOST_BODY = 1 << 22  # bytes of a request
MOST_LISTS, MOST_NUMBERS = 1 << 12, 1 << 19  # in one request; counted before anything is made of it


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    x: list[list[float]]
    predictor: str = "mean"


class _Given(msgspec.Struct, forbid_unknown_fields=True):
    x: list[list[float]]
    y: list[int | str]


_ASKED, _GIVEN = msgspec.json.Decoder(_Asked), msgspec.json.Decoder(_Given)


def no_number(body: bytes) -> str:
    """What some write for a number that JSON has none for, where nothing else is wrong with a body; empty: none."""
    found: list[str] = []
    if b"NaN" not in body and b"Infinity" not in body:
        return ""
    try:
        parsed(body.decode("utf-8"), parse_constant=found.append)
    except ValueError:
        return ""
    return found[0] if found else ""


async def answer(path: str, body: bytes, player: Player, view: View) -> tuple[int, dict[str, Any]]:
    """Status and value of the answer to one request.

    Args:
        path: one of `PATHS`.
        body: of the request, of a bounded size.
        player, view: of the node.
    """
    from folkmoot.node.learner import NotYet

    machine: Learner | None = getattr(player, "machine", None)
    if machine is None:
        return 503, {"error": f"no round has begun: {view.waits_for() or 'ask again'}", "phase": player.phase}
    for mark, most, what in ((b"[", MOST_LISTS, "lists"), (b",", MOST_NUMBERS, "numbers")):
        if body.count(mark) > most:
            return 400, {"error": f"request of more than {most:,} {what}: send fewer samples at once"}
    try:
        if path == ASK:
            return 200, {"said": await player.between_steps(_wanted, machine, body)}
        if path == PREDICT:
            asked = _ASKED.decode(body)
            found = await player.between_steps(_predicted, machine, asked)
            view.predicted += 1
            return 200, found
        given = _GIVEN.decode(body)
        new, known = await player.between_steps(machine.take, given.x, given.y)
    except NotYet as error:
        return 503, {"error": str(error), "phase": player.phase}
    except (msgspec.MsgspecError, ValueError, OtherSide) as error:
        if word := no_number(body):
            return 400, {"error": f"{word} is no number in JSON: expected finite numbers"}
        return 400, {"error": " ".join(str(error).split())[:300]}
    except Full as error:
        return 507, {"error": f"not kept: {error}"}
    return 200, {"new": new, "known": known}


def _wanted(machine: "Learner", body: bytes) -> str:
    from folkmoot.node.asking import AskedFor

    return machine.ask(msgspec.json.decode(body, type=AskedFor))


def _predicted(machine: "Learner", asked: _Asked) -> dict[str, Any]:
    found = machine.predict(asked.x, asked.predictor)
    return {
        "classes": found.classes.tolist(),
        "labels": found.labels,
        "scores": found.scores.tolist(),
        "predictor": found.predictor,
        "height": found.height,
    }
