"""The group ristretto255 of RFC 9496, by libsodium: a group of prime order with one encoding an element.

Elements are 32 bytes, written additively; scalars are Python integers modulo ORDER. The library underneath
answers an invalid element with the identity instead of an error, so elements of other parties must pass
`is_element` once, where they arrive; the other functions take elements for valid.
"""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

ORDER = 2**252 + 27742317777372353535851937790883648493
SIZE = 32  # bytes of an element, and of a scalar
IDENTITY = bytes(SIZE)
GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")

RandomBytes = Callable[[int], bytes]


@cache
def _sodium() -> Any:
    """The bindings, loaded on first use because the extra is optional and the library large."""
    try:
        return importlib.import_module("rbcl")
    except ImportError as missing:
        raise ValueError("private comparison needs the package rbcl: pip install 'folkmoot[private]'") from missing


def is_element(point: bytes) -> bool:
    """Whether these bytes are the canonical encoding of an element other than the identity."""
    if len(point) != SIZE or point == IDENTITY:
        return False
    return bool(_sodium().crypto_core_ristretto255_is_valid_point(point))


def add(p: bytes, q: bytes) -> bytes:
    """The element p + q."""
    return bytes(_sodium().crypto_core_ristretto255_add(p, q))


def subtract(p: bytes, q: bytes) -> bytes:
    """The element p - q."""
    return bytes(_sodium().crypto_core_ristretto255_sub(p, q))


def base(scalar: int) -> bytes:
    """The element `scalar` times the generator."""
    return bytes(_sodium().crypto_scalarmult_ristretto255_base_allow_scalar_zero(scalar_bytes(scalar)))


def multiply(scalar: int, point: bytes) -> bytes:
    """The element `scalar` times `point`.

    The library reports the result identity as an error, the only one possible for a valid element.
    """
    try:
        return bytes(_sodium().crypto_scalarmult_ristretto255(scalar_bytes(scalar), point))
    except RuntimeError:
        return IDENTITY


def scalar_bytes(scalar: int) -> bytes:
    """The canonical encoding of a scalar: 32 bytes, least significant first, below ORDER."""
    return (scalar % ORDER).to_bytes(SIZE, "little")


def random_scalar(random_bytes: RandomBytes) -> int:
    """A scalar uniform on 1, ..., ORDER - 1 (bias below 2**-258).

    Raises:
        ValueError: `random_bytes(n)` did not return n bytes.
    """
    return 1 + random_integer(random_bytes, 64) % (ORDER - 1)


def random_integer(random_bytes: RandomBytes, size: int) -> int:
    """An integer uniform on 0, ..., 256**size - 1.

    Raises:
        ValueError: `random_bytes(size)` did not return that many bytes.
    """
    drawn = random_bytes(size)
    if not isinstance(drawn, bytes) or len(drawn) != size:
        raise ValueError(f"random_bytes({size}) returned {type(drawn).__name__}: expected {size} bytes")
    return int.from_bytes(drawn, "little")
