"""`labels` or `sizes` in a table of an experiment file: which agent is in which cluster."""

from typing import Any

from numpy.typing import NDArray

from folkmoot.experiments.problems import Section
from folkmoot.world.clusters import labels_of_sizes


class WithClusters(Section):
    """A table that may say which agent is in which cluster.

    Attributes:
        labels: the cluster of each agent, numbered from 0.
        sizes: numbers of agents of the clusters, one cluster after the other.
    """

    labels: list[int] | None = None
    sizes: list[int] | None = None

    def clusters(self, otherwise: NDArray[Any] | None = None) -> Any:
        """The labels as given, or those of the sizes, or else the ones handed in; checked by what is built of them.

        Raises:
            ValueError: both are given, or nothing is, or a size is no size.
        """
        if self.labels is not None and self.sizes is not None:
            raise ValueError("labels and sizes: expected one of them, got both")
        if self.labels is not None:
            return self.labels
        if self.sizes is not None:
            return labels_of_sizes(self.sizes)
        if otherwise is None:
            raise ValueError("labels: missing; expected labels = [0, 0, 1, ...] or sizes = [2, 1, ...]")
        return otherwise
