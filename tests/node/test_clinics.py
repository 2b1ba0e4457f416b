"""The example whose outcomes come weeks later: what a clinic keeps, tells and forgets, and what members learn."""

import asyncio
import importlib.util
import json
from types import SimpleNamespace

import pytest
from consortium import A_MOMENT, Consortium, charter_of

import folkmoot as fm
from folkmoot.node.charter import terms_of
from folkmoot.node.journal import Journal
from folkmoot.node.process import Node
from folkmoot.node.trying import applications, examples_folder
from folkmoot.node.view import View


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("clinics_dosing", examples_folder() / "clinics_dosing.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_one_of_the_applications_and_its_window_is_wide_enough(example):
    assert "clinics_dosing" in applications()
    given = {"start": "2026-01-01T00:00:00Z", "period": 0.0, "play": 1.0, "stage": 1.0, "faults": 1, **example.TERMS}
    assert terms_of(given).window == example.WINDOW > example.WAIT


def test_a_clinic_tells_each_outcome_once_and_in_time_also_when_it_is_started_again_each_week(example, tmp_path):
    told = {}
    for week in range(1, 81):
        clinic = example.Clinic(0, tmp_path / "patients.json")
        clinic.forget(week)
        clinic.treat(week, "5 mg", f"{week}.x.1")
        for ticket, reward in clinic.due(week):
            assert ticket not in told
            told[ticket] = week - int(ticket.split(".")[0]), reward
            clinic.told(ticket)
    weeks = [after for after, _ in told.values()]
    assert 4 <= min(weeks) < max(weeks) == example.WAIT
    assert len(told) >= 80 - example.WAIT
    rewards = [reward for _, reward in told.values()]
    assert 0 < rewards.count(None) < 12  # of some weeks nobody comes back
    assert 0.5 < sum(filter(None, rewards)) / len(rewards) < 0.75


def test_a_clinic_that_was_away_for_long_forgets_what_nobody_takes_any_more(example, tmp_path):
    clinic = example.Clinic(1, tmp_path / "patients.json")
    for week in (1, 2, 3):
        clinic.treat(week, "5 mg", f"{week}.x.1")
    clinic.forget(3 + example.WINDOW)
    assert list(clinic.cohorts) == ["3.x.1"]
    assert [ticket for ticket, _ in clinic.due(3 + example.WINDOW)] == ["3.x.1"]


def test_a_consortium_learns_from_what_comes_weeks_later(example, tmp_path):
    """On the network in memory: every outcome that was told is taken and enters, and all agree on the best dose."""
    rounds, told = 90, [0] * 4

    class Clinics(Consortium):
        async def application(self, player):
            clinic, tickets = example.Clinic(player.me, tmp_path / f"{player.me}.json"), player.tickets
            while player.phase != "done":
                if tickets.arm >= 0 and tickets.round > clinic.week:
                    decision = tickets.decide()
                    clinic.forget(decision.round)
                    clinic.treat(decision.round, example.ARMS[decision.arm], decision.ticket)
                    for ticket, reward in clinic.due(decision.round):
                        if reward is not None:
                            assert await player.take([tickets.outcome(ticket, reward)]) == ["taken"]
                            told[player.me] += 1
                        clinic.told(ticket)
                await asyncio.sleep(A_MOMENT)

    terms = {key: example.TERMS[key] for key in ("system", "window", "settings")}
    charter = charter_of(4, rounds=rounds, play=0.02, **terms)
    consortium = Clinics(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    first = consortium.players[0]
    shown = SimpleNamespace(
        player=first, view=View(first), journal=Journal(tmp_path / "log.jsonl", False),
        _web=SimpleNamespace(changed=lambda: None),
    )  # fmt: skip
    first._tell = lambda event, about: Node._told(shown, event, about)
    consortium.play()
    for player in consortium.players:
        assert player.height > 0.9 * (rounds - 15)
        seen = player.seen()
        assert max(range(3), key=lambda arm: seen["estimates"][arm] or 0.0) == 1, seen
        outcomes = sum(tally.outcomes for tally in player._store.tally().values())
        waiting = len(player._store.waiting())
        assert told[player.me] == outcomes + waiting
        assert outcomes > 0.7 * rounds
    # What came late stands where it was played: on the page, and in the log.
    entered = {round: first._store.reward(round) for round in range(1, rounds + 1)}
    curve = {one["round"]: one["reward"] for one in shown.view.rounds}
    assert curve == entered
    assert sum(reward is not None for reward in curve.values()) > 0.7 * rounds
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    late = {one["round"]: one["reward"] for one in events if one["event"] == "late"}
    assert late == {round: reward for round, reward in entered.items() if reward is not None}
    assert all(one["reward"] is None for one in events if one["event"] == "round")
    assert not any("No outcome" in said for said in shown.view.troubles())


def test_a_member_is_told_that_its_application_tells_nothing(tmp_path):
    class Nobody(Consortium):
        async def application(self, player):
            pass

    consortium = Nobody(
        charter_of(2, rounds=25, play=0.001, window=4), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=2), tmp_path
    )
    view, said = View(consortium.players[0]), {}

    def told(event, about):
        if event == "round":
            view.after_round(about["round"], about["arm"], about["reward"], about["heard"], 0, about["tally"], {})
            said[about["round"]] = [words for words in view.troubles() if "No outcome" in words]

    consortium.players[0]._tell = told
    consortium.play()
    first = "No outcome has come of rounds 1 to 10, nor can it any more. Does the application run?"
    assert not any(said[round] for round in range(1, 15))
    assert said[15] == [first]
    assert "rounds 11 to 20" in said[25][0]
