"""What `folkmoot node status` says of what a node knows: the best arm, or models and exchanges."""

from typing import Any


def known(state: dict[str, Any]) -> list[str]:
    """What a node knows, in a line or two."""
    learning, best = state["learning"], state["best_name"]
    if learning is not None:
        return _models(learning, state["height"])
    if state["system"] == "bema":
        return ["models: not known yet"]
    sure = "sure" if state["settled"] else "not sure yet"
    return ["best arm: not known yet" if best is None else f"best arm: {best} ({sure})"]


def _models(learning: dict[str, Any], height: int) -> list[str]:
    """The models of a consortium: how many are here, how good they are, and what the last exchange came to."""
    models, accuracy, right = learning["models"], learning["accuracy"], ""
    if accuracy is not None:
        right = f"; of its check set {accuracy['mean']:.1%} come out right"
        right += f", alone (its own model) {accuracy['alone']:.1%}" if "alone" in accuracy else ""
    said = [f"models: {sum(one['here'] for one in models)} of {len(models)} are here, block {height}{right}"]
    if learning["exchanges"]:
        last = learning["exchanges"][-1]
        back = ", ".join(last["rolled_back"]) or "none"
        word = "accepted" if last["accepted"] else "refused"
        said.append(
            f"last {last['how']} behind the gate: {word} in block {last['height']}, "
            f"gain {last['gain']:.1%} on the check sets; rolled back: {back}{_change(last)}"
        )
    if learning["exchange"]:
        said.append(f"the last exchange that this member asked for: {learning['exchange']}")
    return said


def _change(exchange: dict[str, Any]) -> str:
    """What an exchange changed on the own check set; empty: that is not known."""
    if exchange["after"] is None:
        return ""
    return f"; of its check set {exchange['before']:.1%} came out right before, {exchange['after']:.1%} after"
