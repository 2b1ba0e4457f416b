"""What experiment files of every kind have in common: their first lines, and how the cells of a grid are called."""

import json
from collections.abc import Container, Iterable, Mapping
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from folkmoot.configuration import Configuration, read_table
from folkmoot.experiments.problems import Place, Section, path, shown
from folkmoot.plurals import plural
from folkmoot.simulation.cells import Cell

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ")
_LONGEST = 200  # characters of a file's name; file systems take 255 bytes, and endings come on top
_OTHERS = (".jsonl", ".lock", ".json", ".npz", ".html", ".csv", ".png", ".svg")  # endings of other files of a run
_NAME_CHARACTERS = 30  # of a grid's value in the name of a cell


def file_name(name: str) -> str:
    """The name, if it can be one of a folder or a file wherever that is."""
    if not name.strip() or name.startswith(".") or not set(name) <= _LETTERS:
        raise ValueError(
            "expected letters, digits, '-', '_', '.' and blanks, not starting with '.' (it names a folder)"
        )
    if len(name) > _LONGEST:
        raise ValueError(f"{len(name)} characters: expected at most {_LONGEST}")
    return name


def ledger_name(name: str) -> str:
    """The name, if no other file in the folder of the results can have it."""
    if name.lower().endswith(_OTHERS):
        raise ValueError("expected a name such as 'game.ledger'; those with this ending are other files of the folder")
    return file_name(name)


FileName = Annotated[str, AfterValidator(file_name)]
LedgerName = Annotated[str, AfterValidator(ledger_name)]


class FirstLines(Section):
    """The first lines of a file.

    Attributes:
        name: names the folder of the results.
        description: for the report.
        replicates: independent repetitions.
        seed: of everything at random.
    """

    name: FileName
    description: str = ""
    replicates: int = Field(1, ge=1, lt=2**32)
    seed: int = Field(0, ge=0, lt=2**64)


class WithRounds(FirstLines):
    """The first lines of a file on games of rounds.

    Attributes:
        horizon: rounds.
        checkpoints: rounds at which regret is recorded, ending at the horizon; None is about 200, log-spaced.
    """

    horizon: int = Field(ge=1, lt=2**32)
    checkpoints: list[int] | None = None

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


def table(kind: type[Configuration]) -> PlainValidator:
    """Marks a field that is a configuration of one class itself; a file has a table there, without a `type`."""
    return PlainValidator(lambda given, info: given if info.context is None else read_table(kind, given, info.context))


def refuse_outside(name: str, document: Iterable[str], outside: Container[str], inside: Container[str]) -> None:
    """Refuse a field that stands beside a table and belongs inside it.

    Args:
        name: of the table.
        document: the fields beside it.
        outside, inside: the fields that may stand beside it and in it.

    Raises:
        ValueError: there is one.
    """
    for field in document:
        if field in inside and field not in outside:
            raise ValueError(f"field {field!r}: belongs inside [{name}], not beside it")


def short(settings: dict[Place, Any]) -> dict[str, Any]:
    """Settings by the last word of their place where that is unique, by the whole place otherwise."""
    last = [place[-1] for place in settings]
    return {str(p[-1]) if last.count(p[-1]) == 1 else path(p): _plain(value) for p, value in settings.items()}


def _plain(value: Any) -> Any:
    """A table that says nothing but its type is that."""
    return value["type"] if isinstance(value, dict) and set(value) == {"type"} else value


def _in_name(value: Any) -> str:
    """A value as the name of a cell has it; a table is its type, then its fields: `promote_arm, arm 2`."""
    if isinstance(value, dict):
        fields = [f"{key} {_in_name(inner)}" for key, inner in value.items() if key != "type"]
        return ", ".join([str(value["type"]), *fields] if "type" in value else fields)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _NAME_CHARACTERS else text[: _NAME_CHARACTERS - 3] + "..."


def cell_name(label: str, settings: dict[Place, Any]) -> str:
    """`GSE, link_probability = 0.9`."""
    return ", ".join([label, *(f"{key} = {_in_name(value)}" for key, value in short(settings).items())])


def game_name(label: str, settings: dict[Place, Any]) -> str:
    """`attack = sign_flip`: where all cells are of one system, its name says nothing."""
    return cell_name(label, settings).removeprefix(f"{label}, ")


def told_apart(cell: Cell, found: Mapping[str, Cell]) -> str:
    """The cell's name, with a number if cells of other settings have it: values may look alike where names are cut.

    Args:
        cell: the next one.
        found: those before it, by name.
    """
    free, number = cell.name, 1
    while free in found and found[free].settings != cell.settings:
        number += 1
        free = f"{cell.name} ({number})"
    return free


def plan_of(head: FirstLines, cells: list[Cell]) -> Plan:
    """The plan, once every cell has a name of its own and no two games have one ledger.

    Raises:
        ValueError: two cells are the same, or two games have one ledger.
    """
    found: dict[str, Cell] = {}
    for cell in cells:
        name = told_apart(cell, found)
        if name in found:
            raise ValueError(f"grid: two cells are {name!r}; expected each value once")
        found[name] = cell._replace(name=name)
    cells = list(found.values())
    if any(getattr(cell.job, "ledger", None) is not None for cell in cells) and (len(cells) > 1 or head.replicates > 1):
        games = f"{plural(len(cells), 'cell')} and {plural(head.replicates, 'replicate')}"
        raise ValueError(f"ledger: holds the chain of one game; expected 1 cell and 1 replicate, got {games}")
    return Plan(head.name, head.description, head.replicates, cells)
