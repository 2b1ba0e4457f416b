"""The private comparison computed by a committee, with the secure integers of mpyc (Schoenmakers).

Counts are split into additive shares, one for each member of the committee; members turn them into Shamir shares,
compare, and open nothing but the bits. Nothing is learned as long as less than half of the members put their shares
together, and all members follow the protocol. A committee of ONE, which `compare_mpyc` uses because a simulation is
one process, hides nothing from that process: it shows that the maths is the same, not that anything is private.

mpyc allows one runtime per process, made when it is imported from the words of the command line.
"""

import importlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from folkmoot.comparison import ristretto
from folkmoot.comparison.ristretto import RandomBytes
from folkmoot.comparison.session import checked_kappa

# Primes that are 3 modulo 4, so that mpyc finds square roots fast; a larger one only where it is needed.
_SMALL, _LARGE = 2**127 - 1, 2**256 - 2**32 - 977
LEAST_SECURITY, SECURITY = 40, 64  # masks reveal a value with probability below 2**-SECURITY; mpyc's own is 2**-30
_ONE_AT_A_TIME = threading.RLock()


def compare_mpyc(
    participants: Sequence[Sequence[int]], validator: Sequence[int], kappa: Fraction | int, count_bits: int
) -> list[list[bool]]:
    """The bits kappa * n[m, i] > n[h, i], [M, K], by a committee of one in this process.

    participants: counts [M, K]; validator: counts [K]; all integers in [0, 2**count_bits).

    Raises:
        ValueError: mpyc is not installed, or this process is a member of a larger committee.
    """
    with _ONE_AT_A_TIME:
        mpc = runtime()
        if len(mpc.parties) != 1:
            raise ValueError(f"mpyc runs with {len(mpc.parties)} members here: expected 1, or use committee_bits")
        rows = [list(row) for row in [*participants, validator]]
        with _set(mpc.options, sec_param=max(SECURITY, mpc.options.sec_param), no_async=True):
            bits = _finish(committee_bits(mpc, rows, kappa, count_bits))
    return [[bool(bit) for bit in row] for row in bits]


async def committee_bits(
    mpc: Any, shares: Sequence[Sequence[int]], kappa: Fraction | int, count_bits: int, receivers: Any = None
) -> list[list[Any]]:
    """The bits [M, K] of `compare_mpyc`, computed by all members of a started runtime together.

    shares: [M + 1, K], this member's shares of the counts of M participants, then of the validator.
    receivers: members that learn the bits, as for mpyc's output (None: all); the others get None for each.

    mpyc unpickles what members send each other when arrays are shared and when the runtime is shut down. Here are
    no arrays, but whoever starts and stops the runtime lets members trust each other with their machines.

    Raises:
        ValueError: kappa is not a positive fraction, or the runtime's statistical security is below 40 bits.
    """
    if mpc.options.sec_param < LEAST_SECURITY:
        raise ValueError(f"mpyc's sec_param = {mpc.options.sec_param}: expected {LEAST_SECURITY} or more (option -K)")
    ratio = checked_kappa(kappa)
    number = mpc.SecInt(_width(ratio, count_bits), p=modulus(ratio, count_bits, mpc.options.sec_param))
    flat = [number(share) for row in shares for share in row]
    counts = [mpc.sum(list(column)) for column in zip(*mpc.input(flat))]
    n_arms = len(shares[-1])
    own = [ratio.denominator * count for count in counts[-n_arms:]]
    others = [ratio.numerator * count for count in counts[:-n_arms]]
    secret = [other > own[i % n_arms] for i, other in enumerate(others)]
    opened = await mpc.output(secret, receivers)
    return [opened[start : start + n_arms] for start in range(0, len(opened), n_arms)]


def modulus(kappa: Fraction | int, count_bits: int, security: int = SECURITY) -> int:
    """The prime modulo which counts are shared: room for the scaled counts and for masks of `security` bits.

    Raises:
        ValueError: kappa is not a positive fraction, or there is no room.
    """
    needed = _width(checked_kappa(kappa), count_bits) + security + 2
    if needed > _LARGE.bit_length():
        raise ValueError(f"sec_param = {security} with {count_bits}-bit counts: expected at most 256 bits in all")
    return _SMALL if needed <= _SMALL.bit_length() else _LARGE


def additive_shares(count: int, members: int, prime: int, random_bytes: RandomBytes) -> list[int]:
    """The count split into one share a member; any members - 1 of them are uniform modulo `prime`."""
    shares = [ristretto.random_integer(random_bytes, 48) % prime for _ in range(members - 1)]
    return [*shares, (count - sum(shares)) % prime]


def _width(ratio: Fraction, count_bits: int) -> int:
    """Bits of a difference of two scaled counts, with its sign and one to spare."""
    return count_bits + max(ratio.numerator, ratio.denominator).bit_length() + 2


def runtime() -> Any:
    """The one mpyc runtime of this process: the one that is there, or a new committee of one.

    mpyc reads and shortens `sys.argv` and sets up logging when it is imported; both are put back afterwards.

    Raises:
        ValueError: mpyc is not installed.
    """
    if sys.modules.get("mpyc.runtime") is None:
        root = logging.getLogger()
        handlers, level, words = root.handlers[:], root.level, sys.argv
        sys.argv = [*words[:1], "--no-log"] if words else ["", "--no-log"]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of the names of NumPy it uses
                importlib.import_module("mpyc.runtime")
        except ImportError as missing:
            raise ValueError(
                "private comparison by mpyc needs the package mpyc: pip install 'folkmoot[private]'"
            ) from missing
        finally:
            sys.argv = words
            root.handlers[:] = handlers
            root.setLevel(level)
    return sys.modules["mpyc.runtime"].mpc


@contextmanager
def _set(options: Any, **values: Any) -> Iterator[None]:
    """Options changed for a while: other users of the runtime keep theirs."""
    before = {name: getattr(options, name) for name in values}
    vars(options).update(values)
    try:
        yield
    finally:
        vars(options).update(before)


def _finish(coroutine: Any) -> Any:
    """The result of a coroutine that waits for nobody, as those of a committee of one; needs no event loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a committee of one waits for nobody")
