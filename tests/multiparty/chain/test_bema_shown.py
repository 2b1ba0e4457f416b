"""`folkmoot ledger show` on a chain of kind bema: an auditor reads who taught whom what."""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_voted import NAMES, TERMS, data, model

from folkmoot import ledger
from folkmoot.cli import main
from folkmoot.multiparty import Consortium, Party
from folkmoot.multiparty.chain.kind import BEMA
from folkmoot.multiparty.chain.records import CALIBRATE, REGISTER, read_calibration, read_head

EARLIER = Path(__file__).parents[2] / "earlier" / "files"


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A chain of version 0.1.0: eve is admitted in block 1, two are refused in 2 and 3."""
    shutil.copy(EARLIER / "bema.ledger", tmp_path)
    shutil.copytree(EARLIER / "bema.ledger.contents", tmp_path / "bema.ledger.contents")
    monkeypatch.chdir(tmp_path)
    return "bema.ledger"


def shown(capsys, *arguments):
    assert main(["ledger", "show", *arguments]) == 0
    return capsys.readouterr().out


def told(capsys, *arguments):
    return json.loads(shown(capsys, "--json", *arguments))


def test_terms_and_parties_by_name(old, capsys):
    lines = shown(capsys, old, "--blocks", "2").splitlines()
    assert any(line.startswith("terms: 4 classes, samples of shape 6, hardened rules") for line in lines)
    assert "party: bob (original, since block 0): linear/softmax, knows 1, 2, 3" in lines
    assert "party: eve (regular, since block 1): linear/softmax, knows 0, 1" in lines
    assert [line.split(":")[0] for line in lines if line.startswith("block ")] == ["block 10", "block 11"]


def test_admitted_and_refused_with_the_number_and_who_measured_it(old, capsys):
    found = [told(capsys, old, "--block", str(height))["blocks"][0]["records"][0] for height in (1, 2, 3)]
    assert [(one["record"], one["party"], one["by"]) for one in found] == [
        ("register", "eve", "ada"),
        ("refuse", "fay", "ada"),
        ("refuse", "gus", None),
    ]
    assert found[0]["distance"] < 0.45 < found[1]["distance"]  # omega
    assert [one.get("reason") for one in found] == [None, "distance", "uncovered"]
    assert [line for line in shown(capsys, old, "--block", "2").splitlines() if line.startswith("block 2: fay was ref")]


def test_all_that_stands_in_a_block_of_samples_is_shown(old, capsys):
    """Compared with the records themselves, block by block."""
    book, names = ledger.open(old), {}
    for block in book.blocks():
        if read_head(block.records[0]).what != CALIBRATE:
            continue
        notes, leaves = read_calibration(block.records[1:])
        one = told(capsys, old, "--block", str(block.header.height))
        names = {party["number"]: party["party"] for party in one["parties"]}
        samples = [r for r in one["blocks"][0]["records"] if r["record"] == "sample"]
        assert [(r["sender"], r["label"], r["wrong"], r["verdict"], r["content"]) for r in samples] == [
            (names[n.sender], str(n.label), str(n.wrong), n.verdict or "accepted", n.name.hex()) for n in notes
        ]
        models = [r for r in one["blocks"][0]["records"] if r["record"] == "model"]
        assert [(r["party"], r["parameters"]) for r in models] == [
            (names[leaf.party], leaf.parameters.hex()) for leaf in leaves
        ]
    assert len(names) == 8


def test_computed_again_each_sample_names_whom_it_taught(old, capsys):
    """Together the samples of a block taught exactly those whose models the block says have moved."""
    for one in told(capsys, old, "--moved")["blocks"]:
        if one["what"] == CALIBRATE:
            taught = {name for r in one["records"] if r["record"] == "sample" for name in r["moved"]}
            assert taught == {r["party"] for r in one["records"] if r["record"] == "model"}
            assert not any(r["moved"] for r in one["records"] if r.get("verdict", "accepted") != "accepted")
    assert ": accepted, taught " in shown(capsys, old, "--block", "4", "--moved")


def test_only_what_a_party_has_a_part_in(old, capsys):
    found = told(capsys, old, "--party", "gus")["blocks"]
    assert [one["height"] for one in found] == [3]
    found = told(capsys, old, "--party", "eve", "--blocks", "99")["blocks"]
    parts = [one for one in found if one["maker"] == "eve" or "eve" in json.dumps(one["records"])]
    assert found == parts != []
    lines = shown(capsys, old, "--party", "eve").splitlines()
    assert all("eve" in line for line in lines if line.startswith("  ") and "its model" not in line)
    assert main(["ledger", "show", old, "--party", "zed"]) == 2
    assert "--party = 'zed': unknown; there are ada, bob, cyd, dan, eve" in capsys.readouterr().err


@pytest.mark.parametrize("height", ["0", "12", "-1"])
def test_there_is_no_such_block(old, capsys, height):
    assert main(["ledger", "show", old, "--block", height]) == 2
    assert f"--block = {height}: expected an integer from 1 to 11" in capsys.readouterr().err


def test_a_kind_that_cannot_be_read_in_words(tmp_path, capsys, monkeypatch):
    shutil.copy(EARLIER / "notes.ledger", tmp_path)
    monkeypatch.chdir(tmp_path)
    found = told(capsys, "notes.ledger", "--blocks", "1")
    assert (found["kind"], found["height"], found["blocks"][0]["height"]) == ("notes", 12, 12)
    assert main(["ledger", "show", "notes.ledger", "--party", "ada"]) == 2
    assert "records of kind 'notes' cannot be read in words" in capsys.readouterr().err


def test_classes_have_their_names(tmp_path, capsys):
    names = ("cat", "dog", "hen")

    parties = [Party(name, model(i), *data(i)) for i, name in enumerate(NAMES)]
    one = Consortium(parties, tmp_path / "a", labels=names, **TERMS)
    assert one.calibrate(1, 10, progress=False).accepted > 0
    one.close()
    found = told(capsys, str(tmp_path / "a"))
    assert found["parties"][0]["classes"] == list(names)
    assert {r["label"] for b in found["blocks"] for r in b["records"] if r["record"] == "sample"} <= set(names)


def test_what_is_no_record_of_the_kind_is_said_with_its_block(tmp_path):
    parties = [Party(name, model(i), *data(i)) for i, name in enumerate(NAMES)]
    one = Consortium(parties, tmp_path / "a", **TERMS)
    reader = BEMA.reader(one.chain.genesis.configuration, one.chain.state.contents)
    head = read_head(next(iter(_block(one).records)))
    for records in ((), (head._replace(what=REGISTER).to_bytes(),), (b"",), (head.to_bytes(), b"x")):
        with pytest.raises(ledger.Malformed):
            reader.read(ledger.propose(one.chain, records))
    one.close()


def _block(one):
    height = one.chain.height
    one.calibrate(1, 5, progress=False)
    return next(ledger.open(one._ledger.path).blocks(height + 1))
