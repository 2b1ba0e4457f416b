"""What the genesis of a game says: the contract's terms, whose keys take part, and how validators are drawn."""

from typing import NamedTuple

from folkmoot.agreement.identity import Registration, check_registration
from folkmoot.agreement.signed_messages import MAX_MEMBERS, MAX_VALUE
from folkmoot.bc_ucb.contract import MOST_ARMS, ONE, Terms
from folkmoot.bc_ucb.records import value_bytes
from folkmoot.coins import WORD
from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.block import MOST_RECORD_BYTES
from folkmoot.signatures import KEY_BYTES

_EACH = 256  # bytes for numbers, signature and heads of what a participant adds to a block, more than enough
COIN, VRF = "coin", "vrf"


class Configuration(NamedTuple):
    """What the genesis says; participants are numbered in the order of their keys here."""

    terms: Terms
    keys: tuple[bytes, ...]  # 32 bytes each
    vrf_keys: tuple[bytes, ...]  # empty where coins are public
    coins: tuple[int, int, int] | None  # words of the seed and number of the replicate; None: verifiable functions
    burn_in: int

    @property
    def quorum(self) -> int:
        """How many must sign a block: two sets of so many share more than a third of all."""
        return 2 * len(self.keys) // 3 + 1


def configuration(
    terms: Terms,
    keys: tuple[bytes, ...],
    burn_in: int,
    coins: tuple[int, int, int] | None = None,
    registrations: tuple[Registration, ...] = (),
) -> Value:
    """What the genesis of a game holds: sortition by coins (words of the seed, replicate) or, without, by VRFs."""
    sortition = (VRF, tuple(map(tuple, registrations))) if coins is None else (COIN, coins)
    return (tuple(map(int, terms)), keys, burn_in, sortition)


def checked_configuration(value: Value) -> Configuration:
    """The settings in a genesis.

    Raises:
        Malformed: not what `configuration` returns for terms, keys and sortition that make sense.
    """
    kinds = [tuple, tuple, int, tuple]
    if type(value) is not tuple or list(map(type, value)) != kinds or len(value[3]) != 2:
        raise Malformed("configuration of bc_ucb: expected (terms, keys, burn-in, sortition)")
    numbers, keys, burn_in, (sortition, detail) = value
    if len(numbers) != len(Terms._fields) or not all(type(number) is int for number in numbers):
        raise Malformed(f"terms of bc_ucb: expected {len(Terms._fields)} integers")
    terms = Terms(*numbers)
    _check_terms(terms)
    if len(keys) != terms.n_participants or len(set(keys)) < len(keys):
        raise Malformed(f"{len(keys)} keys: expected {terms.n_participants} different ones")
    if not all(type(key) is bytes and len(key) == KEY_BYTES for key in keys):
        raise Malformed(f"keys of bc_ucb: expected {KEY_BYTES} bytes each")
    if not 0 <= burn_in < 1 << 62:
        raise Malformed(f"burn_in = {burn_in}: expected an integer from 0 to 2**62 - 1")
    if type(sortition) is not str or sortition not in (COIN, VRF) or type(detail) is not tuple:
        raise Malformed(f"sortition = {sortition!r:.80}: expected 'coin' or 'vrf', and its details")
    if sortition == COIN:
        if len(detail) != 3 or not all(type(word) is int and 0 <= word <= WORD for word in detail):
            raise Malformed("coins of bc_ucb: expected two words of the seed and a replicate, each below 2**32")
        return Configuration(terms, keys, (), detail, burn_in)
    if len(detail) != len(keys):
        raise Malformed(f"{len(detail)} registrations: expected {len(keys)}")
    for number, (key, item) in enumerate(zip(keys, detail)):
        if type(item) is not tuple or len(item) != 3 or not check_registration(key, Registration(*item)):
            raise Malformed(f"registration {number}: its VRF key is not registered by its participant")
    vrf_keys = tuple(item[0] for item in detail)
    if len(set(vrf_keys)) < len(vrf_keys):
        raise Malformed("registrations: two participants have the same VRF key")
    return Configuration(terms, keys, vrf_keys, None, burn_in)


def _check_terms(terms: Terms) -> None:
    m, k = terms.n_participants, terms.n_arms
    allowed = {
        "n_participants": (1, MAX_MEMBERS),
        "n_arms": (1, MOST_ARMS),
        "faulty": (0, (m - 1) // 3),
        "expected_validators": (1, 2 * MAX_MEMBERS),
        "combination": (0, 1),
        "trust": (0, 1),
        "delta": (0, ONE),
        "span": (0, 22 * ONE),
    }
    for name, (low, high) in allowed.items():
        if not low <= getattr(terms, name) <= high:
            raise Malformed(f"{name} = {getattr(terms, name)}: expected an integer from {low} to {high}")
    if value_bytes(m, k) > MAX_VALUE:
        raise Malformed(f"{m} participants with {k} arms: a validator's sets would exceed {MAX_VALUE} bytes")
    if record_bytes(terms) > MOST_RECORD_BYTES:
        raise Malformed(f"{m} participants with {k} arms: a block could exceed {MOST_RECORD_BYTES} bytes")


def record_bytes(terms: Terms) -> int:
    """Bytes of the record of a block, at most."""
    m, k = terms.n_participants, terms.n_arms
    return m * (value_bytes(m, k) + 8 * k + _EACH) + 8 * (m + k) + _EACH
