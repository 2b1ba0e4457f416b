"""`python -m tests.exchange_lies --draws 200`: play drawn lies in exchanges; print each that reaches a goal.

`--broken RULE` breaks a rule on purpose, which must then be found; `--broken all` does so with each. The status is 0 if
no lie wins, or if every broken rule was found.
"""

import argparse
import sys

from .drawing import draw
from .search import search
from .twins import RULES


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.exchange_lies", description=__doc__)
    parser.add_argument("--draws", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the first; the others follow")
    parser.add_argument("--broken", choices=["all", *RULES], help="with this rule broken")
    asked = parser.parse_args()
    if asked.broken is None:
        found, played, seconds = search(asked.seed, asked.draws)
        for one in found:
            print(f"seed {one.seed}: {one.goal}: {one.detail}\n    {draw(one.seed)}")
        print(f"{played} draws, {seconds:.0f} s of processor time: {len(found)} found")
        return 1 if found else 0
    missed = 0
    for rule in RULES if asked.broken == "all" else [asked.broken]:
        found, played, seconds = search(asked.seed, asked.draws, rule, RULES[rule].goals, stops=True)
        missed += not found
        told = (
            f"seed {found[0].seed}: {found[0].goal}: {found[0].detail}; {draw(found[0].seed)}" if found else "NOT FOUND"
        )
        print(f"{rule:30} {played:4} draws, {seconds:4.0f} s: {told}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
