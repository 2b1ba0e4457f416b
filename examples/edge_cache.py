"""Five edge servers choose one of six cache policies together: an application of a Folkmoot node.

Each server asks the node beside it which policy to run in this round, serves the next few hundred requests with it, and
reports the share that it found in its cache. What is popular differs by region, and in four of five regions it changes
during the day. So what is best for one region need not be best for all, and all are to run one policy.

    folkmoot try edge_cache                         # five nodes and five servers on this machine, and a page
    python examples/edge_cache.py DIR [DIR ...]     # servers for nodes that run already, given their data folders
    python examples/edge_cache.py --alone ROUNDS    # what it is compared with: no nodes, each server for itself
"""

import sys
import threading
import time
from math import inf, log, sqrt
from pathlib import Path
from random import Random

import numpy as np

ARMS = ("fifo", "lru", "lfu", "lfu-aged", "random", "second-hit")
HIGH = 0.6  # a hit rate that no cache of this size reaches: the closer the scale, the sooner policies can be told apart
TERMS = {
    "name": "edge caches",
    "system": "bandit",
    "arms": list(ARMS),
    "high": HIGH,
    "rounds": 5_000,
    "settings": {"algorithm": {"type": "flood_se", "delta": 0.05}},
}
OBJECTS, CAPACITY, REQUESTS, SAMPLE = 2_000, 150, 500, 8
MOVED, STEADY = 100, 4  # objects that change places in a round; the number of the region where none does
FORGETS = 2_000  # requests after which "lfu-aged" counts one half as much


class Cache:
    """A cache whose policy can change from request to request: what it holds stays.

    As in stores that serve many, it does not look for the worst object of all: it looks at a few and drops the worst.
    """

    def __init__(self, seed: int) -> None:
        self.chance, self.clock = Random(seed), 0
        self.held: list[int] = []
        self.place: dict[int, int] = {}  # where each object stands in the list
        self.entered, self.used = dict[int, int](), dict[int, int]()
        self.count, self.aged = dict[int, int](), dict[int, float]()

    def serve(self, key: int, policy: str) -> bool:
        """Was the object there? If not, it is taken in, in place of another one."""
        self.clock += 1
        age = 0.5 ** ((self.clock - self.used.get(key, self.clock)) / FORGETS)
        self.count[key] = seen = self.count.get(key, 0) + 1
        self.aged[key] = 1 + self.aged.get(key, 0.0) * age
        self.used[key] = self.clock
        if key in self.place:
            return True
        if len(self.held) < CAPACITY:
            self.place[key] = len(self.held)
            self.held.append(key)
        elif policy != "second-hit" or seen > 1:
            victim = self._worst(policy)
            self.place[key] = at = self.place.pop(victim)
            self.held[at] = key
        self.entered[key] = self.clock
        return False

    def _worst(self, policy: str) -> int:
        few = [self.held[int(self.chance.random() * CAPACITY)] for _ in range(SAMPLE)]
        if policy == "fifo":
            return min(few, key=self.entered.__getitem__)
        if policy == "lfu":
            return min(few, key=self.count.__getitem__)
        if policy == "lfu-aged":
            return min(few, key=lambda one: self.aged[one] * 0.5 ** ((self.clock - self.used[one]) / FORGETS))
        if policy == "random":
            return few[0]
        return min(few, key=self.used.__getitem__)


class Region:
    """An endless trace: what is popular differs by region and moves, and a crawler asks for what nobody else does."""

    def __init__(self, number: int) -> None:
        self.moved = 0 if number == STEADY else MOVED
        self.chance = np.random.default_rng(1_000 + number)
        weights = 1 / np.arange(1, OBJECTS + 1) ** (0.75 + 0.05 * (number % 3))
        self.shares = weights / weights.sum()
        self.order = np.random.default_rng(number % 2).permutation(OBJECTS)
        self.scan = 0

    def requests(self) -> list[int]:
        """The next few hundred."""
        moved = self.chance.permutation(OBJECTS)[: self.moved]
        self.order[moved] = self.order[np.roll(moved, 1)]
        popular = self.order[self.chance.choice(OBJECTS, REQUESTS * 4 // 5, p=self.shares)]
        once = OBJECTS + self.scan + np.arange(REQUESTS - len(popular))  # a crawler asks for each object once
        self.scan += len(once)
        asked = np.concatenate([popular, once])
        self.chance.shuffle(asked)
        return [int(key) for key in asked]


class Server:
    """One edge server."""

    def __init__(self, number: int) -> None:
        self.region, self.cache = Region(number), Cache(number)
        for _ in range(6):
            self.play("lru")

    def play(self, policy: str) -> float:
        """Serve the next requests with this policy; the share that was in the cache."""
        asked = self.region.requests()
        return sum(self.cache.serve(key, policy) for key in asked) / len(asked)


def serve(folder: Path, number: int, ends: threading.Event) -> None:
    """A server, for as long as its node runs."""
    from folkmoot.node import Client, NotNow, Refused
    from folkmoot.node.folder import Folder

    server, last, client = Server(number), (1, 0), None
    while not ends.is_set():
        try:
            client = client or Client.of(Folder(folder))
            decision = client.decide(after=last[1])  # it waits a few seconds for the next round, not for ever
            if (decision.epoch, decision.round) == last:
                continue
            last = decision.epoch, decision.round  # with each epoch, rounds begin at 1 again
            client.outcome(decision.ticket, server.play(decision.name))
        except Refused:  # for good, as at the end of an epoch: that round is over, and the next one comes
            pass
        except (NotNow, ValueError):  # no round is under way, or the node is away: it keeps what it had
            time.sleep(0.1)


def play(folders: list[Path], ends: threading.Event) -> None:
    """A server for each node."""
    threads = [threading.Thread(target=serve, args=(folder, n, ends), daemon=True) for n, folder in enumerate(folders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def alone(number: int, rounds: int, policies: tuple[str, ...] = ARMS, c: float = 2.0) -> tuple[float, str]:
    """A server without a node, which learns for itself with UCB: its hit rate, and the policy that it finds best.

    `policies`: among which it chooses; with one alone it has nothing to learn. `c`: how much it tries what seems worse.
    """
    server, plays, sums = Server(number), [0] * len(policies), [0.0] * len(policies)
    for t in range(1, rounds + 1):
        bounds = [s / n / HIGH + sqrt(c * log(t) / n) if n else inf for s, n in zip(sums, plays)]
        arm = bounds.index(max(bounds))
        sums[arm] += server.play(policies[arm])
        plays[arm] += 1
    means = [s / n if n else 0.0 for s, n in zip(sums, plays)]
    return sum(sums) / rounds, policies[means.index(max(means))]


def compare(rounds: int) -> None:
    """Print what five servers come to without nodes, in so many rounds."""
    ways = [("each alone, UCB, c = 2", ARMS, 2.0), ("each alone, UCB, c = 0.2", ARMS, 0.2)]
    for name, policies, c in (*ways, *((f"always {policy}", (policy,), 0.0) for policy in ARMS)):
        found = [alone(number, rounds, policies, c) for number in range(5)]
        rates = " ".join(f"{rate:.3f}" for rate, _ in found)
        finds = f"   finds {', '.join(best for _, best in found)}" if len(policies) > 1 else ""
        print(f"{name:24} {sum(rate for rate, _ in found) / 5:.3f}   by server {rates}{finds}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    if sys.argv[1] == "--alone":
        compare(int(sys.argv[2]))
    else:
        play([Path(folder) for folder in sys.argv[1:]], threading.Event())
