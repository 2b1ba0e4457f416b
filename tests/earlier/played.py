"""What is played anew and compared with what version 0.1.0 played; only public names, since modules move."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np

import folkmoot as fm

FILES = Path(__file__).parent / "files"

BANDIT = (
    "checkpoints", "gaps", "team_pulls", "pulls", "messages", "bytes", "verified", "corruption_spent_per_arm",
    "decisions", "decided_at", "regret",
)  # fmt: skip
CHAIN = ("checkpoints", "gaps", "team_pulls", "pulls", "paid", "entered", "approved_so_far", "estimates", "trust",
         "validators", "approved", "blocks", "regret")  # fmt: skip
TRAFFIC = ("messages", "bytes", "signatures")
FIDELITIES = ("ideal", "protocol")


def digest(array):
    """The first 16 hexadecimal digits of SHA-256 of type, shape and numbers."""
    array = np.ascontiguousarray(array)
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()[:16]


def digests(result, names=BANDIT):
    return {name: digest(getattr(result, name)) for name in names}


# --- Bandits ----------------------------------------------------------------------------------------------------------

ALGORITHMS = {
    "ucb": lambda: fm.UCB(),
    "cooperative_ucb": lambda: fm.CooperativeUCB(),
    "central_ucb": lambda: fm.CentralUCB(),
    "gse": lambda: fm.GSE(),
    "drfed_ucb": lambda: fm.DrFedUCB(c1=0.25, burn_in=12),
    "ucb_sbm": lambda: fm.UCBSBM(clusters=(0, 0, 0, 1, 1), c1=0.25, burn_in=12),
    "gosine": lambda: fm.GoSInE(c1=0.5),
    "gossip_ucb": lambda: fm.GossipUCB(c1=0.5),
    "dist_ucb": lambda: fm.DistUCB(c1=0.5),
    "s1": lambda: fm.S1(radius="naive"),
    "s2": lambda: fm.S2(radius="naive"),
    "s3": lambda: fm.S3(radius="naive", delta=0.5),
    "s3_cert": lambda: fm.S3Cert(verify="elimination", delta=0.5),
    "layered_elimination": lambda: fm.LayeredElimination(n_layers=2, delta=0.5),
}
NETWORKS = {
    "complete": lambda: fm.ErdosRenyi(nx.complete_graph(5), link_probability=0.7),
    "ring": lambda: fm.Static(nx.cycle_graph(5)),
}


def bandits(name, network):
    """One algorithm in one small world, interpreted: nothing is compiled. Some pulls are verified where that counts."""
    verification = 60 if name.startswith("s") else 0
    horizon = 300 if name == "gse" else 80  # it eliminates late
    return fm.simulate(
        ALGORITHMS[name](), fm.Bernoulli((0.2, 0.5, 0.8), n_agents=5), NETWORKS[network](), horizon=horizon,
        replicates=2, seed=11, verification=verification, engine="interpreted", progress=False,
    )  # fmt: skip


# --- Experiments ------------------------------------------------------------------------------------------------------


RUN = """
import sys
from pathlib import Path
from folkmoot.cli import main
for path in map(Path, sys.argv[2:]):
    if main(["run", str(path), "--out", str(Path(sys.argv[1], path.stem)), "--jobs", "1"]) != 0:
        sys.exit(f"failed: {path}")
"""


def run(out, *paths):
    """`folkmoot run PATH --out OUT/NAME` for each of them, in a process of its own where nothing is compiled."""
    home = str(Path(fm.__file__).resolve().parents[1])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": home, "FOLKMOOT_DATA": ""}
    command = [sys.executable, "-c", RUN, *map(str, (out, *paths))]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done


def loaded(folder):
    """The results of a folder by name, however many there are."""
    found = fm.load(folder)
    return found if isinstance(found, dict) else {found.name: found}


# --- Games on a chain -------------------------------------------------------------------------------------------------

ATTACKS = {
    "none": lambda: None,
    "attack": lambda: fm.Attack(report="constant", value=0.5, pull=0, validator="equivocate"),
    "sign_flip": lambda: fm.SignFlip(),
    "constant": lambda: fm.ConstantReport(),
    "random": lambda: fm.RandomReport(),
    "trim_window": lambda: fm.TrimWindow(),
    "promote_arm": lambda: fm.PromoteArm(),
    "drift": lambda: fm.Drift(),
    "congest": lambda: fm.Congest(),
    "false_counts": lambda: fm.FalseCounts(),
    "equivocate": lambda: fm.Equivocate(),
    "withhold": lambda: fm.Withhold(),
    "allies_only": lambda: fm.AlliesOnly(),
    "forge": lambda: fm.Forge(),
    "replay_old": lambda: fm.ReplayOld(),
}
VARIANTS = {
    "union, reward": lambda: {
        "algorithm": fm.BCUCB(combination="union", trust="reward", cost=0.5),
        "environment": True,
    },
    "no screening": lambda: {"algorithm": fm.BCUCB(screening=False, trimming=False, c1="theory")},
    "few validators": lambda: {"expected_validators": 2},
    "faults": lambda: {
        "faults": fm.Faults(drop=0.05, delay=0.1, reorder=0.2, duplicate=0.1, crash=0.02, partition=0.05)
    },
    "vrf": lambda: {"sortition": "vrf"},
}


def chain(attack, fidelity, algorithm=None, **more):
    """A game of four of whom one attacks."""
    return fm.simulate_chain(
        algorithm or fm.BCUCB(), fm.Bernoulli((0.3, 0.8), n_agents=4), horizon=24, malicious=[1],
        attack=ATTACKS[attack](), fidelity=fidelity, seed=5, engine="interpreted", progress=False, **more,
    )  # fmt: skip


def chain_found(result):
    """Arrays by digest, traffic in plain numbers."""
    return digests(result, CHAIN) | {name: getattr(result, name).tolist() for name in TRAFFIC}


def coin_game(ledger=None):
    """Three arms, four participants of whom one flips signs; a public coin names the validators."""
    return fm.simulate_chain(
        fm.BCUCB(), fm.Bernoulli((0.2, 0.5, 0.8), n_agents=4), horizon=40, malicious=[2], attack=fm.SignFlip(),
        fidelity="protocol", ledger=ledger, seed=7, engine="interpreted", progress=False,
    )  # fmt: skip


def vrf_game(ledger=None):
    """Validators by verifiable random functions, counts compared in private."""
    return fm.simulate_chain(
        fm.BCUCB(burn_in=4), fm.Bernoulli((0.3, 0.8), n_agents=4), horizon=12, malicious=[0], attack=fm.FalseCounts(),
        fidelity="protocol", sortition="vrf", private_comparison="pairwise", ledger=ledger, seed=8,
        engine="interpreted", progress=False,
    )  # fmt: skip


# --- A consortium -----------------------------------------------------------------------------------------------------

INPUTS = 6
CENTRES = 1.5 * np.eye(4, INPUTS)
KNOWN = {"ada": (0, 1, 2), "bob": (1, 2, 3), "cyd": (0, 2, 3), "dan": (0, 1, 3), "ivy": (0, 1, 2), "joe": (1, 2, 3)}
TERMS = {
    "n_classes": 4,
    "delta": 0.35,
    "sigma": 0.4,
    "omega": 0.45,
    "eta": 0.1,
    "seed": 9,
    "edition": 1,
    "predictor": "krum",
}  # rules and predictor of then


def data(seed, classes, samples=120):
    """Four overlapping clouds: samples [samples, inputs] and labels."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(classes, samples)
    return (CENTRES[labels] + generator.normal(size=(samples, INPUTS))).astype(np.float32), labels


def model(seed, classes, wrong=False):
    """Softmax of distances from blurred centres, or of others; nothing is fitted, so every machine makes the same."""
    from sklearn.linear_model import LogisticRegression

    from folkmoot.multiparty import SklearnModel

    centres = CENTRES[list(classes)] + np.random.default_rng(100 + seed).normal(size=(len(classes), INPUTS)) * 0.6
    weights = (-3.0 if wrong else 1.0) * centres
    intercepts = -0.5 * (weights * centres).sum(axis=1)
    estimator = LogisticRegression()
    estimator.classes_ = np.array(classes)
    estimator.coef_ = weights[1:] - weights[:1] if len(classes) == 2 else weights
    estimator.intercept_ = intercepts[1:] - intercepts[:1] if len(classes) == 2 else intercepts
    return SklearnModel(estimator, classes)


def parties():
    """Six original ones; of three newcomers one is near, one far off, and one knows more than anybody can check."""
    from folkmoot.multiparty import Party

    found = [Party(name, model(i, c), *data(i, c)) for i, (name, c) in enumerate(KNOWN.items())]
    newcomers = (("eve", (0, 1), False), ("fay", (1, 2), True), ("gus", (0, 1, 2, 3), False))
    for i, (name, classes, wrong) in enumerate(newcomers, 10):
        found.append(Party(name, model(i, classes, wrong), *data(i, classes), kind="regular"))
    return found


def svm():
    """A fitted one whose scores come from sigmoids."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import LinearSVC

    from folkmoot.multiparty import Party, SklearnModel

    x, y = data(20, (0, 1, 2))
    estimator = CalibratedClassifierCV(LinearSVC(random_state=0), method="sigmoid", ensemble=False).fit(x, y)
    return Party("kim", SklearnModel(estimator, (0, 1, 2)), x, y)


def consortium_found(consortium):
    """What it predicts for samples nobody has."""
    x, _ = data(50, (0, 1, 2, 3), 60)
    return {
        "predictions": "".join(map(str, consortium.predict(x).tolist())),
        "scores": digest(consortium.scores(x)),
        "protection": [consortium.protection()[label] for label in range(4)],
        "parties": [[party.name, party.kind, list(party.model.classes)] for party in consortium.parties],
        "iterations": consortium.iterations,
    }


def calibrated():
    """The consortium without a ledger, after calibration, and what was told about it."""
    from folkmoot.multiparty import Consortium

    consortium = Consortium(parties(), keys="derived", **TERMS)
    tally = consortium.calibrate(2, 12, progress=False)
    return consortium, {"accepted": tally.accepted, "refused": dict(sorted(tally.refused.items()))} | {
        "registrations": [[r.name, r.admitted, r.reason, r.distance, r.by] for r in consortium.registrations]
    }
