"""The report in a real browser: with script it can be moved in, without it says the same; nobody else is asked."""

import csv
import io
import json
import re

import numpy as np
import pytest
from chromium import in_chromium, launched, watched
from made_results import AGENTS, CHECKPOINTS, make

from folkmoot.report.graph import held, picture
from folkmoot.report.html import render
from folkmoot.report.live import _script, as_data, data, live, plain, regrets

EVIL = "</script><b>\"'&\u2028 \u4e2d\u6587 $x$" + "x" * 300


def whole(name, wrong):
    """With pulls of each agent, and a state of each."""
    shares = np.array([1.0, 0.5, 0.25, 0.0])[None, None, :, None] * np.array([0.0, wrong, wrong])
    own = np.floor(CHECKPOINTS[None, :, None, None] * shares).astype(np.int64).repeat(5, axis=0)
    own[..., 0] = CHECKPOINTS[None, :, None] - own.sum(axis=3)
    state = np.full((5, len(CHECKPOINTS), AGENTS, 3), 0.25)
    state[:, 3:, 1, 2], state[:, :2, 0] = 0.75, np.nan
    return make(name, wrong, agent_pulls=own, means=np.array([[0.5, 0.25, 0.0]] * AGENTS), observed={"gossip": state})


def pair():
    return {"GSE": whole("GSE", 0.1), EVIL: make(EVIL, 0.3)}


def cell(label, wrong, p):
    made = make(f"{label}, p = {p}", wrong, replicates=2)
    network = {**made.configuration["network"], "link_probability": p}
    return made.configured(cell={"label": label, "settings": {"p": p}}, network=network)


def sixty():
    from folkmoot.report.grid import render_grid
    from folkmoot.report.worlds import rows_of

    made = [cell(label, 0.1 + n / 200, n / 60) for n in range(60) for label in ("GSE", "UCB")]
    return render_grid("Sixty", rows_of({one.name: one for one in made}))


# --- The data -------------------------------------------------------------------------------------------


def test_script_is_small_and_data_are_json_without_nan():
    assert len(_script().encode()) < 60_000
    told = data({name: regrets(result) for name, result in pair().items()}, pair())
    text = as_data({**told, "odd": plain([float("nan"), float("inf"), 0.123456789, 3.0, 12345678.9])})
    assert not set("<>&\u2028") & set(text)
    back = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert back["odd"] == [None, None, 0.12346, 3, 12346000]
    assert back["cells"][1]["name"] == EVIL
    assert back["cells"][0]["y"][0][-1] == pytest.approx(pair()["GSE"].regret[:, -1].mean(), rel=1e-4)
    assert live(told).policy.count("script-src 'sha256-") == 1


def test_a_report_of_few_agents_shows_its_graph():
    told = held(pair())
    assert [one["name"] for one in told["held"]] == ["GSE: pulls so far", "GSE: gossip", f"{EVIL}: pulls so far"]
    assert [len(one["at"]) for one in told["held"]] == [7, 7, 1]
    markup = picture(told)
    assert markup.count("data-agent=") == AGENTS
    assert markup.count("<line ") == 6
    assert EVIL not in picture({**told, "held": told["held"][2:]})
    path = {**told, "links": [(0, 1), (1, 2)]}  # springs, the same each time
    assert picture(path) == picture(path)
    unknown = make("A").configured(network={"type": "Recorded", "n_agents": 4, "edges": 3})
    assert held({"A": unknown}) is None


# --- In Chromium ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    for name, text in (("pair", render(EVIL, pair())), ("sixty", sixty())):
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@pytest.fixture
def opened(browser, files):
    """Open a report; what went wrong in its script, and whom it asked."""
    pages = []

    def opens(name, width=1_200, scheme="light", script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        page = watched(context.new_page(), lambda address: re.split(r"[:,]", address)[0])
        page.goto((files / f"{name}.html").as_uri())
        if script:
            page.wait_for_selector("body[data-live]", timeout=60_000)
        pages.append((context, page))
        return page

    yield opens
    for context, page in pages:
        assert page.wrong == []
        assert page.asked <= {"file", "data", "blob"}
        context.close()


def downloaded(page, name):
    with page.expect_download(timeout=60_000) as waited:
        page.click(f"#tools button:text-is('{name}')")
    with open(waited.value.path(), "rb") as file:
        return file.read()


def fits(page, width):
    return page.evaluate("document.documentElement.scrollWidth") <= width


@in_chromium
def test_curves_are_read_chosen_enlarged_and_kept(opened):
    page = opened("pair")
    assert page.text_content("h1") == EVIL
    assert page.query_selector("b:text-is('')") is None
    names = page.eval_on_selector_all("#curves span", "all => all.map(one => one.textContent)")
    assert names == ["GSE", EVIL]
    page.focus("#chart")
    page.keyboard.press("End")
    final = pair()["GSE"].regret[:, -1].mean()
    assert float(page.inner_text("#curves label:first-child output").replace(",", "")) == pytest.approx(final, rel=1e-3)
    assert page.inner_text("#now").startswith("round 1,000")
    page.hover("#chart .u-over", position={"x": 300, "y": 100})
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    shown = [row[0] for row in csv.reader(io.StringIO(downloaded(page, "CSV").decode()))]
    assert 1 < len(shown) < 1 + 2 * len(CHECKPOINTS)  # of the part that is seen
    page.keyboard.press("0")
    page.focus("#chart")
    page.keyboard.press("Escape")
    page.uncheck("#curves label:last-child input")
    rows = list(csv.reader(io.StringIO(downloaded(page, "CSV").decode())))
    assert rows[0] == ["name", "round", "mean", "half_width_95"]
    assert [row[:2] for row in rows[1:]] == [["GSE", str(round_)] for round_ in CHECKPOINTS]
    assert float(rows[-1][2]) == pytest.approx(final, rel=1e-4)
    for label in ("log horizontal", "log vertical"):
        page.check(f"label:has-text('{label}') input")
    assert page.evaluate("document.querySelectorAll('#chart canvas').length") == 1
    assert downloaded(page, "PNG").startswith(b"\x89PNG")


@in_chromium
def test_each_agent_and_what_it_holds(opened):
    page = opened("pair", scheme="dark")
    page.select_option("label:has-text('Show') select", label="each agent of GSE")
    rows = list(csv.reader(io.StringIO(downloaded(page, "CSV").decode())))
    assert {row[0] for row in rows[1:]} == {f"agent {i}" for i in range(AGENTS)}
    page.select_option("label:has-text('Show') select", index=2)  # of it only final values are known
    rows = list(csv.reader(io.StringIO(downloaded(page, "CSV").decode())))
    assert [row[1] for row in rows] == ["agent", "0", "1", "2", "3"]
    page.select_option("#held select", label="GSE: gossip")
    marks = "all => all.map(one => one.textContent)"
    assert page.eval_on_selector_all("#graph text", marks) == ["0", "2", "0", "0"]
    page.focus("#held input")
    page.keyboard.press("Home")
    assert page.inner_text("#held output") == "1"
    assert page.eval_on_selector_all("#graph text", marks) == ["\N{EN DASH}", "0", "0", "0"]
    page.focus("#graph g[data-agent='1']")
    assert page.inner_text("#holds").startswith("agent 1: arm 0 0.25")


@in_chromium
def test_sixty_values_on_a_phone(opened):
    page = opened("sixty", width=390, scheme="dark")
    assert fits(page, 390)
    assert page.evaluate("document.querySelector('#chart canvas').getBoundingClientRect().right") <= 390
    assert len(page.query_selector_all("#curves label:visible")) == 120
    page.locator("#tools select").nth(2).select_option(index=5)
    assert len(page.query_selector_all("#curves label:visible")) == 2
    rows = list(csv.reader(io.StringIO(downloaded(page, "CSV").decode())))
    assert rows[0][:2] == ["name", "p"]
    assert len({row[0] for row in rows[1:]}) == 2
    page.locator("#tools select").nth(2).select_option(index=0)
    page.click("#tools button:text-is('All off')")
    assert page.inner_text("#now") == "No curve is on."
    page.click("#tools button:text-is('All on')")
    assert page.query_selector("#chart canvas") is not None


@in_chromium
@pytest.mark.parametrize(("scheme", "least"), [("light", 200), ("dark", 200)])
def test_ink_and_ground_are_apart(opened, scheme, least):
    page = opened("pair", 390, scheme)
    style = "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
    ink, ground = (sum(map(int, re.findall(r"\d+", c)[:3])) / 3 for c in page.eval_on_selector("body", style))
    assert abs(ink - ground) >= least
    assert fits(page, 390)


@in_chromium
def test_without_script_and_in_print_the_pictures_say_it(opened):
    page = opened("pair", script=False)
    assert not page.is_visible("#live")
    assert not page.is_visible("#holding")
    assert page.is_visible("#graph")
    assert len(page.query_selector_all("figure img")) == 4
    page = opened("pair", scheme="dark")
    page.emulate_media(media="print")
    assert not page.is_visible("#live")
    ground = page.eval_on_selector("body", "one => getComputedStyle(one).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


@in_chromium
def test_the_keyboard_reaches_everything(opened):
    page, reached = opened("pair", 390), set()
    for _ in range(26):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.id || document.activeElement.type || document.activeElement.tagName")
        )
    assert {"chart", "select-one", "checkbox", "button", "submit", "range", "g"} & reached >= {
        "chart",
        "select-one",
        "checkbox",
        "range",
        "g",
    }
