"""Who is there in a round: probabilities, absences, recordings, and the links that are left."""

from typing import Any

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot import interface
from folkmoot.coins import replicate_coins
from folkmoot.configuration import Wrong, read_table
from folkmoot.world.in_file import InFile


def drawn(presence: fm.Presence, n: int, rounds: int) -> np.ndarray:
    """bool [rounds, n]: who is there."""
    record, coins, present = presence.record(n), replicate_coins(3, 0, 1), np.ones(n, np.bool_)
    out = np.zeros((rounds, n), np.bool_)
    for t in range(1, rounds + 1):
        interface.draw_presence(record, t, coins, present)
        out[t - 1] = present
        assert [bool(interface.here(record, present, i)) for i in range(n)] == present.tolist()
    return out


def test_absences_are_from_first_to_last_round_both_included() -> None:
    table = drawn(fm.Presence(absences=[(1, 1, 3), (2, 4), (0, 2, 2), (0, 5, 6)]), 4, 8)
    expected = np.ones((8, 4), np.bool_)
    expected[0:3, 1] = False  # joins late
    expected[3:, 2] = False  # leaves for good
    expected[[1, 4, 5], 0] = False  # gaps
    assert (table == expected).all()


def test_a_probability_is_one_for_all_or_one_for_each() -> None:
    """5,000 independent coins lie within six standard deviations of their mean but once in 10^8 times."""
    for given in (0.7, [0.2, 0.7, 1.0]):
        table = drawn(fm.Presence(probability=given), 3, 5_000)
        p = np.broadcast_to(given, 3)
        assert (np.abs(table.mean(axis=0) - p) <= 6.0 * np.sqrt(p * (1.0 - p) / 5_000)).all()
        assert len({column.tobytes() for column in table.T}) == 3


def test_an_absence_holds_whatever_the_coin_says() -> None:
    table = drawn(fm.Presence(probability=0.5, absences=[(0, 10)]), 2, 60)
    assert not table[9:, 0].any()
    assert table[:9, 0].any()


def test_a_recording_is_played_again_from_the_start() -> None:
    recorded = np.array([[True, False], [False, True], [True, True]])
    assert (drawn(fm.Presence(recorded=recorded), 2, 7) == recorded[np.arange(7) % 3]).all()


def test_links_are_left_among_those_who_are_there() -> None:
    network = fm.Static(nx.complete_graph(5)).record()
    record, present = fm.Presence(absences=[(1, 1), (4, 1)]).record(5), np.ones(5, np.bool_)
    active = interface.links(network)
    heard = interface.spare_links(record, active)
    interface.draw_presence(record, 1, replicate_coins(0, 0, 0), present)
    interface.meet(record, present, active, heard)
    rows = [heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]].tolist() for i in range(5)]
    assert rows == [[2, 3], [], [0, 3], [0, 2], []]


WRONG: dict[str, dict[str, Any]] = {
    r"Presence: probability = 0: expected a probability in \(0, 1\], or one for each agent": {"probability": 0},
    r"Presence: probability = \[0.5, nan\]: expected .*": {"probability": [0.5, float("nan")]},
    r"Presence: probability = 'x': expected .*": {"probability": "x"},
    r"Presence: absence \(0, 3, 2\): expected an agent from 0 on, and rounds with 1 <= first <= last": {
        "absences": [(0, 3, 2)]
    },
    r"Presence: absence \(0, 0\): expected .*": {"absences": [(0, 0)]},
    r"Presence: absence \(0, 1.5\): expected \(agent, first, last\) or \(agent, first\), whole numbers": {
        "absences": [(0, 1.5)]
    },
    r"Presence: absence 7: expected \(agent, .*": {"absences": [7]},
    r"Presence: absence \(0, True\): expected \(agent, .*": {"absences": [(0, True)]},
    r"Presence: absences = 7: expected a list of \(agent, first, last\)": {"absences": 7},
    r"Presence: recorded\[0\]\[0\] = 1: expected true and false, \[rounds, n_agents\], at .*": {"recorded": [[1, 0]]},
    r"Presence: recorded: stands alone; expected neither probability nor absences beside it": {
        "recorded": [[True]],
        "probability": 0.5,
    },
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_one_line(message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        fm.Presence(**WRONG[message])


@pytest.mark.parametrize(
    ("presence", "message"),
    [
        (fm.Presence(probability=[0.5, 0.5]), "presence: probability for 2 agents: expected 3"),
        (fm.Presence(absences=[(3, 1)]), r"presence: absence \(3, 1, None\): expected an agent from 0 to 2"),
        (fm.Presence(recorded=[[True]]), "presence: recorded for 1 agents: expected 3"),
    ],
)
def test_other_agents_than_there_are_are_refused(presence: fm.Presence, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        fm.simulate(
            fm.UCB(), fm.Bernoulli([0.1, 0.9], n_agents=3), fm.Static(nx.path_graph(3)), horizon=9, presence=presence
        )


def test_a_file_says_the_same(tmp_path: Any) -> None:
    context = InFile(tmp_path, lambda: None)
    table = {"probability": 0.5, "absences": [[0, 5], [1, 1, 3]]}
    assert read_table(fm.Presence, table, context) == fm.Presence(probability=0.5, absences=[(0, 5), (1, 1, 3)])
    assert read_table(fm.Presence, {"recorded": [[True, False]]}, context).describe() == {
        "recorded_rounds": 1,
        "recorded": [[True, False]],
    }
    with pytest.raises(Wrong, match=r"^absences\[0\]\[1\] = 'x': expected a whole number$"):
        read_table(fm.Presence, {"absences": [[0, "x"]]}, context)


@pytest.mark.parametrize("absence", [(0, 10**30), (0, 1, 10**30), (10**30, 1)])
def test_numbers_beyond_every_run_are_refused(absence: Any) -> None:
    with pytest.raises(ValueError, match=r"expected numbers of at most 2\*\*32; without a last round it is for good$"):
        fm.Presence(absences=[absence])
