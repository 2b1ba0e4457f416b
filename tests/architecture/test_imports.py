"""Who may import whom. The table below is the architecture; everything in it is read from the source text."""

import ast
import re
from pathlib import Path

import pytest

import folkmoot

PACKAGE = Path(folkmoot.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

CONTRACTS = {"folkmoot.interface", "folkmoot.machine", "folkmoot.coins", "folkmoot.encoding", "folkmoot.errors",
             "folkmoot.configuration", "folkmoot.registry", "folkmoot.files", "folkmoot.json_text",
             "folkmoot.ties", "folkmoot.own_code", "folkmoot.doors", "folkmoot.meant", "folkmoot.progress"}  # fmt: skip
ANYTHING = {"folkmoot"}
BOOKS = {"folkmoot.encoding", "folkmoot.signatures", "folkmoot.errors", "folkmoot.coins", "folkmoot.registry",
         "folkmoot.files", "folkmoot.json_text"}  # fmt: skip

# Part of the package: which of our modules it may import besides itself (a name stands for all below it).
INSIDE = {
    "generics": set(),
    "interface": {"folkmoot.generics"},
    "machine": {"folkmoot.errors"},
    "coins": {"folkmoot.interface"},
    "encoding": {"folkmoot.errors"},
    "layouts": {"folkmoot.encoding"},
    "errors": set(),
    "signatures": {"folkmoot.errors"},
    "configuration": {"folkmoot.own_code", "folkmoot.sameness", "folkmoot.doors", "folkmoot.meant", "folkmoot.errors"},
    "meant": set(),
    "sameness": set(),
    "doors": {"folkmoot.errors"},
    "own_code": set(),
    "registry": set(),
    "files": set(),
    "json_text": set(),
    "plurals": set(),
    "progress": set(),
    "ties": set(),
    "theory": {"folkmoot.doors", "folkmoot.errors"},
    "algorithms": CONTRACTS,  # never the world: an agent cannot see the means it learns
    "world": CONTRACTS,
    "ledger": BOOKS,
    "comparison": {*BOOKS, "folkmoot.interface"},
    # Agreement of any kind of chain: it is handed the kind's rules and imports none of them.
    "agreement": {*BOOKS, "folkmoot.layouts", "folkmoot.machine", "folkmoot.ledger", "folkmoot.interface"},
    # Driver 1 knows systems only through the contracts.
    "simulation": {*CONTRACTS, "folkmoot.algorithms", "folkmoot.world"},
    # Systems 4 and 5. Only their games, played on driver 1, may import it: see GAMES.
    "bc_ucb": {*CONTRACTS, *BOOKS, "folkmoot.algorithms.base", "folkmoot.ledger", "folkmoot.agreement",
               "folkmoot.comparison"},
    "multiparty": {*CONTRACTS, *BOOKS, "folkmoot.ledger", "folkmoot.agreement", "folkmoot.plurals"},
    "experiments": {*CONTRACTS, "folkmoot.algorithms", "folkmoot.world", "folkmoot.bc_ucb", "folkmoot.multiparty",
                    "folkmoot.simulation", "folkmoot.report", "folkmoot.plurals"},
    "conformance": {*CONTRACTS, "folkmoot.algorithms", "folkmoot.world", "folkmoot.simulation"},
    # Worlds for learners from elsewhere, and such learners as agents.
    "adapters": {*CONTRACTS, "folkmoot.algorithms.base", "folkmoot.world"},
    # What the folders in papers/ share; cells are played by driver 1.
    "reproductions": {*CONTRACTS, "folkmoot.simulation"},
    "report": ANYTHING,
    "node": ANYTHING,
    "cli": ANYTHING,
    "__init__": ANYTHING,
    "__main__": ANYTHING,
}  # fmt: skip
GAMES = {
    "bc_ucb/attacks.py": {"folkmoot.world"},
    "bc_ucb/ideal.py": {"folkmoot.simulation"},
    "bc_ucb/game.py": {"folkmoot.simulation"},
    "bc_ucb/job.py": {"folkmoot.simulation", "folkmoot.world"},
    "bc_ucb/protocol.py": {"folkmoot.simulation"},
    "bc_ucb/result.py": {"folkmoot.simulation"},
    "bc_ucb/simulate.py": {"folkmoot.simulation", "folkmoot.world"},
    "multiparty/games/data.py": {"folkmoot.world"},
    "multiparty/games/game.py": {"folkmoot.simulation"},
    "multiparty/games/result.py": {"folkmoot.simulation"},
    "multiparty/games/watch.py": {"folkmoot.simulation"},
}

# The simulator knows algorithms, reward laws and networks by these base classes and the registry only.
THROUGH_THE_INTERFACE = {
    "folkmoot.algorithms.ALGORITHMS",
    "folkmoot.algorithms.base.Algorithm",
    "folkmoot.algorithms.base.Problem",
    "folkmoot.algorithms.base.require_algorithm",
    "folkmoot.algorithms.role.role",
    "folkmoot.world.corruption.Corruption",
    "folkmoot.world.feedback.Feedback",
    "folkmoot.world.liars.Liars",
    "folkmoot.world.networks.Network",
    "folkmoot.world.own_laws.check_law",
    "folkmoot.world.own_laws.noted_apart",
    "folkmoot.world.own_laws.payments_named",
    "folkmoot.world.own_laws.watched",
    "folkmoot.world.presence.Presence",
    "folkmoot.world.rewards.Rewards",
}

# From outside, an algorithm uses numpy, math, and pydantic for its configuration class.
OUTSIDE_OF_ALGORITHMS = {
    "numpy",
    "math",
    "pydantic",
    "typing",
    "dataclasses",
    "collections",
    "enum",
    "functools",
    "warnings",
    "sklearn",
    "threadpoolctl",
    "scipy",
}
SOCKETS = {"socket", "socketserver", "asyncio", "selectors", "ssl"}  # for `node` alone
UNREPEATABLE = {"time", "datetime", "random", "secrets"}  # never in a state transition, an algorithm or a world
SURROUNDINGS = {"os.environ", "os.getenv"}  # for the world's data sets: where is the cache?
PURE = {
    "ledger", "multiparty", "agreement", "comparison", "bc_ucb", "algorithms", "world", "coins", "generics",
    "interface", "machine",
}  # fmt: skip
NOT_PURE = {
    "bc_ucb/game.py",
    "multiparty/games/game.py",
    "bc_ucb/protocol.py",
    "multiparty/keys.py",
}  # drive games: they take the time and write files; keys are drawn where nobody can draw them again


_PLACE = re.compile(r"(folkmoot(?:\.[a-z_0-9]+)+)(?::(\w+))?")  # "module:name" and "module", as importlib takes them


def imported(text: str) -> set[str]:
    """Every dotted name a module imports, anywhere in it, "module:name" in strings too; uses of os.environ count."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import: write the whole name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (place := _PLACE.fullmatch(node.value)):
            names.add(f"{place[1]}.{place[2]}" if place[2] else place[1])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            names.add(f"os.{node.attr}")
    return names


def below(name: str, parent: str) -> bool:
    return name == parent or name.startswith(f"{parent}.")


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def violations(part: str, text: str, file: str = "") -> list[str]:
    """The imports of a module of this part that the architecture forbids; `file` is its path in the package."""
    names = imported(text)
    ours = {name for name in names if below(name, "folkmoot")}
    allowed = {*INSIDE[part], *GAMES.get(file, ()), f"folkmoot.{part}"}
    wrong = {name for name in ours if not any(below(name, a) for a in allowed) and _module(name) not in allowed}
    if part not in ("cli", "__init__", "__main__"):
        wrong |= {name for name in names if below(name, "folkmoot.cli") or below(name, "papers")}
    if part == "simulation":
        inner = {name for name in ours if below(name, "folkmoot.algorithms") or below(name, "folkmoot.world")}
        wrong |= inner - THROUGH_THE_INTERFACE
    if part == "algorithms":
        wrong |= {name for name in names - ours if name.split(".")[0] not in OUTSIDE_OF_ALGORITHMS}
    if part != "node":
        wrong |= {name for name in names if name.split(".")[0] in SOCKETS}
    if part in PURE and file not in NOT_PURE:
        never = UNREPEATABLE if part == "world" else UNREPEATABLE | SURROUNDINGS
        wrong |= {name for name in names if any(below(name, n) for n in never)}
    return sorted(wrong)


def _module(name: str) -> str:
    """`from folkmoot import coins` names the module folkmoot.coins; `from folkmoot.coins import x` its content."""
    return name if name.count(".") <= 1 else name.rsplit(".", 1)[0]


def test_every_part_of_the_package_has_its_rule():
    assert {part_of(path) for path in FILES} <= set(INSIDE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_only_what_it_may(path):
    file = path.relative_to(PACKAGE).as_posix()
    assert violations(part_of(path), path.read_text(encoding="utf-8"), file) == []


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("interface", "from folkmoot.coins import uniform"),
        ("coins", "import folkmoot.simulation.engine"),
        ("algorithms", "from folkmoot.world.rewards import Bernoulli"),
        ("algorithms", "from folkmoot import world"),
        ("algorithms", "import networkx as nx"),
        ("algorithms", "def f():\n    import random"),
        ("world", "from folkmoot.algorithms.base import Problem"),
        ("world", "import time"),
        ("world", "from folkmoot.simulation import result"),
        ("simulation", "from folkmoot.algorithms.gse import GSE"),
        ("simulation", "from folkmoot.world.networks import ErdosRenyi"),
        ("simulation", "from folkmoot.report import plots"),
        ("simulation", "import socket"),
        ("ledger", "from os import environ"),
        ("ledger", "import os\nx = os.environ['HOME']"),
        ("ledger", "from time import time"),
        ("multiparty", "import asyncio"),
        ("agreement", "from folkmoot.node import json_rpc"),
        ("agreement", "from folkmoot.algorithms.gse import GSE"),
        ("agreement", "from folkmoot.bc_ucb.rules import State"),
        ("agreement", "place = 'folkmoot.bc_ucb.rules:ROUNDS'"),
        ("ledger", "KINDS = {'bema': 'folkmoot.multiparty.chain.rules:BEMA'}"),
        ("bc_ucb", "from folkmoot.simulation.network import Network"),
        ("bc_ucb", "from folkmoot.multiparty import Consortium"),
        ("bc_ucb", "from folkmoot.report import plots"),
        ("bc_ucb", "import asyncio"),
        ("report", "from folkmoot.cli import main"),
        ("reproductions", "import papers.gse"),
        ("reproductions", "from folkmoot.bc_ucb.job import ChainJob"),
        ("node", "import papers.gse"),
    ],
)
def test_a_forbidden_import_is_noticed(part, text):
    assert violations(part, text) != []


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("algorithms", "from math import log\nimport numpy as np\nfrom folkmoot.coins import CHOICE, uniform"),
        ("algorithms", "from folkmoot import coins"),
        ("world", "from folkmoot import coins as dice\nfrom folkmoot import interface"),
        ("simulation", "from folkmoot.algorithms.base import Algorithm\nfrom time import perf_counter"),
        ("agreement", "from folkmoot.ledger.block import Block"),
        ("bc_ucb", "from folkmoot.agreement.voting import Voter"),
        ("node", "import asyncio, time"),
    ],
)
def test_an_allowed_import_is_left_alone(part, text):
    assert violations(part, text) == []
