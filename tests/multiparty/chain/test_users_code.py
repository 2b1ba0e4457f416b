"""A kind of model that a user entered raises what it likes; whoever judges it goes on."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_voted import TERMS, model, public

from folkmoot.encoding import Malformed
from folkmoot.ledger.contents import MemoryContents
from folkmoot.multiparty.chain.entries import UnusableModel, entry, load
from folkmoot.multiparty.chain.standing import calibrated
from folkmoot.multiparty.models.kinds import register_model_kind
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.multiparty.rules.terms import Terms

SHAPE = (6,)


class Brittle:
    """Its bytes say where it breaks."""

    kind, classes = "brittle", (0, 1, 2)

    def __init__(self, where):
        self.where = where

    def settings(self):
        return ()

    def to_bytes(self):
        return self.where

    def from_bytes(self, data):
        if data == b"bytes":
            raise KeyError("weights\nand more")
        return Brittle(data)

    def scores(self, x):
        if self.where == b"scores" or (self.where == b"later" and x.any()):
            raise ZeroDivisionError("a sample of length 0")
        return np.full((len(x), 3), [0.9, 0.1, 0.0], np.float32)

    def step(self, x, column, sign, pace):
        if self.where == b"step":
            raise IndexError(column)


register_model_kind("brittle", lambda kind, classes, settings: Brittle(b""))


def test_a_name_that_could_never_be_looked_up_is_refused_at_once():
    """A kind is looked up by what stands before the "/"."""
    with pytest.raises(ValueError, match="model kind 'brittle/2': expected a name without /"):
        register_model_kind("brittle/2", lambda kind, classes, settings: Brittle(b""))


def loaded(where):
    contents = MemoryContents()
    return load(entry("eve", public(9), Brittle(where), contents), Terms(3, SHAPE), contents)


def test_one_that_works_is_loaded():
    assert loaded(b"good").where == b"good"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (b"bytes", r"model of eve of kind brittle: KeyError: .*weights"),
        (b"scores", r"model of eve: no scores for samples of shape \(6,\): ZeroDivisionError: a sample of length 0"),
    ],
)
def test_whatever_it_raises_it_is_an_unusable_model(where, said):
    with pytest.raises(UnusableModel, match=said) as caught:
        loaded(where)
    assert str(caught.value).isprintable()


def test_ours_are_not_hidden(monkeypatch):
    """A mistake of this package surfaces: nobody is refused for it."""
    contents = MemoryContents()
    asked = entry("eve", public(9), model(0), contents)
    monkeypatch.setattr("folkmoot.multiparty.models.linear_model.SklearnModel.scores", lambda self, x: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        load(asked, Terms(3, SHAPE), contents)


def sample(label):
    return Sample(np.ones((1, *SHAPE), np.float32), label, 0 if label else 1, 0, bytes(32))


def test_a_sample_for_which_it_has_no_scores_moves_nothing():
    committee = Committee([model(0), Brittle(b"later")], Terms(3, SHAPE, **TERMS))
    found = calibrated(committee, [sample(1)])
    assert found.moved == ()
    assert found.verdicts[0] != ""


def test_a_sample_by_which_it_cannot_be_moved_is_the_fault_of_its_sender():
    terms = {**TERMS, "delta": 0.0, "sigma": 1.0}
    committee = Committee([model(0), model(1), Brittle(b"step")], Terms(3, SHAPE, **terms))
    noise = np.random.default_rng(1).normal(size=(40, 1, *SHAPE)).astype(np.float32)
    with pytest.raises(Malformed, match="model 2 cannot be moved by this sample: IndexError"):
        [calibrated(committee, [sample(1)._replace(x=x)]) for x in noise]
