"""A party's model that is a PyTorch module."""

from collections.abc import Hashable, Sequence

import numpy as np
import safetensors.torch
import torch
from torch import nn

from folkmoot.encoding import Malformed, Value
from folkmoot.multiparty.models.architectures import ARCHITECTURES
from folkmoot.multiparty.models.model import Floats32, Pace, Unfit, checked_classes
from folkmoot.multiparty.models.stacked import Stack, StateDict

MOST_BYTES = 1 << 28  # of the parameters of a model


class TorchModel:
    """A module with one output (a logit) for each class, in ascending order, scored by a softmax.

    Args:
        module: from float32 [samples, *shape] to logits [samples, outputs]; used in evaluation mode. It is copied.
        classes: what it was trained on, of 0 to C - 1.
        reserved: the module has one output more, the last, for "none of mine" (as in HMR).
        temperature: the logits are divided by it; above 1 for a model that is too sure of itself.
        architecture: the name the module is known by (`register_architecture`); found by itself for those.

    Raises:
        ValueError: classes that are no set of classes, one class without a reserved one, a temperature that is not
            above 0, parameters that are not finite or not float32.
    """

    def __init__(
        self,
        module: nn.Module,
        classes: Sequence[int],
        *,
        reserved: bool = False,
        temperature: float = 1.0,
        architecture: str | None = None,
    ) -> None:
        self.classes = checked_classes(classes)
        self.reserved = bool(reserved)
        self.temperature = float(temperature)
        if not 0.0 < self.temperature < float("inf"):
            raise ValueError(f"temperature = {temperature!r}: expected a finite number above 0")
        if len(self.classes) + self.reserved < 2:
            raise ValueError(f"classes = {list(self.classes)}: one class alone needs a reserved one beside it")
        self.architecture = architecture or _known_as(module)
        state = {name: value.detach().clone() for name, value in module.state_dict().items()}
        wrong = _fault(state)
        if wrong:
            raise ValueError(wrong)
        self._stack = Stack(module, [state], len(self.classes), self.temperature)

    @property
    def kind(self) -> str:
        """The family, "torch", and the name of the architecture."""
        return f"torch/{self.architecture}"

    @property
    def likeness(self) -> Hashable:
        """Equal for models that can be stacked."""
        shapes = [(k, v.shape, v.dtype) for k, v in self._stack.state(0).items()]
        fixed = [(k, v.numpy().tobytes()) for k, v in self._stack.fixed.items() if not v.is_floating_point()]
        return repr(self._stack.module), str(shapes), str(fixed), len(self.classes), self.temperature

    def state(self) -> StateDict:
        """The state dictionary."""
        return self._stack.state(0)

    def stack(self, others: Sequence["TorchModel"]) -> Stack:
        """The model and others of its likeness as one."""
        module, states = self._stack.module, [self.state(), *(other.state() for other in others)]
        return Stack(module, states, len(self.classes), self.temperature)

    def scores(self, x: Floats32) -> Floats32:
        """See `Model`.

        Raises:
            Unfit: the module takes no such samples, or has another number of outputs.
        """
        wanted = len(self.classes) + self.reserved
        found = torch.Size((len(x[:1]), wanted))
        if len(x):
            with torch.no_grad():
                found = self._outputs(torch.from_numpy(np.ascontiguousarray(x[:1], np.float32)))
        if tuple(found) != (len(x[:1]), wanted):
            raise Unfit(
                f"model {self.kind}: {found[-1]} outputs for {len(self.classes)} classes"
                f"{' and a reserved one' if self.reserved else ''}; expected {wanted}"
            )
        own: Floats32 = self._stack.scores(x)[0]
        return own

    def _outputs(self, x: torch.Tensor) -> torch.Size:
        """Shape of what the module makes of a sample."""
        try:
            return torch.Size(self._stack.module(x).shape)
        except MemoryError:
            raise
        except Exception as error:  # whatever a module raises for a shape it was not made for
            raise Unfit(f"model {self.kind}: {' '.join(str(error).split())[:200]}") from None

    def step(self, x: Floats32, column: int, sign: int, pace: Pace) -> None:
        """See `Model`."""
        self._stack.step(x, np.array([0]), np.array([column]), np.array([sign]), *pace)

    def settings(self) -> Value:
        """See `Model`: (reserved class?, temperature)."""
        return (self.reserved, self.temperature)

    def to_bytes(self) -> bytes:
        """See `Model`: the state dictionary in the format of safetensors, without any metadata."""
        return self._stack.to_bytes(0)

    def from_bytes(self, data: bytes) -> "TorchModel":
        """See `Model`."""
        state = read(data, self.state())
        twin = object.__new__(TorchModel)
        twin.__dict__.update(self.__dict__)
        twin._stack = self._stack.copy()
        twin._stack.fixed = {name: value.clone() for name, value in self._stack.fixed.items()}
        twin._stack.load(0, state)
        return twin


def read(data: bytes, like: StateDict) -> StateDict:
    """A state dictionary of the names, shapes and types of another.

    Raises:
        Malformed: anything else, or numbers that are not finite.
    """
    if len(data) > MOST_BYTES:
        raise Malformed(f"parameters of {len(data)} bytes: at most {MOST_BYTES} are allowed")
    try:
        state: StateDict = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise Malformed(f"parameters that cannot be read: {' '.join(str(error).split())[:200]}") from None
    if {n: (v.shape, v.dtype) for n, v in state.items()} != {n: (v.shape, v.dtype) for n, v in like.items()}:
        raise Malformed("parameters of another model: other names, shapes or types of numbers")
    wrong = _fault(state)
    if wrong:
        raise Malformed(wrong)
    return state


def _fault(state: StateDict) -> str:
    """What is wrong with the numbers of a state dictionary; empty: nothing."""
    for name, value in state.items():
        if value.is_floating_point() and value.dtype != torch.float32:
            return f"parameter {name}: {value.dtype}, expected float32"
        if not bool(torch.isfinite(value).all()):
            return f"parameter {name}: numbers that are not finite"
    return ""


def _known_as(module: nn.Module) -> str:
    for name, build in ARCHITECTURES.items():
        if build is type(module):
            return name
    return type(module).__name__.lower()


def blank(kind: str, classes: tuple[int, ...], settings: Value) -> TorchModel:
    """A model of such a kind, with any parameters; for `kinds.blank`.

    Raises:
        ValueError: an unknown kind.
        Malformed: settings that none of its models has.
    """
    name = kind.partition("/")[2]
    if name not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise ValueError(f"architecture {name!r:.80}: unknown here ({known}); enter it with register_architecture")
    if type(settings) is not tuple or list(map(type, settings)) != [bool, float]:
        raise Malformed(f"settings of {kind}: expected (reserved, temperature)")
    reserved, temperature = settings
    if not 0.0 < temperature < float("inf"):
        raise Malformed(f"temperature = {temperature!r}: expected a finite number above 0")
    if len(classes) + reserved < 2:
        raise Malformed(f"classes = {list(classes)}: one class alone needs a reserved one beside it")
    module = ARCHITECTURES[name](len(classes) + reserved)
    return TorchModel(module, classes, reserved=reserved, temperature=temperature, architecture=name)
