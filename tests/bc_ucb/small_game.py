"""Games of a few participants, small enough to play every message of."""

import numpy as np

from folkmoot.bc_ucb import ideal
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.contract import ONE, REWARD, Terms
from folkmoot.bc_ucb.convicted import UNKNOWN
from folkmoot.bc_ucb.protocol import Game
from folkmoot.bc_ucb.tally import blank_tally
from folkmoot.coins import seed_words
from folkmoot.world.rewards import Bernoulli

BURN_IN = 10  # rounds, 5 pulls of each of the two arms


def small_game(attack="attack", m=4, seed=0, horizon=24, more=None, combination=0, trust=0, validators=3, **fields):
    """`m` participants of whom (m - 1) // 3 attack; `more` are settings of the attack."""
    rewards, faulty = Bernoulli((0.3, 0.8), n_agents=m), (m - 1) // 3
    params = Params(m, 2, BURN_IN, 2.0, 1500, 1000, faulty, True, True)
    terms = Terms(m, 2, faulty, validators, combination, trust, ONE // 10, int(np.log(2) * ONE))
    malicious = np.zeros(m, np.bool_)
    malicious[np.random.default_rng(seed).choice(m, faulty, replace=False)] = True
    misbehaviour = ATTACKS[attack](**(more or {})).record(rewards)
    checkpoints = np.array([BURN_IN, BURN_IN + 5, horizon])
    signed = {"environment": trust == REWARD} | fields
    return Game(params, terms, rewards.record(), misbehaviour, malicious, seed, checkpoints, **signed)


def by_the_loop(game, replicate):
    """The tally of the loop that takes agreement for granted, interpreted."""
    tally = blank_tally(1, game.terms.n_participants, game.terms.n_arms, len(game.checkpoints))
    attack = game.attack._replace(signed=game.environment)
    head = (
        game.params,
        game.terms,
        game.rewards,
        attack,
        game.malicious,
        game.evidence == "exclude",
        *seed_words(game.seed),
    )
    once = np.zeros(1, np.int64), np.zeros(1, np.bool_), np.zeros(1, np.bool_)
    ideal.play(*head, np.array([replicate]), game.checkpoints, tally, *once)
    return tally


def different(one, other):
    """Names of the fields in which two tallies differ; of who has lied, where the loop can tell."""
    known = (one.proven != UNKNOWN) & (other.proven != UNKNOWN)
    one, other = (tally._replace(proven=tally.proven[known]) for tally in (one, other))
    return [name for name, a, b in zip(one._fields, one, other) if not np.array_equal(a, b)]


def sized_game(m, k, rounds, seed=0, validators=None, **fields):
    """Of `m` participants, of whom (m - 1) // 3 say nothing false, and `k` arms; so many rounds after the burn-in."""
    faulty, burn_in = (m - 1) // 3, 5 * k
    rewards = Bernoulli(tuple(0.2 + 0.6 * i / k for i in range(k)), n_agents=m)
    params = Params(m, k, burn_in, 2.0, 1500, 1000, faulty, True, True)
    terms = Terms(m, k, faulty, 2 * m if validators is None else validators, 0, 0, ONE // 10, ONE)
    malicious = np.arange(m) >= m - faulty
    misbehaviour = ATTACKS["attack"]().record(rewards)
    checkpoints = np.array([burn_in, burn_in + rounds])
    return Game(params, terms, rewards.record(), misbehaviour, malicious, seed, checkpoints, **fields)
