"""Two of the games of test_attacks_on_nodes.py, short ones: what `make test` plays of them."""

import pytest
from arena_of_nodes import Game

SPLIT, VOTES = {"attack": "split_views"}, {"seed": 29}


@pytest.mark.parametrize("liars", [SPLIT, VOTES], ids=["split views", "two words in a vote"])
def test_two_liars_among_seven_processes_split_and_stop_nothing(tmp_path, liars):
    with Game(tmp_path, 4, stage=20.0, **liars) as game:  # a busy machine misses no deadline
        result = game.play(600)
    assert result.verdicts == []
    assert (result.blocks, result.rounds) == (4, 4), result
