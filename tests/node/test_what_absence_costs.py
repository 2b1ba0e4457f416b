"""What a charter says of members that are gone for good, and of the settings that are not the defaults."""

import pytest
from consortium import Consortium, charter_of

import folkmoot as fm
from folkmoot.node.systems import system_of
from folkmoot.node.view import View
from folkmoot.node.words import words


@pytest.mark.parametrize(
    ("system", "settings", "said"),
    [
        ("bandit", {}, ["Algorithm: FloodSE.", "If one member leaves for good, no choice is ruled out"]),
        (
            "bandit",
            {"algorithm": {"type": "flood_se", "missing": 1, "delta": 0.05}},
            ["Algorithm: FloodSE, delta = 0.05, missing = 1.", "goes on without 1 member for good. If more"],
        ),
        ("bandit", {"algorithm": {"type": "cooperative_ucb"}}, ["goes on without 4 members for good"]),
        (
            "bc_ucb",
            {"comparison": "none", "validators": 3, "algorithm": {"kappa": 1.5}},
            ["Algorithm: BCUCB, kappa = 1.5, validators = 3.", "Blocks go on while 1 member is away: 4 sign one."],
        ),
    ],
)  # fmt: skip
def test_a_charter_says_without_how_many_members_it_goes_on(system, settings, said):
    told = "\n".join(words(charter_of(5, system=system, settings=settings)))
    for word in said:
        assert word in told
    assert "delta = None" not in told


def test_what_a_fault_is_depends_on_the_system():
    assert "may lie or be silent" in "\n".join(words(charter_of(4, system="bc_ucb")))
    told = "\n".join(words(charter_of(4)))
    assert "may say a false round; means of a liar count" in told
    assert "may lie or be silent" not in told


def test_with_three_members_on_a_chain_all_sign_and_the_charter_says_so():
    charter = charter_of(3, system="bc_ucb", faults=0)
    told = "\n".join(system_of(charter).endures())
    assert "All 3 members sign a block: while one is away there is none." in told
    assert charter.signers == system_of(charter).facts.first.state.quorum == 3
    for members in range(4, 12):
        charter = charter_of(members, system="bc_ucb")
        assert charter.signers == system_of(charter).facts.first.state.quorum


def test_the_page_says_that_there_are_no_blocks(tmp_path):
    charter, law = (
        charter_of(4, system="bc_ucb", settings={"disclosure": "open"}),
        fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4),
    )
    player = Consortium(charter, law, tmp_path).players[0]
    view = View(player)
    player._store.height = 3
    for round in range(1, 20):
        view.after_round(round, 0, None, frozenset(), min(3, round), {}, {})
        said = [words for words in view.troubles() if words.startswith("No block")]
        assert said == ([f"No block for {round - 3} rounds: it takes 3 of 4 members."] if round >= 9 else [])


@pytest.mark.parametrize(("queued", "empty"), [(0, 0), (1, 16)])
def test_where_no_sample_waits_no_block_is_no_trouble(tmp_path, monkeypatch, queued, empty):
    charter = charter_of(4, system="bc_ucb", settings={"disclosure": "open"})
    player = Consortium(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path).players[0]
    view = View(player)
    player._store.height = 3
    monkeypatch.setattr(type(player.system), "learns", True)
    monkeypatch.setattr(View, "_seen", lambda view: {"learning": {"queued": queued}})
    for round in range(1, 20):
        view.after_round(round, 0, None, frozenset(), min(3, round), {}, {})
    assert view._without_block() == empty
