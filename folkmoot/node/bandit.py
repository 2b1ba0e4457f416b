"""The system "bandit": from a charter to the agents that its members play; there is no chain."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from folkmoot.algorithms import ALGORITHMS
from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.role import role as agent_role
from folkmoot.configuration import Configuration, shown
from folkmoot.machine import Machine, Resumes
from folkmoot.node import enduring, revealing
from folkmoot.node.charter import BadCharter, Charter
from folkmoot.node.system import WithoutAccounts, coins_of, kind_of, settings_of
from folkmoot.world import NETWORKS
from folkmoot.world.in_file import InFile


class BanditSettings(Configuration):
    """Settings of the system "bandit".

    Attributes:
        algorithm: `type` of a cooperative algorithm, and its fields, as in an experiment file.
        network: what algorithms are told of the network, as in an experiment file; left out: everybody may talk to
            everybody, and a message in a hundred is late.
        certain: are all members always there, each message and outcome in time? Only for comparison with the simulator.
    """

    says_its_name = False

    algorithm: dict[str, Any] = Field(default_factory=lambda: {"type": "flood_se"})
    network: dict[str, Any] = Field(
        default_factory=lambda: {"type": "erdos_renyi", "base": "complete", "link_probability": 0.99}
    )
    certain: bool = False


class Bandit(WithoutAccounts):
    """Every cooperative algorithm of the library that no oracle helps, one agent a member."""

    has_ledger = sealed = learns = asks_in_rounds = False

    def __init__(self, charter: Charter) -> None:
        self._charter, terms = charter, charter.terms
        if not isinstance(given := terms.settings.get("algorithm", {}), Mapping):
            form = 'expected a table with its type, as in { type = "cooperative_ucb" }'
            raise BadCharter(f"terms.settings.algorithm = {shown(given)}: {form}")
        settings: BanditSettings = settings_of(BanditSettings, terms.settings)
        n = charter.n_members
        context: Any = InFile(folder=None, load=None, n_agents=n)  # type: ignore[arg-type]
        self.algorithm: Algorithm = kind_of(ALGORITHMS, settings.algorithm, context, "algorithm")
        network: Any = kind_of(NETWORKS, settings.network, context, "network")
        uncertain = not settings.certain
        self.problem = Problem(
            n, len(terms.arms), terms.rounds, network.base, network.link_probability, 0.5, network.labels,
            one_sided=uncertain or network.one_sided, absent=uncertain, delayed=uncertain,
        )  # fmt: skip
        self._coins = coins_of(charter)
        try:
            agent_role(self.algorithm, self.problem, 0, self._coins, terms.window)
        except ValueError as error:
            raise BadCharter(f"terms.settings.algorithm: {error}") from None

    def role(self, me: int, seed: bytes, *, folder: Path | None = None) -> Resumes:
        """See `System`."""
        return agent_role(self.algorithm, self.problem, me, self._coins, self._charter.terms.window)

    def stages_in(self, round: int) -> int | None:
        """See `System`: all."""
        return None

    def silent(self, machine: Machine, stage: int) -> bool:
        """See `System`: in the last stage agents only learn."""
        return stage == len(machine.stages) - 1

    def seen(self, machine: Any) -> Mapping[str, Any]:
        """See `System`."""
        learner = machine.learner
        return {"decision": learner.decision, "estimates": _shared(learner.state, learner.index)}

    def reveals(self) -> list[str]:
        """See `System`."""
        return revealing.of_bandit(type(self.algorithm).__name__, self._charter.n_members - 1)

    def endures(self) -> list[str]:
        """See `System`."""
        return enduring.of_bandit(self.algorithm, self._charter.n_members)

    def costs(self) -> list[str]:
        """See `System`."""
        return []

    def received(self, data: bytes) -> Any:
        """See `System`."""
        return None


def _shared(state: Any, me: int) -> list[float | None]:
    """What an agent knows of the mean over all members, by arm, where its algorithm has such; of arms in play."""
    for name in ("gossip", "estimate"):
        if hasattr(state, name):
            means = getattr(state, name)[me]
            active = getattr(state, "active", None)
            known = np.ones(len(means), np.bool_) if active is None else active[me]
            known = known & np.isfinite(means) & (means != 0.0)
            return [float(mean) if there else None for mean, there in zip(means, known)]
    if hasattr(state, "team_pulls"):
        pulls, total = state.team_pulls[me], state.team_total[me]
        return [float(t / n) if n else None for t, n in zip(total, pulls)]
    return [None] * state.pulls.shape[1] if hasattr(state, "pulls") else []
