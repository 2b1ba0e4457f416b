"""Contract 2: a participant is a machine. Messages, outcomes and blocks go in, effects come out.

A machine has no clock, no socket, no disk and no chance of its own. A bandit agent (`algorithms/agent.py`), a BC-UCB
participant and a BEMA party or miner are machines. Whoever calls `step` is a driver: `simulation/` plays many machines
in one program, a node plays one in a process of its own.

How it works. A round is a fixed row of stages. The driver calls `step` once for each stage, in order, with what has
come in since the last call. The machine answers with one `Effects`. It never waits and never calls back.

The duties of a driver. Each has a test that breaks it (`tests/machine/`).

1.  What `keep` says is on disk, all of it or nothing, before anything of `send` or `pull` leaves. Then the same round
    has the same arm after a crash, no slot is signed twice, and each outcome enters exactly once.
2.  `Received.sender` is vouched for by the channel. It is never read from the message.
3.  Steps come in the order of their moments, none twice, none skipped inside a round. Who missed a stage goes on with
    the next one that is `open`; if there is none it abandons the round: the next call is for stage 0 of a later round.
4.  The bounds of a stage hold for each sender before bytes reach the machine, and before they are stored anywhere:
    messages and bytes, of each kind and in all (see `Gate`). An inbox is sorted by sender; the messages of one sender
    keep their order. (A driver that plays bad networks may choose another order, and then repeats it by its seed.)
5.  What is late is delivered in the next step if its kind is one of the stage's `late` kinds (confirmations,
    certificates, blocks and wants always are). To drop them would isolate a member with a fast clock for ever.
6.  Chance is handed in. It never gives the same bytes twice, also after a restart. What was committed to is in `keep`.
7.  All copies of one identity share one store. A machine that is born after its store was lost gets a `floor`: it
    signs nothing for a round or a height below it.
8.  Verified blocks may come from outside the stages (catch-up): they are handed in with the next step. The chain is
    read through a `Chain` that is handed in; a machine holds no list of blocks.
9.  A step may take seconds. It runs off the event loop, one at a time. It never raises for anything that came in: what
    is malformed, of no use or a proof of a fault is in `noticed`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias

ALL = None  # the receiver "everybody else"

Chance: TypeAlias = Callable[[int], bytes]  # so many fresh bytes

# What is to be kept: bytes, or a function that gives them. A store that writes calls it at once; one in memory may call
# it when the bytes are read, which is never for most of them. So it holds on to nothing that changes.
Content: TypeAlias = bytes | Callable[[], bytes]


def content(kept: Content) -> bytes:
    """The bytes that are to be kept."""
    return kept if isinstance(kept, bytes) else kept()


class Share(NamedTuple):
    """What a driver lets through of one kind of message, of one sender, in one stage."""

    messages: int  # at most
    size: int  # bytes of one, at most


class Stage(NamedTuple):
    """A stage of a round, and what a driver lets through in it."""

    name: str
    messages: int  # at most, of one sender
    bytes: int  # at most, of one sender, all messages together
    late: frozenset[str] = frozenset()  # kinds of messages that are delivered although they come after their stage
    open: bool = False  # may who missed the stages before it, in a crash, come in here?
    shares: Mapping[str, Share] | None = None  # by kind of message, none but these; None: kinds are not told apart


class Moment(NamedTuple):
    """When: a stage of a round. Moments are ordered."""

    round: int  # 1, 2, ...
    stage: int  # 0, 1, ...


class Received(NamedTuple):
    """A message, and who sent it as the channel vouches."""

    sender: int
    data: bytes


class Gate:
    """Duty 4 for one stage: what is let through of each sender. It is asked for messages as they come in."""

    def __init__(self, stage: Stage, kind_of: Callable[[bytes], str]) -> None:
        """`kind_of`: of the machine whose stage it is."""
        self._kind_of, self._shares = kind_of, stage.shares
        self._messages, self._bytes = stage.messages, stage.bytes
        self._taken: dict[int, int] = {}  # messages of each sender
        self._sizes: dict[int, int] = {}  # and bytes
        self._kinds: dict[str, dict[int, int]] = {}  # messages of each sender, by kind

    def refuses(self, received: Received) -> str:
        """Why this message is dropped; empty: it is let through, and counted."""
        return next(iter(self.sift((received,))[1]), "")

    def sift(self, inbox: Iterable[Received]) -> tuple[list[Received], Counter[str]]:
        """The messages that are let through, which are counted, and how many are not, and why."""
        shares, taken, sizes, kind_of = self._shares, self._taken, self._sizes, self._kind_of
        all_messages, all_bytes = self._messages, self._bytes
        admitted: list[Received] = []
        dropped: Counter[str] = Counter.__new__(Counter)  # an empty one, in less time
        kind, last, numbers = "", None, dict[int, int]()  # the last kind, and how many of it of each sender
        most, largest, who = all_messages, all_bytes, None
        messages = number = total = 0  # of the last sender, and of this kind: most come several in a row
        for received in inbox:  # what is dropped is not held on to
            sender, data = received
            size = len(data)
            if shares is not None:
                kind = kind_of(data)
            if kind != last or sender != who:
                share = None if kind == last or shares is None else shares.get(kind)
                if share is None and kind != last and shares is not None:
                    dropped["kind out of place" if kind else "no known kind"] += 1
                    continue
                if who is not None:
                    taken[who], numbers[who], sizes[who] = messages, number, total
                if kind != last:
                    most, largest = share or (all_messages, all_bytes)
                    last, numbers = kind, self._kinds.setdefault(kind, {})
                who = sender
                messages, number, total = taken.get(who, 0), numbers.get(who, 0), sizes.get(who, 0)
            if size > largest and shares is not None:
                dropped["too large"] += 1
            elif messages >= all_messages or number >= most:
                dropped["too many messages"] += 1
            elif total + size > all_bytes:
                dropped["too many bytes"] += 1
            else:
                messages += 1
                number += 1
                total += size
                admitted.append(received)
        if who is not None:
            taken[who], numbers[who], sizes[who] = messages, number, total
        return admitted, dropped


class Outcome(NamedTuple):
    """What a pull brought: this round's, an earlier round's that comes late, or the word that none will come."""

    round: int
    reward: float | tuple[float, ...] | None  # one number, or one for each objective; None: it never came
    verified: bool = False  # was it seen as it is, out of any adversary's reach?
    proof: bytes = b""  # what lets others check it, where the system has such; empty: nothing


class Floor(NamedTuple):
    """Below this round and this height a machine signs nothing."""

    round: int = 0
    height: int = 0


NO_FLOOR = Floor()


class Put(NamedTuple):
    """Keep this value under this key; it replaces what was there."""

    key: str
    value: Content


class Delete(NamedTuple):
    """Keep nothing under this key any more."""

    key: str


class Append(NamedTuple):
    """Keep the next block of the chain."""

    height: int
    block: Content


class Skip(NamedTuple):
    """Keep no block up to this height, which is above that of the last one: the chain goes on from a state of it."""

    height: int


Keep: TypeAlias = Put | Delete | Append | Skip


class Noticed(NamedTuple):
    """Somebody did what it should not have done."""

    sender: int  # as the channel vouches; -1 if nobody can be named
    reason: str  # one of a few words
    evidence: bytes = b""  # what proves it to others; empty: nothing does


@dataclass(slots=True)
class Effects:
    """What a step came to.

    Attributes:
        keep: to be stored in one transaction, together with the moment of the step (duty 1).
        send: (receiver or ALL, message), in this order.
        pull: the arm to pull in this round; None: none in this step. At most once a round, and once more, the same
            arm, after a restart if its outcome has not come: the driver may have ended before it told anybody. The
            world answers the first arm of a round only, of all copies of a participant: a liar asks for more.
        verify: is a verified outcome asked for, where the world has such?
        behind: heights of blocks that are wanted from others.
        committed: blocks that became final in this step, in order.
        noticed: faults of others.
        counts: numbers for metrics, such as signatures checked.
    """

    keep: list[Keep] = field(default_factory=list)
    send: list[tuple[int | None, bytes]] = field(default_factory=list)
    pull: int | None = None
    verify: bool = False
    behind: list[int] = field(default_factory=list)
    committed: list[Any] = field(default_factory=list)
    noticed: list[Noticed] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=partial(Counter.__new__, Counter))  # an empty one, in less time


class Chain(Protocol):
    """The stored chain, to be read."""

    @property
    def height(self) -> int:
        """Of the last block; 0 before the first."""

    def block(self, height: int) -> bytes:
        """A stored block, from height 1 on.

        Raises:
            IndexError: there is none of this height, or it is not kept (see `Skip`).
        """


class Kept:
    """What a store holds for one identity: the reference, in memory, of what a node does on disk.

    Attributes:
        position: the moment of the last step that was stored; None before the first.
    """

    def __init__(self) -> None:
        self._values: dict[str, Content] = {}
        self._blocks: list[Content] = []
        self._skipped = 0  # blocks of lower heights that are not kept
        self.position: Moment | None = None

    @property
    def values(self) -> dict[str, bytes]:
        """What is kept, by key."""
        return {key: content(value) for key, value in self._values.items()}

    @property
    def height(self) -> int:
        """Of the last block."""
        return self._skipped + len(self._blocks)

    def block(self, height: int) -> bytes:
        """A stored block.

        Raises:
            IndexError: there is none of this height.
        """
        if not self._skipped < height <= self.height:
            raise IndexError(f"height = {height}: expected {self._skipped + 1} to {self.height}")
        at = height - self._skipped - 1
        block = self._blocks[at] = content(self._blocks[at])
        return block

    def store(self, moment: Moment, keep: Iterable[Keep]) -> None:
        """Take in what a step wants kept: all of it, with its moment.

        Raises:
            ValueError: a moment that is not later than the last one, or a block that is not the next; nothing is kept.
        """
        if self.position is not None and moment <= self.position:
            raise ValueError(f"moment = {tuple(moment)}: expected one after {tuple(self.position)}")
        if not keep and type(keep) is list:
            self.position = moment
            return
        items = list(keep)
        last = self.height
        for item in items:
            if isinstance(item, Put):  # most are
                continue
            if isinstance(item, Append) and item.height != last + 1:
                raise ValueError(f"block of height {item.height}: expected that of {last + 1}")
            if isinstance(item, Skip) and item.height <= last:
                raise ValueError(f"blocks to be skipped up to height {item.height}: there is one of height {last}")
            last = last if isinstance(item, Delete) else item.height
        for item in items:
            if isinstance(item, Put):
                self._values[item.key] = item.value
            elif isinstance(item, Delete):
                self._values.pop(item.key, None)
            elif isinstance(item, Skip):
                self._blocks, self._skipped = [], item.height
            else:
                self._blocks.append(item.block)
        self.position = moment


class Machine(Protocol):
    """A participant."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Of a round, in order."""

    @property
    def next(self) -> Moment:
        """The first moment it may act in. A later round is fine too: the rounds between are abandoned."""

    def kind_of(self, data: bytes) -> str:
        """The kind of a message, by its first bytes alone: a name as in `Stage.late` and `Stage.shares`; empty: none.

        A driver may ask while a step is under way.
        """

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        """Take in what has come, and do what this stage asks for."""


class Resumes(Protocol):
    """Who a machine is: keys and numbers, told before the game. A machine begins, and comes back, by it."""

    def resume(self, kept: Mapping[str, bytes], chain: Chain, chance: Chance, floor: Floor = NO_FLOOR) -> Machine:
        """The machine that goes on where the one that kept this ended; its `next` says from when.

        `kept` is empty for one that begins.
        """
