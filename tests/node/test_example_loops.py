"""The loops of the example applications, against a node that refuses, goes away, and begins another epoch."""

import threading
from collections import Counter
from pathlib import Path

import pytest
from test_clinics import example as clinics  # noqa: F401

from folkmoot.node import NotNow, Refused, client
from folkmoot.node.folder import Folder
from folkmoot.node.tickets import BadOutcome, Decision, Tickets


class Node:
    """In place of `Client`: each question is a round; epoch 1 ends after some, and of some rounds it takes nothing."""

    def __init__(self, ends, rounds=(40, 40), refuses=()):
        self.ends, self.rounds, self.refuses = ends, rounds, refuses
        self.epoch, self.asked, self.told, self.refused = 1, 0, [], Counter()
        self.tickets = Tickets(("2.5 mg", "5 mg", "7.5 mg"), 0.0, 1.0, 14)

    def of(self, folder):
        return self

    def decide(self, after=0):
        self.asked += 1
        assert self.asked < 500, "the application stands still"
        if self.asked % 7 == 0:
            raise NotNow("the node does not answer")
        if self.tickets.round >= self.rounds[self.epoch - 1]:
            if self.epoch == len(self.rounds):
                self.ends.set()
                raise NotNow("no round is under way")
            self.epoch += 1
            self.tickets = Tickets(("2.5 mg", "5 mg", "7.5 mg"), 0.0, 1.0, 14, self.epoch)
        self.tickets.open(self.tickets.round + 1, 1)
        return self.tickets.decide()

    def outcome(self, ticket, reward):
        try:
            _, round, *_ = self.tickets.outcome(ticket, reward)
            if round in self.refuses:
                raise BadOutcome("no such ticket was given")
        except BadOutcome as error:
            self.refused[ticket] += 1
            raise Refused(str(error)) from None
        self.told.append((self.epoch, round))
        return True


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(module, **about):
        ends = threading.Event()
        node = Node(ends, **about)
        monkeypatch.setattr(client.Client, "of", node.of)
        monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
        module.serve(Folder.make(tmp_path / "a", "a", "127.0.0.1:9").path, 0, ends)
        return node

    return run


def test_a_clinic_goes_on_after_a_ticket_that_is_refused_and_in_another_epoch(run, clinics):  # noqa: F811
    node = run(clinics, refuses=(3, 4))
    assert set(node.refused.values()) == {1}  # each once: it is dropped
    told = Counter(epoch for epoch, _ in node.told)
    assert min(told[1], told[2]) > 20


def test_an_edge_server_goes_on_after_a_ticket_that_is_refused_and_in_another_epoch(run):
    import importlib.util

    from folkmoot.node.trying import examples_folder

    spec = importlib.util.spec_from_file_location("edge_cache", examples_folder() / "edge_cache.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    Server = module.Server
    Server.play = lambda self, policy: 0.5
    node = run(module, refuses=(3, 4))
    assert sorted(node.told) == [(epoch, t) for epoch in (1, 2) for t in range(1, 41) if t not in (3, 4)]


def test_the_first_round_of_an_epoch_is_played_though_it_has_the_number_of_the_last(run, clinics):  # noqa: F811
    node = run(clinics, rounds=(1, 1, 1, 30))
    assert node.epoch == 4
    assert len(node.told) > 10
    assert isinstance(node.tickets.decide(), Decision)


def test_the_loop_of_the_page_goes_on_after_a_ticket_that_is_refused_and_in_another_epoch(monkeypatch):
    page = (Path(__file__).resolve().parents[2] / "docs" / "write-an-application.md").read_text(encoding="utf-8")
    (loop,) = (part.split("```")[0] for part in page.split("```python\n") if "while True:" in part)

    class Over(BaseException):
        pass

    class Ends:
        def set(self):
            raise Over

    node = Node(Ends(), refuses=(3, 4))
    monkeypatch.setattr(client.Client, "of", lambda folder: node)
    monkeypatch.setattr("folkmoot.node.folder.Folder.__init__", lambda self, path: None)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(Over):
        exec(compile(loop, "docs/write-an-application.md", "exec"), {})
    assert sorted(node.told) == [(epoch, t) for epoch in (1, 2) for t in range(1, 41) if t not in (3, 4)]
    assert set(node.refused.values()) == {1}
