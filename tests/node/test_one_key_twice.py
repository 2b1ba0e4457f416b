"""One key in two places: the others notice. And what the honest say out of step is not called a fault in the log."""

import json
from collections import Counter
from types import SimpleNamespace

from consortium import Consortium, charter_of

import folkmoot as fm
from folkmoot.machine import Moment
from folkmoot.node.arrivals import TWO_STORIES, Arrivals
from folkmoot.node.frames import STEP, Frame
from folkmoot.node.journal import MOST_NOTICES, Journal
from folkmoot.node.process import Node
from folkmoot.node.view import View


def test_two_frames_of_one_stage_that_differ_are_noticed_early_and_late():
    arrivals, at = Arrivals([0, 1]), Moment(5, 2)
    for moment in (Moment(5, 1), Moment(5, 2), Moment(6, 0)):
        assert arrivals.take(0, Frame(STEP, moment, (b"one",)), at) == ""
        assert arrivals.take(0, Frame(STEP, moment, (b"another",)), at) == TWO_STORIES
        assert arrivals.take(0, Frame(STEP, moment, (b"one",)), at) not in ("", TWO_STORIES)
        assert arrivals.take(1, Frame(STEP, moment, (b"another",)), at) == ""
        arrivals.inbox(Moment(5, 0), SimpleNamespace(late=(), kinds={}), lambda data: "")  # what was late has been read


def test_two_nodes_with_one_key_are_noticed_by_the_others(tmp_path):
    """A frame of each stage comes twice from site-1, the second time with other words."""
    consortium = Consortium(charter_of(3, rounds=8), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=3), tmp_path)
    first = consortium.players[1]._transport
    sends = first.send

    def twice(to, frame):
        sends(to, frame)
        if frame.kind == STEP and frame.moment.stage == 0:
            sends(to, frame._replace(parts=(*frame.parts, b"of the other one")))

    first.send = twice
    consortium.play()
    for number in (0, 2):
        words = View(consortium.players[number]).troubles()
        assert any(said.startswith("Two nodes use the key of site-1") for said in words)
        assert not any("key of site-0" in said or "key of site-2" in said for said in words)
    assert not any("Two nodes" in said for said in View(consortium.players[1]).troubles())


def test_what_is_out_of_step_is_no_fault_in_the_log(tmp_path):
    consortium = Consortium(charter_of(3), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=3), tmp_path)
    node = SimpleNamespace(
        player=consortium.players[0], journal=Journal(tmp_path / "log.jsonl", False),
        _web=SimpleNamespace(changed=lambda: None),
    )  # fmt: skip
    Node._told(node, "noticed", {"member": -1, "reason": "session", "proof": False})
    Node._told(node, "noticed", {"member": 1, "reason": "two values", "proof": True})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["refused", "fault"]
    assert lines[0]["reason"] == "session"
    assert lines[1]["member"] == "site-1"
    assert lines[1]["proven"] is True


def test_attack_of_notices_that_push_everything_else_out_of_the_log(tmp_path):
    """One liar has forty messages refused in each of eleven stages, for twenty reasons; no count is lost."""
    consortium = Consortium(charter_of(3), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=3), tmp_path)
    player = consortium.players[0]
    node = SimpleNamespace(
        player=player, view=View(player), journal=Journal(tmp_path / "log.jsonl", False),
        _web=SimpleNamespace(changed=lambda: None),
    )  # fmt: skip
    sent, rounds = Counter(), 3
    for round in range(1, rounds + 1):
        for number in range(11 * 40):
            reason, proof = f"reason {number % 20}", number == 300
            sent[reason] += 1
            Node._told(node, "noticed", {"member": 1, "reason": reason, "proof": proof})
        Node._told(node, "noticed", {"member": 2, "reason": "late", "proof": False})
        about = {"round": round, "arm": 0, "reward": None, "late": {}, "heard": {1, 2}, "tally": {}}
        Node._told(node, "round", about)
    node.journal.close()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    of_liar = [line for line in lines if line.get("member") == "site-1"]
    assert len(of_liar) <= rounds * (MOST_NOTICES + 2)
    assert sum(line.get("proven", False) for line in of_liar) == rounds
    assert [line["event"] for line in lines if line.get("member") == "site-2"] == ["refused"] * rounds
    told = Counter(line["reason"] for line in of_liar if line["event"] == "fault")
    for line in of_liar:
        told.update(line["times"] if line["event"] == "again" else {})
    assert told == sent
