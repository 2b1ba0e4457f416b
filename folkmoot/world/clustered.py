"""Rewards whose means are those of the agent's cluster."""

from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from folkmoot.world.clusters import Labels, cluster_labels, describe_clusters
from folkmoot.world.rewards import Bernoulli, Beta, Gaussian, Rewards, table_of_means

_DIGEST_VALUES = 4_000  # as for the other laws
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

    Attributes:
        means: float64 [n_agents, n_arms], expanded.
        cluster_means: float64 [n_clusters, n_arms].
        labels: int64 [n_agents].

    Raises:
        ValueError: an unknown law, an option of another law, wrong means or labels.
    """

    labels: Labels

    def __init__(
        self,
        means: ArrayLike,
        labels: ArrayLike,
        law: str = "bernoulli",
        deviation: float | None = None,
        concentration: float | None = None,
    ) -> None:
        if not isinstance(law, str) or law not in _LAWS:
            raise ValueError(f"law = {law!r}: allowed are {', '.join(_LAWS)}")
        options: dict[str, Any] = {"deviation": deviation, "concentration": concentration}
        given = {name: value for name, value in options.items() if value is not None}
        for name, value in given.items():
            if _OWNERS[name] != law:
                raise ValueError(f"{name} = {value!r}: expected none with law {law!r}, only with {_OWNERS[name]!r}")
        self.law = law
        self.cluster_means = table_of_means(means, None, *_LAWS[law].range_of_means, row="cluster")
        self.labels = cluster_labels(labels, len(self.cluster_means))
        self.inner = _LAWS[law](self.cluster_means[self.labels], **given)
        self.means = self.inner.means
        self.sub_gaussian = self.inner.sub_gaussian
        self.bounded = self.inner.bounded

    def record(self) -> NamedTuple:
        return self.inner.record()

    def describe(self) -> dict[str, Any]:
        inner = self.inner.describe()
        out: dict[str, Any] = {"type": "Clustered", "law": self.law}
        out |= {key: value for key, value in inner.items() if key not in ("type", "means")}
        if self.cluster_means.size <= _DIGEST_VALUES:
            out["cluster_means"] = self.cluster_means.tolist()
        return {**out, **describe_clusters(self.labels)}
