"""No message stops an agent: of whatever form, and of the right form with whatever numbers."""

import numpy as np
import pytest
from test_agents import RUNNABLE, job_of

from folkmoot.algorithms import wire
from folkmoot.algorithms.role import role
from folkmoot.coins import replicate_coins
from folkmoot.interface import late_outbox, outbox
from folkmoot.machine import Moment, Outcome, Received

TALKERS = [case for case in RUNNABLE if not case.name.startswith("UCB,") and case.name != "UCB"]
every_talker = pytest.mark.parametrize("case", TALKERS, ids=[case.name for case in TALKERS])
ROUNDS = 150


def filled(box, dice, t, n_agents, n_arms):
    """A box of messages, each number the worst or nearly right; in some all are such as an honest agent might send."""
    whole = [-(2**63), -(2**31), -1, 0, 1, t - 1, t, t + 1, n_agents, n_arms - 1, n_arms, 2**31, 2**63 - 1]
    real = [0.0, -0.0, 0.5, 1.0, -1.0, 1e-300, 1e30, -1e30, 1e12, float(t)]
    likely, small = dice.random() < 0.5, dice.choice([0.0, 1.0])
    for column in box:
        choices = {"f": real, "i": whole, "b": [False, True]}[column.dtype.kind]
        if column.dtype.kind == "i" and (likely or dice.random() < 0.5):
            column[:] = dice.integers(0, 2, column.shape)
        elif column.dtype.kind == "f" and likely:
            column[:] = small * dice.random(column.shape)
        else:
            column[:] = dice.choice(choices, column.shape)
    return box


@every_talker
def test_numbers_of_any_size_stop_nobody(case):
    job = job_of(case, "complete, p = .7")
    agent = role(case.algorithm, job.problem(), 0, replicate_coins(1, 2, 0)).resume({})
    boxes = outbox(job.params()), late_outbox(job.params())
    dice, noticed, counted = np.random.default_rng(3), 0, 0
    stages = len(agent.stages)
    for t in range(1, ROUNDS + 1):
        for stage in range(stages):
            inbox = []
            if stage > 1:
                exchange = stage - 2
                box = filled(boxes[exchange], dice, t, 6, job.rewards.n_arms)
                inbox = [Received(j, wire.pack(t, exchange, box, j)) for j in range(1, 6)]
            outcomes = [Outcome(t, float(dice.random() < 0.5))] if stage == 1 else []
            effects = agent.step(Moment(t, stage), inbox, outcomes)
            assert effects.pull is None or 0 <= effects.pull < job.rewards.n_arms
            noticed += len(effects.noticed)
            counted += len(agent._heard[0]) + len(agent._heard[1])
    assert counted > 0, "all was refused: the test shows nothing"


@every_talker
def test_bytes_of_any_form_stop_nobody(case):
    """Honest messages with bytes changed, cut off and added; and mere noise."""
    job = job_of(case, "complete, p = .7")
    agent = role(case.algorithm, job.problem(), 0, replicate_coins(1, 2, 0)).resume({})
    boxes = outbox(job.params()), late_outbox(job.params())
    dice, reasons = np.random.default_rng(4), set()
    for t in range(1, ROUNDS + 1):
        for stage in range(len(agent.stages)):
            inbox = []
            for j in range(-1, 8):
                data = bytearray(wire.pack(t, int(dice.integers(2)), boxes[0 if stage < 3 else 1], j % 6))
                for _ in range(int(dice.integers(0, 4))):
                    data[int(dice.integers(len(data)))] = int(dice.integers(256))
                data = data[: int(dice.integers(len(data)))] if dice.random() < 0.2 else data
                data += dice.bytes(int(dice.integers(4))) if dice.random() < 0.2 else b""
                inbox.append(Received(j, bytes(data) if dice.random() < 0.9 else dice.bytes(40)))
            effects = agent.step(Moment(t, stage), inbox, [Outcome(t, 1.0)] if stage == 1 else [])
            reasons |= {notice.reason for notice in effects.noticed}
    assert {"malformed", "no neighbour"} <= reasons
    assert agent.learner.seen.reward[0, 0] == 1.0


def test_what_an_index_must_be_is_asked():
    """Breaks the rule: without `possible` an arm out of range reaches the estimates."""
    case = next(case for case in RUNNABLE if case.name == "GoSInE, c1 = 0.5")
    job = job_of(case, "complete, p = .7")
    boxes = outbox(job.params()), late_outbox(job.params())

    def play(agent):
        for t in range(1, 30):
            boxes[0].favourite[:] = 10**9
            agent.step(Moment(t, 0), [], [])
            agent.step(Moment(t, 1), [], [Outcome(t, 1.0)])
            noticed = agent.step(Moment(t, 2), [Received(1, wire.pack(t, 0, boxes[0], 1))], []).noticed
        return noticed

    agent = role(case.algorithm, job.problem(), 0, replicate_coins(1, 2, 0)).resume({})
    assert [notice.reason for notice in play(agent)] == ["impossible"]
    agent = role(case.algorithm, job.problem(), 0, replicate_coins(1, 2, 0)).resume({})
    agent.learner.is_possible = lambda exchange, j, t: True
    with pytest.raises(IndexError):
        play(agent)
