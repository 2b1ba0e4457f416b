"""The example files play, with fewer replicates, and leave a report."""

import re
import tomllib
from pathlib import Path

import pytest

from folkmoot.cli import main

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.toml"))


def test_there_is_one_of_each_kind():
    assert [path.stem for path in EXAMPLES] == ["bandits", "chain", "consortium", "edge-servers"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_plays(tmp_path, capsys, path):
    if path.stem == "consortium":
        pytest.importorskip("sklearn", reason="needs the extra `multiparty`")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert tomllib.loads(text)["name"] == path.stem
    assert main(["run", str(path), "--out", str(tmp_path / "out"), "--replicates", "1", "--jobs", "1"]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert re.search(r"<img src=.data:image/svg", page)
    assert "failed" not in capsys.readouterr().err
