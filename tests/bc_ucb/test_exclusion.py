"""Proven liars are no members any more: the chain goes on without them, in the protocol and in the loop alike."""

from dataclasses import replace

import numpy as np
import pytest
from liars import liars_game, played
from small_game import by_the_loop, different, small_game
from test_evidence_in_games import second_votes

import folkmoot as fm
from folkmoot.bc_ucb.protocol import play
from folkmoot.bc_ucb.records import EXCLUDED
from folkmoot.cli import main
from folkmoot.ledger.chain import apply_block, propose
from folkmoot.ledger.errors import UnknownSigner
from folkmoot.report.chain_settings import proven
from folkmoot.signatures import SigningKey


@pytest.mark.parametrize("sortition", ["coin", "vrf"])
@pytest.mark.parametrize("m", [4, 7])
def test_with_f_excluded_the_chain_goes_on_without_them(m, sortition):
    game = liars_game(m, 1, 7, sortition=sortition, evidence="exclude", watched=True)
    table = played(game, second_votes(None))
    liars, f = set(np.flatnonzero(game.malicious).tolist()), (m - 1) // 3
    state = table.watch.chains[-1].state
    assert state.excluded == liars
    assert state.quorum == 2 * (m - f) // 3 + 1
    assert len(table.records) == 7
    (at,) = [n for n, record in enumerate(table.records) if record.shown]
    for record in table.records[at + 1 :]:
        assert {number for number, reason in record.refused if reason == EXCLUDED} == liars
        assert not liars & {*record.validators, *(report.participant for report in record.reports)}
        assert not record.paid[sorted(liars)].any()
    assert len(table.records) - at >= 4


def one_by_one(convicted):
    """A script: this one votes twice; the others lie low, then are mute."""

    def script(liar, stage, said):
        if liar.index == convicted:
            return second_votes(None)(liar, stage, said)
        return [] if liar.chain.state.excluded else said

    return script


def test_with_one_of_two_excluded_another_silent_one_stops_nothing():
    """M = 7, f = 2: six members are left, five of them speak, and five are a quorum."""
    table = played(liars_game(7, 1, 8, evidence="exclude", watched=True), one_by_one(5))
    state = table.watch.chains[-1].state
    assert (state.excluded, state.quorum, state.faulty) == ({5}, 5, 1)
    (at,) = [n for n, record in enumerate(table.records) if record.shown]
    assert len(table.records) == 8
    assert all((6, "missing") in record.refused for record in table.records[at + 2 :])


def test_the_signature_of_one_excluded_is_nobodys():
    table = played(liars_game(4, 1, 5, evidence="exclude"), second_votes(None))
    chain = table.watch.chains[-2]
    rules = table.hosts[table.honest[0]].machine.rules
    assert chain.state.excluded == {3}
    block = propose(chain, [table.records[-1].to_bytes()])
    keys = [SigningKey(seed) for seed in table._seeds]
    assert apply_block(chain, block.signed(*keys[:3]), rules).height == chain.height + 1
    assert chain.state.quorum == 3
    with pytest.raises(UnknownSigner):
        apply_block(chain, block.signed(*keys), rules)


def test_a_ledger_with_exclusions_is_verified(tmp_path):
    rewards = fm.Bernoulli((0.3, 0.8), n_agents=4)
    path = tmp_path / "excluded.ledger"
    about = {"horizon": 60, "malicious": [2], "attack": fm.Equivocate(), "progress": False, "seed": 3}
    algorithm = fm.BCUCB(burn_in=10)
    found = fm.simulate_chain(algorithm, rewards, **about, fidelity="protocol", ledger=path, evidence="exclude")
    book = fm.ledger.open(path)
    assert book.verify().ok
    state = book.chain.state
    assert set(dict(state.faults)) == state.excluded == {2}
    assert len(found.checkpoints)
    noted = fm.simulate_chain(algorithm, rewards, **about, fidelity="protocol", ledger=tmp_path / "noted.ledger")
    state = fm.ledger.open(tmp_path / "noted.ledger").chain.state
    assert (set(dict(state.faults)), state.excluded) == ({2}, frozenset())
    assert found.configuration["evidence"] == "exclude"
    assert "evidence" not in noted.configuration


@pytest.mark.parametrize("evidence", ["exclude", "note"])
def test_a_result_names_the_proven_liar_in_both_fidelities(tmp_path, capsys, evidence):
    """The one that is excluded has no trust left, and the shares of the others are among themselves."""
    rewards, path = fm.Bernoulli((0.3, 0.8), n_agents=4), tmp_path / "game.ledger"
    about = {"horizon": 24, "malicious": [2], "attack": fm.Equivocate(), "progress": False, "seed": 3}
    about |= {"evidence": evidence, "engine": "interpreted"}
    algorithm = fm.BCUCB(burn_in=10)
    loop = fm.simulate_chain(algorithm, rewards, **about)
    told = fm.simulate_chain(algorithm, rewards, **about, fidelity="protocol", ledger=path)
    assert loop.proven.tolist() == told.proven.tolist() == [[0, 0, 1, 0]]
    assert loop.trust.tolist() == told.trust.tolist()
    assert told.trust.sum() == pytest.approx(1)
    assert (told.trust[0, 2] > 0) == (evidence == "note")
    word = "excluded" if evidence == "exclude" else "noted"
    assert proven(loop) == proven(told) == f"2, {word}"
    assert main(["ledger", "show", "--blocks", "0", "--accounts", str(path)]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()[-4:]]
    assert [row[-1] for row in rows] == ["-", "-", word, "-"]
    shares = [float(row[3].rstrip("%")) / 100 for row in rows]
    assert shares == pytest.approx(told.trust[0].tolist(), abs=1e-4)


def test_where_it_depends_on_who_passes_what_on_the_loop_does_not_say_who_is_proven():
    rewards, algorithm = fm.Bernoulli((0.3, 0.8), n_agents=4), fm.BCUCB(burn_in=10)
    about = {"horizon": 14, "malicious": [2], "progress": False, "engine": "interpreted"}
    split = fm.simulate_chain(algorithm, rewards, **about, attack=fm.TwoReports())
    assert split.proven.tolist() == [[0, 0, -1, 0]]
    assert proven(split).startswith("not known")
    late = fm.simulate_chain(algorithm, rewards, **about, attack=fm.LateReport())
    assert late.proven.tolist() == [[0, 0, 0, 0]]
    assert proven(late).startswith("none")


@pytest.mark.parametrize("more", [{}, {"report": "trim_window"}, {"pull": 0, "inflated": True}])
@pytest.mark.parametrize(("m", "seed"), [(4, 1), (7, 2), (7, 3)])
def test_the_loop_excludes_whom_the_protocol_excludes(m, seed, more):
    game = small_game("equivocate", m, seed, horizon=26, more=more, validators=3, evidence="exclude")
    told, looped = play(game, 0), by_the_loop(game, 0)
    assert different(told.tally, looped) == []
    assert told.chain.state.excluded
    noted = by_the_loop(replace(game, evidence="note"), 0)
    assert "validators" in different(looped, noted)


def test_the_loop_refuses_to_exclude_where_it_depends_on_who_passes_what_on():
    about = {"horizon": 60, "malicious": [2], "attack": fm.TwoReports(), "progress": False}
    with pytest.raises(ValueError, match=r"delivers to 'halves' needs fidelity = 'protocol'"):
        fm.simulate_chain(fm.BCUCB(burn_in=10), fm.Bernoulli((0.3, 0.8), n_agents=4), **about, evidence="exclude")
