"""What the nodes of one process have together: charters that are read once, a broker's connection, threads."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from folkmoot.node.charter import Charter
from folkmoot.node.folder import CHARTER, Folder
from folkmoot.node.system import System
from folkmoot.node.systems import system_of
from folkmoot.node.transport import Tail, Transport, largest_frame, no_tail

if TYPE_CHECKING:
    from folkmoot.node.broker import Post
    from folkmoot.node.nats import NATS

_FRAMES_A_SECOND = 40  # of the largest kind, that one peer may send for long
_LEAST_BUDGET = 1e6  # bytes a second: a bandit's largest frame is so small that its rounds would have to wait


class Shared:
    """See the head of the module. One node alone has one of its own."""

    def __init__(self, threads: int = 0) -> None:
        """`threads`: how many for the steps of all nodes; 0: one for each node."""
        self._threads = [ThreadPoolExecutor(1, thread_name_prefix="step") for _ in range(threads)]
        self._given = 0
        self._charters: dict[bytes, Charter] = {}  # by what is in the file
        self._systems: dict[bytes, tuple[System, int]] = {}
        self._posts: dict[str, tuple[Post, NATS]] = {}

    def charter(self, folder: Folder) -> Charter:
        """The charter in a folder. To check that of hundreds of members takes seconds, so it is done once.

        Raises:
            ValueError, BadCharter: see `Folder.charter`.
        """
        file = folder.path / CHARTER
        content = hashlib.sha256(file.read_bytes()).digest() if file.is_file() else b""
        charter = self._charters.get(content) or folder.charter()
        return self._charters.setdefault(content, charter)

    def system(self, charter: Charter) -> System:
        """What its members do together.

        Raises:
            BadCharter: its settings make no sense.
        """
        return self._of(charter)[0]

    def _of(self, charter: Charter) -> tuple[System, int]:
        """The system, and the bytes of the largest frame."""
        found = self._systems.get(charter.identity)
        if found is None:
            system = system_of(charter)
            stages = system.role(0, bytes(32)).resume({}, _Nothing(), _none).stages
            largest = largest_frame([(stage.messages, stage.bytes) for stage in stages])
            found = self._systems[charter.identity] = system, largest
        return found

    def transport(self, charter: Charter, me: int, seed: bytes, listen: str, tail: Tail = no_tail) -> Transport:
        """By which a member reaches the others; `tail`: of the epoch before, see `TLS`.

        Raises:
            ValueError: what it needs is not installed, or it cannot listen over a broker.
        """
        _, largest = self._of(charter)
        budget, broker = max(_LEAST_BUDGET, _FRAMES_A_SECOND * float(largest)), charter.terms.broker
        if broker is None:
            from folkmoot.node.tls import TLS

            return TLS(charter, me, seed, largest, budget, listen, tail)
        from folkmoot.node.broker import Post
        from folkmoot.node.nats import NATS

        if listen:
            raise ValueError(f"--listen = {listen!r}: nobody listens where members reach each other over a broker")
        if broker not in self._posts:
            wire = NATS(broker)
            self._posts[broker] = Post(wire), wire
        post, wire = self._posts[broker]
        line = post.line(charter, me, seed, largest, budget)
        wire.largest = max(wire.largest, line.meeting.largest_envelope)
        return line

    def thread(self) -> ThreadPoolExecutor | None:
        """For the steps of one node: always the same one, as its store is used by one thread at a time."""
        if not self._threads:
            return None
        self._given += 1
        return self._threads[self._given % len(self._threads)]

    def close(self) -> None:
        """Let go of the threads."""
        for thread in self._threads:
            thread.shutdown()


class _Nothing:
    height = 0

    def block(self, height: int) -> bytes:
        raise IndexError(height)


def _none(size: int) -> bytes:
    return bytes(size)
