"""UCB-SBM: DrFed-UCB for agents that come in clusters, given or to be found. What is configured, and what is checked.

Source: arXiv 2502.08003, Algorithms 1 to 3. Rule 1 is in `drfed_ucb`, Rule 2 in `cluster_gossip`, Algorithm 3 in
`clustering` and `survey`. [T] stated there, [R] recalled, [I] filled in by us, [D] derived.
"""

from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, field_validator, model_validator

from folkmoot.algorithms import cluster_gossip, clustering, drfed_ucb, survey
from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.cluster_records import Params
from folkmoot.doors import array

__all__ = ["UCBSBM", "cluster_gossip", "shared_c1"]

Published = Literal["published_agents", "published_clusters"]


class UCBSBM(Algorithm):
    """Pooling within clusters, gossip between them; Rule 1 is DrFed-UCB, which knows no clusters.

    Two goals, and they are different games. With goal="common" all agents look for the one arm that is best on average
    over all agents: for a decision that binds everybody. With goal="cluster" each agent looks for the best arm of its
    own cluster, with the data of its mates alone, and clusters say nothing to one another: for decisions that everybody
    takes for itself, where clusters differ. In the first, an agent may do worse than alone; in the second it cannot
    gain from other clusters.

    Every agent must know the cluster of every other. In rounds where all mates are linked to one another, mates know
    the same and pull the same arm. The common estimate aims at sum_c w_c mu_c, with the w_c that `weights` says; with
    "size" that is the mean over all agents.

    With clusters="detect" agents pull in turn for `burn_in` rounds, then for `passing` more, in which all pass on
    all they have gathered; then all compute the same clusters and go on. The burn-in of a replicate decides its
    clusters. If an agent still lacks what another has gathered, agents would compute different clusters: the run ends
    with a ValueError that says so.

    Attributes:
        rule: 1 or 2.
        goal: "common" or "cluster".
        clusters: the cluster of every agent, from 0 on, or "detect"; None takes those the network declares.
        n_clusters: how many; needed for "detect" alone, otherwise only checked.
        refresh: tau, rounds of a period: cluster means, counts and copies are adopted when one ends, the same by all
            mates if links allow (Theorem 10). At most C - 1, as the paper says of its period l; 1 if C is 1 or 2.
        burn_in: L; None is 25 pulls per arm, at most a tenth of the horizon; with goal = "cluster" and clusters that
            are known it is one pull per arm.
        passing: rounds after the burn-in for passing on, with "detect"; None is n_agents - 1, which is enough if the
            links of every round connect everybody [I].
        c1: C_1 in the radius sqrt(C_1 ln t / pooled pulls), or the name of a published constant [R]:
            "published_agents" is 96 sigma^2 (M + 2) / M^3, DrFed-UCB's; "published_clusters" is 96 sigma^2
            (C + 2) / C^3, which the paper's bound suggests, and which explores more than Rule 1 where C < M. None is
            `shared_c1` times the cluster's size, with goal = "cluster" 2 sigma^2 [D]; for rule 1 DrFed-UCB's.
        gate: an arm is behind if its pulls are at least K below the largest heard of. "agent" compares the agent's
            own pulls [I]; "cluster" what it knows of its cluster's [T], which where mates meet rarely is behind for
            ever, and then pulls at random.
        weights: "size" weighs a cluster by its share of the agents [I]; "smallest" takes all clusters to be as small
            as the smallest [T], hence as equals and with counts scaled down; the same if sizes are equal.
        relay: do mates pass on the tables of other mates, each with its round? None: where `refresh` is above 1, or
            the base graph lacks a link between two mates. On block models, where all mates meet, it gains nothing.
        similarity: of two agents in detection: "frequency" of their links, or whether they have "met_once" [T].
        detection: "IR-sLS" or "IR-LS", see `folkmoot.algorithms.clustering`.
        detection_seed: of the starts of detection.
    """

    label: ClassVar[str] = "UCB-SBM"
    rule: Literal[1, 2] = 2
    goal: Literal["common", "cluster"] = "common"
    clusters: tuple[int, ...] | Literal["detect"] | None = None
    n_clusters: int | None = Field(None, ge=1)
    refresh: int = Field(1, ge=1)
    burn_in: int | None = Field(None, ge=1)
    passing: int | None = Field(None, ge=1)
    c1: float | Published | None = None
    gate: Literal["agent", "cluster"] = "agent"
    weights: Literal["size", "smallest"] = "size"
    relay: bool | None = None
    similarity: clustering.Similarity = "frequency"
    detection: clustering.Method = "IR-sLS"
    detection_seed: int = Field(0, ge=0, lt=2**32)
    _survey: survey.Params | None = PrivateAttr(None)

    @field_validator("clusters", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> Any:
        if isinstance(value, list | tuple | np.ndarray):
            labels = array("UCBSBM clusters", value, "whole numbers, one for each agent", "whole")
            return tuple(labels.ravel().tolist())
        return value

    @model_validator(mode="after")
    def _settings_fit_together(self) -> Self:
        if isinstance(self.c1, float) and not self.c1 > 0.0:
            raise ValueError(f"c1 = {self.c1!r}: expected a number above 0, 'published_agents' or 'published_clusters'")
        if self.rule == 1 and (self.clusters is not None or self.n_clusters is not None):
            raise ValueError("rule = 1 knows no clusters: expected clusters and n_clusters for rule = 2 only")
        if self.rule == 1 and (self.goal, self.refresh, self.relay) != ("common", 1, None):
            raise ValueError("rule = 1 knows no clusters: expected goal, refresh and relay for rule = 2 only")
        if self.goal == "cluster" and (self.gate, self.weights) != ("agent", "size"):
            raise ValueError("goal = 'cluster' has neither gate nor weights: expected those for goal = 'common' only")
        if "published" in str(self.c1) and (
            self.goal == "cluster" or (self.rule, self.c1) == (1, "published_clusters")
        ):
            raise ValueError(f"c1 = {self.c1!r}: has no meaning for rule = {self.rule} with goal = {self.goal!r}")
        if self.clusters == "detect" and self.n_clusters is None:
            raise ValueError("clusters = 'detect' with n_clusters = None: expected how many clusters to find")
        if self.passing is not None and self.clusters != "detect" and self._survey is None:
            raise ValueError(f"passing = {self.passing}: expected for clusters = 'detect' only")
        if self.refresh > 1 and self.relay is False:
            raise ValueError("relay = False: expected True or None with refresh above 1, where mates pass tables on")
        return self

    @property
    def pursues(self) -> Literal["common", "cluster"]:
        return self.goal

    def params(self, problem: Problem) -> drfed_ucb.Params | Params:
        if self.rule == 1:
            c1 = self.c1 if isinstance(self.c1, float) else None
            return drfed_ucb.DrFedUCB(c1=c1, burn_in=self.burn_in).params(problem)
        length = self._length(problem)
        if self.clusters == "detect":  # undetected, agents do not get beyond the burn-in
            labels, length = self._undetected(problem), problem.horizon
        else:
            labels = self._known(problem)
        sizes = np.bincount(labels)
        self._check_period(len(sizes), length)
        n, k, c = problem.n_agents, problem.n_arms, len(sizes)
        problem.require_memory(n * k * (32.0 * sizes.max() + 64.0 * c), "UCBSBM, which keeps a table for every mate,")
        rank = np.zeros(n, np.int64)
        for cluster in range(c):
            rank[labels == cluster] = np.arange(sizes[cluster])
        border = np.flatnonzero(np.diff(labels))  # where the next agent is of another cluster
        c1, unit = self._radius(problem, sizes)
        return Params(
            n,
            k,
            length,
            self.refresh,
            c1,
            labels,
            rank,
            np.unique(labels, return_index=True)[1] if len(border) == c - 1 else np.zeros(0, np.int64),
            sizes * c / n if self.weights == "size" else np.ones(c),
            sizes / sizes.min(),
            unit,
            sizes,
            self.gate == "agent",
            self._relays(problem, labels),
            self.goal == "common",
            *self._surveyed(problem),
        )

    def _radius(self, problem: Problem, sizes: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
        """C_1, and by what to divide the pooled pulls of each cluster."""
        sigma, c, size = problem.sub_gaussian, len(sizes), sizes.astype(np.float64)
        alike = size / size.min() if self.weights == "smallest" else np.ones(c)
        if self.goal == "cluster":
            return (self.c1 if isinstance(self.c1, float) else 2.0 * sigma**2), np.ones(c)
        if self.c1 == "published_agents":
            return drfed_ucb.recalled_c1(problem.n_agents, sigma), alike
        if self.c1 == "published_clusters":
            return drfed_ucb.recalled_c1(c, sigma), alike
        if isinstance(self.c1, float):
            return self.c1, alike
        counted = problem.n_agents if self.weights == "size" else c * int(sizes.min())
        return shared_c1(counted, sigma), size

    def _check_period(self, n_clusters: int, burn_in: int) -> None:
        most = max(1, n_clusters - 1)
        if self.refresh > most:
            raise ValueError(
                f"UCBSBM refresh = {self.refresh}: expected from 1 to {most}, "
                f"for {n_clusters} clusters: Theorem 10 allows no period above C - 1"
            )
        if self.refresh > burn_in:
            raise ValueError(f"UCBSBM refresh = {self.refresh}: expected at most the burn-in, {burn_in}")

    def _relays(self, problem: Problem, labels: NDArray[np.int64]) -> bool:
        """Are tables passed on: as told, or where two mates are never linked?"""
        if self.relay is not None:
            return self.relay
        return self.refresh > 1 or not _mates_meet(problem.graph, labels)

    def _surveyed(self, problem: Problem) -> tuple[Any, ...]:
        """What the record says of the survey: how long it was, how long nothing was said, its rows and its bytes."""
        made, k = self._survey, problem.n_arms
        if made is None:
            return 0, 0, np.zeros((0, k), np.int64), np.zeros((0, k)), np.zeros((problem.n_agents, 0), np.int64)
        return made.sent.shape[1], made.burn_in, made.pulls, made.total, made.sent

    def _length(self, problem: Problem) -> int:
        """L, checked; with clusters to be detected, the rounds to pass everything on come on top."""
        default = drfed_ucb.DrFedUCB().params(replace(problem, n_agents=1)).burn_in
        if self.goal == "cluster" and self.clusters != "detect":
            default = problem.n_arms
        length = self.burn_in or default
        extra = self._passing(problem) if self.clusters == "detect" else 0
        if not problem.n_arms <= length <= problem.horizon - extra:
            passing = f" less {extra} to pass everything on" if extra else ""
            raise ValueError(
                f"UCBSBM burn_in = {length}: expected from the number of arms, {problem.n_arms}, "
                f"to the horizon, {problem.horizon}{passing}"
            )
        return length

    def _passing(self, problem: Problem) -> int:
        return self.passing or problem.n_agents - 1

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
        there = np.unique(labels)
        if len(there) < n_clusters:  # whatever the size of the largest label
            empty = next((i for i, label in enumerate(there) if label != i), len(there))
            raise ValueError(f"UCBSBM clusters: cluster {empty} is empty; expected an agent in each of {n_clusters}")
        return labels

    def _undetected(self, problem: Problem) -> NDArray[np.int64]:
        """Labels that reserve room for the clusters to be found."""
        assert self.n_clusters is not None
        if self.n_clusters > problem.n_agents:
            raise ValueError(f"UCBSBM n_clusters = {self.n_clusters}: expected at most {problem.n_agents} agents")
        return np.arange(problem.n_agents) % self.n_clusters

    def preparation(self, problem: Problem) -> tuple[survey.Params, int] | None:
        """What a replicate's agents do before they know their clusters, and for how many rounds; None if they do."""
        if self.clusters != "detect":
            return None
        length, passing = self._length(problem), self._passing(problem)
        return survey.blank(problem, length, passing), length + passing

    def prepared(self, problem: Problem, studied: survey.Params) -> "UCBSBM":
        """The same algorithm, with the clusters that the survey shows.

        Raises:
            ValueError: an agent lacks what another has gathered, so that agents would find different clusters.
        """
        assert self.n_clusters is not None
        known = studied.has.sum(axis=1)
        if known.min() < problem.n_agents:
            why = "agents are absent or links too rare" if problem.absent else "links are too rare"
            raise ValueError(
                f"UCBSBM clusters = 'detect': agent {known.argmin()} has the burn-in of {known.min()} of "
                f"{problem.n_agents} agents after {self._passing(problem)} rounds of passing on, expected all: "
                f"{why} for these rounds; raise passing, or give the clusters"
            )
        labels = clustering.detect_from_meetings(
            (studied.met + studied.met.T) / 2,  # a link may be noticed by one side alone
            studied.mean,
            studied.burn_in,
            self.n_clusters,
            problem.sub_gaussian,
            similarity=self.similarity,
            method=self.detection,
            seed=self.detection_seed,
        )
        found = {"clusters": tuple(labels.tolist()), "burn_in": studied.sent.shape[1], "passing": None}
        algorithm = self.model_copy(update=found)
        algorithm._survey = studied
        return algorithm


def shared_c1(n_agents: int, sub_gaussian: float) -> float:
    """By default C_1 is this times the size of the agent's cluster: kappa / M.

    kappa = min(2 sigma^2, 96 sigma^2 (M + 2) / M^2). An average over M agents of means of n pulls each has variance
    sigma^2 / (M n), whether taken agent by agent or cluster by cluster; a radius of kappa ln t / (M n) is the same
    number of its standard deviations for every C [D]. With the second term it is DrFed-UCB's recalled radius for M
    agents [R], which is the wider up to M = 49.
    """
    return min(2.0 * sub_gaussian**2 / n_agents, drfed_ucb.recalled_c1(n_agents, sub_gaussian))


def _mates_meet(graph: Any, labels: NDArray[np.int64]) -> bool:
    """Is there an edge between any two mates? True of a graph that does not say."""
    if graph is None or graph.is_complete:
        return True
    if hasattr(graph, "within"):  # a graph of blocks, which need not be the clusters
        blocks = len(np.unique(np.stack([labels, graph.labels]), axis=1).T)
        return bool(graph.within) and (bool(graph.across) or blocks == len(np.unique(labels)))
    start, rows = getattr(graph, "start", None), getattr(graph, "neighbours", None)
    if start is None or rows is None:
        return True
    source = np.repeat(np.arange(len(labels)), np.diff(start))
    inside = int((labels[source] == labels[rows[: len(source)]]).sum())
    sizes = np.bincount(labels)
    return inside == int((sizes * (sizes - 1)).sum())
