"""GSE among three agents, and that the harness notices a change."""

import networkx as nx
import pytest
from transcript import Play, check, number

import folkmoot as fm
from folkmoot.algorithms.role import role
from folkmoot.coins import replicate_coins
from folkmoot.encoding import decode
from folkmoot.machine import Moment
from folkmoot.simulation.host import Host

PAY = [[0.9, 0.1, 0.5], [0.1, 0.2, 0.6], [0.2, 0.3, 0.7]]  # the last arm is best on average, and for one agent not


def words(data: bytes) -> str:
    round, exchange, row = decode(data)
    what = ("estimates", "arms in play")[exchange]
    values = [str(k) for k, kept in enumerate(row) if kept] if exchange else map(number, row)
    return f"{what} of round {round}: {' '.join(values)}"


def lost(moment: Moment, sender: int, receiver: int) -> bool:
    """In round 2 agent 2 does not hear agent 0, which hears agent 2: loss has a direction."""
    return moment.round == 2 and (sender, receiver) == (0, 2)


def played(rounds: int) -> str:
    network = fm.ErdosRenyi(nx.complete_graph(3), 0.9)
    problem = fm.Problem.on(network, n_arms=3, horizon=100)
    hosts = [Host(role(fm.GSE(), problem, i, replicate_coins(7, 0, 0))) for i in range(3)]
    play = Play(hosts, words, lambda t, i, arm: None if (t, i) == (3, 1) else PAY[i][arm], lost)
    play.say("GSE among three agents. In round 2 a message is lost one way; in round 3 an outcome does not come.")
    for t in range(1, rounds + 1):
        play.round(t)
    return play.text


def test_gse_among_three_agents(rewrite):
    check("gse-three-agents", played(4), rewrite)


def test_a_change_is_noticed(tmp_path):
    check("x", "one\ntwo\n", True, tmp_path)
    check("x", "one\ntwo\n", False, tmp_path)
    with pytest.raises(AssertionError, match=r"(?s)-two\n\+three\n.*--rewrite"):
        check("x", "one\nthree\n", False, tmp_path)
    with pytest.raises(AssertionError, match=r"\+one"):
        check("missing", "one\n", False, tmp_path)
