"""The description of what a node knows: each field of `/v1/state`, in the OpenAPI format (version 3.1)."""

from typing import Any


def _of(kind: str | list[str], about: str = "", **more: Any) -> dict[str, Any]:
    return {"type": kind, **({"description": about} if about else {}), **more}


def _record(about: str, fields: dict[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    """`required`: left out: all."""
    return _of("object", about, properties=fields, required=list(fields if required is None else required))


_COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}
_ARM = _record(
    "An arm. Rewards are on the charter's scale.",
    {
        "arm": _of("integer", "Its number, from 0."),
        "name": _of("string", "In the charter."),
        "pulls": _of("integer", "Rounds in which this member played it."),
        "outcomes": _of("integer", "Of how many of these the outcome came."),
        "mean": _of(["number", "null"], "Own mean of these; null: none came."),
        "interval": _of(["number", "null"], "Half of a 95 % interval around it; null: fewer than two came."),
        "agreed": _of(["number", "null"], "The mean over all members, as far as it is known; null: it is not."),
    },
)
_MEMBER = _record(
    "A member as seen from this one; of this one itself only name, state and address.",
    {
        "name": _of("string"),
        "state": _of("string", enum=["this node", "present", "slow", "behind", "away", "wrong clock"]),
        "address": _of("string"),
        "version": _of("string", "Of its software."),
        "round": _of("integer", "The last one that it spoke of."),
        "clock": _of(["number", "null"], "Seconds by which its clock is ahead; null: not known."),
        "sent": _of("integer", "Bytes to it."),
        "received": _of("integer", "Bytes from it."),
        "missed": _of("integer", "Stages in which it was waited for in vain."),
        "stretched": _of("integer", "Stages that its mark ended at the last moment."),
        "faults": {**_COUNTS, "description": "What it was caught at, and how often."},
        "refused": {**_COUNTS, "description": "What of it was not taken, and how often."},
    },
    ("name", "state", "address"),
)
_ROUND = _record(
    "A round that has ended.",
    {
        "round": _of("integer"),
        "arm": _of("integer", "Played here; -1: none."),
        "reward": _of(["number", "null"], "What it brought; null: no outcome has come yet."),
        "heard": _of("array", "Numbers of the members that were heard.", items=_of("integer")),
        "height": _of("integer", "Of the chain then."),
    },
)
_MODEL = _record(
    "A member's model, and what became of the samples that the member has sent.",
    {
        "member": _of("string"),
        "kind": _of("string", "Of the model."),
        "classes": _of("array", "That it knows.", items=_of("integer")),
        "parameters": _of("string", "Digest of them as they now are."),
        "here": _of("boolean", "Are the parameters it came with in this node's folder?"),
        "accepted": _of("integer", "Samples that moved models."),
        "revealed": _of("integer", "Samples that others trained on in exchanges."),
        "gone": _of("boolean", "Has it left, or was it expelled?"),
        "refused": {**_COUNTS, "description": "Samples that did not, by reason."},
    },
)
_EXCHANGE = _record(
    "What became of an exchange.",
    {
        "height": _of("integer", "Of its block."),
        "how": _of("string", enum=["exchange", "calibration"]),
        "accepted": _of("boolean", "Did new models take the place of those that were there?"),
        "gain": _of("number", "Of accuracy on the check sets of all members, as the gate counts it."),
        "candidates": _of("array", "Members that had a new model.", items=_of("string")),
        "rolled_back": _of("array", "Of these, the ones whose models stayed as they were.", items=_of("string")),
        "before": _of(
            ["number", "null"],
            "Share of this member's check set that came out right by the mean, before its block; null: there is no "
            "check set, or this node was not there or has started since.",
        ),
        "after": _of(["number", "null"], "The same, after it."),
    },
)
_WAITING = _record(
    "An act that waits for a block.",
    {
        "what": _of("string", enum=["leave", "expel", "update", "admit", "rotate"]),
        "party": _of("string", "Whom it is about."),
        "reason": _of("string", "Of an expulsion."),
        "signed": _of("array", "Original parties that want or approve it.", items=_of("string")),
        "not_here": _of("string", "Why this member has not approved it; empty: it has, or has not looked."),
    },
)
_ACCURACY = _record(
    "Shares of the own check set that come out right.",
    {
        "mean": _of("number", "By the mean of all models that know a class."),
        "screened": _of("number", "By the mean of those that do well on this check set."),
        "alone": _of("number", "By this member's model alone, as it now is."),
    },
)
_ACCURACY["type"] = ["object", "null"]
_LEARNING = _record(
    "Of a consortium of models; null: of none.",
    {
        "classes": _of("integer", "How many there are."),
        "labels": _of("array", "Their names; empty: they have none.", items=_of("string")),
        "shape": _of("array", "Of one sample.", items=_of("integer")),
        "models": _of("array", "In the order of the members.", items=_MODEL),
        "lacking": _of("integer", "Models that are still to be fetched."),
        "wrong": _of("string", "Why the models cannot be put together here; empty: they can."),
        "samples": _of("integer", "Of this member's own."),
        "checked": _of("integer", "Samples of its check set."),
        "accuracy": _ACCURACY,
        "blocks": _of("array", "Height and hash of the last blocks, 32 at most.", items=_of("array")),
        "exchange": _of("string", "What the last exchange that this member asked for is at, or came to; empty: none."),
        "exchanges": _of("array", "The last 16 on the chain.", items=_EXCHANGE),
        "waiting": _of("array", "Acts of members that wait for a block.", items=_WAITING),
        "queued": _of("integer", "Samples that wait for a block."),
    },
)
_LEARNING["type"] = ["object", "null"]
STATE = _record(
    "What the node knows.",
    {
        "consortium": _of("string", "Its name in the charter."),
        "member": _of("string", "The name of this one."),
        "system": _of("string", "In the charter."),
        "charter": _of("string", "The first half of its digest."),
        "epoch": _of("integer", "With each one, rounds begin at 1 again."),
        "ends_after": _of(["integer", "null"], "The round after which an amendment ends it; null: none is known."),
        "phase": _of("string", enum=["starting", "waiting", "playing", "following", "done", "stopped"]),
        "waits_for": _of("string", "For what it waits, and until when; empty: for nothing."),
        "since": _of("number", "When counts of this process began, in seconds since 1970."),
        "round": _of("integer", "Under way; 0: none has begun."),
        "rounds": _of("integer", "In the charter."),
        "scale": _of("array", "The least and the largest reward.", items=_of("number")),
        "stage": _of("string", "Under way; empty: none."),
        "arm": _of("integer", "To be played now; -1: none."),
        "arms": _of("array", items=_ARM),
        "best": _of("integer", "The best arm as far as is known; -1: nothing is."),
        "best_name": _of(["string", "null"]),
        "settled": _of("boolean", "Will it stay the best for good?"),
        "present": _of("array", "Names of the members that are there, this one among them.", items=_of("string")),
        "members": _of("array", items=_MEMBER),
        "height": _of("integer", "Of the last block; 0: there is none."),
        "decided": _of("integer", "Requests for decisions that were answered since the node started."),
        "predicted": _of("integer", "Requests for predictions that were answered since the node started."),
        "counts": {**_COUNTS, "description": "What was counted since then, by kind."},
        "troubles": _of("array", "What whoever operates the node should know now.", items=_of("string")),
        "signing": _of(["object", "null"], "What an environment needs to sign rewards; null: the charter names none."),
        "learning": _LEARNING,
        "history": _of("array", "The last rounds since the node started, at most 600.", items=_ROUND),
    },
)
