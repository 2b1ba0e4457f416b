"""PyTorch as it must be for the same bits, and what two modules must have in common to be computed together."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

EDGE = 64  # bytes: where PyTorch lets numbers of its own begin
PRECISION = "highest"  # of products of float32


@contextmanager
def settled() -> Iterator[None]:
    """Sums in one order and of full precision, whatever the process has set; everything is set back afterwards.

    The number of threads would change the order; the precision of products, automatic casts and the default type of
    numbers would change the bits.
    """
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    try:
        with _full_precision(), torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)


def laid(x: NDArray[np.floating]) -> torch.Tensor:
    """Samples as a tensor that begins where PyTorch lets its own begin.

    An array may begin anywhere, such as a slice of another. Products take another way for it, and round otherwise.
    """
    found = torch.from_numpy(np.require(x, np.float32, ("C", "W")))  # PyTorch warns where an array may not be written
    return found.clone() if found.data_ptr() % EDGE else found


@contextmanager
def _full_precision() -> Iterator[None]:
    """Of products of float32. There are two ways to set it; the first gives no answer once the second was used."""
    newer: Any = torch.backends.mkldnn
    try:
        before = torch.get_float32_matmul_precision()
    except RuntimeError:
        before = newer.matmul.fp32_precision
        newer.matmul.fp32_precision = "ieee"
        try:
            yield
        finally:
            newer.matmul.fp32_precision = before
        return
    if before != PRECISION:
        torch.set_float32_matmul_precision(PRECISION)
    try:
        yield
    finally:
        if before != PRECISION:
            torch.set_float32_matmul_precision(before)


def structure(module: nn.Module) -> tuple[Any, ...]:
    """What a module is made of, but for its numbers: equal for two that compute the same."""
    parts = module.named_modules(remove_duplicate=False)
    return tuple((name, type(part), _attributes(part)) for name, part in parts)


def _attributes(part: nn.Module) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, _told(value)) for key, value in vars(part).items() if _counts(key, value)))


_EVERY = frozenset(vars(nn.Module()))  # what every module has


def _counts(key: str, value: Any) -> bool:
    return bool(value) if key.endswith("_hooks") else key not in _EVERY


def _told(value: Any) -> str:
    """Text that two values have in common only if they are the same."""
    if isinstance(value, tuple | list):
        return f"{type(value).__name__}({', '.join(map(_told, value))})"
    if value is None or isinstance(value, bool | int | float | str | torch.dtype | torch.Size):
        return repr(value)
    return f"{type(value).__name__} {id(value)}"  # a function or class stays the one that it is when it is copied


def ties_of(module: nn.Module) -> dict[str, str]:
    """Names of parameters that are others under another name -> the name under which they count."""
    first: dict[int, str] = {}
    found = {}
    for name, value in module.named_parameters(remove_duplicate=False):
        if first.setdefault(id(value), name) != name:
            found[name] = first[id(value)]
    return found
