"""Pipes, devices and nonsense in place of a node's small files: one line, and nobody waits, or ends others."""

import os
import shutil
import signal
import stat
import threading
from pathlib import Path

import pytest
from consortium import charter_of, seeds_of

from folkmoot.cli import main
from folkmoot.errors import DamagedFile
from folkmoot.files import read_plain
from folkmoot.machine import Moment, Put
from folkmoot.node.brought import CODE, CONTENTS, MODEL, enter_code
from folkmoot.node.care import backup, problems
from folkmoot.node.charter import MOST_BYTES
from folkmoot.node.folder import CARD, CHARTER, HTTP, LOG, TOKEN, Folder
from folkmoot.node.journal import Journal, told_height
from folkmoot.node.keys import FILE as KEY
from folkmoot.node.lock import LOCK, Lock
from folkmoot.node.process import Node
from folkmoot.node.resuming import check_whose
from folkmoot.node.store import FILE as STORE
from folkmoot.node.store import Store


def at_once(work):
    """What this gives, or how it fails; it may not wait for anybody."""
    found = []

    def run():
        try:
            found.append(work())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert found, "it waits"
    return found[0]


@pytest.fixture
def folder(tmp_path):
    made = Folder.make(tmp_path / "n", "site-0", "127.0.0.1:9000", seed=seeds_of(4)[0])
    made.join(charter_of(4))
    return made


def pipe(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def endless(path):
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [pipe, endless])
@pytest.mark.parametrize("name", [CARD, CHARTER, TOKEN, LOG])
def test_a_check_waits_for_nothing(folder, name, make):
    make(folder.path / name)
    said = at_once(lambda: list(problems(folder, "")))
    assert any((f"{name}: " in line and "it is no file" in line) or f"{name}: is no file" in line for line in said)


@pytest.mark.parametrize("make", [pipe, endless])
def test_what_a_folder_holds_is_read_from_files_alone(folder, make):
    for name, look in ((CARD, lambda: folder.card), (CHARTER, folder.charter), (HTTP, lambda: folder.url)):
        make(folder.path / name)
        assert str(at_once(look)).endswith("it is no file)")
    make(folder.path / KEY)
    assert "it is no file" in str(at_once(folder.seed))


@pytest.mark.parametrize("name", [CARD, CHARTER, TOKEN, KEY, MODEL, CODE, f"{CONTENTS}/ab/{'c' * 62}"])
def test_a_copy_takes_files_alone_and_ends(folder, tmp_path, name):
    (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
    endless(folder.path / name)
    said = at_once(lambda: backup(folder, tmp_path / "copy"))
    assert isinstance(said, ValueError)
    assert "it is no file" in str(said)
    assert not (tmp_path / "copy").exists()


def test_a_copy_has_the_permissions_of_what_it_is_of(folder, tmp_path):
    backup(folder, tmp_path / "copy")
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "copy").iterdir()}
    assert modes == {one.name: stat.S_IMODE(one.stat().st_mode) for one in folder.path.iterdir()}
    assert modes[KEY] == modes[TOKEN] == 0o600
    with open(folder.path / CARD, "ab") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ValueError, match=r"cannot be written \(card\.toml has more than 4194304 bytes\)"):
        backup(folder, tmp_path / "other")


def test_code_that_is_a_pipe_is_not_waited_for(folder):
    pipe(folder.path / CODE)
    assert "it is no file" in str(at_once(lambda: enter_code(folder.path)))


def test_a_link_to_a_file_is_read(tmp_path):
    (tmp_path / "there").write_bytes(b"12345")
    (tmp_path / "here").symlink_to("there")
    assert read_plain(tmp_path / "here", 3) == b"123"
    with pytest.raises(OSError, match="it is no file"):
        read_plain(tmp_path, 3)
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "nowhere", 3)


def test_the_store_of_another_member_or_charter_is_none_of_this_one(folder, tmp_path):
    """With it a node would tell another one's means as its own, and sign what it may have signed otherwise."""
    charter, other = folder.charter(), Folder.make(tmp_path / "o", "site-1", "127.0.0.1:9001", seed=seeds_of(4)[1])
    other.join(charter)
    Node(folder, folder.seed(), for_people=False).close()
    assert list(problems(folder, "")) == []
    Node(folder, folder.seed(), for_people=False).close()  # again
    shutil.copy(folder.path / STORE, other.path / STORE)
    with pytest.raises(DamagedFile, match=r"node\.sqlite: the store of another member, charter or epoch; put this"):
        Node(other, other.seed(), for_people=False)
    assert any(line.startswith("node.sqlite: the store of another member") for line in problems(other, ""))
    again = Folder.make(tmp_path / "a", "site-0", "127.0.0.1:9000", seed=seeds_of(4)[0])
    again.join(charter_of(4, rounds=31))
    shutil.copy(folder.path / STORE, again.path / STORE)
    assert any("node.sqlite: the store of another member" in line for line in problems(again, ""))


def test_a_key_and_a_card_are_of_one_member(folder, tmp_path):
    other = Folder.make(tmp_path / "o", "site-1", "127.0.0.1:9001", seed=seeds_of(4)[1])
    shutil.copy(other.path / KEY, folder.path / KEY)
    said = r"key\.json: not the key of the card beside it, of site-0; put both files of one member there"
    with pytest.raises(DamagedFile, match=said):
        folder.seed()
    assert any("not the key of the card beside it" in line for line in problems(folder, ""))


def test_a_store_of_before_is_taken_over(folder):
    store = Store(folder.path / STORE)
    store.store(Moment(3, 1), [Put("x", b"1")])
    store.close()
    Node(folder, folder.seed(), for_people=False).close()
    store = Store(folder.path / STORE)
    assert (store.position, store.values) == (Moment(3, 1), {"x": b"1"})
    check_whose(store, folder.charter(), folder.card.key)
    with pytest.raises(DamagedFile):
        check_whose(store, folder.charter(), bytes(32))
    store.close()


def test_a_journal_that_is_a_pipe_is_not_waited_for(tmp_path, capsys):
    pipe(tmp_path / LOG)
    journal = Journal(tmp_path / LOG, for_people=False)
    assert at_once(lambda: journal.write("started")) is None
    assert "log.jsonl: cannot be written" in capsys.readouterr().err


def test_a_journal_without_an_end_of_line_does_not_fill_the_memory(tmp_path):
    with open(tmp_path / LOG, "wb") as file:
        file.write(b'{"event": "block", "height": 7}\n')
        file.truncate(1 << 28)
    assert told_height(tmp_path / LOG) == 7


@pytest.mark.parametrize("words", ["-1", "0", "1", "", "x", "99999999999999999999", "9" * 6_000, "+2", " -5"])
def test_stop_ends_no_process_but_one_that_has_written_its_number(folder, words, monkeypatch, capsys):
    ended = []
    monkeypatch.setattr(os, "kill", lambda *about: ended.append(about))
    held = Lock(folder.path)
    (folder.path / LOCK).write_text(words)
    assert main(["node", "stop", str(folder.path)]) == 2
    assert "lock: expected the number of the process to be ended" in capsys.readouterr().err
    assert ended == []
    held.close()


def test_stop_ends_the_process_that_holds_the_folder(folder, monkeypatch, capsys):
    held = Lock(folder.path)
    ended = []
    monkeypatch.setattr(os, "kill", lambda *about: (ended.append(about), held.close()))
    assert main(["node", "stop", str(folder.path)]) == 0
    assert ended == [(os.getpid(), signal.SIGTERM)]
    assert Path(folder.path).name in capsys.readouterr().out
