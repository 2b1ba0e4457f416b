"""What a chain begins with that goes on from another one: the accounts of those who were there, by edition 3.

Carried over are, of each participant that was on the chain before, what it earned and was charged, its trust, and
whether it is excluded; and where arms and scale are the same, the estimates. Who is new begins with nothing, and is
trusted as the participant in the middle. What counts rounds (reports, changes, levels, outcomes that wait) begins anew.

The genesis names the last block of the chain before. In an open game it says all of it. Where only participants read
reports it says what a reader of the chain before knows, and for the rest it holds a digest: that is computed with a
secret of the last block, or whoever reads the chain could try accounts until they fit.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.bc_ucb.contract import (
    APPROVAL_BOUND,
    MOST_REPORT,
    NO_ESTIMATE,
    Accounts,
    Terms,
    clip,
    open_accounts,
    quantise,
)
from folkmoot.encoding import Limits, Malformed, Value, decode, digest, encode

HASH_BYTES = 32
MOST_SUM = 1 << 62  # of what was earned, or charged
MOST_HEIGHT = 1 << 62
_LIMITS = Limits(size=1 << 18, depth=2, items=1 << 14, int_size=9)
_ROWS = ("exponent", "costs", "estimates")


class Opening(NamedTuple):
    """What goes on from the chain before; numbers are scaled as in `Accounts`.

    Attributes:
        height, tip: of the last block before.
        sources: of each participant its number before; -1: it is new.
        excluded: participants that were excluded, ascending.
        earned: by participant.
        exponent, costs, estimates: as of `Accounts`; empty where only their digest is told.
        kept: digest of these and of the secret, where only that is told; else empty.
        secret: of the last block before, where only participants know it; else empty.
    """

    height: int
    tip: bytes
    sources: tuple[int, ...]
    excluded: tuple[int, ...]
    earned: tuple[int, ...]
    exponent: tuple[int, ...]
    costs: tuple[int, ...]
    estimates: tuple[int, ...]
    kept: bytes = b""
    secret: bytes = b""

    def sealed(self) -> "Opening":
        """What a genesis says of it where only participants read reports."""
        about = (self.tip, self.sources, self.exponent, self.costs, self.estimates, self.secret)
        return self._replace(exponent=(), costs=(), estimates=(), kept=digest("opening accounts", about), secret=b"")

    def plain(self) -> "Opening":
        """What the genesis of an open game says of it."""
        return self._replace(secret=b"")

    def accounts(self, terms: Terms) -> Accounts:
        """Those before the first block; of what is only told as a digest they hold what a chain without it has."""
        found: Accounts = open_accounts(terms)
        found.earned[:] = self.earned
        if self.exponent:
            found.exponent[:], found.costs[:], found.estimates[:] = self.exponent, self.costs, self.estimates
            quantise(found.exponent, found.units)
        for array in found:
            array.setflags(write=False)
        return found

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(tuple(self), _LIMITS)


def from_bytes(data: bytes) -> Opening:
    """What `Opening.to_bytes` gave.

    Raises:
        Malformed: something else.
    """
    return _typed(decode(data, _LIMITS))


def _typed(value: Value) -> Opening:
    kinds = (int, bytes, *(tuple,) * 6, bytes, bytes)
    if type(value) is not tuple or tuple(map(type, value)) != kinds:
        raise Malformed("opening: expected a block before, and the accounts after it")
    if not all(type(number) is int for numbers in value[2:8] for number in numbers):
        raise Malformed("opening: expected whole numbers")
    return Opening(*value)


def checked_opening(value: Value, terms: Terms, sealed: bool) -> Opening:
    """What a genesis says of the chain before it.

    Raises:
        Malformed: not what an `Opening` for these terms can say.
    """
    found, m = _typed(value), terms.n_participants
    if not 1 <= found.height < MOST_HEIGHT or len(found.tip) != HASH_BYTES:
        raise Malformed(f"opening: block {found.height} before: expected a height from 1 and {HASH_BYTES} bytes")
    known = [number for number in found.sources if number != -1]
    if len(found.sources) != m or len(set(known)) < len(known) or not all(0 <= n < 1 << 16 for n in known):
        raise Malformed(f"opening: sources: expected different numbers, or -1, of {m} participants")
    if list(found.excluded) != sorted(set(found.excluded)) or not set(found.excluded) <= set(range(m)):
        raise Malformed(f"opening: excluded: expected ascending numbers below {m}")
    rows = {
        "earned": (m, -MOST_SUM, MOST_SUM), "exponent": (m, -terms.span, 0), "costs": (m, -MOST_SUM, MOST_SUM),
        "estimates": (terms.n_arms, NO_ESTIMATE, APPROVAL_BOUND),
    }  # fmt: skip
    for name, (size, low, high) in rows.items():
        numbers = getattr(found, name)
        if sealed and name in _ROWS:
            size = 0
        if len(numbers) != size or not all(low <= number <= high for number in numbers):
            raise Malformed(f"opening: {name}: expected {size} numbers from {low} to {high}")
    if any(NO_ESTIMATE < number < -MOST_REPORT for number in found.estimates):
        raise Malformed("opening: estimates: expected scaled numbers from -4, or none")
    if len(found.kept) != (HASH_BYTES if sealed else 0) or found.secret:
        raise Malformed("opening: a digest stands where only participants read reports, and nowhere else")
    return found


def opening(
    before: tuple[int, bytes], accounts: Accounts, excluded: frozenset[int], secret: bytes,
    sources: tuple[int, ...], terms: Terms, same_arms: bool,
) -> Opening:  # fmt: skip
    """What goes on from a chain.

    Args:
        before: height and hash of its last block.
        accounts, excluded, secret: of its state.
        sources: of each participant of the new chain its number on the one before; -1: it is new.
        terms: of the new chain.
        same_arms: the same arms on the same scale? Else estimates begin anew.
    """
    old = [s if s >= 0 else None for s in sources]
    out = tuple(m for m, s in enumerate(old) if s is not None and s in excluded)
    trust = sorted(int(accounts.exponent[s]) for m, s in enumerate(old) if s is not None and m not in out)
    middle = trust[(len(trust) - 1) // 2] if trust else 0
    exponent = np.array([middle if s is None else accounts.exponent[s] for s in old], np.int64)
    clip(exponent, terms.span)
    earned, costs = ([0 if s is None else int(row[s]) for s in old] for row in (accounts.earned, accounts.costs))
    estimates = accounts.estimates.tolist() if same_arms else [NO_ESTIMATE] * terms.n_arms
    return Opening(
        *before, sources, out, tuple(earned), tuple(exponent.tolist()), tuple(costs), tuple(estimates), b"", secret
    )
