"""Further training of a party's PyTorch module, with an output for "none of mine"."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from folkmoot.multiparty.exchange.retraining import Retraining
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.models.settled import settled
from folkmoot.multiparty.models.torch_model import TorchModel
from folkmoot.multiparty.rules.margin import Integers

RATE, RATE_OF_SMALL, SMALL = 5e-4, 1e-3, 10_000  # of Adam; a network of fewer parameters than that is small


def widened(module: nn.Module, outputs: int) -> nn.Module:
    """A copy of a module with one output more, the last; nothing has been learnt for it yet.

    Raises:
        ValueError: its last linear layer has another number of outputs, or there is none.
    """
    twin = deepcopy(module)
    layers = [(name, part) for name, part in twin.named_modules() if isinstance(part, nn.Linear)]
    if not layers or layers[-1][1].out_features != outputs:
        raise ValueError(f"no linear layer with {outputs} outputs at the end of the module: it cannot be given a "
                         "reserved output; train it with one, or override Party.retrained")  # fmt: skip
    name, last = layers[-1]
    wide = nn.Linear(last.in_features, outputs + 1, bias=last.bias is not None)
    with torch.no_grad():
        for parameter, known in zip(wide.parameters(), last.parameters(), strict=True):
            parameter.zero_()
            parameter[:outputs] = known
            parameter.requires_grad_(known.requires_grad)
    place, _, own = name.rpartition(".")
    if not name:
        return wide
    setattr(twin.get_submodule(place), own, wide)
    return twin


def retrained(
    model: Model, how: Retraining, x: Floats32, columns: Integers, foreign: Floats32, generator: np.random.Generator
) -> TorchModel:
    """See `training.further`.

    Raises:
        ValueError: see `widened`.
    """
    assert isinstance(model, TorchModel)
    outputs, reserved = len(model.classes), model.reserved
    with settled(), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        module = model.module()
        if len(foreign) and how.foreign and not reserved:
            module, reserved = widened(module, outputs), True
        module.eval()
        moving = [value for value in module.parameters() if value.requires_grad]
        if how.head:
            last = [part for part in module.modules() if isinstance(part, nn.Linear)][-1:]
            moving = [value for part in last for value in part.parameters() if value.requires_grad]
        rate = RATE_OF_SMALL if sum(value.numel() for value in module.parameters()) < SMALL else RATE
        optimiser = torch.optim.Adam(moving, lr=rate if how.rate is None else how.rate) if moving else None
        for _ in range(how.steps if optimiser is not None else 0):
            given, right = how.batch(x, columns, foreign, outputs, generator)
            logits = module(torch.from_numpy(given)) / model.temperature
            loss = nn.functional.cross_entropy(logits, torch.from_numpy(right))
            assert optimiser is not None
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return TorchModel(
        module,
        model.classes,
        reserved=reserved,
        temperature=model.temperature,
        architecture=model.architecture,
    )
