"""Experiment files on consortia: a [consortium] table."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationError, ValidationInfo

from folkmoot.configuration import Configuration, Wrong, of_kind, part, read_table
from folkmoot.experiments.grids import GridCell, expand
from folkmoot.experiments.heads import FirstLines, LedgerName, Plan, game_name, plan_of, refuse_outside, short
from folkmoot.experiments.problems import Place, first_of, lines, path, shown
from folkmoot.multiparty.games import DATA, DIVISIONS, LIARS, MODELS
from folkmoot.multiparty.games.data import Data
from folkmoot.multiparty.games.division import Division
from folkmoot.multiparty.games.game import ConsortiumGame
from folkmoot.multiparty.games.liars import Liars
from folkmoot.multiparty.games.training import Training
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.simulation.cells import Cell

_TERMS = ("alpha", "delta", "sigma", "omega", "eta", "cap", "score_gradient", "rules", "tolerance", "without")


def _models(given: Any, info: ValidationInfo) -> tuple[Training, ...]:
    """A kind or a list of kinds, each by its name or as a table with a `type`."""
    entries = given if isinstance(given, list) else [given]
    if not entries:
        raise _wrong_at((), "[]: expected at least one kind of model")
    found = []
    for number, entry in enumerate(entries):
        where = (number,) if isinstance(given, list) else ()
        if not isinstance(entry, str | dict):
            raise _wrong_at(where, f"{shown(entry)}: expected a kind of model or a table")
        try:
            found.append(of_kind(MODELS, {"type": entry} if isinstance(entry, str) else entry, info.context))
        except Wrong as wrong:
            raise _moved(wrong, where) from None
    return tuple(found)


def _wrong_at(where: Place, text: str) -> Wrong:
    return Wrong(lambda place: [f"{path((*place, *where))} = {text}"])


def _moved(wrong: Wrong, where: Place) -> Wrong:
    return Wrong(lambda place: wrong.lines((*place, *where)))


class ConsortiumTable(Configuration):
    """The [consortium] table.

    Attributes:
        data: a data set: its `type`, and its fields.
        division: who has which classes: the `type` of a division, and its fields.
        models: kinds of models, which the parties take in turn.
        attack: who lies, and how: the `type` of an attack, and its fields.
        method: "bema", or "one_step_hmr", the baseline as BEMA reads it.
        regular: numbers of the parties that join once the others have begun.
        iterations, samples_per_iteration, searches: of the calibration.
        ledger: a file in the folder of the results, for the chain of the one game.
        predictor: how the models are put together.
        alpha, delta, sigma, omega, eta, cap, score_gradient, rules, tolerance, without: see `Terms`; its defaults.
    """

    data: Annotated[Data, part(DATA)]
    division: Annotated[Division, part(DIVISIONS)]
    models: Annotated[tuple[Training, ...], PlainValidator(_models)]
    attack: Annotated[Liars | None, part(LIARS)] = None
    method: Literal["bema", "one_step_hmr"] = "bema"
    regular: tuple[int, ...] = ()
    iterations: int = Field(10, ge=1, le=100_000)
    samples_per_iteration: int = Field(50, ge=1, le=4096)
    searches: int = Field(4, ge=1, le=64)
    ledger: LedgerName | None = None
    predictor: Literal["mean", "median", "star", "krum", "max"] | None = None
    alpha: float | None = None
    delta: float | None = None
    sigma: float | None = None
    omega: float | None = None
    eta: float | None = None
    cap: float | None = None
    score_gradient: str | None = None
    rules: str | None = None
    tolerance: float | None = None
    without: tuple[str, ...] | None = None


class ConsortiumExperiment(FirstLines):
    """A whole file on consortia; one cell of it when there are grids."""

    consortium: dict[str, Any]


def _cell(combination: GridCell) -> tuple[ConsortiumExperiment, Cell]:
    document, problems = combination.document, list[str]()
    head, found = None, None
    try:
        head = ConsortiumExperiment.model_validate(document)
    except ValidationError as error:
        problems += lines(error, document)
    if isinstance(document.get("consortium"), dict):
        try:
            found = read_table(ConsortiumTable, document["consortium"], document)
        except Wrong as wrong:
            problems += wrong.lines(("consortium",))
    if problems or head is None or found is None:
        raise ValueError(first_of(problems))
    terms: dict[str, Any] = {name: getattr(found, name) for name in _TERMS if getattr(found, name) is not None}
    try:
        Terms(found.data.n_classes, (1,), **terms)
        game = ConsortiumGame(
            found.data,
            found.division,
            found.models,
            terms,
            found.attack,
            found.method,
            found.regular,
            found.iterations,
            found.samples_per_iteration,
            found.searches,
            head.seed,
            found.ledger,
            found.predictor,
        )
    except ValueError as error:
        raise ValueError(f"consortium: {error}") from None
    return head, Cell(game_name(game.label, combination.settings), game, short(combination.settings), game.label)


def plan_consortia(document: dict[str, Any], folder: Path) -> Plan:
    """All consortia of a file with a [consortium] table, every one of them checked.

    Raises:
        ValueError: one line that names the field, its value and what is allowed.
    """
    refuse_outside("consortium", document, ConsortiumExperiment.model_fields, ConsortiumTable.model_fields)
    found = [_cell(combination) for combination in expand(document)]
    return plan_of(found[0][0], [cell for _, cell in found])
