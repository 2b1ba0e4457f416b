"""The network of a game as a picture, and what each agent holds at checkpoints.

How it works. The picture is drawn here as SVG inside the page: it needs no script, and shows the horizon. A script,
where there is one, lets the reader go through the checkpoints and through what was asked for with `observe`.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import cos, pi, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.report.arms import arm_names
from folkmoot.report.live import plain
from folkmoot.report.page import figure_of_markup
from folkmoot.report.tables import is_oracle, same_world
from folkmoot.simulation.result import Result

Floats = NDArray[np.float64]
_AGENTS, _LINKS = 120, 2_000  # more cannot be told apart
_RESULTS = 6  # whose agents can be looked at
_NUMBERS = 40_000  # of states in a page, about
_CHECKPOINTS = 24
_COLOURS = ("#0072B2", "#D55E00", "#000000", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")  # of arms; the script's too
_SIZE, _RADIUS = 600.0, 15.0
_DENSE = 0.5  # share of all pairs from which agents stand in a circle


def links(network: Mapping[str, Any], n_agents: int) -> list[tuple[int, int]] | None:
    """The possible links of a network as a configuration tells them; None if it does not."""
    pairs = network.get("edge_list")
    if pairs is not None:
        found = [(int(i), int(j)) for i, j in pairs]
        return found if all(0 <= i < n_agents and 0 <= j < n_agents for i, j in found) else None
    if network.get("edges") == n_agents * (n_agents - 1) // 2:
        return [(i, j) for i in range(n_agents) for j in range(i + 1, n_agents)]
    inner = network.get("network")
    return links(inner, n_agents) if isinstance(inner, Mapping) else None


def held(results: Mapping[str, Result]) -> dict[str, Any] | None:
    """What agents hold, as the data of the script; None where the links are not known or the agents are too many.

    Of each result its pulls so far, and each observed state that has a value for each agent and arm: means over
    replicates, [checkpoints, agents, arms].
    """
    nodes = {name: result for name, result in list(results.items()) if not is_oracle(result)}
    if not nodes:
        return None
    first = next(iter(nodes.values()))
    n, told = first.n_agents, links(first.configuration.get("network", {}), first.n_agents)
    alike = [name for name, result in nodes.items() if same_world(first, result)][:_RESULTS]
    if told is None or not told or n > _AGENTS or len(told) > _LINKS:
        return None
    states = [one for name in alike for one in _states(name, nodes[name])]
    room = max(2, min(_CHECKPOINTS, _NUMBERS // max(1, len(states) * n * first.n_arms)))
    found = [_thinned(name, at, values, room) for name, at, values in states]
    names = arm_names(first) or [f"arm {k}" for k in range(first.n_arms)]
    agents = [f"agent {i}" if counts else f"agent {i}, lies" for i, counts in enumerate(first.counted)]
    return {"links": told, "names": agents, "arms": names, "held": found}


def _states(name: str, result: Result) -> list[tuple[str, NDArray[np.int64], Floats]]:
    pulls = result.agent_pulls if result.agent_pulls is not None else result.pulls[:, None]
    at = result.checkpoints if result.agent_pulls is not None else result.checkpoints[-1:]
    out = [(f"{name}: pulls so far", at, pulls.mean(axis=0))]
    shape = (len(result.checkpoints), result.n_agents, result.n_arms)
    for what, values in result.observed.items():
        if values.shape[1:] == shape:
            numbers = np.where(np.isfinite(values), values, 0.0).sum(axis=0), np.isfinite(values).sum(axis=0)
            mean = np.where(numbers[1] > 0, numbers[0] / np.maximum(numbers[1], 1), np.nan)
            out.append((f"{name}: {what.replace('_', ' ')}", result.checkpoints, mean))
    return out


def _thinned(name: str, at: NDArray[np.int64], values: Floats, room: int) -> dict[str, Any]:
    kept = np.unique(np.linspace(0, len(at) - 1, min(room, len(at))).round().astype(np.int64))
    return {"name": name, "at": at[kept].tolist(), "v": plain(values[kept])}


def picture(told: Mapping[str, Any]) -> str:
    """The graph with the arm that each agent has pulled most, and the place of the script's controls."""
    first = told["held"][0]
    marks = _marks(told, first["v"][-1])
    places = _places(len(told["names"]), told["links"])
    lines = [
        f'<line x1="{places[i][0]:.1f}" y1="{places[i][1]:.1f}" x2="{places[j][0]:.1f}" y2="{places[j][1]:.1f}"/>'
        for i, j in told["links"]
    ]
    radius = min(_RADIUS, 160.0 / len(places) ** 0.5)
    nodes = [
        f'<g data-agent="{i}" tabindex="0" transform="translate({x:.1f} {y:.1f})"><title>{escape(title)}</title>'
        f'<circle r="{radius:.1f}" fill="{colour}"/><text font-size="{radius:.1f}">{mark}</text></g>'
        for i, ((x, y), (title, colour, mark)) in enumerate(zip(places, marks, strict=True))
    ]
    label = f"{len(places)} agents and the links between them; {escape(first['name'])} at the horizon."
    head = f'<svg id="graph" viewBox="0 0 {_SIZE:g} {_SIZE:g}" role="img" aria-label="{label}">'
    tools = '<div id="holding" hidden><div id="held"></div><p id="holds" role="status"></p></div>'
    svg = "\n".join([head, *lines, *nodes, "</svg>"])
    caption = (
        "Network. Agents and possible links. A number, and its colour, is the arm of which the agent holds most: "
        f"{first['name']}, mean over replicates, at the horizon."
    )
    return figure_of_markup(f"{tools}\n{svg}", caption)


def _marks(told: Mapping[str, Any], values: Sequence[Sequence[float | None]]) -> list[tuple[str, str, str]]:
    """Of each agent the words, the colour and the number of the arm of which it holds most."""
    out = []
    for agent, own in zip(told["names"], values, strict=True):
        known = [x for x in own if x is not None]
        best = own.index(max(known)) if known else None
        words = ", ".join(
            f"{arm} {'-' if x is None else format(x, ',g')}" for arm, x in zip(told["arms"], own, strict=True)
        )
        out.append(
            (f"{agent}: {words}", "none" if best is None else _COLOURS[best % 7], "-" if best is None else str(best))
        )
    return out


def _places(n: int, pairs: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """Where agents stand: in a circle where most pairs are linked, else where springs along the links put them."""
    middle, reach = _SIZE / 2.0, _SIZE / 2.0 - 2.0 * _RADIUS
    if n < 4 or len(pairs) >= _DENSE * n * (n - 1) / 2:
        return [(middle + reach * sin(2 * pi * i / n), middle - reach * cos(2 * pi * i / n)) for i in range(n)]
    import networkx as nx

    graph: Any = nx.empty_graph(n)
    graph.add_edges_from(pairs)
    found = nx.spring_layout(graph, seed=0, iterations=100, k=1.8 / n**0.5)
    points = np.array([found[i] for i in range(n)])
    points = (points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-9)
    return [(2 * _RADIUS + x * 2 * reach, 2 * _RADIUS + y * 2 * reach) for x, y in points.tolist()]
