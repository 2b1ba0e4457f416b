"""What the papers' theorems demand of a network or of a budget, and what they promise, as numbers: a small calculator.

Each function quotes its theorem with what it assumes, and says which constants are lost and therefore ours.
"""

from folkmoot.theory.chain import bc_ucb_bound
from folkmoot.theory.clusters import (
    connected_probability,
    drfed_ucb_bound,
    recovery_signal,
    single_cluster_bound,
    ucb_sbm_bound,
)
from folkmoot.theory.corruption import (
    ArmCorruption,
    EffectiveCorruption,
    certified_bound,
    corrupted_bound,
    effective_corruption,
    effective_corruption_of_run,
    multiplicity,
)
from folkmoot.theory.elimination import (
    GSEBound,
    gse_bound,
    gse_bound_on,
    gse_lower_bound,
    gse_pulls,
    gse_regret,
)
from folkmoot.theory.flooding import flood_rounds, flood_se_bound
from folkmoot.theory.links import (
    across_threshold,
    chebyshev_threshold,
    cluster_link_probability,
    link_threshold,
    period_needed,
    within_threshold,
)
from folkmoot.theory.verification import gap_certifiable, verification_needed

__all__ = [
    "ArmCorruption",
    "EffectiveCorruption",
    "GSEBound",
    "across_threshold",
    "bc_ucb_bound",
    "certified_bound",
    "chebyshev_threshold",
    "cluster_link_probability",
    "connected_probability",
    "corrupted_bound",
    "drfed_ucb_bound",
    "effective_corruption",
    "effective_corruption_of_run",
    "flood_rounds",
    "flood_se_bound",
    "gap_certifiable",
    "gse_bound",
    "gse_bound_on",
    "gse_lower_bound",
    "gse_pulls",
    "gse_regret",
    "link_threshold",
    "multiplicity",
    "period_needed",
    "recovery_signal",
    "single_cluster_bound",
    "ucb_sbm_bound",
    "verification_needed",
    "within_threshold",
]
