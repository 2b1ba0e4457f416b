"""What a safetensors file says it holds, read within bounds before a library that allocates is let near it.

The format: eight bytes, the length of the header; the header, JSON that gives each tensor a type, a shape and where its
bytes begin and end; then these bytes. Here they lie one after the other, without holes, and none is two tensors' own.
"""

import json
import struct
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from folkmoot.encoding import Malformed
from folkmoot.errors import brief
from folkmoot.json_text import parsed

SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8}
METADATA, MOST_METADATA = "__metadata__", 1 << 10  # text that means nothing here; bytes of it
MOST_HEADER = 1 << 20  # bytes, where nothing says which tensors are meant
MOST_AXES, MOST_BYTES = 8, 1 << 28
_LENGTH = struct.Struct("<Q")
_NAMED = 256  # bytes of a header for one tensor, without its name


class Tensor(NamedTuple):
    """What a header says of a tensor."""

    dtype: str  # one of SIZES
    shape: tuple[int, ...]


def require(data: bytes, wanted: Mapping[str, Tensor]) -> None:
    """See that bytes hold these tensors and nothing else; only the header is parsed, and nothing allocated for others.

    Raises:
        Malformed: they do not.
        ValueError: no bytes.
    """
    if type(data) is not bytes:
        raise ValueError(f"data = {brief(data)}: expected bytes, as to_bytes gives them")
    most = MOST_METADATA + sum(_NAMED + 12 * len(name) for name in wanted)
    numbers = sum(SIZES[tensor.dtype] * prod(tensor.shape) for tensor in wanted.values())
    if len(data) > _LENGTH.size + most + numbers:
        raise Malformed(f"parameters of {len(data)} bytes: too many for this model")
    if tensors_in(data, most) != dict(wanted):
        raise Malformed("parameters of another model: other names, shapes or types of numbers")


def tensors_in(data: bytes, most_header: int = MOST_HEADER) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name; what it says of their places is true.

    Raises:
        Malformed: anything else.
    """
    if len(data) > MOST_BYTES:
        raise Malformed(f"parameters of {len(data)} bytes: at most {MOST_BYTES} are allowed")
    if len(data) < _LENGTH.size:
        raise _unreadable(f"{len(data)} bytes, fewer than a header has")
    (length,) = _LENGTH.unpack_from(data)
    if length > min(most_header, len(data) - _LENGTH.size):
        raise _unreadable(f"a header of {length} bytes, where {min(most_header, len(data) - _LENGTH.size)} may be")
    try:
        head = parsed(data[_LENGTH.size : _LENGTH.size + length].decode("utf-8"), object_pairs_hook=_once)
    except ValueError as error:  # not UTF-8, not JSON, or an integer of thousands of digits
        raise _unreadable(f"its header is not JSON ({type(error).__name__})") from None
    if type(head) is not dict:
        raise _unreadable("its header is no object")
    _metadata(head.pop(METADATA, {}))
    found: dict[str, Tensor] = {}
    at = 0
    for name, (tensor, begin, end) in sorted(
        ((name, _tensor(name, told)) for name, told in head.items()), key=lambda row: (row[1][1], row[1][2])
    ):
        if begin != at:
            raise _unreadable(f"tensor {name!r:.80} begins at {begin}: expected {at}")
        found[name], at = tensor, end
    if at != len(data) - _LENGTH.size - length:
        raise _unreadable(f"{len(data) - _LENGTH.size - length} bytes of numbers, where its header has {at}")
    return found


def _unreadable(what: str) -> Malformed:
    return Malformed(f"parameters that cannot be read: {what}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise json.JSONDecodeError("a name twice in one object", "", 0)
    return found


def _metadata(value: Any) -> None:
    if type(value) is not dict or not all(type(text) is str for text in value.values()):
        raise _unreadable(f"its {METADATA} is no text by name")


def _tensor(name: str, told: Any) -> tuple[Tensor, int, int]:
    """What the header says of one, and where it begins and ends."""
    if type(told) is not dict or told.keys() != {"dtype", "shape", "data_offsets"}:
        raise _unreadable(f"tensor {name!r:.80}: expected dtype, shape and data_offsets")
    dtype, shape, places = told["dtype"], told["shape"], told["data_offsets"]
    if type(dtype) is not str or dtype not in SIZES:
        raise _unreadable(f"tensor {name!r:.80} of {dtype!r:.40}: expected one of {', '.join(SIZES)}")
    if type(shape) is not list or len(shape) > MOST_AXES or not all(type(n) is int and n >= 0 for n in shape):
        raise _unreadable(f"tensor {name!r:.80}: expected a shape of at most {MOST_AXES} lengths")
    # An axis of length 0 counts as 1, so that the others stay bounded too.
    if prod(max(n, 1) for n in shape) * SIZES[dtype] > MOST_BYTES:
        raise _unreadable(f"tensor {name!r:.80}: more than {MOST_BYTES} bytes by its shape")
    if type(places) is not list or len(places) != 2 or not all(type(n) is int and 0 <= n <= MOST_BYTES for n in places):
        raise _unreadable(f"tensor {name!r:.80}: expected where it begins and ends")
    begin, end = places
    if end - begin != prod(shape) * SIZES[dtype]:
        raise _unreadable(f"tensor {name!r:.80}: {end - begin} bytes, where its shape has {prod(shape) * SIZES[dtype]}")
    return Tensor(dtype, tuple(shape)), begin, end
