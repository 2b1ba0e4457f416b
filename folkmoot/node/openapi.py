"""The description of what applications may ask a node, in the OpenAPI format (version 3.1)."""

from typing import Any

import folkmoot
from folkmoot.node.openapi_state import STATE
from folkmoot.node.token_proof import PATH

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_DECISION = {
    "type": "object",
    "properties": {
        "arm": {"type": "integer", "minimum": 0},
        "name": {"type": "string", "description": "Of the arm, as in the charter."},
        "round": {"type": "integer", "minimum": 1},
        "ticket": {"type": "string", "description": "To be handed in with what the arm brought."},
        "epoch": {"type": "integer", "minimum": 1, "description": "With each one, rounds begin at 1 again."},
    },
    "required": ["arm", "name", "round", "ticket", "epoch"],
}
_AFTER = {
    "name": "after",
    "in": "query",
    "schema": {"type": "integer", "minimum": 0},
    "description": "A round: wait for a later one, five seconds at most.",
}
_NONCE = {
    "name": "nonce",
    "in": "query",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "description": "A random number that was never used before.",
}
_PROOF = {
    "type": "object",
    "properties": {
        "proof": {
            "type": "string",
            "description": "HMAC-SHA256 by the token, in hex, of 'folkmoot node', the nonce, host and port of the "
            "client's end of this connection, and of the node's, with a blank between any two.",
        },
        "forwarded": {
            "type": "string",
            "description": "The same of 'folkmoot node' and the nonce alone: for a client that knows of a tunnel or a "
            "proxy in between. It shows nothing of who is at the other end of the connection.",
        },
    },
    "required": ["forwarded"],
}
_OUTCOME = {
    "type": "object",
    "properties": {
        "ticket": {"type": "string"},
        "reward": {"type": ["number", "null"], "description": "On the charter's scale; null: none will come."},
        "proof": {
            "type": "string",
            "description": "In hex; where the charter names who signs rewards.",
        },
    },
    "required": ["ticket", "reward"],
    "additionalProperties": False,
}
_COUNTED = {
    "type": "object",
    "properties": {"counts": {"type": "boolean"}, "error": {"type": "string"}},
    "required": ["counts"],
}


_NUMBERS = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
_ROWS = {**_NUMBERS, "minItems": 1, "maxItems": 256, "description": "Samples: the numbers of each in a row."}
_ASKED = {
    "type": "object",
    "properties": {
        "x": _ROWS,
        "predictor": {
            "enum": ["mean", "screened", "median", "star", "krum", "max"],
            "description": 'How the models are put together; "screened" needs a check set of this member.',
        },
    },
    "required": ["x"],
    "additionalProperties": False,
}
_PREDICTED = {
    "type": "object",
    "properties": {
        "classes": {
            "type": "array", "items": {"type": "integer"},
            "description": "Of each sample; -1: no model speaks for it.",
        },
        "labels": {
            "type": ["array", "null"], "items": {"type": "string"},
            "description": "The same by name; null: classes have none.",
        },
        "scores": {**_NUMBERS, "description": "Of each sample, a number for each class."},
        "predictor": {"type": "string"},
        "height": {"type": "integer", "description": "Of the chain whose models these were."},
    },
    "required": ["classes", "labels", "scores", "predictor", "height"],
}  # fmt: skip
_GIVEN = {
    "type": "object",
    "properties": {
        "x": _ROWS,
        "y": {
            "type": "array", "items": {"type": ["integer", "string"]},
            "description": "The class of each, by number, or by name where classes have names.",
        },
    },
    "required": ["x", "y"],
    "additionalProperties": False,
}  # fmt: skip
_KEPT = {
    "type": "object",
    "properties": {
        "new": {"type": "integer", "description": "Samples that were not there before."},
        "known": {"type": "integer", "description": "Samples that were: each counts once."},
    },
    "required": ["new", "known"],
}


_WANTED = {
    "type": "object",
    "properties": {
        "what": {"type": "string", "enum": ["exchange", "leave", "expel", "update", "rotate"]},
        "each": {"type": "integer", "description": "Of an exchange: samples of each class that a member reveals."},
        "party": {"type": "string", "description": "Of an expulsion: whose."},
        "reason": {"type": "string", "description": "Of an expulsion: why. All who want it say the same."},
    },
    "required": ["what"],
    "additionalProperties": False,
}
_UNDER_WAY = {
    "type": "object",
    "properties": {"said": {"type": "string", "description": "What is under way now."}},
    "required": ["said"],
}


def _learning(unknown: str) -> dict[str, Any]:
    """What is asked of a consortium of models."""
    other, later = "Its members have no models.", "No round has begun, or models of others are still to be fetched."
    bad = "Refused for good: no JSON of this form, samples of another shape, an unknown class or predictor."
    asked = {"required": True, "content": {"application/json": {"schema": _ASKED}}}
    given = {"required": True, "content": {"application/json": {"schema": _GIVEN}}}
    wanted = {"required": True, "content": {"application/json": {"schema": _WANTED}}}
    refused = "It cannot be done, and why."
    return {
        "/v1/ask": {
            "post": {
                "operationId": "ask",
                "summary": "An exchange, or an act of this member, which stands on the chain once it is done.",
                "requestBody": wanted,
                "responses": _answers(_UNDER_WAY, s400=refused, s401=unknown, s409=other, s503=later),
            }
        },
        "/v1/predict": {
            "post": {
                "operationId": "predict",
                "summary": "What the models of all members, as they are, say of some samples.",
                "requestBody": asked,
                "responses": _answers(_PREDICTED, s400=bad, s401=unknown, s409=other, s503=later),
            }
        },
        "/v1/samples": {
            "post": {
                "operationId": "samples",
                "summary": "Samples of this member's own, with their classes; on the node's disk with the answer.",
                "requestBody": given,
                "responses": _answers(
                    _KEPT, s400=bad, s401=unknown, s409=other, s503=later,
                    s507="The disk is full; none is kept: tell them again.",
                ),
            }
        },
    }  # fmt: skip


def _answers(schema: Any, **others: str) -> dict[str, Any]:
    """The answers to a request: 200 with this schema, and others with what they say."""
    found = {"200": {"description": "Done.", "content": {"application/json": {"schema": schema}}}}
    for status, about in others.items():
        content = {"application/json": {"schema": _ERROR}}
        found[status.removeprefix("s")] = {"description": about, "content": content}
    return found


def description() -> dict[str, Any]:
    """The whole document."""
    unknown = "No token, or a wrong one."
    many = {"oneOf": [_OUTCOME, {"type": "array", "items": _OUTCOME}]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "A folkmoot node",
            "version": folkmoot.__version__,
            "description": "What an application asks the node of its own organisation, on the same host.",
        },
        "security": [{"token": []}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/v1/decide": {
                "post": {
                    "operationId": "decide",
                    "summary": "Which arm to play now. All requests of a round get the same one.",
                    "parameters": [_AFTER],
                    "responses": _answers(
                        _DECISION,
                        s400="A query of another form, or a body.",
                        s401=unknown,
                        s409="Members of this consortium predict, and choose nothing.",
                        s503="Nothing to play: ask again.",
                    ),
                }
            },
            "/v1/outcome": {
                "post": {
                    "operationId": "outcome",
                    "summary": "What a decision brought; on the node's disk when the answer comes.",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": many}}},
                    "responses": _answers(
                        _COUNTED,
                        s400="Refused for good: an old or unknown ticket, another epoch, a reward off the scale, "
                        "or no JSON of this form. Drop it.",
                        s401=unknown,
                        s409="It does not count: the ticket has an outcome, its round is closed, it is not signed, or "
                        "members of this consortium choose nothing.",
                        s503="The node stops, or begins another epoch; it is not kept: tell it again.",
                        s507="The disk is full; it is not kept: tell it again.",
                    ),
                }
            },
            PATH: {
                "get": {
                    "operationId": "proof",
                    "summary": "Shows that the node knows the token, before a client sends it.",
                    "security": [],
                    "parameters": [_NONCE],
                    "responses": _answers(_PROOF, s400="No number of 32 hexadecimal digits."),
                }
            },
            **_learning(unknown),
            "/v1/state": {
                "get": {
                    "operationId": "state",
                    "summary": "What the node knows.",
                    "responses": _answers(STATE, s401=unknown),
                }
            },
        },
    }
