"""Fitted estimators of scikit-learn (and of the gradient boosting libraries) as programs.

What comes out is never believed for its own sake: `EstimatorModel` compares it with the estimator's `predict_proba`.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from folkmoot.multiparty.models import boosted
from folkmoot.multiparty.models.program import Writer
from folkmoot.multiparty.models.tree_tables import Tree, joined

Export = Callable[[Writer, int, Any], int]  # of (writer, source, estimator): the number of the result


class Unknown(ValueError):
    """An estimator, or a setting of one, that this cannot write down."""


def unknown(estimator: Any, what: str = "") -> Unknown:
    """Says which estimator is meant, and what can be done."""
    return Unknown(
        f"estimator {type(estimator).__name__}{': ' if what else ''}{what}: cannot be written down; expected one of "
        f"{', '.join(sorted(PROBABILITIES))}, or a pipeline of {', '.join(sorted(TRANSFORMERS))} that ends in one; "
        "bring any other with register_model_kind"
    )


def probabilities(writer: Writer, source: int, estimator: Any) -> int:
    """The result that has `predict_proba`, its columns in the order of `classes_`.

    Raises:
        Unknown: there is none.
        Malformed: arrays that make no sense.
    """
    export = PROBABILITIES.get(type(estimator).__name__)
    if export is None:
        raise unknown(estimator)
    return export(writer, source, estimator)


def _float(value: Any) -> Any:
    return np.ascontiguousarray(value, np.float64)


def _whole(value: Any) -> Any:
    return np.ascontiguousarray(value, np.uint32)


def _function(writer: Writer, source: int, *names: str) -> int:
    for name in names:
        source = writer.add("function", [source], name)
    return source


def _linear(writer: Writer, source: int, weights: Any, intercepts: Any) -> int:
    weights = _float(weights)
    return writer.add("linear", [source], weights, _float(np.broadcast_to(intercepts, len(weights))))


def _mean(writer: Writer, sources: list[int], weights: Any = None) -> int:
    shares = np.ones(len(sources)) if weights is None else _float(weights)
    return writer.add("sum", sources, shares / shares.sum())


# --- Pipelines and transformers ---------------------------------------------------------------------------------------


def transformed(writer: Writer, source: int, transformer: Any) -> int:
    """The result of a transformer.

    Raises:
        Unknown: it cannot be written down.
    """
    if transformer is None or transformer == "passthrough":
        return source
    name = type(transformer).__name__
    if name in TRANSFORMERS:
        return TRANSFORMERS[name](writer, source, transformer)
    if hasattr(transformer, "get_support"):
        return writer.add("columns", [source], _whole(np.flatnonzero(transformer.get_support())))
    raise unknown(transformer)


def _pipeline(writer: Writer, source: int, pipeline: Any) -> int:
    for _, step in pipeline.steps[:-1]:
        source = transformed(writer, source, step)
    return probabilities(writer, source, pipeline.steps[-1][1])


def _transforming_pipeline(writer: Writer, source: int, pipeline: Any) -> int:
    for _, step in pipeline.steps:
        source = transformed(writer, source, step)
    return source


def _scaled(minus: str, over: str) -> Export:
    def export(writer: Writer, source: int, t: Any) -> int:
        width = writer.widths[source]
        shift, scale = getattr(t, minus, None), getattr(t, over, None)
        shift = np.zeros(width) if shift is None or not getattr(t, "with_mean", True) else shift
        return writer.add("scaled", [source], _float(shift), _float(np.ones(width) if scale is None else scale))

    return export


def _min_max(writer: Writer, source: int, t: Any) -> int:
    if t.clip:
        raise unknown(t, "clip")
    return writer.add("scaled", [source], _float(-t.min_ / t.scale_), _float(1.0 / t.scale_))


def _normalizer(writer: Writer, source: int, t: Any) -> int:
    return _function(writer, source, {"l1": "l1", "l2": "l2", "max": "largest"}[t.norm])


def _imputer(writer: Writer, source: int, t: Any) -> int:
    marker = t.missing_values
    if not (isinstance(marker, int | float) and np.isfinite(t.statistics_).all()):
        raise unknown(t, f"missing_values = {marker!r:.40}, or a column without any value")
    given = source
    if not math.isnan(marker):
        given = writer.add("marked", [source], _float([marker]))
    found = writer.add("filled", [given], _float(t.statistics_))
    if t.indicator_ is None or not len(t.indicator_.features_):
        return found
    return writer.add("beside", [found, writer.add("missing", [given], _whole(t.indicator_.features_))])


def _pca(writer: Writer, source: int, t: Any) -> int:
    shift = np.zeros(writer.widths[source]) if getattr(t, "mean_", None) is None else t.mean_
    source = writer.add("scaled", [source], _float(shift), np.ones(len(shift)))
    scale = np.sqrt(t.explained_variance_)[:, None] if getattr(t, "whiten", False) else 1.0
    return _linear(writer, source, t.components_ / scale, 0.0)


def _one_hot(writer: Writer, source: int, t: Any) -> int:
    columns, values = [], []
    for column, known in enumerate(t.categories_):
        if not np.issubdtype(known.dtype, np.number) or np.isnan(known).any():
            raise unknown(t, "categories that are no numbers")
        dropped = None if t.drop_idx_ is None else t.drop_idx_[column]
        for number, value in enumerate(known):
            if number != dropped:
                columns.append(column)
                values.append(value)
    if getattr(t, "infrequent_categories_", None) is not None and any(c is not None for c in t.infrequent_categories_):
        raise unknown(t, "infrequent categories")
    return writer.add("same", [source], _whole(columns), _float(values))


def _by_column(writer: Writer, source: int, t: Any) -> int:
    parts = []
    for name, transformer, _ in t.transformers_:
        places = t._transformer_to_input_indices[name]
        if len(places) and transformer != "drop":
            parts.append(transformed(writer, writer.add("columns", [source], _whole(places)), transformer))
    return writer.add("beside", parts)


def _unchanged(writer: Writer, source: int, t: Any) -> int:
    """What scikit-learn makes of "passthrough"; it has no function of its own."""
    if t.func is not None:
        raise unknown(t, "a function of one's own")
    return source


def _union(writer: Writer, source: int, t: Any) -> int:
    if t.transformer_weights:
        raise unknown(t, "transformer_weights")
    return writer.add("beside", [transformed(writer, source, one) for _, one in t.transformer_list if one != "drop"])


TRANSFORMERS: dict[str, Export] = {
    "ColumnTransformer": _by_column,
    "FeatureUnion": _union,
    "FunctionTransformer": _unchanged,
    "MaxAbsScaler": _scaled("", "scale_"),
    "MinMaxScaler": _min_max,
    "Normalizer": _normalizer,
    "OneHotEncoder": _one_hot,
    "PCA": _pca,
    "Pipeline": _transforming_pipeline,
    "RobustScaler": _scaled("center_", "scale_"),
    "SimpleImputer": _imputer,
    "StandardScaler": _scaled("mean_", "scale_"),
    "TruncatedSVD": _pca,
}


# --- Trees ------------------------------------------------------------------------------------------------------------


def _tree(tree: Any, values: Any) -> Tree:
    """One of scikit-learn's; `values` [nodes, outputs]."""
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))
    return Tree(tree.feature, tree.threshold, tree.children_left, tree.children_right, missing, values)


def _shares_of(tree: Any) -> Any:
    counts = tree.value[:, 0, :]
    return counts / counts.sum(axis=1, keepdims=True)


def _forest(writer: Writer, source: int, estimator: Any) -> int:
    members = getattr(estimator, "estimators_", None) or [estimator]
    if getattr(estimator, "n_outputs_", 1) != 1:
        raise unknown(estimator, "several outputs")
    trees = [_tree(one.tree_, _shares_of(one.tree_) / len(members)) for one in members]
    return writer.add("forest", [source], *joined(trees, np.zeros(len(estimator.classes_)), single=True))


def _boosting(writer: Writer, source: int, estimator: Any) -> int:
    outputs = estimator.estimators_.shape[1]
    if type(estimator.init_).__name__ != "DummyClassifier" and estimator.init_ != "zero":
        raise unknown(estimator, "an initial estimator")
    start = _float(estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32)))[0]
    trees = [
        _tree(one.tree_, estimator.learning_rate * np.eye(outputs)[k] * one.tree_.value[:, 0, :])
        for row in estimator.estimators_
        for k, one in enumerate(row)
    ]
    raw = writer.add("forest", [source], *joined(trees, start, single=True))
    if estimator.loss == "exponential":
        raw = writer.add("scaled", [raw], np.zeros(1), np.full(1, 0.5))
    return boosted.from_raw(writer, raw)


def _histograms(writer: Writer, source: int, estimator: Any) -> int:
    categorical = getattr(estimator, "is_categorical_", None)
    if categorical is not None and np.any(categorical):
        raise unknown(estimator, "categorical features")
    start = _float(estimator._baseline_prediction).reshape(-1)
    trees = []
    for row in estimator._predictors:
        for k, one in enumerate(row):
            nodes, leaf = one.nodes, one.nodes["is_leaf"].astype(np.bool_)
            left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
            values = nodes["value"][:, None] * np.eye(len(start))[k]
            trees.append(
                Tree(nodes["feature_idx"], nodes["num_threshold"], left, right, nodes["missing_go_to_left"], values)
            )
    return boosted.from_raw(writer, writer.add("forest", [source], *joined(trees, start, single=False)))


def _adaptive(writer: Writer, source: int, estimator: Any) -> int:
    classes, weights = len(estimator.classes_), estimator.estimator_weights_[: len(estimator.estimators_)]
    votes = []
    for one in estimator.estimators_:
        if len(one.classes_) != classes:
            raise unknown(estimator, "a member that did not see all classes")
        chosen = _function(writer, probabilities(writer, source, one), "first largest")
        votes.append(_linear(writer, chosen, np.eye(classes) * classes / (classes - 1), -1.0 / (classes - 1)))
    found = _mean(writer, votes, weights)
    if classes > 2:
        return _function(writer, writer.add("scaled", [found], np.zeros(classes), np.full(classes, classes - 1.0)),
                         "softmax")  # fmt: skip
    return _function(writer, found, "softmax")


# --- Several estimators -----------------------------------------------------------------------------------------------


def _placed(writer: Writer, result: int, own: Any, classes: Any) -> int:
    """Columns of some classes among those of all."""
    if len(own) == len(classes):
        return result
    return _linear(writer, result, np.equal.outer(np.asarray(classes), np.asarray(own)).astype(np.float64), 0.0)


def _bagging(writer: Writer, source: int, estimator: Any) -> int:
    found = []
    for one, columns in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        chosen = writer.add("columns", [source], _whole(columns))
        own = probabilities(writer, chosen, one)
        found.append(_placed(writer, own, one.classes_, np.arange(len(estimator.classes_))))
    return _mean(writer, found)


def _voting(writer: Writer, source: int, estimator: Any) -> int:
    if estimator.voting != "soft":
        raise unknown(estimator, 'voting other than "soft"')
    weights = estimator._weights_not_none
    return _mean(writer, [probabilities(writer, source, one) for one in estimator.estimators_], weights)


def _stacking(writer: Writer, source: int, estimator: Any) -> int:
    parts = []
    for one, method in zip(estimator.estimators_, estimator.stack_method_, strict=True):
        if method != "predict_proba":
            raise unknown(estimator, f"stack_method {method}")
        own = probabilities(writer, source, one)
        parts.append(writer.add("columns", [own], _whole([1])) if writer.widths[own] == 2 else own)
    parts += [source] if estimator.passthrough else []
    return probabilities(writer, writer.add("beside", parts), estimator.final_estimator_)


def _calibrated(writer: Writer, source: int, estimator: Any) -> int:
    found = []
    for one in estimator.calibrated_classifiers_:
        if one.method != "sigmoid":
            raise unknown(estimator, f"method {one.method}")
        own = _decided(writer, source, one.estimator)
        slopes, offsets = (np.array([getattr(c, name) for c in one.calibrators]) for name in ("a_", "b_"))
        if len(slopes) == 1 and writer.widths[own] == 2:
            own = writer.add("columns", [own], _whole([1]))
        shares = _function(writer, _linear(writer, own, -np.diag(slopes), -offsets), "logistic")
        found.append(_function(writer, shares, "two" if len(slopes) == 1 else "shares"))
    return _mean(writer, found)


def _decided(writer: Writer, source: int, estimator: Any) -> int:
    """What a calibration looks at: `decision_function` of a linear one, else `predict_proba`."""
    if hasattr(estimator, "coef_") and hasattr(estimator, "decision_function"):
        return _linear(writer, source, estimator.coef_, estimator.intercept_)
    if type(estimator).__name__ == "Pipeline":
        for _, step in estimator.steps[:-1]:
            source = transformed(writer, source, step)
        return _decided(writer, source, estimator.steps[-1][1])
    if hasattr(estimator, "decision_function"):
        raise unknown(estimator, "calibrated")
    return probabilities(writer, source, estimator)


# --- Others -----------------------------------------------------------------------------------------------------------


def _logistic(writer: Writer, source: int, estimator: Any) -> int:
    raw = _linear(writer, source, estimator.coef_, estimator.intercept_)
    if writer.widths[raw] == 1:
        return _function(writer, raw, "logistic", "two")
    if getattr(estimator, "solver", "") == "liblinear" or type(estimator).__name__ == "SGDClassifier":
        return _function(writer, raw, "logistic", "shares")
    return _function(writer, raw, "softmax")


def _network(writer: Writer, source: int, estimator: Any) -> int:
    hidden = {"relu": ("relu",), "tanh": ("tanh",), "logistic": ("logistic",), "identity": ()}[estimator.activation]
    last = len(estimator.coefs_) - 1
    for layer, (weights, intercepts) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        source = _linear(writer, source, weights.T, intercepts)
        source = _function(writer, source, *hidden) if layer < last else source
    return _function(writer, source, *(("logistic", "two") if writer.widths[source] == 1 else ("softmax",)))


def _gaussian(writer: Writer, source: int, estimator: Any) -> int:
    with np.errstate(divide="ignore"):
        prior = np.maximum(np.log(estimator.class_prior_), -1e300)
    constants = prior - 0.5 * np.log(2.0 * np.pi * estimator.var_).sum(axis=1)
    found = writer.add("quadratic", [source], _float(estimator.theta_), _float(1.0 / estimator.var_), _float(constants))
    return _function(writer, found, "softmax")


def _neighbours(writer: Writer, source: int, estimator: Any) -> int:
    power = {"euclidean": 2.0, "manhattan": 1.0}.get(estimator.effective_metric_, 0.0)
    if not power or estimator.weights not in ("uniform", "distance") or estimator.outputs_2d_:
        raise unknown(estimator, f"metric {estimator.effective_metric_}, weights {estimator.weights!r:.40}")
    own = np.eye(len(estimator.classes_))[estimator._y]
    return writer.add("nearest", [source], _float(estimator._fit_X), own, int(estimator.n_neighbors), power,
                      estimator.weights == "distance")  # fmt: skip


PROBABILITIES: dict[str, Export] = {
    "AdaBoostClassifier": _adaptive,
    "BaggingClassifier": _bagging,
    "CalibratedClassifierCV": _calibrated,
    "DecisionTreeClassifier": _forest,
    "ExtraTreeClassifier": _forest,
    "ExtraTreesClassifier": _forest,
    "GaussianNB": _gaussian,
    "GradientBoostingClassifier": _boosting,
    "HistGradientBoostingClassifier": _histograms,
    "KNeighborsClassifier": _neighbours,
    "LGBMClassifier": boosted.lightgbm,
    "LinearDiscriminantAnalysis": _logistic,
    "LogisticRegression": _logistic,
    "LogisticRegressionCV": _logistic,
    "MLPClassifier": _network,
    "Pipeline": _pipeline,
    "RandomForestClassifier": _forest,
    "SGDClassifier": _logistic,
    "StackingClassifier": _stacking,
    "VotingClassifier": _voting,
    "XGBClassifier": boosted.xgboost,
}
