"""The figures of the page on the two goals are those of its example, played as the page says."""

import tomllib

import networkx as nx
import numpy as np
import pytest
from test_pages import ROOT

import folkmoot as fm

PAGE = (ROOT / "docs" / "when-not-to-cooperate.md").read_text(encoding="utf-8")
EXAMPLE = tomllib.loads((ROOT / "examples" / "edge-servers.toml").read_text(encoding="utf-8"))
MEANS = np.array(EXAMPLE["rewards"]["means"])


def row(name):
    """The cells of the page's row that begins so, as they stand there."""
    (found,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def played(algorithm, horizon, means=MEANS):
    network = fm.ErdosRenyi(nx.complete_graph(len(means)), EXAMPLE["network"]["link_probability"])
    options = {"horizon": horizon, "replicates": EXAMPLE["replicates"], "progress": False}
    return fm.simulate(algorithm, fm.Bernoulli(means), network, **options)


def test_the_prices_of_both_goals_stand_on_the_page():
    common, own = MEANS.mean(axis=0).max(), MEANS.max(axis=1).mean()
    assert f"hit ratio of {common:.3f}" in PAGE
    assert f"favourites have {own:.3f}" in PAGE
    assert f"{own:.3f} - {common:.3f} a pull" in PAGE


@pytest.mark.parametrize("algorithm", [fm.GSE(), fm.CooperativeUCB(), fm.UCB()], ids=lambda a: type(a).__name__)
def test_both_regrets_and_the_hit_ratio(algorithm):
    result = played(algorithm, EXAMPLE["horizon"])
    regret, own, reward = result.regret[:, -1].mean(), result.own_regret.mean(), result.own_reward.mean()
    assert row(algorithm.label) == [f"{regret:,.0f}", f"{own:,.0f}", f"{reward:.3f}"]


@pytest.mark.parametrize("horizon", [100, 300, 1_000, 3_000])
def test_rewards_of_shorter_games(horizon):
    rewards = [played(algorithm, horizon).own_reward.mean() for algorithm in (fm.CooperativeUCB(), fm.UCB())]
    assert row(f"{horizon:,}") == [f"{reward:.3f}" for reward in rewards]
