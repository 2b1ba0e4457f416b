"""Legal calls of the methods of what learns together; consortia are copied for each call, so that all begin alike."""

import copy
import importlib.util
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from . import Also, Call, Heavy

# Called by the library with what it made itself: a user may write such a method, and calls none.
OF_THE_LIBRARY = {
    "alone", "batch", "features", "from_value", "lie", "lies", "looked_through", "mine", "moved_to", "recalled",
    "retrained", "reveal", "slope", "stack", "step", "voted", "with_layer",
}  # fmt: skip
TERMS = {"delta": 0.2, "sigma": 0.9, "omega": 1.0, "rules": "printed", "keys": "derived"}


def _fresh(consortium: Any, name: str) -> Callable[..., Any]:
    """A method of a copy of the consortium; what it changes is gone after the call."""

    @wraps(getattr(type(consortium), name))
    def call(*args: Any, **given: Any) -> Any:
        twin = copy.copy(consortium)
        for field in ("_parties", "_keys", "registrations", "_server"):
            if hasattr(twin, field):
                setattr(twin, field, copy.copy(getattr(twin, field)))
        return getattr(twin, name)(*args, **given)

    return call


def _fresh_learner(learner: Any, name: str) -> Callable[..., Any]:
    @wraps(getattr(type(learner), name))
    def call(*args: Any, **given: Any) -> Any:
        return getattr(copy.deepcopy(learner), name)(*args, **given)

    return call


def _set_predictor(consortium: Any) -> Callable[..., Any]:
    def call(predictor: Any = None) -> None:
        copy.copy(consortium).predictor = predictor

    return call


def party(n: int, name: str, **more: Any) -> Any:
    """One with a check set."""
    import made_voted

    from folkmoot.multiparty import Party

    x, y = made_voted.data(n, 24)
    return Party(name, made_voted.model(n), x, y, check=made_voted.data(n + 50, 12), **more)


def _of_consortia(folder: Path) -> dict[str, Call]:
    import made_voted

    from folkmoot import multiparty

    x, y = made_voted.data(5, 12)
    samples, labels, predictor = Also(x, "digits flags"), Also(y, "items"), Also("mean", "none")
    newcomer = party(3, "dan", kind="regular")
    members = [party(n, name) for n, name in enumerate(("ada", "bob", "cyd", "eva"))]
    here = multiparty.Consortium(members, **TERMS)
    voted = multiparty.Consortium(members, voted=True, **TERMS)
    kept = multiparty.Consortium(members, ledger=folder / "consortium.ledger", **TERMS)
    kept.predict_on_record(x, by="ada", reveal=True)
    kept.close()
    saved = here.save(folder / "consortium")
    server = multiparty.OneStepHMR(members, eta=0.01)
    shared = {
        "calibrate": {"iterations": Heavy(1), "samples_per_iteration": 4, "progress": False, "searches": Heavy(1)},
        "model": {"name": "bob"},
        "predict": {"x": samples, "predictor": predictor},
        "protection": {"x": samples, "predictor": predictor},
        "register": {"party": newcomer},
        "save": {"folder": Also(folder / "saved", "text")},
        "scores": {"x": samples, "predictor": predictor},
        "screening": {},
        "stacked": {"x": samples, "y": labels},
        "tempered": {"x": samples, "y": labels},
    }
    by = Also(["ada", "cyd", "eva"], "none", only=True)
    own: dict[str, tuple[Any, dict[str, Any]]] = {
        **{name: (here, values) for name, values in shared.items()},
        "calibrate": (here, {**shared["calibrate"], "gated": False}),
        "calibrate_in_rounds": (voted, {"rounds": Heavy(1), "wanted": 1, "most": 2}),
        "checkpoint": (here, {}),
        "close": (here, {}),
        "distances": (here, {"party": newcomer}),
        "exchange": (here, {"each": 1, "retraining": Also(multiparty.Retraining(steps=1), "none"),
                            "pool": Also(x, "digits flags none")}),
        "expel": (here, {"name": "bob", "reason": Also("a", "text"), "by": by}),
        "leave": (here, {"name": "bob"}),
        "predict_on_record": (here, {"x": samples, "by": "ada", "predictor": predictor, "reveal": False}),
        "predicted_alike": (kept, {"height": 1, "x": samples}),
        "prune": (here, {"ledger": Also(None, "", only=True)}),  # of one without a ledger
        "recorded": (kept, {}),
        "rewards": (here, {"sample": 1.0, "block": 1.0}),
        "rotate": (here, {"name": "bob", "key": Also(bytes(32), "none")}),
        "update": (here, {"party": party(2, "cyd")}),
    }  # fmt: skip
    made = {f"Consortium.{name}": Call(_fresh(one, name), values) for name, (one, values) in own.items()}
    shared["save"] = {"folder": Also(folder / "saved too", "text")}
    made |= {f"OneStepHMR.{name}": Call(_fresh(server, name), values) for name, values in shared.items()}
    for kind in (multiparty.Consortium, multiparty.OneStepHMR):
        place = saved if kind is multiparty.Consortium else server.save(folder / "server")
        made[f"{kind.__name__}.load"] = Call(kind.load, {"folder": Also(place, "text")})
    made["Consortium.predictor"] = Call(_set_predictor(here), {"predictor": predictor})
    made["Consortium.open"] = Call(
        multiparty.Consortium.open,
        {"ledger": Also(folder / "consortium.ledger", "text"), "parties": Also(members, "items empty", only=True),
         "seed": 0, "keys": Also("derived", "text path"), "clock": Also(lambda: 1, "none"), "predictor": predictor,
         "miners": Also((), "items array")},
        slow=True,
    )  # fmt: skip
    return made


def _of_models() -> dict[str, Call]:
    import made_voted

    x, y = made_voted.data(5, 12)
    samples = {"x": Also(x, "digits")}
    made = {}
    for name, model in _models(x, y).items():
        made[f"{name}.scores"] = Call(model.scores, samples)
        made[f"{name}.from_bytes"] = Call(model.from_bytes, {"data": model.to_bytes()})
    return made


def _models(x: Any, y: Any) -> dict[str, Any]:
    import made_voted
    from sklearn.tree import DecisionTreeClassifier

    from folkmoot import multiparty

    tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(x, y)
    classes = sorted({int(one) for one in y})
    found = {"SklearnModel": made_voted.model(1), "EstimatorModel": multiparty.EstimatorModel(tree, classes, x)}
    if importlib.util.find_spec("torch"):
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(0)
            found["TorchModel"] = multiparty.TorchModel(torch.nn.Linear(6, 3), [0, 1, 2])
    return found


def _of_learners() -> dict[str, Call]:
    import made_voted
    import torch
    from sklearn.linear_model import LogisticRegression

    from folkmoot import multiparty

    x, y = made_voted.data(5, 24)
    samples, labels, predictor = Also(x, "digits flags"), Also(y, "items"), Also("mean", "none")
    estimator = multiparty.EstimatorLearner(LogisticRegression(), [0, 1, 2])
    estimator.retrain(x, y)
    network = multiparty.NetworkLearner(torch.nn.Linear(6, 3), [0, 1, 2])
    made = {}
    for learner in (estimator, network):
        name = type(learner).__name__
        made[f"{name}.scores"] = Call(_fresh_learner(learner, "scores"), {"x": samples})
        made[f"{name}.retrain"] = Call(_fresh_learner(learner, "retrain"), {"x": samples, "y": labels})
    server = multiparty.HMR([estimator, network], [(x, y), (x, y)])
    for name, values in {
        "calibrate": {"budget": Heavy(1), "draws": Heavy(9), "bogus": 0.0},
        "train_alone": {"epochs": Also([1, 0], "array", only=True)},
        "scores": {"x": samples},
        "predict": {"x": samples, "predictor": predictor},
    }.items():
        made[f"HMR.{name}"] = Call(_fresh_learner(server, name), values)
    return made


def methods(folder: Path) -> dict[str, Call]:
    """By the name behind `folkmoot.multiparty.`; some need scikit-learn and PyTorch."""
    made = _of_consortia(folder)
    if importlib.util.find_spec("sklearn"):
        made |= _of_models()
        if importlib.util.find_spec("torch"):
            made |= _of_learners()
    return made
