"""From an experiment file to the jobs it asks for, everything checked before anything runs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from folkmoot.algorithms import ALGORITHMS
from folkmoot.algorithms.base import Algorithm
from folkmoot.configuration import Wrong, of_kind
from folkmoot.experiments.grids import GridCell, expand
from folkmoot.experiments.problems import Place, Section, first_of, lines, path, shown
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.simulate import make_job
from folkmoot.world import NETWORKS, REWARDS, datasets
from folkmoot.world.clusters import digest
from folkmoot.world.corruption import CORRUPTIONS, Corruption
from folkmoot.world.in_file import InFile
from folkmoot.world.networks import Network
from folkmoot.world.rewards import Rewards

T = TypeVar("T")

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ")
_NAME_CHARACTERS = 30  # of a grid's value in the name of a cell


def _folder_name(name: str) -> str:
    if not name.strip() or name.startswith(".") or not set(name) <= _LETTERS:
        raise ValueError(
            "expected letters, digits, '-', '_', '.' and blanks, not starting with '.' (it names a folder)"
        )
    return name


class Experiment(Section):
    """A whole experiment file; one cell of it when there are grids.

    Attributes:
        name: names the folder of the results.
        horizon: rounds.
        replicates: independent repetitions.
        seed: of all coins.
        checkpoints: rounds at which regret is recorded, ending at the horizon; None is about 200, log-spaced.
        description: for the report.
        rewards, network: what agents face; each the `type` of a class, and its fields.
        corruption: an adversary that alters what they see, likewise.
        verification: pulls of all agents together that may be verified.
        algorithm: what they think, likewise; also a `name`.
    """

    name: Annotated[str, AfterValidator(_folder_name)]
    horizon: int = Field(ge=1, lt=2**32)
    replicates: int = Field(1, ge=1, lt=2**32)
    seed: int = Field(0, ge=0, lt=2**64)
    checkpoints: list[int] | None = None
    description: str = ""
    rewards: dict[str, Any]
    network: dict[str, Any]
    corruption: dict[str, Any] | None = None
    verification: int = Field(0, ge=0)
    algorithm: list[dict[str, Any]] = Field(min_length=1)

    @model_validator(mode="after")
    def _checkpoints_increase_to_the_horizon(self) -> Self:
        rounds = self.checkpoints
        if rounds is not None and (
            rounds != sorted(set(rounds)) or not rounds or rounds[0] < 1 or rounds[-1] != self.horizon
        ):
            raise ValueError(
                f"checkpoints = {shown(rounds)}: expected increasing rounds from at least 1 that end at the horizon, "
                f"{self.horizon}"
            )
        return self


class Plan(NamedTuple):
    """What an experiment asks for.

    Attributes:
        name, description: for folders and reports.
        replicates: of each cell.
        cells: one for each algorithm and combination of settings that concerns it.
    """

    name: str
    description: str
    replicates: int
    cells: list[Cell]


def _algorithm(entry: dict[str, Any], context: InFile) -> tuple[str | None, Algorithm]:
    """An [[algorithm]] table as the name for the legend, if given, and the configuration.

    Raises:
        Wrong: what is wrong.
    """
    name = entry.get("name")
    found = of_kind(ALGORITHMS, {key: value for key, value in entry.items() if key != "name"}, context)
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise Wrong(lambda place: [f"{path(place)}.name = {shown(name)}: expected text in quotes"])
    return name, found


class _Parsed(NamedTuple):
    """A cell's document: the plain fields, and what its tables describe."""

    experiment: Experiment
    rewards: Rewards
    network: Network
    algorithms: list[tuple[str | None, Algorithm]]
    corruption: Corruption | None


class _Reader:
    """Reads the documents of cells; equal tables give the same object, so that graphs are studied once."""

    def __init__(self, folder: Path) -> None:
        self._context = InFile(folder, datasets.load)
        self._built: dict[str, Any] = {}

    def _once(self, key: Any, build: Callable[[], T]) -> T:
        name = json.dumps(key, sort_keys=True, default=str)
        if name not in self._built:
            self._built[name] = build()
        built: T = self._built[name]
        return built

    def _rewards(self, table: Any) -> Rewards:
        return self._once(["rewards", table], lambda: of_kind(REWARDS, table, self._context))

    def _network(self, table: Any, rewards: Rewards | None) -> Network:
        """The network, for as many agents as the rewards have; without rewards, only what is wrong with it."""
        if rewards is None:
            return of_kind(NETWORKS, table, self._context)
        n, labels = rewards.n_agents, rewards.labels
        context = replace(self._context, n_agents=n, labels=labels)
        key = ["network", table, n, None if labels is None else digest(labels)]
        return self._once(key, lambda: of_kind(NETWORKS, table, context))

    def parse(self, document: dict[str, Any]) -> _Parsed:
        """A cell's document, checked field by field, then table by table.

        Raises:
            ValueError: the first problem, and how many more there are.
        """
        problems: list[str] = []
        experiment = None

        def tried(place: Place, build: Callable[[], T]) -> T | None:
            try:
                return build()
            except Wrong as wrong:
                problems.extend(wrong.lines(place))
                return None

        try:
            experiment = Experiment.model_validate(document)
        except ValidationError as error:
            problems += lines(error, document)
        tables = {key: value for key, value in document.items() if isinstance(value, dict)}
        rewards, network, corruption = None, None, None
        if "rewards" in tables:
            rewards = tried(("rewards",), lambda: self._rewards(tables["rewards"]))
        if "network" in tables:
            network = tried(("network",), lambda: self._network(tables["network"], rewards))
        entries = document.get("algorithm")
        algorithms = [
            tried(("algorithm", i), lambda entry=entry: _algorithm(entry, self._context))  # type: ignore[misc]
            for i, entry in enumerate(entries if isinstance(entries, list) else [])
            if isinstance(entry, dict)
        ]
        if "corruption" in tables:
            corruption = tried(("corruption",), lambda: of_kind(CORRUPTIONS, tables["corruption"], self._context))
        if problems or experiment is None or rewards is None or network is None:
            raise ValueError(first_of(problems))
        return _Parsed(experiment, rewards, network, [found for found in algorithms if found], corruption)


def _short(settings: dict[Place, Any]) -> dict[str, Any]:
    """Settings by the last word of their place where that is unique, by the whole place otherwise."""
    last = [place[-1] for place in settings]
    return {str(p[-1]) if last.count(p[-1]) == 1 else path(p): value for p, value in settings.items()}


def _cell_name(label: str, settings: dict[Place, Any]) -> str:
    """`GSE, link_probability = 0.9`."""
    words = [label]
    for key, value in _short(settings).items():
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        words.append(f"{key} = {text if len(text) <= _NAME_CHARACTERS else text[: _NAME_CHARACTERS - 3] + '...'}")
    return ", ".join(words)


def _concerns(place: Place, i: int) -> bool:
    """Does a setting at this place change what algorithm i does?"""
    return len(place) < 2 or place[0] != "algorithm" or place[1] == i


def _check_world(experiment: Experiment, rewards: Rewards, corruption: Corruption | None) -> None:
    """Refuse, under the name of its field, what no algorithm could play in.

    Raises:
        ValueError: more arms than rounds, more verified pulls than pulls, or an adversary that refuses the rewards.
    """
    horizon, steps = experiment.horizon, rewards.n_agents * experiment.horizon
    if horizon < rewards.n_arms:
        raise ValueError(f"horizon = {horizon}: expected at least the number of arms, {rewards.n_arms}")
    if experiment.verification > steps:
        raise ValueError(f"verification = {experiment.verification}: expected at most n_agents * horizon = {steps}")
    if corruption is not None:
        try:
            corruption.record(rewards, horizon)
        except ValueError as error:
            raise ValueError(f"corruption: {error}") from None


def _cells(cell: GridCell, reader: _Reader) -> list[tuple[int, Cell]]:
    """One for each algorithm, with its number."""
    experiment, rewards, network, algorithms, corruption = reader.parse(cell.document)
    _check_world(experiment, rewards, corruption)
    out = []
    for i, (name, algorithm) in enumerate(algorithms):
        settings = {place: value for place, value in cell.settings.items() if _concerns(place, i)}
        named = {p: v for p, v in settings.items() if p not in (("algorithm", i, "name"), ("algorithm", i, "type"))}
        try:
            job = make_job(
                algorithm,
                rewards,
                network,
                horizon=experiment.horizon,
                seed=experiment.seed,
                checkpoints=experiment.checkpoints,
                corruption=corruption,
                verification=experiment.verification,
            )
        except ValueError as error:
            raise ValueError(f"algorithm[{i}]: {error}") from None
        label = name or algorithm.label
        out.append((i, Cell(_cell_name(label, named), job, _short(settings), label)))
    return out


def plan(document: dict[str, Any], folder: Path) -> Plan:
    """All cells of an experiment, every one of them checked.

    Args:
        document: an experiment file as plain values.
        folder: where the paths in it start.

    Raises:
        ValueError: one line that names the field, its value and what is allowed.
    """
    grid = expand(document)
    reader = _Reader(folder)
    found: dict[str, tuple[int, Cell]] = {}
    for combination in grid:
        for i, cell in _cells(combination, reader):
            other, same = found.get(cell.name, (i, cell))
            if (other, same.settings) != (i, cell.settings):
                raise ValueError(f"algorithm[{i}]: two are called {cell.name!r}; give one of them another name")
            found.setdefault(cell.name, (i, cell))
    first = Experiment.model_validate(grid[0].document)
    return Plan(first.name, first.description, first.replicates, [cell for _, cell in found.values()])
