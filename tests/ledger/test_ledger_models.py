"""A file given with --models is a user's: it may end in an error, never in silence, nor in a status of 0."""

import subprocess
import sys

import pytest
from made_ledgers import made

from folkmoot import ledger
from folkmoot.cli import main


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield made(tmp_path / "notes.ledger", 12)
    for name in [name for name in sys.modules if name == "folkmoot_own_models" or name.partition("_")[0] == "own"]:
        del sys.modules[name]


RAISED = {
    "raise SystemExit": "SystemExit",
    "raise SystemExit(0)": "SystemExit: 0",
    "import sys; sys.exit('bye')": "SystemExit: bye",
    "exit()": "SystemExit",
    "raise GeneratorExit": "GeneratorExit",
    "raise BaseException('out')": "BaseException: out",
    "class Rude(BaseException): pass\nraise Rude('two\\nlines \\x1b[2J')": "Rude: two lines ?[2J",
    "class Mute(Exception):\n    def __str__(self): raise SystemExit(0)\nraise Mute": "Mute: it cannot say what",
    "1 / 0": "ZeroDivisionError: division by zero",
    "raise ExceptionGroup('all', [ValueError()])": "ExceptionGroup: all (1 sub-exception)",
    "def f(): f()\nf()": "RecursionError: maximum recursion depth exceeded",
    "this is no Python": "SyntaxError: invalid syntax (own.py, line 1)",
    "raise FileNotFoundError(2, 'gone')": "cannot be read (gone)",
}


@pytest.mark.parametrize("text", RAISED)
def test_a_file_that_ends_the_program_is_an_error_and_what_was_not_verified_is_said(path, tmp_path, capsys, text):
    (tmp_path / "own.py").write_text(text)
    assert main(["ledger", "verify", "notes.ledger", "--models", "own.py"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"folkmoot: error: own.py: {RAISED[text]}")
    assert err.endswith("; notes.ledger is not verified\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["absent.py", "folder.py", "text.txt"])
def test_what_is_no_python_file_is_an_error(path, tmp_path, capsys, name):
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "text.txt").write_text("text")
    assert main(["ledger", "verify", "notes.ledger", "--models", name]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"folkmoot: error: {name}: ")


def test_an_interruption_is_an_interruption(path, tmp_path, capsys):
    (tmp_path / "own.py").write_text("raise KeyboardInterrupt")
    assert main(["ledger", "verify", "notes.ledger", "--models", "own.py"]) == 130
    assert capsys.readouterr() == ("", "folkmoot: interrupted; notes.ledger is not verified\n")


OWN = """
from folkmoot import ledger
from folkmoot.ledger.notes import Notes

class Own(Notes):
    def step(self, state, header, records):
        if header.height == 6:
            {}
        return super().step(state, header, records)

RULES = Own()
ledger.KINDS["notes"] = "{}:RULES"
"""


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise ValueError('seven\\nlines')", "ValueError: seven lines"),
        ("return 1 / 0", "ZeroDivisionError: division by zero"),
        ("raise GeneratorExit", "GeneratorExit"),
    ],
)
def test_rules_that_end_the_program_are_an_error_and_what_was_verified_is_said(path, capsys, tmp_path, raised, line):
    before = dict(ledger.KINDS)
    name = f"own_{abs(hash(raised))}"
    (tmp_path / f"{name}.py").write_text(OWN.format(raised, name))
    try:
        assert main(["ledger", "verify", "notes.ledger", "--models", f"{name}.py"]) == 2
    finally:
        ledger.KINDS.update(before)
    found = f"notes.ledger: what {name}.py entered ended in {line}, after 5 good blocks"
    assert capsys.readouterr() == ("", f"folkmoot: error: {found}\n")


def test_a_damaged_ledger_is_never_passed_by_a_file_that_ends_the_program(path, tmp_path):
    """As a program of its own: what is printed, and the status that a shell sees."""
    path.write_bytes(path.read_bytes()[:9000])
    (tmp_path / "own.py").write_text("import sys\nsys.exit(0)\n")
    command = "import sys; from folkmoot.cli import main; sys.exit(main())"
    verify = [sys.executable, "-c", command, "ledger", "verify", "notes.ledger", "--models", "own.py"]
    done = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
