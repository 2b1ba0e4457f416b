"""What the report says was played in a game on a chain."""

import pytest

import folkmoot as fm
from folkmoot.report.chain_settings import attack, rows
from folkmoot.report.chains import _regret
from folkmoot.report.shared import in_words, same_or_each


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (fm.Equivocate(), "Equivocate"),
        (fm.FalseCounts(), "FalseCounts"),
        (fm.Drift(value=0.5), "Drift: value 0.5"),
        (fm.Congest(pull=0), "Congest"),
        (fm.Attack(pull=0, inflated=True), "pull 0, inflated yes"),
        (fm.Attack(), "none: they play fair"),
    ],
)
def test_an_attack_is_its_name_and_what_it_does_not_do_by_itself(kind, said):
    assert attack(kind.describe()) == said


@pytest.mark.parametrize("environment", [False, True])
def test_who_signs_rewards_and_what_a_lie_costs_are_said(environment):
    about = {"horizon": 12, "malicious": [1], "environment": environment, "progress": False, "engine": "interpreted"}
    result = fm.simulate_chain(fm.BCUCB(cost=0.25), fm.Bernoulli((0.3, 0.8), n_agents=4), **about)
    told = dict(rows(result))
    assert told["Rewards in blocks"] == ("signed by an environment" if environment else "what participants claim")
    assert told["Proven liars"] == "none; the chain would have noted them"
    assert "c = 0.25 more" in "".join(_regret({"one": result}))
    result.configuration["algorithm"]["cost"] = 0.0
    assert "c = " not in "".join(_regret({"one": result}))


def test_games_that_say_the_same_share_a_row():
    told = {f"game {n}": [("Attack", "Drift" if n < 5 else "Mute"), ("Seed", "1")] for n in range(6)}
    found = [("Attack: game 0; game 1; game 2 and 2 more", "Drift"), ("Attack: game 5", "Mute"), ("Seed", "1")]
    assert same_or_each(told) == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("attack = sign_flip", "attack sign flip"),
        ("malicious = [0, 1], attack = promote_arm, arm 1", "malicious [0, 1], attack promote arm, arm 1"),
        ("attack = attack", "no attack"),
        ("attack = attack, cost = 0.5", "no attack, cost 0.5"),
        ("attack = attack, inflated True", "attack attack, inflated True"),
        ("attack = my_module:Flip", "attack my_module:Flip"),
        ("faults.lose = 0.1", "lose (faults) 0.1"),
        ("BC-UCB, my_own name", "BC-UCB, my_own name"),
    ],
)
def test_names_of_cells_are_written_as_people_do(name, said):
    assert list(in_words({name: 1})) == [said]


def test_a_row_does_not_say_its_title_twice():
    told = {"no attack": [("Attack", "none")], "attack mute": [("Attack", "Mute")]}
    assert same_or_each(told) == [("Attack: no attack", "none"), ("Attack: mute", "Mute")]


def test_names_of_cells_stay_apart():
    assert list(in_words({"cost = 1": 1, "cost 1": 2})) == ["cost = 1", "cost 1"]
