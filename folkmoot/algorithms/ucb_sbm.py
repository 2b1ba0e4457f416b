"""UCB-SBM: DrFed-UCB for agents that come in clusters, given or to be found. What is configured, and what is checked.

Source: arXiv 2502.08003, Algorithms 1 to 3. Rule 1 is in `drfed_ucb`, Rule 2 in `cluster_gossip`, Algorithm 3 in
`clustering`. [T] stated there, [R] recalled, [I] filled in by us, [D] derived.
"""

from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from folkmoot.algorithms import clustering, drfed_ucb, survey
from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.cluster_gossip import Params


class UCBSBM(Algorithm):
    """Pooling within clusters, gossip between them; Rule 1 is DrFed-UCB, which knows no clusters.

    Every agent must know the cluster of every other. In rounds where all mates are linked to one another, mates know
    the same and pull the same arm. The estimate aims at sum_c w_c mu_c, with the w_c that `weights` says; with "size"
    that is the mean over all agents.

    With clusters="detect" agents pull in turn for `burn_in` rounds, then for n_agents - 1 more, in which all pass on
    all they have gathered (enough if the links of every round connect everybody [I]; those bytes are not counted);
    then all compute the same clusters and go on. The burn-in of a replicate decides its clusters.

    Attributes:
        rule: 1 or 2.
        clusters: the cluster of every agent, from 0 on, or "detect"; None takes those the network declares.
        n_clusters: how many; needed for "detect" alone, otherwise only checked.
        refresh: tau, rounds between two refreshments of pooled counts, pooled means and relayed copies.
        burn_in: L; None is 25 pulls per arm, at most a tenth of the horizon.
        c1: C_1 in the radius sqrt(C_1 ln t / pooled pulls); None is the recalled 96 sigma^2 (C + 2) / C^3 [R]. It
            falls with C, so fewer clusters get a larger radius: literally, Rule 2 with C < M explores more than Rule 1,
            and the total bound C C_1(C) ~ 1/C gets worse [D]. Give all algorithms of a comparison the same C_1.
        gate: an arm is behind if its pulls, per "agent" of the cluster [I] or of the whole "cluster" [T], are at
            least K below the largest heard of. One round adds a cluster's size to the latter.
        weights: "size" weighs a cluster by its share of the agents [I]; "smallest" takes all clusters to be as small
            as the smallest [T], hence as equals and with counts scaled down; the same if sizes are equal.
        similarity: of two agents in detection: "frequency" of their links, or whether they have "met_once" [T].
        detection: "IR-sLS" or "IR-LS", see `folkmoot.algorithms.clustering`.
        detection_seed: of the starts of detection.
    """

    label: ClassVar[str] = "UCB-SBM"
    rule: Literal[1, 2] = 2
    clusters: tuple[int, ...] | Literal["detect"] | None = None
    n_clusters: int | None = Field(None, ge=1)
    refresh: int = Field(1, ge=1)
    burn_in: int | None = Field(None, ge=1)
    c1: float | None = Field(None, gt=0)
    gate: Literal["agent", "cluster"] = "agent"
    weights: Literal["size", "smallest"] = "size"
    similarity: clustering.Similarity = "frequency"
    detection: clustering.Method = "IR-sLS"
    detection_seed: int = Field(0, ge=0, lt=2**32)

    @field_validator("clusters", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> Any:
        if isinstance(value, list | tuple | np.ndarray):
            return tuple(label.item() if isinstance(label, np.generic) else label for label in value)
        return value

    @model_validator(mode="after")
    def _settings_fit_together(self) -> Self:
        if self.rule == 1 and (self.clusters is not None or self.n_clusters is not None):
            raise ValueError("rule = 1 knows no clusters: expected clusters and n_clusters for rule = 2 only")
        if self.clusters == "detect" and self.n_clusters is None:
            raise ValueError("clusters = 'detect' with n_clusters = None: expected how many clusters to find")
        return self

    def params(self, problem: Problem) -> drfed_ucb.Params | Params:
        if self.rule == 1:
            return drfed_ucb.DrFedUCB(c1=self.c1, burn_in=self.burn_in).params(problem)
        n, k = problem.n_agents, problem.n_arms
        length = self._length(problem)
        if self.clusters == "detect":  # undetected, agents do not get beyond the burn-in
            labels, length = self._undetected(problem), problem.horizon
        else:
            labels = self._known(problem)
        sizes = np.bincount(labels)
        c = len(sizes)
        problem.require_memory(n * k * (16.0 * sizes.max() + 32.0 * c), "UCBSBM, which keeps a table for every mate,")
        rank = np.zeros(n, np.int64)
        for cluster in range(c):
            rank[labels == cluster] = np.arange(sizes[cluster])
        relative = sizes / sizes.min()
        return Params(
            n,
            k,
            length,
            self.refresh,
            self.c1 or drfed_ucb.recalled_c1(c, problem.sub_gaussian),
            int(sizes.max()),
            labels,
            rank,
            sizes * c / n if self.weights == "size" else np.ones(c),
            sizes.astype(np.float64) if self.gate == "agent" else relative,
            np.ones(c) if self.weights == "size" else relative,
            sizes,
        )

    def _length(self, problem: Problem) -> int:
        """L, checked; with clusters to be detected, the rounds to pass everything on are part of the burn-in."""
        default = drfed_ucb.DrFedUCB().params(replace(problem, n_agents=1)).burn_in
        length = self.burn_in or default
        extra = problem.n_agents - 1 if self.clusters == "detect" else 0
        if not problem.n_arms <= length <= problem.horizon - extra:
            passing = f" less {extra} to pass everything on" if extra else ""
            raise ValueError(
                f"UCBSBM burn_in = {length}: expected from the number of arms, {problem.n_arms}, "
                f"to the horizon, {problem.horizon}{passing}"
            )
        return length

    def _known(self, problem: Problem) -> NDArray[np.int64]:
        """Every agent's cluster, checked."""
        given = self.clusters if self.clusters is not None else problem.labels
        if given is None:
            raise ValueError("UCBSBM clusters = None: the network declares none; give labels, or 'detect'")
        labels = np.array(given, np.int64)
        if labels.shape != (problem.n_agents,):
            raise ValueError(
                f"UCBSBM clusters: got {labels.size} labels; expected one for each of {problem.n_agents} agents"
            )
        n_clusters = int(labels.max()) + 1 if self.n_clusters is None else self.n_clusters
        if not 0 <= labels.min() <= labels.max() < n_clusters:
            raise ValueError(
                f"UCBSBM clusters: labels from {labels.min()} to {labels.max()}; expected 0 to {n_clusters - 1}"
            )
        missing = np.setdiff1d(np.arange(n_clusters), labels)
        if len(missing) > 0:
            raise ValueError(
                f"UCBSBM clusters: cluster {missing[0]} is empty; expected an agent in each of {n_clusters}"
            )
        return labels

    def _undetected(self, problem: Problem) -> NDArray[np.int64]:
        """Labels that reserve room for the clusters to be found."""
        assert self.n_clusters is not None
        if self.n_clusters > problem.n_agents:
            raise ValueError(f"UCBSBM n_clusters = {self.n_clusters}: expected at most {problem.n_agents} agents")
        return np.arange(problem.n_agents) % self.n_clusters

    def preparation(self, problem: Problem) -> tuple[survey.Params, int] | None:
        """What a replicate's agents do before they know their clusters, and for how many rounds; None if they do."""
        return (survey.blank(problem), self._length(problem)) if self.clusters == "detect" else None

    def prepared(self, problem: Problem, studied: survey.Params) -> "UCBSBM":
        """The same algorithm, with the clusters that the survey shows."""
        assert self.n_clusters is not None
        length = self._length(problem)
        labels = clustering.detect_from_meetings(
            studied.met,
            studied.mean,
            length,
            self.n_clusters,
            problem.sub_gaussian,
            similarity=self.similarity,
            method=self.detection,
            seed=self.detection_seed,
        )
        found = {"clusters": tuple(labels.tolist()), "burn_in": length + problem.n_agents - 1}
        return self.model_copy(update=found)
