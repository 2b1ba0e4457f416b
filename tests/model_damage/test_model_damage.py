"""Damaged models, applications and samples are refused in one line; each rule, broken on purpose, is found."""

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("torch", reason="needs the extra `multiparty`")

from model_damage import BROKEN, Bench, Wrong, broken, subjects

DRAWS = 400


@pytest.fixture(scope="module")
def bench():
    return Bench(subjects())


def test_damage_is_refused_in_one_line(bench):
    for seed in range(DRAWS):
        bench.play(seed)


def test_no_kind_of_damage_is_left_to_chance(bench):
    for one in bench.subjects:
        for kind in dict.fromkeys(damage.__name__ for damage in one.damages):
            for seed in range(4):
                assert bench.play(seed, one.name, kind)[:2] == (one.name, kind)


# The rule, and what must be damaged how for it to be needed.
FOUND = {
    "header of torch": ("torch", "a_header"),
    "header of linear": ("linear", "a_header"),
    "size and depth of a header": ("linear", "another_header"),
    "places in arrays": ("signed program", "changed"),
    "types of fields": ("signed application", "signed"),
    "nothing allocated": ("signed application", "signed"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_found(bench, rule):
    with broken(rule), pytest.raises(Wrong):
        [bench.play(seed, *FOUND[rule]) for seed in range(2000)]
