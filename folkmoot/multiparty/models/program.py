"""What a fitted estimator computes, written down as a list of plain steps: numbers and names, no code.

A program is read from bytes of others. Every step is checked before anything is computed: which steps there are, the
shapes of its arrays, how wide its result is. Its bytes are the encoding of (1, inputs, steps), each step (operation,
sources, arrays and numbers); source 0 are the samples, source i the result of step i. The last result are the
probabilities. What the operations are stands in `operations`, `forest` and `nearest`.
"""

import hashlib
from collections import OrderedDict
from typing import Any

import numpy as np

from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.multiparty.models.forest import forest
from folkmoot.multiparty.models.model import Floats32, Unfit
from folkmoot.multiparty.models.nearest import nearest
from folkmoot.multiparty.models.operations import OPERATIONS, Floats, Made, Maker

FORMAT = 1
MOST_BYTES = 1 << 24  # of a program
MOST_STEPS, MOST_WIDTH = 1 << 10, 1 << 17  # steps; numbers of a sample in all results together, without the samples
MOST_INPUTS = 1 << 20
AT_ONCE, NUMBERS = 256, 1 << 20  # samples, and numbers, that are computed at once
KEPT = 64  # results that are kept: models are asked about the same samples again and again
_LIMITS = Limits(size=MOST_BYTES, depth=4, items=1 << 15, int_size=8)
_MAKERS: dict[str, Maker] = {**OPERATIONS, "forest": forest, "nearest": nearest}


class Program:
    """A program that was read and checked.

    Args:
        data: its bytes.

    Attributes:
        inputs: numbers of a sample.
        outputs: numbers of its last result.

    Raises:
        Malformed: they are not those of a program.
    """

    def __init__(self, data: bytes) -> None:
        value = decode(data, _LIMITS)
        if type(value) is not tuple or list(map(type, value)) != [int, int, tuple] or value[0] != FORMAT:
            raise Malformed(f"program: expected ({FORMAT}, inputs, steps)")
        _, self.inputs, steps = value
        if not 1 <= self.inputs <= MOST_INPUTS or not 1 <= len(steps) <= MOST_STEPS:
            raise Malformed(f"program: {self.inputs} inputs and {len(steps)} steps: expected 1 to {MOST_INPUTS} and "
                            f"1 to {MOST_STEPS}")  # fmt: skip
        self.data = data
        self._steps: list[tuple[tuple[int, ...], Made]] = []
        widths, held = [self.inputs], self.inputs
        for number, step in enumerate(steps, 1):
            sources, made = _checked(number, step, widths)
            held += made.width + made.held
            widths.append(made.width)
            if held - self.inputs > MOST_WIDTH:
                raise Malformed(f"program: step {number}: more than {MOST_WIDTH} numbers for a sample")
            self._steps.append((sources, made))
        self.outputs = widths[-1]
        self._at_once = max(1, min(AT_ONCE, NUMBERS // held))
        self._last_use = {source: number for number, (sources, _) in enumerate(self._steps) for source in sources}
        self._kept: OrderedDict[bytes, Floats] = OrderedDict()

    def run(self, x: Floats32) -> Floats:
        """The last result, float64 [samples, outputs], of samples [samples, ...]; read-only.

        Raises:
            Unfit: samples of another number of inputs.
        """
        flat = np.ascontiguousarray(x.reshape(len(x), -1) if len(x) else x.reshape(0, self.inputs), np.float32)
        if flat.shape[1] != self.inputs:
            raise Unfit(f"samples of {flat.shape[1]} numbers: the model takes {self.inputs}")
        found = [self._part(flat[at : at + self._at_once]) for at in range(0, len(flat), self._at_once)]
        return np.concatenate(found) if found else np.zeros((0, self.outputs))

    def _part(self, x: Floats32) -> Floats:
        key = hashlib.sha256(x.tobytes()).digest()
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        results: list[Any] = [x.astype(np.float64)]
        with np.errstate(all="ignore"):
            for number, (sources, made) in enumerate(self._steps):
                results.append(made.run([results[source] for source in sources]))
                for source in sources:  # what nobody needs any more goes
                    if self._last_use[source] == number:
                        results[source] = None
        self._kept[key] = results[-1]
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]


def _checked(number: int, step: Any, widths: list[int]) -> tuple[tuple[int, ...], Made]:
    """The sources of a step and what it does.

    Raises:
        Malformed: there is no such step.
    """
    if type(step) is not tuple or list(map(type, step)) != [str, tuple, tuple]:
        raise Malformed(f"program: step {number}: expected (operation, sources, arrays and numbers)")
    name, sources, given = step
    if name not in _MAKERS:
        raise Malformed(f"program: step {number}: operation {name!r:.40}: expected one of {', '.join(_MAKERS)}")
    if not 1 <= len(sources) <= MOST_STEPS or not all(type(s) is int and 0 <= s < number for s in sources):
        raise Malformed(f"program: step {number}: sources {sources[:8]!r:.60}: expected numbers of steps before it")
    try:
        return sources, _MAKERS[name]([widths[source] for source in sources], given)
    except Malformed as error:
        raise Malformed(f"program: step {number} ({name}): {error}") from None


class Writer:
    """Makes the bytes of a program, one step after the other.

    Args:
        inputs: numbers of a sample.
    """

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.widths = [inputs]
        self._steps: list[Any] = []

    def add(self, operation: str, sources: list[int], *given: Any) -> int:
        """One step more; what gives the number of its result.

        Raises:
            Malformed: arrays that do not fit.
        """
        step = (operation, tuple(sources), tuple(given))
        _, made = _checked(len(self.widths), step, self.widths)
        self._steps.append(step)
        self.widths.append(made.width)
        return len(self._steps)

    def data(self) -> bytes:
        """The bytes.

        Raises:
            ValueError: more than are allowed.
        """
        return encode((FORMAT, self.inputs, tuple(self._steps)), _LIMITS)
