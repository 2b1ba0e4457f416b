"""What is damaged, full, long, or of another user is one line that names it, or makes no difference."""

import errno
import json
import os
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot import files
from folkmoot.cli import main
from folkmoot.errors import DamagedFile
from folkmoot.world.graphs import named_graph

LONG = "x" * 300
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root may become somebody else")


def played(**given):
    law = fm.Bernoulli([[0.2, 0.8], [0.3, 0.7]])
    return fm.simulate(fm.UCB(), law, fm.Static(nx.path_graph(2)), horizon=20, engine="interpreted", **given)


@pytest.fixture
def saved(tmp_path):
    return played(replicates=2).save(tmp_path / "kept")


def refused(capsys, name, *words):
    """The command ends with status 2 and one line that names this."""
    assert main(list(map(str, words))) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1, printed
    assert str(name) in printed
    return printed


WHOLE = {
    "emptied": b"", "cut": None, "a list": b"[]", "a number": b"5", "null": b"null", "no results": b"{}",
    "nested without end": b"[" * 100_000, "an endless number": b'{"results": 1e999, "format": 1e999}',
    "a huge integer": b'{"format": ' + b"9" * 6_000 + b"}", "no text": bytes(range(256)),
}  # fmt: skip


@pytest.mark.parametrize("damage", WHOLE)
def test_a_damaged_result_json(saved, capsys, damage):
    path = saved / "result.json"
    path.write_bytes(path.read_bytes()[:-40] if WHOLE[damage] is None else WHOLE[damage])
    refused(capsys, saved, "report", saved)
    refused(capsys, saved, "table", saved, saved / "table.csv")
    with pytest.raises(DamagedFile, match=r"^folder [^\n]*: not a readable result [^\n]*\Z"):
        fm.load(saved)


def loaded(folder):
    """A result, or what was said in its place."""
    try:
        return fm.load(folder), ""
    except DamagedFile as error:
        return None, str(error)


def places(value, at=()):
    """Where the values of a document are."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*at, key))


@pytest.mark.parametrize("other", [None, [], {}, -1, 1e308, "x", "NaN", True, {"a": [1]}])
def test_a_value_of_result_json_that_is_another(saved, other):
    """Without a digest, as version 0.1.0 wrote it; each value in turn. Never anything but a result or one line."""
    path = saved / "result.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told.pop("digest", None)
    for place in list(places(told))[1:]:
        damaged = json.loads(json.dumps(told))
        level = damaged
        for key in place[:-1]:
            level = level[key]
        level[place[-1]] = other
        path.write_text(json.dumps(damaged), encoding="utf-8")
        found, said = loaded(saved)
        assert (found is None) == (said.startswith(f"folder {saved}: ") and "\n" not in said), said
        assert found is None or np.isfinite(found.regret).all()


@pytest.mark.parametrize("damage", ["emptied", "cut", "no text"])
def test_a_damaged_file_of_arrays(saved, capsys, damage):
    path = saved / "curves.npz"
    path.write_bytes(path.read_bytes()[:-40] if WHOLE[damage] is None else WHOLE[damage])
    refused(capsys, saved, "report", saved)


EXPERIMENT = """name = "small"
horizon = 20
replicates = 1
[rewards]
type = "bernoulli"
means = [[0.2, 0.8], [0.3, 0.7]]
[network]
type = "static"
base = "{base}"
[[algorithm]]
type = "ucb"
name = "{name}"
"""


@pytest.mark.parametrize("line", ["[]", "5", "null", "{}", "[" * 100_000, '{"cell": 1e999}', "\x00"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_damaged_log(tmp_path, capsys, line, place):
    """The head and a row, with a good line behind them, so that they are not taken for a torn end."""
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "a.toml").write_text(EXPERIMENT.format(base="complete", name="a"), encoding="utf-8")
    lines = ['{"format": 2}', '{"cell": "x", "name": "a", "error": "e"}'][:place]
    (out / "log.jsonl").write_text("\n".join([*lines, line, "{}", ""]), encoding="utf-8")
    refused(capsys, out / "log.jsonl", "run", tmp_path / "a.toml", "--out", out, "--jobs", "1")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_result_is_saved_on_a_full_disk(tmp_path, monkeypatch, number):
    def full(results, folder):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("folkmoot.simulation.saved.write_arrays", full)
    with pytest.raises(ValueError, match=rf"^folder [^\n]*kept: cannot be written \({os.strerror(number)}\)$"):
        played().save(tmp_path / "kept")
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, signal, sys
sys.path[:0] = {paths!r}
import networkx as nx
import folkmoot as fm
law = fm.Bernoulli([[0.2, 0.8], [0.3, 0.7]])
result = fm.simulate(fm.UCB(), law, fm.Static(nx.path_graph(2)), horizon=2_000, engine="interpreted")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
try:
    result.save("kept")
except ValueError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files")
def test_a_result_is_saved_where_the_disk_takes_no_more(tmp_path):
    """The system itself refuses, after some bytes."""
    program = FULL.format(paths=[path for path in sys.path if path])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "folder kept: cannot be written (File too large)\n", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_names_of_300_characters(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = EXPERIMENT.format(base="complete", name="a")
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    (tmp_path / "b.toml").write_text(text.replace('"small"', f'"{LONG}"'), encoding="utf-8")
    refused(capsys, "xxx", "run", "b.toml")
    for words in (
        ["run", "a.toml", "--out", LONG],
        ["run", LONG],
        ["report", LONG],
        ["list", LONG],
        ["reproduce", LONG],
    ):
        refused(capsys, "xxx", *words)
    with pytest.raises(ValueError, match=r"^folder x+: cannot be written \(File name too long\)$"):
        played().save(LONG)


def test_an_algorithm_whose_name_has_300_characters(tmp_path):
    (tmp_path / "a.toml").write_text(EXPERIMENT.format(base="complete", name=LONG), encoding="utf-8")
    assert main(["run", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert list(fm.load(tmp_path / "out").name) == list(LONG)
    assert (tmp_path / "out" / "report.html").exists()


MARK = "\ufeff"


def test_a_byte_order_mark_in_a_file_of_edges(tmp_path):
    (tmp_path / "edges.txt").write_text(f"{MARK}0 1\n1 2\n", encoding="utf-8")
    assert named_graph(f"file:{tmp_path / 'edges.txt'}", 3).edges().tolist() == [[0, 1], [1, 2]]


def test_a_byte_order_mark_in_a_recording(tmp_path):
    from folkmoot.world.graphs import read_rounds

    (tmp_path / "links.txt").write_text(f"{MARK}1 0 1\n", encoding="utf-8")
    assert read_rounds(tmp_path / "links.txt") == {1: [(0, 1)]}


def test_a_byte_order_mark_in_a_log_of_ones_own(tmp_path):
    rows = "".join(f"{agent},{arm},{0.5}\n" for agent in range(2) for arm in range(2))
    (tmp_path / "log.csv").write_text(f"{MARK}agent,arm,reward\n{rows}", encoding="utf-8")
    assert fm.Replay.from_file(tmp_path / "log.csv").n_agents == 2


# Each is played once before, as this user: what Python itself consists of may not be readable for others.
HOMELESS = """
import os, sys
sys.path[:0] = {paths!r}
import networkx as nx
import folkmoot as fm
from folkmoot.cli import main
from folkmoot.simulation import compiled

def play(folder):
    law = fm.Bernoulli([[0.2, 0.8], [0.3, 0.7]])
    result = fm.simulate(fm.UCB(), law, fm.Static(nx.path_graph(2)), horizon=20, engine="interpreted")
    result.save(folder)
    fm.plot_regret({{"UCB": result}}).savefig(f"{{folder}}.png")
    assert compiled.compiler().njit(lambda x: x + 1)(1) == 2
    return main(["doctor"]) or main(["list", "algorithms"]) or main(["report", folder])

play("before")
os.setgid(54321)
os.setuid(54321)
del os.environ["HOME"]
print("folder of code:", compiled.cache_folder())
sys.exit(play("kept"))
"""


@needs_root
def test_no_home_and_a_user_that_nobody_knows(tmp_path):
    open_up(tmp_path)
    tmp_path.chmod(0o777)
    program = HOMELESS.format(paths=[path for path in sys.path if path])
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        umask=0, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "folder of code: None" in done.stdout
    assert not (tmp_path / "~").exists()
    assert (tmp_path / "kept" / "report.html").stat().st_uid == 54_321


def open_up(folder):
    """Others may go there: the folders that pytest makes are its user's alone."""
    for path in (folder, *folder.parents):
        if len(path.parts) > 2 and path.stat().st_uid == os.getuid():
            path.chmod(0o755)


MEMBER = """
import os, sys
sys.path[:0] = {paths!r}
import networkx as nx
from pathlib import Path
import folkmoot as fm
from folkmoot.experiments.outputs import make_folder
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.sweep import sweep

def play(folder, replicates):
    make_folder(folder)
    world = fm.Bernoulli([[0.2, 0.8], [0.3, 0.7]]), fm.Static(nx.path_graph(2))
    job = make_job(fm.UCB(), *world, horizon=20, engine="interpreted")
    return sweep([Cell("a", job)], replicates, folder / "log.jsonl", progress=False).resumed

play(Path("before-{user}"), 1)
os.setgid({group})
os.setuid({user})
os.umask(0o002)
print(play(Path("out"), {replicates}))
"""


@needs_root
def test_a_group_resumes_what_one_of_it_has_begun(tmp_path):
    open_up(tmp_path)
    tmp_path.chmod(0o777)
    said = []
    for user, replicates in ((54_321, 2), (54_322, 5)):
        program = MEMBER.format(paths=[p for p in sys.path if p], user=user, group=54_300, replicates=replicates)
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        said.append(done.stdout.strip() or done.stderr)
    assert said == ["0", "2"]


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path):
    """Nothing is written through it to somewhere else."""
    (tmp_path / "other").write_bytes(b"kept")
    (tmp_path / "file").symlink_to(tmp_path / "other")
    files.write_file(tmp_path / "file", b"new")
    assert (tmp_path / "other").read_bytes() == b"kept"
