"""Where the processor time of the protocol goes: checks, signing, encoding, decoding, digests, the rest.

A game is played by state machines while the system's timer asks, again and again, what is being done: the innermost
function that is one of these says it. Once all participants share what they compute, as in a simulation; once each has
a memory of its own only, as on nodes. What is under "driver" is no participant's work.
"""

import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from time import process_time
from types import FrameType

import numpy as np

from benchmarks.measure import table
from folkmoot.bc_ucb.algorithm import BCUCB
from folkmoot.bc_ucb.attacks import SignFlip
from folkmoot.bc_ucb.job import make_chain_job
from folkmoot.bc_ucb.protocol import Game, Table
from folkmoot.bc_ucb.rules import SharedRounds
from folkmoot.signatures import remembering
from folkmoot.simulation.host import Host
from folkmoot.world.rewards import Bernoulli

BURN_IN = 10
_EVERY = 0.001  # seconds of processor time; a system's timer may be slower
_OWN = 8  # blocks that a participant remembers that looks alone
KINDS = ("checks", "signing", "random functions", "encoding", "decoding", "digests", "rest", "driver")
_BY_NAME = {
    "_holds": "checks",
    "_signed": "signing",
    "encode": "encoding",
    "to_bytes": "encoding",
    "digest": "digests",
    "decode": "decoding",
    "from_bytes": "decoding",
    "read": "decoding",
}
_BY_FILE = {"vrf.py": "random functions"}


def kind_of(frame: FrameType | None) -> str:
    """What is done in this frame: of the innermost caller that says it."""
    while frame is not None:
        code = frame.f_code
        kind = _BY_FILE.get(code.co_filename.rpartition("/")[2]) or _BY_NAME.get(code.co_name)
        if kind is not None and "folkmoot" in code.co_filename:
            return kind
        if code.co_name == "step":
            return "rest"
        frame = frame.f_back
    return "driver"


def game(participants: int, blocks: int) -> Game:
    """Two arms; as many liars as the protocol stands report the opposite."""
    rewards, liars = Bernoulli((0.4, 0.6), n_agents=participants), range((participants - 1) // 3)
    job = make_chain_job(BCUCB(), rewards, horizon=BURN_IN + blocks, malicious=liars, attack=SignFlip())
    return Game(job.params, job.terms, rewards.record(), job.misbehaviour, job.malicious, job.seed, job.checkpoints)


def _alone(table: Table) -> None:
    """Each participant with rules, and so with a memory, of its own."""
    for address in table.hosts:
        table.hosts[address] = Host(table._role(address, SharedRounds(_OWN)), chance=table._dice(address), sorts=False)


def played(participants: int, blocks: int, shared: bool) -> tuple[float, Counter[str]]:
    """Milliseconds of processor time a block, and how often each kind was seen."""
    seen = Counter[str]()

    def look(_: int, frame: FrameType | None) -> None:
        seen[kind_of(frame)] += 1

    with remembering() if shared else nullcontext(), Table(game(participants, blocks), 0) as around:
        if not shared:
            _alone(around)
        for t in range(1, BURN_IN + 1):
            around.play_round(t)
        before = signal.signal(signal.SIGPROF, look)
        signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
        began = process_time()
        try:
            for t in range(BURN_IN + 1, BURN_IN + blocks + 1):
                around.play_round(t)
        finally:
            took = process_time() - began
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
        return 1e3 * took / around.played().chain.height, seen


def by_share(sizes: Sequence[int], blocks: int, turns: int) -> str:
    """A table: milliseconds of processor time a block of each kind, of all participants together."""
    lines = []
    for participants in sizes:
        for shared in (True, False):
            took = [played(participants, blocks, shared) for _ in range(turns)]
            whole, seen = float(np.median([one for one, _ in took])), Counter[str]()
            for _, found in took:
                seen += found
            shares = [f"{whole * seen[kind] / max(1, seen.total()):.1f}" for kind in KINDS]
            lines.append([f"{participants}, {'shared' if shared else 'each its own'}", f"{whole:.1f}", *shares])
    return table(["participants, memory", "ms a block", *KINDS], lines)
