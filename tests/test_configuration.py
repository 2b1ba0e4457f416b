"""Configuration classes: one line for what is wrong, from Python; pydantic's own errors for experiment files."""

import inspect
import pickle
from typing import Literal

import numpy as np
import pytest
from pydantic import Field, ValidationError, model_validator

import folkmoot as fm
from folkmoot.configuration import Configuration, lines, shown


class Sample(Configuration):
    """Of every kind of field."""

    number: float = Field(0.5, gt=0, lt=1)
    count: int = Field(1, ge=1)
    either: int | Literal["all", "none"] = "all"
    labels: tuple[int, ...] | None = None
    exact: bool = False

    @model_validator(mode="after")
    def _fit_together(self):
        if self.count == 13:
            raise ValueError("count = 13: brings bad luck; expected another number")
        return self


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"number": 2}, "number = 2: expected less than 1"),
        ({"number": 0.0}, "number = 0.0: expected more than 0"),
        ({"number": "0.5"}, "number = '0.5': expected a number"),
        ({"number": None}, "number = None: expected a number"),
        ({"count": 0}, "count = 0: expected at least 1"),
        ({"count": 1.5}, "count = 1.5: expected a whole number"),
        ({"count": 1.0}, "count = 1.0: expected a whole number"),
        ({"count": True}, "count = true: expected a whole number"),
        ({"either": "some"}, "either = 'some': expected a whole number, or 'all' or 'none'"),
        ({"labels": (0, "a")}, "labels[1] = 'a': expected a whole number"),
        ({"labels": 3}, "labels = 3: expected a list"),
        ({"exact": 1}, "exact = 1: expected true or false"),
        ({"count": 13}, "count = 13: brings bad luck; expected another number"),
        ({"conut": 1}, "field 'conut': unknown; did you mean 'count'? allowed are number, count, "),
        ({"number": 2, "count": 0}, "number = 2: expected less than 1 (and 1 more: count)"),
    ],
)
def test_what_is_wrong_stands_in_one_line(given, message):
    with pytest.raises(ValueError, match=r"^[^\n]+\Z") as caught:
        Sample(**given)
    assert str(caught.value).startswith(f"Sample: {message}")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_what_is_right_is_taken():
    sample = Sample(number=0.25, either=3, labels=(1, 2))
    assert (sample.number, sample.count, sample.either, sample.labels) == (0.25, 1, 3, (1, 2))
    with pytest.raises(ValueError, match=r"^Sample: count cannot be set: "):
        sample.count = 2


def test_a_missing_field():
    with pytest.raises(ValueError, match=r"^Suppress: budget: missing; expected a number, at least 0$"):
        fm.Suppress()


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: fm.GSE(delta=2), "GSE: delta = 2: expected less than 1"),
        (lambda: fm.GSE(link_probability="p"), "GSE: link_probability = 'p': expected a number, or 'estimate'"),
        (lambda: fm.UCB(exploration=-1.0), "UCB: exploration = -1.0: expected more than 0"),
        (lambda: fm.UCBSBM(rule=1, n_clusters=2), "UCBSBM: rule = 1 knows no clusters: expected clusters and "),
        (lambda: fm.Suppress(budget=-1), "Suppress: budget = -1: expected at least 0"),
    ],
)
def test_algorithms_and_adversaries_speak_alike(made, message):
    with pytest.raises(ValueError, match=r"^[^\n]+\Z") as caught:
        made()
    assert str(caught.value).startswith(message)


def test_from_json_the_place_is_kept_for_whoever_knows_the_file():
    """Lists become tuples there, and the error is pydantic's, field by field."""
    assert Sample.model_validate_json('{"labels": [1, 2]}').labels == (1, 2)
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate_json('{"number": 2, "labels": [1, "b"], "either": "some"}')
    said = lines(caught.value, {"number": 2, "labels": [1, "b"], "either": "some"}, ("sample", 0))
    assert said == [
        "sample[0].number = 2: expected less than 1",
        "sample[0].either = 'some': expected a whole number, or 'all' or 'none'",
        "sample[0].labels[1] = 'b': expected a whole number",
    ]


def test_signatures_name_the_fields():
    assert list(inspect.signature(Sample).parameters) == ["number", "count", "either", "labels", "exact"]


def test_copies_and_pickles_are_equal():
    """Workers of a cluster get them pickled."""
    sample = Sample(number=0.25, labels=(1, 2))
    assert pickle.loads(pickle.dumps(sample)) == sample
    assert sample.model_copy(update={"count": 2}).labels == (1, 2)


def test_a_value_is_shown_on_one_line_and_cut():
    assert shown("a\nb") == "'a\\nb'"
    assert shown(True) == "true"
    assert len(shown("x" * 200)) == 60
    assert "\n" not in shown(np.zeros((3, 3)))


@pytest.mark.parametrize("name", ["exploration", "label", "another"])
def test_a_configuration_is_not_changed_in_place(name):
    law, says = fm.UCB(), rf"^UCB: {name} cannot be set: .*; use model_copy\(update=\{{'{name}': \.\.\.\}}\)$"
    with pytest.raises(ValueError, match=says):
        setattr(law, name, 3)
    with pytest.raises(ValueError, match=says.replace("set:", "deleted:")):
        delattr(law, name)
    assert law == fm.UCB()


def test_what_is_worked_out_of_fields_is_not_set_either():
    rewards = fm.VectorBernoulli([[0.1, 0.2]], fm.Chebyshev(), n_agents=2)
    with pytest.raises(ValueError, match=r"^VectorBernoulli: means cannot be set: "):
        rewards.means = np.zeros((2, 1))
