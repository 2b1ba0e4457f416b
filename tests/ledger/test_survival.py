"""Killed at any moment, or on a full disk: every acknowledged block is there, and no half block."""

import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import made_ledgers
import pytest
from made_ledgers import genesis, made, signed

from folkmoot import ledger

resource = pytest.importorskip("resource", reason="limits and signals as POSIX has them")

FILES, KILLS, BLOCKS = 4, 3, 250  # 250 blocks on average before each kill


@pytest.fixture
def folder(tmp_path):
    """In memory where there is such a place: a kill, unlike a power cut, does not care, and it is much faster."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path) as name:
        yield Path(name)


def child(path, size):
    command = [sys.executable, made_ledgers.__file__, str(path), str(size)]
    folders = [str(Path(ledger.__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)})


@pytest.mark.parametrize("seed", range(FILES))
def test_a_writer_killed_at_random_points_loses_nothing_it_acknowledged(folder, seed):
    path = folder / "notes.ledger"
    ledger.create(path, genesis(1))
    dice = random.Random(seed)
    acknowledged = 0
    for _ in range(KILLS):
        writer = child(path, 100)
        for _ in range(dice.randrange(1, 2 * BLOCKS)):
            acknowledged = int(writer.stdout.readline())
        for _ in range(dice.randrange(20_000)):  # some way into the next append
            pass
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
        assert writer.wait() == -signal.SIGKILL
        acknowledged = int(rest[-1]) if rest else acknowledged
        verdict = ledger.open(path).verify()
        assert verdict.ok, verdict
        # The one more was stored when the writer was killed before it could say so.
        assert acknowledged <= verdict.blocks <= acknowledged + 1
    assert acknowledged > KILLS * BLOCKS / 4


def appended(path, count, records=(b"x" * 2000,)):
    """Append up to so many blocks; how many were stored, and why it ended."""
    with ledger.open(path) as book:
        for n in range(count):
            try:
                book.append(signed(book.chain, records, 1))
            except ledger.NotStored as error:
                return n, error
        return count, None


def test_a_full_database_is_said_and_the_chain_stays_valid(tmp_path):
    path = made(tmp_path / "notes.ledger", 3)
    book = ledger.open(path)
    book.append(signed(book.chain, keys=1))
    (pages,) = book._writer.execute("PRAGMA page_count").fetchone()
    book._writer.execute(f"PRAGMA max_page_count = {pages + 3}")
    while (stored := book.chain.height) < 14:
        try:
            book.append(signed(book.chain, [b"x" * 2000], 1))
        except ledger.NotStored as error:
            refused = str(error)
            break
    assert 4 < stored < 14
    assert f"block {stored + 1} is not stored: database or disk is full; the {stored} before it are" in refused
    assert ledger.open(path).verify() == ledger.Verification(stored, book.chain.tip)
    # A new connection has no such limit: there is room again.
    assert book.append(signed(book.chain, [b"x" * 20_000], 1)).height == stored + 1


def test_a_disk_that_takes_no_more(tmp_path):
    """The file system refuses to let any file grow beyond a size: the same errors as a full disk, in a child."""
    path = made(tmp_path / "notes.ledger", 3)
    limit = path.stat().st_size + 60_000
    writer = subprocess.Popen(
        [sys.executable, made_ledgers.__file__, str(path), "2000"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(ledger.__file__).parents[2])},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    *heights, refused = writer.stdout.read().decode().splitlines()
    assert writer.wait() == 0
    stored = int(heights[-1])
    assert stored > 5
    assert f"block {stored + 1} is not stored: " in refused
    assert f"the {stored} before it are" in refused
    verdict = ledger.open(path).verify()
    assert verdict.ok
    assert verdict.blocks == stored
    assert appended(path, 3) == (3, None)
    assert ledger.open(path).verify().blocks == stored + 3


def test_a_file_too_full_for_its_genesis_is_not_left_behind(tmp_path):
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "from made_ledgers import genesis\n"
        "from folkmoot import ledger\n"
        "try:\n"
        "    ledger.create('notes.ledger', genesis())\n"
        "except ledger.NotStored as error:\n"
        "    print(error)\n"
    )
    folders = [str(Path(ledger.__file__).parents[2]), str(Path(made_ledgers.__file__).parent)]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(folders), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout.startswith("notes.ledger: cannot be created: "), done.stderr
    assert list(tmp_path.iterdir()) == []
