"""A hundred scenarios hold every invariant; and each rule, broken on purpose, is noticed by one of them."""

import pytest

from scenarios import BROKEN, Broken, broken, drawn_game, run

CHUNK = 10


@pytest.mark.parametrize("first", range(0, 100, CHUNK))
def test_scenarios_hold_every_invariant(first):
    for seed in range(first, first + CHUNK):
        try:
            run(seed)
        except Broken as error:
            raise AssertionError(f"python -m tests.scenarios --seed {seed}: {error}") from error


# The rule, a seed whose scenario needs it, and what is then noticed.
NOTICED = [
    ("quorum", 5, "quorum"),
    ("lock", 62, "lock"),
    ("precommit", 12, "nothing was decided"),
    ("rounds", 36, "no quorum has prevoted"),
    ("trimming", 114, "range"),
    ("memory", 38, "lock"),
]


def test_every_breakable_rule_has_its_scenario():
    assert {rule for rule, _, _ in NOTICED} == set(BROKEN)


@pytest.mark.parametrize(("rule", "seed", "what"), NOTICED)
def test_a_broken_rule_is_noticed(rule, seed, what):
    with broken(rule), pytest.raises(Broken, match=what):
        run(seed)


def test_a_seed_is_the_same_scenario_again():
    runs = [run(7).watch.chains[-1].tip for _ in range(2)]
    assert runs[0] == runs[1]
    assert repr(drawn_game(7)[1].faults) == repr(drawn_game(7)[1].faults) != repr(drawn_game(8)[1].faults)


def test_the_scenarios_are_of_all_kinds():
    drawn = [drawn_game(seed) for seed in range(100)]
    assert {game.terms.n_participants for _, game in drawn} == {4, 7}
    assert {game.sortition for _, game in drawn} == {"coin", "vrf"}
    assert {"twins", "equivocate", "withhold", "forge", "replay_old", "allies_only"} <= {kind for kind, _ in drawn}
    for fault in ("drop", "delay", "reorder", "duplicate", "partition", "crash"):
        assert 25 <= sum(getattr(game.faults, fault) > 0 for _, game in drawn) <= 75  # 50, five deviations of 5
