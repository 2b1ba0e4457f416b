"""A cell: something that is played many times, whatever system it belongs to.

How it works: a system says three things of a game of its own. *key*: what decides the outcome of a replicate beside
its number, the code included. *play*: some replicates, in this thread. *collect*: finished replicates as one result.
The runner (`runner.py`) spreads `play` over threads, processes or a cluster; the sweep (`sweep.py`) writes what is
finished under its key into a log and plays only what is missing. A replicate is a coordinate of its coins, so the
outcome does not depend on how many workers there are, which of them plays it, or in which order.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from folkmoot.simulation.engine import Control
from folkmoot.simulation.saved import provenance


class Replicate(Protocol):
    """One finished replicate, as a system writes it down."""

    @property
    def replicate(self) -> int:
        """Its number, from 0."""


class Playable(Protocol):
    """What a cell plays. It is pickled to be sent to other processes, so it shares nothing by accident."""

    @property
    def label(self) -> str:
        """What a legend calls it."""

    @property
    def rounds(self) -> int:
        """Of one replicate; progress is counted in them."""

    @property
    def own_process(self) -> bool:
        """Do its libraries have a state of the whole process, so that two replicates cannot share one?"""

    def alone(self, workers: int) -> bool:
        """Does one replicate keep so many workers busy by itself?"""

    def batches(self, replicates: Sequence[int], workers: int) -> Sequence[Sequence[int]]:
        """The replicates in shares for the workers, small enough that finished work is handed over often."""

    def key(self) -> str:
        """SHA-256 of all that decides a replicate's outcome beside its number; see `key_of`."""

    def play(self, replicates: Sequence[int], control: Control, threads: int) -> Sequence[Replicate]:
        """Play these in this thread, with so many threads of one's own; those finished when `control.stop` was set."""

    def encode(self, outcome: Any) -> dict[str, Any]:
        """A finished replicate as the plain values of a row, without its number."""

    def decode(self, row: Mapping[str, Any]) -> Replicate:
        """What `encode` was given, from a row of a log.

        Raises:
            DamagedFile: it is not such a row.
        """

    def collect(self, outcomes: Sequence[Any], name: str | None = None) -> Any:
        """Finished replicates, in the order of their numbers, as a result; a `Saved` where it goes into a folder."""


class Cell(NamedTuple):
    """A game by name.

    Attributes:
        name: what reports call it; no two cells share it.
        job: what to play.
        settings: what sets it apart in a grid, as plain values by name.
        label: what reports call it where the settings stand beside it; None is the job's own.
    """

    name: str
    job: Playable
    settings: dict[str, Any] = {}  # noqa: RUF012
    label: str | None = None


def new_control(replicates: int) -> Control:
    """A line to a task of so many replicates."""
    return Control(np.zeros(1, np.int64), np.zeros(replicates, np.bool_), np.zeros(1, np.bool_))


def _digest_record(digest: Any, record: Any) -> None:
    """Feed every number of a record; arrays by their bytes, so that long tables count in full."""
    if isinstance(record, np.ndarray):
        digest.update(f"{record.dtype.str}{record.shape}".encode())
        digest.update(np.ascontiguousarray(record).tobytes())
    elif isinstance(record, tuple):
        kind = type(record)  # its `__name__` changes when it is compiled
        digest.update(f"{kind.__module__}.{kind.__qualname__} {len(record)}".encode())
        for value in record:
            _digest_record(digest, value)
    else:
        digest.update(repr(record).encode())


def key_of(told: Mapping[str, Any], record: Any = (), packages: Sequence[str] = ("numba",)) -> str:
    """What a row of the log belongs to: SHA-256 of what was told, of every number of a record, and of the code.

    The code is the versions of folkmoot and of the packages that compute, and the digest of folkmoot's sources. After
    an upgrade, or an edit of the sources, a log's old rows are therefore left alone and their replicates run anew.

    Args:
        told: plain values: the whole configuration.
        record: tuples of arrays and numbers that the configuration may tell in short.
        packages: distributions whose version matters.
    """
    versions = provenance(packages)
    head = {**told, "code": [versions[name] for name in ("folkmoot", *packages, "sources")]}
    digest = hashlib.sha256(json.dumps(head, sort_keys=True, separators=(",", ":")).encode("utf-8"))
    _digest_record(digest, record)
    return digest.hexdigest()
