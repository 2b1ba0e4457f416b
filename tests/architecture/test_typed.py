"""What the type checker does not see: kernels, whose types the compiler infers, and nothing else."""

import ast
import tomllib

import pytest
from test_tidy import FILES, PACKAGE, ROOT, kernels

MOST_SHARE = 0.15  # of the package's lines
RELAXED = {"module", "disallow_untyped_defs", "check_untyped_defs", "disable_error_code"}


def exemption():
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["overrides"]
    assert not any("ignore_errors" in one for one in overrides)
    (found,) = [one for one in overrides if "disallow_untyped_defs" in one]
    return found


def unseen(text):
    """The functions without any annotation: (lines, is it a kernel?, name)."""
    marked = {(node.name, node.lineno) for node in kernels(text)}
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is None:
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if not any(argument.annotation for argument in given):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                found.append((node.end_lineno - first + 1, (node.name, node.lineno) in marked, node.name))
    return found


def module(path):
    return ".".join(("folkmoot", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def test_only_kernels_are_exempt_and_they_are_few():
    exempt = exemption()
    assert set(exempt) <= RELAXED, "ordinary classes beside kernels are checked as strictly as any"
    assert not [name for name in exempt["module"] if "*" in name]
    lines, beside, hidden, wrong = 0, 0, 0, []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        lines += len(text.splitlines())
        if module(path) in exempt["module"]:
            functions = unseen(text)
            beside += len(text.splitlines())
            hidden += sum(length for length, _, _ in functions)
            wrong += [f"{module(path)}.{name}" for _, is_kernel, name in functions if not is_kernel]
    assert wrong == []
    assert 0 < hidden < beside <= MOST_SHARE * lines  # whole modules are few as well


def test_every_exempt_module_is_there_and_has_kernels():
    modules = {module(path): path for path in FILES}
    assert [m for m in exemption()["module"] if m not in modules or not unseen(modules[m].read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x):\n    return x\n", [(2, False, "f")]),
        ("@kernel\ndef f(x):\n    return x\n", [(3, True, "f")]),
        ("def f(x: int):\n    return x\n", []),
        ("def f() -> None:\n    pass\n", []),
    ],
)
def test_what_is_unseen_is_found(text, expected):
    assert unseen(text) == expected
