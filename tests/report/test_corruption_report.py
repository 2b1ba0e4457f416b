"""Reports of games with an adversary, verified pulls and vector rewards: said where they were, and only there."""

import csv
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from made_results import make

from folkmoot import theory
from folkmoot.report.grid import render_grid
from folkmoot.report.html import render
from folkmoot.report.tables import corruption_columns, paired_difference, summary_csv
from folkmoot.report.words import certificates, corruption_in_words, rewards_in_words, scalarisation_in_words

SUPPRESS = {"type": "Suppress", "budget": 40.0, "spending": "front_loaded", "target": "best"}
VECTORS = {
    "type": "VectorBernoulli",
    "n_agents": 4,
    "n_arms": 3,
    "n_objectives": 5,
    "scalarisation": {"type": "Chebyshev"},
}


def attacked(result, corruption=SUPPRESS, verification=500, **more):
    """The same game with an adversary that has spent 12.5 and 25 on two arms, and 321 verified pulls."""
    settings = {"corruption": corruption, "verification": verification, **more}
    configuration = {**result.configuration, **{key: value for key, value in settings.items() if value}}
    return replace(
        result,
        configuration=configuration,
        corruption_spent_per_arm=np.tile([12.5, 25.0, 0.0], (result.replicates, 1)),
        verified=np.full(result.replicates, 321),
    )


def text_of(page):
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


# --- The page ---------------------------------------------------------------------------------------------


def test_the_page_names_the_adversary_its_spending_and_what_was_verified(results):
    text = text_of(render("T", {name: attacked(result) for name, result in results.items()}))
    assert text.count("Suppress with a budget of 40, front loaded, target best") == 2
    assert "Up to 500 pulls could be verified" in text
    assert "Up to 500 of 4,000 pulls" in text
    assert "Corruption spent Verified pulls" in text
    assert text.count("37.5 321") == 3
    assert "before the adversary&#x27;s changes, the same rewards" in text
    assert "Regret counts what was paid" in text


def test_without_them_nothing_is_said(results):
    text = text_of(render("T", results))
    for word in ("dversary", "orruption spent", "erified", "ertif"):
        assert word not in text
    assert "Agent-steps per second" in text


@pytest.mark.parametrize(
    ("settings", "columns"),
    [
        ({"verification": 0}, ["corruption_spent"]),
        ({"corruption": None}, ["verified"]),
        ({}, ["corruption_spent", "verified"]),
    ],
)
def test_there_is_a_column_for_each_budget(results, settings, columns):
    given = {name: attacked(result, **settings) for name, result in results.items()}
    assert list(corruption_columns(given)) == columns
    text = text_of(render("T", given))
    assert ("Corruption spent" in text) == ("corruption_spent" in columns)
    assert ("Verified pulls" in text) == ("verified" in columns)


def test_the_csv_always_has_them(results):
    rows = list(csv.DictReader(io.StringIO(summary_csv({"A": attacked(make("A")), "B": make("B")}))))
    assert [row["corruption_spent"] for row in rows] == ["37.5", "0.0"]
    assert [row["verified"] for row in rows] == ["321.0", "0.0"]
    assert [row["decided_share"] for row in rows] == ["0.0", "0.0"]


@pytest.mark.parametrize(
    "other", [{"corruption": {**SUPPRESS, "budget": 41.0}}, {"corruption": None}, {"verification": 0}]
)
def test_another_adversary_or_budget_is_another_world(results, other):
    pair = {"A": attacked(results["GSE"]), "B": attacked(results["Lone"], **other)}
    with pytest.raises(ValueError, match="met different worlds"):
        paired_difference(pair, "A", "B")
    assert "The algorithms met different worlds" in render("T", pair)


def test_vectors_are_described(results):
    text = text_of(render("T", {name: attacked(result, rewards=VECTORS) for name, result in results.items()}))
    assert "Vectors of 5 Bernoulli rewards, worth the smallest of them" in text
    assert (
        "Rewards are vectors: regret, gaps and mean rewards are in what the arms&#x27; mean vectors are worth" in text
    )


def test_an_adversary_of_ones_own_with_a_hostile_name_is_only_text(results):
    page = render("T", {"A": attacked(results["GSE"], {"type": "<script>x</script>", "how_much": "<b>"})})
    assert "<script>x" not in page
    assert "&lt;script&gt;x&lt;/script&gt;, how much &lt;b&gt;" in page


# --- Words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corruption", "words"),
    [
        (SUPPRESS, "Suppress with a budget of 40, front loaded, target best"),
        (
            {"type": "Thinning", "budget": 1234.5, "spending": "spread", "target": 2, "keep": None},
            "Thinning with a budget of 1,234.5, spread, target 2",
        ),
        ({"type": "Mine"}, "Mine"),
    ],
)
def test_an_adversary_in_words(corruption, words):
    assert corruption_in_words(corruption) == words


@pytest.mark.parametrize(
    ("scalarisation", "words"),
    [
        ({"type": "Chebyshev"}, "the smallest of them"),
        ({"type": "LogSumExp", "beta": 5.0}, "their log-sum-exp with beta 5"),
        ({"type": "Linear", "weights": [0.2] * 5}, "their mean"),
        ({"type": "Linear", "weights": [0.5, 0.3, 0.2]}, "their mean weighted by 0.5, 0.3 and 0.2"),
        ({"type": "Mine"}, "their Mine scalarisation"),
    ],
)
def test_a_scalarisation_in_words(scalarisation, words):
    assert scalarisation_in_words(scalarisation) == words
    law = {"type": "VectorBernoulli", "n_objectives": 2, "scalarisation": scalarisation}
    assert rewards_in_words(law) == f"vectors of 2 Bernoulli rewards, worth {words}"


# --- Can certificates be expected? --------------------------------------------------------------------------


def certified(verification, settled=0.0, delta=None, verify="round_robin"):
    """S3Cert with 4 agents, 3 arms, gaps 0.25 and 0.5, 1,000 rounds."""
    result = make("A", kind="S3Cert")
    algorithm = {"type": "S3Cert", "delta": delta, "verify": verify}
    decisions = np.where(np.arange(4) < 4 * settled, 0, -1) * np.ones((5, 1), int)
    configuration = {**result.configuration, "algorithm": algorithm, "verification": verification}
    return replace(result, configuration=configuration, decisions=decisions)


# 8 * 3 / 0.25**2 * log(2 * 1 * 3 * 4 * 1000 * 1000) = 384 * 16.99 = 6,526
@pytest.mark.parametrize(
    ("verification", "verdict"),
    [(0, "cannot be expected"), (1_600, "cannot be expected"), (1_700, "are possible"), (4_000, "are possible")],
)
def test_whether_certificates_can_be_expected(verification, verdict):
    assert theory.verification_needed(0.25, 3, 1, 4, 1_000) == pytest.approx(6_526, abs=1)
    (said,) = certificates({"Cert": certified(verification, settled=0.5), "B": make("B")})
    assert said == (
        f"Cert: certifying a gap of 0.25 needs about 6,500 verified pulls; the budget is {verification:,}, the whole "
        f"run has 4,000: certificates {verdict}. 50.0% of the agents settled on an arm."
    )


def test_certificates_can_be_expected_of_a_budget_that_the_theorem_asks_for():
    """delta = 0.999 asks for 384 log(24,024) = 3,874 of the 4,000 pulls."""
    (said,) = certificates({"Cert": certified(3_900, settled=1.0, delta=0.999)})
    assert "needs about 3,900 verified pulls" in said
    assert said.endswith("certificates can be expected. 100.0% of the agents settled on an arm.")


def test_elimination_may_do_with_what_the_last_two_arms_need():
    """6,526 / 4 for all three arms, two thirds of that for two: 1,088."""
    assert "cannot be expected" in certificates({"A": certified(1_080, verify="elimination")})[0]
    assert "are possible" in certificates({"A": certified(1_095, verify="elimination")})[0]


def test_equally_good_arms_need_no_certificate():
    assert certificates({"A": replace(certified(100), gaps=np.zeros(3))}) == []


def test_the_page_says_it_for_one_experiment_and_for_each_cell_of_a_grid():
    said = "certifying a gap of 0.25 needs about 6,500 verified pulls; the budget is 100"
    assert f"Cert: {said}" in text_of(render("T", {"Cert": certified(100), "B": certified(100)}))
    rows = [{"verification": nu, "Cert": certified(nu)} for nu in (100, 2_000)]
    text = text_of(render_grid("T", rows))
    assert f"Cert, verification 100: {said}" in text
    assert "Cert, verification 2,000: certifying" in text
