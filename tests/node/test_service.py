"""The unit for systemd: systemd accepts it, and it does what the page on running a consortium says of exit statuses."""

import configparser
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from consortium import charter_of, seeds_of

from folkmoot.node.folder import Folder

UNIT = Path(__file__).resolve().parents[2] / "docs" / "systemd" / "folkmoot@.service"


def unit():
    read = configparser.RawConfigParser(strict=False, comment_prefixes=("#",), inline_comment_prefixes=None)
    read.optionxform = str
    read.read_string(UNIT.read_text(encoding="utf-8"))
    return read


def test_it_starts_again_what_could_not_go_on_and_nothing_that_makes_no_sense():
    service = unit()["Service"]
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"
    assert "--stay" in service["ExecStart"].split()
    assert service["Environment"] == "HTTP=127.0.0.1:8301"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: systemd)")
def test_systemd_accepts_it(tmp_path):
    """With a program that is there: what is looked at is the unit, not where folkmoot is installed."""
    there = shutil.which("true")
    text = UNIT.read_text(encoding="utf-8").replace("/usr/local/bin/folkmoot", there)
    assert there in text
    file = tmp_path / "folkmoot@.service"
    file.write_text(text)
    judged = [
        subprocess.run(["systemd-analyze", "verify", "--man=no", str(one)], capture_output=True, text=True, timeout=60)
        for one in (file, _with(tmp_path, text.replace("RestartSec=5", "RestartSeconds=5")))
    ]
    ours = ["\n".join(line for line in one.stderr.splitlines() if str(tmp_path) in line) for one in judged]
    assert (judged[0].returncode, ours[0]) == (0, "")
    assert "RestartSeconds" in ours[1]  # it can say no


def _with(folder, text):
    other = folder / "other"
    other.mkdir()
    (other / "folkmoot@.service").write_text(text)
    return other / "folkmoot@.service"


def test_what_may_be_better_later_ends_with_1_and_what_may_not_with_2(tmp_path):
    folder = Folder.make(tmp_path / "n", "site-0", "127.0.0.1:9000", seed=seeds_of(2)[0])
    folder.join(charter_of(2))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "folkmoot", "node", "run", str(folder.path), "--http"]
        ended = [subprocess.run([*command, http], capture_output=True, text=True) for http in (where, "0.0.0.0:80")]
    assert [one.returncode for one in ended] == [1, 2]
    assert [len(one.stderr.splitlines()) for one in ended] == [1, 1]
    assert f"stopped: {where}: Address already in use" in ended[0].stderr
