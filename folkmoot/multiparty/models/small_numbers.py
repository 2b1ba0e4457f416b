"""Numbers next to 0 stay what they are, whatever the process has set.

A processor can be told to take them for 0, which is faster: PyTorch has a switch for it, and NumPy obeys it too.
A score of 1e-42 would be 0 then, and a verdict on a sample another one than everywhere else.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_SMALL, _ONE = np.float32(1e-42), np.float32(1.0)


@contextmanager
def kept_small() -> Iterator[None]:
    """Inside, such numbers count; afterwards all is as it was. Only PyTorch can set it back."""
    torch: Any = sys.modules.get("torch") if float(_SMALL * _ONE) == 0.0 else None
    if torch is None:
        yield
        return
    torch.set_flush_denormal(False)
    try:
        yield
    finally:
        torch.set_flush_denormal(True)
