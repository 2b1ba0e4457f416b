"""What a miner does with a sample: eqs. 8-12 in order, each refusal with its own reason."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from folkmoot.multiparty.one_step_hmr import Server
from folkmoot.multiparty.predictors import Krum, Star
from folkmoot.multiparty.rules import calibration, validation
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.margin import claimants_of, stars
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.multiparty.rules.terms import Terms


class Spoken:
    """A model that says what it is told, and counts its steps."""

    kind = "spoken"

    def __init__(self, classes, says):
        self.classes, self.says, self.steps = tuple(classes), tuple(says), []

    def scores(self, x):
        return np.tile(np.array(self.says, np.float32), (len(x), 1))

    def step(self, x, column, sign, pace):
        self.steps.append((self.classes[column], sign))

    def settings(self):
        return ()

    def to_bytes(self):
        return b""

    def from_bytes(self, data):
        twin = Spoken(self.classes, self.says)
        twin.steps = list(self.steps)
        return twin


def _terms(**more):
    return Terms(3, (2,), **{"rules": "printed", "alpha": 1.0, **more})


def _sample(label, wrong, sender=0, name=b"a" * 32):
    return Sample(np.zeros((1, 2), np.float32), label, wrong, sender, name)


def _committee(says, terms, classes=(0, 1, 2)):
    return Committee([Spoken(classes, row) for row in says], terms)


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ([(0.7, 0.65, 0.0), (0.7, 0.6, 0.0)], validation.MARGIN),  # eq. 8: 0.7 - 0.625 > 0
        ([(0.55, 0.6, 0.0), (0.6, 0.8, 0.0)], validation.CONFIDENCE),  # eq. 9: 0.575 < 0.6
        ([(0.4, 0.9, 0.0), (0.9, 0.9, 0.0)], validation.SPREAD),  # eq. 10: |0.4 - 0.65| > 0.2
        ([(0.6, 0.9, 0.0), (0.7, 0.9, 0.0)], None),
        ([(0.65, 0.65, 0.0), (0.65, 0.65, 0.0)], None),  # rho = 0 is enough
    ],
)
def test_a_sample_is_refused_for_the_first_equation_it_fails(says, reason):
    assert _committee(says, _terms()).take(_sample(0, 1)).refused == reason


def test_the_models_below_the_star_of_y_are_enhanced_and_those_above_that_of_y_minus_impaired():
    """Eqs. 11, 12; the models at the star stay."""
    says = [(0.625, 0.9375, 0.1), (0.75, 0.75, 0.1), (0.6875, 0.84375, 0.1)]
    committee = _committee(says, _terms())
    assert committee.take(_sample(0, 1)) == (None, (0,))
    steps = [committee.fleet.model(i).steps for i in range(3)]
    assert steps == [[(0, 1), (1, -1)], [], []]


def test_only_models_that_claim_a_class_are_moved():
    models = [Spoken((0, 1), (0.7, 0.9)), Spoken((1, 2), (0.95, 0.0)), Spoken((0, 2), (0.65, 0.0))]
    committee = Committee(models, _terms())
    committee.take(_sample(0, 1))
    assert [committee.fleet.model(i).steps for i in range(3)] == [[], [(1, -1)], [(0, 1)]]


def test_a_copy_is_calibrated_on_its_own():
    committee = Committee([Spoken((0, 2), (0.7, 0.0)), Spoken((1, 2), (0.9, 0.0))], _terms(rules="hardened"))
    twin = committee.copy()
    assert twin.take(_sample(0, 1)).refused is None
    assert twin.take(_sample(0, 1)).refused == validation.DUPLICATE
    assert committee.take(_sample(0, 1)).refused is None


def test_one_step_hmr_moves_the_surest_two_and_refuses_nothing():
    server = Server([Spoken((0, 1), (0.1, 0.9)), Spoken((0, 1), (0.3, 0.7))], _terms())
    assert server.take(_sample(0, 1)) == (None, (0, 1))
    assert server.fleet.model(0).steps == [(1, -1)]
    assert server.fleet.model(1).steps == [(0, 1)]


def test_protection_is_what_theorem_2_stands():
    """2 f < m < K = |S| - f, per class: counted by hand for alpha = 0.75."""
    claims = {0: 10, 1: 4, 2: 1}  # class -> how many claim it
    models = [Spoken(tuple(c for c, n in claims.items() if i < n), [0.5] * sum(i < n for n in claims.values()))
              for i in range(10)]  # fmt: skip
    # |S| = 10: m = 7, f <= 3 by 2 f < 7, f < 3 by 7 < 10 - f: 2. |S| = 4: m = 3: 3 < 4 - f: 0. |S| = 1: 0.
    counts = Committee(models, _terms(alpha=0.75)).fleet.claims.sum(axis=0)
    assert Star(0.75).tolerated(counts).tolist() == Krum(0.75).tolerated(counts).tolist() == [2, 0, 0]


def test_calibration_moves_are_functions_of_scores_alone():
    scores = np.array([[[0.6, 0.9]], [[0.7, 0.9]], [[0.8, 0.2]]])
    claims = np.array([[True, True], [True, True], [True, False]])
    found = stars(scores, claimants_of(claims, 1.0))
    moves = calibration.moves(scores, claims, found, 0, 1)
    assert [(m.model, m.label, m.sign) for m in moves] == [(0, 0, 1)]  # 1 is at the star 0.7, both are at 0.9


@pytest.mark.parametrize(
    ("scores", "refused"),
    [
        ([(0.8, 0.1), (0.9, 0.05), (0.1, 0.8)], False),  # two of three who know both are for y
        ([(0.8, 0.1), (0.3, 0.6), (0.1, 0.8)], True),  # one of three
        ([(0.8, 0.1), (0.1, 0.8)], True),  # half is not enough
        ([(0.5, 0.5)], True),  # nor is a draw
    ],
)
def test_those_who_know_both_classes_can_contradict_a_sample(scores, refused):
    given = np.array(scores)[:, None, :]
    assert validation.contradicted(given, np.ones((len(scores), 2), bool), 0, 1) is refused


def test_where_nobody_knows_both_classes_nobody_contradicts():
    given = np.array([[[0.1, 0.0]], [[0.0, 0.9]]])
    assert not validation.contradicted(given, np.eye(2, dtype=bool), 0, 1)


def test_hardened_a_label_foreign_to_its_sender_is_refused():
    models = [Spoken((0, 2), (0.7, 0.0)), Spoken((1, 2), (0.9, 0.0))]
    assert Committee(models, _terms(rules="hardened")).take(_sample(0, 1, sender=1)).refused == validation.FOREIGN
    assert Committee(models, _terms()).take(_sample(0, 1, sender=1)).refused is None


def test_scores_that_are_not_finite_refuse_the_sample_under_any_rules():
    """NaN would pass every comparison of eqs. 8-10."""
    committee = _committee([(np.nan, 0.9, 0.0), (0.7, 0.8, 0.0)], _terms())
    for group in (committee, Server([Spoken((0, 1, 2), (np.inf, 0.9, 0.0))], _terms())):
        assert group.take(_sample(0, 1)).refused == validation.NOT_FINITE
        assert group.fleet.model(0).steps == []
