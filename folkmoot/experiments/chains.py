"""Experiment files on games on a chain: [rewards] and [chain]."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ValidationError

from folkmoot.bc_ucb.algorithm import BCUCB
from folkmoot.bc_ucb.attacks import ATTACKS, Attack
from folkmoot.bc_ucb.game import ChainGame
from folkmoot.bc_ucb.job import make_chain_job
from folkmoot.configuration import Configuration, Wrong, of_kind, part, read_table
from folkmoot.experiments.grids import GridCell, expand
from folkmoot.experiments.heads import LedgerName, Plan, WithRounds, game_name, plan_of, refuse_outside, short, table
from folkmoot.experiments.problems import first_of, lines
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.network import Faults
from folkmoot.world import REWARDS, datasets
from folkmoot.world.in_file import InFile


class ChainTable(Configuration):
    """The [chain] table; its keys are the arguments of `folkmoot.simulate_chain`.

    Attributes:
        algorithm: the fields of `folkmoot.BCUCB`.
        malicious: numbers of the participants that lie, from 0.
        attack: how: the `type` of an attack, and its fields.
        expected_validators: units of trust drawn a round; None is the number of participants.
        fidelity: "ideal", one compiled loop, or "protocol", every participant a machine on a network.
        faults: of that network: the fields of `folkmoot.Faults`.
        private_comparison, sortition, disclosure: of the protocol.
        evidence: what becomes of proven liars.
        environment: does it sign rewards?
        ledger: a file in the folder of the results, for the chain of the one game.
    """

    algorithm: Annotated[BCUCB, table(BCUCB)] = BCUCB()
    malicious: tuple[int, ...] = ()
    attack: Annotated[Attack | None, part(ATTACKS)] = None
    expected_validators: int | None = None
    fidelity: Literal["ideal", "protocol"] = "ideal"
    faults: Annotated[Faults | None, table(Faults)] = None
    private_comparison: Literal["ideal", "pairwise", "mpyc"] = "ideal"
    sortition: Literal["coin", "vrf"] = "coin"
    disclosure: Literal["open", "validators"] = "open"
    evidence: Literal["note", "exclude"] = "note"
    environment: bool = False
    ledger: LedgerName | None = None


class ChainExperiment(WithRounds):
    """A whole file on games on a chain; one cell of it when there are grids.

    Attributes:
        rewards: what arms pay; their number of agents is that of participants.
        chain: see ChainTable.
    """

    rewards: dict[str, Any]
    chain: dict[str, Any]


def _read(document: dict[str, Any], context: InFile) -> tuple[ChainExperiment, Any, ChainTable]:
    problems: list[str] = []
    head, rewards, chain = None, None, None
    try:
        head = ChainExperiment.model_validate(document)
    except ValidationError as error:
        problems += lines(error, document)
    if isinstance(document.get("rewards"), dict):
        try:
            rewards = of_kind(REWARDS, document["rewards"], context)
        except Wrong as wrong:
            problems += wrong.lines(("rewards",))
    if isinstance(document.get("chain"), dict):
        misplaced = _of_the_algorithm(document["chain"])
        problems += misplaced
        try:
            chain = None if misplaced else read_table(ChainTable, document["chain"], context)
        except Wrong as wrong:
            problems += wrong.lines(("chain",))
    if problems or head is None or chain is None:
        raise ValueError(first_of(problems))
    return head, rewards, chain


def _of_the_algorithm(table: dict[str, Any]) -> list[str]:
    """Fields that stand beside the algorithm and belong inside it, a line each."""
    misplaced = [name for name in table if name in BCUCB.model_fields and name not in ChainTable.model_fields]
    return [f"chain: field {name!r}: belongs inside chain.algorithm: {{ {name} = ... }}" for name in misplaced]


def _cell(combination: GridCell, context: InFile) -> tuple[ChainExperiment, Cell]:
    head, rewards, chain = _read(combination.document, context)
    try:
        job = make_chain_job(
            chain.algorithm,
            rewards,
            horizon=head.horizon,
            malicious=chain.malicious,
            attack=chain.attack,
            expected_validators=chain.expected_validators,
            seed=head.seed,
            checkpoints=head.checkpoints,
        )
        names = ("fidelity", "faults", "private_comparison", "sortition", "disclosure", "evidence", "environment")
        how = {name: getattr(chain, name) for name in names}
        game = ChainGame(job, **how, ledger=chain.ledger, anew=True)
    except ValueError as error:
        about = str(error).partition(" = ")[0]
        if about in BCUCB.model_fields:
            raise ValueError(f"chain.algorithm.{error}") from None
        own = about.startswith(("horizon", "rewards"))  # said of a key above the table
        raise ValueError(str(error) if own else f"chain: {error}") from None
    label = "BC-UCB"
    return head, Cell(game_name(label, combination.settings), game, short(combination.settings), label)


def plan_chains(document: dict[str, Any], folder: Path) -> Plan:
    """All games of a file with a [chain] table, every one of them checked.

    Raises:
        ValueError: one line that names the field, its value and what is allowed.
    """
    refuse_outside("chain", document, ChainExperiment.model_fields, ChainTable.model_fields)
    context = InFile(folder, datasets.load)
    found = [_cell(combination, context) for combination in expand(document)]
    return plan_of(found[0][0], [cell for _, cell in found])
