"""Names that lead to a ledger file, or away from it: links, other names, folders that are read only, other threads."""

import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from made_ledgers import genesis, made, signed

from folkmoot import ledger
from folkmoot.cli import main
from folkmoot.ledger import file as files
from folkmoot.ledger import place as places

posix = pytest.mark.skipif(sys.platform == "win32", reason="links, permissions and forks as POSIX has them")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.ledger"


class Named:
    """Rules of a chain whose records are names of contents."""

    def genesis(self, configuration, contents):
        return contents

    def signers(self, state, records):
        return ledger.Signers(frozenset(), 0)

    def step(self, state, header, records):
        for record in records:
            state.get(record)
        return state


NAMED = Named()


def with_contents(path, monkeypatch):
    monkeypatch.setitem(ledger.KINDS, "named", f"{__name__}:NAMED")
    with ledger.create(path, ledger.Genesis("named", None)) as book:
        for n in range(3):
            book.append(ledger.propose(book.chain, [book.contents.put(b"%d" % n)]))
    return path


# --- Links to a ledger ------------------------------------------------------------------------------------------------


@posix
def test_a_link_to_a_ledger_with_a_live_writer_shows_what_was_stored_last(tmp_path, path, capsys):
    link, chain = tmp_path / "link", tmp_path / "chain"
    link.symlink_to(path.name)
    chain.symlink_to(link)
    with ledger.create(path, genesis(1)) as writer:
        for _ in range(5):
            writer.append(signed(writer.chain, keys=1))
        for name in (link, chain):
            assert ledger.open(name).verify() == ledger.Verification(5, writer.chain.tip)
            assert ledger.open(name).height == len(list(ledger.open(name).blocks())) == 5
        assert main(["ledger", "verify", str(chain)]) == 0
        expected = f"{chain} (a link to {path}): 5 blocks, all good, tip {writer.chain.tip.hex()}\n"
        assert capsys.readouterr().out == expected


@posix
def test_who_appends_through_a_link_writes_to_the_file_and_beside_it(tmp_path, path):
    made(path, 2)
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(path)
    with ledger.open(link) as book:
        book.append(signed(book.chain, keys=1))
        assert [entry.name for entry in link.parent.iterdir()] == ["link"]
        assert ledger.open(path).verify().blocks == 3


@posix
def test_contents_are_found_beside_the_file_that_a_link_leads_to(tmp_path, path, monkeypatch):
    with_contents(path, monkeypatch)
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(path)
    assert ledger.open(link).verify().blocks == 3
    assert ledger.beside(link).path == tmp_path / "notes.ledger.contents"


@posix
def test_contents_in_a_folder_that_is_a_link_are_found_and_a_link_to_nowhere_is_said(tmp_path, path, monkeypatch):
    with_contents(path, monkeypatch)
    folder, moved = Path(f"{path}.contents"), tmp_path / "moved"
    folder.rename(moved)
    assert "notes.ledger.contents is no folder" in ledger.open(path).verify().reason
    folder.symlink_to(moved)
    assert ledger.open(path).verify().blocks == 3
    folder.unlink()
    for target in ("nowhere", folder.name):  # dangling, and in a circle
        folder.symlink_to(target)
        verdict = ledger.open(path).verify()
        assert verdict.bad == 1
        assert verdict.reason.startswith("MissingContent: content ")
        folder.unlink()


@posix
@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("nowhere", "link (a link to {}/nowhere): a link that leads to no file that can be opened: N"),
        ("link", "link: a link that leads in a circle"),
    ],
)
def test_links_that_lead_nowhere_are_named(tmp_path, monkeypatch, capsys, target, line):
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to(target)
    assert main(["ledger", "verify", "link"]) == 2
    assert capsys.readouterr().err.startswith("folkmoot: error: " + line.format(tmp_path))


@posix
def test_a_new_ledger_in_the_place_of_a_link_to_nowhere_is_told_so(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(ValueError, match=r"link \(a link to .*nowhere\): a link that leads nowhere, a new"):
        ledger.create(tmp_path / "link", genesis(1))


@posix
def test_damage_behind_a_link_names_the_link_and_the_file(tmp_path, path):
    made(path, 3)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE blocks SET data = x'ff' WHERE height = 2")
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(ledger.DamagedLedger) as caught:
        _ = ledger.open(link).chain
    assert str(caught.value) == f"{link} (a link to {path}): block 2: Malformed: byte 1: unknown tag 255"


@posix
def test_a_file_with_a_second_name_is_refused_for_its_writer_may_use_that_one(tmp_path, path):
    with ledger.create(path, genesis(1)) as writer:
        writer.append(signed(writer.chain, keys=1))
        os.link(path, tmp_path / "second")
        with pytest.raises(ledger.UnreadableLedger, match=r"second: has 2 names \(hard links\)"):
            ledger.open(tmp_path / "second")
        os.unlink(tmp_path / "second")
        writer.append(signed(writer.chain, keys=1))
    assert ledger.open(path).verify().blocks == 2


@posix
@pytest.mark.parametrize("make", [Path.mkdir, lambda wal: wal.symlink_to("nowhere"), os.mkfifo])
def test_what_is_no_file_beside_a_ledger_is_refused(path, make):
    made(path, 2)
    make(Path(f"{path}-wal"))
    with pytest.raises(ledger.UnreadableLedger, match=r"notes.ledger: beside it, notes.ledger-wal is not an ordinary"):
        ledger.open(path)


# --- Files that are replaced while they are open ----------------------------------------------------------------------


def refused(book, path):
    """An append that is not acknowledged; then the file of this name is as it was."""
    before = path.read_bytes() if path.exists() else None
    height = book.chain.height
    block = signed(book.chain, keys=1)
    with pytest.raises(ledger.NotStored, match=f"block {height + 1} is not stored: it was moved, removed or"):
        book.append(block)
    assert (path.read_bytes() if path.exists() else None) == before


@posix
def test_a_file_that_is_removed_under_an_open_ledger_takes_no_more_blocks(path):
    book = ledger.open(made(path, 2))
    book.append(signed(book.chain, keys=1))
    path.unlink()
    refused(book, path)
    with pytest.raises(ledger.UnreadableLedger, match="no such file"):
        _ = book.chain


@posix
@pytest.mark.parametrize("how", [os.rename, os.replace])
def test_a_file_that_is_moved_away_takes_no_more_blocks_until_it_is_back(tmp_path, path, how):
    book = ledger.open(made(path, 2))
    book.append(signed(book.chain, keys=1))
    how(path, tmp_path / "moved")
    refused(book, path)
    how(tmp_path / "moved", path)
    assert book.append(signed(book.chain, keys=1)).height == 4
    book.close()
    assert ledger.open(path).verify().blocks == 4


@posix
def test_a_file_that_is_replaced_by_a_copy_takes_no_more_blocks_from_who_held_the_old_one(tmp_path, path):
    book = ledger.open(made(path, 2))
    book.append(signed(book.chain, keys=1))
    book._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(path, tmp_path / "copy")
    os.replace(tmp_path / "copy", path)
    refused(book, path)
    assert book.append(signed(book.chain, keys=1)).height == 4  # opened anew, and verified anew
    book.close()
    assert ledger.open(path).verify().blocks == 4


@posix
def test_a_file_that_is_replaced_between_its_verification_and_the_first_append_is_verified_anew(tmp_path, path):
    book = ledger.open(made(path, 3))
    block = signed(book.chain, keys=1)
    shutil.copy(path, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as database, database:
        database.execute("UPDATE blocks SET data = x'07' WHERE height = 2")
    os.replace(tmp_path / "copy", path)
    with pytest.raises(ledger.NotStored, match="was moved, removed or replaced"):
        book.append(block)
    with pytest.raises(ledger.DamagedLedger, match=r"notes\.ledger: block 2: "):
        book.append(block)


@posix
def test_a_write_ahead_log_that_is_removed_takes_no_more_blocks(path):
    book = ledger.open(made(path, 2))
    book.append(signed(book.chain, keys=1))
    os.unlink(f"{path}-wal")
    with pytest.raises(ledger.NotStored, match="block 4 is not stored: the file beside it that ends in -wal was moved"):
        book.append(signed(book.chain, keys=1))
    assert ledger.open(path).verify().blocks == 3  # the third, which was acknowledged, is not lost
    assert book.append(signed(book.chain, keys=1)).height == 4


@posix
def test_a_folder_that_is_moved_takes_no_more_blocks(tmp_path):
    path = tmp_path / "folder" / "notes.ledger"
    path.parent.mkdir()
    book = ledger.open(made(path, 2))
    book.append(signed(book.chain, keys=1))
    path.parent.rename(tmp_path / "moved")
    refused(book, path)


@posix
def test_a_link_that_leads_elsewhere_now_takes_no_more_blocks(tmp_path, path):
    made(path, 2)
    made(tmp_path / "other", 2)
    link = tmp_path / "link.notes.ledger"
    link.symlink_to(path)
    book = ledger.open(link)
    book.append(signed(book.chain, keys=1))
    link.unlink()
    link.symlink_to(tmp_path / "other")
    with pytest.raises(ledger.NotStored, match="is not stored: it was moved, removed or replaced"):
        book.append(signed(book.chain, keys=1))
    assert ledger.open(tmp_path / "other").verify().blocks == 2


def test_a_change_of_folder_does_not_change_the_ledger(tmp_path, path, monkeypatch):
    made(path, 2)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    with ledger.open("notes.ledger") as book:
        monkeypatch.chdir(tmp_path / "other")
        book.append(signed(book.chain, keys=1))
        assert book.verify().blocks == 3


# --- Threads and forks ------------------------------------------------------------------------------------------------


def test_any_thread_may_append(path):
    book = ledger.open(made(path, 2))
    book.append(signed(book.chain, keys=1))
    raised = []

    def appended():
        for _ in range(10):
            try:
                with lock:
                    book.append(signed(book.chain, keys=1))
            except Exception as error:
                raised.append(error)

    lock = threading.Lock()  # a block follows on the one before: who proposes must not be overtaken
    threads = [threading.Thread(target=appended) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    assert book.chain.height == 33
    blocks = book.blocks()
    assert next(blocks).header.height == 1
    thread = threading.Thread(target=lambda: raised.append(len(list(blocks))))
    thread.start()
    thread.join()
    assert raised == [32]
    book.close()
    assert ledger.open(path).verify().blocks == 33


def test_threads_that_append_without_asking_one_another_lose_nothing(path):
    book = ledger.open(made(path, 2))
    outcomes = []

    def appended():
        for _ in range(20):
            try:
                book.append(signed(book.chain, keys=1))
                outcomes.append(True)
            except (ledger.InvalidBlock, ledger.NotStored):
                outcomes.append(False)

    threads = [threading.Thread(target=appended) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 80
    assert ledger.open(path).verify().blocks == 2 + sum(outcomes)


@posix
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_does_not_use_its_parents_connection(path):
    book = ledger.open(made(path, 2))
    book.append(signed(book.chain, keys=1))
    child = os.fork()
    if child == 0:
        try:
            book.append(signed(book.chain, keys=1))
        except ledger.NotStored as error:
            os._exit(7 if "opened before this process was forked" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert book.append(signed(book.chain, keys=1)).height == 4
    book.close()
    assert ledger.open(path).verify().blocks == 4


# --- Folders that are read only, and names ----------------------------------------------------------------------------


@contextmanager
def read_only(folder, second=0o444):
    """Nobody may write there, nor may root, who is somebody else meanwhile; what may be done with the second file."""
    modes = {entry: entry.stat().st_mode for entry in (folder, *folder.iterdir())}
    for entry in modes:
        entry.chmod(0o555 if entry.is_dir() else second if entry.name.endswith("-wal") else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for entry, mode in modes.items():
            entry.chmod(stat.S_IMODE(mode))


@pytest.fixture
def left_behind():
    """A ledger of five blocks whose writer was killed: the last three are in the second file."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "away" / "notes.ledger"
        path.parent.mkdir()
        Path(name).chmod(0o755)
        made(path.parent / "first", 2)
        writer = ledger.open(path.parent / "first")
        for _ in range(3):
            writer.append(signed(writer.chain, keys=1))
        for ending in ("", "-wal"):
            shutil.copy(path.parent / f"first{ending}", f"{path}{ending}")
        writer.close()
        (path.parent / "first").unlink()
        yield path


@posix
def test_a_ledger_left_behind_in_a_folder_that_is_read_only_is_read(left_behind, capsys):
    assert main(["ledger", "show", str(left_behind)]) == 0  # what prints is loaded: root's libraries are its own
    Path(f"{left_behind}-shm").unlink()
    with read_only(left_behind.parent):
        with pytest.raises(OSError, match="denied"):
            (left_behind.parent / "new").touch()
        verdict = ledger.open(left_behind).verify()
        assert main(["ledger", "verify", str(left_behind)]) == 0
        assert main(["ledger", "show", str(left_behind)]) == 0
    assert verdict.blocks == 5
    assert "5 blocks, all good" in capsys.readouterr().out
    assert sorted(entry.name for entry in left_behind.parent.iterdir()) == ["notes.ledger", "notes.ledger-wal"]
    assert ledger.open(left_behind).verify() == verdict


@posix
def test_a_ledger_that_is_read_only_takes_no_blocks_and_says_so(left_behind):
    book = ledger.open(left_behind)
    block = signed(book.chain, keys=1)
    with read_only(left_behind.parent), pytest.raises(ledger.NotStored, match="block 6 is not stored: "):
        book.append(block)
    assert book.append(block).height == 6
    book.close()


@posix
def test_a_second_file_that_may_not_be_read_is_the_reason_given(left_behind):
    denied = pytest.raises(ledger.UnreadableLedger, match="cannot be copied: Permission denied")
    with read_only(left_behind.parent, 0), denied:
        ledger.open(left_behind)


@posix
def test_where_the_copy_has_no_room_it_is_said(left_behind, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.shutil, "copyfile", full)
    with read_only(left_behind.parent), pytest.raises(ledger.UnreadableLedger, match="copied: No space left on device"):
        ledger.open(left_behind)


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_new_ledgers_get_the_permissions_of_the_users_mask(path, mask):
    before = os.umask(mask)
    try:
        made(path, 2)
        ledger.beside(path).put(b"more")
    finally:
        os.umask(before)
    for entry in [path, *Path(f"{path}.contents").rglob("*")]:
        wanted = 0o777 if entry.is_dir() else 0o666
        assert stat.S_IMODE(entry.stat().st_mode) == wanted & ~mask, entry


NAMES = ["a b", "50%", "what?mode=memory", "#1", "%2e%2e", "new\nline", "tab\t", "ü", "a&b=c;d", "'quoted\"", "-x"]


@posix
@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"not UTF-8 \xff")])
def test_odd_names_are_read_written_and_printed(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    folder = Path(name)
    folder.mkdir()
    path = made(folder / name, 2)
    with ledger.open(path) as book:
        book.append(signed(book.chain, keys=1))
        assert ledger.open(path).verify().blocks == 3  # the second file is found too
    assert [entry.name for entry in folder.iterdir()] == [name]
    assert main(["ledger", "verify", str(path)] if name != "-x" else ["ledger", "verify", f"./{path}"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert ": 3 blocks, all good" in out
    assert main(["ledger", "verify", str(path / "absent")] if name != "-x" else ["ledger", "show", "./-x/y"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.endswith(": no such file\n")


def test_names_that_are_too_long_are_refused_with_the_reason(tmp_path):
    with pytest.raises(ValueError, match=r"a name of 250 bytes in a path of .*at most 246 and 500 are allowed"):
        ledger.create(tmp_path / ("n" * 250), genesis(1))
    made(tmp_path / ("n" * 246), 2)
    ledger.beside(tmp_path / ("n" * 246)).put(b"")
    deep = tmp_path
    while len(str(deep)) < 500:
        deep = deep / ("d" * 100)
    deep.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"a name of 1 bytes in a path of .*at most 246 and 500 are allowed"):
        ledger.create(deep / "n", genesis(1))
    shutil.copy(tmp_path / ("n" * 246), deep / "n")
    with pytest.raises(ledger.UnreadableLedger, match="a path of more than 500 bytes, which SQLite does not open"):
        ledger.open(deep / "n")
    with pytest.raises(ledger.UnreadableLedger, match=r"cannot be opened: File name too long|no such file"):
        ledger.open(tmp_path / ("n" * 300))


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (PurePosixPath("/a b/c?d#e%41"), "file:///a%20b/c%3Fd%23e%2541?mode=ro"),
        (PureWindowsPath(r"C:\a b\c.ledger"), "file:///C:/a%20b/c.ledger?mode=ro"),
        (PureWindowsPath(r"\\server\share\a b"), "file:////server/share/a%20b?mode=ro"),
    ],
)
def test_addresses_for_sqlite_have_no_host(path, uri):
    assert places.address(path, "mode=ro") == uri


@posix
def test_sqlite_opens_a_path_with_two_strokes_at_its_beginning(path):
    """As the address of a path of Windows with a server has them."""
    made(path, 1)
    with closing(sqlite3.connect(f"file:///{path}?mode=ro", uri=True)) as database:
        assert database.execute("SELECT count(*) FROM blocks").fetchone() == (2,)


@posix
def test_a_terminal_that_knows_no_umlauts_is_no_reason_to_fail(tmp_path):
    made(tmp_path / "ü.ledger", 1)
    command = [sys.executable, "-c", "import sys; from folkmoot.cli import main; sys.exit(main())"]
    done = subprocess.run(
        [*command, "ledger", "verify", "ü.ledger"],
        cwd=tmp_path,
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(ledger.__file__).parents[2])},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"\\xfc.ledger: 1 blocks, all good")
