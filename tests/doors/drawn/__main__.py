"""`python -m tests.doors.drawn --draws 5000`: draw that many inputs to every public name and every type of a file."""

import argparse
import contextlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # the folder of tests

from tests.doors.drawn import draw
from tests.doors.drawn.calls import calls
from tests.doors.drawn.fields import documents, draw_field


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.doors.drawn", description=__doc__)
    parser.add_argument("--draws", type=int, default=5_000, help="for each name and each type")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="names that contain this")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for each name, then on to the next")
    asked = parser.parse_args()
    wrong, began, number = Counter(), time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # some names that are drawn become files
        plays = [(name, draw, call) for name, call in calls(Path(folder)).items() if call.given]
        plays += [(name, draw_field, document) for name, document in documents(Path(folder)).items()]
        for name, play, what in plays:
            if asked.only not in name:
                continue
            at = time.monotonic()
            generator = np.random.default_rng([asked.seed, *name.encode()])
            for draws in range(asked.draws):
                if time.monotonic() - at > asked.seconds:
                    print(f"# {name}: {draws} draws", flush=True)
                    break
                number += 1
                found = play(name, what, generator)
                if found is not None:
                    key = f"{found.name}.{found.argument}: {found.what[:90]}"
                    wrong[key] += 1
                    if wrong[key] == 1:
                        print(found, flush=True)
            if time.monotonic() - at > 30:
                print(f"# {name}: {time.monotonic() - at:.0f} s", flush=True)
    kinds = f"{len(wrong)} kinds of them" if wrong else "none"
    print(f"{number} inputs to {len(plays)} names in {time.monotonic() - began:.0f} s; not as they must be: {kinds}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
