"""Files with a [chain] table: they play what `simulate_chain` plays, and what is wrong in them is one line."""

import json
from pathlib import Path

import numpy as np
import pytest

import folkmoot as fm
from folkmoot.cli import main
from folkmoot.experiments.plan import plan

FILE = """
name = "game"
horizon = 40
replicates = 2
seed = 3
[rewards]
type = "bernoulli"
means = [0.8, 0.3]
n_agents = 4
[chain]
malicious = [1]
attack = { type = "drift", value = -0.01 }
expected_validators = 6
algorithm = { c1 = 1.5, burn_in = 6 }
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def play(text, *more):
        (tmp_path / "game.toml").write_text(text, encoding="utf-8")
        return main(["run", "game.toml", "--out", "out", "--jobs", "1", *more])

    return play


def game(**more):
    rewards = fm.Bernoulli([0.8, 0.3], n_agents=4)
    told = {"malicious": [1], "attack": fm.Drift(value=-0.01), "expected_validators": 6}
    algorithm = fm.BCUCB(c1=1.5, burn_in=6)
    return fm.simulate_chain(algorithm, rewards, horizon=40, replicates=2, seed=3, progress=False, **{**told, **more})


@pytest.mark.parametrize("fidelity", ["ideal", "protocol"])
def test_a_file_plays_what_python_plays(run, capsys, fidelity):
    more = 'fidelity = "protocol"\nfaults = { drop = 0.1 }\n' if fidelity == "protocol" else ""
    assert run(FILE + more) == 0
    found = fm.load("out")
    same = game(fidelity=fidelity, faults=fm.Faults(drop=0.1) if more else None)
    assert isinstance(found, fm.ChainResult)
    for name in (*fm.ChainResult.ARRAYS, "regret"):
        if name != "seconds":
            np.testing.assert_array_equal(getattr(found, name), getattr(same, name))
    assert {**found.configuration, **same.configuration} == found.configuration
    assert "blocks approved" in capsys.readouterr().out


def test_who_was_heard_adds_up():
    """Of four participants trimming keeps two for each arm, whenever all are heard."""
    found = game()
    assert found.included.shape == (2, 4)
    assert (found.included_share <= 1.0).all()
    assert (found.included.sum(axis=1) <= 4 * found.approved * 2).all()
    assert (found.included.sum(axis=1) >= found.approved * 2).all()  # somebody, in each block and arm


def test_a_grid_over_attacks_and_liars(run, capsys):
    text = FILE.replace("malicious = [1]", "malicious = { grid = [[0], [1]] }")
    text = text.replace('{ type = "drift", value = -0.01 }', '{ grid = [{ type = "sign_flip" }, { type = "drift" }] }')
    assert run(text) == 0
    names = list(fm.load("out"))
    assert names == [f"malicious = [{m}], attack = {a}" for m in (0, 1) for a in ("sign_flip", "drift")]
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 2
    assert "http" not in page.replace("http-equiv", "")
    head = json.loads(Path("out/result.json").read_text(encoding="utf-8"))
    assert [entry["kind"] for entry in head["results"]] == ["chain"] * 4
    assert main(["report", "out"]) == 0
    assert Path("out/report.html").read_text(encoding="utf-8") == page


def test_a_ledger_stands_in_the_folder_of_the_results(run, capsys):
    text = FILE.replace("replicates = 2", "replicates = 1") + 'fidelity = "protocol"\nledger = "game.ledger"\n'
    assert run(text) == 0
    verdict = fm.ledger.open("out/game.ledger").verify()
    assert verdict.ok
    assert verdict.blocks == fm.load("out").approved[0]
    assert run(text) == 0  # resumed: nothing is played again, nothing refused
    assert "resumed: 1" in capsys.readouterr().err


def test_the_ledger_of_a_game_whose_numbers_are_sealed(run, capsys):
    text = FILE.replace("replicates = 2", "replicates = 1") + 'fidelity = "protocol"\nledger = "game.ledger"\n'
    assert run(text + 'disclosure = "validators"\n') == 0
    found, chain = fm.load("out"), fm.ledger.open("out/game.ledger").chain
    assert chain.height == found.approved[0] > 0
    assert chain.state.configuration.sealed
    report = Path("out/report.html").read_text(encoding="utf-8")
    assert "Who reads the numbers" in report
    assert "participants only" in report
    assert run(text + 'disclosure = "validators"\n') == 0
    assert "resumed: 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("malicious = [1]", "malicous = [1]", "chain: field 'malicous': unknown; did you mean 'malicious'?"),
        ("[chain]", "algorithm = 1\n[chain]", "rewards: field 'algorithm': unknown"),
        ("seed = 3", "seed = 3\nalgorithm = {}", "field 'algorithm': belongs inside [chain], not beside it"),
        ("[chain]", "[chian]", "field 'chian': unknown; did you mean 'chain'?"),
        ("malicious = [1]", "malicious = [4]", "chain: malicious: 4: expected numbers of participants from 0 to 3"),
        ('"drift"', '"drfit"', "chain.attack.type = 'drfit': unknown; did you mean 'drift'?"),
        ("value = -0.01", "value = 9", "chain.attack.value = 9: expected at most 8"),
        ("value = -0.01", "valu = 9", "chain.attack: field 'valu': unknown; did you mean 'value'?"),
        ("c1 = 1.5", "trimmming = true", "chain.algorithm: field 'trimmming': unknown; did you mean 'trimming'?"),
        ("c1 = 1.5", "c1 = 1.5, kappa = 3", "chain.algorithm.kappa = 3: expected less than 2"),
        ("[chain]", '[chain]\nfidelity = "real"', "chain.fidelity = 'real': allowed are 'ideal' or 'protocol'"),
        ("[chain]", "[chain]\nfaults = { drop = 2 }", "chain.faults.drop = 2: expected at most 1"),
        ("[chain]", "[chain]\nfaults = { drop = 0.1 }", "chain: faults: only with fidelity = 'protocol'"),
        ("[chain]", '[chain]\nledger = "../x"', "chain.ledger = '../x': expected letters, digits"),
        ("[chain]", '[chain]\nfidelity = "protocol"\nledger = 1979-05-27',
            "1979-05-27: a date or time without quotes: expected none in an experiment"),
        ("[chain]", "[chain]\nledger = 07:32:00", "07:32:00: a date or time without quotes"),
        ("[chain]", '[chain]\nfidelity = "protocol"\nledger = "x"',
            "ledger: holds the chain of one game; expected 1 cell and 1 replicate, got 1 cell and 2 replicates"),
        ("horizon = 40", "horizon = 4", "horizon = 4: expected more rounds than the burn-in, 6"),
        ("[0.8, 0.3]\nn_agents = 4", "[[0.8, 0.3], [0.3, 0.8]]", "rewards: expected the same means for all"),
        ('"bernoulli"', '"bernouli"', "rewards.type = 'bernouli': unknown; did you mean 'bernoulli'?"),
        ("seed = 3", 'seed = 3\nnetwork = 1', "field 'network': unknown"),
        ("[chain]", "[chain]\nresolution = 8",
            "chain: field 'resolution': belongs inside chain.algorithm: { resolution = ... }"),
        ("c1 = 1.5", 'c1 = 1.5, trust = "reward"', "chain.algorithm.trust = 'reward': needs environment = True"),
        ("c1 = 1.5", "c1 = 1.5, faulty = 3", "chain.algorithm.faulty = 3: expected at most (M - 1) // 3 = 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(run, capsys, old, new, said):
    assert old in FILE
    assert run(FILE.replace(old, new)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert error.startswith("folkmoot: error: game.toml: ")


def names(text, tmp_path):
    import tomllib

    return [cell.name for cell in plan(tomllib.loads(text), tmp_path).cells]


def test_a_table_in_a_name_is_its_type_and_its_fields(tmp_path):
    attacks = (
        '{ grid = [{ type = "promote_arm", arm = 0 }, { type = "promote_arm", arm = 1 }, { type = "sign_flip" }] }'
    )
    text = FILE.replace('{ type = "drift", value = -0.01 }', attacks)
    expected = ["attack = promote_arm, arm 0", "attack = promote_arm, arm 1", "attack = sign_flip"]
    assert names(text, tmp_path) == expected


def test_cells_that_differ_where_names_are_cut_are_numbered(tmp_path):
    long = ", ".join(["0.8"] * 9)
    text = FILE.replace("[0.8, 0.3]", f"{{ grid = [[{long}, 0.3], [{long}, 0.2]] }}")
    first, second = names(text.replace("burn_in = 6", "burn_in = 12"), tmp_path)
    assert first.endswith("...")
    assert second == f"{first} (2)"
    with pytest.raises(ValueError, match="expected each value once"):
        names(FILE.replace("horizon = 40", "horizon = { grid = [40, 40] }"), tmp_path)


def test_the_name_of_a_game_holds_its_settings_only(tmp_path):
    import tomllib

    text = FILE.replace("horizon = 40", "horizon = { grid = [40, 50] }")
    assert [cell.name for cell in plan(tomllib.loads(text), tmp_path).cells] == ["horizon = 40", "horizon = 50"]
    assert [cell.name for cell in plan(tomllib.loads(FILE), tmp_path).cells] == ["BC-UCB"]
