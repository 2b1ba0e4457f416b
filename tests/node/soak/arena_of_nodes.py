"""A game of seven nodes, two of whom lie: honest processes, the process of the liars, and what is seen from outside."""

from random import Random
from typing import NamedTuple

from cluster import Cluster, Member
from nursery import Born
from seen import HEARD, account, frames, proven_faults, said_twice
from test_node_processes import hash_of
from typer.testing import CliRunner

from folkmoot.cli import app
from folkmoot.node.care import export
from folkmoot.node.systems import system_of
from folkmoot.signatures import remembering
from tests.adversaries.boards import BOARDS, BURN_IN
from tests.adversaries.process import drawn, pays, program

MEMBERS, LIARS = 7, 2
PATIENCE = 600  # seconds on a busy machine, after which something does not happen
LOSSES = 3  # rounds with losses, where an adversary has such
FOLLOWS = 2  # rounds after which the game goes on as if nobody had been away


class Result(NamedTuple):
    """What came of a game.

    Attributes:
        rounds: after the burn-in.
        blocks: rounds that have one.
        calm: rounds in which all honest members were up and heard each other.
        calm_blocks: those of them that have a block.
        lost: the rounds without one.
        missed: deadlines to which honest members have waited for each other.
        verdicts: what is wrong, in words.
        liars: their numbers.
        program: what they did.
    """

    rounds: int
    blocks: int
    calm: int
    calm_blocks: int
    lost: list
    verdicts: list
    liars: tuple
    program: str
    missed: int = 0


class Node(Member):
    """A member whose process begins warm, and may be without a rule (see `tests.adversaries.twins`)."""

    patience, broken = 0.1, None

    def _born(self):
        return Born("node", str(self.folder.path), str(self.mischief), self.broken, output=self.folder.path / "output")


class Game(Cluster):
    """Seven members; two of them, in one process, play an attack of the library or the adversary of a seed."""

    member = Node

    def __init__(self, folder, rounds, attack="", seed=None, broken=None, stage=5.0):
        self.attack, self.draw = attack, None if seed is None else program(seed)
        board = BOARDS[self.draw.board] if self.draw else BOARDS[9]
        self.numbers = self.draw.liars if self.draw else tuple(sorted(Random(attack).sample(range(MEMBERS), LIARS)))
        self.rounds_after, self._trouble_ends = rounds, 0
        settings = {"disclosure": "open", "algorithm": {"burn_in": BURN_IN}}
        loses = self.draw is not None and self.draw.loss > 0
        # Where messages are lost, stages end at their deadlines.
        pace = {"play": 2 * stage, "stage": 3.0 if loses else stage}
        super().__init__(
            folder, MEMBERS, pays=pays, arms=2, rounds=BURN_IN + rounds, system="bc_ucb", settings=settings,
            evidence=board.evidence, **pace,
        )  # fmt: skip
        self.honest = [member for member in self.members if member.number not in self.numbers]
        for member in self.honest:
            member.broken = broken
        members = [str(member.folder.path) for member in self.members]
        self._plan = {"members": members, "attack": attack, "liars": self.numbers, "seed": seed}
        self._output, self._liars = folder / "liars.output", None

    def __enter__(self):
        self._liars = Born("liars", self._plan, output=self._output)
        try:
            for liar in (self.members[number] for number in self.numbers):
                liar.process = self._liars
                liar.wait_until_there(PATIENCE, self._words_of_liars)
            for member in self.honest:
                self._does(member)
                member.start()
            for member in self.honest:
                member.wait_until_there(PATIENCE)
                member.plays()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _words_of_liars(self):
        return self._output.read_text()[-3_000:]

    def _does(self, member, **wrong):
        member.does(record=str(member.folder.path / HEARD), **wrong)

    # --- The game --------------------------------------------------------------------------------------------------

    def play(self, seconds):
        """To its end; what came of it."""
        if self.draw is not None and self.draw.loss:
            self._loses()
        elif self.draw is not None and self.draw.away is not None:
            self._is_away()
        self._until(lambda: all(member.state().get("phase") == "done" for member in self.honest), seconds)
        missed = self._missed()
        ended = [member.stop() for member in self.honest]
        return self._result(ended)._replace(missed=missed)

    def _missed(self):
        """Deadlines to which the honest have waited for each other."""
        seen = [member.state()["members"][other.number] for member in self.honest for other in self.honest]
        return sum(one.get("missed", 0) for one in seen)

    def _until(self, fulfilled, seconds):
        def done():
            if self._liars.poll() is not None:
                raise AssertionError(f"the liars have ended: {self._words_of_liars()}")
            return fulfilled()

        self.until(done, seconds, every=0.25)

    def _at(self, members):
        return [member.state().get("round", -1) for member in members]

    def _loses(self):
        """Messages of all are lost in the first rounds."""
        for member in self.honest:
            self._does(member, lose=self.draw.loss)
        self._until(lambda: min(self._at(self.honest)) > BURN_IN + LOSSES, PATIENCE)
        for member in self.honest:
            self._does(member)
        self._calms_down()

    def _is_away(self):
        """One of the honest is cut off, or killed, and comes back."""
        away, victim = self.draw.away, self.members[self.draw.away.who]
        others = [member for member in self.honest if member is not victim]
        reached = set(self.numbers) if away.liars_reach_it else set()
        self._until(lambda: min(self._at(self.honest)) > BURN_IN + away.first, PATIENCE)
        if away.crash:
            victim.kill()
        else:
            self._does(victim, cut=[m.name for m in self.members if m is not victim and m.number not in reached])
        at = max(self._at(others))
        self._until(lambda: min(self._at(others)) >= at + away.end - away.first, PATIENCE)
        if away.crash:
            victim.start()
            victim.wait_until_there(PATIENCE)
        else:
            self._does(victim)
        self._calms_down()

    def _calms_down(self):
        """All play the same round again, and hold the same blocks."""

        def together():
            states = [member.state() for member in self.honest]
            rounds, heights = ([s.get(name, -1) for s in states] for name in ("round", "height"))
            return min(rounds) >= max(rounds) - 1 and min(heights) >= max(heights) - 1

        self._until(together, PATIENCE)
        self._trouble_ends = max(self._at(self.honest)) + FOLLOWS

    # --- Afterwards, from outside ------------------------------------------------------------------------------------

    def _result(self, ended):
        said = [f"{m.name} ended with {status}" for m, status in zip(self.honest, ended, strict=True) if status != 0]
        digests, _ = frames(self.members)
        honest = [member.number for member in self.honest]
        said += [f"two frames of one moment: {key}" for key in said_twice(digests, honest)]
        said += [line for member in self.honest for line in account(member)]
        names = {member.name for member in self.honest}
        proven = [fault for fault in proven_faults(self.honest) if fault[1] in names]
        said += [f"{who} holds proof against {whom}: {why}" for who, whom, why in proven]
        with remembering():  # the same signatures are in all ledgers
            made, wrong = self._ledgers()
        first, last = BURN_IN + 1, BURN_IN + self.rounds_after
        calm = range(max(first, self._trouble_ends), last + 1)
        lost = sorted(set(range(first, last + 1)) - made)
        return Result(
            last - BURN_IN, len(made), len(calm), len(made & set(calm)), lost, said + wrong, self.numbers,
            str(drawn(self.draw.seed)) if self.draw else self.attack,
        )  # fmt: skip

    def _ledgers(self):
        """Rounds with a block, and what is wrong with the ledgers of the honest."""
        wrong, chains = [], {}
        for member in self.honest:
            store = member.store()
            chains[member.name] = [hash_of(store.block(height + 1)) for height in range(store.height)]
            store.close()
            file = member.folder.path / "exported.ledger"
            export(member.folder, file)
            verdict = CliRunner().invoke(app, ["ledger", "verify", str(file)])
            if verdict.exit_code != 0 or "all good" not in verdict.output:
                wrong.append(f"{member.name}: {verdict.output}")
        longest = max(chains.values(), key=len)
        wrong += [f"{name} holds other blocks" for name, chain in chains.items() if chain != longest[: len(chain)]]
        behind = {name: len(longest) - len(chain) for name, chain in chains.items()}
        wrong += [f"{name} is {blocks} blocks behind" for name, blocks in behind.items() if blocks > 1]
        return self._rounds_of(longest), wrong

    def _rounds_of(self, longest):
        member = next(m for m in self.honest if _height(m) == len(longest))
        store = member.store()
        try:
            return {chain.state.last.round for chain, _ in system_of(self.charter).chains(store)}
        finally:
            store.close()

    def __exit__(self, *_):
        if self._liars is not None:
            self._liars.kill()
            self._liars.wait()
        super().__exit__()


def _height(member):
    store = member.store()
    try:
        return store.height
    finally:
        store.close()
