"""Calls of the contract in contracts/bc_ucb.vy as bytes, answers back into numbers, and its code for deployment.

Everything is words of 32 bytes, big-endian. A call is four bytes that name the function, its arguments one word each,
where an argument that is an array is the offset of its length, and then the arrays (Solidity's contract ABI).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from folkmoot.bc_ucb import contract
from folkmoot.bc_ucb.contract import (
    DISTANCE,
    LEAST_RESOLUTION,
    MAJORITY,
    MOST_RESOLUTION,
    MOST_WINDOW,
    ONE,
    REWARD,
    UNION,
    Terms,
)
from folkmoot.errors import OtherSide, brief

MOST_PARTICIPANTS = 32  # of the contract on an EVM; a set of them is a word
MOST_ARMS = 16
MOST_SPAN = 64 * ONE
MOST_PAID = 64 * ONE  # of a round, with the outcomes of earlier ones that are claimed in it
MOST_CHARGED = 1 << 32  # blocks
MOST_SUM = (1 << 63) - 1  # of what was earned, or charged
MOST_WORDS = 2_048  # of an answer

# The first four bytes of Keccak-256 of the function's name and types.
ROUND = bytes.fromhex("9feec39b")
ROUNDS = bytes.fromhex("a2e800ad")
TERMS = bytes.fromhex("d5025625")
ACCOUNTS = bytes.fromhex("68cd03f6")

_WORD = 32
_PACKAGE = Path(__file__).resolve().parent.parent
Argument: TypeAlias = int | Sequence[int]


class BadAnswer(OtherSide):
    """What a node says is not what the contract answers."""


def word(number: int) -> bytes:
    """A whole number from -2**255 to 2**256 - 1."""
    return (number % (1 << 256)).to_bytes(_WORD, "big")


def words(*arguments: Argument) -> bytes:
    """The arguments of a call: numbers and arrays of numbers."""
    heads, tail = [], b""
    for argument in arguments:
        if isinstance(argument, int):
            heads.append(word(argument))
        else:
            heads.append(word(_WORD * len(arguments) + len(tail)))
            tail += word(len(argument)) + b"".join(map(word, argument))
    return b"".join(heads) + tail


def members(flags: Sequence[bool]) -> int:
    """The word that stands for a set of participants: byte m, from the lowest, is 1 if participant m is in it."""
    return sum(1 << (8 * m) for m, flag in enumerate(flags) if flag)


def flags(members: int, count: int) -> list[bool]:
    """The set of participants of a word.

    Raises:
        BadAnswer: not the word of a set of `count` participants.
    """
    found = [bool((members >> (8 * m)) & 1) for m in range(count)]
    if sum(1 << (8 * m) for m, flag in enumerate(found) if flag) != members:
        raise BadAnswer(f"0x{members:x}: expected a set of {count} participants")
    return found


class AnswerWords:
    """The words of an answer.

    Raises:
        BadAnswer: not whole words, or too many.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) % _WORD or not 0 < len(data) <= MOST_WORDS * _WORD:
            raise BadAnswer(f"{len(data)} bytes: expected 1 to {MOST_WORDS} words of {_WORD}")
        self._words = [data[at : at + _WORD] for at in range(0, len(data), _WORD)]

    def number(self, place: int, low: int, high: int) -> int:
        """The number in a word, signed if `low` is negative.

        Raises:
            BadAnswer: there is no such word, or its number is not from `low` to `high`.
        """
        if not place < len(self._words):
            raise BadAnswer(f"word {place}: the answer has {len(self._words)}")
        number = int.from_bytes(self._words[place], "big", signed=low < 0)
        if not low <= number <= high:
            raise BadAnswer(f"word {place}: {number}: expected a number from {low} to {high}")
        return number

    def array(self, place: int, size: int, low: int, high: int) -> list[int]:
        """The array of known size whose offset is in a word.

        Raises:
            BadAnswer: see `number`; or not an array of this size.
        """
        offset = self.number(place, 0, MOST_WORDS * _WORD)
        start, rest = divmod(offset, _WORD)
        if rest or self.number(start, 0, MOST_WORDS) != size:
            raise BadAnswer(f"word {place}: expected an array of {size} numbers")
        return [self.number(start + 1 + n, low, high) for n in range(size)]


def check(terms: Terms) -> None:
    """Nothing, if the contract on an EVM can have these terms.

    Raises:
        ValueError: it cannot.
    """
    m = terms.n_participants if type(terms.n_participants) is int else 0
    ranges: dict[str, tuple[int, int]] = {
        "n_participants": (1, MOST_PARTICIPANTS), "n_arms": (1, MOST_ARMS), "faulty": (0, m - 1),
        "expected_validators": (1, contract.MOST_PARTICIPANTS), "combination": (MAJORITY, UNION),
        "trust": (DISTANCE, REWARD), "delta": (0, ONE), "span": (0, MOST_SPAN),
        "silence": (0, ONE), "resolution": (LEAST_RESOLUTION, MOST_RESOLUTION), "window": (0, MOST_WINDOW),
        "cost": (0, ONE),
    }  # fmt: skip
    for name, (low, high) in ranges.items():
        value = getattr(terms, name)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name} = {brief(value)}: on an EVM chain expected an integer from {low} to {high}")


def source() -> str:
    """The text of the contract: in an installed package from `_contracts`, in a checkout from `contracts` beside it.

    Raises:
        ValueError: neither is there.
    """
    for folder in (_PACKAGE / "_contracts", _PACKAGE.parent / "contracts"):
        path = folder / "bc_ucb.vy"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise ValueError("contracts/bc_ucb.vy: not part of this installation; use a source checkout or a wheel of folkmoot")


def compiled() -> dict[str, Any]:
    """What the Vyper compiler makes of the contract: "bytecode", "bytecode_runtime", "abi", "method_identifiers".

    Raises:
        ValueError: the compiler is not installed.
    """
    try:
        from vyper import compile_code
    except ImportError:
        raise ValueError("deploying a contract needs Vyper: pip install 'folkmoot[evm]'") from None
    outputs = ["bytecode", "bytecode_runtime", "abi", "method_identifiers"]
    found: dict[str, Any] = compile_code(source(), output_formats=outputs)
    return found


def deployment(terms: Terms) -> bytes:
    """The data of the transaction that creates the contract with these terms.

    Raises:
        ValueError: see `check`, `compiled`.
    """
    check(terms)
    return bytes.fromhex(compiled()["bytecode"].removeprefix("0x")) + words(*terms)
