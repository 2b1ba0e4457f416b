"""Coins: published vectors, a dumb twin, interpreted = compiled, and laws held against SciPy.

Statistical tests have a fixed seed and one bound stated here: a p-value above 1e-4 on a million draws,
or for a correlation of n pairs |r| < 5 / sqrt(n), since r is close to normal with deviation 1 / sqrt(n).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jitted import jit
from scipy import stats

from folkmoot import coins
from folkmoot.coins import CHOICE, LINK, REWARD, SCENE, Coins, replicate_coins, seed_words

DRAWS = 1_000_000
SMALLEST_P = 1e-4
CORRELATION = 5.0
KEY = replicate_coins(20_240_229, 7, 3)

# --- The generator ------------------------------------------------------------------------------------

# Philox 4x32-10 vectors published with Random123: counter, key, expected.
VECTORS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text):
    return tuple(int(word, 16) for word in text.split())


@jit
def compiled_philox(c0, c1, c2, c3, k0, k1):
    return coins.philox(c0, c1, c2, c3, k0, k1)


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
@pytest.mark.parametrize("philox", [coins.philox, compiled_philox], ids=["interpreted", "compiled"])
def test_philox_gives_the_published_vectors(philox, counter, key, expected):
    assert tuple(philox(*words(counter), *words(key))) == words(expected)


# Multipliers and Weyl constants by word width (Salmon et al. 2011, table 2 and section 3.3).
CONSTANTS = {
    32: (0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85),
    64: (0xD2E7470EE14C6C93, 0xCA5A826395121157, 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B),
}


def dumb_philox(counter, key, width):
    """Philox 4xW-10 for any width W, with Python's unbounded integers and division instead of shifts."""
    m0, m1, w0, w1 = CONSTANTS[width]
    size = 2**width
    x, k = list(counter), list(key)
    for number in range(10):
        round_key = [(k[0] + number * w0) % size, (k[1] + number * w1) % size]
        high0, low0 = divmod(m0 * x[0], size)
        high1, low1 = divmod(m1 * x[2], size)
        x = [high1 ^ x[1] ^ round_key[0], low1, high0 ^ x[3] ^ round_key[1], low0]
    return tuple(x)


def blocks(width):
    word = st.integers(0, 2**width - 1)
    return st.tuples(word, word, word, word), st.tuples(word, word)


@settings(max_examples=200, deadline=None)
@given(*blocks(64))
def test_the_dumb_twin_is_numpys_philox_at_width_64(counter, key):
    before = (sum(word << 64 * place for place, word in enumerate(counter)) - 1) % 2**256  # NumPy steps first
    numpys = np.random.Philox(counter=before, key=key[0] | key[1] << 64)
    assert tuple(numpys.random_raw(4).tolist()) == dumb_philox(counter, key, 64)


@settings(max_examples=500, deadline=None)
@given(*blocks(32))
def test_philox_is_the_dumb_twin_at_width_32(counter, key):
    expected = dumb_philox(counter, key, 32)
    assert coins.philox(*counter, *key) == expected
    assert tuple(compiled_philox(*counter, *key)) == expected


def test_the_counter_is_round_agent_arm_stream_and_the_key_a_block_of_the_seed():
    key = dumb_philox((3, 0, 0, 0), (20_240_229, 7), 32)[:2]
    assert key == KEY
    assert coins.block(KEY, REWARD, 11, 12, 13) == dumb_philox((11, 12, 13, REWARD), key, 32)


# --- Interpreted = compiled -----------------------------------------------------------------------------


def _draws():
    """A callable of (coins, stream, a, b, c) for each draw and shape."""
    return {
        "uniform": lambda q, s, a, b, c: coins.uniform(q, s, a, b, c),
        "gaussian": lambda q, s, a, b, c: coins.gaussian(q, s, a, b, c),
        "bernoulli": lambda q, s, a, b, c: coins.bernoulli(q, 0.3, s, a, b, c),
        "below": lambda q, s, a, b, c: coins.below(q, 7, s, a, b, c),
        "beta 2 5": lambda q, s, a, b, c: coins.beta(q, 2.0, 5.0, s, a, b, c),
        "beta 0.5 0.5": lambda q, s, a, b, c: coins.beta(q, 0.5, 0.5, s, a, b, c),
        "beta 0.02 3": lambda q, s, a, b, c: coins.beta(q, 0.02, 3.0, s, a, b, c),
        "beta 50 1": lambda q, s, a, b, c: coins.beta(q, 50.0, 1.0, s, a, b, c),
    }


@pytest.mark.parametrize("name", _draws())
def test_interpreted_equals_compiled_bit_for_bit(name):
    draw = _draws()[name]
    fast = jit(draw)
    rng = np.random.default_rng(5)
    where = [tuple(row) for row in rng.integers(0, 2**32, (20_000, 3)).tolist()]
    stream = [LINK, REWARD, SCENE, CHOICE]
    for number, (a, b, c) in enumerate(where):
        s = stream[number % 4]
        assert draw(KEY, s, a, b, c) == fast(KEY, s, a, b, c), (s, a, b, c)


# --- The laws -------------------------------------------------------------------------------------------


@jit
def many(draw, q, n):
    """n draws in a tile of rounds, agents and arms, as a simulation would name them."""
    out = np.empty(n)
    for x in range(n):
        out[x] = draw(q, REWARD, 1 + x // 100, x // 10 % 10, x % 10)
    return out


def sample(draw):
    return many(jit(draw), KEY, DRAWS)


@jit
def compiled_batch(key, a, b, c, room, count):
    coins.blocks_from(key, LINK, a, b, c, room, count)


@jit
def compiled_blocks(key, a, room, count):
    coins.blocks(key, LINK, a, room, count)


@pytest.mark.parametrize("count", [0, 1, 5, 16, coins.BATCH])
@pytest.mark.parametrize("batch", [coins.blocks_from, compiled_batch])
def test_a_batch_of_blocks_is_those_blocks(batch, count):
    for c in (0, 41, 2**31 + 3, 2**32 - coins.BATCH):
        room = np.zeros(coins.ROOM, np.int32)
        batch(*([KEY, LINK] if batch is coins.blocks_from else [KEY]), 9, 2, c, room, count)
        for q in range(count):
            expected = coins.block(KEY, LINK, 9, 2, c + q)
            assert tuple(coins.word_in(room, q, place) for place in range(4)) == expected
            assert coins.uniform_in(room, q) == coins.uniform(KEY, LINK, 9, 2, c + q)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_batch_of_named_blocks_is_those_blocks(compiled):
    room = np.zeros(coins.ROOM, np.int32)
    room[:30], room[coins.BATCH : coins.BATCH + 30] = np.arange(30) * 1_000_003, np.arange(30) * 77
    if compiled:
        compiled_blocks(KEY, 9, room, 30)
    else:
        coins.blocks(KEY, LINK, 9, room, 30)
    for q in range(30):
        expected = coins.block(KEY, LINK, 9, q * 1_000_003, q * 77)
        assert tuple(coins.word_in(room, q, place) for place in range(4)) == expected


def test_uniform_is_uniform():
    assert stats.kstest(sample(_draws()["uniform"]), stats.uniform.cdf).pvalue > SMALLEST_P


def test_uniform_stays_below_one_and_reaches_zero():
    assert coins._unit(0, 0) == 0.0
    assert coins._unit(0xFFFFFFFF, 0xFFFFFFFF) == 1.0 - 2.0**-53


def test_gaussian_is_normal():
    assert stats.kstest(sample(_draws()["gaussian"]), stats.norm.cdf).pvalue > SMALLEST_P


@pytest.mark.parametrize(
    "shapes", [(2.0, 5.0), (0.5, 0.5), (0.1, 0.9), (0.9, 0.3), (1.0, 1.0), (80.0, 30.0), (1.0, 9.0)]
)
def test_beta_is_beta(shapes):
    alpha, other = shapes
    values = sample(lambda q, s, a, b, c: coins.beta(q, alpha, other, s, a, b, c))
    assert stats.kstest(values, stats.beta(alpha, other).cdf).pvalue > SMALLEST_P


@pytest.mark.parametrize("shapes", [(0.001, 0.999), (0.999, 0.001)])
def test_beta_of_the_smallest_shapes_keeps_its_mean(shapes):
    """Most of the mass lies below the smallest double, or within rounding of 1: the mean is what is left to see."""
    alpha, other = shapes
    values = sample(lambda q, s, a, b, c: coins.beta(q, alpha, other, s, a, b, c))
    law = stats.beta(alpha, other)
    assert ((values >= 0.0) & (values <= 1.0)).all()
    assert abs(values.mean() - law.mean()) < 5.0 * law.std() / DRAWS**0.5


def chi_square(values, probabilities):
    seen = np.bincount(values.astype(np.int64), minlength=len(probabilities))
    assert len(seen) == len(probabilities)
    return stats.chisquare(seen, np.array(probabilities) * DRAWS).pvalue


@pytest.mark.parametrize("p", [0.001, 0.3, 0.9])
def test_bernoulli_has_its_probability(p):
    assert chi_square(sample(lambda q, s, a, b, c: coins.bernoulli(q, p, s, a, b, c)), [1 - p, p]) > SMALLEST_P


def test_bernoulli_of_zero_never_and_of_one_always():
    assert not sample(lambda q, s, a, b, c: coins.bernoulli(q, 0.0, s, a, b, c)).any()
    assert sample(lambda q, s, a, b, c: coins.bernoulli(q, 1.0, s, a, b, c)).all()


@pytest.mark.parametrize("n", [1, 2, 7, 1_000])
def test_below_is_uniform_on_its_range(n):
    values = sample(lambda q, s, a, b, c: coins.below(q, n, s, a, b, c))
    assert values.max() == n - 1
    assert n == 1 or chi_square(values, np.full(n, 1 / n)) > SMALLEST_P


# --- Independence ---------------------------------------------------------------------------------------

PAIRS = 200_000


@jit
def shifted(q, stream, da, db, dc, n):
    out = np.empty(n)
    for x in range(n):
        out[x] = coins.uniform(q, stream, 1 + x // 100 + da, x // 10 % 10 + db, x % 10 + dc)
    return out


def correlation(x, y):
    return abs(np.corrcoef(x, y)[0, 1])


@pytest.mark.parametrize("stream", [coins.SEED, LINK, SCENE, CHOICE])
def test_streams_are_uncorrelated(stream):
    x, y = shifted(KEY, REWARD, 0, 0, 0, PAIRS), shifted(KEY, stream, 0, 0, 0, PAIRS)
    assert correlation(x, y) < CORRELATION / PAIRS**0.5


@pytest.mark.parametrize("step", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (2**31, 0, 0), (0, 2**16, 0)])
def test_neighbouring_coordinates_are_uncorrelated(step):
    x, y = shifted(KEY, REWARD, 0, 0, 0, PAIRS), shifted(KEY, REWARD, *step, PAIRS)
    assert correlation(x, y) < CORRELATION / PAIRS**0.5


@pytest.mark.parametrize("replicate", range(8))
def test_consecutive_replicates_are_uncorrelated(replicate):
    x, y = (shifted(replicate_coins(0, 0, r), REWARD, 0, 0, 0, PAIRS) for r in (replicate, replicate + 1))
    assert correlation(x, y) < CORRELATION / PAIRS**0.5


def test_consecutive_seeds_are_uncorrelated():
    x, y = (shifted(replicate_coins(*seed_words(s), 0), REWARD, 0, 0, 0, PAIRS) for s in (41, 42))
    assert correlation(x, y) < CORRELATION / PAIRS**0.5


def test_a_correlation_would_be_noticed():
    """The bound has power: one hundredth of common variance is far outside it."""
    x, y = shifted(KEY, REWARD, 0, 0, 0, PAIRS), shifted(KEY, REWARD, 1, 0, 0, PAIRS)
    assert correlation(x, 0.1 * x + y) > CORRELATION / PAIRS**0.5


def test_no_two_coordinates_of_a_small_world_share_a_block():
    seen = {
        coins.block(KEY, stream, a, b, c)
        for stream in (LINK, REWARD, SCENE, CHOICE)
        for a in range(10)
        for b in range(10)
        for c in range(10)
    }
    assert len(seen) == 4_000


def test_no_two_replicates_share_a_key():
    assert len({replicate_coins(1, 2, r) for r in range(10_000)}) == 10_000


# --- Seeds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "expected"),
    [(0, (0, 0)), (5, (5, 0)), (2**32, (0, 1)), (2**64 - 1, (2**32 - 1, 2**32 - 1)), (np.int64(9), (9, 0))],
)
def test_a_seed_is_two_words(seed, expected):
    assert seed_words(seed) == expected
    assert all(type(word) is int for word in seed_words(seed))


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None, True, float("nan")])
def test_another_seed_is_refused_in_one_line(seed):
    with pytest.raises(ValueError, match=r"^seed = .*: expected an integer from 0 to 2\*\*64 - 1$") as caught:
        seed_words(seed)
    assert repr(seed) in str(caught.value)


def test_coins_are_two_words():
    assert isinstance(KEY, Coins)
    assert all(0 <= word < 2**32 for word in KEY)
