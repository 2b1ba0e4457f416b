"""Games that any version of the package can play by its public names: `versus` plays them in two trees in turn.

Run as a program this is the far end of a pipe: it reads the name of a case, plays it, and says how long that took.
"""

import os
import sys
from collections.abc import Callable
from itertools import count as count_from
from pathlib import Path
from tempfile import mkdtemp
from time import process_time

import networkx as nx
import numpy as np

import folkmoot as fm

Case = tuple[Callable[[], object], int]  # what to play, and how many agent-steps (or blocks, or samples) it is


def _bandit(algorithm: object, agents: int, arms: int, horizon: int, network: object = None, **more: object) -> Case:
    rewards = fm.Bernoulli(np.linspace(0.1, 0.9, arms), n_agents=agents)
    network = network or fm.ErdosRenyi(nx.complete_graph(agents), 0.9)
    settings: dict[str, object] = {"horizon": horizon, "replicates": 2, "checkpoints": [horizon], "progress": False}
    return lambda: fm.simulate(algorithm, rewards, network, **settings, **more), 2 * agents * horizon  # type: ignore[arg-type]


def _clusters(agents: int, clusters: int, horizon: int, interleaved: bool = False) -> Case:
    labels = np.arange(agents) % clusters
    network = fm.StochasticBlockModel(labels if interleaved else np.sort(labels), 0.9, 0.1)
    return _bandit(fm.UCBSBM(), agents, 10, horizon, network)


def _vectors(algorithm: object) -> Case:
    means = np.linspace(0.1, 0.9, 15).reshape(5, 3)
    rewards = fm.VectorBernoulli(means, fm.Chebyshev(), n_agents=10)
    network = fm.ErdosRenyi(nx.complete_graph(10), 0.9)
    settings: dict[str, object] = {"horizon": 4_000, "replicates": 2, "checkpoints": [4_000], "progress": False}
    return lambda: fm.simulate(algorithm, rewards, network, **settings), 80_000  # type: ignore[arg-type]


def _chain(participants: int, horizon: int, **more: object) -> Case:
    liars = list(range((participants - 1) // 3))
    rewards = fm.Bernoulli((0.4, 0.6), n_agents=participants)
    given: dict[str, object] = {"malicious": liars, "attack": fm.SignFlip(), "checkpoints": [horizon], **more}
    count = horizon - 10 if more else participants * horizon

    seeds = count_from(1)  # another game each time: what a process remembers of the last one must not help

    def play() -> object:
        settings = {"horizon": horizon, "progress": False, "seed": next(seeds), **given}
        return fm.simulate_chain(fm.BCUCB(), rewards, **settings)  # type: ignore[arg-type]

    return play, count


def _verified() -> Case:
    path = Path(mkdtemp()) / "game.ledger"
    rewards = fm.Bernoulli((0.4, 0.6), n_agents=7)
    fm.simulate_chain(fm.BCUCB(), rewards, horizon=60, fidelity="protocol", ledger=path, progress=False)
    program = f"import folkmoot as fm; assert fm.ledger.open({str(path)!r}).verify().ok"

    def verify() -> None:  # in a process of its own: what this one played it would know by heart
        assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", program]) == 0

    return verify, 50


def _learning() -> Case:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    from folkmoot.multiparty import Consortium, Party, SklearnModel

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    parties = []
    for number in range(6):
        classes = sorted({(number + step) % 10 for step in range(4)})
        own = np.flatnonzero(np.isin(y, classes))[number::6]
        estimator = LogisticRegression(max_iter=200).fit(x[own], y[own])
        parties.append(Party(f"party {number}", SklearnModel(estimator, classes), x[own], y[own]))

    def learn() -> object:
        consortium = Consortium(parties, seed=1)
        return consortium.calibrate(3, samples_per_iteration=100, progress=False)

    return learn, 300


CASES: dict[str, Callable[[], Case]] = {
    "UCB, 1 agent, 10 arms": lambda: _bandit(fm.UCB(), 1, 10, 400_000, fm.Static(nx.empty_graph(1))),
    "GSE, 16 agents, 5 arms": lambda: _bandit(fm.GSE(), 16, 5, 40_000),
    "GSE, 16 agents, 20 arms": lambda: _bandit(fm.GSE(), 16, 20, 12_000),
    "GSE, 16 agents, 50 arms": lambda: _bandit(fm.GSE(), 16, 50, 5_000),
    "GSE, grid of 10,000, 10 arms": lambda: _bandit(
        fm.GSE(algebraic_connectivity=1e-3), 10_000, 10, 50, fm.ErdosRenyi(nx.grid_2d_graph(100, 100), 0.9)
    ),
    "DrFed-UCB, 16 agents, 5 arms": lambda: _bandit(fm.DrFedUCB(), 16, 5, 20_000),
    "DrFed-UCB, 16 agents, 20 arms": lambda: _bandit(fm.DrFedUCB(), 16, 20, 8_000),
    "UCB-SBM, 100 agents, 10 arms": lambda: _clusters(100, 5, 400),
    "UCB-SBM, 100 agents, 10 arms, interleaved": lambda: _clusters(100, 5, 400, interleaved=True),
    "UCB-SBM, 1,000 agents, 10 arms": lambda: _clusters(1_000, 10, 200),
    "UCB-SBM, 1,000 agents, 10 arms, interleaved": lambda: _clusters(1_000, 10, 200, interleaved=True),
    "CooperativeUCB, 16 agents, 10 arms": lambda: _bandit(fm.CooperativeUCB(), 16, 10, 20_000),
    "GossipUCB, 16 agents, 5 arms": lambda: _bandit(fm.GossipUCB(), 16, 5, 20_000),
    "GossipUCB, 16 agents, 10 arms": lambda: _bandit(fm.GossipUCB(), 16, 10, 8_000),
    "GossipUCB, 16 agents, 20 arms": lambda: _bandit(fm.GossipUCB(), 16, 20, 5_000),
    "S1, 10 agents, 5 arms, 3 objectives": lambda: _vectors(fm.S1()),
    "S2, 10 agents, 5 arms, 3 objectives": lambda: _vectors(fm.S2()),
    "BC-UCB, the loop, 10 participants": lambda: _chain(10, 20_000),
    "BC-UCB, protocol, 4 participants": lambda: _chain(4, 50, fidelity="protocol"),
    "BC-UCB, protocol, 7 participants": lambda: _chain(7, 35, fidelity="protocol"),
    "BC-UCB, protocol, 10 participants": lambda: _chain(10, 25, fidelity="protocol"),
    "BC-UCB, protocol, 16 participants": lambda: _chain(16, 18, fidelity="protocol"),
    "ledger of a game, verified": _verified,
    "consortium, 6 parties, calibrated": _learning,
}


def _cpu() -> float:
    """Processor time of this process and of its children that have ended."""
    times = os.times()
    return process_time() + times.children_user + times.children_system


def main() -> None:
    """For each name on standard input: play, then the nanoseconds of a unit on standard output, or `-`: not here."""
    cases: dict[str, Case] = {}
    for line in sys.stdin:
        name = line.strip()
        try:
            if name not in cases:
                cases[name] = CASES[name]()
                cases[name][0]()  # compiles
        except ImportError:
            print("-", flush=True)
            continue
        play, units = cases[name]
        begun = _cpu()
        play()
        print((_cpu() - begun) / units * 1e9, flush=True)


if __name__ == "__main__":
    main()
