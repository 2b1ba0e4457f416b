"""Types are checked everywhere but in kernels, whose types numba infers: of those modules, only in the kernels."""

import ast
import tomllib
from pathlib import Path

import pytest
from test_tidy import kernels

ROOT = Path(__file__).resolve().parents[2]
MOST = 0.15  # of the package's lines may be in modules that may leave types out


def exempt(text):
    """The modules that may leave types out, by the configuration of mypy."""
    overrides = tomllib.loads(text)["tool"]["mypy"]["overrides"]
    return sorted(
        module
        for override in overrides
        if not override.get("disallow_untyped_defs", True) or override.get("ignore_errors", False)
        for module in override["module"]
    )


def lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def share(modules):
    """Which part of the package's lines these modules are."""
    package = [*ROOT.joinpath("folkmoot").rglob("*.py")]
    return sum(lines(path_of(module)) for module in modules) / sum(map(lines, package))


def path_of(module):
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def untyped(text):
    """Functions with a type left out that are no kernels."""
    tree, found = ast.parse(text), []
    compiled = {kernel.lineno for kernel in kernels(text)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno not in compiled:
            given = [a for a in ast.walk(node.args) if isinstance(a, ast.arg) and a.arg not in ("self", "cls")]
            if node.returns is None or any(a.annotation is None for a in given):
                found.append(node.name)
    return found


EXEMPT = exempt(ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8"))


def test_few_lines_are_exempt():
    assert share(EXEMPT) <= MOST


def test_the_share_is_of_lines():
    every = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.joinpath("folkmoot").rglob("*.py")]
    assert share(every) == 1.0
    assert 0.0 < share([*EXEMPT, "folkmoot.cli"]) - share(EXEMPT) < 0.05


@pytest.mark.parametrize("module", EXEMPT)
def test_only_kernels_leave_types_out(module):
    assert untyped(path_of(module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(x): pass", ["f"]),
        ("def f(x: int): pass", ["f"]),
        ("def f(x) -> None: pass", ["f"]),
        ("class A:\n def f(self, *more) -> None: pass", ["f"]),
        ("class A:\n def f(self, x: int) -> None: pass", []),
        ("@kernel\ndef f(x): pass", []),
        ("@implements(Params)\ndef f(x): pass", []),
    ],
)
def test_a_type_left_out_is_noticed(text, found):
    assert untyped(text) == found


@pytest.mark.parametrize("how", ["disallow_untyped_defs = false", "ignore_errors = true"])
def test_an_exemption_is_noticed(how):
    assert exempt(f'[[tool.mypy.overrides]]\nmodule = ["folkmoot.a"]\n{how}') == ["folkmoot.a"]
    assert exempt('[[tool.mypy.overrides]]\nmodule = ["folkmoot.a"]\nfollow_imports = "silent"') == []
