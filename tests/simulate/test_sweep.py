"""The sweep and its log: what is kept, what is refused, what is told apart."""

import base64
import json
import multiprocessing
import zlib

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.errors import DamagedFile
from folkmoot.simulation import cells as cells_module
from folkmoot.simulation import log as log_module
from folkmoot.simulation import replicates
from folkmoot.simulation import sweep as module
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.log import Log, LogError
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.sweep import sweep

MEANS = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]


def job(means=MEANS, graph=None, seed=0, horizon=50, algorithm=None, **more):
    network = fm.Static(graph or nx.complete_graph(len(means)))
    return make_job(algorithm or fm.UCB(), fm.Bernoulli(means), network, horizon=horizon, seed=seed, **more)


def key(one):
    return one.key()


def cells(n=2, **more):
    return [Cell(f"seed {s}", job(seed=s, engine="interpreted", **more)) for s in range(n)]


def run(folder, what=None, replicates=3, **more):
    return sweep(what or cells(), replicates, folder / "log.jsonl", progress=False, **more)


def lines(folder):
    return (folder / "log.jsonl").read_bytes().splitlines(keepends=True)


def test_results_are_those_of_simulate(tmp_path):
    swept = run(tmp_path)
    assert list(swept.results) == ["seed 0", "seed 1"]
    assert (swept.failures, swept.resumed, swept.foreign) == ({}, 0, 0)
    for seed, result in enumerate(swept.results.values()):
        same = fm.simulate(
            fm.UCB(), fm.Bernoulli(MEANS), fm.Static(nx.complete_graph(3)), horizon=50, replicates=3, seed=seed
        )
        np.testing.assert_array_equal(result.pulls, same.pulls)
        np.testing.assert_array_equal(result.team_pulls, same.team_pulls)
        np.testing.assert_array_equal(result.bytes, same.bytes)


def test_the_rows_of_the_log(tmp_path):
    run(tmp_path)
    head, *rows = map(json.loads, lines(tmp_path))
    assert head == {"format": 2}
    assert [(row["name"], row["replicate"]) for row in rows] == [(f"seed {s}", r) for s in (0, 1) for r in range(3)]
    assert len({row["cell"] for row in rows}) == 2
    pulls = np.frombuffer(zlib.decompress(base64.b64decode(rows[0]["pulls"])), "<i8").reshape(3, 2)
    assert pulls.sum() == 3 * 50
    assert rows[0]["team_pulls"][-1] == pulls.sum(axis=0).tolist()


ATTACKED = {"corruption": fm.FlipRandom(budget=2.75), "algorithm": fm.S3Cert(delta=0.9), "verification": 120}


def test_a_resumed_sweep_keeps_what_was_spent_verified_and_decided(tmp_path):
    """The log gives back every number to the last bit."""
    whole = run(tmp_path, cells(1, **ATTACKED), replicates=3).results["seed 0"]
    (tmp_path / "again").mkdir()
    run(tmp_path / "again", cells(1, **ATTACKED), replicates=2)
    resumed = run(tmp_path / "again", cells(1, **ATTACKED), replicates=3)
    assert resumed.resumed == 2
    assert whole.corruption_spent.any()
    assert whole.verified.all()
    for name in ("verified", "corruption_spent_per_arm", "decisions", "decided_at"):
        one, other = getattr(whole, name), getattr(resumed.results["seed 0"], name)
        assert one.dtype == other.dtype, name
        assert one.tobytes() == other.tobytes(), name


@pytest.mark.parametrize("cut", [1, 40, 10_000])
def test_a_torn_last_line_is_cut_off_and_run_again(tmp_path, cut):
    whole = run(tmp_path).results
    rows = lines(tmp_path)
    cut = min(cut, len(rows[-1]) - 1)
    (tmp_path / "log.jsonl").write_bytes(b"".join(rows[:-1]) + rows[-1][:-cut])
    again = run(tmp_path)
    assert again.resumed == 5
    for name, result in again.results.items():
        np.testing.assert_array_equal(result.pulls, whole[name].pulls)
    assert lines(tmp_path)[:-1] == rows[:-1]
    assert len(lines(tmp_path)) == len(rows)


def test_a_log_torn_in_its_first_line(tmp_path):
    (tmp_path / "log.jsonl").write_bytes(b'{"for')
    run(tmp_path)
    assert lines(tmp_path)[0] == b'{"format":2}\n'


def corrupted(row, **changes):
    return json.dumps({**json.loads(row), **changes}).encode() + b"\n"


@pytest.mark.parametrize(
    ("corrupt", "said"),
    [
        (lambda row: b"nonsense\n", "Expecting value"),
        (lambda row: b"\xff\xfe\n", "utf-8"),
        (lambda row: b"[]\n", "expected the fields"),
        (lambda row: b"\n", "Expecting value"),
        (lambda row: b"[" * 100_000 + b"\n", "nested too deep"),
        (lambda row: b"1" * 10_000 + b"\n", "limit"),
        (lambda row: corrupted(row, more=1), "expected the fields"),
        (lambda row: corrupted(row, messages=-1), "messages = -1: expected at least 0, in 64 bits"),
        (lambda row: corrupted(row, bytes=1 << 63), "expected at least 0, in 64 bits"),
        (lambda row: corrupted(row, seconds=float("nan")), "seconds = nan: expected at least 0, in 64 bits"),
        (lambda row: corrupted(row, spent=[0, 10**400]), "unreadable numbers"),
        (lambda row: corrupted(row, replicate="1"), "replicate = '1': expected int"),
        (lambda row: corrupted(row, replicate=True), "replicate = True: expected int"),
        (lambda row: corrupted(row, replicate=-1), "replicate = -1: expected at least 0"),
        (lambda row: corrupted(row, pulls="????"), "unreadable numbers"),
        (lambda row: corrupted(row, pulls=base64.b64encode(zlib.compress(b"12345678")).decode()), "unreadable numbers"),
        (lambda row: corrupted(row, team_pulls=[[1, 2]]), "team_pulls: expected whole numbers"),
        (lambda row: corrupted(row, team_pulls="x"), "team_pulls: expected whole numbers"),
        (lambda row: corrupted(row, verified=1.0), "verified = 1.0: expected int"),
        (lambda row: corrupted(row, spent=[0.0]), "spent: expected numbers of at least 0 [n_arms]"),
        (lambda row: corrupted(row, spent=[0.0, -1.0]), "spent: expected numbers of at least 0 [n_arms]"),
        (lambda row: corrupted(row, spent=[0.0, None]), "spent: expected numbers of at least 0 [n_arms]"),
        (lambda row: corrupted(row, spent=[0.0, "much"]), "unreadable numbers"),
        (lambda row: corrupted(row, decisions=[0, 1]), "decisions: expected whole numbers [n_agents] from -1 to 1"),
        (lambda row: corrupted(row, decisions=[0, 1, 2]), "decisions: expected whole numbers [n_agents] from -1 to 1"),
        (lambda row: corrupted(row, decisions=[0, 1, 0.5]), "decisions: expected whole numbers [n_agents] from -1"),
        (
            lambda row: corrupted(row, decided_at=[0, 1, 51]),
            "decided_at: expected whole numbers [n_agents] from 0 to 50",
        ),
        (lambda row: row.replace(b'"verified":0,', b""), "expected the fields"),
        (lambda row: row.replace(b'"team_pulls":[[3,0]', b'"team_pulls":[[2,0]'), "the pulls do not add up"),
    ],
)
def test_a_corrupt_row_is_refused_with_its_place(tmp_path, corrupt, said):
    run(tmp_path)
    rows = lines(tmp_path)
    bad = corrupt(rows[2])
    assert bad != rows[2]
    (tmp_path / "log.jsonl").write_bytes(b"".join([*rows[:2], bad, *rows[3:]]))
    with pytest.raises(DamagedFile, match=r"log\.jsonl, line 3: not a row of this log \(") as caught:
        run(tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert lines(tmp_path)[3:] == rows[3:]


def test_a_log_of_another_format_is_refused(tmp_path):
    (tmp_path / "log.jsonl").write_bytes(b'{"format":1}\n')
    with pytest.raises(DamagedFile, match=r"line 1: .*format 1, this version reads 2"):
        run(tmp_path)


def test_rows_of_other_jobs_stay_and_are_counted(tmp_path):
    run(tmp_path)
    before = lines(tmp_path)
    swept = run(tmp_path, cells(horizon=60))
    assert swept.foreign == 6
    assert swept.resumed == 0
    assert lines(tmp_path)[: len(before)] == before


def test_fewer_replicates_use_the_first_ones(tmp_path):
    whole = run(tmp_path).results["seed 0"]
    fewer = run(tmp_path, replicates=2).results["seed 0"]
    np.testing.assert_array_equal(fewer.pulls, whole.pulls[:2])


def test_equal_jobs_share_their_replicates(tmp_path):
    one, other = cells(1)[0], cells(1)[0]._replace(name="again")
    swept = run(tmp_path, [one, other])
    assert len(lines(tmp_path)) == 1 + 3
    np.testing.assert_array_equal(swept.results["seed 0"].pulls, swept.results["again"].pulls)


def test_the_settings_of_a_cell_stand_in_its_result(tmp_path):
    swept = run(tmp_path, [Cell("UCB, p = 1", cells(1)[0].job, {"p": 1}, "UCB")])
    assert swept.results["UCB, p = 1"].configuration["cell"] == {"label": "UCB", "settings": {"p": 1}}


# --- Keys -----------------------------------------------------------------------------------------------


def test_the_key_is_the_same_for_equal_jobs():
    assert key(job()) == key(job())


@pytest.mark.parametrize(
    "other",
    [
        job(seed=1),
        job(horizon=51),
        job(checkpoints=[50]),
        job(engine="interpreted"),
        job(means=[[0.9, 0.1], [0.8, 0.2], [0.7, 0.4]]),
        job(graph=nx.path_graph(3)),
        job(algorithm=fm.UCB(exploration=3.0)),
        job(corruption=fm.Suppress(budget=1)),
        job(verification=1),
    ],
)
def test_the_key_tells_jobs_apart(other):
    assert key(other) != key(job())


def test_the_key_sees_numbers_that_the_configuration_leaves_out():
    """Long tables are not written out in a configuration; one changed number must still be seen."""
    means = np.full((3_000, 2), 0.5)
    changed = means.copy()
    changed[1_234, 1] = 0.25
    changed[1_235, 1] = 0.75
    graph = nx.empty_graph(3_000)
    one, other = job(means, graph), job(changed, graph)
    assert one.configuration() == other.configuration()
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "other",
    [
        fm.Suppress(budget=2),
        fm.Suppress(budget=1, target=0),
        fm.Suppress(budget=1, spending="spread"),
        fm.Promote(budget=1),
        None,
    ],
)
def test_the_key_tells_adversaries_apart(other):
    assert key(job(corruption=other)) != key(job(corruption=fm.Suppress(budget=1)))


def test_the_key_changes_with_the_sources(monkeypatch):
    before = key(job())
    versions = cells_module.provenance()
    monkeypatch.setattr(cells_module, "provenance", lambda packages: {**versions, "sources": "edited"})
    assert key(job()) != before


# --- Failures, interrupts, two writers ------------------------------------------------------------------


def test_a_failing_cell_is_recorded_and_retried(tmp_path, monkeypatch):
    real = Job.play

    def failing(job, *rest):
        if job.seed == 0:
            raise ValueError("no luck")
        return real(job, *rest)

    monkeypatch.setattr(Job, "play", failing)
    swept = run(tmp_path)
    assert swept.failures == {"seed 0": "no luck"}
    assert list(swept.results) == ["seed 1"]
    errors = [row for row in map(json.loads, lines(tmp_path)[1:]) if "error" in row]
    assert [(row["name"], row["error"]) for row in errors] == [("seed 0", "no luck")]
    monkeypatch.setattr(Job, "play", real)
    swept = run(tmp_path)
    assert swept.failures == {}
    assert list(swept.results) == ["seed 0", "seed 1"]
    assert swept.resumed == 3


def test_a_failing_cell_is_said_to_have_failed_once(tmp_path, monkeypatch):
    """However many of its tasks had begun."""
    monkeypatch.setattr(replicates, "_BATCH_STEPS", 1)
    monkeypatch.setattr(Job, "play", lambda job, *rest: [][0])
    assert run(tmp_path, cells(1), 5, workers=2).failures == {"seed 0": "IndexError: list index out of range"}
    assert len(lines(tmp_path)) == 2


def test_an_unexpected_error_names_its_type_and_place(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Job, "play", lambda job, *rest: 1 / 0)
    assert run(tmp_path).failures["seed 0"] == "ZeroDivisionError: division by zero"
    assert "Traceback" in capsys.readouterr().err


def test_an_algorithm_that_refuses_the_problem_is_a_failure(tmp_path):
    """A job made without the checks of make_job."""
    path = nx.empty_graph(3)
    bad = job(engine="interpreted").__class__(
        fm.GSE(), fm.Bernoulli(MEANS), fm.ErdosRenyi(path, 0.5), np.array([50]), 0, "interpreted"
    )
    swept = run(tmp_path, [Cell("bad", bad), *cells(1)])
    assert list(swept.results) == ["seed 0"]
    assert "connected" in swept.failures["bad"]


def test_an_interrupt_keeps_what_is_finished(tmp_path, monkeypatch):
    real = module.run

    def interrupted(games, *rest):
        yield from real([(job, numbers[:2]) for job, numbers in games[:1]], *rest)
        if games:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert len(lines(tmp_path)) == 1 + 2
    monkeypatch.setattr(module, "run", real)
    broken = run(tmp_path)
    assert broken.resumed == 2
    whole = sweep(cells(), 3, tmp_path / "other.jsonl", progress=False)
    for name, result in whole.results.items():
        np.testing.assert_array_equal(result.pulls, broken.results[name].pulls)


def _hold(path, held, enough):
    with Log(path):
        held.set()
        enough.wait(600)


def test_a_second_writer_is_refused(tmp_path):
    """In this process and in another; the lock goes with its holder, even one that is killed."""
    path = tmp_path / "log.jsonl"
    with Log(path), pytest.raises(LogError, match="another process is writing it"):
        Log(path)
    context = multiprocessing.get_context("spawn")
    held, enough = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(path, held, enough))
    other.start()
    assert held.wait(600)
    with pytest.raises(LogError, match="another process is writing it"):
        run(tmp_path)
    other.kill()
    other.join(600)
    assert run(tmp_path).failures == {}


def test_a_log_that_cannot_be_made(tmp_path):
    with pytest.raises(LogError, match=r"log .*: cannot be locked"):
        sweep(cells(), 1, tmp_path / "nowhere" / "log.jsonl", progress=False)


def test_something_else_in_place_of_the_lock(tmp_path):
    (tmp_path / "log.jsonl.lock").write_bytes(b"a diary, not a database" * 100)
    with pytest.raises(LogError, match="is not its lock"):
        run(tmp_path)


def test_a_full_disk_is_no_failure_of_a_cell(tmp_path, monkeypatch):
    """Even when there is room again a moment later."""
    real, calls = log_module.os.write, []

    def full(file, data):
        calls.append(data)
        if len(calls) == 2:  # the first writes the head
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(log_module.os, "write", full)
    with pytest.raises(LogError, match="cannot be written"):
        run(tmp_path)
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"replicates": 0}, "replicates = 0: expected"),
        ({"replicates": 1.5}, "replicates = 1.5: expected"),
        ({"workers": 0}, "jobs = 0: expected"),
        ({"backend": "slurm"}, "backend = 'slurm': allowed"),
        ({"what": [*cells(1), *cells(1)]}, "'seed 0' occurs twice"),
    ],
)
def test_bad_arguments(tmp_path, change, said):
    with pytest.raises(ValueError, match=said):
        run(tmp_path, **change)
    assert not (tmp_path / "log.jsonl").exists()


def test_no_cells(tmp_path):
    with pytest.raises(ValueError, match="got none"):
        sweep([], 1, tmp_path / "log.jsonl")


class Bars:
    """Stands for Progress; remembers every line and its last amount."""

    def __init__(self):
        self.lines = {}

    def line(self, name, total, done=0):
        self.lines[name] = [total, done]

        def tell(amount):
            self.lines[name][1] = done + amount

        return tell


@pytest.mark.parametrize("n", [2, 9])
def test_progress_ends_at_its_total(n):
    """A line for each cell when they are few, one for all when they are many."""
    bars = Bars()
    told = module._Lines(bars, cells(n), [1] * n, 3)
    for x in range(n):
        told.update(x, 2 * 50)
    assert len(bars.lines) == (n if n == 2 else 1)
    assert all(total == done for total, done in bars.lines.values())
