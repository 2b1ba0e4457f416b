"""A module that implements an interface function imports the one that declares it, so that it may be imported first."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import folkmoot

PACKAGE = Path(folkmoot.__file__).parent
EVERYWHERE = {"folkmoot.interface"}  # whoever implements has imported it


def _named(path):
    return ".".join(("folkmoot", *path.relative_to(PACKAGE).with_suffix("").parts))


def _with(tree, decorator):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for one in node.decorator_list:
                if getattr(one.func if isinstance(one, ast.Call) else one, "id", "") == decorator:
                    yield node.name


def _imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_who_implements_a_function_imports_who_declares_it():
    trees = {_named(path): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    declared = {name: module for module, tree in trees.items() for name in _with(tree, "generic")}
    assert {declared["select"], declared["gather"]} == {"folkmoot.interface", "folkmoot.simulation.turns"}
    missing = [
        f"{module} implements {name} and does not import {declared[name]}"
        for module, tree in trees.items()
        for name in _with(tree, "implements")
        if declared[name] not in {*EVERYWHERE, *_imported(tree)}
    ]
    assert missing == []


def test_the_compiler_may_be_imported_first():
    told = subprocess.run(
        [sys.executable, "-c", "import folkmoot.simulation.compiled"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
