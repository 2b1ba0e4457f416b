"""Proven liars in the compiled loop: whom evidence convicts, and who is no member any more (decision 0026).

Evidence is found in the round of the fault by every honest validator of it. It enters with the next block, and its
culprit is proven from then on, and excluded from the next round on where the game wants that. Only liars that all hear
alike are excluded here: where they choose who gets their reports, it depends on who passes them on.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.lies import EQUIVOCATE, TO_ALL, TO_HALVES
from folkmoot.bc_ucb.records import MOST_SHOWN
from folkmoot.interface import inlined, kernel

UNKNOWN = -1  # whether there is evidence: it depends on who passes what on, which the loop does not follow


class Convicted(NamedTuple):
    """What is kept of a game's liars."""

    caught: np.ndarray  # bool [participants], evidence against whom waits for a block
    proven: np.ndarray  # int64 [participants], 1: evidence is in a block; UNKNOWN
    excluded: np.ndarray  # bool [participants]
    weights: np.ndarray  # int64 [participants], units of trust by which validators are drawn


@kernel
def blank_convicted(m):
    """Space for m participants."""
    return Convicted(np.zeros(m, np.bool_), np.zeros(m, np.int64), np.zeros(m, np.bool_), np.zeros(m, np.int64))


@kernel
def begin_convicted(attack, malicious, convicted):
    """A game begins: nobody has lied yet."""
    told = attack.deliver == TO_ALL or not (attack.deliver == TO_HALVES or attack.validator == EQUIVOCATE)
    for m in range(len(convicted.caught)):
        convicted.caught[m] = False
        convicted.proven[m] = UNKNOWN if malicious[m] and not told else 0
        convicted.excluded[m] = False


@kernel
def weigh(units, convicted):
    """Fill in the units by which validators are drawn: none of those excluded."""
    for m in range(len(units)):
        convicted.weights[m] = 0 if convicted.excluded[m] else units[m]


@inlined
def trimming(params, convicted):
    """The participants' record with as many faulty as may still be among the members."""
    faulty = params.faulty
    for m in range(params.n_agents):
        if convicted.excluded[m] and faulty > 0:
            faulty -= 1
    return Params(
        params.n_agents, params.n_arms, params.burn_in, params.c1, params.kappa, params.kappa_parts, faulty,
        params.screening, params.trimming, params.gives_way,
    )  # fmt: skip


@kernel
def convict(attack, malicious, validators, n_validators, approved, excludes, convicted):
    """At the end of a round: what was found before enters its block; what was found in it waits for the next one."""
    if approved:
        enter_evidence(excludes, convicted)
    catch(attack, malicious, validators, n_validators, convicted)


@kernel
def enter_evidence(excludes, convicted):
    """A block holds evidence, as much as a validator shows: those it convicts are proven, and excluded if wanted."""
    shown = 0
    for m in range(len(convicted.caught)):
        if convicted.caught[m] and shown < MOST_SHOWN:
            convicted.caught[m] = False
            convicted.proven[m] = 1
            convicted.excluded[m] = excludes
            shown += 1


@kernel
def catch(attack, malicious, validators, n_validators, convicted):
    """Who of the round's validators has signed two values, if an honest one has seen them?"""
    seen = False
    for v in range(n_validators):
        if not malicious[validators[v]]:
            seen = True
    if seen and attack.validator == EQUIVOCATE:
        for v in range(n_validators):
            if malicious[validators[v]] and convicted.proven[validators[v]] == 0:
                convicted.caught[validators[v]] = True
