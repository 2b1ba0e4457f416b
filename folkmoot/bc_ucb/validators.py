"""Who the validators of a round are: by public coins, or by the proofs of verifiable random functions."""

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement import vrf
from folkmoot.agreement.shared import Call, directly
from folkmoot.agreement.sortition import drawn
from folkmoot.bc_ucb import edition_1
from folkmoot.bc_ucb.contract import drawn_by_coin
from folkmoot.bc_ucb.genesis import GameSettings
from folkmoot.coins import replicate_coins
from folkmoot.encoding import digest

Units = NDArray[np.int64]  # [participants], trust


def drawn_by_coins(settings: GameSettings, units: Units, round: int, call: Call = directly) -> tuple[int, ...]:
    """The validators of a round, where coins are public: the same as the compiled loop draws.

    Raises:
        ValueError: they are not public here.
    """
    if settings.coins is None:
        raise ValueError("sortition = 'vrf': validators are known by their proofs only")
    return call(_drawn, settings.coins, settings.terms.expected_validators, tuple(units.tolist()), round)


def _drawn(seed: tuple[int, int, int], expected: int, units: tuple[int, ...], round: int) -> tuple[int, ...]:
    coins, total = replicate_coins(*seed), sum(units)
    return tuple(m for m, own in enumerate(units) if own and drawn_by_coin(coins, round, m, own, total, expected))


def question(salt: bytes, round: int) -> bytes:
    """What the verifiable random functions are asked in a round.

    No block and no vote enters it, so nobody can try many until one makes it a validator.
    """
    return digest("sortition of a round", (salt, round))


def asked(settings: GameSettings, previous: bytes, round: int) -> bytes:
    """The question of a round after this block, on a chain of either edition."""
    return edition_1.question(previous, round) if settings.edition == 1 else question(settings.salt, round)


def is_drawn(settings: GameSettings, units: Units, validator: int, output: bytes, call: Call = directly) -> bool:
    """Does this output of its function make a participant a validator?"""
    own, total = int(units[validator]), sum(units.tolist())
    return own > 0 and call(drawn, output, own, min(settings.terms.expected_validators, total), total) >= 1


def has_proof(
    settings: GameSettings,
    units: Units,
    previous: bytes,
    round: int,
    validator: int,
    proof: bytes,
    call: Call = directly,
) -> bool:
    """Does the proof make this participant a validator of the round?"""
    output = proven_output(settings, previous, round, validator, proof, call)
    return output is not None and is_drawn(settings, units, validator, output, call)


def proven_output(
    settings: GameSettings, previous: bytes, round: int, validator: int, proof: bytes, call: Call = directly
) -> bytes | None:
    """What a participant's proof shows of its random function in a round after this block; None: nothing."""
    return call(_proven_output, settings.vrf_keys[validator], asked(settings, previous, round), proof)


def _proven_output(key: bytes, asked: bytes, proof: bytes) -> bytes | None:
    """The output that a proof shows, None if it shows nothing."""
    try:
        return vrf.verify(key, asked, proof)
    except vrf.InvalidProof:
        return None
