"""Rewards whose means are those of the agent's cluster."""

from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, Self

from numpy.typing import ArrayLike
from pydantic import Field, ValidationInfo, model_validator

from folkmoot.coins import Coins
from folkmoot.configuration import LEFT_OUT, Plain
from folkmoot.errors import brief
from folkmoot.world.clusters import Labels, chosen_labels, cluster_labels, describe_clusters
from folkmoot.world.means import (
    Drawn,
    Means,
    Redraw,
    Table,
    UniformOfClusters,
    described_means,
    drawn_means,
    given_or,
    table_of_means,
)
from folkmoot.world.rewards import Bernoulli, Beta, Gaussian, Rewards

_LAWS: dict[str, type[Bernoulli] | type[Gaussian] | type[Beta]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "beta": Beta,
}
_OWNERS = {"deviation": "gaussian", "concentration": "beta"}


class Clustered(Rewards):
    """Every agent of a cluster has the cluster's means (UCB-SBM, arXiv 2502.08003).

    Args:
        means: [n_clusters, n_arms], in the range that the law takes.
        labels: int [n_agents], the cluster of each agent, 0, ..., n_clusters - 1, none of them empty.
        law: "bernoulli", "gaussian" or "beta".
        deviation: of "gaussian"; None is that law's own default.
        concentration: of "beta"; None is that law's own default.
        redraw: are means by a law drawn anew for each replicate?

        sizes: in a file, in place of labels: numbers of agents of the clusters, one cluster after the other.

    Attributes:
        means: float64 [n_agents, n_arms], expanded.
        cluster_means: float64 [n_clusters, n_arms].
        labels: int64 [n_agents].
        inner: the law with the expanded means.

    Raises:
        ValueError: an unknown law, an option of another law, wrong means or labels.
    """

    cluster_means: Annotated[Table, given_or(UniformOfClusters)] = Field(alias="means")
    clusters: Annotated[Labels, Plain(list[int] | None)] = Field(LEFT_OUT, alias="labels")
    sizes: list[int] | None = Field(None, repr=False)
    law: Annotated[str, Plain(Literal["bernoulli", "gaussian", "beta"])] = "bernoulli"
    deviation: Annotated[float | None, Plain(float | None)] = None
    concentration: Annotated[float | None, Plain(float | None)] = None
    redraw: Annotated[Redraw, Plain(bool)] = Field(False, repr=False)

    def __init__(
        self,
        means: Means,
        labels: ArrayLike,
        law: str = "bernoulli",
        deviation: float | None = None,
        concentration: float | None = None,
        redraw: Redraw = False,
    ) -> None:
        options = {"deviation": deviation, "concentration": concentration}
        self._write(means=means, labels=labels, law=law, **options, redraw=redraw)

    @model_validator(mode="after")
    def _every_agent_has_a_law(self, info: ValidationInfo) -> Self:
        law = self.law
        if not isinstance(law, str) or law not in _LAWS:
            raise ValueError(f"law = {brief(law)}: allowed are {', '.join(_LAWS)}")
        for name, value in self._options().items():
            if _OWNERS[name] != law:
                raise ValueError(f"{name} = {value!r}: expected none with law {law!r}, only with {_OWNERS[name]!r}")
        given, redraw = drawn_means(self.cluster_means, self.redraw, *_LAWS[law].range_of_means)
        means = table_of_means(given, None, *_LAWS[law].range_of_means, row="cluster")
        written = self.clusters if info.context is None else chosen_labels(self.clusters, self.sizes, None)
        labels = cluster_labels(written, len(means))
        settled = self._settle(cluster_means=means, clusters=labels, sizes=None, redraw=redraw)
        options = {name: getattr(self.inner, name) for name in self._options()}
        return settled._settle(**options)

    def _options(self) -> dict[str, Any]:
        """The options of the law that are given."""
        return {name: getattr(self, name) for name in _OWNERS if getattr(self, name) is not None}

    @cached_property
    def inner(self) -> Bernoulli | Gaussian | Beta:
        return _LAWS[self.law](self.cluster_means[self.labels], **self._options())

    @property
    def redraws(self) -> bool:
        return isinstance(self.redraw, Drawn)

    def instance(self, coins: Coins) -> Rewards:
        if not isinstance(self.redraw, Drawn):
            return self
        return self.model_copy(update={"means": self.redraw.table(coins), "redraw": False})

    @property
    def labels(self) -> Labels:
        return self.clusters

    @property
    def means(self) -> Table:
        return self.inner.means

    @property
    def sub_gaussian(self) -> float:
        return self.inner.sub_gaussian

    @property
    def bounded(self) -> bool:
        return self.inner.bounded

    def record(self) -> NamedTuple:
        return self.inner.record()

    def describe(self) -> dict[str, Any]:
        inner = self.inner.describe()
        out: dict[str, Any] = {"type": "Clustered", "law": self.law}
        out |= {key: value for key, value in inner.items() if key not in ("type", "means")}
        return {
            **out,
            **described_means("cluster_means", self.cluster_means, self.redraw),
            **describe_clusters(self.labels),
        }
