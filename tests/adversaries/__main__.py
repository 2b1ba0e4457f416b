"""`python -m tests.adversaries --draws 10000`: play drawn adversaries; print each that reaches a goal, minimised.

`--seed S` is the first (alone: with `--draws 1`); `--broken RULE` breaks a rule on purpose, which must then be found;
`--broken all` does so with each. The status is 0 if no adversary wins, or if every broken rule was found.
"""

import argparse
import sys

from .drawing import FOCI
from .goals import GOALS
from .search import search, sharing, smallest
from .twins import RULES, broken

_SHOWN = 10  # programs


def show(seed, rule, goals):
    """The smallest program of a seed that wins."""
    with broken(rule), sharing():
        found, win = smallest(seed, goals)
    print(f"\nseed {seed}: {win}")
    print("\n".join(f"    {line}" for line in str(found).splitlines()), flush=True)


def hunt(rule, asked):
    """Is a broken rule found?"""
    report = search(asked.seed, asked.draws, rule, asked.goals, asked.jobs, stops=True, focus=asked.focus)
    if not report.found:
        print(f"{rule:18} NOT FOUND in {report.draws} draws, {report.processor:.0f} s", flush=True)
        return False
    one = report.found[0]
    print(
        f"{rule:18} found by draw {one.seed - asked.seed + 1}, {one.seconds:.1f} s: {one.goal}: {one.detail}",
        flush=True,
    )
    return True


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.adversaries", description=__doc__)
    parser.add_argument("--draws", type=int, default=1_000, help="how many adversaries")
    parser.add_argument("--seed", type=int, default=0, help="of the first; the others follow")
    parser.add_argument("--broken", choices=["all", *RULES], help="with this rule broken")
    parser.add_argument("--goals", nargs="+", choices=GOALS, default=GOALS, help="look for these only")
    parser.add_argument("--focus", choices=list(FOCI), help="only adversaries of this focus")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    asked = parser.parse_args()
    if asked.broken is not None:
        names = RULES if asked.broken == "all" else [asked.broken]
        found = [hunt(rule, asked) for rule in names]
        if len(found) == 1 and found[0]:
            report = search(asked.seed, asked.draws, asked.broken, asked.goals, stops=True, focus=asked.focus)
            show(report.found[0].seed, asked.broken, asked.goals)
        return 0 if all(found) else 1
    report = search(asked.seed, asked.draws, None, asked.goals, asked.jobs, focus=asked.focus)
    for one in report.found[:_SHOWN]:
        show(one.seed, None, asked.goals)
    print(report)
    return 1 if report.found else 0


if __name__ == "__main__":
    sys.exit(main())
