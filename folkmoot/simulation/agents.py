"""All agents of a game as machines of their own on a network in memory, told the same world as the compiled loop.

It plays the same arms as `simulate` (a test holds the two together), thousands of times slower: each agent has its own
arrays, and what agents tell each other goes as bytes. For tests, and for seeing what is lost when messages are.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from folkmoot import interface
from folkmoot.algorithms.role import role
from folkmoot.coins import replicate_coins, seed_words
from folkmoot.interface import Immediate, Reported
from folkmoot.machine import ALL, Moment, Outcome, Received
from folkmoot.simulation import engine
from folkmoot.simulation.host import Host
from folkmoot.simulation.replicates import Job
from folkmoot.world.own_laws import payments_named

Lost: TypeAlias = Callable[[Moment, int, int], bool]  # the moment of sending, the sender, the receiver


class Agents:
    """A game under way.

    Attributes:
        hosts: one for each agent.
        pulls: int64 [n_agents, n_arms].
        spent: float64 [1, n_arms], by the adversary.
        verified: pulls so far.
        round: the last one played.
    """

    def __init__(self, job: Job, replicate: int = 0, lost: Lost = lambda moment, sender, receiver: False) -> None:
        """`lost`: does a message get lost although the link is up?

        Raises:
            ValueError: an algorithm that no agent can run alone.
        """
        self._coins = replicate_coins(*seed_words(job.seed), replicate)
        job = job.of_replicate(replicate)
        self._job, self._lost, self._world = job, lost, job.world()
        n, k, d = job.rewards.n_agents, job.rewards.n_arms, job.rewards.n_objectives
        self.hosts = [Host(role(job.algorithm, job.problem(), i, self._coins)) for i in range(n)]
        self.pulls, self.spent = np.zeros((n, k), np.int64), np.zeros((1, k))
        self.round, self.verified, self._left = 0, 0, interface.budget(self._world.adversary)
        self._drawn, self._nature = interface.links(self._world.network), interface.scene(self._world.rewards)
        self._links, self._present = interface.spare_links(self._world.presence, self._drawn), np.ones(n, np.bool_)
        self._seen, self._clean = interface.fresh_seen(self._world.feedback, n, d), np.zeros(d)
        self._calendar: Any = interface.calendar(self._world.feedback, n, d)
        self._reported = Reported(np.zeros(k, np.int64), np.zeros((k, d)))
        self._under_way: list[list[Received]] = [[] for _ in range(n)]

    def play(self, rounds: int) -> None:
        """So many rounds."""
        for _ in range(rounds):
            self.play_round()

    def play_round(self) -> None:
        """One round: all agents pull, nature and the adversary have their turns, then agents talk and learn.

        Who is absent has no turn: its machine sleeps until it is there again.
        """
        t, world = self.round + 1, self._world
        self.round = t
        interface.draw_presence(world.presence, t, self._coins, self._present)
        interface.draw_links(world.network, t, self._coins, self._drawn)
        interface.meet(world.presence, self._present, self._drawn, self._links)
        self._pull(t)
        outcomes = self._outcomes(t)
        for stage in range(1, len(self.hosts[0].machine.stages)):
            arrived, self._under_way = self._under_way, [[] for _ in self.hosts]
            moment = Moment(t, stage)
            for i, host in self._there():
                effects = host.step(moment, arrived[i], outcomes[i] if stage == 1 else [])
                assert not effects.noticed, effects.noticed
                for receiver, data in effects.send:
                    self._carry(moment, i, receiver, data)

    def _there(self) -> list[tuple[int, Host]]:
        """The agents that are there in this round, and their numbers."""
        return [(i, host) for i, host in enumerate(self.hosts) if self._present[i]]

    def _pull(self, t: int) -> None:
        interface.set_scene(self._world.rewards, t, self._coins, self._nature)
        self._seen.arm[:] = self._seen.pulled[:] = -1
        self._seen.verified[:] = False
        for i, host in self._there():
            effects = host.step(Moment(t, 0))
            assert effects.pull is not None
            self._seen.arm[i] = self._seen.pulled[i] = effects.pull
            self.pulls[i, effects.pull] += 1
            self._seen.verified[i] = effects.verify and self.verified < self._world.verifications
            self.verified += int(self._seen.verified[i])
            with payments_named(self._world.rewards, type(self._job.rewards).__name__):
                interface.pay(self._world.rewards, self._nature, i, effects.pull, t, self._coins, self._seen.reward)

    def _outcomes(self, t: int) -> list[list[Outcome]]:
        """What comes to the agents in this round, after the adversary's turn."""
        adversary, feedback, seen = self._world.adversary, self._world.feedback, self._seen
        if interface.budget(adversary) > 0.0:
            interfere: Any = engine.interfere
            at = adversary, t, self._coins, seen, self._clean, self._reported
            self._left = interfere(*at, self._left, self.spent, 0)
        out: list[list[Outcome]] = [[] for _ in self.hosts]
        for i, _ in self._there():
            interface.post(feedback, self._calendar, i, t, self._coins, seen)
            interface.fetch(feedback, self._calendar, i, t, seen)
            if seen.arm[i] >= 0:
                pulled_in = t if isinstance(feedback, Immediate) else int(self._calendar.came[i])
                out[i] = [Outcome(pulled_in, tuple(seen.reward[i].tolist()), bool(seen.verified[i]))]
        return out

    def _carry(self, moment: Moment, sender: int, receiver: int | None, data: bytes) -> None:
        """To those that hear the sender in this round."""
        links: Any = self._links
        for j in range(len(self.hosts)):
            heard = links.neighbours[links.start[j] : links.start[j] + links.count[j]]
            if sender in heard and receiver in (ALL, j) and not self._lost(moment, sender, j):
                self._under_way[j].append(Received(sender, self._told(moment.round, sender, j, data)))

    def _told(self, t: int, sender: int, receiver: int, data: bytes) -> bytes:
        """What the receiver gets of a message: of a liar, if it is none itself, a lie."""
        liars, world = self._job.liars, self._world
        if liars is None or not interface.lies(world.liars, sender) or interface.lies(world.liars, receiver):
            return data
        machine: Any = self.hosts[sender].machine
        learner: Any = machine.learner

        def lie(box: Any) -> None:
            liars.lie(world.liars, world.law, learner.params, sender, t, receiver % 2, box, self._coins)

        told: bytes = learner.retold(data, lie)
        return told
