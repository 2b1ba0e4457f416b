"""An agent driven by hand: for a loop of one's own, in a notebook or a service, without a simulator.

A round: `arm`, pull it, `outcome`, `message` to the neighbours, `receive` theirs; if the algorithm has a second
exchange, `message` and `receive` again; then `close_round`. What is left out is as lost: who receives nothing has no
links. An outcome that comes in a later round is handed in then, with the round of its pull.
"""

from collections.abc import Mapping
from typing import Any

from folkmoot.algorithms.agent import EXCHANGE, PLAY, Agent
from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.learner import as_reward
from folkmoot.algorithms.pending import WINDOW
from folkmoot.algorithms.role import role
from folkmoot.coins import replicate_coins, seed_words
from folkmoot.doors import flag, guarded_but, is_whole, whole
from folkmoot.errors import brief
from folkmoot.machine import Delete, Effects, Moment, Noticed, Outcome, Put, Received, content


class AgentByHand:
    """An agent and the place it is at in its round.

    Attributes:
        machine: the agent as a machine (`folkmoot.algorithms.agent`).
        kept: what it remembers, bytes by name, for `folkmoot.agent(..., kept=)` in another process; up to date after
            each call.
    """

    def __init__(self, machine: Agent, kept: Mapping[str, bytes], n_objectives: int) -> None:
        self.machine, self.kept, self._n_objectives = machine, dict(kept), n_objectives
        self._round = machine.next.round if machine.next.stage == PLAY else machine.round
        self._given: list[Outcome] = []
        self._to_send: list[bytes] = []
        self._asks = False

    @property
    def round(self) -> int:
        """The round it is in, from 1 on."""
        return self._round

    @property
    def decision(self) -> int:
        """The arm it has settled on for good; -1: none."""
        return self.machine.learner.decision

    @property
    def asks_to_verify(self) -> bool:
        """Does it ask for a verified observation of this round's pull?"""
        self.arm()
        return self._asks

    def arm(self) -> int:
        """The arm to pull in this round; the same until the round is closed."""
        if self.machine.next == Moment(self._round, PLAY):
            self._asks = self._step().verify
        return self.machine.arm

    @property
    def awaited(self) -> dict[int, int]:
        """The arms of the pulls whose outcome has not been handed in, by round."""
        given = {outcome.round for outcome in self._given}
        return {round: arm for round, arm in self.machine.pending.awaited.items() if round not in given}

    def outcome(self, reward: Any, verified: bool = False, round: int | None = None) -> None:
        """What a pull brought: that of this round, or of `round`; `reward` is a number, or one for each objective.

        One outcome is learnt from in a round. Another one waits for the next, and so does one that comes after
        `message`. What was handed in is kept from the next call of `message`, `receive` or `close_round` on.

        Raises:
            ValueError: no finite numbers, out of [0, 1] where rewards are bounded, or not so many as they have
                objectives; or that round awaits none: it has its outcome, it made no pull, or that was longer ago than
                the window.
        """
        bounded = self.machine.learner.bounded
        if as_reward(reward, self._n_objectives, bounded) is None:
            allowed = "number(s) from 0 to 1" if bounded else "finite number(s)"
            raise ValueError(f"reward = {brief(reward)}: expected {self._n_objectives} {allowed}")
        verified = flag("verified", verified)
        of = self._round if round is None else whole("round", round, 0)
        self.arm()
        if of not in self.awaited:
            raise ValueError(f"round {of}: has its outcome, or none is awaited any more")
        self._given.append(Outcome(of, reward, verified))

    def message(self) -> bytes | None:
        """What to tell all neighbours now; None: nothing (any more) in this round.

        Called once after `outcome` and, where the algorithm has a second exchange, once after `receive`.
        """
        self.arm()
        if self.machine.next == Moment(self._round, EXCHANGE):
            self._step()
        return self._to_send.pop() if self._to_send else None

    def receive(self, messages: Mapping[int, bytes]) -> list[Noticed]:
        """Learn from the neighbours whose messages came, by their numbers; what was wrong with any of them.

        Raises:
            ValueError: this round takes no more messages, or these are not bytes by the numbers of agents.
        """
        if not isinstance(messages, Mapping):
            raise ValueError(f"messages = {brief(messages)}: expected bytes by the numbers of agents")
        for j, data in messages.items():
            if not is_whole(j) or not isinstance(data, bytes):
                raise ValueError(f"message of {brief(j)} = {brief(data)}: expected bytes by the numbers of agents")
        self.arm()
        if self.machine.next == Moment(self._round, EXCHANGE):
            self._step()
        if self.machine.next.round != self._round:
            raise ValueError(f"round {self._round}: takes no more messages; call close_round first")
        return self._step([Received(j, data) for j, data in sorted(messages.items())]).noticed

    def close_round(self) -> None:
        """End the round; what it still lacks is taken as lost."""
        self.arm()
        while self.machine.next.round == self._round:
            self._step()
        self._to_send.clear()
        self._round += 1

    def _step(self, inbox: list[Received] | None = None) -> Effects:
        effects = self.machine.step(self.machine.next, inbox or [], self._given)
        for item in effects.keep:
            if isinstance(item, Put):
                self.kept[item.key] = content(item.value)
            elif isinstance(item, Delete):
                self.kept.pop(item.key, None)
        self._given = []
        self._to_send = [data for _, data in effects.send[:1]]
        return effects


@guarded_but("algorithm", "problem", "i", "window")
def agent(
    algorithm: Algorithm,
    problem: Problem,
    i: int,
    *,
    seed: int = 0,
    replicate: int = 0,
    kept: Mapping[str, bytes] | None = None,
    window: int = WINDOW,
) -> AgentByHand:
    """Agent i of an algorithm, to be driven by hand.

    With the seed and the replicate of a simulation it chooses as that simulation's agent would. All agents of one game
    must have the same algorithm, problem, seed and replicate.

    Args:
        algorithm: what it thinks, such as `GSE()`.
        problem: what it is told, such as `Problem.on(network, n_arms=5, horizon=1_000)`.
        i: its number, from 0.
        seed, replicate: coordinates of its coins.
        kept: what an agent like this has kept, to go on from there.
        window: rounds after a pull in which its outcome is still taken.

    Raises:
        ValueError: an argument of another kind or out of its range, an algorithm that no agent can run alone, or what
            another agent has kept, or one of another problem or with another window.
    """
    coins = replicate_coins(*seed_words(seed), replicate)
    kept = kept or {}
    return AgentByHand(role(algorithm, problem, i, coins, window).resume(kept), kept, problem.n_objectives)
