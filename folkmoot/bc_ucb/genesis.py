"""What the genesis of a game says: the contract's terms, whose keys take part, and how validators are drawn.

There are three editions. Games are played by the second one, and by the third where they go on from another chain: its
genesis holds what it begins with as well (see opening.py), and all else is the same. Chains of the first, which version
0.1.0 made, are still read and verified; what differs is in edition_1.py.
"""

from typing import NamedTuple

from folkmoot.agreement.identity import Registration, check_registration
from folkmoot.agreement.sealed import check_channel_key
from folkmoot.agreement.signed_messages import MAX_MEMBERS, MAX_VALUE
from folkmoot.bc_ucb.contract import LEAST_RESOLUTION, MOST_ARMS, MOST_RESOLUTION, MOST_WINDOW, ONE, REWARD, Terms
from folkmoot.bc_ucb.opening import Opening, checked_opening
from folkmoot.bc_ucb.records import BLINDING_BYTES, CLAIM_BYTES, MOST_STATEMENT, value_bytes
from folkmoot.coins import WORD
from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.block import MOST_RECORD_BYTES
from folkmoot.signatures import KEY_BYTES

EDITION = 2  # of games that begin now
GOES_ON = 3  # the edition of those that go on from another chain
SALT_BYTES = 32
MOST_ENVIRONMENT = 16  # keys
COIN, VRF = "coin", "vrf"
NOTE, EXCLUDE = "note", "exclude"
EVIDENCE = (NOTE, EXCLUDE)  # what may be done about proven faults
OPEN, VALIDATORS = "open", "validators"
DISCLOSURES = (OPEN, VALIDATORS)  # who may read reports

_EACH = {
    1: 256,
    2: 512,
    3: 512,
}  # bytes of heads and numbers that a participant adds to a block, by edition
_OPENING = 256  # bytes of heads and blindings that a participant adds to the openings of a block
_N_TERMS = {1: 8, EDITION: len(Terms._fields), GOES_ON: len(Terms._fields)}


class GameSettings(NamedTuple):
    """What the genesis says; participants are numbered in the order of their keys here."""

    terms: Terms
    keys: tuple[bytes, ...]  # 32 bytes each
    vrf_keys: tuple[bytes, ...]  # empty where coins are public
    coins: tuple[int, int, int] | None  # words of the seed and number of the replicate; None: verifiable functions
    burn_in: int
    edition: int = 1
    salt: bytes = b""  # drawn after all keys are known, so that nobody could choose its keys by it
    environment: tuple[bytes, ...] = ()  # keys that sign rewards; none: rewards are what participants claim
    evidence: str = NOTE  # what a proven fault leads to
    disclosure: str = OPEN  # who can read the reports
    channel_keys: tuple[bytes, ...] = ()  # by which participants seal messages for each other, if these alone can
    opening: Opening | None = None  # what goes on from the chain before; None: the game begins with it

    @property
    def sealed(self) -> bool:
        """Do only participants see what is said of arms?"""
        return self.disclosure == VALIDATORS

    @property
    def blinding_bytes(self) -> int:
        """Of a report and of a set: none where everybody may read them."""
        return BLINDING_BYTES if self.sealed else 0


def configuration(
    terms: Terms,
    keys: tuple[bytes, ...],
    burn_in: int,
    coins: tuple[int, int, int] | None = None,
    registrations: tuple[Registration, ...] = (),
    *,
    salt: bytes,
    environment: tuple[bytes, ...] = (),
    evidence: str = NOTE,
    disclosure: Value = (OPEN, ()),
    opening: Opening | None = None,
) -> Value:
    """What the genesis of a game holds.

    Args:
        terms: the contract's.
        keys: of the participants, in the order of their numbers.
        burn_in: rounds in which nothing is agreed on.
        coins: words of the seed and replicate of public coins, which draw the validators; None: by VRFs.
        registrations: of the keys of these.
        salt: 32 bytes that nobody could know before all keys were fixed: everybody commits to a share, then shows it.
        environment: public keys that sign rewards.
        evidence: "note": a proven fault is recorded; "exclude": from the next round on its culprit is no member.
        disclosure: ("open", ()): everybody reads the reports; ("validators", registrations of all keys by which
            messages are sealed): participants alone do, of whom the validators are drawn.
        opening: what goes on from another chain; None: nothing.
    """
    sortition = (VRF, tuple(map(tuple, registrations))) if coins is None else (COIN, coins)
    said = (tuple(map(int, terms)), keys, burn_in, sortition, salt, environment, evidence, disclosure)
    if opening is None:
        return (EDITION, *said)
    told = opening.sealed() if disclosure[0] == VALIDATORS else opening.plain()
    return (GOES_ON, *said, tuple(told))


def checked_configuration(value: Value) -> GameSettings:
    """The settings in a genesis, of any edition.

    Raises:
        Malformed: not what `configuration` returns for settings that make sense.
    """
    if type(value) is not tuple:
        raise Malformed("configuration of bc_ucb: expected a tuple")
    if len(value) == 4:
        terms, keys, burn_in, sortition = _typed(value, (tuple, tuple, int, tuple))
        return _common(terms, keys, burn_in, sortition, 1)
    kinds = (int, tuple, tuple, int, tuple, bytes, tuple, str, tuple)
    goes_on = len(value) == len(kinds) + 1
    edition, terms, keys, burn_in, sortition, salt, environment, evidence, disclosure = _typed(
        value[: len(kinds)], kinds
    )
    if edition != (GOES_ON if goes_on else EDITION):
        raise Malformed(
            f"configuration of bc_ucb, edition {edition}: only 1 and {EDITION} are understood, and {GOES_ON} of a "
            "chain that goes on from another"
        )
    settings = _common(terms, keys, burn_in, sortition, edition)
    if len(salt) != SALT_BYTES:
        raise Malformed(f"salt of {len(salt)} bytes: expected {SALT_BYTES}")
    if len(environment) > MOST_ENVIRONMENT or len(set(environment)) < len(environment) or not _are_keys(environment):
        raise Malformed(f"environment: expected at most {MOST_ENVIRONMENT} different keys of {KEY_BYTES} bytes")
    if settings.terms.trust == REWARD and not environment:
        raise Malformed("trust = 'reward': only where an environment signs the rewards; here they are only claims")
    if evidence not in EVIDENCE:
        raise Malformed(f"evidence = {evidence!r:.80}: expected {' or '.join(map(repr, EVIDENCE))}")
    channel_keys = _disclosed(settings.keys, disclosure)
    opening = checked_opening(value[-1], settings.terms, disclosure[0] == VALIDATORS) if goes_on else None
    return settings._replace(
        edition=edition,
        salt=salt,
        environment=environment,
        evidence=evidence,
        disclosure=disclosure[0],
        channel_keys=channel_keys,
        opening=opening,
    )


def _disclosed(keys: tuple[bytes, ...], disclosure: tuple[Value, ...]) -> tuple[bytes, ...]:
    """The keys by which participants seal messages for each other, if everybody else is not to read them."""
    if len(disclosure) != 2 or disclosure[0] not in DISCLOSURES or type(disclosure[1]) is not tuple:
        raise Malformed(f"disclosure = {disclosure!r:.80}: expected {' or '.join(map(repr, DISCLOSURES))}")
    law, detail = disclosure
    if len(detail) != (len(keys) if law == VALIDATORS else 0):
        raise Malformed(f"disclosure {law!r}: {len(detail)} registrations, expected one of each participant's key")
    for number, (key, item) in enumerate(zip(keys, detail)):
        if not check_channel_key(key, item):
            raise Malformed(f"disclosure: the key {number} is not registered by its participant")
    found = tuple(item[0] for item in detail)
    if len(set(found)) < len(found):
        raise Malformed("disclosure: two participants have the same key")
    return found


def _typed(value: tuple[Value, ...], kinds: tuple[type, ...]) -> tuple[Value, ...]:
    if tuple(map(type, value)) != kinds:
        raise Malformed(f"configuration of bc_ucb: expected {', '.join(kind.__name__ for kind in kinds)}")
    return value


def _are_keys(keys: tuple[Value, ...]) -> bool:
    return all(type(key) is bytes and len(key) == KEY_BYTES for key in keys)


def _common(numbers: Value, keys: Value, burn_in: int, sortition: Value, edition: int) -> GameSettings:
    """What all editions hold."""
    if len(numbers) != _N_TERMS[edition] or not all(type(number) is int for number in numbers):
        raise Malformed(f"terms of bc_ucb: expected {_N_TERMS[edition]} integers")
    terms = Terms(*numbers)
    _check_terms(terms, edition)
    if len(keys) != terms.n_participants or len(set(keys)) < len(keys):
        raise Malformed(f"{len(keys)} keys: expected {terms.n_participants} different ones")
    if not _are_keys(keys):
        raise Malformed(f"keys of bc_ucb: expected {KEY_BYTES} bytes each")
    if not 0 <= burn_in < 1 << 62:
        raise Malformed(f"burn_in = {burn_in}: expected an integer from 0 to 2**62 - 1")
    if len(sortition) != 2 or sortition[0] not in (COIN, VRF) or type(sortition[1]) is not tuple:
        raise Malformed(f"sortition = {sortition!r:.80}: expected 'coin' or 'vrf', and its details")
    law, detail = sortition
    if law == COIN:
        if len(detail) != 3 or not all(type(word) is int and 0 <= word <= WORD for word in detail):
            raise Malformed("coins of bc_ucb: expected two words of the seed and a replicate, each below 2**32")
        return GameSettings(terms, keys, (), detail, burn_in)
    return GameSettings(terms, keys, _registered(keys, detail), None, burn_in)


def _registered(keys: tuple[bytes, ...], detail: tuple[Value, ...]) -> tuple[bytes, ...]:
    """The keys of the verifiable random functions."""
    if len(detail) != len(keys):
        raise Malformed(f"{len(detail)} registrations: expected {len(keys)}")
    for number, (key, item) in enumerate(zip(keys, detail)):
        if type(item) is not tuple or len(item) != 3 or not check_registration(key, Registration(*item)):
            raise Malformed(f"registration {number}: its VRF key is not registered by its participant")
    vrf_keys = tuple(item[0] for item in detail)
    if len(set(vrf_keys)) < len(vrf_keys):
        raise Malformed("registrations: two participants have the same VRF key")
    return vrf_keys


def _check_terms(terms: Terms, edition: int) -> None:
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
        "silence": (0, ONE),
        "resolution": (LEAST_RESOLUTION, MOST_RESOLUTION),
        "window": (0, MOST_WINDOW),
        "cost": (0, ONE),
    }
    for name, (low, high) in allowed.items():
        if not low <= getattr(terms, name) <= high:
            raise Malformed(f"{name} = {getattr(terms, name)}: expected an integer from {low} to {high}")
    if value_bytes(m, k, edition) > MAX_VALUE:
        raise Malformed(f"{m} participants with {k} arms: a validator's sets would exceed {MAX_VALUE} bytes")
    if carried_bytes(terms, edition) > MOST_RECORD_BYTES:
        raise Malformed(f"{m} participants with {k} arms: a block could exceed {MOST_RECORD_BYTES} bytes")


def carried_bytes(terms: Terms, edition: int = EDITION) -> int:
    """Bytes of the record of a block at most; in edition 2 with what is behind its commitments, should it have some."""
    m, k = terms.n_participants, terms.n_arms
    each = value_bytes(m, k, edition) + 8 * k + _EACH[edition]
    if edition > 1:
        each += CLAIM_BYTES * (terms.window + 1) + MOST_STATEMENT + (m * k + 7) // 8 + _OPENING
    return m * each + 8 * (m + k) + _EACH[edition]
