"""Between Folkmoot and other libraries: its worlds as their environments, their learners as its agents.

`PettingZooEnv` and `GymnasiumEnv` need the extra `gym`; `Objects` needs nothing. Loaded on first use.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot.adapters.gymnasium_env import GymnasiumEnv as GymnasiumEnv
    from folkmoot.adapters.objects import Objects as Objects
    from folkmoot.adapters.pettingzoo_env import PettingZooEnv as PettingZooEnv

_HOMES = {"GymnasiumEnv": "gymnasium_env", "Objects": "objects", "PettingZooEnv": "pettingzoo_env"}
_OTHERS = {"gymnasium", "pettingzoo"}

__all__ = ["GymnasiumEnv", "Objects", "PettingZooEnv"]


def __getattr__(name: str) -> object:
    """A public name.

    Raises:
        ValueError: a library that it adapts to is not installed, and what to install.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'folkmoot.adapters' has no attribute {name!r}")
    try:
        module = importlib.import_module(f"folkmoot.adapters.{_HOMES[name]}")
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] not in _OTHERS:
            raise
        raise ValueError(f"{name} needs {missing.name}: pip install 'folkmoot[gym]'") from None
    globals()[name] = getattr(module, name)
    return globals()[name]


def __dir__() -> list[str]:
    return [*globals(), *__all__]
