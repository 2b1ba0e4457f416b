"""A scenario as text: machines on a network in memory, and who does what in which stage.

A test plays a few rounds with `Play` and holds the text against a file of testdata/ with `check`. What a system's
messages say is told by a function of its own, from bytes to words.
"""

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path

from folkmoot.machine import ALL, Append, Effects, Moment, Outcome, Received
from folkmoot.simulation.host import Host

TESTDATA = Path(__file__).parent / "testdata"


def number(value: float) -> str:
    """Six digits, so that a reader sees numbers and not their last bits."""
    return f"{value:.6g}"


class Play:
    """Rounds of a game, written down.

    Args:
        hosts: the machines; participant i is the i-th.
        describe: a message in words.
        reward: what participant i is paid for an arm in a round; None: the outcome never comes.
        lost: does a message sent at this moment from one to another get lost?
        outcome_stage: the stage in which outcomes are handed in.
    """

    def __init__(
        self,
        hosts: Iterable[Host],
        describe: Callable[[bytes], str],
        reward: Callable[[int, int, int], float | None],
        lost: Callable[[Moment, int, int], bool] = lambda moment, sender, receiver: False,
        outcome_stage: int = 1,
    ) -> None:
        self.hosts, self.lines = list(hosts), list[str]()
        self._describe, self._reward, self._lost, self._outcome_stage = describe, reward, lost, outcome_stage
        self._pulled: dict[int, int] = {}
        self._arriving: list[list[Received]] = [[] for _ in self.hosts]

    def say(self, text: str) -> None:
        """A line of the author's."""
        self.lines.append(text)

    def round(self, t: int) -> None:
        """All stages of a round, for all."""
        self.say(f"\nround {t}")
        self._pulled = {}
        for number, stage in enumerate(self.hosts[0].machine.stages):
            self.say(f"  {stage.name}")
            self.stage(Moment(t, number))

    def stage(self, moment: Moment, only: Iterable[int] | None = None) -> None:
        """One stage, for all or for some of them."""
        arrived, self._arriving = self._arriving, [[] for _ in self.hosts]
        for i in range(len(self.hosts)) if only is None else only:
            outcomes = self._outcomes(moment, i)
            effects = self.hosts[i].step(moment, arrived[i], outcomes)
            self.tell(i, effects)
            if effects.pull is not None:
                self._pulled[i] = effects.pull
            for receiver, data in effects.send:
                self._carry(moment, i, receiver, data)

    def tell(self, i: int, effects: Effects) -> None:
        """Write down what a step came to."""
        if effects.pull is not None:
            asked = ", and asks for a verified outcome" if effects.verify else ""
            self.say(f"    {i} pulls arm {effects.pull}{asked}")
        for notice in effects.noticed:
            self.say(f"    {i} notices of {notice.sender}: {notice.reason}")
        blocks = [item.height for item in effects.keep if isinstance(item, Append)]
        for height in blocks:
            self.say(f"    {i} keeps block {height}")
        for what, count in sorted(effects.counts.items()):
            self.say(f"    {i} counts {what}: {count}")

    def _outcomes(self, moment: Moment, i: int) -> list[Outcome]:
        if moment.stage != self._outcome_stage or i not in self._pulled:
            return []
        reward = self._reward(moment.round, i, self._pulled[i])
        if reward is None:
            self.say(f"    {i} is paid nothing yet")
            return []
        self.say(f"    {i} is paid {number(reward)}")
        return [Outcome(moment.round, reward)]

    def _carry(self, moment: Moment, sender: int, receiver: int | None, data: bytes) -> None:
        others = [i for i in range(len(self.hosts)) if i != sender] if receiver is ALL else [receiver]
        self.say(f"    {sender} -> {'all' if receiver is ALL else receiver}: {self._describe(data)}")
        for i in others:
            if self._lost(moment, sender, i):
                self.say(f"      lost on the way to {i}")
            else:
                self._arriving[i].append(Received(sender, data))

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines).strip() + "\n"


def check(name: str, text: str, rewrite: bool, folder: Path = TESTDATA) -> None:
    """Hold a transcript against the file of its name, or write the file.

    Raises:
        AssertionError: they differ; the message shows where.
    """
    path = folder / f"{name}.txt"
    if rewrite:
        path.write_text(text, encoding="utf-8")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(before.splitlines(), text.splitlines(), path.name, "as played", lineterm="")
    assert before == text, "\n".join([*lines, "If this is meant: pytest tests/transcripts --rewrite"])
