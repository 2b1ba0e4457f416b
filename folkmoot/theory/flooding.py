"""FloodSE: what its proof promises, as numbers (docs/decisions/0031-flood-se.md, whose equation numbers these are)."""

from math import ceil, comb, inf, log

from folkmoot.doors import guarded
from folkmoot.theory.checks import Gaps, checked_gaps, checked_scale, failure


@guarded
def flood_rounds(n_agents: int, diameter: int, link_probability: float, horizon: int, delta: float) -> int:
    """Eq. (7), Lemma 4: within F rounds all know what anybody knew, except with probability delta.

    F = (2 D + 4 ln(N^2 T / delta)) / p, rounded up, for a connected base graph whose edges are up independently of each
    other, of other rounds and of all else.

    Args:
        n_agents: N.
        diameter: D of the base graph; of a tree along which sums come in, its depth (eq. 12).
        link_probability: p, in (0, 1], of each edge in each round; or the least of them.
        horizon: T, rounds.
        delta: in (0, 1).

    Raises:
        ValueError: an argument out of range.
    """
    if not 0.0 < link_probability <= 1.0 or not 0.0 < delta < 1.0:
        raise ValueError(f"link_probability = {link_probability}, delta = {delta}: expected 0 < p <= 1, 0 < delta < 1")
    if n_agents < 1 or horizon < 1 or diameter < 0:
        raise ValueError(
            f"n_agents = {n_agents}, horizon = {horizon}, diameter = {diameter}: expected at least 1, 1 and 0"
        )
    odds = n_agents**2 * horizon / delta
    width = log(odds) if odds < inf else log(n_agents**2 * horizon) - log(delta)
    rounds = (2.0 * diameter + 4.0 * width) / link_probability
    if not rounds < inf:
        raise ValueError(f"link_probability = {link_probability}: too small for any number of rounds")
    return ceil(rounds)


def _points(beta: float, horizon: int) -> int:
    """E: how many points eq. (1) has up to the horizon."""
    if not 1.0 < beta < inf:
        raise ValueError(f"beta = {beta}: expected more than 1")
    count, points = 1, 0
    while count <= horizon:
        count, points = max(count + 1, ceil(beta * count)), points + 1
    return points


@guarded
def flood_se_bound(
    gaps: Gaps,
    n_agents: int,
    horizon: int,
    flood: int,
    *,
    delta: float | None = None,
    sigma: float = 0.5,
    beta: float = 1.1,
    delay: int = 0,
    missing: int = 0,
    climb: int | None = None,
    anytime: bool = False,
) -> float:
    """The regret of all agents together, with probability at least 1 - 2 delta (of a tree 1 - 3 delta).

    Theorem 2, eq. (8): the table, everybody present. Theorem 3, eq. (11), with `missing`: everybody present, or the
    same agents, at most m, never there. Theorem 4, eq. (13), with `climb`: the tree, everybody present. With `faulty`
    there is no bound.

    Args:
        gaps: Delta_k of all arms; those of 0 are the best arms'.
        n_agents: N.
        horizon: T, rounds.
        flood: F, rounds in which all know what anybody knew (`flood_rounds`).
        delta: that of the algorithm; None is 1/T.
        sigma: of a reward; 1/2 on [0, 1].
        beta: that of the algorithm.
        delay: d, such that after d rounds the outcome of a pull has come.
        missing: m; then rewards lie in [0, 1], and outcomes come at once. Of arms with gaps up to 2 m / N nothing is
            promised: they count with all rounds.
        climb: C, rounds in which sums come in along a tree (`flood_rounds` with its depth); None: a table.
        anytime: was the threshold the one that knows no horizon?

    Returns:
        Regret summed over agents, in the unit of rewards.

    Raises:
        ValueError: an argument out of range, or a case without a theorem.
    """
    found, n, m = checked_gaps(gaps), n_agents, missing
    if n < 1 or horizon < 1 or flood < 0 or delay < 0 or not 0 <= m < n:
        raise ValueError(
            f"n_agents = {n}, horizon = {horizon}, flood = {flood}, delay = {delay}, missing = {m}: "
            "expected at least 1, 1, 0, 0 and from 0 to below the number of agents"
        )
    fails = failure(delta, horizon)
    sigma = checked_scale("sigma", sigma) if sigma != 0.0 else 0.0
    if m > 0 and (delay > 0 or climb is not None):
        raise ValueError(f"missing = {m}: there is a bound for a table and outcomes that come at once only")
    k, points = len(found), _points(beta, horizon)
    times = float(points * (points + 1) if anytime else points)
    subsets = (m + 1) * max(comb(n, r) for r in range(m + 1))
    width = log(max(k - 1, 1) * times) + log(subsets) - log(fails)
    total = 0.0
    for gap in (float(gap) for gap in found if gap > 0.0):
        clear = n * gap - 2.0 * m
        samples = beta * 16.0 * sigma**2 * n * width / clear**2 if clear > 0.0 else inf
        if m > 0:
            pulls = (1.0 + k / 2.0) * (samples + flood / 2.0 + 2.0 * k) + 3.5 * flood + 2.0 * k
            total += n * gap * min(pulls, float(horizon))
        elif climb is not None:
            total += n * gap * (samples + 2.0 * flood + climb + 4.0 * k + delay)
        else:
            total += n * gap * (samples + 3.0 * flood + 4.0 * k + delay)
    return total
