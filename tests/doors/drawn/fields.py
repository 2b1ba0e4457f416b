"""Experiment files whose values are drawn: a plan, or one line that says where it is wrong."""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.experiments.plan import plan

from . import Drawn, said

HEAD = {"name": "a", "description": "text", "horizon": 20, "replicates": 2, "seed": 1}
REWARDS = {"type": "bernoulli", "means": [[0.2, 0.8], [0.3, 0.7]]}
NETWORK = {"type": "static", "base": "complete"}
ALGORITHM = [{"type": "ucb"}]
PLAIN = {**HEAD, "rewards": REWARDS, "network": NETWORK, "algorithm": ALGORITHM}

# Legal keys where the defaults are not enough.
NEEDED: dict[str, dict[str, dict[str, Any]]] = {
    "algorithms": {"flood_se": {"delta": 0.1}, "gse": {"link_probability": 0.5}, "ucb_sbm": {"clusters": [0, 1]}},
    "rewards": {
        "clustered": {"means": [[0.2, 0.8], [0.3, 0.7]], "labels": [0, 1]},
        "half_active": {"inner": REWARDS},
        "vector_bernoulli": {
            "means": [[0.2, 0.3], [0.4, 0.5]], "n_agents": 2,
            "scalarisation": {"type": "linear", "weights": [0.5, 0.5]},
        },
        "drifting": {"start": REWARDS, "end": REWARDS, "period": 5},
        "piecewise": {"pieces": [{"from": 1, **REWARDS}, {"from": 5, **REWARDS}]},
        "replay": {"table": [[[0.1, 0.2], [0.3]], [[0.5], [0.4]]]},
    },
    "networks": {
        "erdos_renyi": {"link_probability": 0.5}, "markov": {"up": 0.5, "down": 0.25}, "b_connected": {"rounds": 3},
        "one_sided": {"network": NETWORK, "loss": 0.5}, "recorded": {"rounds": [[[0, 1]]]},
        "stochastic_block_model": {"labels": [0, 1], "within": 0.9, "across": 0.1},
    },
    "scalarisations": {"linear": {"weights": [0.5, 0.5]}},
}  # fmt: skip
TAGS: list[Any] = [
    True, False, 0, 1, -1, 2, 7, 10**6, 2**31, 2**32, 2**63, 10**30, -(10**30), 0.0, 0.5, 1.5, -0.5, 1e308, -1e308,
    5e-324, math.nan, math.inf, -math.inf, "", "a", "no-such-thing", "worst", "file:nothing.txt", "a\0b", "x" * 1_500,
    "module:Class", "os:getcwd", "folkmoot:UCB", "circulant:", "circulant:-1", "circulant:x", [], [[]], [1, 2],
    [0.5, 0.5], [[0, 1]], [[0.5], [0.5, 0.5]], ["a"], [True], [[0.5, math.nan]], [None], {}, {"type": "ucb"},
    {"type": 3}, {"grid": []}, {"grid": [1, 2]}, {"grid": 3}, {"grid": [0.5, "a"]}, {"law": "uniform"},
    {"law": "uniform", "n_agents": 2, "n_arms": 2}, {"law": 3, "n_agents": -1}, {"a": 1}, [{}], [{"type": "ucb"}],
]  # fmt: skip


def _types(group: str) -> dict[str, type]:
    from folkmoot.experiments.catalogue import TABLES

    return {name: TABLES[group][name] for name in TABLES[group]}


def _table(group: str, name: str) -> dict[str, Any]:
    return {"type": name, **NEEDED.get(group, {}).get(name, {})}


def documents(folder: Path) -> dict[str, Any]:
    """A file for each type of each table of bandits, for each optional table, and for the other systems."""
    made: dict[str, Any] = {"toml.file": PLAIN}
    for name in _types("algorithms"):
        made[f"toml.algorithms.{name}"] = {**PLAIN, "algorithm": [_table("algorithms", name)]}
    for name in _types("rewards"):
        table = _table("rewards", name)
        kind = "s1" if name == "vector_bernoulli" else "ucb"
        rewards = REWARDS | table if len(table) == 1 else table
        made[f"toml.rewards.{name}"] = {**PLAIN, "rewards": rewards, "algorithm": [{"type": kind}]}
    for name in _types("networks"):
        base = {} if name in ("recorded", "stochastic_block_model", "one_sided") else NETWORK
        made[f"toml.networks.{name}"] = {**PLAIN, "network": base | _table("networks", name)}
    for name in _types("corruptions"):
        made[f"toml.corruptions.{name}"] = {**PLAIN, "corruption": {"type": name, "budget": 5}}
    for name in _types("lies"):
        made[f"toml.lies.{name}"] = {**PLAIN, "liars": {"agents": [1], "law": {"type": name}, "counts": "own"}}
    for name in _types("scalarisations"):
        rewards = NEEDED["rewards"]["vector_bernoulli"] | {"scalarisation": _table("scalarisations", name)}
        made[f"toml.scalarisations.{name}"] = {**PLAIN, "rewards": {"type": "vector_bernoulli", **rewards},
                                              "algorithm": [{"type": "s1"}]}  # fmt: skip
    made["toml.presence"] = {**PLAIN, "presence": {"probability": 0.9}}
    made["toml.feedback"] = {**PLAIN, "feedback": {"delay": 2, "loss": 0.1}}
    made |= _others()
    return {name: (document, folder) for name, document in made.items()}


def _others() -> dict[str, Any]:
    chain = {"malicious": [1], "expected_validators": 3, "fidelity": "ideal", "attack": {"type": "sign_flip"}}
    made: dict[str, Any] = {}
    for name in _types("attacks"):
        made[f"toml.attacks.{name}"] = {
            **HEAD, "rewards": {**REWARDS, "means": [0.2, 0.8], "n_agents": 4},
            "chain": chain | {"attack": {"type": name}},
        }  # fmt: skip
    consortium: dict[str, Any] = {
        "data": {"type": "digits"}, "models": [{"type": "softmax"}], "iterations": 2, "alpha": 0.75,
        "ledger": "a.ledger",
        "division": {"type": "consecutive", "parties": 3, "classes": 4, "samples": 60}, "method": "bema", "regular": [],
    }  # fmt: skip
    head = {"name": "a", "seed": 1}
    made["toml.data.digits"] = {**head, "consortium": consortium}
    made["toml.data.shapes"] = {**head, "consortium": consortium | {
        "data": {"type": "shapes", "train": 100, "test": 100}, "models": [{"type": "lenet5", "epochs": 1, "batch": 8}],
    }}  # fmt: skip
    listed = {"type": "listed", "classes": [[0, 1], [1, 2]], "samples": 60}
    made["toml.divisions.listed"] = {**head, "consortium": consortium | {"division": listed}}
    for name in _types("liars"):
        attack = {"type": name, "parties": [1], "share": 0.5}
        made[f"toml.liars.{name}"] = {**head, "consortium": consortium | {"attack": attack}}
    return made


def draw_field(name: str, what: tuple[dict[str, Any], Path], generator: np.random.Generator) -> Drawn | None:
    """One value of the file is another one, or one more key is there."""
    original, folder = what
    document, place, level = copy.deepcopy(original), [], None
    inner: Any = document
    while level is None or (isinstance(inner, dict | list) and inner and generator.random() < 0.7):
        level = inner
        key: Any = _key(level, name, generator)
        place.append(key)
        inner = level[key] if isinstance(level, list) or key in level else None
    before, value = inner, TAGS[int(generator.integers(len(TAGS)))]
    level[key] = copy.deepcopy(value)
    text = said(lambda: plan(document, folder))
    if text == "taken":
        text = f"taken in silence for {before!r:.40}" if _must_be_refused(before, value) else ""
    return Drawn(name, ".".join(map(str, place)), repr(value)[:60], text) if text else None


def _key(level: Any, name: str, generator: np.random.Generator) -> Any:
    if isinstance(level, list):
        return int(generator.integers(len(level)))
    keys = list(level)
    kind = level.get("type")
    found = [one for group in ("algorithms", "rewards", "networks", "corruptions", "lies", "scalarisations", "attacks",
                               "data", "divisions", "models", "liars") if isinstance(kind, str)
             and f".{group}." in name for one in [_types(group).get(kind)] if one is not None]  # fmt: skip
    keys += [key for one in found for key in one.written_names() if key not in level]
    return keys[int(generator.integers(len(keys)))]


def _must_be_refused(before: Any, value: Any) -> bool:
    """Is it of a kind that can never stand there? Files know texts, numbers, truth values, lists and tables."""
    if before is None or isinstance(value, dict):
        return False
    if isinstance(before, bool):
        return not isinstance(value, bool)
    if isinstance(before, int | float):
        return isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value))
    if isinstance(before, str):
        return not isinstance(value, str | int) or isinstance(value, bool)
    return isinstance(value, bool)
