"""The kinds of damage: to any bytes, to the header of a safetensors file, and to what is encoded, signed or not."""

import json
import struct

import numpy as np

from folkmoot.encoding import decode, encode

LENGTHS = (
    0,
    1,
    -1,
    2,
    3,
    1 << 20,
    1 << 31,
    1 << 40,
    (1 << 63) - 1,
    1 << 64,
    10**4000,
    1.0,
    1e300,
    True,
    None,
    "4",
    [2],
)
WORDS = (
    "",
    "weights",
    "__metadata__",
    "\x00",
    "\n",
    "Ü",
    "F32",
    "F64",
    "BF16",
    "linear/softmax",
    "torch/lenet5",
    "x" * 70,
)


# --- Any bytes --------------------------------------------------------------------------------------------------------


def a_bit(data, dice):
    """One bit is another."""
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def some_bytes(data, dice):
    """A run of bytes is drawn anew."""
    at, size = dice.randrange(len(data)), dice.randrange(1, 12)
    return data[:at] + dice.randbytes(min(size, len(data) - at)) + data[at + size :]


def cut(data, dice):
    """It ends early."""
    return data[: dice.randrange(len(data))]


def longer(data, dice):
    """More follows."""
    return data + dice.randbytes(dice.randrange(1, 40))


def a_piece_moved(data, dice):
    """A piece is there twice, or not at all."""
    a, b, c = sorted(dice.randrange(len(data) + 1) for _ in range(3))
    return dice.choice([data[:b] + data[a:], data[:a] + data[b:], data[:a] + data[b:c] + data[a:b] + data[c:]])


def another_length(data, dice):
    """Four or eight bytes that may be a length say something large."""
    at, form = dice.randrange(max(1, len(data) - 8)), dice.choice(["<I", "<Q"])
    most = 32 if form == "<I" else 64
    told = struct.pack(form, dice.choice([0, 1, 1 << dice.randrange(most), (1 << most) - 1]))
    return data[:at] + told + data[at + len(told) :]


BYTES = (a_bit, some_bytes, cut, longer, a_piece_moved, another_length)


# --- The header of a safetensors file ---------------------------------------------------------------------------------


def _headed(head, numbers):
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def _split(data):
    (length,) = struct.unpack_from("<Q", data)
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def _a_shape(head, dice):
    one = head[dice.choice(sorted(head))]
    shape = one["shape"]
    if dice.random() < 0.5 and shape:
        shape[dice.randrange(len(shape))] = dice.choice(LENGTHS)
    else:
        one["shape"] = [dice.choice(LENGTHS) for _ in range(dice.randrange(10))]
    if dice.random() < 0.5:
        one["data_offsets"] = [one["data_offsets"][0]] * 2  # nothing: as much as a length of 0 asks for


def _a_place(head, dice):
    one = head[dice.choice(sorted(head))]
    one["data_offsets"][dice.randrange(2)] = dice.choice([*LENGTHS, dice.randrange(400)])


def _a_type(head, dice):
    head[dice.choice(sorted(head))]["dtype"] = dice.choice([*WORDS, 7, None, ["F32"]])


def _a_name(head, dice):
    head[dice.choice(WORDS)] = head.pop(dice.choice(sorted(head)))


def _one_more(head, dice):
    head[dice.choice(WORDS)] = {**head[dice.choice(sorted(head))]}


def _many_more(head, dice):
    where = [next(iter(head.values()))["data_offsets"][0]] * 2
    for number in range(dice.choice([10, 1000])):
        head[f"n{number}"] = {"dtype": "F32", "shape": [0, 1 << dice.randrange(64)], "data_offsets": where}


def _a_field(head, dice):
    one = head[dice.choice(sorted(head))]
    field = dice.choice(sorted(one))
    one[dice.choice(WORDS)] = one.pop(field) if dice.random() < 0.5 else one[field]


def _metadata(head, dice):
    head["__metadata__"] = dice.choice([{}, {"a": "b"}, {"a": 1}, [], "x", {"a": "x" * 5000}])


def a_header(data, dice):
    """One of the above, at the right length."""
    head, numbers = _split(data)
    change = dice.choice([_a_shape, _a_shape, _a_place, _a_type, _a_name, _one_more, _many_more, _a_field, _metadata])
    change(head, dice)
    return _headed(head, dice.choice([numbers, numbers, b"", numbers + bytes(8)]))


def another_header(data, dice):
    """No header at all, one that is deep, said twice, or not text; or the same with other spaces."""
    head, numbers = _split(data)
    text = json.dumps(head)
    deep = dice.choice([70, 5000, 100_000])
    others = (b"", b"[]", b"7", b"{", b"\xff\xfe", b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep,
              (text[:-1] + "," + text[1:]).encode(), (text + " " * dice.choice([1, 100_000])).encode())  # fmt: skip
    return _headed(dice.choice(others), numbers)


HEADERS = (a_header, another_header)


# --- Encoded values ---------------------------------------------------------------------------------------------------


def _an_array(value, dice):
    """One number of an array is another; or it is longer, shorter, of another shape or type."""
    found = value.copy()
    at = dice.randrange(value.size)
    if value.dtype.kind == "u":
        found.flat[at] = dice.choice([0, 1, 2, value.size, (1 << 32) - 1 if value.itemsize > 2 else 255])
    elif value.dtype.kind == "f":
        found.flat[at] = dice.choice([0.0, -1.0, 3e38, -3e38, np.inf, -np.inf])
    else:
        found.flat[at] = not found.flat[at]
    other = (found, found, found, value[:-1], np.concatenate([value, value]), value.T.copy(), value[..., None])
    return dice.choice([*other, value.astype(np.float32), value.astype(np.int64)])


def a_value(value, dice):
    """A value with one of those in it changed."""
    if type(value) is tuple and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return (*value[:at], a_value(value[at], dice), *value[at + 1 :])
    if type(value) is bytes and value and dice.random() < 0.5:
        try:  # of something that is encoded once more, such as settings
            return encode(a_value(decode(value), dice))
        except Exception:
            return dice.choice(BYTES)(value, dice)
    if type(value) is tuple and dice.random() < 0.5:
        return dice.choice([value[:-1], value * 2, (*value, *value[:1]), tuple(range(dice.choice([5, 4096, 5000])))])
    if type(value) is np.ndarray and value.size and dice.random() < 0.7:
        return _an_array(value, dice)
    numbers = (0, 1, -1, 3, 1 << 12, 1 << 20, (1 << 20) + 1, 1 << 31, 1 << 62, 1.0, -1.0, 0.0, 1e300, float("inf"))
    arrays = (np.zeros(0, np.float32), np.zeros((2, 0, 3), np.float32), np.full(4, np.inf, np.float32), np.zeros(9))
    words = ("", "x" * 65, "\n", "é", "linear/softmax", "linear/sigmoid", "torch/damaged", "torch/lenet5", "none")
    return dice.choice([*numbers, *arrays, *words, None, True, False, (), b"", bytes(31), bytes(32), bytes(5000)])
