"""Who speaks last in a round may choose among many blocks; that does not help it to become a validator."""

from functools import cache

import numpy as np

from folkmoot.agreement import vrf
from folkmoot.agreement.identity import Identity
from folkmoot.bc_ucb.contract import ONE, UNITS, Terms
from folkmoot.bc_ucb.genesis import checked_configuration, configuration
from folkmoot.bc_ucb.validators import asked, is_drawn
from folkmoot.encoding import digest

M, ROUNDS, TRIES = 7, 400, 8
IDENTITIES = [Identity(bytes([n + 1]) * 32) for n in range(M)]
TERMS = Terms(M, 2, 2, M, 0, 0, ONE // 10, ONE)
UNITS_OF = np.full(M, UNITS // M)
LIAR = 6


@cache
def settings(edition):
    keys = tuple(identity.public_key for identity in IDENTITIES)
    registrations = tuple(tuple(identity.registration()) for identity in IDENTITIES)
    if edition == 1:
        return checked_configuration((tuple(TERMS[:8]), keys, 4, ("vrf", registrations)))
    return checked_configuration(configuration(TERMS, keys, 4, None, registrations, salt=b"s" * 32))


def is_validator(told, previous, t, m):
    output = vrf.output(IDENTITIES[m].prove(asked(told, previous, t)))
    return is_drawn(told, UNITS_OF, m, output)


def rounds_as_validator(edition, tries):
    """In how many rounds the liar is drawn, which chooses among so many hashes of the block before."""
    told, found, previous = settings(edition), 0, bytes(32)
    for t in range(5, 5 + ROUNDS):
        choices = [digest("a block", (previous, n)) for n in range(tries)]
        drawn = next((hash for hash in choices if is_validator(told, hash, t, LIAR)), None)
        found += drawn is not None
        previous = drawn or choices[0]
    return found


# Each of 7 units' shares is drawn with probability 1 - exp(-1) = 0.632 where 7 units are drawn on average: 252.8 of 400
# rounds, with a standard deviation of 9.64. Five of them: a right sortition fails with probability 6e-7.
MEAN, BOUND = 252.8, 48.2


def test_attack_of_grinding_the_hash_of_the_block_before():
    assert abs(rounds_as_validator(2, TRIES) - MEAN) < BOUND


def test_grinding_paid_where_the_hash_was_the_question():
    """Of 8 hashes one is good with probability 1 - 0.368**8 = 0.9997: 399.9 rounds on average, 397 at the least."""
    assert abs(rounds_as_validator(1, 1) - MEAN) < BOUND
    assert rounds_as_validator(1, TRIES) >= 397


def test_no_two_rounds_and_no_two_games_ask_the_same():
    told = settings(2)
    other = told._replace(salt=b"t" * 32)
    questions = {asked(one, bytes(32), t) for one in (told, other) for t in range(100)}
    assert len(questions) == 200
    assert asked(told, bytes(32), 9) == asked(told, b"x" * 32, 9)
