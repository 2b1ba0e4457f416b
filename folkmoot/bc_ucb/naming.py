"""Whom the validators name, in the compiled loop: `screen` fills in their sets as signed agreement makes them known.

`now` is the loop's scratch space (ideal.py).
"""

from folkmoot.bc_ucb.lies import EVERYBODY, HONEST, set_counts
from folkmoot.bc_ucb.round import hear, named, strike_out
from folkmoot.comparison.functionality import suffices
from folkmoot.interface import inlined


@inlined
def alike(state, one, other):
    """Have two participants pulled every arm equally often?"""
    different = 0
    for i in range(state.pulls.shape[1]):
        if state.pulls[one, i] != state.pulls[other, i]:
            different += 1
    return different == 0


@inlined
def name_all(params, state, attack, malicious, now, present, reports, h, row):
    """Row `row` of the sets: whom validator h, who has these reports, names for each arm, having compared counts."""
    for m in range(params.n_agents):
        heard = present[m]
        if params.screening and not (malicious[m] and attack.inflated):
            for i in range(params.n_arms):
                if not suffices(params.kappa, params.kappa_parts, state.pulls[m, i], state.pulls[h, i]):
                    heard = False
        now.heard[m] = heard
    hear(params, present, now.without_block[0], now.heard)
    named(params, now.heard, reports, now.sets, row)


@inlined
def name_lies(params, attack, malicious, now, row):
    """Row `row` of the sets: whom a liar names whose set counts."""
    for m in range(params.n_agents):
        for i in range(params.n_arms):
            now.sets[row, m, i] = malicious[m] or attack.validator == EVERYBODY


@inlined
def screen(params, state, attack, malicious, now, n_validators):
    """The validators' sets, as signed agreement makes them known to all; how many there are.

    A validator that equivocates, withholds, forges or replays is known to have named nobody, and does not count.
    Validators with the same pull counts name the same sets: they are worked out once.
    """
    n_sets, model, model_row = 0, -1, 0
    for v in range(n_validators):
        h = now.validators[v]
        lying = malicious[h] and attack.validator != HONEST
        if lying and not set_counts(attack):
            continue
        if lying:
            name_lies(params, attack, malicious, now, n_sets)
            strike_out(now.sets, n_sets, now.entry.present)
        elif model >= 0 and alike(state, model, h):
            for m in range(params.n_agents):
                for i in range(params.n_arms):
                    now.sets[n_sets, m, i] = now.sets[model_row, m, i]
        else:
            name_all(params, state, attack, malicious, now, now.entry.present, now.entry.reports, h, n_sets)
            model, model_row = h, n_sets
        n_sets += 1
    return n_sets
