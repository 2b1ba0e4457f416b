"""Classes that users bring along: found by "module:Class", and the text of their modules for telling versions apart.

A file that names a module makes us run that module, as `python FILE.py` would.
"""

import ast
import hashlib
import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

_SHOWN = 100  # characters that are repeated of what a module raises
_INSTALLED = {"site-packages", "dist-packages"}


def load(place: str, base: str, folder: Path | None = None) -> Any:
    """The class at "module:Class"; the module is imported now, if it is not yet.

    Args:
        place: the module, found in the folder or on Python's path, and the name of the class.
        base: "module:Class" of what it must be a subclass of.
        folder: joins Python's path, at its end, if the module lies there; worker processes inherit the path.

    Raises:
        ValueError: no such module or class, another kind of class, or the module raises something; one line.
    """
    name, _, attribute = place.partition(":")
    if not attribute.isidentifier() or not all(part.isidentifier() for part in name.split(".")):
        raise ValueError("expected 'module:Class', such as 'my_module:MyClass'")
    module, home = _module(name, folder), base.partition(":")
    wanted: type = getattr(importlib.import_module(home[0]), home[2])
    of_base = [key for key, one in vars(module).items() if _is(one, wanted) and one.__module__ == module.__name__]
    found: Any = getattr(module, attribute, None)
    if found is None and not hasattr(module, attribute):
        near = get_close_matches(attribute, of_base, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        there = f"there are {', '.join(of_base)}" if of_base else f"there is no {wanted.__name__} in it"
        raise ValueError(f"module {name!r} has no {attribute!r}; {hint}{there}")
    if not _is(found, wanted):
        what = "a class" if isinstance(found, type) else f"of type {type(found).__name__}"
        raise ValueError(f"{attribute!r} is {what}, but not a subclass of {base.replace(':', '.')}, as expected here")
    return found


def _is(found: Any, base: type) -> bool:
    """Is it a proper subclass?"""
    return isinstance(found, type) and issubclass(found, base) and found is not base


def _module(name: str, folder: Path | None) -> ModuleType:
    beside = None if folder is None else _beside(name.split(".")[0], folder.resolve())
    if beside is not None and str(beside.parent) not in sys.path:
        sys.path.append(str(beside.parent))  # at the end: a file called random.py is to hide nothing
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ValueError(f"no module {name!r} beside the file or on Python's path") from None
        raise ValueError(f"module {name!r} raises {_told(error)}") from error
    except (Exception, SystemExit) as error:
        raise ValueError(f"module {name!r} raises {_told(error)}") from error
    first = sys.modules[name.split(".")[0]]
    if beside is not None and not _lies_in(first, beside):
        where = getattr(first, "__file__", None) or "Python itself"
        raise ValueError(f"module {name!r} is another one, from {where}; give the one beside the file another name")
    return module


def _beside(name: str, folder: Path) -> Path | None:
    """The file or package of this name in the folder."""
    return next((path for path in (folder / f"{name}.py", folder / name) if path.exists()), None)


def _lies_in(module: ModuleType, path: Path) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(path == place or path in place.parents for place in (Path(p).resolve() for p in places if p))


def _told(error: BaseException) -> str:
    """What was raised and where, on one line: the last line that is not of the machinery of imports."""
    text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    said = f"{type(error).__name__}: {text[:_SHOWN]}" if text else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{said} ({Path(error.filename).name}, line {error.lineno})"
    lines = [at for at in _lines(error.__traceback__) if "importlib" not in at[0] and at[0] != __file__]
    return f"{said} ({Path(lines[-1][0]).name}, line {lines[-1][1]})" if lines else said


def _lines(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def versions(*configurations: Any) -> dict[str, str]:
    """SHA-256 (16 hex digits) of the code of every class in configurations that is not the package's, by its place.

    The code is the text of the module of the class and of those beside it that it uses, as far as they can be found;
    "" if nothing can be. Configurations inside others count too.
    """
    kinds = dict.fromkeys(kind for one in configurations for kind in _kinds(one))
    return {f"{kind.__module__}:{kind.__qualname__}": _digest(kind) for kind in kinds if not _ours(kind)}


def _ours(kind: type) -> bool:
    return kind.__module__.startswith("folkmoot.")


def _kinds(value: Any) -> Iterator[type]:
    """The classes of a configuration and of those inside it."""
    if hasattr(type(value), "model_fields"):
        yield type(value)
        for name in type(value).model_fields:
            yield from _kinds(getattr(value, name, None))
    elif isinstance(value, Mapping):
        yield from _kinds(list(value.values()))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _kinds(one)


def _digest(kind: type) -> str:
    module = sys.modules.get(kind.__module__)
    if module is not None and getattr(module, "__file__", None):
        texts = {used.__name__: _text(used) for used in _used(module)}
    else:  # defined in a notebook
        texts = {kind.__qualname__: _text(kind)}
    if not any(texts.values()):
        return ""
    written = "\0".join(f"{name}\0{texts[name]}" for name in sorted(texts))
    return hashlib.sha256(written.encode("utf-8")).hexdigest()[:16]


def _used(module: ModuleType) -> Iterable[ModuleType]:
    """The module, and those beside it or in its package that it uses, and so on; nothing that is installed."""
    found, left = {module.__name__: module}, [module]
    root = Path(module.__file__ or "").resolve().parents[module.__name__.count(".")]
    while left:
        for name in _imports(left.pop()):
            used = sys.modules.get(name)
            file = getattr(used, "__file__", None)
            if used is not None and name not in found and file and _belongs(Path(file).resolve(), root):
                found[name] = used
                left.append(used)
    return found.values()


def _imports(module: ModuleType) -> set[str]:
    """The names a module imports, and those inside them, which may be modules too."""
    names: set[str] = set()
    package = (module.__package__ or "").split(".")
    for node in ast.walk(ast.parse(_text(module))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            whole = ".".join([*above, *([node.module] if node.module else [])])
            names |= {whole, *(f"{whole}.{alias.name}" for alias in node.names)}
    return names


def _belongs(file: Path, root: Path) -> bool:
    return root in file.parents and not _INSTALLED.intersection(file.parts)


def _text(thing: Any) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return ""


def is_ours(record: object) -> bool:
    """Is this record type, with those nested in it, defined by the package?"""
    if not type(record).__module__.startswith("folkmoot."):
        return False
    return all(is_ours(field) for field in record if isinstance(field, tuple)) if isinstance(record, tuple) else True
