"""What an experiment file can name, one line each.

`python -m folkmoot.experiments.catalogue` writes it to the file that `folkmoot list` shows (listed.py).
"""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path

from folkmoot.algorithms import ALGORITHMS
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.experiments.files import builtin_names, find, read
from folkmoot.files import write_file
from folkmoot.multiparty.games import DATA, DIVISIONS, LIARS, MODELS
from folkmoot.world import NETWORKS, REWARDS, SCALARISATIONS
from folkmoot.world.corruption import CORRUPTIONS
from folkmoot.world.lies import LIES

TABLES: dict[str, Mapping[str, type]] = {
    "algorithms": ALGORITHMS,
    "rewards": REWARDS,
    "scalarisations": SCALARISATIONS,
    "networks": NETWORKS,
    "corruptions": CORRUPTIONS,
    "lies": LIES,
    "attacks": ATTACKS,
    "data": DATA,
    "divisions": DIVISIONS,
    "models": MODELS,
    "liars": LIARS,
}
LISTED = (*TABLES, "experiments")


def catalogue(kind: str) -> list[tuple[str, str]]:
    """Names and descriptions of one of LISTED."""
    if kind == "experiments":
        return [(name, str(read(find(name)).get("description", ""))) for name in builtin_names()]
    return [(name, (inspect.getdoc(found) or "").partition("\n")[0]) for name, found in TABLES[kind].items()]


if __name__ == "__main__":
    text = json.dumps({kind: catalogue(kind) for kind in LISTED}, indent=1, ensure_ascii=False)
    write_file(Path(__file__).with_name("listed.json"), f"{text}\n".encode())
