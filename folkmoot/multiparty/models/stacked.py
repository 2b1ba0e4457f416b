"""Models of one architecture as one: their parameters stacked, evaluated and stepped together (torch.func).

What is run for a single sample is recorded once as a plain list of tensor operations (`make_fx`), which takes the
layers of dispatch out of ten thousand small steps. Everything is float32 on one thread, so that the same parameters
and samples give the same bits on the same machine.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from folkmoot.multiparty.models.settled import laid, settled, ties_of

Floats32 = NDArray[np.float32]
StateDict = dict[str, Tensor]  # name -> [models, ...]

AT_ONCE = 128  # samples evaluated in one go: what the layers of a small network pass on stays in the cache


def written(state: StateDict) -> bytes:
    """A state dictionary in the format of safetensors, without metadata: no two of the same content differ."""
    return safetensors.torch.save({name: value.contiguous() for name, value in state.items()})


class Stack:
    """Models that differ in nothing but their numbers.

    Args:
        module: one of them; its structure is used, its parameters are not.
        states: the state dictionaries of all; entries that are no floating-point numbers must be equal.
        n_classes: scores wanted of each model; the module has as many outputs or, with a reserved class, one more.
        temperature: the logits are divided by it.
        frozen: names of parameters that no step moves.
    """

    def __init__(
        self,
        module: nn.Module,
        states: Sequence[StateDict],
        n_classes: int,
        temperature: float = 1.0,
        frozen: Sequence[str] = (),
    ) -> None:
        self.module = deepcopy(module).eval()
        self.n_classes = n_classes
        self.temperature = temperature
        self.ties = ties_of(self.module)
        # What is done for all models at once (`vmap`) does not know recurrent layers.
        self.one_by_one = any(isinstance(part, nn.RNNBase) for part in self.module.modules())
        trained = {name for name, _ in module.named_parameters()} - set(frozen)
        own = [name for name in states[0] if name not in self.ties]
        with torch.inference_mode(False):  # numbers that were made in that mode could not be stepped
            stacked = {name: torch.stack([s[name].detach() for s in states]).clone() for name in own}
        self.moving = {name: value for name, value in stacked.items() if name in trained}
        self.fixed = {name: value for name, value in stacked.items() if name not in trained}
        self._recordings: dict[tuple[Any, ...], Callable[..., Any]] = {}
        self._apart: list[nn.Module] = []  # made when first needed; their parameters are rows of `moving` itself

    def __getstate__(self) -> dict[str, Any]:
        """For copies: modules that followed the steps of this one would not follow theirs."""
        return self.__dict__ | {"_apart": []}

    def copy(self) -> "Stack":
        """The same models, to be stepped on their own; what was recorded is shared."""
        twin: Stack = object.__new__(Stack)
        twin.__dict__.update(self.__dict__)
        with torch.inference_mode(False):
            twin.moving = {name: value.clone() for name, value in self.moving.items()}
        twin._apart = []
        return twin

    def state(self, model: int) -> StateDict:
        """The state dictionary of one of them, in the order of the module's."""
        both = self.moving | self.fixed
        return {name: both[self.ties.get(name, name)][model].clone() for name in self.module.state_dict()}

    def to_bytes(self, model: int) -> bytes:
        """The parameters of one of them, as `TorchModel.to_bytes`."""
        return written(self.state(model))

    def load(self, model: int, state: StateDict) -> None:
        """Give one of them other numbers."""
        with torch.inference_mode(False):
            for name, value in state.items():
                if name not in self.ties:
                    (self.moving if name in self.moving else self.fixed)[name][model] = value

    def scores(self, x: Floats32) -> Floats32:
        """Scores [models, samples, classes] of samples [samples, ...]."""
        with settled():
            given = laid(x)
            if len(x) == 1 and not self.one_by_one:
                # One sample: all models in one pass. With many, a convolution per model is quicker than a grouped one.
                found: Tensor = self._recorded_run("scores", self._all_scores, self.moving, self.fixed, given)
                return found.numpy()
            modules = self._modules()
            result = np.empty((len(modules), len(x), self.n_classes), np.float32)
            for i, module in enumerate(modules):
                for start in range(0, len(x), AT_ONCE):
                    logits = module(given[start : start + AT_ONCE])
                    result[i, start : start + AT_ONCE] = self._scores_of(logits).numpy()
            return result

    def _modules(self) -> list[nn.Module]:
        """One module for each model, which follows every step: nothing is copied, nothing looked up by name."""
        if not self._apart:
            both = self.moving | self.fixed
            for i in range(len(next(iter(both.values())))):
                module = deepcopy(self.module)
                for name, value in module.named_parameters():
                    value.data = both[name][i]
                for name, buffer in module.named_buffers():
                    if name in self.fixed:
                        buffer.data = self.fixed[name][i]
                self._apart.append(module)
        return self._apart

    def _scores_of(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits / self.temperature, 1)[:, : self.n_classes]

    def _of_one(self, state: StateDict, x: Tensor) -> Tensor:
        return self._scores_of(functional_call(self.module, state, (x,)))

    def _all_scores(self, moving: StateDict, fixed: StateDict, x: Tensor) -> Tensor:
        return vmap(lambda m, f: self._of_one(m | f, x))(moving, fixed)

    def step(
        self, x: Floats32, models: NDArray[np.int64], columns: NDArray[np.int64], signs: NDArray[np.int64],
        eta: float, cap: float, log_probability: bool,
    ) -> None:  # fmt: skip
        """Move models along the clipped gradient of their score of one class for one sample (eqs. 11, 12).

        Gradients of all moves are taken before any is made; two of one model add up.

        Args:
            x: the sample [1, ...].
            models, columns, signs: [moves]: which model, which of its classes, +1 (enhance) or -1 (impair).
            eta: learning rate.
            cap: G, the norm a gradient is clipped to.
            log_probability: of log h instead of h to enhance, of -log(1 - h) to impair.
        """
        with settled():
            if not self.moving:
                return
            if self.one_by_one:
                self._step_one_by_one(x, models, columns, signs, eta, cap, log_probability)
                return
            moves = len(models)
            padded = 1 << (moves - 1).bit_length()  # a few sizes only, each recorded once
            index = torch.from_numpy(np.resize(models, padded))
            onehot = torch.zeros(padded, self.n_classes)
            onehot[torch.arange(moves), torch.from_numpy(columns)] = 1.0
            onehot[moves:, 0] = 1.0
            sign = torch.ones(padded)
            sign[:moves] = torch.from_numpy(signs.astype(np.float32))
            moving = {name: value[index] for name, value in self.moving.items()}
            fixed = {name: value[index] for name, value in self.fixed.items()}
            sample = laid(x)
            gradients, norms = self._recorded_run(
                log_probability, partial(self._step, log_probability), moving, fixed, sample, onehot, sign
            )
            length = eta * sign / torch.clamp(norms / cap, min=1.0)
            for name, gradient in gradients.items():
                ways = length[:moves].view(-1, *[1] * (gradient.dim() - 1))
                self.moving[name].index_add_(0, index[:moves], gradient[:moves] * ways)

    def _step_one_by_one(
        self, x: Floats32, models: NDArray[np.int64], columns: NDArray[np.int64], signs: NDArray[np.int64],
        eta: float, cap: float, log_probability: bool,
    ) -> None:  # fmt: skip
        """As `step`, by plain autograd."""
        given, found = laid(x), []
        for model, column, sign in zip(models.tolist(), columns.tolist(), signs.tolist(), strict=True):
            module = self._modules()[model]
            own = {name: value for name, value in module.named_parameters() if name in self.moving}
            which = torch.zeros(self.n_classes)
            which[column] = 1.0
            with torch.enable_grad():
                for value in own.values():
                    value.requires_grad_()
                score = self._moved_score(module(given)[0], which, torch.tensor(float(sign)), log_probability)
                gradients = torch.autograd.grad(score, list(own.values()), allow_unused=True)
            named = {
                n: torch.zeros_like(v) if g is None else g for (n, v), g in zip(own.items(), gradients, strict=True)
            }
            norm = torch.sqrt(torch.stack([(g**2).sum() for g in named.values()]).sum())
            found.append((model, eta * sign / torch.clamp(norm / cap, min=1.0), named))
        for model, length, named in found:
            for name, gradient in named.items():
                self.moving[name][model] += length * gradient

    def _moved_score(self, logits: Tensor, which: Tensor, way: Tensor, log_probability: bool) -> Tensor:
        """What a step moves along the gradient of: the score of one class, marked in `which`, or its logarithm."""
        logits = logits / self.temperature
        marked = torch.nn.functional.pad(which, (0, logits.shape[0] - self.n_classes))
        if not log_probability:
            return (torch.softmax(logits, 0) * marked).sum()
        whole = torch.logsumexp(logits, 0)
        inside = (logits * marked).sum() - whole
        outside = torch.logsumexp(logits.masked_fill(marked > 0.5, -torch.inf), 0) - whole
        return torch.where(way < 0, -outside, inside)

    def _step(
        self, log_probability: bool, moving: StateDict, fixed: StateDict, x: Tensor, onehot: Tensor, sign: Tensor
    ) -> Any:
        def score(own: StateDict, others: StateDict, which: Tensor, way: Tensor) -> Tensor:
            return self._moved_score(functional_call(self.module, own | others, (x,))[0], which, way, log_probability)

        gradients = vmap(grad(score))(moving, fixed, onehot, sign)
        squares = torch.stack([(g.flatten(1) ** 2).sum(1) for g in gradients.values()])
        return gradients, torch.sqrt(squares.sum(0))

    def _recorded_run(self, what: object, function: Callable[..., Any], *given: Any) -> Any:
        """Run a function of tensors from its recording for such sizes."""
        sizes = (what, len(next(iter((given[0] | given[1]).values()))), tuple(given[2].shape))
        if sizes not in self._recordings:
            self._recordings[sizes] = make_fx(lambda *tensors: function(*tensors))(*given)
        return self._recordings[sizes](*given)
