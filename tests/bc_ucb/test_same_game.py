"""One game in every way it can be played, by the public function: the same to the last bit, and the same file."""

import hashlib
import sqlite3
from contextlib import closing

import pytest

import folkmoot as fm
from folkmoot.bc_ucb.attacks import ATTACKS

FIVE = fm.Bernoulli((0.3, 0.5, 0.8), n_agents=5)
ROUNDS = 20  # 15 of them burn-in, of three arms
COUNTED = ("pulls", "team_pulls", "paid", "entered", "approved_so_far", "estimates", "trust", "validators")


def game(attack, seed=0, **more):
    return fm.simulate_chain(
        fm.BCUCB(),
        FIVE,
        horizon=ROUNDS,
        malicious=[seed % 5],
        attack=attack,
        seed=seed,
        engine="interpreted",
        progress=False,
        **more,
    )


def content(path):
    """A digest of every block in a file."""
    with closing(sqlite3.connect(path)) as database:
        rows = [data for (data,) in database.execute("SELECT data FROM blocks ORDER BY height")]
    return len(rows), hashlib.sha256(b"".join(rows)).hexdigest()


@pytest.mark.parametrize("attack", [fm.Congest(), fm.FalseCounts()], ids=["congest", "false_counts"])
def test_every_private_comparison_writes_the_same_ledger(tmp_path, attack):
    pytest.importorskip("rbcl")
    pytest.importorskip("mpyc")
    loop, games, files = game(attack), {}, {}
    for how in ("ideal", "pairwise", "mpyc"):
        path = tmp_path / f"{how}.ledger"
        games[how] = game(attack, fidelity="protocol", private_comparison=how, ledger=path)
        files[how] = content(path)
        assert fm.ledger.open(path).verify().ok
        for name in COUNTED:
            assert getattr(games[how], name).tobytes() == getattr(loop, name).tobytes(), (how, name)
    assert files["pairwise"] == files["mpyc"] == files["ideal"]
    assert files["ideal"][0] == 1 + loop.approved[0] > 3
    assert games["pairwise"].messages[0] > games["ideal"].messages[0]  # it did ask and answer


def test_another_seed_writes_another_ledger(tmp_path):
    """Guards the above: the files say what was played."""
    for seed in (0, 1):
        game(fm.TrimWindow(), seed, fidelity="protocol", ledger=tmp_path / f"{seed}.ledger")
    assert content(tmp_path / "0.ledger") != content(tmp_path / "1.ledger")


@pytest.mark.parametrize("seed", range(len(ATTACKS)))
def test_protocol_and_loop_play_the_same_game(seed):
    attack = list(ATTACKS.values())[seed % len(ATTACKS)]()
    loop, nodes = game(attack, seed), game(attack, seed, fidelity="protocol")
    for name in COUNTED:
        assert getattr(nodes, name).tobytes() == getattr(loop, name).tobytes(), name
    assert nodes.regret.tobytes() == loop.regret.tobytes()
    assert loop.approved[0] > 0
