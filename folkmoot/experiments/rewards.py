"""The [rewards] table of an experiment file."""

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Field, PlainValidator, Tag

from folkmoot.experiments.clusters import WithClusters
from folkmoot.experiments.problems import Section, path, shown
from folkmoot.world import datasets, scalarisations
from folkmoot.world import rewards as world
from folkmoot.world.clustered import Clustered as ClusteredLaw
from folkmoot.world.vectors import VectorBernoulli as VectorLaw

_TWO_TO_MINUS_53 = 2.0**-53


def _table(given: Any) -> Any:
    """Numbers only, in lists; shape and range are checked by the reward law."""

    def check(value: Any, place: tuple[int, ...]) -> None:
        if isinstance(value, list):
            for k, entry in enumerate(value):
                check(entry, (*place, k))
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"expected numbers, got {shown(value)}{f' in {path(place)}' if place else ''}")

    check(given, ())
    return given


class _Drawn(Section):
    """Fixed means drawn once, uniformly between low and high.

    Attributes:
        n_arms: number of columns of the table.
        low, high: range of the means.
        seed: names the table; it does not change with the experiment's seed.
    """

    law: Literal["uniform"]
    n_arms: int = Field(ge=1)
    low: float = 0.0
    high: float = 1.0
    seed: int = Field(0, ge=0, lt=2**64)

    def rows(self, rows: int) -> NDArray[np.float64]:
        """float64 [rows, n_arms]. Raw words of Philox, whose stream NumPy keeps from version to version."""
        if not (np.isfinite([self.low, self.high]).all() and self.low <= self.high):
            raise ValueError(
                f"means: low = {self.low}, high = {self.high}: expected finite numbers, low not above high"
            )
        words = np.random.Philox(key=self.seed).random_raw(rows * self.n_arms)
        unit = (words >> np.uint64(11)).astype(np.float64) * _TWO_TO_MINUS_53
        return np.asarray(self.low + (self.high - self.low) * unit.reshape(rows, self.n_arms))


class Uniform(_Drawn):
    """Drawn means of agents.

    Attributes:
        n_agents: number of rows of the table.
        shared: all agents have the same means.
    """

    n_agents: int = Field(ge=1)
    shared: bool = False

    def table(self) -> NDArray[np.float64]:
        """float64 [n_agents, n_arms]."""
        return np.tile(self.rows(1), (self.n_agents, 1)) if self.shared else self.rows(self.n_agents)


class UniformOfClusters(_Drawn):
    """Drawn means of clusters.

    Attributes:
        n_clusters: number of rows of the table.
    """

    n_clusters: int = Field(ge=1)

    def table(self) -> NDArray[np.float64]:
        """float64 [n_clusters, n_arms]."""
        return self.rows(self.n_clusters)


class UniformVectors(_Drawn):
    """Drawn mean vectors of arms.

    Attributes:
        n_objectives: length of each.
    """

    n_objectives: int = Field(ge=1)

    def table(self) -> NDArray[np.float64]:
        """float64 [n_arms, n_objectives]."""
        return self.rows(self.n_objectives).T


def _kind(given: Any) -> str:
    return "drawn" if isinstance(given, dict | _Drawn) else "table"


_Table = Annotated[Any, PlainValidator(_table), Tag("table")]
Means = Annotated[_Table | Annotated[Uniform, Tag("drawn")], Discriminator(_kind)]
VectorMeans = Annotated[_Table | Annotated[UniformVectors, Tag("drawn")], Discriminator(_kind)]
ClusterMeans = Annotated[_Table | Annotated[UniformOfClusters, Tag("drawn")], Discriminator(_kind)]


class _WithMeans(Section):
    means: Means
    n_agents: int | None = None

    def arguments(self) -> dict[str, Any]:
        """What every law with means takes."""
        means = self.means.table() if isinstance(self.means, Uniform) else self.means
        return {"means": means, "n_agents": self.n_agents}


class Bernoulli(_WithMeans):
    """Reward 1 with the probability of the agent's arm, else 0."""

    type: Literal["bernoulli"]

    def build(self) -> world.Rewards:
        """The reward law. Raises ValueError on means it does not take."""
        return world.Bernoulli(**self.arguments())


class Gaussian(_WithMeans):
    """Normal rewards with one standard deviation."""

    type: Literal["gaussian"]
    deviation: float = 1.0

    def build(self) -> world.Rewards:
        """The reward law. Raises ValueError on means or a deviation it does not take."""
        return world.Gaussian(**self.arguments(), deviation=self.deviation)


class Beta(_WithMeans):
    """Beta rewards on [0, 1] with one concentration."""

    type: Literal["beta"]
    concentration: float = 10.0

    def build(self) -> world.Rewards:
        """The reward law. Raises ValueError on means or a concentration it does not take."""
        return world.Beta(**self.arguments(), concentration=self.concentration)


class Replay(Section):
    """Rewards drawn from those observed in a data set.

    Attributes:
        dataset: its name.
        users, genres: numbers of agents and arms taken from it; None is the data set's own default.
    """

    type: Literal["replay"]
    dataset: str
    users: int | None = None
    genres: int | None = None

    def build(self) -> world.Rewards:
        """The reward law. Raises ValueError when the data set is unknown, missing or corrupt."""
        options = {"users": self.users, "genres": self.genres}
        return datasets.load(self.dataset, **{name: value for name, value in options.items() if value is not None})


class Clustered(WithClusters):
    """Every agent has the means of its cluster.

    Attributes:
        means: of clusters and arms.
        law: of rewards around them.
        deviation: of "gaussian"; None is that law's own default.
        concentration: of "beta"; None is that law's own default.
    """

    type: Literal["clustered"]
    means: ClusterMeans
    law: Literal["bernoulli", "gaussian", "beta"] = "bernoulli"
    deviation: float | None = None
    concentration: float | None = None

    def build(self) -> world.Rewards:
        """The reward law. Raises ValueError on means, clusters or options it does not take."""
        means = self.means.table() if isinstance(self.means, UniformOfClusters) else self.means
        return ClusteredLaw(means, self.clusters(), self.law, self.deviation, self.concentration)


class Linear(Section):
    """The weighted mean of the objectives."""

    type: Literal["linear"]
    weights: list[float]

    def build(self) -> scalarisations.Scalarisation:
        """The scalarisation. Raises ValueError on weights off the simplex."""
        return scalarisations.Linear(self.weights)


class Chebyshev(Section):
    """The smallest objective."""

    type: Literal["chebyshev"]

    def build(self) -> scalarisations.Scalarisation:
        """The scalarisation."""
        return scalarisations.Chebyshev()


class LogSumExp(Section):
    """A smooth largest objective."""

    type: Literal["log_sum_exp"]
    beta: float = 5.0

    def build(self) -> scalarisations.Scalarisation:
        """The scalarisation. Raises ValueError on a beta it does not take."""
        return scalarisations.LogSumExp(self.beta)


class VectorBernoulli(Section):
    """Independent Bernoulli objectives, the same for all agents, and what a vector of them is worth.

    Attributes:
        means: of arms and objectives.
        scalarisation: what a mean vector is worth.
        n_agents: number of agents.
    """

    type: Literal["vector_bernoulli"]
    means: VectorMeans
    scalarisation: Annotated[Linear | Chebyshev | LogSumExp, Field(discriminator="type")]
    n_agents: int

    def build(self) -> world.Rewards:
        """The reward law. Raises ValueError on means or a scalarisation it does not take."""
        means = self.means.table() if isinstance(self.means, UniformVectors) else self.means
        return VectorLaw(means, self.scalarisation.build(), n_agents=self.n_agents)


class HalfActive(Section):
    """In each round a random half of the agents gets reward 0 whatever it pulls."""

    type: Literal["half_active"]
    inner: Annotated[Bernoulli | Gaussian | Beta | Replay | Clustered, Field(discriminator="type")]

    def build(self) -> world.Rewards:
        """The reward law. Raises ValueError as the inner one does."""
        return world.HalfActive(self.inner.build())


AnyRewards = Annotated[
    Bernoulli | Gaussian | Beta | Replay | Clustered | VectorBernoulli | HalfActive, Field(discriminator="type")
]
REWARDS: dict[str, type[Section]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "beta": Beta,
    "replay": Replay,
    "clustered": Clustered,
    "half_active": HalfActive,
    "vector_bernoulli": VectorBernoulli,
}
SCALARISATIONS: dict[str, type[Section]] = {"linear": Linear, "chebyshev": Chebyshev, "log_sum_exp": LogSumExp}
