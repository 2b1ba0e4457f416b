"""Tables of a report that are there when their numbers are: settling, single agents, payment, coverage."""

from dataclasses import replace
from itertools import count

import numpy as np
from made_results import make
from test_html import check_self_contained

from folkmoot.report import requested
from folkmoot.report.html import render

MEANS = np.array([[0.75, 0.5, 0.25], [0.75, 0.5, 0.25], [0.5, 0.75, 0.25], [0.5, 0.25, 0.75]])
HEADINGS = ("Single agents", "What was really paid", "When agents settled", "Coverage of radii")


def asked(name="A", replicates=2):
    """Agent i has pulled arm 2, whose gap is 1/2, in 100 i of 1,000 rounds; arm 1 would have paid most in one
    replicate; agents 0 to 2 have settled, all on arm 0.
    """
    made = make(name, replicates=replicates, means=MEANS)
    pulls = np.zeros((replicates, 7, 4, 3), np.int64)
    for i in range(4):
        pulls[:, -1, i] = 1_000 - 100 * i, 0, 100 * i
    offered = np.zeros((replicates, 7, 3))
    offered[:, -1] = 2_500.0, 1_900.0, 1_600.0
    offered[1, -1, 1] = 2_600.0
    gossip = np.tile(MEANS.mean(axis=0), (replicates, 7, 4, 1))
    gossip[:, -1, 0, 0] += 0.375
    return replace(
        made,
        agent_pulls=pulls,
        pulls=pulls[:, -1],
        offered=offered,
        realised=np.full((replicates, 7, 4), 500.0),
        decisions=np.tile([0, 0, 0, -1], (replicates, 1)),
        decided_at=np.tile([10, 20, 30, 0], (replicates, 1)),
        observed={"gossip": gossip, "radius": np.full_like(gossip, 0.25)},
    )


def row(text, name):
    """The text after the name, up to the next heading."""
    return text.partition(f" {name} ")[2][:90]


def test_what_is_not_there_has_no_table(results):
    text = check_self_contained(render("T", results)).text()
    assert not [heading for heading in HEADINGS if heading in text]
    assert "Table 1." in text
    assert "Table 3." in text


def test_what_is_there_has_one_and_tables_are_numbered_in_order():
    page = check_self_contained(render("T", {"A": asked(), "B": make("B", replicates=2)}))
    text = page.text()
    places = [text.index(heading) for heading in HEADINGS]
    assert places == sorted(places)
    numbers = [text.index(f"Table {n}.") for n in range(1, 8)]
    assert numbers == sorted(numbers)
    assert "Table 8." not in text


def test_the_numbers_of_single_agents():
    text = check_self_contained(render("T", {"A": asked()})).text()
    section = text[text.index("Single agents") : text.index("What was really paid")]
    assert section.endswith("A 0 75 150 0 112 300 ")  # of 0, 50, 100, 150; own of 0, 50, 300, 175


def test_the_numbers_of_what_was_paid():
    text = check_self_contained(render("T", {"A": asked(replicates=2)})).text()
    section = text[text.index("What was really paid") : text.index("When agents settled")]
    # As paid: 0 + 50 + 50 - 75. Student's factor for two is 12.71, and the standard error of what was paid 50.
    assert "25 ± 0 550 ± 635" in section
    assert section.strip().endswith("50.0 %")


def test_the_numbers_of_settling_and_coverage():
    text = check_self_contained(render("T", {"A": asked()})).text()
    settled = text[text.index("When agents settled") : text.index("Coverage of radii")].replace(" %", "%")
    assert settled.strip().endswith("A 75.0% 20 0.0% – 0.0% –")
    covered = text[text.index("Coverage of radii") : text.index("Communication")].replace(" %", "%")
    assert covered.strip().endswith("A 100.00% 100.00% 100.00% 100.00% 100.00% 91.67% 1.50")


def test_coverage_of_games_of_other_lengths_is_shown_at_the_horizon():
    """In a grid of horizons: the rounds of the first game would be wrong for the second."""
    long = asked("B")
    text = requested.radii({"A": asked(), "B": replace(long, checkpoints=10 * long.checkpoints)}, count(1))
    assert "at the horizon" in text
    assert "round 1,000" not in text
    assert text.count("91.67") == 2
