import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from made_results import make

from folkmoot.report.html import best_arm, render, render_grid
from folkmoot.report.words import PERCENT, headline, number, percent, places_by_error, scaled

HOSTILE = "<script>alert('1')</script> & \"$x^2\" <img src=http://evil.example/x.png>"
VOID = {"meta", "link", "img", "br"}


class Reader(HTMLParser):
    """Checks that tags are nested, and collects them with the visible text."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.tags, self.words = [], [], []
        self.feed(text)
        assert not self.stack, f"never closed: {self.stack}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.stack):
            self.words.append(data)

    def text(self):
        return " ".join(" ".join(self.words).split())

    def figures(self):
        head = "data:image/svg+xml;base64,"
        return [base64.b64decode(a["src"].removeprefix(head)).decode() for tag, a in self.tags if tag == "img"]


def check_self_contained(document):
    """Nothing in it makes a browser load anything, and no script can run but the one that its policy names."""
    page = Reader(document)
    scripts = re.findall(r"<script>(.*?)</script>", document, re.S)
    others = [attributes for tag, attributes in page.tags if tag == "script" and attributes]
    assert others == [{"type": "application/json", "id": "data"}] * len(scripts)
    assert len(scripts) <= 1
    assert not {tag for tag, _ in page.tags} & {"iframe", "object", "embed", "base", "form", "source"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "srcset"]
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    policies = [a.get("content", "") for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies
    assert policies[0].startswith("default-src 'none'")
    allowed = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.findall(r"script-src 'sha256-(.*?)'", policies[0]) == allowed
    assert "unsafe-inline" not in policies[0].replace("style-src 'unsafe-inline'", "")
    style = re.search(r"<style>(.*?)</style>", document, re.S).group(1)
    assert "url(" not in style
    assert "@import" not in style
    for drawing in page.figures():
        for element in ElementTree.fromstring(drawing).iter():
            for name, value in element.attrib.items():
                if name.endswith(("href", "src")):
                    assert value.startswith("#")
    return page


def test_the_report_holds_everything(results):
    page = check_self_contained(render("A title", results, "First.\n\nSecond.", ["Mind this."]))
    text = page.text()
    for expected in (
        "A title",
        "First.",
        "Second.",
        "Mind this.",
        "replayed from films",
        "each up with probability 0.5",
        "1,000 rounds",
        "Paired difference",
        "Row minus column",
        "Full configuration",
        "some machine",
    ):
        assert expected in text
    assert len(page.figures()) == 4
    assert "Figure 4. Final regret against the data" in text
    assert "one standard deviation" in text
    assert all(a.get("alt") for tag, a in page.tags if tag == "img")
    assert '"link_probability": 0.5' in text


def test_the_same_results_give_the_same_report(results):
    assert render("T", results) == render("T", results)


def test_hostile_names_are_only_text(results):
    law = {**results["GSE"].configuration["rewards"], "dataset": HOSTILE, "arm_names": [HOSTILE, "b", "c"]}
    result = replace(results["GSE"], configuration={**results["GSE"].configuration, "rewards": law})
    other = replace(result, team_pulls=make(wrong=0.3).team_pulls)
    document = render(HOSTILE, {HOSTILE: result, "other": other}, HOSTILE, [HOSTILE])
    assert "alert('1')" not in document.replace("alert(&#x27;1&#x27;)", "").replace(
        "\\u003cscript\\u003ealert('1')", ""
    )
    assert "evil.example" in document  # as text
    check_self_contained(document)
    check_self_contained(
        render_grid(HOSTILE, [{HOSTILE: 1, "A": make()}, {HOSTILE: 2, "A": make()}], HOSTILE, [HOSTILE])
    )


def test_arm_names_inside_another_law_and_the_best_arm(results):
    inner = {"type": "Replay", "arm_names": ["Drama", "Comedy", "Crime"]}
    configuration = {**results["GSE"].configuration, "rewards": {"type": "HalfActive", "inner": inner}}
    text = check_self_contained(render("T", {"A": replace(results["GSE"], configuration=configuration)})).text()
    assert "3: Drama, Comedy and Crime" in text
    assert "0: Drama (best)" in text
    assert "1: Comedy (best)" not in text
    assert "a random half of the agents" in text


def test_one_replicate_of_one_algorithm():
    text = check_self_contained(render("T", {"A": make("A", replicates=1)})).text()
    assert "no interval" in text
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)
    assert "Paired" not in text


def test_different_worlds_are_not_compared(results):
    other = replace(results["GSE"], configuration={**results["GSE"].configuration, "seed": 9})
    text = check_self_contained(render("T", {"A": results["GSE"], "B": other})).text()
    assert "different worlds" in text
    assert "aired difference" not in text
    assert "lowest regret" not in text


def test_replicates_cut_short(results):
    text = check_self_contained(render("T", {"A": make("A"), "B": make("B", 0.3, first=5)})).text()
    assert "no replicate in common" in text


def test_the_headline_names_the_lowest_and_by_how_much(results):
    said = headline(results)
    low, high = (results[name].regret[:, -1].mean() for name in ("GSE", "DrFed"))
    assert said.startswith(f"GSE has the lowest regret: {number(low, 0)} (95{PERCENT} interval ")
    assert f"{percent(1 - low / high, 0)} below DrFed" in said
    assert "after 1,000 rounds" in said


def test_the_headline_does_not_boast():
    close = {"A": make("A", 0.200, seed=3), "B": make("B", 0.201, seed=4)}
    assert "cannot be told apart" in headline(close)
    assert "the same mean regret" in headline({"A": make("A"), "B": make("B")})


def test_oracles_do_not_win(results):
    oracle = make("Oracle", 0.01, kind="CentralUCB", sent=0)
    said = Reader(render("T", {"Oracle": oracle, **results})).text()
    assert "GSE has the lowest regret" in said
    assert "Oracle reaches" in said
    assert "Final regret minus that of GSE" in said


def test_reference_can_be_named(results):
    assert "Final regret minus that of Lone" in Reader(render("T", results, reference="Lone")).text()
    with pytest.raises(ValueError, match="reference 'X'"):
        render("T", results, reference="X")


def test_who_sends_nothing_has_no_figure_of_it():
    page = Reader(render("T", {"A": make("A", sent=0)}))
    assert "None of these algorithms sends anything" in page.text()
    assert len(page.figures()) == 3


def test_a_grid_has_a_row_for_each_cell_and_a_figure_for_one_number():
    rows = [
        {"network.link_probability": p, "horizon": 1_000, "A": make("A", w), "B": make("B", 0.3).summary()}
        for p, w in ((0.1, 0.4), (0.5, 0.2), (0.9, 0.1))
    ]
    page = check_self_contained(render_grid("Grid", rows))
    text = page.text()
    assert "link probability (network)" in text
    assert "The same in all cells: horizon 1,000." in text
    assert "A in 2 and B in 1" in text
    assert len(page.figures()) == 1
    assert text.count("±") == 6
    words = [{**row, "network.link_probability": f"p{n}"} for n, row in enumerate(rows)]
    assert not check_self_contained(render_grid("Grid", words)).figures()


def test_an_empty_grid_is_refused():
    with pytest.raises(ValueError, match="at least one combination"):
        render_grid("T", [])
    with pytest.raises(ValueError, match="found none"):
        render_grid("T", [{"p": 1}])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.4, "1,234"),
        (12.34, "12.3"),
        (0.01234, "0.0123"),
        (0, "0"),
        (-0.00001, "0.0000"),
        (-5, "\N{MINUS SIGN}5.00"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_decimals_follow_the_error():
    assert places_by_error([1303.4, -0.5], [46.5, 27.3]) == 0
    assert places_by_error([1303.4, 14.2], [46.5, 0.56]) == 2
    assert places_by_error([5664.0], [1e-13]) == 0
    assert places_by_error([12.34], [float("nan")]) == 1


def test_units():
    assert scaled(259_191_036.0, "B") == "259\N{NO-BREAK SPACE}MB"
    assert scaled(999_999.0) == "1.00\N{NO-BREAK SPACE}M"
    assert scaled(12.0, "B") == "12\N{NO-BREAK SPACE}B"
    assert number(float("nan")) == "\N{EN DASH}"


def test_the_best_arm_is_named_with_its_lead(results):
    first = next(iter(results.values()))
    text = best_arm(first)
    order = np.sort(first.gaps)
    assert text.startswith("Best for all agents together is arm ")
    assert f"is {order[1]:.3g} above that of arm {int(np.argsort(first.gaps)[1])}, the next." in text


def test_equally_good_arms_have_no_best(results):
    first = next(iter(results.values()))
    assert best_arm(replace(first, gaps=np.zeros(first.n_arms))) == ""


def test_arms_that_differ_by_rounding_alone_are_best_together(results):
    first = next(iter(results.values()))
    text = best_arm(replace(first, gaps=np.array([5.6e-17, 0.0, 0.5])))
    assert text.startswith("Best for all agents together are arm 1 and arm 0: their mean reward")
    assert best_arm(replace(first, gaps=np.array([5.6e-17, 0.0, 2e-13]))) == ""


def test_means_drawn_anew_are_shown_by_rank(results):
    first = next(iter(results.values()))
    gaps = np.array([[0.0, 0.25, 0.5]] * 4 + [[0.5, 0.25, 0.0]])
    one = replace(first, gaps=gaps)
    assert best_arm(one) == ""
    text = check_self_contained(render("T", {"A": one, "B": replace(one, name="B")})).text()
    assert "by the rank of the arm in its replicate" in text
    assert "1 (best)" in text
    assert "Paired difference" in text
