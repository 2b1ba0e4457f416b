"""A round of four participants made by hand: keys, reports, sets, the record and its block."""

from functools import cache

import numpy as np
from nacl.signing import SigningKey

from folkmoot.agreement.identity import Identity
from folkmoot.bc_ucb.contract import ONE, Terms
from folkmoot.bc_ucb.genesis import configuration
from folkmoot.bc_ucb.records import NO_REPORT, REPORT, SETS, Named, Report, named_words, report_words
from folkmoot.bc_ucb.rules import KIND, conclude
from folkmoot.bc_ucb.validators import drawn_by_coins
from folkmoot.ledger.block import sign
from folkmoot.ledger.chain import Genesis, propose, start

M, K, BURN_IN = 4, 2, 4
TERMS = Terms(M, K, 1, 8, 0, 0, ONE // 10, ONE)
SEEDS = [bytes([number + 1]) * 32 for number in range(M)]
COINS = (5, 0, 0)
SALT = b"s" * 32


@cache
def identities():
    return tuple(Identity(seed) for seed in SEEDS)


def keys():
    return tuple(identity.public_key for identity in identities())


@cache
def first_chain():
    return start(Genesis(KIND, configuration(TERMS, keys(), BURN_IN, COINS, salt=SALT)))


def full_round(chain, after=0):
    """The first round after this one that has all of them as validators."""
    state, t = chain.state, max(after, chain.state.round) + 1
    while len(drawn_by_coins(state.configuration, state.accounts.units, t)) < M:
        t += 1
    return t


def report(chain, t, m, means=None, reward=ONE // 2, signer=None, **more):
    """`more`: seal, proof, claims of earlier rounds."""
    numbers = np.array([(m + 1) * ONE // 10, ONE // 2] if means is None else means, np.int64)
    said = Report(m, numbers, reward, b"", b"", (), b"")._replace(**more)
    return signed(said, chain, t, m if signer is None else signer)


def signed(report, chain, t, signer):
    """The report with a signature for this round."""
    words = report_words(chain.state.origin, chain.tip, t, report.participant, report.body)
    return report._replace(signature=identities()[signer].sign(REPORT, words))


def value(chain, t, v, reports, members=None, signer=None, shown=()):
    """What validator v says that holds these reports and names those of them in range, or `members`."""
    names = [NO_REPORT] * M
    for one in reports:
        names[one.participant] = one.name
    if members is None:
        members = np.zeros((M, K), np.bool_)
        members[1:3] = True
    named = Named(b"", members, tuple(names), tuple(sorted(shown)), b"")
    words = named_words(chain.state.origin, chain.tip, t, v, named)
    signature = identities()[v if signer is None else signer].sign(SETS, words)
    return named._replace(signature=signature).to_bytes()


def record(chain, t=None, reports=None, values=None):
    """The honest record of a round."""
    t = full_round(chain) if t is None else t
    reports = [report(chain, t, m) for m in range(M)] if reports is None else reports
    values = {v: value(chain, t, v, reports) for v in range(M)} if values is None else values
    held = {one.name: one for one in reports}
    return conclude(chain.state, chain.tip, t, values, held)[0]


def block(chain, made=None, signers=range(M)):
    """A block over a record (or bytes), signed."""
    made = record(chain) if made is None else made
    drafted = propose(chain, [made if isinstance(made, bytes) else made.to_bytes()])
    signatures = sorted(sign(drafted.header, SigningKey(SEEDS[m])) for m in signers)
    return type(drafted)(drafted.header, drafted.records, tuple(signatures))
