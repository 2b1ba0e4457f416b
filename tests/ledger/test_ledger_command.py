"""folkmoot ledger verify|show: exit status, one line, nothing written."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from made_ledgers import genesis, made

from folkmoot import ledger
from folkmoot.cli import main


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return made(tmp_path / "notes.ledger", 12)


def changed(path, statement):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def test_verify_a_good_ledger(path, capsys):
    tip = ledger.open(path).chain.tip.hex()
    before = path.read_bytes()
    assert main(["ledger", "verify", "notes.ledger"]) == 0
    assert capsys.readouterr() == (f"notes.ledger: 12 blocks, all good, tip {tip}\n", "")
    assert path.read_bytes() == before
    assert os.listdir() == ["notes.ledger"]


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE blocks SET data = data || x'00' WHERE height = 7", "block 7: stored as something else than bytes"),
        ("UPDATE blocks SET data = x'07' WHERE height = 7", "block 7: Malformed: byte 1: the data end in a length"),
        ("DELETE FROM blocks WHERE height = 4", "block 4: missing, the next one is block 5"),
        ("DELETE FROM blocks WHERE height = 12", "block 12: missing, the head row says there are 12 blocks"),
        ("DELETE FROM blocks WHERE height = 0", "block 0: missing, the next one is block 1"),
        ("DELETE FROM head", "block 12: the head row, which should name it, is missing or not readable"),
        (
            "UPDATE blocks SET data = (SELECT data FROM blocks WHERE height = 3) WHERE height = 5",
            "block 5: WrongHeight: height 3: the next block is 5",
        ),
    ],
)
def test_verify_names_the_first_bad_block(path, capsys, statement, line):
    changed(path, statement)
    assert main(["ledger", "verify", "notes.ledger"]) == 1
    assert capsys.readouterr() == ("", f"folkmoot: failed: notes.ledger: {line}\n")


@pytest.mark.parametrize("command", ["verify", "show"])
@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("PRAGMA user_version = 9", "a ledger file of version 9, only version 1 is understood"),
        ("PRAGMA application_id = 9", "not a ledger file"),
        ("CREATE TABLE more (x)", "not a ledger file: its tables are not those of version 1"),
    ],
)
def test_another_file_is_refused(path, capsys, command, statement, line):
    changed(path, statement)
    assert main(["ledger", command, "notes.ledger"]) == 2
    assert capsys.readouterr() == ("", f"folkmoot: error: notes.ledger: {line}\n")


@pytest.mark.parametrize("command", ["verify", "show"])
def test_no_file_and_no_database(path, capsys, command):
    assert main(["ledger", command, "absent.ledger"]) == 2
    assert capsys.readouterr() == ("", "folkmoot: error: absent.ledger: no such file\n")
    path.write_bytes(b"text" * 1000)
    assert main(["ledger", command, "notes.ledger"]) == 2
    expected = "folkmoot: error: notes.ledger: not a ledger file: file is not a database\n"
    assert capsys.readouterr() == ("", expected)


def test_show_the_last_blocks(path, capsys):
    last = [block.hash.hex()[:16] for block in ledger.open(path).blocks()]
    assert main(["ledger", "show", "notes.ledger"]) == 0
    first, header, *rows = capsys.readouterr().out.splitlines()
    assert first == f"notes.ledger: 12 blocks of kind notes, genesis {genesis(1, 1).hash.hex()}"
    assert header.split() == ["height", "hash", "begins", "records", "bytes", "signatures"]
    assert [row.split()[:2] for row in rows] == [[str(n), last[n - 1]] for n in range(3, 13)]
    assert rows[-1].split()[2:] == ["1", "7", "1"]


@pytest.mark.parametrize(("wanted", "shown"), [("0", 0), ("1", 1), ("5", 5), ("99", 12)])
def test_show_so_many(path, capsys, wanted, shown):
    assert main(["ledger", "show", "notes.ledger", "--blocks", wanted]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split()[0] for row in rows] == [str(n) for n in range(13 - shown, 13)]


def test_show_of_a_damaged_ledger_and_of_a_number_below_zero(path, capsys):
    changed(path, "UPDATE blocks SET data = x'ff' WHERE height = 9")
    assert main(["ledger", "show", "notes.ledger"]) == 2
    expected = "folkmoot: error: notes.ledger: block 9: Malformed: byte 1: unknown tag 255\n"
    assert capsys.readouterr() == ("", expected)
    assert main(["ledger", "show", "notes.ledger", "--blocks", "-1"]) == 2
    assert capsys.readouterr().err == "folkmoot: error: --blocks = -1: expected an integer of at least 0\n"


def test_a_kind_of_ones_own_is_entered_by_a_file(tmp_path):
    """In any folder, and by the command as it is installed, which does not look for modules in the current one."""
    rules = "from folkmoot import ledger\nfrom folkmoot.ledger.notes import NOTES as RULES\n"
    (tmp_path / "own.py").write_text(rules + "ledger.KINDS['own'] = 'own:RULES'\n")
    program = "import own, folkmoot.ledger as l; l.create('own.ledger', l.Genesis('own', ((b'k' * 32,), 1))).close()"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
    command = "import sys; sys.path.remove(''); from folkmoot.cli import main; sys.exit(main())"
    verify = [sys.executable, "-c", command, "ledger", "verify", "own.ledger"]
    done = subprocess.run([*verify, "--models", "own.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "kind = 'own': rules are known for" in done.stderr


def test_a_kind_whose_module_is_not_there(path, capsys, monkeypatch):
    monkeypatch.setitem(ledger.KINDS, "notes", "no_such_module:RULES")
    assert main(["ledger", "verify", "notes.ledger"]) == 2
    expected = "folkmoot: error: notes.ledger: kind = 'notes': no module 'no_such_module' with its rules is found\n"
    assert capsys.readouterr() == ("", expected)


def test_the_package_and_its_help_load_no_chain():
    """`folkmoot.ledger` is there when asked for, and neither it nor PyNaCl before."""
    program = (
        "import sys, folkmoot, folkmoot.cli as cli\n"
        "assert cli.main(['ledger', '--help']) in (0, None)\n"
        "heavy = {'nacl', 'numpy', 'sqlite3', 'folkmoot.ledger'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert folkmoot.ledger.open is sys.modules['folkmoot.ledger'].open\n"
        "assert 'ledger' in dir(folkmoot)\n"
        "assert 'folkmoot.ledger.notes' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "verify" in done.stdout
