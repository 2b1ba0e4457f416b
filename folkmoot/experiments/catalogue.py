"""What an experiment file can name, one line each."""

import inspect
from collections.abc import Mapping

from folkmoot.algorithms import ALGORITHMS
from folkmoot.experiments.files import builtin_names, find, read
from folkmoot.experiments.networks import NETWORKS
from folkmoot.experiments.plan import algorithm_class
from folkmoot.experiments.rewards import REWARDS
from folkmoot.world.corruption import CORRUPTIONS

KINDS = ("algorithms", "rewards", "networks", "corruptions", "experiments")


def _first_line(thing: type) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def catalogue(kind: str) -> list[tuple[str, str]]:
    """Names and descriptions of one of KINDS."""
    if kind == "algorithms":
        return [(name, _first_line(algorithm_class(name))) for name in ALGORITHMS]
    if kind == "experiments":
        return [(name, str(read(find(name)).get("description", ""))) for name in builtin_names()]
    tables: dict[str, Mapping[str, type]] = {"rewards": REWARDS, "networks": NETWORKS, "corruptions": CORRUPTIONS}
    return [(name, _first_line(section)) for name, section in tables[kind].items()]
