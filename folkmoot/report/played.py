"""What was played, as rows of names and values: the world, and each algorithm with its parameters."""

from collections.abc import Mapping
from typing import Any

from folkmoot.report.arms import arm_names
from folkmoot.report.words import (
    NO_VALUE,
    corruption_in_words,
    feedback_in_words,
    joined,
    liars_in_words,
    network_in_words,
    presence_in_words,
    rewards_in_words,
)
from folkmoot.simulation.result import Result


def settings_of(results: Mapping[str, Result], comparable: bool) -> list[tuple[str, str]]:
    """The world and the algorithms; of different worlds only the algorithms."""
    rows = world_of(results) if comparable else []
    return [*rows, *((name, algorithm_in_words(result)) for name, result in results.items())]


def world_of(results: Mapping[str, Result]) -> list[tuple[str, str]]:
    """What results of one world have in common."""
    first = next(iter(results.values()))
    rewards, network = (first.configuration.get(key, {}) for key in ("rewards", "network"))
    names = arm_names(first)
    rows = [
        ("Rewards", capital(rewards_in_words(rewards))),
        ("Agents", f"{first.n_agents:,}"),
        ("Arms", f"{first.n_arms:,}" + (f": {joined(names)}" if names else "")),
        ("Network", capital(network_in_words(network))),
        ("Horizon", f"{first.horizon:,} rounds"),
    ]
    against, pulls = first.configuration.get("corruption"), first.configuration.get("verification")
    rows += [("Adversary", corruption_in_words(against))] if against else []
    lying = first.configuration.get("liars")
    rows += [("Liars", liars_in_words(lying))] if lying else []
    away, late = first.configuration.get("presence"), first.configuration.get("feedback")
    rows += [("Presence", capital(presence_in_words(away)))] if away else []
    rows += [("Outcomes", capital(feedback_in_words(late)))] if late else []
    rows += [("Verification", f"Up to {pulls:,} of {first.n_agents * first.horizon:,} pulls")] if pulls else []
    counts = {name: result.replicates for name, result in results.items()}
    if len(set(counts.values())) == 1:
        rows.append(("Replicates", f"{first.replicates:,}"))
    else:
        rows.append(("Replicates", joined([f"{n:,} ({name})" for name, n in counts.items()])))
    rows.append(("Seed", str(first.configuration.get("seed", NO_VALUE))))
    return rows


def algorithm_in_words(result: Result) -> str:
    """Such as "GSE, beta 1"."""
    values = dict(result.configuration.get("algorithm", {}))
    kind = str(values.pop("type", "unknown"))
    chosen = [f"{key.replace('_', ' ')} {_value(value)}" for key, value in values.items() if value is not None]
    return f"{kind}, {', '.join(chosen)}" if chosen else kind


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
