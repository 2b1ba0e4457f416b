"""Whatever gets lost, whoever is late or restarts: the honest never count a fault of the honest."""

from random import Random

import pytest
from made_round import BURN_IN
from test_participant import AT, Four

from folkmoot.node.view import OUT_OF_STEP

ROUNDS = 9


def played(seed):
    """One is late by some rounds, another one is killed twice, and of all messages a part is lost; what was noticed."""
    chance, four = Random(seed), Four()
    late, begins, loss = 3, BURN_IN + chance.randint(2, 5), chance.choice((0.05, 0.15, 0.3))
    kills = {(BURN_IN + chance.randint(1, ROUNDS), chance.randint(1, AT.total - 1)) for _ in range(2)}

    def lose(t, stage, sender, receiver, message):
        return (t < begins and late in (sender, receiver)) or chance.random() < loss

    four.lose = lose
    for t in range(1, BURN_IN + ROUNDS + 1):
        for stage in range(AT.total if t > BURN_IN else 1):
            if (t, stage) in kills:
                four.crash(2)
            four.stage(t, stage)
    four.lose = lambda *_: False
    for t in range(BURN_IN + ROUNDS + 1, BURN_IN + ROUNDS + 3):
        four.play(t)
    assert min(four.heights()) > 0
    return four.noticed


@pytest.mark.parametrize("seed", range(8))
def test_the_honest_count_no_fault_of_the_honest(seed):
    assert set(played(seed)) <= OUT_OF_STEP
