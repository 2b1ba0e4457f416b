"""The [network] table of an experiment file. The number of agents comes from the rewards, and so may their clusters."""

from pathlib import Path
from typing import Annotated, Any, Literal

from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from folkmoot.experiments.clusters import WithClusters
from folkmoot.experiments.problems import Section
from folkmoot.world import networks as world
from folkmoot.world.block_model import StochasticBlockModel
from folkmoot.world.graphs import BaseGraph, named_graph


def _probability(value: float) -> float:
    if not 0.0 < value <= 1.0:
        raise ValueError("expected a probability in (0, 1]")
    return value


def _base(name: str, n_agents: int, folder: Path) -> BaseGraph:
    """A named base graph; the path of a file starts at the experiment file's folder."""
    kind, colon, file = name.partition(":")
    return named_graph(f"file:{folder / file}" if kind == "file" and colon and file else name, n_agents)


class Static(Section):
    """All links of the base graph, in every round."""

    type: Literal["static"]
    base: str

    def build(self, n_agents: int, folder: Path, labels: NDArray[Any] | None = None) -> world.Network:
        """The network. Raises ValueError when there is no such base graph for so many agents."""
        return world.Static(_base(self.base, n_agents, folder))


class ErdosRenyi(Section):
    """Each link of the base graph is up with one probability, independently in every round."""

    type: Literal["erdos_renyi"]
    base: str
    link_probability: Annotated[float, AfterValidator(_probability)]

    def build(self, n_agents: int, folder: Path, labels: NDArray[Any] | None = None) -> world.Network:
        """The network. Raises ValueError when there is no such base graph for so many agents."""
        return world.ErdosRenyi(_base(self.base, n_agents, folder), self.link_probability)


class Recorded(Section):
    """Links as observed, played again from the start when the recording ends.

    Attributes:
        file: text, a link a line as `ROUND AGENT AGENT`; rounds count from 1, agents from 0.
        rounds: length of the recording; None is the last round that has a link.
    """

    type: Literal["recorded"]
    file: str
    rounds: int | None = Field(None, ge=1, lt=2**32)

    def build(self, n_agents: int, folder: Path, labels: NDArray[Any] | None = None) -> world.Network:
        """The network. Raises ValueError when the file cannot be read or does not fit."""
        edges = _read_recording(folder / self.file)
        last = max(edges, default=0)
        length = last if self.rounds is None else self.rounds
        if length < last:
            raise ValueError(f"rounds = {length}: the recording has links in round {last}")
        return world.Recorded([edges.get(t, []) for t in range(1, length + 1)], n_agents)


def _read_recording(path: Path) -> dict[int, list[tuple[int, int]]]:
    """The links of each round that has any; '#' starts a comment, commas count as blanks."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"file {path}: cannot be read ({error})") from None
    rounds: dict[int, list[tuple[int, int]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        numbers = [int(word) for word in words if word.isdecimal() and len(word) < 10]
        if len(words) != 3 or len(numbers) != 3 or numbers[0] < 1:
            raise ValueError(
                f"file {path}, line {number}: {line.strip()!r}: expected a round of at least 1 and two agent numbers"
            )
        rounds.setdefault(numbers[0], []).append((numbers[1], numbers[2]))
    return rounds


class BlockModel(WithClusters):
    """Links inside clusters with one probability, across clusters with another, independently in every round.

    Without labels or sizes the clusters are those of the rewards, if these are clustered.

    Attributes:
        within, across: the two probabilities, from 0 to 1.
    """

    type: Literal["stochastic_block_model"]
    within: float
    across: float

    def build(self, n_agents: int, folder: Path, labels: NDArray[Any] | None = None) -> world.Network:
        """The network. Raises ValueError on clusters or probabilities it does not take."""
        clusters = self.clusters(labels)
        if len(clusters) != n_agents:
            raise ValueError(f"clusters of {len(clusters)} agents: the rewards are for {n_agents}")
        return StochasticBlockModel(clusters, self.within, self.across)


AnyNetwork = Annotated[Static | ErdosRenyi | Recorded | BlockModel, Field(discriminator="type")]
NETWORKS: dict[str, type[Section]] = {
    "static": Static,
    "erdos_renyi": ErdosRenyi,
    "recorded": Recorded,
    "stochastic_block_model": BlockModel,
}
