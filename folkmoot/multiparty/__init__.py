"""Learning together with each party's own model, on a chain (BEMA); needs the extra `multiparty`."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot.multiparty.architectures import LeNet4 as LeNet4
    from folkmoot.multiparty.architectures import LeNet5 as LeNet5
    from folkmoot.multiparty.architectures import TwoHiddenLayers as TwoHiddenLayers
    from folkmoot.multiparty.architectures import register_architecture as register_architecture
    from folkmoot.multiparty.attacks import Duplicates as Duplicates
    from folkmoot.multiparty.attacks import PoisonedSamples as PoisonedSamples
    from folkmoot.multiparty.attacks import RandomLabels as RandomLabels
    from folkmoot.multiparty.attacks import SwappedLabels as SwappedLabels
    from folkmoot.multiparty.attacks import SwappedWithin as SwappedWithin
    from folkmoot.multiparty.attacks import claiming as claiming
    from folkmoot.multiparty.attacks import lying as lying
    from folkmoot.multiparty.consortium import Consortium as Consortium
    from folkmoot.multiparty.consortium import Registration as Registration
    from folkmoot.multiparty.hmr import HMR as HMR
    from folkmoot.multiparty.linear_model import SklearnModel as SklearnModel
    from folkmoot.multiparty.models import Model as Model
    from folkmoot.multiparty.models import register_model_kind as register_model_kind
    from folkmoot.multiparty.party import Party as Party
    from folkmoot.multiparty.terms import Terms as Terms
    from folkmoot.multiparty.together import Tally as Tally
    from folkmoot.multiparty.torch_model import TorchModel as TorchModel

_HOMES = {
    "architectures": ["LeNet4", "LeNet5", "TwoHiddenLayers", "register_architecture"],
    "attacks": ["Duplicates", "PoisonedSamples", "RandomLabels", "SwappedLabels", "SwappedWithin", "claiming", "lying"],
    "consortium": ["Consortium", "Registration"],
    "hmr": ["HMR"],
    "linear_model": ["SklearnModel"],
    "models": ["Model", "register_model_kind"],
    "party": ["Party"],
    "terms": ["Terms"],
    "together": ["Tally"],
    "torch_model": ["TorchModel"],
}
_HOME = {name: f"folkmoot.multiparty.{module}" for module, names in _HOMES.items() for name in names}
_NEEDS = {"torch", "safetensors", "sklearn"}

__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOME[name]), name)
    except ModuleNotFoundError as missing:
        if missing.name not in _NEEDS:
            raise
        raise ValueError(f"{name} needs {missing.name}: pip install 'folkmoot[multiparty]'") from None


def __dir__() -> list[str]:
    return [*globals(), *__all__]
