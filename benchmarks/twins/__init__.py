"""The same two algorithms in C: compiled at run time, called through ctypes, held to identical pulls."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.algorithms.ucb import UCB
from folkmoot.coins import seed_words
from folkmoot.simulation.replicates import Job

_HERE = Path(__file__).parent
FLAGS = ("-O3", "-march=native")  # what is timed
# What is compared pull for pull: a * b + c is not contracted into one rounding, which Python does not do either.
EXACT_FLAGS = (*FLAGS, "-ffp-contract=off")

Counts = tuple[NDArray[np.int64], NDArray[np.int64]]  # pulls [R, N, K], team_pulls [R, c, K]


class _Game(ctypes.Structure):
    _fields_ = [
        *[(name, ctypes.c_int64) for name in ("replicates", "n_agents", "n_arms", "n_checkpoints")],
        *[(name, ctypes.c_void_p) for name in ("checkpoints", "means")],
        *[(name, ctypes.c_uint32) for name in ("seed_low", "seed_high")],
        *[(name, ctypes.c_void_p) for name in ("pulls", "team_pulls")],
    ]


class _NetworkGame(_Game):
    _fields_ = [
        ("sent", ctypes.c_void_p),
        *[(name, ctypes.c_double) for name in ("link_probability", "connectivity", "threshold")],
        *[(name, ctypes.c_void_p) for name in ("start", "upper", "base")],
    ]


def compiler() -> str | None:
    """The C compiler, or None where there is none."""
    return shutil.which("gcc")


class Twins:
    """Both twins, compiled into a temporary folder that `close` removes.

    Args:
        flags: of the compiler.

    Raises:
        FileNotFoundError: there is no gcc.
    """

    def __init__(self, flags: tuple[str, ...] = EXACT_FLAGS) -> None:
        gcc = compiler()
        if gcc is None:
            raise FileNotFoundError("gcc: not found")
        self._folder = tempfile.TemporaryDirectory(prefix="folkmoot-twins-")
        self._functions: dict[str, Callable[..., None]] = {}
        for name in ("ucb", "gse"):
            library = Path(self._folder.name) / f"{name}.so"
            source = str(_HERE / f"{name}.c")
            subprocess.run([gcc, *flags, "-shared", "-fPIC", "-o", str(library), source, "-lm"], check=True)
            self._functions[name] = getattr(ctypes.CDLL(str(library)), name)

    def close(self) -> None:
        """Remove what was compiled."""
        self._folder.cleanup()

    def ucb(self, job: Job, replicates: int) -> Counts:
        """`run_batch(job, range(replicates))` for the lone UCB and Bernoulli rewards."""
        assert isinstance(job.algorithm, UCB)
        fields, counts, alive = _fields(job, replicates)
        self._functions["ucb"](ctypes.byref(_Game(**fields)), ctypes.c_double(job.algorithm.exploration))
        del alive
        return counts

    def gse(self, job: Job, replicates: int) -> Counts:
        """`run_batch(job, range(replicates))` for GSE, Bernoulli rewards and Erdos-Renyi links."""
        fields, counts, alive = _fields(job, replicates)
        params: Any = job.params()
        network: Any = job.network.record()
        sent = np.zeros(replicates, np.int64)
        game = _NetworkGame(
            **fields,
            sent=sent.ctypes.data,
            link_probability=params.link_probability,
            connectivity=params.connectivity,
            threshold=network.threshold,
            start=network.start.ctypes.data,
            upper=network.upper.ctypes.data,
            base=network.neighbours.ctypes.data,
        )
        self._functions["gse"](ctypes.byref(game))
        del alive
        return counts


def _fields(job: Job, replicates: int) -> tuple[dict[str, Any], Counts, tuple[object, ...]]:
    """What both games have in common, the arrays to be filled, and those to be kept alive meanwhile."""
    n, k, c = job.rewards.n_agents, job.rewards.n_arms, len(job.checkpoints)
    pulls = np.zeros((replicates, n, k), np.int64)
    team_pulls = np.zeros((replicates, c, k), np.int64)
    means = np.ascontiguousarray(job.rewards.means)
    low, high = seed_words(job.seed)
    fields = {
        "replicates": replicates,
        "n_agents": n,
        "n_arms": k,
        "n_checkpoints": c,
        "checkpoints": job.checkpoints.ctypes.data,
        "means": means.ctypes.data,
        "seed_low": low,
        "seed_high": high,
        "pulls": pulls.ctypes.data,
        "team_pulls": team_pulls.ctypes.data,
    }
    return fields, (pulls, team_pulls), (means,)
