"""BC-UCB in one loop: the engines agree, every attack does what it says, and no liar gets what it wants."""

from math import comb
from typing import Any

import numpy as np
import pytest

import folkmoot as fm
from folkmoot.bc_ucb import ideal
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.job import make_chain_job
from folkmoot.bc_ucb.tally import blank_tally
from folkmoot.coins import seed_words
from folkmoot.simulation.compiled import compiled

MEANS = np.linspace(0.9, 0.3, 5)
TEN = fm.Bernoulli(MEANS, n_agents=10)
LIARS = [2, 7]

every_attack = pytest.mark.parametrize("attack", [kind() for kind in ATTACKS.values()], ids=list(ATTACKS))


def game(algorithm=None, horizon=2_000, **more):
    """A game of ten with two liars."""
    return fm.simulate_chain(algorithm or fm.BCUCB(), TEN, horizon=horizon, malicious=LIARS, progress=False, **more)


@every_attack
def test_interpreted_and_compiled_are_bit_identical(attack: fm.Attack) -> None:
    runs = []
    for engine in ("interpreted", "compiled"):
        runs.append(game(horizon=120, attack=attack, engine=engine, seed=5))
    for array in runs[0].ARRAYS:
        if array != "seconds" and getattr(runs[0], array) is not None:
            assert getattr(runs[0], array).tobytes() == getattr(runs[1], array).tobytes(), array


def test_the_rounds_are_compiled_without_counting_references() -> None:
    """Nothing is freed in a round; counting made them about half as long again (decision 0002)."""
    loop: Any = compiled(ideal.play, ideal.rounds, ())
    assert loop.py_func.__code__ is ideal.play.__code__
    rounds = loop.py_func.__globals__["rounds"]
    assert rounds.py_func is ideal.rounds
    assert rounds.targetoptions["_nrt"] is False


def test_same_result_for_any_number_of_workers() -> None:
    runs = [game(attack=fm.SignFlip(), replicates=5, jobs=jobs, horizon=500) for jobs in (1, 3)]
    assert (runs[0].pulls == runs[1].pulls).all()
    assert (runs[0].estimates[:, -1] == runs[1].estimates[:, -1]).all()
    assert (runs[0].pulls[0] != runs[0].pulls[1]).any()


@every_attack
def test_the_best_arm_is_found_under_every_attack(attack: fm.Attack) -> None:
    """In the last half honest participants give at least 80 % of their pulls to the best arm, and are paid for them."""
    result = game(attack=attack, horizon=20_000, checkpoints=[10_000, 20_000])
    late = result.paid[0, 1] - result.paid[0, 0]
    assert late[0] >= 0.8 * 8 * 10_000
    assert result.approved[0] >= 0.97 * result.blocks[0]


@pytest.mark.parametrize("attack", [fm.SignFlip(), fm.ConstantReport(), fm.PromoteArm(arm=4), fm.FalseCounts()])
def test_estimates_stay_inside_the_range_of_honest_reports(attack: fm.Attack) -> None:
    """With f = 2 liars of 10 trimmed on either side, what is left lies between honest reports, hence in [0, 1]; and
    within 0.1 of the means: honest reports at the end average at least 24 pulls an arm (5 standard errors)."""
    result = game(attack=attack, horizon=5_000)
    last = result.estimates[0, -1]
    assert (last >= 0.0).all()
    assert (last <= 1.0).all()
    assert abs(last[0] - MEANS[0]) < 0.1


def test_with_union_one_malicious_validator_puts_everyone_back() -> None:
    """Algorithm 1's union undoes the trimming: allies who flip their signs enter nearly every block."""
    majority = game(fm.BCUCB(), attack=fm.AlliesOnly(), horizon=5_000)
    union = game(fm.BCUCB(combination="union"), attack=fm.AlliesOnly(), horizon=5_000)
    assert majority.entered[0, -1] < 0.05 * majority.approved[0]
    assert union.entered[0, -1] > 0.5 * union.approved[0]


def test_without_screening_and_trimming_regret_doubles() -> None:
    """Two liars of ten that report 1 for the second arm and 0 for the others: untrimmed, it looks best
    (0.8 * 0.75 + 0.2 = 0.8 against 0.8 * 0.9 = 0.72)."""
    attack = fm.PromoteArm(arm=1)
    guarded = game(attack=attack, horizon=10_000, replicates=3)
    open_ = game(fm.BCUCB(screening=False, trimming=False), attack=attack, horizon=10_000, replicates=3)
    assert open_.regret[:, -1].min() > 2.0 * guarded.regret[:, -1].max()


@pytest.mark.parametrize("attack", [fm.SignFlip(), fm.TrimWindow(), fm.FalseCounts()])
def test_screening_excludes_nobody_who_pulls_by_the_rules(attack: fm.Attack) -> None:
    """Counts say nothing about reports: with and without it the same games, liars included."""
    runs = [game(fm.BCUCB(screening=screening), attack=attack, horizon=3_000) for screening in (True, False)]
    assert (runs[0].pulls == runs[1].pulls).all()
    assert np.array_equal(runs[0].estimates, runs[1].estimates, equal_nan=True)


def test_congesting_validators_stop_the_blocks_of_which_they_are_half() -> None:
    """They hear too few and name nobody, and that counts: P(honest drawn <= liars drawn), each by 1 - exp(-M_V / M).

    Equal trust, so that the chance is that of two binomials; within 5 standard deviations over the 10,000 rounds, plus
    25 rounds in which their counts have not yet parted from the others'.
    """
    liars, lost = [1, 4, 8], {}
    for expected in (10, 20):
        drawn = 1.0 - np.exp(-expected / 10)
        law = [[comb(n, x) * drawn**x * (1.0 - drawn) ** (n - x) for x in range(n + 1)] for n in (7, 3)]
        chance = sum(law[0][h] * sum(law[1][h:]) for h in range(4))
        result = fm.simulate_chain(
            fm.BCUCB(trust_ratio=1.0, gives_way=False), TEN, horizon=10_025, malicious=liars, attack=fm.Congest(pull=4),
            expected_validators=expected, progress=False,
        )  # fmt: skip
        lost[expected] = 10_000 - int(result.approved[0])
        assert abs(lost[expected] - 10_000 * chance) < 5.0 * np.sqrt(10_000 * chance * (1.0 - chance)) + 25
    assert 3 * lost[20] < lost[10]


def test_the_trim_window_attack_enters_every_block_and_moves_little() -> None:
    """The lemma that no malicious estimate enters when |A| > 2f is false; what enters lies between honest reports."""
    result = game(attack=fm.TrimWindow(), horizon=5_000)
    assert result.entered[0, -1] == result.approved[0]
    assert (result.estimates[0, -1] >= 0.0).all()
    assert (result.estimates[0, -1] <= 1.0).all()


def test_reports_out_of_range_count_as_absent() -> None:
    result = game(attack=fm.ConstantReport(value=5.0), horizon=500)
    assert result.entered[0, -1] == 0
    assert result.trust[0, LIARS].max() < result.trust[0].max()


def test_pulling_one_arm_always() -> None:
    result = game(attack=fm.Congest(pull=3), horizon=500)
    assert (result.pulls[0, LIARS, 3] == 500).all()
    assert (result.pulls[0, 0, 3] < 500).all()


def test_burn_in_pulls_every_arm_in_turn_and_is_paid() -> None:
    result = game(fm.BCUCB(burn_in=25), horizon=26, checkpoints=[25, 26])
    assert (result.paid[0, 0] == 8 * 5).all()
    assert result.blocks[0] == 1


def test_regret_counts_unpaid_rounds_in_full_and_the_hidden_cost() -> None:
    """By hand from the tally: gaps of paid pulls, the best mean for unpaid ones, c for each honest one when entered."""
    result = game(fm.BCUCB(cost=0.25), attack=fm.TrimWindow(), horizon=300)
    unpaid = result.team_pulls[0, -1].sum() - result.paid[0, -1].sum()
    expected = (result.paid[0, -1] * (MEANS[0] - MEANS)).sum() + 0.9 * unpaid + 0.25 * 8 * result.entered[0, -1]
    assert result.regret[0, -1] == pytest.approx(expected, rel=1e-12)
    assert result.entered[0, -1] > 0


def test_the_theorems_c1_is_that_of_all_being_honest() -> None:
    """4 M kappa sigma^2 = 4 * 10 * 1.5 * 0.25, whatever f is: with fewer the terms for |H| = M would not sum."""
    for faulty in (0, 3):
        assert make_chain_job(fm.BCUCB(c1="theory", faulty=faulty), TEN, horizon=100).params.c1 == 15.0


def test_trust_never_gathers_in_one_hand() -> None:
    """No weight exceeds another by more than the ratio, however long the game."""
    result = game(fm.BCUCB(trust_ratio=3.0), attack=fm.RandomReport(), horizon=5_000)
    assert result.trust[0].max() <= 3.01 * result.trust[0].min()
    assert result.trust[0].sum() == pytest.approx(1.0)


def test_the_share_of_validators_is_that_of_their_units() -> None:
    """With equal trust each is drawn with 1 - (1 - p)^units, p = M_V / total: 1 - exp(-1) at M_V = M. Of 5,000 rounds
    and 10 participants the mean deviates by less than 5 standard deviations of a binomial."""
    result = game(fm.BCUCB(trust_ratio=1.0), horizon=5_026)
    rounds, chance = int(result.blocks[0]), 1.0 - np.exp(-1.0)
    assert abs(result.validators[0] / (10 * rounds) - chance) < 5.0 * np.sqrt(chance * (1 - chance) / (10 * rounds))


def test_the_stop_flag_ends_the_game() -> None:
    job = make_chain_job(fm.BCUCB(), TEN, horizon=1_000)
    tally, done = blank_tally(1, 10, 5, len(job.checkpoints)), np.zeros(1, np.bool_)
    records = (job.params, job.terms, job.rewards.record(), job.misbehaviour, job.malicious)
    rounds = np.zeros(1, np.int64)
    ideal.play(
        *records, False, *seed_words(0), np.arange(1), job.checkpoints, tally, rounds, done, np.ones(1, np.bool_)
    )
    assert rounds[0] == 0
    assert not done[0]


def test_saved_and_loaded(tmp_path) -> None:
    result = game(attack=fm.SignFlip(), horizon=300, replicates=2)
    result.save(tmp_path / "r")
    again = fm.load(tmp_path / "r")
    assert isinstance(again, fm.ChainResult)
    assert (again.regret == result.regret).all()
    assert again.summary()["approved_share"] == result.summary()["approved_share"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"malicious": [0, 1, 2, 3]}, r"malicious: 4 of 10 participants: expected at most a third, 3"),
        ({"malicious": [10]}, r"malicious: 10: expected numbers of participants from 0 to 9"),
        ({"malicious": [1, 1]}, r"malicious: 1 is given twice"),
        ({"expected_validators": 0}, r"expected_validators = 0: expected a whole number from 1 to 20"),
        ({"algorithm": fm.BCUCB(faulty=4)}, r"faulty = 4: expected at most \(M - 1\) // 3 = 3 of 10 participants"),
        ({"algorithm": fm.GSE()}, r"algorithm = GSE: on a chain expected folkmoot.BCUCB"),
        ({"algorithm": fm.BCUCB(burn_in=3)}, r"burn_in = 3: expected at least the number of arms, 5"),
        ({"horizon": 25}, r"horizon = 25: expected more rounds than the burn-in, 25"),
        ({"attack": fm.Congest(pull=5)}, r"pull = 5: expected an arm from 0 to 4"),
        ({"attack": "lie"}, r"attack = str: expected an attack"),
        ({"rewards": fm.Gaussian(MEANS, n_agents=10)}, r"expected rewards from 0 to 1"),
        ({"rewards": fm.Bernoulli(np.random.default_rng(0).uniform(size=(10, 5)))}, r"the same means for all"),
        ({"fidelity": "real"}, r"fidelity = 'real': allowed are 'ideal' and 'protocol'"),
        ({"ledger": "x.db"}, r"ledger: only with fidelity = 'protocol'"),
        ({"sortition": "vrf"}, r"sortition: only with fidelity = 'protocol'"),
        ({"checkpoints": [5, 4]}, r"checkpoints = \[5, 4\]: expected increasing rounds"),
    ],
)
def test_bad_input_is_one_clear_line(change, said) -> None:
    arguments = {"algorithm": fm.BCUCB(), "rewards": TEN, "horizon": 100, **change}
    with pytest.raises(ValueError, match=said) as caught:
        fm.simulate_chain(arguments.pop("algorithm"), arguments.pop("rewards"), progress=False, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [np.zeros((2, 2)), TEN], ids=["array", "law"])
@pytest.mark.parametrize("name", ["horizon", "malicious", "expected_validators", "environment", "ledger", "seed",
                                  "replicates", "jobs"])  # fmt: skip
def test_values_whose_own_text_has_several_lines_are_refused_in_one(name, value) -> None:
    arguments: dict[str, Any] = {"horizon": 100, "fidelity": "protocol", name: value}
    with pytest.raises(ValueError, match=name) as caught:
        fm.simulate_chain(fm.BCUCB(), TEN, progress=False, **arguments)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_bc_ucb_off_the_chain_is_refused() -> None:
    import networkx as nx

    with pytest.raises(ValueError, match="simulate_chain"):
        fm.simulate(fm.BCUCB(), TEN, fm.Static(nx.complete_graph(10)), horizon=100)
