"""A party's model that is a PyTorch module."""

from collections.abc import Hashable, Mapping, Sequence
from copy import deepcopy

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from folkmoot.doors import guarded
from folkmoot.encoding import Malformed, Value
from folkmoot.errors import brief
from folkmoot.multiparty.models.architectures import ARCHITECTURES, code_named
from folkmoot.multiparty.models.labels import checked_labels, named, numbered
from folkmoot.multiparty.models.model import Floats32, Pace, Unfit, checked_classes, require_samples
from folkmoot.multiparty.models.settled import laid, settled, structure, ties_of
from folkmoot.multiparty.models.stacked import Stack, StateDict
from folkmoot.multiparty.models.tensors import Tensor, require
from folkmoot.multiparty.models.users import blamed

_DTYPES = {
    torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.int32: "I32",
    torch.int64: "I64", torch.float32: "F32",
}  # fmt: skip


class TorchModel:
    """A module with one output (a logit) for each class, in ascending order, scored by a softmax.

    If its architecture is registered, what is scored is a module that the registered code builds, with the parameters
    of this one: whoever replays a chain has nothing else. Parameters with `requires_grad=False` stay as they are.

    Args:
        module: from float32 [samples, *shape] to logits [samples, outputs]; used in evaluation mode. It is copied.
        classes: what it was trained on, of 0 to C - 1, or their names; in ascending order of their numbers.
        reserved: the module has one output more, the last, for "none of mine" (as in HMR).
        temperature: the logits are divided by it; above 1 for a model that is too sure of itself.
        architecture: the name the module is known by (`register_architecture`); found by itself where one registered
            class or function alone builds such modules.
        labels: names of all classes of the consortium, in the order all agree on, if they have names.

    Raises:
        ValueError: classes that are no set of classes, one class without a reserved one, a temperature that is not
            above 0, parameters that are not finite or not float32, or not those of the registered architecture.
    """

    @guarded
    def __init__(
        self,
        module: nn.Module,
        classes: Sequence[int | str],
        *,
        reserved: bool = False,
        temperature: float = 1.0,
        architecture: str | None = None,
        labels: Sequence[str] = (),
    ) -> None:
        labels = tuple(labels)
        self.labels = checked_labels(labels) if labels else ()
        self.classes = checked_classes(list(numbered(list(classes), self.labels, "classes")), self.labels)
        self.reserved = bool(reserved)
        self.temperature = float(temperature)
        if not 0.0 < self.temperature < float("inf"):
            raise ValueError(f"temperature = {brief(temperature)}: expected a finite number above 0")
        if len(self.classes) + self.reserved < 2:
            raise ValueError(
                f"class {named(self.classes, self.labels)}: one class alone needs a reserved one beside it"
            )
        self.architecture = architecture or _known_as(module, len(self.classes) + self.reserved)
        state = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
        wrong = _fault(state, ties_of(module))
        if wrong:
            raise ValueError(wrong)
        self.frozen = tuple(name for name, value in module.named_parameters() if not value.requires_grad)
        self.code = ""
        self._module: nn.Module | None = None  # the party's own, while the parameters are still those it came with
        if self.architecture in ARCHITECTURES:
            self.code = code_named(self.architecture)
            self._module = deepcopy(module).cpu().eval()
            module = self._built(state)
        self._stack = Stack(module, [state], len(self.classes), self.temperature, self.frozen)

    def _built(self, state: StateDict) -> nn.Module:
        """A module that the registered code builds, with these parameters."""
        outputs = len(self.classes) + self.reserved
        built = build(self.architecture, outputs)
        theirs = {name: value.shape for name, value in built.state_dict().items()}
        ours = {name: value.shape for name, value in state.items()}
        if theirs != ours:
            name = next((n for n in [*theirs, *ours] if theirs.get(n) != ours.get(n)), "")
            shapes = [list(found[name]) if name in found else "none" for found in (ours, theirs)]
            raise ValueError(
                f"model torch/{self.architecture}: parameter {name}: of shape {shapes[0]}; the registered architecture "
                f"with {outputs} outputs for {len(self.classes)} classes has {shapes[1]}"
            )
        built.load_state_dict(state)
        return built

    def __repr__(self) -> str:
        """On a line: the kind, and the classes it knows."""
        return f"{type(self).__name__}({self.kind}, knows {named(self.classes, self.labels)})"

    @property
    def kind(self) -> str:
        """The family, "torch", the name of the architecture, and the digest of its code if it is registered."""
        return f"torch/{self.architecture}" + (f"#{self.code}" if self.code else "")

    def alone(self, x: Floats32) -> NDArray[np.float32] | None:
        """What the party's own module gives, [samples, classes]; None if it is the one that is scored, or no more its
        own.
        """
        if self._module is None:
            return None
        with settled():
            logits = self._module(laid(x))
            found: NDArray[np.float32] = torch.softmax(logits / self.temperature, 1)[:, : len(self.classes)].numpy()
        return found

    @property
    def likeness(self) -> Hashable:
        """Equal for models that can be stacked."""
        stack = self._stack
        if stack.one_by_one:
            return id(self)
        shapes = [(k, v.shape, v.dtype) for k, v in stack.state(0).items()]
        fixed = [(k, v.numpy().tobytes()) for k, v in stack.fixed.items() if not v.is_floating_point()]
        made = structure(stack.module)
        return made, str(shapes), str(fixed), len(self.classes), self.temperature, tuple(sorted(stack.moving))

    def state(self) -> StateDict:
        """The state dictionary."""
        return self._stack.state(0)

    def module(self) -> nn.Module:
        """A copy of the module as it now is, to be trained; what is frozen stays frozen."""
        module = deepcopy(self._stack.module)
        module.load_state_dict(self.state())
        for name, value in module.named_parameters():
            value.requires_grad_(name not in self.frozen)
        return module

    def stack(self, others: Sequence["TorchModel"]) -> Stack:
        """The model and others of its likeness as one."""
        module, states = self._stack.module, [self.state(), *(other.state() for other in others)]
        return Stack(module, states, len(self.classes), self.temperature, self.frozen)

    def scores(self, x: Floats32) -> Floats32:
        """See `Model`.

        Raises:
            Unfit: the module takes no such samples, or has another number of outputs.
        """
        require_samples(x)
        wanted = len(self.classes) + self.reserved
        found = torch.Size((len(x[:1]), wanted))
        if len(x):
            with settled():
                found = self._outputs(laid(x[:1]))
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
        self._module = None
        self._stack.step(x, np.array([0]), np.array([column]), np.array([sign]), *pace)

    def settings(self) -> Value:
        """See `Model`: (reserved class?, temperature), and the names of parameters that stay as they are, if any do."""
        return (self.reserved, self.temperature, *([self.frozen] if self.frozen else []))

    def to_bytes(self) -> bytes:
        """See `Model`: the state dictionary in the format of safetensors, without any metadata."""
        return self._stack.to_bytes(0)

    def from_bytes(self, data: bytes) -> "TorchModel":
        """See `Model`."""
        state = read(data, self.state(), self._stack.ties)
        twin = object.__new__(TorchModel)
        twin.__dict__.update(self.__dict__)
        twin._module = None
        twin._stack = self._stack.copy()
        with torch.inference_mode(False):
            twin._stack.fixed = {name: value.clone() for name, value in self._stack.fixed.items()}
        twin._stack.load(0, state)
        return twin


def read(data: bytes, like: StateDict, ties: Mapping[str, str]) -> StateDict:
    """A state dictionary of the names, shapes and types of another, with its ties (`stacked.ties_of`).

    Raises:
        Malformed: anything else, or numbers that are not finite.
    """
    require(data, {name: Tensor(_DTYPES[value.dtype], tuple(value.shape)) for name, value in like.items()})
    try:
        state: StateDict = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise Malformed(f"parameters that cannot be read: {' '.join(str(error).split())[:200]}") from None
    wrong = _fault(state, ties)
    if wrong:
        raise Malformed(wrong)
    return state


def _fault(state: StateDict, ties: Mapping[str, str]) -> str:
    """What is wrong with the numbers of a state dictionary; empty: nothing."""
    for name, value in state.items():
        if value.is_floating_point() and value.dtype != torch.float32:
            return f"parameter {name}: {value.dtype}, expected float32"
        if value.dtype not in _DTYPES:
            return (
                f"parameter {name}: {value.dtype}, expected float32, or integers or truth values that stay as they are"
            )
        if not bool(torch.isfinite(value).all()):
            return f"parameter {name}: numbers that are not finite"
    for name, other in ties.items():
        if not torch.equal(state[name], state[other]):
            return f"parameters {name} and {other}: expected the same numbers, they are tied"
    return ""


def build(architecture: str, outputs: int) -> nn.Module:
    """A module of a registered architecture with any parameters; PyTorch's chance is left as it is."""
    with settled(), torch.random.fork_rng(devices=[]), torch.enable_grad():
        return ARCHITECTURES[architecture](outputs)


def _known_as(module: nn.Module, outputs: int) -> str:
    """The registered name of a module: that of its class, or of the one function that builds such modules."""
    for name, known in ARCHITECTURES.items():
        if known is type(module):
            return name
    made = structure(module)
    functions = [name for name, known in ARCHITECTURES.items() if not isinstance(known, type)]
    alike = [name for name in functions if _builds(name, outputs) == made]
    return alike[0] if len(alike) == 1 else type(module).__name__.lower()


def _builds(architecture: str, outputs: int) -> object:
    """What a registered function builds; None if it builds nothing with so many outputs."""
    try:
        return structure(build(architecture, outputs))
    except Exception:  # code of others, of which only its name is wanted
        return None


def blank(kind: str, classes: tuple[int, ...], settings: Value) -> TorchModel:
    """A model of such a kind, with any parameters; for `kinds.blank`.

    Raises:
        ValueError: an unknown kind.
        Malformed: settings that none of its models has.
    """
    name, _, code = kind.partition("/")[2].partition("#")
    if name not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise ValueError(f"architecture {brief(name)}: unknown here ({known}); enter it with register_architecture")
    if code and code != code_named(name):
        raise ValueError(f"architecture {brief(name)}: its code here is another ({code_named(name)}, not {code:.32})")
    if type(settings) is not tuple or list(map(type, settings)) not in ([bool, float], [bool, float, tuple]):
        raise Malformed(f"settings of {kind}: expected (reserved, temperature), or with names of frozen parameters")
    reserved, temperature, *more = settings
    if not 0.0 < temperature < float("inf"):
        raise Malformed(f"temperature = {temperature!r}: expected a finite number above 0")
    if len(classes) + reserved < 2:
        raise Malformed(f"classes = {list(classes)}: one class alone needs a reserved one beside it")
    with blamed(lambda said: Malformed(f"architecture {name}: {said}")):
        module = build(name, len(classes) + reserved)
    parameters = dict(module.named_parameters())
    frozen: tuple[str, ...] = more[0] if more else ()
    if more and (not frozen or frozen != tuple(n for n in parameters if n in frozen)):
        raise Malformed(f"settings of {kind}: frozen parameters {frozen!r:.80}: expected some, in the module's order")
    for parameter, value in parameters.items():
        value.requires_grad_(parameter not in frozen)
    try:
        found = TorchModel(module, classes, reserved=reserved, temperature=temperature, architecture=name)
    except ValueError as error:
        raise Malformed(f"architecture {name}: {error}") from None
    found.code, found._module = code, None
    return found
