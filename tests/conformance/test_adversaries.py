"""Every algorithm plays on under every adversary, and the two engines agree about what it spent."""

import numpy as np
import pytest
from cases import CASES, DIFFERENT, Case, complete

import folkmoot as fm
from folkmoot.algorithms import ALGORITHMS
from folkmoot.world.corruption import CORRUPTIONS

SPENDING = ("front_loaded", "spread", "adaptive")
FIELDS = ("pulls", "team_pulls", "messages", "bytes", "verified", "corruption_spent_per_arm", "decisions", "decided_at")
# An adversary's turn is the loop's: compiled, it meets a case of each algorithm that verifies pulls, and four others.
PLAIN = (fm.UCB, fm.GSE, fm.FloodSE, fm.LayeredElimination)
BY_TYPE = {type(case.algorithm): case for case in CASES}
COMPILED = [case for kind, case in BY_TYPE.items() if case.verification or kind in PLAIN]
AGAINST = [  # S3 verifies what a suppressor would change
    fm.Suppress if case.verification and type(case.algorithm) is not fm.S3 else fm.FlipRandom for case in COMPILED
]


def play(case: Case, horizon: int, corruption: fm.Suppress, engine: str) -> fm.Result:
    options = {"horizon": horizon, "corruption": corruption, "engine": engine, **case.verified(6, horizon)}
    return fm.simulate(case.algorithm, fm.Bernoulli(DIFFERENT), complete(6), seed=2, progress=False, **options)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_plays_on_under_every_adversary(case: Case) -> None:
    """For 24 rounds, a few more than the longest burn-in."""
    for n, kind in enumerate(CORRUPTIONS.values()):
        result = play(case, 24, kind(budget=4, spending=SPENDING[n % 3]), "interpreted")
        assert (result.pulls.sum(axis=2) == 24).all()
        assert np.isfinite(result.regret).all()
        assert 0.0 <= result.corruption_spent[0] <= 4.0


@pytest.mark.parametrize(("case", "kind"), list(zip(COMPILED, AGAINST, strict=True)), ids=[c.name for c in COMPILED])
def test_the_engines_agree_under_attack(case: Case, kind: type[fm.Suppress]) -> None:
    """All ways of spending are one type, hence one compilation."""
    spent = 0.0
    for spending in SPENDING:
        corruption = kind(budget=25, spending=spending)
        slow, fast = (play(case, 60, corruption, engine) for engine in ("interpreted", "compiled"))
        for field in FIELDS:
            assert getattr(slow, field).tobytes() == getattr(fast, field).tobytes(), (spending, field)
        assert fast.corruption_spent[0] <= 25.0
        spent += fast.corruption_spent[0]
    assert spent > 0.0 or fast.verified[0] == 6 * 60  # all pulls verified: nothing to alter


def test_every_algorithm_has_a_case() -> None:
    assert set(ALGORITHMS.values()) == {type(case.algorithm) for case in CASES}
