"""Pull counts compared in private: between processes, every so many rounds, beside the event loop, at a price."""

import asyncio
import threading

import pytest
from cluster import Cluster
from consortium import Consortium, charter_of
from timeless import run

import folkmoot as fm
from folkmoot.cli import main
from folkmoot.comparison.in_rounds import Pairwise
from folkmoot.node.chained import Price
from folkmoot.node.charter import write_charter
from folkmoot.node.systems import system_of
from folkmoot.node.words import words

pytest.importorskip("rbcl")
BURN_IN = 3


def charter(**settings):
    settings = {"comparison": "pairwise", "algorithm": {"burn_in": BURN_IN}, **settings}
    return charter_of(4, rounds=BURN_IN + 4, system="bc_ucb", settings=settings)


def pays(member, round, arm):
    return float(((member * 7_919 + round * 104_729 + arm * 1_299_709) % 1_000) / 1_000 < (0.3, 0.5, 0.7)[arm])


def test_processes_compare_their_counts_in_private(tmp_path):
    settings = {"comparison": "pairwise", "algorithm": {"burn_in": BURN_IN}}
    with Cluster(tmp_path, 4, pays=pays, system="bc_ucb", settings=settings, stage=20.0, quick=True) as cluster:
        members = cluster.members
        cluster.until(lambda: min(member.state().get("height", 0) for member in members) >= 2, 600)
        assert not any(one.get("faults") for member in members for one in member.state()["members"])
        assert members[0].state()["settled"] is False  # nothing on a chain is decided for good
        assert cluster.stop() == [0] * 4


def test_counts_are_compared_in_the_rounds_that_the_charter_names(tmp_path, monkeypatch):
    asked, heard = set(), set()
    offer, answer = Pairwise.offer, Pairwise.answer
    consortium = Consortium(charter(every=3), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    monkeypatch.setattr(Pairwise, "offer", lambda me, key: asked.add(rounds()) or offer(me, key))
    monkeypatch.setattr(Pairwise, "answer", lambda me, *about: heard.add(rounds()) or answer(me, *about))

    def rounds():
        return {player.moment.round for player in consortium.players}.pop()

    consortium.play()
    assert asked == heard == {BURN_IN + 1, BURN_IN + 4}
    assert [player.height for player in consortium.players] == [4] * 4


def test_a_comparison_runs_beside_the_event_loop(tmp_path, monkeypatch):
    """An answer that waits until the loop has turned would wait for ever if it held the loop up."""
    turned, waited, answer = threading.Event(), [], Pairwise.answer
    consortium = Consortium(charter(), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)

    def slow(me, *about):
        turned.clear()
        waited.append(turned.wait(60))
        return answer(me, *about)

    async def turn():
        while True:
            turned.set()
            await asyncio.sleep(0)

    async def play():
        turning = asyncio.create_task(turn())
        await consortium._play()
        turning.cancel()

    monkeypatch.setattr(Pairwise, "answer", slow)
    run(play())
    assert waited
    assert all(waited)


def test_whoever_reads_the_charter_is_told_what_a_comparison_costs(tmp_path, capsys, monkeypatch):
    assert not any("compared in" in line for line in words(charter(comparison="none")))
    assert "Counts are compared in every round. That takes a member about" in " ".join(words(charter()))
    write_charter(tmp_path / "charter.toml", charter(every=50))
    main(["charter", "check", str(tmp_path / "charter.toml")])
    said = capsys.readouterr().out
    assert "compared in one round in 50" in said
    assert "kB that it sends" in said
    system = system_of(charter())
    monkeypatch.setattr(system, "price", lambda: Price(3.0, 2.0, 1e6))
    assert "takes 2.0 s, and a stage lasts 5 s" in system.costs()[1]
    monkeypatch.setattr(system, "price", lambda: Price(3.0, 1.0, 1e6))
    assert len(system.costs()) == 1


def test_the_price_grows_with_members_and_arms():
    small, more = system_of(charter()).price(), system_of(charter(validators=1)).price()
    assert small.bytes > more.bytes > 0
