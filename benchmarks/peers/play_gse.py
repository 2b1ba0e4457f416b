"""GSE by its authors' published code: `python play_gse.py CHECKOUT ROUNDS`. Imports nothing of Folkmoot."""

import json
import random
import sys
import time
import types
from pathlib import Path

import networkx as nx
import numpy as np
import torch

N_AGENTS, N_ARMS, DOWN = 16, 5, 0.1  # their p is the probability that a link is down


def main(checkout, rounds):
    sys.path.insert(0, str(next(Path(checkout).rglob("federatedbandit")).parent))
    sys.modules.setdefault("cvxpy", types.ModuleType("cvxpy"))  # imported there, and not used by GSE
    from federatedbandit.agent import GSE

    torch.set_num_threads(1)
    random.seed(0)
    means = np.linspace(0.1, 0.9, N_ARMS)
    drawn = np.random.default_rng(0).uniform(size=(rounds, N_AGENTS, N_ARMS)) < means
    losses = torch.tensor(1.0 - drawn, dtype=torch.float32)
    agents = GSE(N_AGENTS, N_ARMS, nx.complete_graph(N_AGENTS), "COMPLETE", DOWN, rounds, torch.device("cpu"))
    begun = time.process_time()
    for t in range(rounds):
        agents.update(losses[t], agents.action(t))
    print(json.dumps({"steps": rounds * N_AGENTS, "seconds": time.process_time() - begun}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
