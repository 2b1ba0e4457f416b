"""Probabilities by pairs of agents: `{(0, 1): 0.3}` in Python, `{ "0-1" = 0.3 }` in a file."""

from collections.abc import Mapping, Set
from typing import Any

from folkmoot.doors import number, whole
from folkmoot.errors import brief

Pair = tuple[int, int]


def pairs_in_file(name: str, given: Any) -> Any:
    """A table of a file, whose keys are texts such as "0-1", by pairs; anything else as it is.

    Raises:
        ValueError: a key that is not two agent numbers.
    """
    if not isinstance(given, Mapping):
        return given
    out: dict[Pair, Any] = {}
    for key, value in given.items():
        words = [word.strip() for word in key.split("-")]
        if len(words) != 2 or not all(word.isascii() and word.isdecimal() and len(word) < 10 for word in words):
            raise ValueError(f'{name}: key {brief(key)}: expected two agent numbers such as "0-1"')
        pair = (int(words[0]), int(words[1]))
        if pair in out:
            raise ValueError(f"{name}: key {brief(key)}: the pair {pair} stands there twice")
        out[pair] = value
    return out


def by_pair(name: str, given: Mapping[Any, Any], n_agents: int, edges: Set[Pair] | None) -> dict[Pair, float]:
    """Checked probabilities in the order of their pairs.

    Args:
        name: what errors call them.
        given: probabilities by (agent, agent).
        n_agents: number of agents.
        edges: pairs that can be linked, the smaller agent first; None: all.

    Raises:
        ValueError: a key that is not a pair of different agents, or one that no edge joins, or no probability.
    """
    out: dict[Pair, float] = {}
    for key, value in given.items():
        try:
            one, other = key
            pair = (whole("agent", one, 0), whole("agent", other, 0))
        except (TypeError, ValueError):
            raise ValueError(f"{name}: key {brief(key)}: expected a pair of agents such as (0, 1)") from None
        if pair[0] == pair[1] or not all(0 <= i < n_agents for i in pair):
            raise ValueError(f"{name}: pair {pair}: expected two different agents from 0 to {n_agents - 1}")
        if edges is not None and (min(pair), max(pair)) not in edges:
            raise ValueError(f"{name}: pair {pair}: the base graph has no such edge")
        p = number(value)
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"{name} of {pair} = {brief(value)}: expected a probability from 0 to 1")
        out[pair] = p
    return dict(sorted(out.items()))
