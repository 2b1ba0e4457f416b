"""The kinds of models: how one that a chain names is made anew. Those of PyTorch and scikit-learn are known already."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from folkmoot.doors import guarded
from folkmoot.encoding import Value
from folkmoot.errors import brief
from folkmoot.multiparty.models.model import Model
from folkmoot.multiparty.models.users import told


class Readable(Protocol):
    """What has `from_bytes` of a `Model`: a model with any parameters, or less."""

    def from_bytes(self, data: bytes) -> Model:
        """See `Model`."""


Build = Callable[[str, tuple[int, ...], Value], Model]  # of (kind, classes, settings): a model with any parameters

TORCH, LINEAR, ESTIMATOR = "torch", "linear", "estimator"  # their libraries are loaded when such a model is asked for
_OWN: dict[str, Build] = {}  # entered by users


@guarded
def register_model_kind(kind: str, build: Build) -> None:
    """Say how a model of a kind is made anew from (kind, classes, settings), so that its chains can be replayed.

    A kind is looked up by the part of its name before the first "/".

    Raises:
        ValueError: "torch", "linear" or "estimator", which stand for something already, or a name with a "/".
    """
    if "/" in kind:
        raise ValueError(f"model kind {brief(kind)}: expected a name without /; what stands before it is looked up")
    if kind in (TORCH, LINEAR, ESTIMATOR):
        raise ValueError(f"model kind {brief(kind)}: the name is taken")
    _OWN[kind] = build


def enter_from(path: str | os.PathLike[str]) -> None:
    """Run a Python file that enters models or kinds of ledgers of one's own, by `register_architecture`,
    `register_model_kind` or `ledger.KINDS`. It can be imported by its name afterwards, unless another module has that.

    Raises:
        ValueError: it cannot be read, or it fails.
    """
    spec = importlib.util.spec_from_file_location("folkmoot_own_models", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path}: expected a Python file, FILE.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.modules.setdefault(Path(path).stem, module)  # for the "module:RULES" of a kind that it enters
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a user's file may raise: SystemExit too would end all, as if it were well
        raise ValueError(f"{path}: {told(error)}") from None


def blank(kind: str, classes: tuple[int, ...], settings: Value) -> Readable:
    """What makes a model of a kind from its bytes.

    Raises:
        ValueError: an unknown kind.
        Malformed: settings that none of its models has.
        ImportError: the library of its kind is not installed.
    """
    family = kind.partition("/")[0]
    if family == TORCH:
        from folkmoot.multiparty.models import torch_model

        return torch_model.blank(kind, classes, settings)
    if family == LINEAR:
        from folkmoot.multiparty.models import linear_model

        return linear_model.blank(kind, classes, settings)
    if family == ESTIMATOR:
        from folkmoot.multiparty.models import estimator_model

        return estimator_model.blank(kind, classes, settings)
    if family not in _OWN:
        raise ValueError(f"model of kind {brief(kind)}: unknown here; enter it with register_model_kind")
    return _OWN[family](kind, classes, settings)


def is_known(kind: str) -> bool:
    """Can `blank` make models of this kind?

    Raises:
        ImportError: the library of its kind is not installed.
    """
    family, _, name = kind.partition("/")
    if family == TORCH:
        from folkmoot.multiparty.models.architectures import ARCHITECTURES, code_named

        known, _, code = name.partition("#")
        return known in ARCHITECTURES and (not code or code == code_named(known))
    if family == ESTIMATOR:
        from folkmoot.multiparty.models.estimator_model import KIND

        return kind == KIND
    return family == LINEAR or family in _OWN


def is_users(kind: str) -> bool:
    """Do scores and steps of such a model run code that a user entered?"""
    family, _, name = kind.partition("/")
    if family != TORCH:
        return family in _OWN
    from folkmoot.multiparty.models import architectures

    build = architectures.ARCHITECTURES.get(name.partition("#")[0])
    return getattr(build, "__module__", "") != architectures.__name__
