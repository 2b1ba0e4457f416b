"""A legal call of every public name. Who adds a name adds its call here; `test_drawn.py` asks for it."""

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

import folkmoot as fm

from . import Also, Call, Heavy
from .calls_of_parts import of_parts

MEANS = np.array([[0.2, 0.8], [0.3, 0.7]])


def _attack(kind: Any) -> dict[str, Any]:
    """Its fields as they are."""
    also = {"arm": "none whole", "pull": "none whole", "claim": "none number"}
    given = {name: field.get_default() for name, field in kind.model_fields.items()}
    return {name: Also(value, also[name]) if name in also else value for name, value in given.items()}


def _algorithms() -> dict[str, dict[str, Any]]:
    number = Also(2.0, "none")
    sharing = {"radius": "aware", "budget": 5.0, "delta": 0.1}
    return {
        "UCB": {"exploration": 2.0},
        "CentralUCB": {"exploration": 2.0},
        "CooperativeUCB": {"exploration": 2.0},
        "BCUCB": {
            "faulty": 1, "c1": 2.0, "kappa": 1.5, "burn_in": 5, "combination": "majority", "trust": "distance",
            "delta": 0.1, "trust_ratio": 2.0, "cost": 0.0, "resolution": 32, "window": 8, "screening": True,
            "gives_way": True, "trimming": True,
        },
        "ByzantineUCB": {"faulty": 1, "kappa": 1.5},
        "DistUCB": {"c1": number},
        "DrFedUCB": {"c1": number, "burn_in": 5},
        "FloodSE": {
            "delta": Also(0.1, "none"), "beta": 1.1, "aggregate": "table", "missing": 0, "faulty": 0, "anytime": False,
        },
        "GSE": {
            "link_probability": Also(0.5, "none"), "algebraic_connectivity": number, "radius": "published",
            "delta": Also(None, "number none", only=True),
        },
        "GoSInE": {"c1": number, "phase_exponent": 3.0},
        "GossipUCB": {"c1": number, "partner": "pair"},
        "LayeredElimination": {"delta": 0.1, "n_layers": 3},
        "S1": sharing,
        "S2": sharing,
        "S3": sharing,
        "S3Cert": {**sharing, "verify": "round_robin", "filtering": False},
        "UCBSBM": {
            "rule": 2, "goal": "common", "clusters": Also([0, 1], "text none"),
            "n_clusters": Also(None, "whole none", only=True),
            "refresh": 1,
            "burn_in": 5, "passing": Also(None, "whole none text", only=True),
            "c1": number, "gate": "agent", "weights": "size",
            "relay": Also(None, "flag none", only=True),
            "similarity": "frequency", "detection": "IR-sLS", "detection_seed": 0,
        },
    }  # fmt: skip


def _worlds() -> dict[str, dict[str, Any]]:
    path, edges = nx.path_graph(2), [[0, 1]]
    rewards, network = fm.Bernoulli(MEANS), fm.Static(path)
    law = Also(MEANS, "dictionary")
    budget = {"budget": 5.0, "spending": "front_loaded"}
    return {
        "Bernoulli": {"means": law, "n_agents": Heavy(2), "redraw": False},
        "Beta": {"means": law, "n_agents": Heavy(2), "redraw": False, "concentration": 5.0},
        "Gaussian": {"means": law, "n_agents": Heavy(2), "redraw": False, "deviation": 1.0},
        "Clustered": {
            "means": Also([[0.2, 0.8], [0.3, 0.7]], "dictionary"), "labels": [0, 0, 1],
            "law": "bernoulli", "deviation": Also(None, "number none", only=True),
            "concentration": Also(None, "number none", only=True), "redraw": False,
        },
        "HalfActive": {"inner": rewards, "silent": 0.5},
        "Replay": {
            "table": [[[0.1, 0.2], [0.3]], [[0.5], [0.4]]], "arm_names": Also(("a", "b"), "items"), "order": "drawn",
        },
        "VectorBernoulli": {"means": [[0.2, 0.3], [0.4, 0.5]], "scalarisation": fm.Linear([0.5, 0.5]),
                            "n_agents": Heavy(2), "redraw": False},
        "Linear": {"weights": [0.5, 0.5]},
        "LogSumExp": {"beta": 5.0},
        "Drifting": {"start": rewards, "end": fm.Bernoulli(1 - MEANS), "period": Also(9, "number")},
        "Piecewise": {"pieces": Also([(1, rewards), (5, fm.Bernoulli(1 - MEANS))], "items", only=True)},
        "Static": {"graph": path},
        "ErdosRenyi": {"base_graph": path, "link_probability": Also(0.5, "array")},
        "Markov": {"base_graph": path, "up": 0.5, "down": 0.25},
        "BConnected": {"base_graph": path, "rounds": Heavy(3)},
        "OneSided": {"network": network, "loss": Also(0.5, "array dictionary")},
        "Recorded": {"rounds": Also([edges, edges], "array items", only=True), "n_agents": Heavy(2)},
        "StochasticBlockModel": {"labels": [0, 0, 1], "within": 0.9, "across": 0.1},
        "Suppress": {**budget, "target": Also("best", "whole")},
        "Promote": {**budget, "decoy": Also("worst", "whole")},
        "Swap": {**budget, "target": Also("best", "whole"), "decoy": Also("worst", "whole")},
        "Thinning": {**budget, "target": Also("best", "whole"), "keep": Also(0.5, "none")},
        "FlipRandom": {**budget, "rate": 0.5},
        "Liars": {"agents": [1], "law": Also("promote", ""), "counts": "own"},
        "ConstantLie": {"values": Also(0.5, "array")},
        "DriftingLie": {"rate": -0.1},
        "PromotingLie": {"arm": Also("worst", "whole")},
        "SplitLie": {"even": Also("worst", "whole"), "odd": Also("second", "whole")},
        "Feedback": {"delay": Also(2, "text array"), "mean": Also(None, "number none", only=True), "loss": 0.1},
        "Presence": {
            "probability": Also(0.9, "array"), "absences": Also([(0, 2, 5)], "items array gaps", only=True),
            "recorded": Also(None, "none flags", only=True),
        },
        "Faults": {
            "drop": 0.1, "delay": 0.1, "longest_delay": 3, "reorder": 0.0, "duplicate": 0.0, "partition": 0.0,
            "crash": 0.0, "heal_at": Also(5, "none"),
        },
    }  # fmt: skip


WITHOUT_ARGUMENTS = ["Chebyshev", "FlippedLie", "RandomLie", "karate_block_model", "karate_labels"]
BASES = ["Algorithm", "Lie", "Network", "Rewards"]  # to make classes of; by themselves they are nothing
ATTACKS = [
    "AllButOne", "AlliesOnly", "Attack", "BareMajority", "Congest", "ConstantReport", "Drift", "Equivocate",
    "FalseClaim", "FalseCounts", "Forge", "LateReport", "Mute", "PromoteArm", "RandomReport", "ReplayOld", "SignFlip",
    "SplitViews", "ToNobody", "ToOne", "TrimWindow", "TwoReports", "Withhold",
]  # fmt: skip
RECORDS = ["Result", "ChainResult"]  # made by the library and read from files, whose doors tests/simulate damages


def _functions(folder: Path) -> dict[str, Call]:
    rewards, network = fm.Bernoulli(MEANS), fm.Static(nx.path_graph(2))
    play = {"horizon": 6, "engine": "interpreted", "progress": False}
    result = fm.simulate(fm.GSE(), rewards, network, replicates=2, observe=("gossip", "radius"), per_agent=True, **play)
    result.save(folder / "kept")
    problem = fm.Problem.on(network, n_arms=2, horizon=20)
    results: dict[str, Any] = {"GSE": result}
    world = {"rewards": rewards, "network": network}
    return {
        "simulate": Call(
            fm.simulate,
            {
                "algorithm": fm.UCB(), **world, "horizon": Heavy(6), "replicates": Heavy(2), "seed": 1,
                "checkpoints": Also([3, 6], "none"), "corruption": fm.Suppress(budget=3),
                "verification": Also(0, "none"),
                "liars": None,
                "presence": None, "feedback": None, "observe": Also((), "items array"), "per_agent": False,
                "realised": False, "engine": "interpreted", "jobs": Heavy(1), "progress": False, "backend": None,
            },
        ),
        "simulate_chain": Call(
            fm.simulate_chain,
            {
                "algorithm": fm.BCUCB(), "rewards": fm.Bernoulli([0.2, 0.8], n_agents=4), "horizon": Heavy(14),
                "malicious": [1], "attack": fm.SignFlip(), "expected_validators": Heavy(3), "fidelity": "ideal",
                "engine": "interpreted", "replicates": Heavy(1), "seed": 0, "progress": False,
            },
        ),
        "agent": Call(
            fm.agent,
            {"algorithm": fm.FloodSE(), "problem": problem, "i": 1, "seed": 0, "replicate": 0,
             "kept": Also(None, "none dictionary", only=True),
             "window": Heavy(10)},
        ),
        "check_algorithm": Call(
            fm.check_algorithm, {"algorithm": fm.UCB(), **world, "horizon": Heavy(6), "seed": 0}, slow=True
        ),
        "coverage": Call(
            fm.coverage, {"result": result, "estimate": "gossip", "radius": "radius", "of": "common"}
        ),
        "load": Call(fm.load, {"folder": Also(folder / "kept", "text")}),
        "compare_runs": Call(
            fm.compare_runs,
            {"folders": Also([folder / "kept"], "items", only=True), "out": Also(folder / "compared", "text none")},
        ),
        "plot_regret": Call(
            fm.plot_regret,
            {"results": Also(results, "", only=True), "log_x": False, "per_agent": False, "ax": None, "log_y": False,
             "band": "interval", "of": "regret"},
        ),
        "to_frame": Call(fm.to_frame, {"results": Also(results, "", only=True), "kind": Also("dict", "none"),
                                       "by": "team"}),
        "write_table": Call(fm.write_table, {"results": Also(results, "", only=True), "path": folder / "table.csv",
                                             "by": "team"}),
        "Problem.on": Call(
            fm.Problem.on,
            {"network": network, "n_arms": 2, "horizon": 20, "sub_gaussian": 0.5, "bounded": True,
             "one_sided": Also(None, "flag none", only=True)},
        ),
    }  # fmt: skip


def calls(folder: Path) -> dict[str, Call]:
    """By the name behind `folkmoot.`."""
    made: dict[str, Call] = {}
    for name, given in (_algorithms() | _worlds()).items():
        made[name] = Call(getattr(fm, name), given)
    for name in ATTACKS:
        made[name] = Call(getattr(fm, name), _attack(getattr(fm, name)))
    for name in WITHOUT_ARGUMENTS:
        made[name] = Call(getattr(fm, name), {})
    made |= _functions(folder)
    return made | of_parts(folder)


def exempt() -> set[str]:
    """Names without a call, each for a reason that stands beside its list."""
    return {*BASES, *RECORDS, "Problem"}  # a Problem is made by `Problem.on`
