"""Predictors by name: what each says of hand-made scores, who speaks, and that the order of the models is no matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.errors import DamagedFile
from folkmoot.multiparty import predictors as ps
from folkmoot.multiparty import written_predictors as written
from folkmoot.multiparty.rules.margin import speaking

ORDERLESS = (ps.Mean(), ps.Median(), ps.Star(), ps.Max())  # all but the paper's centre


@st.composite
def crowds(draw):
    n, b, c = draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(2, 4))
    grid = st.sampled_from([0.0, 0.25, 0.5, 1.0, np.nan, np.inf, -0.1, 1.1]) | st.floats(0, 1, width=32)
    scores = np.array(draw(st.lists(grid, min_size=n * b * c, max_size=n * b * c)), np.float32).reshape(n, b, c)
    claims = np.array(draw(st.lists(st.booleans(), min_size=n * c, max_size=n * c))).reshape(n, c)
    return np.where(claims[:, None], scores, np.float32(0.0)), claims, draw(st.permutations(range(n)))


@settings(max_examples=60, deadline=None)
@given(crowds())
def test_no_predictor_depends_on_the_order_of_the_models(crowd):
    scores, claims, order = crowd
    for predictor in ORDERLESS:
        one, other = (predictor.joint(s, c) for s, c in ((scores, claims), (scores[order], claims[order])))
        np.testing.assert_array_equal(one, other, err_msg=predictor.name)


@settings(max_examples=60, deadline=None)
@given(crowds())
def test_who_does_not_speak_for_a_sample_is_as_if_it_were_not_there(crowd):
    """Row 2: scores and predictions agree, and a NaN changes nothing that others say."""
    scores, claims, _ = crowd
    speaks = speaking(scores, claims)
    for predictor in (*ORDERLESS, ps.Krum()):
        together, told = predictor.joint(scores, claims), predictor.predict(scores, claims)
        for b in range(scores.shape[1]):
            there = speaks[:, b]
            alone = predictor.joint(scores[there, b : b + 1], claims[there]) if there.any() else None
            if alone is None or not claims[there].any():
                assert told[b] == ps.NOBODY
                assert (predictor.class_scores(scores, claims)[b] == 0.0).all()
            else:
                np.testing.assert_array_equal(together[b], alone[0])
                assert told[b] == np.where(np.isfinite(together[b]), together[b], -1.0).argmax()


def test_scores_a_hair_above_1_are_rounding_and_others_are_none():
    scores = np.array([[[1.0 + 5e-7, 0.0]], [[1.1, 0.0]], [[np.nan, 0.0]], [[0.5, -0.1]], [[0.5, 9.0]]])
    claims = np.array([[True, True]] * 4 + [[True, False]])  # the last one's 9 is of a class it does not claim
    assert speaking(scores, claims)[:, 0].tolist() == [True, False, False, False, True]


def test_by_hand():
    """Five models of class 0, two of class 1, one of class 2."""
    first, second = [0.1, 0.5, 0.6, 0.7, 0.9], [0.2, 0.6]
    scores = np.zeros((5, 1, 4))
    scores[:, 0, 0], scores[:2, 0, 1], scores[0, 0, 2] = first, second, 0.3
    claims = np.zeros((5, 4), bool)
    claims[:, 0], claims[:2, 1], claims[0, 2] = True, True, True
    wanted = {
        ps.Mean(): (0.56, 0.4, 0.3),
        ps.Median(): (0.6, 0.4, 0.3),
        ps.Star(0.6): (0.6, 0.4, 0.3),  # centre 0.6, with 0.5 and 0.7; of two, both
        ps.Krum(0.6): (0.6, 0.2, 0.3),  # of two, the first: the paper's
        ps.Max(): (0.9, 0.6, 0.3),
        ps.Screened((False, True, True, True, True)): (0.675, 0.6, 0.3),  # none kept of class 2: all speak
    }
    for predictor, numbers in wanted.items():
        np.testing.assert_allclose(predictor.joint(scores, claims)[0, :3], numbers, rtol=1e-12, err_msg=predictor.name)
        assert predictor.joint(scores, claims)[0, 3] == -np.inf


@pytest.mark.parametrize("owners", [2, 3])
def test_row_3_two_or_three_owners_of_a_class_are_heard_alike(owners):
    """The lower-numbered one decided alone; the paper's centre, kept for reproduction, still does so."""
    say = np.array([[0.9, 0.1], [0.2, 0.8], [0.25, 0.75]])[:owners, None]
    claims = np.ones((owners, 2), bool)
    for predictor in ORDERLESS:
        assert predictor.predict(say, claims)[0] == predictor.predict(say[::-1], claims)[0]
    krum = [ps.Krum(0.34).predict(one, claims)[0] for one in (say, say[::-1])]
    assert krum == [0, 1]


def test_what_is_tolerated():
    counts = np.array([0, 1, 2, 3, 4, 5, 10])
    assert ps.Mean().tolerated(counts).tolist() == ps.Max().tolerated(counts).tolist() == [0] * 7
    assert ps.Median().tolerated(counts).tolist() == [0, 0, 0, 1, 1, 2, 4]
    assert ps.Star(0.75).tolerated(counts).tolist() == [0, 0, 0, 0, 0, 1, 2]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.lists(st.floats(0, 1), max_size=5))
def test_as_many_liars_as_the_median_tolerates_leave_it_within_the_honest_scores(honest, lies):
    if len(lies) > ps.Median().tolerated(np.array([len(honest) + len(lies)]))[0]:
        return
    scores = np.array([*lies, *honest])[:, None, None]
    found = ps.Median().joint(scores, np.ones((len(scores), 1), bool))[0, 0]
    assert min(honest) <= found <= max(honest)


def _made(seed=0, samples=300):
    """Three models of three classes; the second is far too sure and often wrong, the third knows two classes."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, samples)
    claims = np.array([[True] * 3, [True] * 3, [True, True, False]])
    logits = generator.normal(size=(3, samples, 3)) + 2.0 * (np.arange(3) == labels[:, None])
    logits[1] = 12.0 * (logits[1] - 1.5 * (np.arange(3) == labels[:, None]))
    logits = np.where(claims[:, None], logits, -np.inf)
    e = np.exp(logits - logits.max(axis=2, keepdims=True))
    return (e / e.sum(axis=2, keepdims=True)).astype(np.float32), claims, labels


def test_temperatures_are_fitted_and_help():
    scores, claims, labels = _made()
    fitted = ps.fit_tempered(scores, claims, labels)
    assert fitted.temperatures[1] > 5.0  # of the one that was too sure
    assert 0.5 < fitted.temperatures[0] < 2.0
    held, _, truth = _made(1)
    right = [(one.predict(held, claims) == truth).mean() for one in (ps.Mean(), fitted)]
    assert right[1] > right[0] + 0.05
    nobody = ps.fit_tempered(scores[:, :0], claims, labels[:0])
    assert nobody.temperatures == (1.0,) * 3


def test_a_temperature_of_1_leaves_scores_alone_with_a_reserved_class_too():
    scores, claims, _ = _made()
    for part in (scores, 0.5 * scores):  # the other half is "none of mine"
        found = ps.Tempered((1.0,) * 3).joint(part, claims)
        np.testing.assert_allclose(found, ps.Mean().joint(part, claims), atol=1e-6)


def test_stacking_learns_whom_to_believe():
    pytest.importorskip("sklearn", reason="needs the extra `multiparty`")
    scores, claims, labels = _made()
    fitted = ps.fit_stacked(scores, claims, labels)
    held, _, truth = _made(1)
    right = [(one.predict(held, claims) == truth).mean() for one in (ps.Mean(), fitted)]
    assert right[1] > right[0] + 0.05
    np.testing.assert_allclose(fitted.joint(held, claims).sum(axis=1), 1.0)
    held[0, 0] = np.nan
    assert fitted.predict(held, claims)[0] in (0, 1, 2)
    with pytest.raises(ValueError, match="made for 3 models, there are 2; make it anew"):
        fitted.predict(held[:2], claims[:2])
    with pytest.raises(ValueError, match="expected two or more"):
        ps.fit_stacked(scores, claims, np.zeros_like(labels))


def test_a_predictor_is_written_and_read():
    pytest.importorskip("sklearn", reason="needs the extra `multiparty`")
    scores, claims, labels = _made()
    fitted = (ps.fit_tempered(scores, claims, labels), ps.fit_stacked(scores, claims, labels))
    for predictor in (*ORDERLESS, ps.Krum(0.5), ps.Screened((True, False)), *fitted):
        assert written.from_told(written.told(predictor)) == predictor


@pytest.mark.parametrize(
    "values",
    [
        None, {}, {"name": "oracle"}, {"name": "mean", "more": 1}, {"name": "krum", "alpha": 2.0},
        {"name": "krum", "alpha": None}, {"name": "screened", "kept": [1]}, {"name": "screened", "kept": 3},
        {"name": "tempered", "temperatures": [0.0]}, {"name": "tempered", "temperatures": ["a"]},
        {"name": "stacked", "weights": [[1.0]], "intercepts": [1.0, 2.0], "classes": [0, 1], "models": 1},
        {"name": "stacked", "weights": [[1.0], [float("nan")]], "intercepts": [1.0, 2.0], "classes": [0, 1],
         "models": 1},
        {"name": "tempered", "temperatures": [10**400]}, {"name": "tempered", "temperatures": [True]},
        {"name": "stacked", "weights": [[10**400]], "intercepts": [0.0], "classes": [0], "models": 1},
        *({"name": "stacked", "weights": [[1.0]], "intercepts": [0.0], "classes": [one], "models": 1}
          for one in (-1, 0.5, 10**30, "a", [0])),
        {"name": "stacked", "weights": [[1.0]], "intercepts": [0.0], "classes": [0], "models": "a"},
    ],
)  # fmt: skip
def test_what_nobody_wrote_is_no_predictor(values):
    with pytest.raises(DamagedFile, match="predictor: ") as caught:
        written.from_told(values)
    assert "Error" not in str(caught.value)


def test_a_predictor_that_there_is_not_is_named():
    with pytest.raises(ValueError, match="predictor = 'mode': expected 'mean', 'median', 'star', 'krum', 'max'"):
        ps.by_name("mode", 0.75)
