"""The games of gse/flood: worlds by name, and one algorithm in one of them, as plain numbers that a log can keep."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

import folkmoot as fm
from folkmoot.reproductions.cells import PaperCell, play_all
from folkmoot.world.networks import Network
from folkmoot.world.rewards import Rewards

from . import settings as s

ORACLE = "Central UCB (oracle)"
ALGORITHMS: Mapping[str, fm.Algorithm] = {
    "FloodSE": fm.FloodSE(),
    "FloodSE, missing 4": fm.FloodSE(missing=4),
    "GSE": fm.GSE(),
    "Dist_UCB": fm.DistUCB(),
    ORACLE: fm.CentralUCB(),
    "UCB (alone)": fm.UCB(),
}
COMPLETE = "complete"  # in the names of settings whose base graph is complete
GONE = range(0, 40, 10)  # agents that leave


class World(NamedTuple):
    """Where a game is played.

    Attributes:
        rewards, network, presence: of `folkmoot.simulate`.
        horizon: T.
    """

    rewards: Rewards
    network: Network
    horizon: int = s.HORIZON
    presence: fm.Presence | None = None


def movielens() -> Rewards:
    """Twenty users and five genres."""
    from folkmoot.world.datasets import load

    return load("movielens")


def _half_active(graph: "nx.Graph[int]", p: float) -> World:
    return World(s.half_active(graph.number_of_nodes()), fm.ErdosRenyi(graph, p))


def _on_complete(rewards: Rewards) -> World:
    return World(rewards, fm.ErdosRenyi(nx.complete_graph(rewards.n_agents), 0.9))


def of_the_paper() -> dict[str, Callable[[], World]]:
    """Table 1 and figure 1."""
    out: dict[str, Callable[[], World]] = {
        f"Table 1, degree {d}, p = 0.1": partial(_half_active, s.circulant(d), 0.1) for d in s.DEGREES
    }
    graphs = {f"{COMPLETE} 16": nx.complete_graph(16), "grid 4 x 4": s.grid(), "Petersen": nx.petersen_graph()}
    for name, graph in graphs.items():
        for p in (0.1, 0.3, 0.5, 0.7, 0.9):
            out[f"fig. 1cd, {name}, p = {p:g}"] = partial(_half_active, graph, p)
    out[f"fig. 1a, {COMPLETE} 16, drawn means, p = 0.9"] = lambda: _on_complete(s.heterogeneous())
    out[f"fig. 1b, {COMPLETE} 20, MovieLens, p = 0.9"] = lambda: _on_complete(movielens())
    return out


SLOW: Mapping[str, Callable[[], World]] = {
    "two cliques, T = 20,000": lambda: World(*s.two_cliques(), 20_000),
    "grid 15 x 15, T = 50,000": lambda: World(*s.regional_grid(15), 50_000),
    "grid 20 x 20, T = 50,000": lambda: World(*s.regional_grid(20), 50_000),
}


def _hard() -> World:
    """Two arms .02 apart, about which neighbours disagree, on a ring with links up one time in two."""
    means = np.tile([[0.9, 0.1], [0.1, 0.86]], (4, 1))
    return World(fm.Bernoulli(means), fm.ErdosRenyi(nx.cycle_graph(8), 0.5))


def _gone() -> World:
    """Four of forty agents leave after round 2, for good."""
    means = np.random.default_rng(s.SEED).uniform(0.0, 0.5, size=(40, 4))
    means[:, 2] += 0.4
    leaving = fm.Presence(absences=[(i, 3) for i in GONE])
    return World(fm.Bernoulli(means), fm.ErdosRenyi(nx.complete_graph(40), 0.9), presence=leaving)


WORLDS: Mapping[str, Callable[[], World]] = {**of_the_paper(), **SLOW, "hard": _hard, "gone": _gone}


class Game(NamedTuple):
    """What is played: an algorithm in a world, so many replicates with this seed."""

    world: str
    algorithm: str
    replicates: int
    seed: int = 0


class Found(NamedTuple):
    """What came of one replicate.

    Attributes:
        regret: final, an agent that stays.
        share: of best-arm pulls.
        dropped: agents that settled without the best arm.
        settled: agents that settled, of those that stay to the end.
        stay: how many these are.
        last: the round by which all that stay had settled; 0 if some had not.
        sent: megabytes.
        uniform: regret of an agent that pulls arms at random.
    """

    regret: float
    share: float
    dropped: int
    settled: int
    stay: int
    last: int
    sent: float
    uniform: float


def play(fields: dict[str, Any], cache: Path) -> dict[str, Any]:
    """A game, as a cell of the log."""
    game = Game(**fields)
    world = WORLDS[game.world]()
    more: dict[str, Any] = {"presence": world.presence} if world.presence else {}
    result = fm.simulate(
        ALGORITHMS[game.algorithm], world.rewards, world.network, horizon=world.horizon, replicates=game.replicates,
        seed=game.seed, checkpoints=[world.horizon], progress=False, **more,
    )  # fmt: skip
    stay = np.delete(np.arange(result.n_agents), GONE if world.presence else ())
    made = []
    for r in range(game.replicates):
        decisions, at = result.decisions[r], result.decided_at[r, stay]
        made.append(
            Found(
                regret=float(result.regret_per_agent[r, -1]),
                share=float(result.team_pulls[r, -1, result.best].sum() / result.team_pulls[r, -1].sum()),
                dropped=int((result.gaps[decisions[decisions >= 0]] > 0.0).sum()),
                settled=int((decisions[stay] >= 0).sum()),
                stay=len(stay),
                last=int(at.max()) if (at > 0).all() else 0,
                sent=float(result.bytes[r]) / 1e6,
                uniform=float(world.horizon * result.gaps.mean()),
            )
        )
    return {"found": [one._asdict() for one in made]}


def play_games(games: list[Game], out: Path, jobs: int, progress: bool) -> dict[Game, list[Found]]:
    """All of them; those that the log in the folder holds are not played again."""
    home = Path(__file__).resolve().parent
    cells = [PaperCell(home, "flood_games", "play", game._asdict(), out) for game in games]
    told = play_all(cells, out, jobs, progress)
    return {game: [Found(**found) for found in one["found"]] for game, one in zip(games, told, strict=True)}
