"""Legal calls of the packages: theory, adapters, ledger, multiparty, node."""

import importlib
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx

import folkmoot as fm
from folkmoot import ledger, theory

from . import Also, Call, Heavy

GAPS = [0.0, 0.2, 0.5]
PACKAGES = ["ledger", "multiparty", "node", "theory", "adapters"]

# Protocols and bases, to make classes of.
BASES = {"ledger.Contents", "ledger.Rules", "multiparty.Model", "multiparty.Predictor"}
# Modules of torch whose source is a digest in chains: it stays as it is, and torch says what it makes of `n_outputs`.
MODULES = {"multiparty.LeNet4", "multiparty.LeNet5", "multiparty.TwoHiddenLayers"}
# What the library hands out; nobody has a reason to make one, and functions that take them are in the tables below.
RECORDS = {
    "theory.ArmCorruption", "theory.EffectiveCorruption", "theory.GSEBound", "ledger.Verification", "ledger.Chain",
    "ledger.Ledger", "ledger.Signers", "ledger.KINDS", "ledger.Block", "ledger.Header", "ledger.Genesis",
    "ledger.Limits", "multiparty.Exchange", "multiparty.Exchanged", "multiparty.Recorded", "multiparty.Registration",
    "multiparty.SampleTally", "multiparty.Screening", "node.Predicted",
}  # fmt: skip


def _theory() -> dict[str, Call]:
    agents, horizon = {"n_agents": 4}, {"horizon": 1_000}
    clusters = {"n_clusters": 2}
    gaps = {"gaps": GAPS}
    rates = {"c1": 2.0, "burn_in": 10}
    bound = {"n_arms": 3, "n_objectives": 1, "n_agents": 4, **horizon, "delta": 0.1, "lipschitz": 1.0, "c": 8.0}
    given: dict[str, dict[str, Any]] = {
        "across_threshold": {**agents, **clusters, **horizon, "eps": 0.01, "period": 1},
        "bc_ucb_bound": {**gaps, "n_honest": 3, **horizon, **rates, "cost": 0.0, "forgery": 2.0},
        "certified_bound": {
            "clean": 5.0, "budget": 3.0, "verifications": Also(100.0, ""), "needed": 50.0, "gap_max": 0.5,
            "pulls": 1_000, "lipschitz": 1.0,
        },
        "chebyshev_threshold": {**clusters, **horizon, "eps": 0.01},
        "cluster_link_probability": {"across": 0.1, **agents, **clusters},
        "connected_probability": {"n_agents": Heavy(4), "link_probability": 0.5},
        "corrupted_bound": {"effective": 3.0, **bound},
        "drfed_ucb_bound": {**gaps, **agents, **horizon, **rates, "eps": 0.01},
        "effective_corruption": {
            "held": Also([[True, False], [True, True]], "flags", only=True),
            "size": [0.5, 0.1], "arm": [0, 1], "n_arms": 2,
        },
        "flood_rounds": {**agents, "diameter": 2, "link_probability": 0.5, **horizon, "delta": 0.1},
        "flood_se_bound": {
            **gaps, **agents, **horizon, "flood": 5, "delta": 0.1, "sigma": 0.5, "beta": 1.1, "delay": 0, "missing": 0,
            "climb": Also(None, "none whole", only=True), "anytime": False,
        },
        "gap_certifiable": {"verifications": 100.0, **bound},
        "gse_bound": {**gaps, **agents, "link_probability": 0.5, "connectivity": 1.0, **horizon},
        "gse_bound_on": {"graph": "expander", **gaps, **agents, "link_probability": 0.5, **horizon, "degree": 3},
        "gse_lower_bound": {**gaps, **horizon, "exponent": 0.0, "sigma": 1.0},
        "gse_pulls": {"gap": 0.2, "n_arms": 3, **agents, "link_probability": 0.5, "connectivity": 1.0, **horizon},
        "gse_regret": {**gaps, **agents, "link_probability": 0.5, "connectivity": 1.0, **horizon},
        "link_threshold": {**agents, **horizon, "eps": 0.01},
        "multiplicity": {"sharing": "S1", **agents},
        "period_needed": {"across": 0.1, **agents, **clusters, **horizon, "eps": 0.01},
        "recovery_signal": {
            "cluster_means": [[0.2, 0.8], [0.7, 0.3]], **agents, "within": 0.9, "across": 0.1,
            "burn_in": 10, "sigma": 0.5,
        },
        "single_cluster_bound": {**gaps, **agents, **horizon, "synchronised": 0.5},
        "ucb_sbm_bound": {**gaps, **agents, **clusters, **horizon, **rates, "eps": 0.01},
        "verification_needed": {"gap_min": 0.2, **bound},
        "within_threshold": {**agents, **clusters, **horizon, "eps": 0.01, "period": 1},
    }  # fmt: skip
    return {f"theory.{name}": Call(getattr(theory, name), values) for name, values in given.items()}


def _run_with_corruption() -> Call:
    world = fm.Bernoulli([0.2, 0.8], n_agents=2), fm.Static(nx.path_graph(2))
    result = fm.simulate(
        fm.S1(),
        *world,
        horizon=6,
        corruption=fm.Suppress(budget=3),
        observe=("samples", "total"),
        engine="interpreted",
        progress=False,
    )
    return Call(theory.effective_corruption_of_run, {"result": result, "replicate": 0, "count": "agents"})


def _adapters() -> dict[str, Call]:
    from folkmoot.adapters import Objects

    made = {"adapters.Objects": Call(Objects, {"make": lambda i, problem, seed: None, "share": False})}
    world = {"rewards": fm.Bernoulli([0.2, 0.8], n_agents=1), "network": None, "horizon": Heavy(6), "feedback": None,
             "seed": 0}  # fmt: skip
    for name, package, more in (("GymnasiumEnv", "gymnasium", {}), ("PettingZooEnv", "pettingzoo", {"share": True})):
        if importlib.util.find_spec(package):
            home = importlib.import_module("folkmoot.adapters")
            made[f"adapters.{name}"] = Call(getattr(home, name), {**world, **more})
    return made


def _ledgers(folder: Path) -> dict[str, Call]:
    from folkmoot.ledger import notes
    from folkmoot.signatures import SigningKey

    key = SigningKey(bytes(32))
    genesis = ledger.Genesis("notes", notes.configuration((key.verify_key.encode(),)))
    chain = ledger.start(genesis)
    block = ledger.propose(chain, [b"a"])
    signature = ledger.sign(block.header, key)
    signed = replace(block, signatures=(signature,))
    ledger.create(folder / "kept.ledger", genesis)
    numbers = iter(range(10**9))
    place = Also(folder / "kept.ledger", "text")
    header = {"header": block.header}
    given = {
        "FolderContents": Call(ledger.FolderContents, {"path": Also(folder / "contents", "text")}),
        "MemoryContents": Call(ledger.MemoryContents, {}),
        "accounts": Call(ledger.accounts, {"chain": chain}, slow=True),
        "apply_block": Call(ledger.apply_block, {"chain": chain, "block": signed, "rules": None}),
        "beside": Call(ledger.beside, {"path": place}),
        "create": Call(
            lambda path, genesis: ledger.create(_fresh(path, folder, numbers), genesis),
            {"path": Also(folder / "new", "text"), "genesis": genesis},
        ),
        "decode": Call(ledger.decode, {"data": ledger.encode((1, b"a"))}),
        "digest": Call(ledger.digest, {"domain": Also("a", "text"), "value": Also(1, _ANY)}),
        "encode": Call(ledger.encode, {"value": Also((1, b"a"), _ANY)}),
        "is_signed": Call(ledger.is_signed, {**header, "signature": Also(signature, "items", only=True)}),
        "mined": Call(ledger.mined, {"block": block, "counters": Also(range(3), "array items", only=True)}),
        "name_of": Call(ledger.name_of, {"data": b"a"}),
        "open": Call(ledger.open, {"path": place}),
        "propose": Call(ledger.propose, {"chain": chain, "records": Also([b"a"], "items", only=True)}),
        "sign": Call(ledger.sign, {**header, "key": key}),
        "start": Call(ledger.start, {"genesis": genesis}),
    }
    return {f"ledger.{name}": call for name, call in given.items()}


# What an encoding may hold: it says itself what it takes, and NumPy's numbers are none of it.
_ANY = "none flag whole number array text bytes items flags digits infinite nan"


def _fresh(path: Any, folder: Path, numbers: Any) -> Any:
    """The same place is new each time; anything but the legal one goes through as it is."""
    return folder / f"new{next(numbers)}.ledger" if isinstance(path, Path) and path == folder / "new" else path


def _models(folder: Path) -> dict[str, Call]:
    import made_voted

    from folkmoot import multiparty

    x, y = made_voted.data(1, 12)
    party = multiparty.Party("ada", made_voted.model(1), x, y)
    own = {
        "name": Also("ada", "text"), "model": party.model, "x": Also(x, "digits"), "y": Also(y, "items"),
        "kind": "original",
        "key": Also(bytes(32), "none"), "check": None,
    }  # fmt: skip
    parties = [multiparty.Party(name, made_voted.model(n), *made_voted.data(n, 12)) for n, name in enumerate("abc")]
    given = {
        "Party": Call(multiparty.Party, own),
        "Consortium": Call(
            multiparty.Consortium,
            {"parties": Also(parties, "", only=True), "ledger": Also(None, "none text path", only=True),
             "n_classes": Heavy(3), "work_bits": Heavy(0), "voted": False, "seed": 0,
             "keys": Also("random", "text path")},
        ),
        "OneStepHMR": Call(
            multiparty.OneStepHMR, {"parties": Also(parties, "", only=True), "n_classes": Heavy(3), "seed": 0}
        ),
        "Retraining": Call(
            multiparty.Retraining, {"steps": 200, "own": 40, "foreign": 24, "rate": Also(0.1, "none"), "head": False}
        ),
        "Terms": Call(
            multiparty.Terms,
            {"n_classes": 3, "shape": Also((6,), "array"), "alpha": 0.75, "delta": 0.6, "sigma": 0.2, "omega": 0.2,
             "eta": 0.01, "cap": 1.0, "score_gradient": "log_probability", "rules": "hardened", "tolerance": 0.0},
        ),
        "claiming": Call(multiparty.claiming, {"party": party, "classes": Also((0, 1, 2), "array")}),
        "lying": Call(
            multiparty.lying,
            {"party": party, "attack": Also(multiparty.SwappedLabels, "", only=True), "share": 1.0},
        ),
        "exchange_liar": Call(multiparty.exchange_liar, {"party": party}),
        "unknown_images": Call(
            multiparty.unknown_images, {"party": party, "pool": Also(x, "digits flags"), "share": 1.0}
        ),
        "key_file": Call(multiparty.key_file, {"path": Also(folder / "mine.key", "text")}),
        "register_model_kind": Call(
            multiparty.register_model_kind, {"kind": Also("own/kind", "text"), "build": lambda *given: None}, slow=True
        ),
    }  # fmt: skip
    for name in ("Duplicates", "PoisonedSamples", "RandomLabels", "SwappedLabels", "SwappedWithin"):
        given[name] = Call(getattr(multiparty, name), {**own, "share": 1.0})
    given["UnknownImages"] = Call(multiparty.UnknownImages, {**own, "share": 1.0, "pool": Also(x, "digits flags")})
    given["ExchangeLiar"] = Call(multiparty.ExchangeLiar, own)
    if importlib.util.find_spec("sklearn"):
        given |= _estimators(x, y)
    if importlib.util.find_spec("torch"):
        given |= _networks(x, y)
    return {f"multiparty.{name}": call for name, call in given.items()}


def _estimators(x: Any, y: Any) -> dict[str, Call]:
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.tree import DecisionTreeClassifier

    from folkmoot import multiparty

    fitted = LogisticRegression().fit(x, y)
    tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(x, y)
    classes = sorted({int(one) for one in y})
    learner = multiparty.EstimatorLearner(SGDClassifier(loss="log_loss"), classes)
    return {
        "SklearnModel": Call(
            multiparty.SklearnModel, {"estimator": fitted, "classes": Also(classes, "items"),
                                       "labels": Also((), "items")}
        ),
        "EstimatorModel": Call(
            multiparty.EstimatorModel,
            {"estimator": tree, "classes": Also(classes, "items"), "x": x, "labels": Also((), "items"),
             "missing": Also(None, "none number", only=True)},
        ),
        "EstimatorLearner": Call(
            multiparty.EstimatorLearner,
            {"estimator": SGDClassifier(loss="log_loss"), "classes": Also(classes, "items")},
        ),
        "HMR": Call(
            multiparty.HMR,
            {"learners": Also([learner, learner], "", only=True), "data": Also([(x, y), (x, y)], "", only=True),
             "n_classes": Heavy(3), "seed": 0},
        ),
    }  # fmt: skip


def _networks(x: Any, y: Any) -> dict[str, Call]:
    import torch

    from folkmoot import multiparty

    module = torch.nn.Linear(6, 3)
    return {
        "NetworkLearner": Call(
            multiparty.NetworkLearner,
            {"module": module, "classes": [0, 1, 2], "reserved": False, "rate": 1e-3, "batch": 8, "seed": 0},
        ),
        "TorchModel": Call(
            multiparty.TorchModel,
            {"module": module, "classes": Also([0, 1, 2], "items"), "reserved": False, "temperature": 1.0,
             "architecture": Also(None, "text none"), "labels": Also((), "items")},
        ),
        "register_architecture": Call(
            multiparty.register_architecture, {"name": Also("own", "text"), "build": lambda n: None}, slow=True
        ),
    }  # fmt: skip


def _node(folder: Path) -> dict[str, Call]:
    from folkmoot import node

    access = {"url": Also("http://127.0.0.1:9", "text"), "token": Also("a", "text"), "timeout": 1.0}
    return {
        "node.Client": Call(node.Client, access),
        "node.AsyncClient": Call(node.AsyncClient, access),
        "node.Environment": Call(node.Environment, {"key": bytes(32), "random": lambda n: bytes(n)}),
        "node.bring": Call(
            node.bring, {"folder": Also(folder, "text"), "party": Also(None, "", only=True), "code": None}, slow=True
        ),
        "node.lend": Call(node.lend, {"folder": Also(folder, "text"), "parameters": b"a"}, slow=True),
        "node.renew": Call(node.renew, {"folder": Also(folder, "text"), "model": Also(None, "", only=True)}, slow=True),
        "node.settle": Call(
            node.settle,
            {"rounds": Also([], "items", only=True), "endpoint": Also(lambda method, given: None, "text"),
             "terms": None, "address": None, "account": None, "sign": None},
            slow=True,
        ),
    }  # fmt: skip


def of_parts(folder: Path) -> dict[str, Call]:
    """All of them, by package and name."""
    made = _theory() | {"theory.effective_corruption_of_run": _run_with_corruption()} | _adapters()
    return made | _ledgers(folder) | _models(folder) | _node(folder)
