"""The code behind an architecture, as a digest: two that bear one name and compute different things are told apart.

Looked at is what a Python file says, not how: comments, docstrings and layout make no difference. Taken in are the
builder, the classes and functions of its own file that it uses, one after the other, and numbers and texts of that file
that they name.
"""

import ast
import functools
import hashlib
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

DIGITS = 16  # hexadecimal


@functools.lru_cache(maxsize=1024)
def code_of(build: Callable[..., Any]) -> str:
    """16 hexadecimal digits that stand for the code of a function or class; empty where its source is not to be had."""
    parts: dict[str, str] = {}
    try:
        _take(build, parts)
    except (OSError, TypeError, ValueError, AttributeError, SyntaxError, RecursionError):
        return ""
    told = "\n".join(f"{name}\n{said}" for name, said in sorted(parts.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:DIGITS]


def _take(thing: Any, parts: dict[str, str]) -> None:
    if isinstance(thing, functools.partial):
        parts["partial"] = f"{_plain(thing.args)} {_plain(tuple(sorted(thing.keywords.items())))}"
        _take(thing.func, parts)
        return
    name = thing.__qualname__
    if name in parts:
        return
    function = _function_of(thing)
    tree = _tree(thing, function)
    parts[name] = _said(tree)
    if function is not None and function is thing:
        for cell_name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True):
            _name(f"{name}.{cell_name}", cell.cell_contents, thing.__module__, parts)
    home = {} if function is None else function.__globals__
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in home:
            _name(node.id, home[node.id], thing.__module__, parts)


def _name(name: str, value: Any, home: str, parts: dict[str, str]) -> None:
    """What a name of the file stands for."""
    own = getattr(value, "__module__", None) == home
    if own and (inspect.isfunction(value) or inspect.isclass(value)):
        _take(value, parts)
    elif _plain(value):
        parts[f"= {name}"] = _plain(value)
    elif callable(value) and hasattr(value, "__qualname__"):  # of a library: which one
        parts[f"= {name}"] = value.__qualname__


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list) and all(_plain(one) for one in value):
        return repr(value)
    return repr(value) if value is None or isinstance(value, bool | int | float | str | bytes) else ""


def _function_of(thing: Any) -> FunctionType | None:
    """The function itself, or one of those that a class is made of: it knows its file, whatever bears its name now."""
    if isinstance(thing, FunctionType):
        return thing
    return next((one for one in vars(thing).values() if isinstance(one, FunctionType)), None)


def _tree(thing: Any, function: FunctionType | None) -> ast.AST:
    """What its file says of a function or class."""
    if function is not None and thing.__name__ != "<lambda>":
        text = "".join(linecache.getlines(function.__code__.co_filename, function.__globals__))
        found: ast.AST | None = ast.parse(text)
        for name in thing.__qualname__.replace("<locals>.", "").split("."):
            found = _inside(found, name)
        if found is not None:
            return found
    return ast.parse(_source(thing))


def _inside(node: ast.AST | None, name: str) -> ast.AST | None:
    inside = [one for one in ast.walk(node) if getattr(one, "name", "") == name] if node is not None else []
    return next((one for one in reversed(inside) if isinstance(one, ast.FunctionDef | ast.ClassDef)), None)


def _source(thing: Any) -> str:
    text = textwrap.dedent(inspect.getsource(thing))
    if thing.__name__ != "<lambda>":
        return text
    at = text.index("lambda")  # a part of some statement
    for end in range(len(text), at, -1):
        try:
            ast.parse(text[at:end].strip(), mode="eval")
        except SyntaxError:
            continue
        return text[at:end].strip()
    return text


def _said(tree: ast.AST) -> str:
    return " ".join(_words(tree))


def _words(node: Any) -> Iterator[str]:
    """A syntax tree in words; fields that are empty are left out, so that later versions of Python say the same."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name, value in ast.iter_fields(node):
            if name in ("ctx", "kind", "type_comment") or value is None or value == []:
                continue
            if name == "body" and isinstance(value, list) and _is_text(value[0]):
                value = value[1:]
            yield name
            yield from _words(value)
        yield ")"
    elif isinstance(node, list):
        for one in node:
            yield from _words(one)
    else:
        yield repr(node)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
