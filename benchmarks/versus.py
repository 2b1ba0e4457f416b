"""`python -m benchmarks.versus TREE`: this tree against another checkout of it, case by case, in turn.

Each tree plays in a process of its own, A B A B ..., so that a busy moment of the machine touches both alike. What is
printed is the ratio (this tree's processor time to the other's) within one turn: median, least and most.

--turns N      how often each plays a case [7].
--only TEXT    the cases whose names hold this text.
--most R       exit status 1 if a median is above R.
--save FILE    also write the table to this file.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.cases import CASES
from benchmarks.measure import table

HERE = Path(__file__).resolve().parent.parent


class Tree:
    """A process that plays cases with the package of one checkout."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        program = [sys.executable, str(HERE / "benchmarks" / "cases.py")]
        self._process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
        )

    def played(self, case: str) -> float | None:
        """Nanoseconds of processor time for a unit of the case; None if an extra it needs is missing.

        Raises:
            RuntimeError: the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{case}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if not answer:
            raise RuntimeError(f"{case}: the process that plays it has ended, see above")
        return None if answer == "-" else float(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def compared(case: str, this: Tree, other: Tree, turns: int) -> list[str] | None:
    """A line of the table: name, costs, ratio; None if the case cannot be played."""
    pairs: list[tuple[float, float]] = []
    for turn in range(turns):
        order = (this, other) if turn % 2 == 0 else (other, this)
        first, second = order[0].played(case), order[1].played(case)
        if first is None or second is None:
            return None
        pairs.append((first, second) if turn % 2 == 0 else (second, first))
    ratios = [ours / theirs for ours, theirs in pairs]
    costs = [median(column) for column in zip(*pairs, strict=True)]
    return [case, *(f"{cost:,.0f}" for cost in costs), *(f"{f(ratios):.3f}" for f in (median, min, max))]


def main(arguments: list[str] | None = None) -> int:
    """Compare and print; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versus", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tree", type=Path, metavar="TREE", help="another checkout")
    parser.add_argument("--turns", type=int, default=7, metavar="N", help="how often each plays a case")
    parser.add_argument("--only", default="", metavar="TEXT", help="the cases whose names hold this text")
    parser.add_argument("--most", type=float, metavar="R", help="exit status 1 if a median ratio is above R")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write the table to this file")
    options = parser.parse_args(arguments)
    if not (options.tree / "folkmoot" / "__init__.py").exists():
        parser.error(f"TREE = {options.tree}: expected a checkout, with folkmoot/__init__.py in it")
    if options.turns < 1:
        parser.error(f"--turns = {options.turns}: expected an integer of at least 1")
    this, other = Tree(HERE), Tree(options.tree.resolve())
    lines: list[list[str]] = []
    try:
        for case in (name for name in CASES if options.only in name):
            line = compared(case, this, other, options.turns)
            if line is not None:
                lines.append(line)
                print("  ".join(line), file=sys.stderr, flush=True)
    finally:
        this.close()
        other.close()
    text = table(["ns of processor time a unit", "this tree", "the other", "ratio", "least", "most"], lines)
    print(text)
    if options.save:
        options.save.write_text(f"{text}\n", encoding="utf-8")
    return int(options.most is not None and any(float(line[3]) > options.most for line in lines))


if __name__ == "__main__":
    sys.exit(main())
