"""Whoever has a ledger file and nothing else, trying to find out which arm each participant pulled."""

from math import log, sqrt

import numpy as np

from folkmoot.bc_ucb.contract import ONE


def by_changes_of_means(records, participant, n_arms):
    """Arm by round: the one whose reported mean has changed since the report before, where one has."""
    found, before = {}, None
    for record in records:
        report = next((one for one in record.reports if one.participant == participant), None)
        means = getattr(report, "means", None)
        if means is not None and before is not None:
            changed = [k for k in range(n_arms) if means[k] != before[1][k]]
            if len(changed) == 1:
                found[before[0]] = changed[0]
        before = None if means is None else (record.round, means)
    return found


def by_the_algorithm(records, participant, n_arms, burn_in, c1=2.0):
    """Arm by round: what the algorithm pulls, given the estimates on the chain and the counts so far."""
    found, counts, estimates = {}, [burn_in // n_arms] * n_arms, None
    for record in records:
        if estimates is not None:
            width = c1 * log(record.round)
            arm = int(np.argmax([estimates[k] / ONE + sqrt(width / counts[k]) for k in range(n_arms)]))
            found[record.round] = arm
            counts[arm] += any(one.participant == participant for one in record.reports)
        elif isinstance(record.estimates, np.ndarray):
            counts[int(np.argmax(record.estimates))] += 1  # the first pull is made without any
        estimates = record.estimates if isinstance(record.estimates, np.ndarray) else None
    return found
