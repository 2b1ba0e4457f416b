"""The page of an operator in a real browser: every state, light and dark, wide and narrow, and no other host asked."""

import asyncio
import socket
import threading
from copy import deepcopy
from queue import Queue

import pytest
from chromium import in_chromium, launched, watched

from folkmoot.node.web import Web

pytestmark = in_chromium


def member(name, state="present", **more):
    about = {"version": "0.1.0", "round": 42, "clock": 0.004, "sent": 52_000, "received": 51_000, "missed": 0}
    about |= {"stretched": 0, "faults": {}, "refused": {}, "address": "127.0.0.1:9000"}
    return {"name": name, "state": state, **about, **more}


def arm(number, mean, agreed=None):
    return {"arm": number, "name": f"choice {number}", "pulls": 14, "mean": mean, "interval": 0.03, "agreed": agreed}


OTHERS = ("site-1", "site-2", "site-3")
HEALTHY = {
    "consortium": "Edge caches", "member": "site-0", "system": "bc_ucb", "charter": "0123456789abcdef",
    "phase": "playing", "waits_for": "", "since": 0.0,
    "round": 42, "rounds": 500, "scale": [0.0, 1.0], "stage": "report", "arm": 1, "best": 1, "best_name": "choice 1",
    "settled": True, "arms": [arm(0, 0.2, 0.25), arm(1, 0.6, 0.55), arm(2, 0.4)], "height": 37, "decided": 12_345,
    "present": ["site-0", "site-1", "site-2", "site-3"], "counts": {}, "troubles": [],
    "members": [{"name": "site-0", "state": "this node", "address": "127.0.0.1:9000"}, *map(member, OTHERS)],
    "history": [
        {"round": r, "arm": r % 3, "reward": r * 7 % 10 / 10, "heard": [1, 2, 3], "height": r - 5} for r in range(1, 42)
    ],
}  # fmt: skip


def changed(members=None, **more):
    state = deepcopy(HEALTHY) | more
    for number, one in (members or {}).items():
        state["members"][number] |= one
    return state


NOTHING = [{**arm(n, None), "interval": None, "pulls": 0} for n in range(3)]
EVIL = "<b>why</b>"
LEARNING = {
    "classes": 3, "labels": ["cat", "dog", "<i>emu</i>"], "shape": [4], "lacking": 1, "wrong": "", "samples": 1_234,
    "checked": 60, "accuracy": {"mean": 0.9, "screened": 0.95, "alone": 0.5}, "blocks": [],
    "exchange": "accepted: a gain of 3.1% on the check sets", "exchanges": [
        {"height": 2, "how": "exchange", "accepted": True, "gain": 0.031, "candidates": ["site-0", EVIL],
         "rolled_back": [EVIL], "before": 0.5, "after": 0.625},
        {"height": 4, "how": "exchange", "accepted": False, "gain": 0.0, "candidates": ["site-0"],
         "rolled_back": ["site-0"], "before": None, "after": None},
    ],
    "waiting": [{"what": "expel", "party": EVIL, "reason": EVIL, "signed": ["site-1"], "not_here": ""}],
    "models": [
        {"member": f"site-{n}", "kind": "linear/softmax", "classes": [n % 2, 2], "parameters": "00" * 32,
         "here": n != 3, "gone": n == 2, "accepted": 10 * n, "revealed": 7 * n,
         "refused": {EVIL: n, "star": 2} if n else {}}
        for n in range(4)
    ],
}  # fmt: skip
OF_MODELS = {"system": "bema", "arms": [], "arm": -1, "best": -1, "best_name": None, "settled": False}
STATES = {
    "models": changed(**OF_MODELS, learning=LEARNING, troubles=["Models that are still to be fetched: of site-3."]),
    "models, waiting": changed(**OF_MODELS, learning=None, phase="waiting", round=0, stage="", history=[]),
    "starting": changed(
        phase="waiting", round=0, best=-1, best_name=None, settled=False, stage="", arms=NOTHING, history=[], height=0,
        members={n: {"state": "away", "clock": None} for n in (1, 2, 3)},
        troubles=["Cannot be reached: site-1, site-2, site-3.", "Only 1 of 4 members are there; 3 are needed."],
    ),
    "healthy": HEALTHY,
    "one member lost": changed({3: {"state": "away", "clock": None}}, troubles=["Cannot be reached: site-3."]),
    "behind": changed({2: {"state": "behind", "round": 12}}, troubles=["Behind: site-2."]),
    "wrong clock": changed(
        {1: {"state": "wrong clock", "clock": 5.0}}, phase="following",
        troubles=["This machine's clock is off by +5.0 s. The node plays again once the clock is right."],
    ),
    "under attack": changed(
        {2: {"faults": {"second report": 9, "malformed": 3}, "refused": {"slowed down": 120}}},
        troubles=["Caught saying what the rules do not allow: site-2."],
    ),
    "stopped": changed(phase="stopped", troubles=["Stopped: node.sqlite: database or disk is full; mend it"]),
}  # fmt: skip


class Shown:
    """A view that shows what it is told to."""

    def __init__(self):
        self.now, self.stopped_by = HEALTHY, ""

    def state(self):
        return self.now

    def troubles(self):
        return self.now["troubles"]


@pytest.fixture(scope="module")
def served():
    """A view, and the address of its page."""
    import uvicorn

    view = Shown()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        web, loops = Web(None, view, "token", bytes), Queue()
        server = uvicorn.Server(uvicorn.Config(web, log_config=None, lifespan="off"))

        async def serve():
            loops.put(asyncio.get_running_loop())
            await server.serve([listening])

        async def turn(state):
            view.now = state
            web._made.clear()  # what was made a moment ago is not waited for
            web._shown_at = 0.0
            web.changed()

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        loop = loops.get(timeout=60)
        view.turns_to = lambda state: asyncio.run_coroutine_threadsafe(turn(state), loop).result(60)
        yield view, url
        server.should_exit = server.force_exit = True
        thread.join(60)


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@pytest.fixture
def opened(browser, served):
    """Open the page in a state; what went wrong in its script, and whom it asked."""
    pages = []

    def opens(state, width=1_400, scheme="light"):
        view, url = served
        view.turns_to(STATES[state])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        watched(page, lambda address: address.split("/")[2])
        page.goto(url)
        page.wait_for_selector("body[data-round]", timeout=120_000)
        pages.append((page, url))
        return page

    yield opens
    for page, url in pages:
        assert page.wrong == []
        assert page.asked == {url.removeprefix("http://")}
        page.close()


@pytest.mark.parametrize("width", [390, 1_400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_said_in_words_and_fits(opened, state, scheme, width):
    page, told = opened(state, width, scheme), STATES[state]
    assert [one.inner_text() for one in page.query_selector_all("#troubles li")] == told["troubles"]
    assert page.is_visible("#troubles") == bool(told["troubles"])
    assert page.inner_text("#phase") == told["phase"]
    if told["system"] == "bema":
        assert not page.is_visible("#best")
    else:
        assert page.inner_text("#best") == (told["best_name"] or "not known yet")
    rows = page.query_selector_all("#members tbody tr")
    assert [row.query_selector(".state").inner_text() for row in rows] == [one["state"] for one in told["members"]]
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # nothing sticks out
    alarming = told["phase"] in ("stopped", "following") or any("needed" in words for words in told["troubles"])
    assert (page.get_attribute("#troubles", "class") or "") == ("bad" if alarming else "")


@pytest.mark.parametrize("state", STATES)
def test_without_script_it_shows_the_node_as_of_loading(browser, served, state):
    view, url = served
    view.turns_to(STATES[state])
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(url)
        assert "folkmoot node status DIR" in page.inner_text("noscript")
        assert [one.inner_text() for one in page.query_selector_all("#troubles li")] == view.now["troubles"]
        rows = page.query_selector_all("#members tbody tr")
        assert [row.query_selector(".state").inner_text() for row in rows] == [m["state"] for m in view.now["members"]]
        text = page.inner_text("main")
        assert "since this node started, 00:00 UTC" in text
        if view.now["system"] == "bema":
            models = (view.now["learning"] or {"models": []})["models"]
            assert len(page.query_selector_all("#models tbody tr")) == len(models)
            right = [row.inner_text().split("\t")[-1].strip() for row in page.query_selector_all("#accuracy tbody tr")]
            assert right == (["0.900", "0.950", "0.500"] if models else [])
            assert page.query_selector("#models i, #models b") is None  # words of others are text
            assert page.is_visible("#exchanges-part") == bool(models)
        else:
            names = [one.inner_text() for one in page.query_selector_all("#arms tbody th")]
            assert [name.removesuffix(" (best)") for name in names] == [one["name"] for one in view.now["arms"]]
            assert ("40: 0;" in text) == bool(view.now["history"])  # what the last rounds brought


def test_choices_stand_where_their_means_are(opened):
    page = opened("healthy")
    assert page.inner_text("#arms tbody tr.best th").startswith("choice 1")
    places = [one.evaluate("node => node.style.left") for one in page.query_selector_all("#arms .scale b")]
    assert places == ["20%", "60%", "40%"]
    assert len(page.query_selector_all("#arms .scale em")) == 2  # agreed on
    assert page.is_visible("#chain")
    assert page.query_selector("#reward canvas") is not None
    assert page.query_selector("#reward .u-legend") is None  # dots and a line, said in words: legible in grey
    assert [page.inner_text(f"#{end}") for end in ("low", "high")] == ["0", "1"]  # the scale has ends
    numbers = [one.inner_text() for one in page.query_selector_all("#arms tbody td.n:nth-child(3)")]
    assert numbers == ["0.200 ± 0.030", "0.600 ± 0.030", "0.400 ± 0.030"]  # as many decimals as the interval bears
    assert len(page.query_selector_all("#presence rect")) == 4 * 41
    assert page.inner_text("#settled") == "sure"
    assert not page.is_visible("#agreed-none")


def test_models_whose_samples_were_taken_and_what_comes_out_right(opened):
    page = opened("models")
    rows = [
        [cell.inner_text() for cell in row.query_selector_all("td")]
        for row in page.query_selector_all("#exchanges tbody tr")
    ]
    assert rows == [
        ["4", "refused", "0.00 %", "–", "site-0", "–"],
        ["2", "accepted", "3.10 %", "site-0", EVIL, "50.0 % → 62.5 %"],
    ]
    rows = [
        [cell.inner_text() for cell in row.query_selector_all("th, td")]
        for row in page.query_selector_all("#models tbody tr")
    ]
    assert rows == [
        ["site-0", "cat, <i>emu</i>", "0", "0", "0", "–"],
        ["site-1", "dog, <i>emu</i>", "10", "7", "3", f"{EVIL}: 1, star: 2"],
        ["site-2 (gone)", "cat, <i>emu</i>", "20", "14", "4", f"{EVIL}: 2, star: 2"],
        ["site-3 (still to be fetched)", "dog, <i>emu</i>", "30", "21", "5", f"{EVIL}: 3, star: 2"],
    ]
    assert page.query_selector("#models i, #models b") is None
    right = [row.inner_text().split("\t")[-1].strip() for row in page.query_selector_all("#accuracy tbody tr")]
    assert right == ["0.900", "0.950", "0.500"]
    places = [one.evaluate("node => node.style.left") for one in page.query_selector_all("#accuracy .scale b")]
    assert places == ["90%", "95%", "50%"]
    assert page.inner_text("#models-here") == "3 of 4"
    assert page.inner_text("#own-samples") == "1,234"
    assert "60 samples" in page.inner_text("#accuracy-about")
    assert page.query_selector("#arms, #reward") is None


def test_it_says_what_it_waits_for_what_is_not_known_and_since_when_it_counts(opened, served):
    page, view = opened("healthy"), served[0]
    first = "first round at 19:52:00 UTC, in 3 min 12 s"
    unsure = [{**one, "agreed": None} for one in HEALTHY["arms"]]
    view.turns_to(changed(round=46, waits_for=first, since=70_800.0, settled=False, arms=unsure))
    page.wait_for_selector("body[data-round='46']", timeout=120_000)
    assert page.inner_text("#waits") == first
    assert page.inner_text("#settled") == "not sure yet"
    assert page.is_visible("#agreed-none")
    said = [one.inner_text() for one in page.query_selector_all(".since")]
    assert len(said) == 3
    assert set(said) == {"since this node started, 19:40 UTC"}


def test_the_axis_of_rounds_has_whole_numbers(opened):
    page = opened("healthy")
    assert all(step == int(step) for step in page.evaluate("curve.axes[0].incrs()"))


@pytest.mark.parametrize(("system", "words"), [("bandit", "as far as this one knows"), ("bc_ucb", "agreed on")])
def test_what_is_agreed_on_is_said_only_where_there_is_agreement(opened, served, system, words):
    page, view = opened("healthy"), served[0]
    view.turns_to(changed(round=45, system=system))
    page.wait_for_selector("body[data-round='45']", timeout=120_000)
    assert words in page.inner_text("#agreed-what")


def test_on_a_phone_nothing_of_a_member_is_out_of_sight(opened):
    page = opened("under attack", 390)
    for cell in page.query_selector_all("#members tbody td, #arms td, #arms th"):
        box = cell.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert "Faults and refusals" in page.evaluate(
        "getComputedStyle(document.querySelector('.faults.bad'), '::before').content"
    )


def test_it_follows_its_node_and_says_when_it_has_lost_it(opened, served):
    page, view = opened("healthy"), served[0]
    view.turns_to(changed(round=43, decided=99, troubles=["Slow: site-1."]))
    page.wait_for_selector("body[data-round='43']", timeout=120_000)
    assert page.inner_text("#decided") == "99"
    assert not page.is_visible("#link")
    view.turns_to(changed(round=44, phase="stopped", troubles=["Stopped: node.sqlite: database or disk is full."]))
    page.wait_for_selector("#phase.bad", timeout=120_000)
    page.evaluate("source.onerror()")  # the node is gone; what it said last stays
    assert page.inner_text("#troubles li") == view.now["troubles"][0]
    assert page.is_visible("#link")


def test_the_keyboard_reaches_all_that_can_be_used(opened):
    page, reached = opened("healthy", 390), set()
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.className"))
    assert {"scroll", "/metrics", "/healthz", "/v1/openapi.json"} <= reached


def test_words_of_others_are_text_and_nothing_else(opened, served):
    page, view = opened("healthy"), served[0]
    evil = "<img src=x onerror=alert(1)>"
    view.turns_to(changed({1: {"name": evil, "faults": {evil: 1}}}, round=44, troubles=[evil], best_name=evil))
    page.wait_for_selector("body[data-round='44']", timeout=120_000)
    assert page.inner_text("#best") == evil
    assert page.query_selector("img") is None


def ratio(one, other):
    """Contrast of two colours as in WCAG 2.2."""

    def light(colour):
        parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(opened, scheme):
    page = opened("under attack", scheme=scheme)
    colour = "node => getComputedStyle(node).color"
    ground = page.eval_on_selector("main section.numbers", "node => getComputedStyle(node).backgroundColor")
    for selector in ("#phase", ".numbers span", ".about", ".faults.bad", "#members tbody th", "footer a"):
        behind = (
            ground
            if selector != "footer a"
            else page.eval_on_selector("body", "node => getComputedStyle(node).backgroundColor")
        )
        assert ratio(page.eval_on_selector(selector, colour), behind) >= 4.5, selector
