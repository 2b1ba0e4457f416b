"""Files that version 0.1.0 wrote are opened, verified, resumed and played anew: same hashes, same numbers.

The files, and how they were made: `write.py`. They are copied before anything is done with them.
"""

import csv
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

import folkmoot as fm
from folkmoot import ledger
from folkmoot.cli import main

from . import played, write

EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
LEDGERS = sorted(EXPECTED["ledgers"])


def needed(name):
    """Skip where a file needs an extra that is not installed."""
    if name.startswith("bema"):
        pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
        pytest.importorskip("sklearn", reason="needs the extra `multiparty`")


def copied(name, to):
    """A file or folder of those kept, with the contents beside it, in a folder where it may be changed."""
    source, target = played.FILES / name, Path(to) / name
    for one, other in ((source, target), (Path(f"{source}.contents"), Path(f"{target}.contents"))):
        if one.is_dir():
            shutil.copytree(one, other)
        elif one.exists():
            shutil.copy(one, other)
    return target


def kept():
    """SHA-256 of every file that is kept, by name."""
    paths = sorted(path for path in played.FILES.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module", autouse=True)
def _the_kept_files_stay_as_they_are():
    before = kept()
    yield
    assert kept() == before


# --- Ledgers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEDGERS)
def test_a_ledger_is_opened_and_verified(tmp_path, name):
    needed(name)
    path = copied(name, tmp_path)
    before = path.read_bytes()
    told = write.told(path)
    assert told == {field: EXPECTED["ledgers"][name][field] for field in told}
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", LEDGERS)
def test_the_commands_verify_and_show_it(tmp_path, monkeypatch, capsys, name):
    needed(name)
    copied(name, tmp_path)
    monkeypatch.chdir(tmp_path)
    expected = EXPECTED["ledgers"][name]
    blocks, last = expected["blocks"], expected["hashes"][str(expected["blocks"])]
    assert main(["ledger", "verify", name]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("note: ")]
    assert said == [f"{name}: {blocks} blocks, all good, tip {expected['tip']}"]
    assert main(["ledger", "show", "--blocks", "1", name]) == 0
    first, _, row, *_ = capsys.readouterr().out.splitlines()  # notes on the kind may follow
    assert first == f"{name}: {blocks} blocks of kind {expected['kind']}, genesis {expected['genesis']}"
    assert row.split()[:2] == [str(blocks), last[:16]]


@pytest.mark.parametrize("name", LEDGERS)
def test_its_blocks_are_appended_to_a_new_one(tmp_path, name):
    needed(name)
    path = copied(name, tmp_path)
    book, again = ledger.open(path), tmp_path / "again.ledger"
    if Path(f"{path}.contents").exists():
        shutil.copytree(f"{path}.contents", f"{again}.contents")
    with ledger.create(again, book.genesis) as new:
        for block in book.blocks():
            new.append(block)
        assert new.chain.tip.hex() == EXPECTED["ledgers"][name]["tip"]


def test_a_ledger_of_notes_goes_on(tmp_path):
    path = copied("notes.ledger", tmp_path)
    with ledger.open(path) as book:
        book.append(write.note(book.chain, b"one more"))
    verdict, expected = ledger.open(path).verify(), EXPECTED["ledgers"]["notes.ledger"]
    assert (verdict.ok, verdict.blocks, verdict.tip.hex()) == (True, expected["blocks"] + 1, expected["next"])


def flipped(path, data):
    """Change one bit of a file, inside the only place where some piece of these bytes stands."""
    whole = bytearray(path.read_bytes())
    places = range(len(data) // 2, len(data) - 12)
    place = next(n for n in places if whole.count(data[n : n + 12]) == 1)
    whole[whole.index(data[place : place + 12]) + 6] ^= 1
    path.write_bytes(whole)


@pytest.mark.parametrize("which", ["first", "middle", "last"])
@pytest.mark.parametrize("name", LEDGERS)
def test_a_flipped_byte_is_noticed(tmp_path, name, which):
    needed(name)
    path = copied(name, tmp_path)
    blocks = list(ledger.open(path).blocks())
    height = {"first": 1, "middle": len(blocks) // 2, "last": len(blocks)}[which]
    flipped(path, blocks[height - 1].to_bytes())
    verdict = ledger.open(path).verify()
    assert (verdict.bad, verdict.blocks) == (height, height - 1)


def test_a_flipped_byte_beside_a_ledger_is_noticed(tmp_path):
    needed("bema")
    path = copied("bema.ledger", tmp_path)
    files = sorted(file for file in Path(f"{path}.contents").rglob("*") if file.is_file())
    for file in files[:: len(files) // 6]:
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert not ledger.open(path).verify().ok
        file.write_bytes(data)
    assert ledger.open(path).verify().ok


def played_alike(game, expected):
    """The same pulls and accounts. What is sent for them is of another edition."""
    found = played.chain_found(game)
    return {name: found[name] for name in played.CHAIN} == {name: expected[name] for name in played.CHAIN}


def test_the_same_game_comes_to_the_same_in_a_ledger_of_a_new_edition(tmp_path):
    """Where coins are public; verifiable functions are asked another question, which draws other validators."""
    path, expected = tmp_path / "new.ledger", EXPECTED["ledgers"]["coin.ledger"]
    game, told = played.coin_game(path), write.told(path)
    assert (told["kind"], told["blocks"]) == (expected["kind"], expected["blocks"])
    assert told["genesis"] != expected["genesis"]
    assert played_alike(game, expected["game"])


# --- Results ----------------------------------------------------------------------------------------------------------


def test_a_result_is_loaded_and_saved_again(tmp_path):
    result, expected = fm.load(copied("result", tmp_path)), EXPECTED["results"]["result"]
    result.save(tmp_path / "again")
    for one in (result, fm.load(tmp_path / "again")):
        assert played.digests(one) == expected["digests"]
        assert one.configuration == expected["configuration"]
    assert result.summary()["replicates"] == 2


def test_a_result_of_a_chain_is_loaded_and_saved_again(tmp_path):
    result, expected = fm.load(copied("chain_result", tmp_path)), EXPECTED["results"]["chain_result"]
    assert isinstance(result, fm.ChainResult)
    result.save(tmp_path / "again")
    for one in (result, fm.load(tmp_path / "again")):
        assert played.chain_found(one) == expected["digests"]
        assert one.configuration == expected["configuration"]


def _cell(text):
    """A number of a table; of a text its digest. Quantiles of Student's distribution had another last bit (SciPy's)."""
    try:
        return float(text)
    except ValueError:
        return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def test_results_of_an_experiment_are_loaded_and_reported(tmp_path):
    folder = copied("complete", tmp_path)
    found = played.loaded(folder)
    assert {name: played.digests(result) for name, result in found.items()} == EXPECTED["experiments"]["log"]
    assert main(["report", str(folder)]) == 0
    assert (folder / "report.html").exists()
    before, now = (
        list(csv.DictReader((place / "summary.csv").read_text(encoding="utf-8").splitlines()))
        for place in (played.FILES / "complete", folder)
    )
    for then, row in zip(before, now, strict=True):
        assert [_cell(row[key]) for key in then] == pytest.approx([_cell(text) for text in then.values()], rel=1e-12)
    assert list(now[0])[len(before[0]) :] == ["algorithm", "seed"]  # a column for what was swept


# --- Logs -------------------------------------------------------------------------------------------------------------


def rows(path):
    """The complete rows of a log, without its head."""
    lines = path.read_bytes().splitlines(keepends=True)
    return [json.loads(line) for line in lines[1:] if line.endswith(b"\n")]


def numbers(found):
    """What rows say of each replicate, but for how long it took and under which key; the last one counts."""
    return {(row["name"], row["replicate"]): {key: row[key] for key in set(row) - {"cell", "seconds"}} for row in found}


def code(folder):
    """What of the code stands in the key of a row: versions and the digest of the sources."""
    versions = next(iter(played.loaded(folder).values())).provenance
    return [versions[name] for name in ("folkmoot", "numba", "sources")]


@pytest.mark.parametrize("name", ["complete", "torn"])
def test_a_log_is_resumed_and_its_rows_count_if_the_code_is_the_same(tmp_path, name):
    """The rule: a row counts for those versions and sources only that wrote it.

    By other code it is read, left where it is, and its replicate is played anew, to the same numbers. A torn last
    line is cut off by either.
    """
    folder = tmp_path / "runs" / "log"
    shutil.copytree(played.FILES / name, folder)
    old = rows(folder / "log.jsonl")
    assert len(old) == {"complete": 18, "torn": write.TORN}[name]
    done = played.run(tmp_path / "runs", played.FILES / "experiments" / "log.toml")
    same = code(folder) == code(played.FILES / "complete")
    resumed, foreign = (len(old), 0) if same else (0, len(old))
    assert [int(n) for n in re.findall(r"resumed: (\d+) replicates", done.stderr)] == [resumed] * (resumed > 0)
    assert [int(n) for n in re.findall(r"log: (\d+) rows of other", done.stderr)] == [foreign] * (foreign > 0)
    found = played.loaded(folder)
    assert {name: played.digests(result) for name, result in found.items()} == EXPECTED["experiments"]["log"]
    now = rows(folder / "log.jsonl")
    assert now[: len(old)] == old
    assert len(now) == 18 + foreign
    assert numbers(now) == numbers(rows(played.FILES / "complete" / "log.jsonl"))


# --- Experiments ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def experiments(tmp_path_factory):
    out = tmp_path_factory.mktemp("experiments")
    played.run(out, *sorted(path for path in (played.FILES / "experiments").glob("*.toml") if path.stem != "log"))
    return out


@pytest.mark.parametrize("name", sorted(set(EXPECTED["experiments"]) - {"log"}))
def test_an_experiment_file_gives_the_same_pulls(experiments, name):
    found = {key: played.digests(result) for key, result in played.loaded(experiments / name).items()}
    assert found == EXPECTED["experiments"][name]


def test_every_kind_of_table_that_there_was_is_in_these_files():
    text = "\n".join(path.read_text(encoding="utf-8") for path in (played.FILES / "experiments").glob("*.toml"))
    used = set(re.findall(r'type = "(\w+)"', text))
    kinds = "bernoulli gaussian beta replay clustered half_active vector_bernoulli linear chebyshev log_sum_exp "
    kinds += "static erdos_renyi recorded stochastic_block_model suppress promote swap thinning flip_random"
    assert set(kinds.split()) <= used


# --- Played anew ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(EXPECTED["bandits"]))
def test_an_algorithm_pulls_the_same_arms(name):
    assert played.digests(played.bandits(*name.split(", "))) == EXPECTED["bandits"][name]


def test_every_algorithm_is_still_listed(capsys):
    assert main(["list", "algorithms"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert set(played.ALGORITHMS) <= listed


GAVE_NO_WAY = ("attack", "congest")  # liars that pull one arm and, as validators, screen everybody out by its count


@pytest.mark.parametrize("name", sorted(EXPECTED["chains"]))
def test_a_game_on_a_chain_comes_to_the_same(name):
    attack, fidelity = name.split(", ")
    algorithm = fm.BCUCB(gives_way=attack not in GAVE_NO_WAY)
    game, expected = played.chain(attack, fidelity, algorithm), EXPECTED["chains"][name]
    assert played_alike(game, expected)
    if name.endswith("ideal"):
        assert played.chain_found(game) == expected


@pytest.mark.parametrize("name", sorted(set(EXPECTED["variants"]) - {"faults", "vrf"}))
def test_a_game_with_other_settings_comes_to_the_same(name):
    """Other messages get other losses by the same coins, and verifiable functions that are asked other questions draw
    other validators: these two variants were played in edition 1 only.
    """
    game = played.chain("false_counts", "protocol", **played.VARIANTS[name]())
    assert played_alike(game, EXPECTED["variants"][name])


# --- A consortium -----------------------------------------------------------------------------------------------------


def test_a_saved_consortium_predicts_the_same(tmp_path):
    needed("bema")
    from folkmoot.multiparty import Consortium

    folder = copied("consortium", tmp_path)
    consortium = Consortium.load(folder)
    consortium.save(tmp_path / "again")
    for one in (consortium, Consortium.load(tmp_path / "again")):
        found = played.consortium_found(one)
        assert found == {field: EXPECTED["consortium"][field] for field in found}
    for file in folder.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_a_consortium_is_calibrated_the_same_way():
    needed("bema")
    consortium, told = played.calibrated()
    assert told | played.consortium_found(consortium) == EXPECTED["consortium"]
