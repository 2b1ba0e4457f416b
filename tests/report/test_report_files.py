import matplotlib
import pytest
from made_results import make

from folkmoot.report.files import write_files

NAMES = {"regret.png", "regret.svg", "summary.csv", "curves.csv", "report.html"}


def test_the_same_results_give_the_same_files(tmp_path, results):
    contents = []
    for n in range(2):
        folder = tmp_path / str(n)
        folder.mkdir()
        with matplotlib.rc_context({"font.size": 6 + 9 * n, "svg.hashsalt": str(n)}):  # the user's settings
            write_files(folder, "T", results, "D")
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert set(contents[0]) == NAMES  # and no temporary file
    assert contents[0] == contents[1]
    assert contents[0]["regret.png"].startswith(b"\x89PNG")
    assert b"<dc:date>" not in contents[0]["regret.svg"]


def test_settings_are_put_back(tmp_path, results):
    before = dict(matplotlib.rcParams)
    write_files(tmp_path, "T", results)
    assert dict(matplotlib.rcParams) == before


def test_older_files_are_replaced_and_others_left(tmp_path):
    (tmp_path / "report.html").write_text("old")
    (tmp_path / "result.json").write_text("mine")
    write_files(tmp_path, "T", {"A": make(replicates=1)})
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "result.json").read_text() == "mine"


def test_a_missing_folder_is_refused(tmp_path, results):
    with pytest.raises(ValueError, match="existing folder"):
        write_files(tmp_path / "none", "T", results)


def test_a_bad_result_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="results"):
        write_files(tmp_path, "T", {"A": 1})
    assert not list(tmp_path.iterdir())
