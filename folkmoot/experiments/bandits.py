"""Experiment files on bandits: [rewards], [network] and [[algorithm]], perhaps [corruption] and [liars]."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from folkmoot.algorithms import ALGORITHMS
from folkmoot.algorithms.base import Algorithm
from folkmoot.configuration import Configuration, Wrong, of_kind, read_table
from folkmoot.experiments.grids import GridCell, expand
from folkmoot.experiments.heads import Plan, WithRounds, cell_name, short, told_apart
from folkmoot.experiments.problems import Place, first_of, lines, path, shown
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.simulate import make_job
from folkmoot.world import NETWORKS, REWARDS, datasets
from folkmoot.world.clusters import digest
from folkmoot.world.corruption import CORRUPTIONS, Corruption
from folkmoot.world.feedback import Feedback
from folkmoot.world.in_file import InFile
from folkmoot.world.liars import Liars
from folkmoot.world.networks import Network
from folkmoot.world.presence import Presence
from folkmoot.world.rewards import Rewards

T = TypeVar("T")
C = TypeVar("C", bound=Configuration)


class Experiment(WithRounds):
    """A whole file on bandits; one cell of it when there are grids.

    Attributes:
        rewards, network: what agents face; each the `type` of a class, and its fields.
        corruption: an adversary that alters what they see, likewise.
        verification: pulls of all agents together that may be verified.
        liars: agents whose messages are not true: the fields of `Liars`.
        presence, feedback: who is there in a round, and when outcomes come: the fields of the class of that name.
        observe: states of the agents to be kept at every checkpoint.
        per_agent: keep pulls of each agent at every checkpoint.
        realised: keep what was really paid, and what each arm would have paid.
        algorithm: what they think, likewise; also a `name`, and an `observe` of its own.
    """

    rewards: dict[str, Any]
    network: dict[str, Any]
    corruption: dict[str, Any] | None = None
    verification: int = Field(0, ge=0)
    liars: dict[str, Any] | None = None
    presence: dict[str, Any] | None = None
    feedback: dict[str, Any] | None = None
    observe: list[str] = Field(default_factory=list)
    per_agent: bool = False
    realised: bool = False
    algorithm: list[dict[str, Any]] = Field(min_length=1)


class _Entry(NamedTuple):
    """An [[algorithm]] table: the name for the legend and the states to keep, if given, and the configuration."""

    name: str | None
    observe: list[str] | None
    algorithm: Algorithm


def _algorithm(entry: dict[str, Any], context: InFile) -> _Entry:
    """An [[algorithm]] table.

    Raises:
        Wrong: what is wrong.
    """
    name, observe = entry.get("name"), entry.get("observe")
    own = {key: value for key, value in entry.items() if key not in ("name", "observe")}
    found = of_kind(ALGORITHMS, own, context)
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise Wrong(lambda place: [f"{path(place)}.name = {shown(name)}: expected text in quotes"])
    if observe is not None and not (isinstance(observe, list) and all(isinstance(one, str) for one in observe)):
        raise Wrong(lambda place: [f"{path(place)}.observe = {shown(observe)}: expected a list of names in quotes"])
    return _Entry(name, observe, found)


class _Parsed(NamedTuple):
    """A cell's document: the plain fields, and what its tables describe."""

    experiment: Experiment
    rewards: Rewards
    network: Network
    algorithms: list[_Entry]
    corruption: Corruption | None
    liars: Liars | None
    presence: Presence | None
    feedback: Feedback | None


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

    def _single(self, kind: type[C], table: Any) -> C | None:
        """A table without a `type`; None if it is not there."""
        return None if table is None else read_table(kind, table, self._context)

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
        presence = tried(("presence",), lambda: self._single(Presence, tables.get("presence")))
        feedback = tried(("feedback",), lambda: self._single(Feedback, tables.get("feedback")))
        liars = tried(("liars",), lambda: self._single(Liars, tables.get("liars")))
        if problems or experiment is None or rewards is None or network is None:
            raise ValueError(first_of(problems))
        found = [algorithm for algorithm in algorithms if algorithm]
        return _Parsed(experiment, rewards, network, found, corruption, liars, presence, feedback)


def _concerns(place: Place, i: int) -> bool:
    """Does a setting at this place change what algorithm i does?"""
    return len(place) < 2 or place[0] != "algorithm" or place[1] == i


def _check_world(parsed: _Parsed) -> None:
    """Refuse, under the name of its field, what no algorithm could play in.

    Raises:
        ValueError: more arms than rounds, more verified pulls than pulls, an adversary that refuses the rewards, or
            presence or feedback for other agents.
    """
    experiment, rewards, corruption = parsed.experiment, parsed.rewards, parsed.corruption
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
    if parsed.liars is not None:
        try:
            parsed.liars.record(rewards)
        except ValueError as error:
            raise ValueError(f"liars: {error}") from None
    if parsed.presence is not None:
        parsed.presence.record(rewards.n_agents)
    if parsed.feedback is not None:
        parsed.feedback.record(rewards.n_agents, rewards.n_objectives, horizon)


def _cells(cell: GridCell, reader: _Reader) -> list[tuple[int, Cell]]:
    """One for each algorithm, with its number."""
    parsed = reader.parse(cell.document)
    _check_world(parsed)
    experiment, out = parsed.experiment, []
    for i, (name, observe, algorithm) in enumerate(parsed.algorithms):
        settings = {place: value for place, value in cell.settings.items() if _concerns(place, i)}
        named = {p: v for p, v in settings.items() if p not in (("algorithm", i, "name"), ("algorithm", i, "type"))}
        try:
            job = make_job(
                algorithm,
                parsed.rewards,
                parsed.network,
                horizon=experiment.horizon,
                seed=experiment.seed,
                checkpoints=experiment.checkpoints,
                corruption=parsed.corruption,
                verification=experiment.verification,
                liars=parsed.liars,
                presence=parsed.presence,
                feedback=parsed.feedback,
                observe=experiment.observe if observe is None else observe,
                per_agent=experiment.per_agent,
                realised=experiment.realised,
            )
        except ValueError as error:
            raise ValueError(f"algorithm[{i}]: {error}") from None
        label = name or algorithm.label
        out.append((i, Cell(cell_name(label, named), job, short(settings), label)))
    return out


def plan_bandits(document: dict[str, Any], folder: Path) -> Plan:
    """All cells of an experiment on bandits, every one of them checked.

    Args:
        document: an experiment file as plain values.
        folder: where the paths in it start.

    Raises:
        ValueError: one line that names the field, its value and what is allowed.
    """
    grid = expand(document)
    reader = _Reader(folder)
    found: dict[str, int] = {}  # the number of its algorithm
    cells: dict[str, Cell] = {}
    for combination in grid:
        for i, cell in _cells(combination, reader):
            if found.get(cell.name, i) != i:
                raise ValueError(
                    f"algorithm[{i}]: two are called {cell.name!r}; give one of them another name, such as "
                    f'name = "{cell.name} 2"'
                )
            name = told_apart(cell, cells)
            found.setdefault(name, i)
            cells.setdefault(name, cell._replace(name=name))
    first = Experiment.model_validate(grid[0].document)
    return Plan(first.name, first.description, first.replicates, list(cells.values()))
