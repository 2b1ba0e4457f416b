"""A ledger of kind "bc_ucb", made without a network: all participants in one hand."""

from contextlib import suppress

import numpy as np
from nacl.signing import SigningKey

from folkmoot import ledger
from folkmoot.agreement.identity import Identity
from folkmoot.bc_ucb.contract import MOST_REPORT, ONE
from folkmoot.bc_ucb.genesis import configuration
from folkmoot.bc_ucb.records import NO_REPORT, REPORT, SETS, Named, Report, named_words, report_words
from folkmoot.bc_ucb.rules import Unfinished, conclude, drawn_by_coins

SEEDS = [bytes([n]) * 32 for n in range(1, 5)]


def report(identity, chain, round, participant, means, reward):
    said = Report(participant, means, reward, b"", b"", (), b"")
    words = report_words(chain.state.origin, chain.tip, round, participant, said.body)
    return said._replace(signature=identity.sign(REPORT, words))


def next_block(chain, identities, random, round):
    """A block of this round: somebody may be silent or out of range, and validators name almost everybody."""
    state, m = chain.state, len(identities)
    k = state.configuration.terms.n_arms
    means = random.integers(0, ONE, (m, k))
    if round % 3 == 0:
        means[round % m, 0] = MOST_REPORT + 1
    reports = [report(key, chain, round, n, means[n], int(random.integers(0, ONE))) for n, key in enumerate(identities)]
    names = tuple(NO_REPORT if round % 4 == 0 and n == 1 else r.name for n, r in enumerate(reports))
    values = {}
    for v in drawn_by_coins(state.configuration, state.accounts.units, round):
        named = Named(b"", random.random((m, k)) < 0.8, names, (), b"")
        signature = identities[v].sign(SETS, named_words(state.origin, chain.tip, round, v, named))
        values[v] = named._replace(signature=signature).to_bytes()
    record, _ = conclude(state, chain.tip, round, values, {r.name: r for r in reports})
    return ledger.propose(chain, [record.to_bytes()]).signed(*map(SigningKey, SEEDS))


def made_game(path, terms, rounds):
    """The ledger after so many rounds, of which some give no block."""
    identities, random = [Identity(seed) for seed in SEEDS], np.random.default_rng(0)
    game = configuration(terms, tuple(key.public_key for key in identities), 3, coins=(1, 2, 3), salt=bytes(32))
    with ledger.create(path, ledger.Genesis("bc_ucb", game)) as book:
        for round in range(4, 4 + rounds):
            with suppress(Unfinished):
                book.append(next_block(book.chain, identities, random, round))
    return path
