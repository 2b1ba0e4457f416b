"""The machines of a charter in one program, stage by stage: no network, no clock, nothing shared between them.

It is what nodes are held against, and it makes long chains in little time: with a store on disk for each member.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from time import process_time

from benchmarks.consortium import reward_of
from folkmoot.machine import Kept, Moment, Outcome, Received
from folkmoot.node.charter import Charter
from folkmoot.node.store import Store
from folkmoot.node.systems import system_of
from folkmoot.simulation.host import Host


class Table:
    """Members around a table.

    Attributes:
        hosts: one for each member.
        round: the last one that was played.
    """

    def __init__(self, charter: Charter, seeds: Sequence[bytes], stores: Sequence[Kept | Store]) -> None:
        self._system, self._n, self.round = system_of(charter), charter.n_members, 0
        self.hosts = [
            Host(system_of(charter).role(me, seed), store, os.urandom)  # type: ignore[arg-type]
            for me, (seed, store) in enumerate(zip(seeds, stores))
        ]
        self._boxes: list[list[Received]] = [[] for _ in self.hosts]

    def play(self, rounds: int) -> float:
        """Play so many rounds; milliseconds of processor time a member and round."""
        began = process_time()
        for _ in range(rounds):
            self.round += 1
            self._play()
        return 1e3 * (process_time() - began) / rounds / self._n

    def _play(self) -> None:
        outcomes: list[list[Outcome]] = [[] for _ in self.hosts]
        for stage in range(self._system.stages_in(self.round) or len(self.hosts[0].machine.stages)):
            said: list[list[Received]] = [[] for _ in self.hosts]
            for me, host in enumerate(self.hosts):
                effects = host.step(Moment(self.round, stage), self._boxes[me], outcomes[me])
                outcomes[me] = []
                if effects.pull is not None:
                    outcomes[me] = [Outcome(self.round, reward_of(me, self.round, effects.pull))]
                for receiver, data in effects.send:
                    for other in range(self._n) if receiver is None else (receiver,):
                        if other != me:
                            said[other].append(Received(me, data))
            self._boxes = said


def in_memory(charter: Charter, seeds: Sequence[bytes]) -> Table:
    """Nothing is written anywhere."""
    return Table(charter, seeds, [Kept() for _ in seeds])


def on_disk(charter: Charter, seeds: Sequence[bytes], files: Sequence[Path], rounds: int) -> int:
    """Play so many rounds into the stores of all members; the height of the chain then.

    They are not forced to the disk: what is measured comes after.
    """
    stores = [Store(file) for file in files]
    for store in stores:
        store._db.execute("PRAGMA synchronous = OFF")
    Table(charter, seeds, stores).play(rounds)
    height = min(store.height for store in stores)
    for store in stores:
        store.close()
    return height
