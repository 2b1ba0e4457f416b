"""`python -m tests.model_damage --draws 100000`: damage models, applications and samples, print what is judged wrongly.

`--seed S` plays one again; `--broken "types of fields"` breaks a rule on purpose, which the search must then find.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of tests

from tests.model_damage import BROKEN, OUTCOMES, Bench, Wrong, broken, subjects


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.model_damage", description=__doc__)
    parser.add_argument("--draws", type=int, default=1000, help="how many, from seed 0 on")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--broken", choices=sorted(BROKEN), help="with this rule broken, until it is found")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.draws) if asked.seed is None else [asked.seed]
    counts, failures, began, drawn = Counter(), 0, time.process_time(), 0
    bench = Bench(subjects())
    with broken(asked.broken):
        for seed in seeds:
            drawn += 1
            if drawn % 2000 == 0:
                print(f"{drawn} so far, the last of seed {seed - 1}", file=sys.stderr, flush=True)
            try:
                name, _, outcome = bench.play(seed)
                counts[name, outcome] += 1
            except Wrong as error:
                failures += 1
                print(error, flush=True)
                if asked.broken is not None:
                    break
    print(f"| what is damaged | {' | '.join(OUTCOMES)} |\n|---|---:|---:|")
    for one in bench.subjects:
        print(f"| {one.name} | {' | '.join(str(counts[one.name, outcome]) for outcome in OUTCOMES)} |")
    print(f"{drawn} damages in {time.process_time() - began:.0f} s of one core, {failures} not judged as they must be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
