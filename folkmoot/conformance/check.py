"""Does an algorithm keep the rules? The checks of the library's own conformance suite, for algorithms of one's own."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from folkmoot.algorithms.base import Algorithm
from folkmoot.coins import replicate_coins, seed_words
from folkmoot.conformance.late import Nonsense
from folkmoot.conformance.rows import Rows
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.parts import Parts
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.result import Result
from folkmoot.simulation.simulate import make_job, require_rewards, simulate
from folkmoot.world.feedback import Feedback
from folkmoot.world.networks import ErdosRenyi, Network
from folkmoot.world.presence import Presence
from folkmoot.world.rewards import Bernoulli, Rewards

RULES = {
    "arms": "select gives an arm from 0 to n_arms - 1",
    "chance": "the same seed gives the same result, whatever other generators say: chance comes from folkmoot.coins",
    "rows": "a function reads its own row and the inbox of its neighbours, and writes to its own row",
    "compiled": "compiled and interpreted runs are equal bit for bit",
    "workers": "any number of workers gives the same result",
    "late": "no outcome (arm -1) is not an outcome; absent, late and lost are the same compiled and interpreted",
    "wire": "an agent on its own, told by messages only, pulls the same arms",
}
_FIELDS = ("pulls", "team_pulls", "messages", "bytes", "verified", "decisions", "decided_at")
_ROUNDS = 30  # where every function is called by hand
_MEANS = [[0.1, 0.2, 0.9, 0.3], [0.2, 0.1, 0.9, 0.3], [0.9, 0.1, 0.8, 0.2],
          [0.9, 0.2, 0.8, 0.1], [0.1, 0.9, 0.8, 0.2], [0.2, 0.9, 0.8, 0.1]]  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """An algorithm that has kept every rule that was checked.

    Attributes:
        algorithm: its label.
        kept: the rules, in the order of the checks; what each asks for stands in RULES.
        left_out: rules that do not bind it: an oracle sees all rows, and cannot run alone.
    """

    algorithm: str
    kept: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.algorithm} keeps {len(self.kept)} rules:", *(f"  {name}: {RULES[name]}" for name in self.kept)]
        return "\n".join([*lines, *(f"  left out: {name}" for name in self.left_out)])


def check_algorithm(
    algorithm: Algorithm,
    rewards: Rewards | None = None,
    network: Network | None = None,
    *,
    horizon: int = 120,
    seed: int = 0,
) -> Checked:
    """Put an algorithm through the conformance checks, the cheapest first. Takes half a minute, most of it compiling.

    Args:
        algorithm: its configuration.
        rewards, network: a world it can play in; None: six agents that disagree on four arms, links up with
            probability 0.8.
        horizon: rounds of each run.
        seed: of the coins.

    Raises:
        ValueError: the first rule it breaks, in one line; a world of another kind, or one that it refuses.
    """
    if not isinstance(algorithm, Algorithm):
        raise ValueError(f"algorithm: expected a configuration such as MyAlgorithm(), got {type(algorithm).__name__}")
    rewards = Bernoulli(_MEANS) if rewards is None else rewards
    require_rewards(rewards)
    network = ErdosRenyi(nx.complete_graph(rewards.n_agents), 0.8) if network is None else network
    world = _World(algorithm, rewards, network, horizon, seed)
    world.job()  # a world it refuses is no broken rule
    checks: dict[str, Callable[[], None]] = {
        "arms": world.arms,
        "chance": world.chance,
        "rows": world.rows,
        "compiled": world.compiled,
        "workers": world.workers,
        "late": world.late,
        "wire": world.wire,
    }
    left_out = ("rows", "wire") if algorithm.is_oracle else ()
    for rule, check in checks.items():
        if rule not in left_out:
            try:
                check()
            except _Broken as broken:
                name = type(algorithm).__name__
                raise ValueError(f"{name} breaks the rule {rule!r} ({RULES[rule]}): {broken}") from broken.__cause__
    return Checked(algorithm.label, tuple(rule for rule in checks if rule not in left_out), left_out)


class _Broken(ValueError):
    """A rule is broken; how."""


class _World:
    """An algorithm in a world, and runs of it."""

    def __init__(self, algorithm: Algorithm, rewards: Rewards, network: Network, horizon: int, seed: int) -> None:
        self._algorithm, self._world, self._horizon, self._seed = algorithm, (rewards, network), horizon, seed
        self._rare: dict[str, Any] = {
            "presence": Presence(probability=0.8),
            "feedback": Feedback(delay="geometric", mean=4.0, loss=0.2),
        }

    def job(self, **more: Any) -> Job:
        """The interpreted game."""
        options = {"horizon": self._horizon, "seed": self._seed, "engine": "interpreted", **more}
        return make_job(self._algorithm, *self._world, **options)

    def _run(self, engine: str = "interpreted", replicates: int = 1, **more: Any) -> Result:
        options = {"horizon": self._horizon, "seed": self._seed, "progress": False, **more}
        return simulate(self._algorithm, *self._world, engine=engine, replicates=replicates, **options)

    def arms(self) -> None:
        """One run."""
        try:
            self._run()
        except ValueError as error:
            if "select gave arm" not in str(error):
                raise
            raise _Broken(str(error)) from error

    def chance(self) -> None:
        """Two runs, while the generators of Python and NumPy stand elsewhere; afterwards they stand where they did."""
        runs: list[Result] = []
        kept = random.getstate(), np.random.get_state()
        try:
            for seed in (1, 2):
                random.seed(seed)
                np.random.seed(seed)
                runs.append(self._run())
        finally:
            random.setstate(kept[0])
            np.random.set_state(kept[1])
        _compare(runs[0], runs[1], "two interpreted runs with one seed differ")

    def rows(self) -> None:
        """Every function with nonsense in rows that it may not read."""
        job, coins = self.job(), replicate_coins(*seed_words(self._seed), 0)
        world = job.world()
        try:
            Rows(job.params(), world.rewards, world.network, coins, job.rewards.n_objectives).check(
                min(self._horizon, _ROUNDS)
            )
        except ValueError as error:
            raise _Broken(str(error)) from error

    def compiled(self) -> None:
        """Both engines."""
        _compare(self._run(), self._run("compiled"), "the engines differ")

    def workers(self) -> None:
        """One worker and three."""
        one, three = (self._run("compiled", 5, jobs=jobs) for jobs in (1, 3))
        _compare(one, three, "one worker and three differ")

    def late(self) -> None:
        """Agents that come and go, outcomes that come late or never."""
        slow = self._run(**self._rare)
        nonsense = Nonsense(delay="geometric", mean=4.0, loss=0.2)
        other = self._run(**{**self._rare, "feedback": nonsense})
        _compare(slow, other, "it looks at the reward of an outcome that has not come (seen.arm[i] is -1)")
        _compare(
            slow, self._run("compiled", **self._rare), "where agents are absent and outcomes late, the engines differ"
        )

    def wire(self) -> None:
        """Machines against the loop, without and with absence and delay."""
        plain: dict[str, Any] = {}
        for more in (plain, self._rare):
            job = self.job(**more)
            loop, machines = Parts(job), Agents(job)
            for t in range(1, min(self._horizon, _ROUNDS) + 1):
                loop.play(t)
                machines.play_round()
                if not (loop.tally.pulls[0] == machines.pulls).all():
                    agent = int((loop.tally.pulls[0] != machines.pulls).any(axis=1).argmax())
                    raise _Broken(f"agent {agent} alone pulls another arm in round {t}")


def _compare(one: Result, other: Result, what: str) -> None:
    for field in _FIELDS:
        if getattr(one, field).tobytes() != getattr(other, field).tobytes():
            raise _Broken(f"{what}, in {field}")
