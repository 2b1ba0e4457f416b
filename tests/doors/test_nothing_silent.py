"""Nothing is silently wrong: what is of another kind, out of order or infinite is refused where it is handed over."""

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.cli import main

MEANS = [[0.2, 0.8], [0.3, 0.7]]
PAIR = fm.Static(nx.path_graph(2))
SHORT = {"horizon": 50, "engine": "interpreted", "progress": False}


def simulate(**given):
    return fm.simulate(fm.UCB(), fm.Bernoulli(MEANS), PAIR, **SHORT | given)


def simulate_chain(**given):
    law = fm.Bernoulli([0.2, 0.8], n_agents=4)
    return fm.simulate_chain(fm.BCUCB(), law, **SHORT | {"fidelity": "ideal"} | given)


@pytest.mark.parametrize("play", [simulate, simulate_chain])
@pytest.mark.parametrize("kind", [np.uint64, np.uint32, np.uint16, np.uint8, np.int64])
def test_unsigned_checkpoints_out_of_order(play, kind):
    with pytest.raises(ValueError, match=r"^checkpoints = array\(\[30, 20, 50\][^\n]*: expected increasing rounds"):
        play(checkpoints=np.array([30, 20, 50], kind))
    assert play(checkpoints=np.array([20, 30, 50], kind)).checkpoints.tolist() == [20, 30, 50]


OTHERS = {
    "masked": np.ma.array([0.2, 0.8], mask=[False, True]),
    "strings": ["0.2", "0.8"],
    "bytes": [b"0.2", b"0.8"],
    "complex": [0.2 + 0j, 0.8],
    "dates": np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"),
}
TAKERS = {
    "as means": lambda given: fm.Bernoulli([given, given]),
    "as means of a Gaussian": lambda given: fm.Gaussian([given, given]),
    "as labels": lambda given: fm.StochasticBlockModel(given, 0.5, 0.1),
    "as labels of rewards": lambda given: fm.Clustered(MEANS, labels=given),
    "as labels of an algorithm": lambda given: fm.UCBSBM(clusters=given),
    "as samples": lambda given: fm.Replay([[given, given], [given, given]]),
    "as checkpoints": lambda given: simulate(checkpoints=given),
}


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("kind", OTHERS)
def test_arrays_of_another_kind(kind, taker):
    with pytest.raises(ValueError, match=r"^[^\n]+: expected [^\n]+\Z"):
        TAKERS[taker](OTHERS[kind])


@pytest.mark.parametrize("kind", OTHERS)
def test_samples_of_a_party_of_another_kind(kind):
    torch = pytest.importorskip("torch", reason="the extra 'multiparty' is not installed")
    from folkmoot.multiparty import Party, TorchModel

    model, given = TorchModel(torch.nn.Linear(2, 2), [0, 1]), OTHERS[kind]
    samples = given.reshape(1, 2) if isinstance(given, np.ndarray) else [given]
    with pytest.raises(ValueError, match=r"^[^\n]+: expected [^\n]+\Z"):
        Party("ada", model, samples, np.array([0]))


INFINITE = {
    "c1 of Dist_UCB": lambda value: fm.DistUCB(c1=value),
    "c1 of BC-UCB": lambda value: fm.BCUCB(c1=value),
    "c1 of DrFed-UCB": lambda value: fm.DrFedUCB(c1=value),
    "exploration": lambda value: fm.UCB(exploration=value),
    "algebraic_connectivity": lambda value: fm.GSE(algebraic_connectivity=value),
    "a mean": lambda value: fm.Gaussian([[value, 0.0]] * 2),
    "deviation": lambda value: fm.Gaussian(MEANS, deviation=value),
    "link_probability": lambda value: fm.ErdosRenyi(nx.path_graph(2), value),
    "a budget": lambda value: fm.Suppress(budget=value),
}


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("setting", INFINITE)
def test_infinity_in_settings(setting, value):
    with pytest.raises(ValueError, match=r"^[^\n]*(inf|nan)[^\n]*: expected [^\n]+\Z"):
        INFINITE[setting](value)


FILE = """name = "a"
horizon = 40
[rewards]
type = "gaussian"
means = [[0.2, {mean}], [0.3, 0.7]]
deviation = {deviation}
[network]
type = "erdos_renyi"
base = "complete"
link_probability = {link}
[[algorithm]]
type = "{type}"
{setting}
"""
FINE = {"mean": "0.8", "deviation": "1.0", "link": "0.9", "type": "ucb", "setting": ""}
IN_FILES = {
    "c1": {"type": "dist_ucb", "setting": "c1 = inf"},
    "exploration": {"setting": "exploration = inf"},
    "algebraic_connectivity": {"type": "gse", "setting": "algebraic_connectivity = inf"},
    "deviation": {"deviation": "inf"},
    "means": {"mean": "inf"},
    "link_probability": {"link": "inf"},
}


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
@pytest.mark.parametrize("key", IN_FILES)
def test_infinity_in_a_file(key, value, tmp_path, capsys):
    changed = {name: text.replace("inf", value) for name, text in IN_FILES[key].items()}
    (tmp_path / "a.toml").write_text(FILE.format(**FINE | changed), encoding="utf-8")
    assert main(["run", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert value in printed
    assert "expected" in printed
    assert not (tmp_path / "out").exists()


def test_a_gaussian_whose_gaps_are_no_numbers():
    with pytest.raises(ValueError, match=r"^mean of agent 0, arm 0 = 1e\+308: expected a number from -1e\+100 to"):
        fm.Gaussian([[1e308, -1e308]] * 2)
    most = fm.simulate(fm.UCB(), fm.Gaussian([[1e100, -1e100]] * 2), PAIR, **SHORT)
    assert np.isfinite(most.regret).all()


@pytest.mark.parametrize("replicates", [True, 2.0, "2", 0, -1, np.inf, np.datetime64(2, "D"), 2**32])
def test_one_door_for_numbers(replicates):
    with pytest.raises(ValueError, match=r"^replicates = [^\n]*: expected an integer of at least 1 and below 2\*\*32$"):
        simulate(replicates=replicates)
