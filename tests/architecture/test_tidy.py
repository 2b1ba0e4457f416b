"""Rules of style that a machine can read: sizes, banned names, exactness of kernels, no machine's paths."""

import ast
import re
from pathlib import Path

import pytest

import folkmoot

PACKAGE = Path(folkmoot.__file__).parent
ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))
PUBLIC = [path for path in [*sorted(ROOT.glob("*.md")), ROOT / "pyproject.toml", ROOT / "Makefile"] if path.exists()]
PUBLIC += sorted(
    path for folder in ("docs", "benchmarks", "contracts", "papers") for path in (ROOT / folder).rglob("*.*")
)
PUBLIC = [path for path in PUBLIC if path.is_file() and ROOT / "docs" / "_build" not in path.parents]
TEXTS = [path for path in [*FILES, *PUBLIC] if path.suffix in {".py", ".md", ".toml", ".c", ".txt", ".vy", ""}]

FILE_LINES, FUNCTION_LINES, LINE_WIDTH = 400, 70, 120

# Array functions whose last bits differ between NumPy and the compiler, and randomness that is a sequence.
NUMPY_BANNED = {"sum", "mean", "log", "exp", "dot", "prod", "var", "std", "cumsum", "matmul", "einsum", "power"}
METHODS_BANNED = {"sum", "mean", "dot", "prod", "var", "std", "cumsum"}
MODULES_BANNED = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}


def _functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def kernels(text: str) -> list[ast.AST]:
    """The functions a compiler sees: @kernel, @inlined, @generic, @implements(...) and the loop itself."""

    def name(decorator: ast.expr) -> str:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")

    marked = {"kernel", "inlined", "generic", "implements"}
    return [
        f
        for f in _functions(ast.parse(text))
        if f.name in ("play", "part", "rounds") or any(name(decorator) in marked for decorator in f.decorator_list)
    ]


def too_large(text: str) -> list[str]:
    lines = text.splitlines()
    wrong = [f"{len(lines)} lines in the file"] if len(lines) > FILE_LINES else []
    wrong += [f"line {n}: {len(line)} columns" for n, line in enumerate(lines, 1) if len(line) > LINE_WIDTH]
    for function in _functions(ast.parse(text)):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > FUNCTION_LINES:
            wrong.append(f"{function.name}: {length} lines")
    return wrong


def inexact(text: str) -> list[str]:
    """What in the kernels of a module would break bit-identity or draw from a sequence."""
    wrong = []
    for node in (inner for kernel in kernels(text) for inner in ast.walk(kernel)):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner in ("np", "numpy") and node.attr in NUMPY_BANNED | {"random", "linalg"}:
                wrong.append(f"line {node.lineno}: {owner}.{node.attr}")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            wrong.append(f"line {node.lineno}: @")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS_BANNED:
            wrong.append(f"line {node.lineno}: .{node.func.attr}()")
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sum":
            wrong.append(f"line {node.lineno}: sum()")
    return wrong


def banned(text: str) -> list[str]:
    """What no module may do: run foreign bytes as code, relax floating point, leave work undone."""
    wrong = [f"{m[0]} in the text" for m in re.finditer(r"\b(TODO|FIXME|XXX|HACK)\b", text)]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            wrong += [f"line {node.lineno}: import {name}" for name in names if name.split(".")[0] in MODULES_BANNED]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
            wrong.append(f"line {node.lineno}: {node.func.id}()")
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            wrong.append(f"line {node.value.lineno}: allow_pickle")
        if isinstance(node, ast.keyword) and node.arg == "fastmath":
            wrong.append(f"line {node.value.lineno}: fastmath")
        if isinstance(node, ast.Constant) and node.value == "fastmath":
            wrong.append(f"line {node.lineno}: fastmath")
    return wrong


_FOLDERS = "home|Users|root|tmp|work|mnt|opt|var|srv|private|workspace|scratch"
_MACHINE = re.compile(rf"(?<![\w.:/~$}}>)-])/(?:{_FOLDERS})/[\w.]|\b[A-Z]:\\\\?Users")
_UPWARDS = re.compile(r"(?<![\w./])(?:\.\./)+(?=\w)")


def machine_paths(text: str, depth: int = 0) -> list[str]:
    """Absolute paths that exist on somebody's machine only, and relative ones that leave the project.

    The file lies `depth` folders below the root of the project.
    """
    wrong = []
    for number, line in enumerate(text.splitlines(), 1):
        outside = any(m[0].count("/") > depth for m in _UPWARDS.finditer(line))
        if outside or _MACHINE.search(line):
            wrong.append(f"line {number}: {line.strip()}")
    return wrong


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("check", [too_large, inexact, banned])
@pytest.mark.parametrize("path", FILES, ids=_name)
def test_the_package_is_tidy(path, check):
    assert check(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_no_path_of_a_machine(path):
    depth = len(path.relative_to(ROOT).parts) - 1
    if path.name == "Makefile":
        depth += 1  # it may look for data sets in a folder beside the project
    assert machine_paths(path.read_text(encoding="utf-8"), depth) == []


def test_the_kernels_are_found():
    """Guards the guard: were decorators renamed, `inexact` would look at nothing."""
    found = {path.relative_to(PACKAGE).as_posix() for path in FILES if kernels(path.read_text(encoding="utf-8"))}
    assert {"coins.py", "interface.py", "simulation/engine.py", "algorithms/ucb.py", "world/rewards.py"} <= found


LONG_FUNCTION = "def f():\n" + "    x = 1\n" * FUNCTION_LINES


@pytest.mark.parametrize("text", ["x = 1\n" * (FILE_LINES + 1), LONG_FUNCTION, "#" * (LINE_WIDTH + 1)])
def test_a_large_thing_is_noticed(text):
    assert too_large(text) != []


@pytest.mark.parametrize("text", ["x = 1\n" * FILE_LINES, LONG_FUNCTION.removesuffix("    x = 1\n"), "#" * LINE_WIDTH])
def test_the_largest_allowed_is_left_alone(text):
    assert too_large(text) == []


BODIES = ["np.sum(x)", "x.mean()", "np.log(x)", "np.exp(x)", "np.dot(x, x)", "np.random.random()", "x @ x", "sum(x)"]


HEADS = [f"{mark}\ndef f(x)" for mark in ("@kernel", "@inlined", "@generic", "@implements(Params)")] + ["def play(x)"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("head", HEADS)
def test_an_inexact_kernel_is_noticed(head, body):
    assert inexact(f"{head}:\n    return {body}\n") != []


@pytest.mark.parametrize("body", ["state.mean[i, k]", "log(x)", "np.zeros(3)", "params.sum"])
def test_an_exact_kernel_is_left_alone(body):
    assert inexact(f"@kernel\ndef f(x):\n    return {body}\n") == []


def test_outside_kernels_array_functions_are_free():
    assert inexact("def f(x):\n    return np.sum(x)\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "def f():\n    import marshal",
        "eval('1')",
        "exec('x = 1')",
        "np.load(f, allow_pickle=True)",
        "numba.njit(fastmath=True)(f)",
        "options = {'fastmath': True}",
        "# TODO: later",
        "# FIXME",
    ],
)
def test_a_banned_thing_is_noticed(text):
    assert banned(text) != []


@pytest.mark.parametrize("text", ["np.load(f, allow_pickle=False)", "literal_eval('1')", "model.evaluate()"])
def test_a_harmless_thing_is_left_alone(text):
    assert banned(text) == []


PLANTED = [
    "/".join(["", *parts]) for parts in (("home", "ada", "x"), ("tmp", "x"), ("Users", "ada", "y"), ("work", "m"))
]


@pytest.mark.parametrize("path", [*PLANTED, "../elsewhere/x"])
@pytest.mark.parametrize("line", ["{}", "open('{}')", "see `{}`", "cd {} && ls", "data = {}"])
def test_a_machine_path_is_noticed(path, line):
    assert machine_paths(line.format(path)) != []


@pytest.mark.parametrize("text", ["https://example.org/home/x", "docs/home/x", "#!/usr/bin/env python", "~/tmp/x"])
def test_a_harmless_path_is_left_alone(text):
    assert machine_paths(text) == []


def test_a_path_may_go_up_within_the_project_only():
    assert machine_paths("see ../../README.md", 2) == []
    assert machine_paths("see ../../README.md", 1) != []


def test_no_two_modules_of_tests_have_one_name():
    """Folders of tests that are no package share one space of names: of two modules, pytest refuses the second."""
    loose = [path for path in (ROOT / "tests").rglob("*.py") if not (path.parent / "__init__.py").exists()]
    names = [path.name for path in loose if path.name != "conftest.py"]
    assert {name for name in names if names.count(name) > 1} == set()
