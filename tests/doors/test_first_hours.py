"""Where those who tried it first lost their time: each thing that they met, by name."""

import io
import re
import sys
import threading
import time
import types
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot import progress
from folkmoot.cli import main
from folkmoot.experiments.comparing import compare_runs
from folkmoot.reproductions import papers
from folkmoot.simulation.saved import load_all

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    monkeypatch.setattr(progress, "_FIRST", 10.0)  # other tests are not told how far a run is
    monkeypatch.setattr(progress, "_LOOK", 1e6)  # nobody else looks at this clock
    return clock


def watched(clock, seconds, rounds=1_000, names=("a",)):
    """What a run of so many seconds says, half of which was there before."""
    with progress.Progress(True) as shown:
        lines = [shown.line(name, 2 * rounds, rounds) for name in names]
        for second in range(seconds + 1):
            clock.now = float(second)
            for line in lines:
                line(rounds * second // seconds)


def test_progress_off_a_terminal(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    watched(clock, 200, names=("a", "b"))
    assert sys.stderr.getvalue().splitlines() == [
        "folkmoot: 52% after 10 s, about 3 min to go",
        "folkmoot: 55% after 20 s, about 3 min to go",
        "folkmoot: 60% after 40 s, about 3 min to go",
        "folkmoot: 70% after 80 s, about 2 min to go",
        "folkmoot: 90% after 3 min, about 41 s to go",
    ]


def test_nobody_guesses_from_the_first_rounds(clock, monkeypatch):
    """A loop was compiled for three minutes, and now a few rounds are over."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.Progress(True) as shown:
        line = shown.line("a", 100_000)
        clock.now = 180.0
        line(3)
    assert sys.stderr.getvalue() == "folkmoot: 0% after 3 min\n"


def test_a_run_that_does_not_get_on_says_so(monkeypatch):
    """While a loop is compiled no round is over; nor is one while a cluster plays."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress, "_FIRST", 0.02)
    monkeypatch.setattr(progress, "_LOOK", 0.01)
    with progress.Progress(True) as shown:
        shown.line("a", 100)
        until = time.monotonic() + 60.0
        while not sys.stderr.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert re.match(r"folkmoot: 0% after \d+ s\n", sys.stderr.getvalue())  # 0 s, unless the machine stood still
    assert "folkmoot-progress" not in [thread.name for thread in threading.enumerate()]


def test_a_short_run_says_nothing_off_a_terminal(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    watched(clock, 9)
    assert sys.stderr.getvalue() == ""


def test_a_day_is_not_said_every_second(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    watched(clock, 86_400, rounds=86_400)
    lines = sys.stderr.getvalue().splitlines()
    assert 280 < len(lines) < 300
    assert lines[-1].startswith("folkmoot: 100% after 23.9 h")


def test_progress_in_a_kernel_is_one_line_that_changes(clock, monkeypatch):
    kind = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    monkeypatch.setattr(sys, "stderr", kind())
    watched(clock, 5)
    said = sys.stderr.getvalue()
    assert said.count("\r") == 5
    assert said.endswith("folkmoot: 100% after 5 s, about 0 s to go  \n")


def test_progress_that_is_not_wanted(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.Progress(False) as shown:
        line = shown.line("a", 10)
        clock.now = 1_000.0
        line(5)
    assert sys.stderr.getvalue() == ""


EXPERIMENT = """name = "small"
horizon = {horizon}
replicates = 2
[rewards]
type = "bernoulli"
means = [[0.2, 0.8], [0.3, 0.7]]
[network]
type = "static"
base = "complete"
[[algorithm]]
type = "ucb"
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Plays the file with this horizon; what standard error said of the older report."""
    monkeypatch.chdir(tmp_path)

    def play(horizon, *more):
        Path("small.toml").write_text(EXPERIMENT.format(horizon=horizon), encoding="utf-8")
        assert main(["run", "small.toml", "--jobs", "1", *more]) == 0
        return [line for line in capsys.readouterr().err.splitlines() if "other settings: it is" in line]

    return play


def horizon(folder):
    return fm.load(folder).configuration["horizon"]


def test_a_changed_file_of_the_same_name_keeps_the_old_report(run):
    assert run(60) == []
    page = Path("results/small/report.html").read_bytes()
    folder = Path("results/small/earlier/1")
    assert run(80) == [f"the report that was there is of other settings: it is now in {folder}"]
    assert (horizon("results/small"), horizon(folder)) == (80, 60)
    assert (folder / "report.html").read_bytes() == page
    run(60)
    assert horizon("results/small/earlier/2") == 80
    assert compare_runs(["results/small", folder]).folder == Path("results/small-and-small-earlier-1")


def test_more_replicates_take_the_place_of_fewer(run):
    run(60)
    assert run(60, "--replicates", "3") == []
    assert run(60) == []
    assert not Path("results/small/earlier").exists()


def test_another_seed_keeps_the_old_report(run):
    run(60)
    assert len(run(60, "--seed", "7")) == 1


def test_a_note_of_files_elsewhere_moves_nothing(run, tmp_path):
    """`made.json` is of others, as everything that is read."""
    run(60)
    (tmp_path / "mine").write_text("kept")
    note = Path("results/small/made.json")
    note.write_text(note.read_text().replace('"files": {', '"files": {"../../mine": "x", "..": "x", '))
    run(80)
    assert (tmp_path / "mine").read_text() == "kept"


def test_reproduce_says_time_and_needs_of_each_figure(capsys):
    folder = papers.papers_folder()
    costs = papers.costs(folder)
    names = {row[0] for row in papers.catalogue(folder)}
    assert names == set(costs)
    assert costs["bema/table1"].needs == "mnist and multiparty"
    assert main(["reproduce"]) == 0
    assert capsys.readouterr().out.split()[:4] == ["figure", "time", "needs", "what"]


def test_several_runs_in_one_report_from_python(tmp_path):
    law, network = fm.Bernoulli([[0.2, 0.8], [0.3, 0.7]]), fm.Static(nx.path_graph(2))
    for name, replicates in (("a", 2), ("b", 3)):
        result = fm.simulate(fm.UCB(), law, network, horizon=20, engine="interpreted", replicates=replicates)
        result.save(tmp_path / name)
    found = fm.compare_runs([tmp_path / "a", str(tmp_path / "b")], out=tmp_path / "both")
    assert list(found.results) == list(load_all(tmp_path / "both")) == ["a: UCB (alone)", "b: UCB (alone)"]
    assert found.differences == ["2 runs in one report. They differ in replicates (a: 2; b: 3)."]
    assert (found.folder / "report.html").exists()


@pytest.mark.parametrize("folders", [[], [""], [3], ["no-such-folder"], "no-such-folder", None])
def test_what_is_no_run_is_refused_in_one_line(folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^folders?[^\n]*\Z"):
        fm.compare_runs(folders)
    assert list(tmp_path.iterdir()) == []


def test_every_result_is_shown_on_a_line():
    law = fm.Bernoulli(np.linspace(0.1, 0.9, 4), n_agents=4)
    chain = fm.simulate_chain(fm.BCUCB(), law, horizon=30, fidelity="ideal", engine="interpreted", progress=False)
    alone = fm.simulate(fm.UCB(), law, fm.Static(nx.path_graph(4)), horizon=30, engine="interpreted")
    assert (repr(chain), repr(alone)) == ("ChainResult('BC-UCB', replicates=1)", "Result('UCB (alone)', replicates=1)")


@pytest.fixture
def guide():
    """The module `my_nets` of the guide, as a reader writes it."""
    pytest.importorskip("torch", reason="the extra 'multiparty' is not installed")
    from folkmoot.multiparty.models.architectures import ARCHITECTURES

    text = (ROOT / "docs" / "multiparty.md").read_text(encoding="utf-8")
    module = types.ModuleType("my_nets")
    exec(re.search(r"```python\n# my_nets.py\n(.*?)```", text, re.DOTALL)[1], module.__dict__)
    yield module
    ARCHITECTURES.pop("my-net", None)


def test_the_network_of_the_guide_is_taken_as_the_guide_writes_it(guide):
    from folkmoot.multiparty import Consortium, Party, TorchModel

    draw = np.random.default_rng(0)
    parties = [
        Party(
            name, TorchModel(guide.my_net(4), classes=[0, 1, 2, 3]), draw.random((8, 64)).astype(np.float32),
            np.arange(8) % 4,
        )
        for name in ("ada", "bob", "eve")
    ]  # fmt: skip
    assert all(party.model.kind.startswith("torch/my-net") for party in parties)
    assert Consortium(parties).predict(draw.random((2, 64)).astype(np.float32)).shape == (2,)


def test_of_two_networks_that_are_alike_the_reader_says_which(guide):
    from folkmoot.multiparty import TorchModel
    from folkmoot.multiparty.models.architectures import ARCHITECTURES, register_architecture

    register_architecture("my-twin", lambda n: guide.my_net(n))
    try:
        assert TorchModel(guide.my_net(4), classes=[0, 1, 2, 3]).kind == "torch/sequential"
        named = TorchModel(guide.my_net(4), classes=[0, 1, 2, 3], architecture="my-net")
        assert named.kind.startswith("torch/my-net")
    finally:
        ARCHITECTURES.pop("my-twin")


def test_the_demo_ends_with_the_line_that_activates():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    demo = text[text.index("\ndemo:") :].split("\n\n")[0]
    assert "/activate" in demo.splitlines()[-1]


SAID_BADLY = ("loses ever more", "signatures and arrival for granted", "store is believed nothing")


@pytest.mark.parametrize("sentence", SAID_BADLY)
def test_sentences_that_nobody_understood_are_gone(sentence):
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "folkmoot").rglob("*.py")]
    assert [str(page) for page in pages if sentence in page.read_text(encoding="utf-8")] == []
