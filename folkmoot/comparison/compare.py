"""Who has pulled an arm often enough, without saying how often: one call, three ways to compute it.

A validator h learns for each participant m and arm i one bit, whether kappa * n[m, i] > n[h, i]; nobody learns
anything else (docs/private-comparison.md says against whom each way holds):

    "ideal"     the functionality itself: everybody tells a machine that forgets all but the bits
    "pairwise"  two messages between validator and participant, under encryption; what real participants use
    "mpyc"      a committee computes with shares; in one process it is a committee of one, which hides nothing
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.comparison.functionality import compare_ideal
from folkmoot.comparison.joint import compare_mpyc, runtime
from folkmoot.comparison.pairwise import PairwiseParticipant, PairwiseValidator
from folkmoot.comparison.ristretto import RandomBytes, base
from folkmoot.comparison.session import Session, checked_counts, checked_kappa, session

BACKENDS = ("ideal", "pairwise", "mpyc")


def compare(
    participants: Sequence[Sequence[int]] | NDArray[np.integer],
    validator: Sequence[int] | NDArray[np.integer],
    kappa: Fraction | int,
    *,
    count_bits: int = 32,
    backend: str = "pairwise",
    random_bytes: RandomBytes | None = None,
) -> NDArray[np.bool_]:
    """The bits kappa * participants[m, i] > validator[i], bool [M, K].

    participants: integers [M, K], pulls of M participants; validator: integers [K]; all in [0, 2**count_bits).
    kappa: positive, a Fraction such as Fraction(3, 2), never rounded.
    random_bytes: for "pairwise", a function n -> n unpredictable bytes such as os.urandom. ("mpyc" draws its own.)

    Raises:
        ValueError: wrong shapes, a count out of range, kappa not a positive fraction, an unknown backend, no
            random_bytes where needed, or the extra `private` is not installed.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend = {backend!r}: expected one of {', '.join(BACKENDS)}")
    own = _items(validator, "validator")
    about = session(b"private_compare", b"validator", len(own), count_bits)
    ratio = checked_kappa(kappa)
    mine = checked_counts(about, own)
    others = [checked_counts(about, _items(row, "participants")) for row in _items(participants, "participants")]
    if backend == "ideal":
        bits = compare_ideal(others, mine, ratio)
    elif backend == "mpyc":
        bits = compare_mpyc(others, mine, ratio, count_bits) if others else []
    elif random_bytes is None:
        raise ValueError("random_bytes = None: expected a function such as os.urandom for backend = 'pairwise'")
    else:
        bits = _compare_pairwise(about, others, mine, ratio, random_bytes)
    return np.array(bits, dtype=np.bool_).reshape(len(others), len(mine))


def check_installed(backend: str) -> None:
    """Nothing, if what this backend needs is installed.

    Raises:
        ValueError: the extra `private` is not.
    """
    if backend == "pairwise":
        base(1)
    elif backend == "mpyc":
        runtime()


def _compare_pairwise(
    about: Session, participants: list[list[int]], validator: list[int], kappa: Fraction, random_bytes: RandomBytes
) -> list[list[bool]]:
    """One offer, and one answer from each participant, all in this process."""
    asking = PairwiseValidator(about, validator, kappa, random_bytes)
    bits = []
    for number, counts in enumerate(participants):
        name = f"participant {number}".encode()
        answering = PairwiseParticipant(about, name, counts, random_bytes)
        bits.append(list(asking.receive(name, answering.answer(asking.offer))))
    return bits


def _items(counts: object, what: str) -> list[Any]:
    """The entries of one axis; not through an array, which would round large integers of a list."""
    if isinstance(counts, np.ndarray) and counts.ndim > 0:
        return list(counts)
    if isinstance(counts, list | tuple):
        return list(counts)
    raise ValueError(f"{what} has {counts!r:.60} in the place of an axis: expected integers [M, K] and [K]")
