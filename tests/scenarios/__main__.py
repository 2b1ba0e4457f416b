"""`python -m tests.scenarios --seeds 2000`: play scenarios, print each seed that breaks an invariant.

`--seed S` plays one again; `--broken lock` breaks a rule on purpose, which some seed must then show.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.scenarios import BROKEN, Broken, broken, drawn_game, run


def outcome(seed, rule):
    """(kind of scenario, height of the chain, what is wrong or None)."""
    kind, game = drawn_game(seed)
    try:
        with broken(rule):
            return kind, run(seed).watch.chains[-1].height, None
    except Broken as error:
        return kind, 0, f"seed {seed}: {kind}, n = {game.terms.n_participants}, {game.sortition}: {error}"


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many, from 0 on")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--broken", choices=sorted(BROKEN), help="with this rule broken")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds) if asked.seed is None else [asked.seed]
    failures, blocks, kinds = 0, 0, Counter()
    with ProcessPoolExecutor(asked.jobs) as pool:
        for kind, height, error in pool.map(partial(outcome, rule=asked.broken), seeds, chunksize=4):
            kinds[kind] += 1
            blocks += height
            if error is not None:
                failures += 1
                print(error, flush=True)
    print(f"{len(seeds)} scenarios, {blocks} blocks, {failures} failed; {dict(sorted(kinds.items()))}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
