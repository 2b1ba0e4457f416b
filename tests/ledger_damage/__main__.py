"""`python -m tests.ledger_damage --draws 13000`: damage ledgers, print each seed that is not judged as it must be.

`--seed S` plays one again; `--broken seals` breaks a rule on purpose, which the search must then find; `--plainly`
computes every chain from its beginning each time.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of tests

from tests.ledger_damage import BROKEN, OUTCOMES, Bench, Wrong, broken, remembered
from tests.ledger_damage.damages import KINDS
from tests.ledger_damage.made import subjects


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.ledger_damage", description=__doc__)
    parser.add_argument("--draws", type=int, default=1000, help="how many, from seed 0 on")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--broken", choices=sorted(BROKEN), help="with this rule broken, until it is found")
    parser.add_argument("--plainly", action="store_true", help="compute every chain from its beginning each time")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.draws) if asked.seed is None else [asked.seed]
    counts, failures, began, drawn = Counter(), 0, time.monotonic(), 0
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        bench = Bench(folder, subjects())
        with nullcontext() if asked.plainly else remembered({}), broken(asked.broken):
            for seed in seeds:
                drawn += 1
                try:
                    _, kind, outcome = bench.play(seed)
                    counts[kind, outcome] += 1
                except Wrong as error:
                    failures += 1
                    print(error, flush=True)
                    if asked.broken is not None:
                        break
    table(counts)
    print(f"{drawn} damages in {time.monotonic() - began:.0f} s, {failures} not judged as they must be")
    return 1 if failures else 0


def table(counts):
    """Kinds by outcomes, as a page can show it."""
    print(f"| damage | {' | '.join(OUTCOMES)} |")
    print("|---|" + "---:|" * len(OUTCOMES))
    for kind in KINDS:
        row = [counts[kind.name, outcome] for outcome in OUTCOMES]
        if any(row):
            print(f"| {kind.name.replace('_', ' ')} | {' | '.join(map(str, row))} |")
    sums = [sum(counts[kind.name, outcome] for kind in KINDS) for outcome in OUTCOMES]
    print(f"| all | {' | '.join(map(str, sums))} |")


if __name__ == "__main__":
    sys.exit(main())
