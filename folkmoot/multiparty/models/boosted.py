"""Trees of LightGBM and XGBoost, read from what these libraries write down themselves."""

import json
from typing import Any

import numpy as np

from folkmoot.multiparty.models.operations import Floats
from folkmoot.multiparty.models.program import Writer
from folkmoot.multiparty.models.tree_tables import Tree, joined


def from_raw(writer: Writer, raw: int) -> int:
    """Probabilities from sums of trees: one for two classes, else one for each."""
    names = ("logistic", "two") if writer.widths[raw] == 1 else ("softmax",)
    for name in names:
        raw = writer.add("function", [raw], name)
    return raw


def lightgbm(writer: Writer, source: int, estimator: Any) -> int:
    """The result of an `LGBMClassifier`.

    Raises:
        ValueError: another objective, or splits by category.
    """
    told = estimator.booster_.dump_model()
    objective = str(told.get("objective", "")).split()
    if not objective or objective[0] not in ("binary", "multiclass") or "sigmoid:1" not in [*objective, "sigmoid:1"]:
        raise ValueError(
            f"estimator LGBMClassifier: objective {' '.join(objective):.60}: expected binary or multiclass"
        )
    if objective[0] == "binary" and "sigmoid:1" not in objective:
        raise ValueError("estimator LGBMClassifier: expected sigmoid = 1")
    each = told["num_tree_per_iteration"]
    trees = [
        _nested(tree["tree_structure"], np.eye(each)[number % each]) for number, tree in enumerate(told["tree_info"])
    ]
    if told.get("average_output"):
        raise ValueError("estimator LGBMClassifier: boosting_type rf: expected gbdt, dart or goss")
    return from_raw(writer, writer.add("forest", [source], *joined(trees, np.zeros(each), single=False)))


def _nested(root: dict[str, Any], column: Floats) -> Tree:
    """A tree of LightGBM."""
    nodes: list[dict[str, Any]] = [root]
    children: list[tuple[int, int]] = []
    for node in nodes:  # grows while it is gone through
        if "split_feature" not in node:
            children.append((-1, -1))
            continue
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise ValueError("estimator LGBMClassifier: splits by category, or zero as missing: cannot be written down")
        children.append((len(nodes), len(nodes) + 1))
        nodes += [node["left_child"], node["right_child"]]
    thresholds = [float(node.get("threshold", 0.0)) for node in nodes]
    missing = [  # where nothing is missing by its settings, it is zero
        bool(node.get("default_left")) if node.get("missing_type") == "NaN" else threshold >= 0.0
        for node, threshold in zip(nodes, thresholds, strict=True)
    ]
    left, right = np.array(children).T
    values = np.array([float(node.get("leaf_value", 0.0)) for node in nodes])[:, None] * column
    return Tree([node.get("split_feature", 0) for node in nodes], thresholds, left, right, missing, values)


def xgboost(writer: Writer, source: int, estimator: Any) -> int:
    """The result of an `XGBClassifier`.

    Raises:
        ValueError: another objective or booster, or splits by category.
    """
    learner = json.loads(bytes(estimator.get_booster().save_raw("json")))["learner"]
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    if objective not in ("binary:logistic", "multi:softprob") or booster["name"] != "gbtree":
        raise ValueError(
            f"estimator XGBClassifier: {objective}, {booster['name']}: expected binary:logistic or multi:softprob, "
            "and gbtree"
        )
    model = booster["model"]
    each = max(1, int(learner["learner_model_param"]["num_class"]))
    score = np.array(json.loads(learner["learner_model_param"]["base_score"]), np.float64).reshape(-1)
    start = np.log(score / (1.0 - score)) if objective == "binary:logistic" else score
    trees = []
    for number, tree in zip(model["tree_info"], model["trees"], strict=True):
        if any(tree["split_type"]):
            raise ValueError("estimator XGBClassifier: splits by category: cannot be written down")
        # It asks for a value below the threshold, where others ask for one of at most that.
        told = np.array(tree["split_conditions"], np.float32)
        left = np.array(tree["left_children"])
        values = np.where(left < 0, told, 0.0).astype(np.float64)[:, None] * np.eye(each)[number]
        below = np.nextafter(told, np.float32(-np.inf))
        trees.append(
            Tree(tree["split_indices"], below, left, np.array(tree["right_children"]), tree["default_left"], values)
        )
    first = np.broadcast_to(start, each)
    return from_raw(writer, writer.add("forest", [source], *joined(trees, first, single=True)))
