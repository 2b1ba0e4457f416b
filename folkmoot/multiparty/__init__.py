"""Learning together with each party's own model, on a chain (BEMA); needs the extra `multiparty`."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot.multiparty.adaptive import ExchangeLiar as ExchangeLiar
    from folkmoot.multiparty.adaptive import UnknownImages as UnknownImages
    from folkmoot.multiparty.adaptive import exchange_liar as exchange_liar
    from folkmoot.multiparty.adaptive import unknown_images as unknown_images
    from folkmoot.multiparty.attacks import Duplicates as Duplicates
    from folkmoot.multiparty.attacks import PoisonedSamples as PoisonedSamples
    from folkmoot.multiparty.attacks import RandomLabels as RandomLabels
    from folkmoot.multiparty.attacks import SwappedLabels as SwappedLabels
    from folkmoot.multiparty.attacks import SwappedWithin as SwappedWithin
    from folkmoot.multiparty.attacks import claiming as claiming
    from folkmoot.multiparty.attacks import lying as lying
    from folkmoot.multiparty.changing import Registration as Registration
    from folkmoot.multiparty.consortium import Consortium as Consortium
    from folkmoot.multiparty.exchange.exchanging import Exchange as Exchange
    from folkmoot.multiparty.exchange.retraining import Retraining as Retraining
    from folkmoot.multiparty.hmr import HMR as HMR
    from folkmoot.multiparty.hmr import Exchanged as Exchanged
    from folkmoot.multiparty.keys import key_file as key_file
    from folkmoot.multiparty.models.architectures import LeNet4 as LeNet4
    from folkmoot.multiparty.models.architectures import LeNet5 as LeNet5
    from folkmoot.multiparty.models.architectures import TwoHiddenLayers as TwoHiddenLayers
    from folkmoot.multiparty.models.architectures import register_architecture as register_architecture
    from folkmoot.multiparty.models.estimator_model import EstimatorModel as EstimatorModel
    from folkmoot.multiparty.models.kinds import register_model_kind as register_model_kind
    from folkmoot.multiparty.models.learners import EstimatorLearner as EstimatorLearner
    from folkmoot.multiparty.models.learners import NetworkLearner as NetworkLearner
    from folkmoot.multiparty.models.linear_model import SklearnModel as SklearnModel
    from folkmoot.multiparty.models.model import Model as Model
    from folkmoot.multiparty.models.torch_model import TorchModel as TorchModel
    from folkmoot.multiparty.on_record import Recorded as Recorded
    from folkmoot.multiparty.one_step_hmr import OneStepHMR as OneStepHMR
    from folkmoot.multiparty.party import Party as Party
    from folkmoot.multiparty.predictors import Predictor as Predictor
    from folkmoot.multiparty.rules.terms import Terms as Terms
    from folkmoot.multiparty.screening import Screening as Screening
    from folkmoot.multiparty.together import SampleTally as SampleTally

_HOMES = {
    "models.architectures": ["LeNet4", "LeNet5", "TwoHiddenLayers", "register_architecture"],
    "models.estimator_model": ["EstimatorModel"],
    "models.kinds": ["register_model_kind"],
    "models.learners": ["EstimatorLearner", "NetworkLearner"],
    "models.linear_model": ["SklearnModel"],
    "models.model": ["Model"],
    "models.torch_model": ["TorchModel"],
    "rules.terms": ["Terms"],
    "adaptive": ["ExchangeLiar", "UnknownImages", "exchange_liar", "unknown_images"],
    "exchange.exchanging": ["Exchange"],
    "exchange.retraining": ["Retraining"],
    "attacks": ["Duplicates", "PoisonedSamples", "RandomLabels", "SwappedLabels", "SwappedWithin", "claiming", "lying"],
    "changing": ["Registration"],
    "consortium": ["Consortium"],
    "hmr": ["HMR", "Exchanged"],
    "keys": ["key_file"],
    "one_step_hmr": ["OneStepHMR"],
    "on_record": ["Recorded"],
    "party": ["Party"],
    "predictors": ["Predictor"],
    "screening": ["Screening"],
    "together": ["SampleTally"],
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
