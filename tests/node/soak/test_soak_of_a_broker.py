"""The soak of a broker: hundreds of agents of UCB-SBM in six processes over a real nats-server, which is killed once.

    make soak                              300 agents; a round of them takes some 30 s on two cores
    make soak SECONDS=60                   30 agents
    FOLKMOOT_SOAK_AGENTS=12 make soak      as many as one likes

No test here looks at how long something took.
"""

import json
import os
import sqlite3
import time

import numpy as np
import pytest
from hosts import SERVER, Hosts
from hosts import Server as Broker
from seen import note

import folkmoot as fm
from folkmoot.interface import pay, scene, set_scene
from folkmoot.node.folder import LOG
from folkmoot.node.store import FILE
from folkmoot.node.system import coins_of
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.simulate import make_job

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(SERVER is None, reason="nats-server is not installed (Debian: apt install nats-server)"),
]
SECONDS = float(os.environ.get("FOLKMOOT_SOAK_SECONDS", "600"))
AGENTS = int(os.environ.get("FOLKMOOT_SOAK_AGENTS", max(12, round(300 * min(SECONDS, 600) / 600))))
ARMS = 5
ROUNDS = max(ARMS, int(os.environ.get("FOLKMOOT_SOAK_ROUNDS", "6")))  # before the broker is killed, and after it
PROCESSES, SEED = 6, 7
PACE = {"stage": 60.0, "play": 20.0}  # a stage ends when all have spoken; so long only if somebody is away
LONG = 7_200  # seconds, after which a test gives up
LABELS = [n % 2 for n in range(AGENTS)]
LAW = fm.Bernoulli([[0.2 + 0.1 * arm + 0.05 * label for arm in range(ARMS)] for label in LABELS])


def processor(pid):
    """Seconds of processor that a process has had."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """MiB that a process has held at most."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


class Paying(Hosts):
    """Agents whose applications see what the simulator pays."""

    def __init__(self, folder, url, **more):
        super().__init__(folder, AGENTS, PROCESSES, url, pays=self.paid, arms=ARMS, seed=SEED, **PACE, **more)
        self.coins, self.record = coins_of(self.charter), LAW.record()
        self.seen = [share[0] for share in self.shares] + [share[-1] for share in self.shares]

    def paid(self, agent, round, arm):
        nature, reward = scene(self.record), np.zeros((AGENTS, 1))
        set_scene(self.record, round, self.coins, nature)
        pay(self.record, nature, agent, arm, round, self.coins, reward)
        return float(reward[agent, 0])

    def at(self):
        return [self.state(n).get("round", 0) for n in self.seen]

    def used(self):
        return sum(processor(one.pid) for one in self.processes)

    def sent(self):
        """Bytes that the agents looked at have sent to one other member, a round."""
        state = self.state(0)
        return sum(one.get("sent", 0) for one in state["members"]) / max(state["round"], 1) / len(state["members"])

    def arms(self):
        """By round and agent, as they lie on the disks; the processes must have ended."""
        found = {}
        for n, folder in enumerate(self.folders):
            db = sqlite3.connect(f"file:{folder.path / FILE}?mode=ro", uri=True)
            for round, arm in db.execute("SELECT round, arm FROM pull"):
                found[round, n] = arm
            db.close()
        return found

    def heard(self):
        """Of each agent, how many others it heard in its last round."""
        found = []
        for folder in self.folders:
            lines = (folder.path / LOG).read_text(encoding="utf-8").splitlines()
            rounds = [json.loads(line) for line in lines if '"event": "round"' in line]
            found.append(len(rounds[-1]["heard"]))
        return found


def test_agents_over_a_broker_play_arm_for_arm_what_the_simulator_plays(tmp_path):
    world = {"type": "stochastic_block_model", "labels": LABELS, "within": 1.0, "across": 1.0}
    settings = {"algorithm": {"type": "ucb_sbm"}, "network": world, "certain": True}
    began = time.monotonic()
    with Broker() as broker:
        hosts = Paying(tmp_path, broker.url, rounds=ROUNDS, settings=settings)
        try:
            hosts.start()
            hosts.plays()
            hosts.until(lambda: all(hosts.state(n).get("phase") == "done" for n in hosts.seen), LONG, 2)
            used, most, sent = hosts.used(), max(memory(one.pid) for one in hosts.processes), hosts.sent()
            statuses = hosts.stop()
        finally:
            hosts.end()
    note(what="broker, nothing lost", agents=AGENTS, rounds=ROUNDS, seconds=round(time.monotonic() - began),
         processor_ms=round(1000 * used / AGENTS / ROUNDS), mib=round(most), bytes_to_one=round(sent))  # fmt: skip
    simulated = Agents(make_job(fm.UCBSBM(), LAW, fm.StochasticBlockModel(LABELS, within=1.0, across=1.0),
                                horizon=ROUNDS, seed=SEED))  # fmt: skip
    played = hosts.arms()
    for t in range(1, ROUNDS + 1):
        before = simulated.pulls.copy()
        simulated.play(1)
        expected = (simulated.pulls - before).argmax(1).tolist()
        assert [played[t, n] for n in range(AGENTS)] == expected
    assert statuses == [0] * PROCESSES


def test_a_broker_that_is_killed_and_started_again_loses_no_agent(tmp_path):
    began = time.monotonic()
    with Broker() as broker:
        hosts = Paying(tmp_path, broker.url)
        try:
            hosts.start()
            hosts.plays()
            hosts.until(lambda: min(hosts.at()) >= ROUNDS, LONG, 1)
            broker.kill()
            hosts.until(lambda: all(len(hosts.state(n).get("present", ())) == 1 for n in hosts.seen), LONG, 1)
            killed = max(hosts.at())
            broker.start()
            hosts.until(lambda: min(hosts.at()) >= killed + ROUNDS, LONG, 1)
            played, most = max(hosts.at()), max(memory(one.pid) for one in hosts.processes)
            statuses = hosts.stop()
        finally:
            hosts.end()
    ended, heard = hosts.rounds_stored(), hosts.heard()
    note(what="broker, killed once", agents=AGENTS, rounds=played, killed_in=killed, mib=round(most),
         seconds=round(time.monotonic() - began), last=[min(ended), max(ended)], heard=[min(heard), max(heard)],
         )  # fmt: skip
    assert statuses == [0] * PROCESSES
    assert max(ended) - min(ended) <= 2
    assert min(heard) + 1 >= hosts.charter.quorum
