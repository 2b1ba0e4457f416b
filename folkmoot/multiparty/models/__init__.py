"""What a model is, the kinds there are, and many of them as one. Nothing here knows of rules or of a chain."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot.multiparty.models.kinds import blank as blank
    from folkmoot.multiparty.models.kinds import enter_from as enter_from
    from folkmoot.multiparty.models.kinds import register_model_kind as register_model_kind
    from folkmoot.multiparty.models.model import Model as Model
    from folkmoot.multiparty.models.model import Pace as Pace

_HOMES = {"kinds": ["blank", "enter_from", "register_model_kind"], "model": ["Model", "Pace"]}
_HOME = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
