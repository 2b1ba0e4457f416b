"""The report on consortia: accuracy against the iteration, per class, samples by verdict and sender, protection."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from folkmoot.multiparty.games.result import ConsortiumResult
from folkmoot.report.curves import plot_groups, plot_shares
from folkmoot.report.files import Told
from folkmoot.report.live import Curve, data, live
from folkmoot.report.page import (
    Bold,
    bullets,
    figure,
    fixed_style,
    page,
    paragraph,
    paragraphs,
    png_bytes,
    section,
    settings,
    svg_bytes,
    table,
)
from folkmoot.report.shared import (
    Rows,
    few_replicates,
    fields,
    in_words,
    on_intervals,
    percent_and_interval,
    provenance,
    same_or_each,
    summaries_csv,
)
from folkmoot.report.sweeps import Measure, are_many_games, plot_sweep
from folkmoot.report.words import NO_VALUE, PERCENT, joined, number, percent
from folkmoot.report.worlds import rows_of
from folkmoot.report.writing import notes as on_names
from folkmoot.simulation.result import student_interval

_ACCURACY = Measure(
    lambda result: (np.arange(result.iterations + 1), result.accuracy),
    "accuracy on test samples", "accuracy at the end", "iteration",
)  # fmt: skip
_SENDERS_SHOWN = 20  # one by one; of more, liars and the honest together
_GAMES_SHOWN = 4  # in the figure of classes
_BEFORE = "before calibration"
_REASONS = {
    "margin": "the models are right about it already (eq. 8)",
    "confidence": "too few are sure of its label (eq. 9)",
    "spread": "those who are do not agree (eq. 10)",
    "foreign": "its sender does not claim the class it gives as the label",
    "contradicted": "half or more of the models that know both classes prefer the other one",
    "duplicate": "it has moved the models before",
    "known already": "its sender has sent it before",
    "unusable": "a model's scores of it are not finite",
}


def contents(told: Told) -> dict[str, bytes]:
    """accuracy.png (150 dpi), accuracy.svg, summary.csv and report.html."""
    with fixed_style():
        drawing = _curves(in_words(told.results))
    return {
        "accuracy.svg": svg_bytes(drawing),
        "accuracy.png": png_bytes(drawing, dpi=150),
        "summary.csv": summaries_csv(told.results).encode(),
        "report.html": render(told, drawing).encode(),
    }


def terminal(results: Mapping[str, ConsortiumResult]) -> tuple[list[str], list[list[str]], list[str]]:
    """Accuracy before and after, and samples."""
    rows = []
    for name, result in results.items():
        told = result.summary()
        interval = f"{max(told['accuracy_low'], 0.0):.2%} to {min(told['accuracy_high'], 1.0):.2%}"
        shown = interval if result.replicates > 1 else "one replicate"
        samples = [_counted(told["accepted"]), _counted(told["refused"])]
        rows.append([name, f"{told['accuracy_before_mean']:.2%}", f"{told['accuracy_mean']:.2%}", shown, *samples])
    return ["consortium", "before", "after", "95 % interval", "samples taken", "refused"], rows, few_replicates(results)


def _counted(mean: float) -> str:
    """A mean number of samples: with a decimal, here as everywhere, where it is no whole one."""
    return number(mean, _places(mean))


def _places(means: Any) -> int:
    return 0 if (np.asarray(means) == np.round(means)).all() else 1


def render(told: Told, drawing: Figure | None = None) -> str:
    """The page, self-contained; `drawing` is its first figure, if it is drawn already."""
    results: Mapping[str, ConsortiumResult] = in_words(told.results)
    curves = {
        name: [Curve("accuracy on test samples", np.arange(result.iterations + 1), result.accuracy)]
        for name, result in results.items()
    }
    moved = live(data(curves, results, step="iteration"))
    parts = [
        paragraph(answer(results), "answer"),
        paragraphs(told.description),
        section("What was played", settings(same_or_each({name: _settings(r) for name, r in results.items()}))),
        section("Accuracy", *_accuracy(results, drawing)),
        moved.section,
        section("Class by class", *_classes(results)),
        section("Samples", *[_senders(name, result, n) for n, (name, result) in enumerate(results.items(), 2)]),
        section("Protection", _protection(results)),
        section("Notes", bullets([*told.notes, *_notes(results), *on_names(results)])),
        section("Provenance", *provenance(results)),
    ]
    return page(told.title, parts, moved)


def answer(results: Mapping[str, ConsortiumResult]) -> str:
    """What it came to, in a sentence for each of at most two."""
    finals = {name: float(result.accuracy[:, -1].mean()) for name, result in results.items()}
    best, worst = max(finals, key=lambda n: finals[n]), min(finals, key=lambda n: finals[n])
    said = [_gain(best, results[best])]
    if worst != best:
        said.append(_gain(worst, results[worst]))
    return " ".join(said)


def _gain(name: str, result: ConsortiumResult) -> str:
    before, after = result.accuracy[:, 0], result.accuracy[:, -1]
    mean, half = (float(x) for x in student_interval(after - before))
    sure = f" ± {number(100 * half, 1)}" if abs(mean) + half <= 1.0 else ""  # wider says nothing
    return (
        f"{name}: {percent(float(before.mean()))} of the test samples are told right before calibration, "
        f"{percent(float(after.mean()))} after ({'+' if mean >= 0 else ''}{number(100 * mean, 1)}{sure} points)."
    )


def liars(result: ConsortiumResult) -> list[int]:
    """Numbers of the parties that lie."""
    attack = result.configuration.get("attack")
    if not attack:
        return []
    chosen = attack.get("parties")
    return list(range(result.verdicts.shape[1])) if chosen is None else [int(i) for i in chosen]


def _settings(result: ConsortiumResult) -> Rows:
    told = result.configuration
    attack, wrong = told.get("attack"), liars(result)
    lying = "nobody"
    if attack:
        who = "all parties" if len(wrong) == result.verdicts.shape[1] else f"party {joined([str(i) for i in wrong])}"
        lying = f"{attack['type']} by {who}, {percent(attack['share'], 0)} of their messages"
    terms = {key: value for key, value in told["terms"].items() if key != "rules"}
    return [
        ("Method", "one-step HMR, a server that everybody trusts" if told["method"] == "one_step_hmr" else "BEMA"),
        ("Data", str(told["data"]["type"])),
        ("Parties", f"{result.verdicts.shape[1]:,}"),
        ("Classes of the parties", _division(told)),
        ("Samples of a party", f"at most {told['division']['samples']}" if told["division"]["samples"] else "all"),
        ("Models, in turn", "; ".join(_model(model) for model in told["models"])),
        ("Lying", lying),
        ("Join later", joined([f"party {i}" for i in told["regular"]]) or "nobody"),
        ("Predictor", str(told.get("predictor", "the paper's"))),
        ("Rules", str(told["terms"].get("rules", "hardened"))),
        ("Other terms that were set", fields(terms) or "none"),
        ("Calibration", f"{told['iterations']} iterations of at most {told['samples_per_iteration']} samples taken"),
        ("Replicates", f"{result.replicates:,}"),
        ("Seed", str(told["seed"])),
    ]


def _model(model: Mapping[str, Any]) -> str:
    more = fields(model)
    return f"{model['type']} ({more})" if more else str(model["type"])


def _division(told: Mapping[str, Any]) -> str:
    division = told["division"]
    if division["type"] == "Consecutive":
        return f"{division['classes']} in a row, party i from class i on"
    return "; ".join(",".join(str(c) for c in classes) for classes in told["classes"])


def _curves(results: Mapping[str, ConsortiumResult]) -> Figure:
    longest = max(results.values(), key=lambda result: result.iterations)
    equal = {name: result for name, result in results.items() if result.iterations == longest.iterations}
    if are_many_games(equal):
        return plot_sweep(rows_of(equal), _ACCURACY)
    steps = np.arange(longest.iterations + 1)
    return plot_shares(
        steps, {name: result.accuracy for name, result in equal.items()}, "iteration", "accuracy on test samples"
    )


def _accuracy(results: Mapping[str, ConsortiumResult], drawing: Figure | None = None) -> list[str]:
    if drawing is None:
        with fixed_style():
            drawing = _curves(results)
    lines = [
        [
            name,
            percent_and_interval(result.accuracy[:, 0]),
            percent_and_interval(result.accuracy[:, -1]),
            percent_and_interval(result.accuracy[:, -1] - result.accuracy[:, 0], least=-1.0),
            _counted(float(result.accepted.mean())),
            _counted(float(result.refused.mean())),
        ]
        for name, result in results.items()
    ]
    caption = (
        "Figure 1. Share of the test samples, which no party has, that the models together tell right, against the "
        f"iteration of calibration. Lines are means over replicates, bands their 95{PERCENT} Student intervals; the "
        "axis does not begin at 0."
    )
    header = ["Consortium", "Before", "After", "Gain, in points", "Samples taken", "Refused"]
    below = (
        f"Table 1. Accuracy with the half-width of its 95{PERCENT} interval, or with its ends where it is cut "
        "to what a share can be; samples in a replicate, means."
    )
    return [figure(drawing, caption, "Accuracy against the iteration."), table(below, header, lines)]


def _classes(results: Mapping[str, ConsortiumResult]) -> list[str]:
    shown = dict(list(results.items())[:_GAMES_SHOWN])
    first = next(iter(shown.values()))
    series = {_BEFORE: np.nan_to_num(first.per_class[:, 0])}
    for name, result in shown.items():
        if result.per_class.shape[2] == first.per_class.shape[2]:
            series[f"{name}, after"] = np.nan_to_num(result.per_class[:, -1])
    groups = [str(c) for c in range(first.per_class.shape[2])]
    with fixed_style():
        drawing = plot_groups(groups, series, "class", "accuracy on test samples\nof the class")
    before = "" if len(shown) == 1 else f" Before: of {next(iter(shown))}."
    what = "Accuracy on the test samples of each class, before and after calibration; the axis may begin above 0"
    caption = f"Figure 2. {what}.{before}"
    return [figure(drawing, caption, "Accuracy of each class before and after calibration.")]


def _senders(name: str, result: ConsortiumResult, n: int) -> str:
    """Mean numbers of samples in a replicate, by sender and verdict."""
    told, wrong = result.configuration, liars(result)
    mean = result.verdicts.mean(axis=0)
    places = _places(mean)
    verdicts, names = list(told["verdicts"]), list(told["parties"])
    lines = []
    if len(names) <= _SENDERS_SHOWN:
        for i, party in enumerate(names):
            label = f"{party}, lies" if i in wrong else party
            lines.append([Bold(label) if i in wrong else label, *(number(float(value), places) for value in mean[i])])
    else:
        honest = [i for i in range(len(names)) if i not in wrong]
        for label, group in ((f"{len(honest)} honest", honest), (f"{len(wrong)} lying", wrong)):
            if group:
                lines.append([label, *(number(float(value), places) for value in mean[group].sum(axis=0))])
    lines.append([Bold("all"), *(number(float(value), places) for value in mean.sum(axis=0))])
    which = f" in {name}" if name else ""
    caption = (
        f"Table {n}. What became of the samples{which}, by sender: accepted ones have moved models, the others were "
        "refused for the reason given. Means over replicates."
    )
    return table(caption, ["Sender", *verdicts], lines)


def _protection(results: Mapping[str, ConsortiumResult]) -> str:
    n_classes = max(result.per_class.shape[2] for result in results.values())
    lines = []
    for name, result in results.items():
        low, high = result.protection.min(axis=0), result.protection.max(axis=0)
        cells = [str(a) if a == b else f"{a} to {b}" for a, b in zip(low, high)]
        lines.append([name, *cells, *[NO_VALUE] * (n_classes - len(cells))])
    caption = (
        f"Table {2 + len(results)}. How many lying models the predictor tolerates among those that claim a class: "
        "none, if it is a mean; for a star or its centre 2 f < m < K (Theorem 2), where f lie, K of them are honest, "
        "and m scores are averaged."
    )
    return table(caption, ["Class", *map(str, range(n_classes))], lines)


def _notes(results: Mapping[str, ConsortiumResult]) -> list[str]:
    reasons = dict.fromkeys(r for result in results.values() for r in result.configuration["verdicts"] if r in _REASONS)
    said = [f"Refused for {reason}: {_REASONS[reason]}." for reason in reasons]
    said.append(on_intervals(results, "all of it: another division of the samples, other training, another game"))
    said += few_replicates(results)
    for name, result in results.items():
        for reasons in result.configuration.get("refusals", []):
            said += [f"{name}: {party} was not admitted ({reason})." for party, reason in reasons.items()]
    if any(result.iterations != next(iter(results.values())).iterations for result in results.values()):
        said.append("Figure 1 shows those of the largest number of iterations.")
    return list(dict.fromkeys(said))
