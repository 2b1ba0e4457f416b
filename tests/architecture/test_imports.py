"""Who may import whom. The table below is the architecture; everything in it is read from the source text."""

import ast
from pathlib import Path

import pytest

import folkmoot

PACKAGE = Path(folkmoot.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

EVERYBODY = {"folkmoot.interface", "folkmoot.coins"}
WRITTEN_BY_USERS = {*EVERYBODY, "folkmoot.configuration"}  # what has configuration classes
ANYTHING = {"folkmoot"}

# Part of the package: which of our modules it may import besides itself (a name stands for all below it).
INSIDE = {
    "interface": set(),
    "coins": {"folkmoot.interface"},
    "configuration": set(),
    "theory": set(),
    "algorithms": WRITTEN_BY_USERS,  # never the world: an agent cannot see the means it learns
    "world": WRITTEN_BY_USERS,
    "simulation": {*EVERYBODY, "folkmoot.algorithms", "folkmoot.world"},
    "ledger": EVERYBODY,
    "multiparty": {*EVERYBODY, "folkmoot.ledger"},
    # What a participant on a chain thinks is the same function in the compiled loop and in a node.
    "agreement": {*EVERYBODY, "folkmoot.ledger", "folkmoot.algorithms.base", "folkmoot.algorithms.bc_ucb"},
    # A driver, as the simulation is: all participants in one loop, or each a node on a network in memory.
    "chain": {
        *WRITTEN_BY_USERS,
        "folkmoot.algorithms",
        "folkmoot.world",
        "folkmoot.simulation",
        "folkmoot.ledger",
        "folkmoot.agreement",
    },
    "experiments": {
        *WRITTEN_BY_USERS,
        "folkmoot.algorithms",
        "folkmoot.world",
        "folkmoot.simulation",
        "folkmoot.report",
    },
    "report": ANYTHING,
    "network": ANYTHING,
    "cli": ANYTHING,
    "__init__": ANYTHING,
    "__main__": ANYTHING,
}

# The simulator knows algorithms, reward laws and networks by these base classes and the registry only.
THROUGH_THE_INTERFACE = {
    "folkmoot.algorithms.ALGORITHMS",
    "folkmoot.algorithms.base.Algorithm",
    "folkmoot.algorithms.base.Problem",
    "folkmoot.world.corruption.Corruption",
    "folkmoot.world.networks.Network",
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
SOCKETS = {"socket", "socketserver", "asyncio", "selectors", "ssl"}  # for `network` alone
UNREPEATABLE = {"time", "datetime", "random", "secrets"}  # never in a state transition, an algorithm or a world
SURROUNDINGS = {"os.environ", "os.getenv"}  # for the world's data sets: where is the cache?
PURE = {"ledger", "multiparty", "agreement", "algorithms", "world", "coins", "interface"}


def imported(text: str) -> set[str]:
    """Every dotted name a module imports, anywhere in it; uses of os.environ and os.getenv count."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import: write the whole name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            names.add(f"os.{node.attr}")
    return names


def below(name: str, parent: str) -> bool:
    return name == parent or name.startswith(f"{parent}.")


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def violations(part: str, text: str) -> list[str]:
    """The imports of a module of this part that the architecture forbids."""
    names = imported(text)
    ours = {name for name in names if below(name, "folkmoot")}
    allowed = {*INSIDE[part], f"folkmoot.{part}"}
    wrong = {name for name in ours if not any(below(name, a) for a in allowed) and _module(name) not in allowed}
    if part not in ("cli", "__init__", "__main__"):
        wrong |= {name for name in names if below(name, "folkmoot.cli") or below(name, "papers")}
    if part == "simulation":
        inner = {name for name in ours if below(name, "folkmoot.algorithms") or below(name, "folkmoot.world")}
        wrong |= inner - THROUGH_THE_INTERFACE
    if part == "algorithms":
        wrong |= {name for name in names - ours if name.split(".")[0] not in OUTSIDE_OF_ALGORITHMS}
    if part != "network":
        wrong |= {name for name in names if name.split(".")[0] in SOCKETS}
    if part in PURE:
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
    assert violations(part_of(path), path.read_text(encoding="utf-8")) == []


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
        ("agreement", "from folkmoot.network import node"),
        ("agreement", "from folkmoot.algorithms.gse import GSE"),
        ("agreement", "from folkmoot.chain.network import Network"),
        ("chain", "from folkmoot.report import plots"),
        ("chain", "import asyncio"),
        ("report", "from folkmoot.cli import main"),
        ("network", "import papers.gse"),
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
        ("agreement", "from folkmoot.algorithms.bc_ucb import choose"),
        ("chain", "from folkmoot.agreement.node import Node"),
        ("network", "import asyncio, time"),
    ],
)
def test_an_allowed_import_is_left_alone(part, text):
    assert violations(part, text) == []
