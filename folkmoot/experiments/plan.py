"""From an experiment file to the cells it asks for, everything checked before anything runs.

A file with a [chain] table is on games on a chain, one with a [consortium] table on consortia, any other on bandits.
"""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from folkmoot.experiments.heads import Plan as Plan

_TABLES = ("chain", "consortium")


def plan(document: dict[str, Any], folder: Path) -> Plan:
    """All cells of an experiment, every one of them checked.

    Args:
        document: an experiment file as plain values.
        folder: where the paths in it start.

    Raises:
        ValueError: one line that names the field, its value and what is allowed.
    """
    if "chain" in document:
        from folkmoot.experiments.chains import plan_chains

        return plan_chains(document, folder)
    if "consortium" in document:
        from folkmoot.experiments.consortia import plan_consortia

        return plan_consortia(document, folder)
    from folkmoot.experiments.bandits import Experiment, plan_bandits

    for name in document:
        near = [] if name in Experiment.model_fields else get_close_matches(name, _TABLES, n=1)
        if near:
            raise ValueError(f"field {name!r}: unknown; did you mean {near[0]!r}?")
    if set(document) <= set(Experiment.model_fields) - {"network", "algorithm"}:
        raise ValueError(
            "what to play is missing: expected [network] and [[algorithm]] (bandits), [chain] (a game on a chain) or "
            "[consortium] (parties with models)"
        )
    return plan_bandits(document, folder)
