"""A game's ledger as a user meets it: what is refused, in one line; what is wrong in a file; a disk that is full."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nacl.signing import SigningKey

import folkmoot as fm
from folkmoot.agreement.identity import Identity
from folkmoot.bc_ucb.records import REPORT, RoundRecord, report_words
from folkmoot.bc_ucb.rules import KIND
from folkmoot.cli import main
from folkmoot.comparison import ristretto
from folkmoot.encoding import digest
from folkmoot.ledger import notes, rules
from folkmoot.ledger.block import Block, draft
from folkmoot.ledger.file import next_seal

FOUR = fm.Bernoulli((0.3, 0.8), n_agents=4)
SEEDS = [digest("participant", (0, 0, number)) for number in range(4)]  # as protocol.py has them
NAME = "game.ledger"


def game(horizon=14, **more):
    """Ten rounds of burn-in, and a few on the chain."""
    given = {"horizon": horizon, "fidelity": "protocol", "progress": False, "malicious": [3], **more}
    return fm.simulate_chain(fm.BCUCB(), FOUR, attack=fm.SignFlip(), **given)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")


# --- Refused before anything is written ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ledger": 3}, "ledger = 3: expected the name of a file"),
        ({"ledger": b"x"}, "ledger = b'x': expected the name of a file"),
        ({"ledger": ""}, "ledger = '': expected the name of a file"),
        ({"ledger": "x\0y"}, r"ledger = 'x\\x00y': expected the name of a file"),
        ({"ledger": ".."}, r"ledger = '\.\.': expected the name of a file"),
        ({"ledger": Path(NAME), "replicates": 2}, "ledger: holds the chain of one replicate, got replicates = 2"),
        ({"ledger": NAME, "fidelity": "ideal"}, "ledger: only with fidelity = 'protocol', this one is 'ideal'"),
        ({"faults": fm.Faults}, r"faults = the class Faults: expected folkmoot.Faults\(drop=0.1, ...\)"),
        ({"private_comparison": "trust"}, "private_comparison = 'trust': allowed are 'ideal', 'pairwise', 'mpyc'"),
        ({"sortition": "vote"}, "sortition = 'vote': allowed are 'coin', 'vrf'"),
        ({"malicious": 3}, r"malicious = 3: expected numbers of participants, such as \[0, 3\]"),
    ],
)
def test_a_game_that_cannot_be_is_refused_in_one_line(change, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        game(**change)
    assert os.listdir() == []


@pytest.mark.parametrize("how", ["pairwise", "mpyc"])
def test_more_arms_than_can_be_compared_are_refused_at_once(how):
    many = fm.Bernoulli(np.linspace(0, 1, 1025), n_agents=4)
    said = f"private_comparison = '{how}': at most 1024 arms are compared, these are 1025"
    with pytest.raises(ValueError, match=f"^{said}$"):
        fm.simulate_chain(fm.BCUCB(burn_in=1025), many, horizon=1030, fidelity="protocol", private_comparison=how)


@pytest.mark.parametrize("path", [NAME, Path(NAME)])
def test_a_file_that_is_there_is_left_alone(path):
    Path(NAME).write_bytes(b"precious")
    with pytest.raises(ValueError, match=rf"^ledger {NAME}: exists; choose another file$"):
        game(ledger=path)
    assert Path(NAME).read_bytes() == b"precious"


def test_a_folder_that_is_not_there():
    with pytest.raises(fm.ledger.NotStored, match=r"^no/game\.ledger: cannot be created: No such file or directory$"):
        game(ledger=f"no/{NAME}")


@pytest.mark.parametrize(("how", "module", "package"), [("pairwise", "rbcl", "rbcl"), ("mpyc", "mpyc.runtime", "mpyc")])
def test_a_comparison_without_its_extra_is_said_before_a_file_is_made(monkeypatch, how, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    ristretto._sodium.cache_clear()
    with pytest.raises(
        ValueError, match=rf"'{how}': .* needs the package {package}: pip install 'folkmoot\[private\]'"
    ):
        game(private_comparison=how, ledger=NAME)
    ristretto._sodium.cache_clear()
    assert os.listdir() == []


def test_classes_in_the_place_of_objects_are_called_classes():
    with pytest.raises(ValueError, match=r"^attack = the class SignFlip: expected an attack such as"):
        fm.simulate_chain(fm.BCUCB(), FOUR, horizon=20, attack=fm.SignFlip)
    with pytest.raises(ValueError, match=r"^algorithm = the class BCUCB: on a chain expected"):
        fm.simulate_chain(fm.BCUCB, FOUR, horizon=20)


# --- Files of others -----------------------------------------------------------------------------------------------


def stored(change_genesis=lambda data: data, change_last=lambda block: block):
    """A game's file, changed on purpose by somebody who computes seals and the head anew; heights."""
    game(ledger=NAME)
    with closing(sqlite3.connect(NAME)) as database, database:
        rows = [data for (data,) in database.execute("SELECT data FROM blocks ORDER BY height")]
        rows[0] = change_genesis(rows[0])
        last = change_last(Block.from_bytes(rows[-1]))
        rows[-1], seal = last.to_bytes(), b""
        for height, data in enumerate(rows):
            seal = next_seal(seal, data)
            database.execute("UPDATE blocks SET data = ?, seal = ? WHERE height = ?", (data, seal, height))
        database.execute("UPDATE head SET tip = ?, seal = ?", (last.hash, seal))
    return len(rows) - 1


def signed_by_a_stranger(block):
    return block.signed(STRANGER)


def signed_by_two(block):
    return replace(block, signatures=block.signatures[:2])


def signed_on_another_block(block):
    key, signature = block.signatures[0]
    return replace(block, signatures=((key, signature[:-1] + bytes([signature[-1] ^ 1])), *block.signatures[1:]))


def signed_again(block, record):
    """By all participants, who conspire: over another record."""
    fresh = draft(KIND, block.header.height, block.header.previous, (record.to_bytes(),))
    return fresh.signed(*map(SigningKey, SEEDS))


def reported_by_nobody(block):
    record = RoundRecord.from_bytes(block.records[0], 4, 2)
    return signed_again(
        block, record._replace(reports=(*record.reports[:-1], record.reports[-1]._replace(participant=9)))
    )


def reported_in_anothers_name(block):
    record = RoundRecord.from_bytes(block.records[0], 4, 2)
    first = record.reports[0]
    origin = fm.ledger.open(NAME).chain.state.origin
    words = report_words(origin, block.header.previous, record.round, 0, first.body)
    forged = first._replace(signature=Identity(SEEDS[1]).sign(REPORT, words))
    return signed_again(block, record._replace(reports=(forged, *record.reports[1:])))


def paid_more(block):
    record = RoundRecord.from_bytes(block.records[0], 4, 2)
    return signed_again(block, record._replace(paid=record.paid + 1))


STRANGER = SigningKey(b"s" * 32)
DAMAGE = {
    signed_by_a_stranger: f"UnknownSigner: key {STRANGER.verify_key.encode().hex()} has no say in this block",
    signed_by_two: "MissingSignature: 2 signatures: 3 are needed",
    signed_on_another_block: "BadSignature: the signature of ",
    reported_by_nobody: "RefusedRecord: reports: expected participants' numbers in ascending order, each once",
    reported_in_anothers_name: "RefusedRecord: the report of participant 0 is not signed by it",
    paid_more: "RefusedRecord: paid: not what follows from the sets and the reports",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_bad_block_is_named_with_its_reason(capsys, damage):
    height = stored(change_last=damage)
    assert height > 2
    assert main(["ledger", "verify", NAME]) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(f"folkmoot: failed: {NAME}: block {height}: {DAMAGE[damage]}")
    assert error.count("\n") == 1
    assert main(["ledger", "show", NAME, "--blocks", "1"]) == 0
    assert f"{NAME}: {height} blocks of kind {KIND}" in capsys.readouterr().out


def test_a_file_that_nobody_has_changed_is_good(capsys):
    """Guards the above: `stored` alone does no damage."""
    height = stored()
    assert main(["ledger", "verify", NAME]) == 0
    assert capsys.readouterr().out.startswith(f"{NAME}: {height} blocks, all good, tip ")


@pytest.mark.parametrize("environment", [False, True])
def test_accounts_are_shown_and_what_rewards_are_worth(capsys, environment):
    """What was earned, what malicious estimates cost: cases in which all blocks hold the one liar's report."""
    game = {"horizon": 14, "malicious": [3], "attack": fm.Drift(value=0.0), "fidelity": "protocol", "ledger": NAME}
    fm.simulate_chain(fm.BCUCB(cost=0.25), FOUR, environment=environment, seed=2, progress=False, **game)
    accounts = fm.ledger.open(NAME).chain.state.accounts
    capsys.readouterr()
    assert main(["ledger", "show", "--blocks", "0", "--accounts", NAME]) == 0
    _, *notes, header, a, b, c, d = capsys.readouterr().out.splitlines()
    rows, sentence = (a, b, c, d), " ".join(notes)
    assert all(note.startswith("note: ") for note in notes[:-1])
    assert ("signed by the environment" if environment else "what participants claim") in sentence
    assert header.split() == ["participant", "earned", "costs", "trust", "faults"]
    assert [row.split()[1] for row in rows] == [f"{earned / 2**32:.6f}" for earned in accounts.earned]
    assert float(rows[0].split()[2]) == (-float(rows[3].split()[2]) if environment else 0)
    assert (float(rows[0].split()[2]) > 0) is environment


def test_a_kind_without_accounts_says_so(capsys):
    fm.ledger.create("notes.ledger", fm.ledger.Genesis("notes", notes.configuration((bytes(range(32)),)))).close()
    assert main(["ledger", "show", "--accounts", "notes.ledger"]) == 2
    assert "a chain of kind 'notes' keeps none that can be shown" in capsys.readouterr().err


def of_version_two(data):
    return replace(fm.ledger.Genesis.from_bytes(data), version=2).to_bytes()


def test_a_chain_of_another_version(capsys):
    stored(of_version_two)
    assert main(["ledger", "verify", NAME]) == 2
    said = f"folkmoot: error: {NAME}: chain of version 2: only version 1 is understood\n"
    assert capsys.readouterr() == ("", said)


def test_a_chain_of_an_unknown_kind(capsys, monkeypatch):
    stored()
    monkeypatch.delitem(rules.KINDS, KIND)
    assert main(["ledger", "verify", NAME]) == 2
    assert capsys.readouterr().err == f"folkmoot: error: {NAME}: kind = 'bc_ucb': rules are known for bema, notes\n"


# --- A disk that takes no more -------------------------------------------------------------------------------------

PROGRAM = """
import resource, sys
import folkmoot as fm
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
try:
    fm.simulate_chain(fm.BCUCB(), fm.Bernoulli((0.3, 0.8), n_agents=4), horizon=40, fidelity="protocol",
                      ledger="game.ledger", progress=False)
except fm.ledger.NotStored as error:
    print(error)
"""


def played_on_a_full_disk(limit):
    """What a game says, in a child whose files may not grow beyond so many bytes: the errors of a full disk."""
    pytest.importorskip("resource", reason="limits as POSIX has them")
    environment = os.environ | {"PYTHONPATH": str(Path(fm.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(limit)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_disk_too_full_for_the_genesis_leaves_no_file():
    assert played_on_a_full_disk(5_000).startswith(f"{NAME}: cannot be created: ")
    assert os.listdir() == []


def test_a_disk_that_fills_during_a_game_leaves_a_valid_chain():
    said = played_on_a_full_disk(60_000)
    verdict = fm.ledger.open(NAME).verify()
    assert verdict.ok
    assert verdict.blocks > 1
    assert said.startswith(f"{NAME}: block {verdict.blocks + 1} is not stored: ")
    assert said.endswith(f"; the {verdict.blocks} before it are\n")
    assert main(["ledger", "verify", NAME]) == 0
