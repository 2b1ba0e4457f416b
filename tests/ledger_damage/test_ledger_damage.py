"""Damaged ledgers are judged as they must be; each rule, broken on purpose, is found by the search."""

from itertools import count

import pytest

pytest.importorskip("safetensors", reason="ledgers of kind bema need the extra `multiparty`")
pytest.importorskip("sklearn", reason="ledgers of kind bema need the extra `multiparty`")
pytest.importorskip("rbcl", reason="an old ledger needs the extra `private`")

from ledger_damage import BROKEN, Bench, Wrong, broken, remembered
from ledger_damage.damages import KINDS
from ledger_damage.made import subjects

DRAWS, CHUNK = 200, 50


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"), subjects())


@pytest.fixture(scope="module")
def memory():
    return {}


@pytest.fixture
def _remembered(bench, memory):
    with remembered(memory):
        yield


def played(bench, seed, **only):
    try:
        return bench.play(seed, **only)
    except Wrong as error:
        raise AssertionError(f"python -m tests.ledger_damage --seed {seed}: {error}") from error


@pytest.mark.usefixtures("_remembered")
@pytest.mark.parametrize("first", range(0, DRAWS, CHUNK))
def test_damage_is_named_or_changes_nothing(bench, first):
    for seed in range(first, first + CHUNK):
        played(bench, seed)


@pytest.mark.usefixtures("_remembered")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_kind_of_damage_is_left_to_chance(bench, kind):
    names = [one.name for one in bench.subjects if kind.needs is None or kind.needs in one.traits]
    for seed, name in zip(range(3), names[-3:]):
        assert played(bench, seed, subject=name, kind=kind.name)[:2] == (name, kind.name)


# The rule, and a ledger and a kind of damage that need it.
FOUND = {
    "ends": ("bema", "bytes_appended"),
    "log": ("notes, left behind", "a_bit_of_the_log"),
    "links": ("bc_ucb, left behind", "read_by_a_link"),
    "names": ("bema of 0.1.0", "a_bit_of_a_content"),
    "plain files": ("bema of 0.1.0", "a_shelf_that_is_a_link"),
    "seals": ("notes of 0.1.0", "a_row_changed"),
    "head": ("coin of 0.1.0", "a_row_moved_or_taken"),
    "text": ("vrf of 0.1.0", "a_bit_of_the_schema"),
    "where": ("bc_ucb", "a_row_changed"),
}


def test_every_breakable_rule_is_looked_for():
    assert set(FOUND) == set(BROKEN)


@pytest.mark.usefixtures("_remembered")
@pytest.mark.parametrize("rule", FOUND)
def test_a_broken_rule_is_found(bench, rule):
    subject, kind = FOUND[rule]
    with broken(rule), pytest.raises(Wrong):
        [bench.play(seed, subject=subject, kind=kind) for seed in range(100)]


def test_what_is_remembered_changes_no_outcome(bench):
    plainly = [played(bench, seed) for seed in range(DRAWS, DRAWS + 25)]
    with remembered({}):
        assert [played(bench, seed) for seed in range(DRAWS, DRAWS + 25)] == plainly


def test_a_seed_is_the_same_damage_again(bench):
    """Even if others were drawn in between: nothing of them is left."""
    first = played(bench, 7)
    for seed in count(8):
        if played(bench, seed)[2] == "bad block":
            break
    assert played(bench, 7) == first
