"""HMR as published: each rule of the published program, by its own words."""

from itertools import count

import numpy as np
import pytest
import torch
from made_digits import skewed
from sklearn.linear_model import LogisticRegression
from torch import nn

from folkmoot.multiparty import HMR, EstimatorLearner, NetworkLearner
from folkmoot.multiparty.hmr import BUDGET, DRAWS


class Told:
    """A learner that says what it is told to: scores are of the sample's first number; notes how it is trained."""

    def __init__(self, classes, table):
        self.classes, self.table, self.trained = classes, table, []

    def scores(self, x):
        return np.array([self.table[int(one[0])] for one in x], np.float32).reshape(len(x), len(self.classes))

    def retrain(self, x, y):
        self.trained.append(list(zip(x[:, 0].astype(int).tolist(), y.tolist(), strict=True)))


def _two(table_0, table_1, seed=0):
    """Two parties: 0 knows classes 0 and 1 and has sample 0 of class 0; 1 knows 1 and 2 and has sample 1 of class 2."""
    learners = [Told((0, 1), table_0), Told((1, 2), table_1)]
    data = [(np.array([[0.0]], np.float32), np.array([0])), (np.array([[1.0]], np.float32), np.array([2]))]
    return learners, HMR(learners, data, seed=seed)


def test_the_budget_is_that_of_the_published_program():
    assert (BUDGET, DRAWS) == (105, 10_000)


def test_a_violated_sample_goes_to_the_surest_of_its_label_and_the_surest_of_a_wrong_class():
    # Sample 0 (class 0): model 0 gives it .6, model 1 gives class 2 .7: violated. Sample 1 (class 2): .9 > .8: not.
    learners, hmr = _two({0: (0.6, 0.4), 1: (0.8, 0.2)}, {0: (0.3, 0.7), 1: (0.1, 0.9)})
    (sent,) = hmr.calibrate(budget=1)
    assert (sent.sender, sent.sample, sent.label, sent.positive, sent.negative) == (0, 0, 0, 0, 1)
    assert sent.margin == pytest.approx(-0.1)
    # "each retrains one epoch on its local data and all it received"; the label stays 0 for a model that has no class 0
    assert learners[0].trained == [[(0, 0), (0, 0)]]
    assert learners[1].trained == [[(1, 2), (0, 0)]]
    assert hmr.epochs == [1, 1]


def test_a_margin_of_exactly_0_is_violated_and_one_above_is_not():
    _, even = _two({0: (0.5, 0.5), 1: (0.0, 0.0)}, {0: (0.25, 0.5), 1: (0.1, 0.9)})
    assert [one.margin for one in even.calibrate(budget=1)] == [0.0]
    _, above = _two({0: (0.625, 0.375), 1: (0.0, 0.0)}, {0: (0.25, 0.5), 1: (0.1, 0.9)})
    assert above.calibrate(budget=1, draws=50) == []
    assert above.draws == 50


def test_what_was_received_before_is_trained_on_again():
    learners, hmr = _two({0: (0.6, 0.4), 1: (0.8, 0.2)}, {0: (0.3, 0.7), 1: (0.1, 0.9)})
    hmr.calibrate(budget=2)
    assert [len(one) for one in learners[1].trained] == [2, 3]
    hmr.calibrate(budget=1)
    assert [len(one) for one in learners[1].trained] == [2, 3, 4]
    assert (len(hmr.exchanged), hmr.revealed) == (3, 1)  # one sample, three times


def test_one_model_that_is_surest_of_both_receives_twice_and_trains_twice():
    learners, hmr = _two({0: (0.4, 0.6), 1: (0.2, 0.2)}, {0: (0.3, 0.1), 1: (0.1, 0.9)})
    hmr.calibrate(budget=1)
    assert [len(one) for one in learners[0].trained] == [3, 3]
    assert learners[1].trained == []
    assert hmr.epochs == [2, 0]


def test_senders_are_drawn_by_the_size_of_their_data():
    learners = [Told((0, 1), {0: (0.0, 1.0)}) for _ in range(2)]
    data = [(np.zeros((n, 1), np.float32), np.zeros(n, np.int64)) for n in (30, 10)]
    hmr = HMR(learners, data, seed=3)
    first = sum(one.sender == 0 for one in hmr.calibrate(budget=400))
    assert abs(first - 300) < 44  # five standard deviations of a binomial law, sqrt(400 * .75 * .25) = 8.7


def test_looking_at_many_at_once_finds_as_many_as_one_by_one():
    def one_by_one(hmr, budget):
        sent = []
        while len(sent) < budget:
            sent += hmr.calibrate(budget=1)
        return sent

    tables = {0: (0.6, 0.4), 1: (0.8, 0.2)}, {0: (0.3, 0.7), 1: (0.1, 0.9)}
    draws = [one.draw for one in _two(*tables, seed=4)[1].calibrate(budget=300)]
    # A violated sample is every second one: the gaps follow a geometric law of mean 2, deviation sqrt(2).
    assert abs(np.diff(draws).mean() - 2.0) < 5 * np.sqrt(2.0 / 299)
    assert draws == sorted(set(draws))
    gaps = np.diff([one.draw for one in one_by_one(_two(*tables, seed=5)[1], 300)])
    assert abs(gaps.mean() - 2.0) < 5 * np.sqrt(2.0 / 299)


def test_a_lie_is_a_sample_that_is_right_with_its_strongest_wrong_class():
    # Sample 1 (class 2) is right by .9 - .8 = .1: its lie says class 1; the surest of class 1 is model 0, of 2 model 1.
    learners, hmr = _two({0: (0.6, 0.4), 1: (0.2, 0.8)}, {0: (0.3, 0.7), 1: (0.1, 0.9)})
    (sent,) = hmr.calibrate(budget=1, bogus=1.0)
    assert (sent.sender, sent.label, sent.positive, sent.negative) == (1, 1, 0, 1)
    assert sent.margin == pytest.approx(0.1)
    assert learners[1].trained == [[(1, 2), (1, 1)]]


def test_the_surest_model_predicts_and_a_model_without_numbers_does_not_speak():
    _, hmr = _two({0: (0.6, 0.4), 1: (0.8, 0.2)}, {0: (0.3, 0.7), 1: (np.nan, 0.9)})
    assert hmr.predict(np.array([[0.0], [1.0]], np.float32)).tolist() == [2, 0]


def _net(classes=2, inputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, classes))


def test_the_reserved_output_comes_with_the_first_foreign_label_and_has_the_mean_of_the_others():
    learner = NetworkLearner(_net(), (2, 5), rate=0.0)
    x = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    before = learner.scores(x)
    learner.retrain(x, np.full(20, 5))
    assert learner.module[-1].out_features == 2
    learner.retrain(x, np.where(np.arange(20) < 3, 7, 5))  # nobody's 7: none of mine
    assert learner.module[-1].out_features == 3
    last = learner.module[-1]
    assert torch.allclose(last.weight[2], last.weight[:2].mean(0))
    assert torch.allclose(last.bias[2], last.bias[:2].mean(0))
    after = learner.scores(x)
    assert after.shape == (20, 2)
    assert np.allclose(after[:, 0] / after[:, 1], before[:, 0] / before[:, 1], rtol=1e-4)  # "keep the function same"
    assert (after.sum(axis=1) < 1.0).all()


def test_an_epoch_looks_at_every_sample_once_in_batches(monkeypatch):
    steps = count()
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: next(steps))
    learner = NetworkLearner(_net(), (0, 1), batch=8)
    learner.retrain(np.zeros((20, 3), np.float32), np.zeros(20, np.int64))
    assert next(steps) == 3
    assert NetworkLearner(_net(), (0, 1)).batch == 128
    assert NetworkLearner(_net(), (0, 1)).rate == 1e-4


def test_training_depends_on_the_seed_and_on_nothing_else():
    x = np.random.default_rng(2).normal(size=(40, 3)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)

    def trained(seed, before):
        torch.manual_seed(before)
        module = nn.Sequential(*list(_net())[:2], nn.Dropout(0.5), _net()[-1])
        torch.manual_seed(before)
        learner = NetworkLearner(module, (0, 1), rate=0.01, batch=8, seed=seed)
        learner.retrain(x, y)
        return learner.scores(x)

    assert np.array_equal(trained(1, 7), trained(1, 8))
    assert not np.array_equal(trained(1, 7), trained(2, 7))


def test_an_estimator_is_fitted_anew_with_one_class_more():
    x = np.random.default_rng(3).normal(size=(60, 3)).astype(np.float32)
    y = np.where(x[:, 0] > 0, 5, 2)
    learner = EstimatorLearner(LogisticRegression(), (2, 5))
    learner.retrain(x, y)
    assert np.allclose(learner.scores(x).sum(axis=1), 1.0)
    learner.retrain(x, np.where(x[:, 1] > 1, 9, y))
    assert learner.scores(x).shape == (60, 2)
    assert (learner.scores(x).sum(axis=1) < 1.0).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": []}, "2 learners and data of 0 parties"),
        ({"label": 3}, r"party 0: labels \[3\]: expected labels of \[0, 1\]"),
        ({"bogus": 1.5}, "bogus = 1.5: expected a number from 0 to 1"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(given, message):
    learners = [Told((0, 1), {0: (1.0, 0.0)}) for _ in range(2)]
    data = [(np.zeros((1, 1), np.float32), np.array([given.get("label", 0)]))] * 2
    with pytest.raises(ValueError, match=message):
        HMR(learners, given.get("data", data)).calibrate(bogus=given.get("bogus", 0.0))


def test_a_module_without_the_right_end_is_refused():
    with pytest.raises(ValueError, match="2 outputs: expected 3"):
        NetworkLearner(_net(), (0, 1, 2))
    with pytest.raises(ValueError, match="expected a linear layer at its end"):
        NetworkLearner(nn.Flatten(), (0, 1))


def test_on_digits_it_is_far_better_than_before_and_lies_spoil_it():
    parties = skewed()
    x, y = (np.concatenate(part) for part in zip(*((x[:60], y[:60]) for _, x, y in parties), strict=True))

    def played(bogus):
        learners = [EstimatorLearner(LogisticRegression(max_iter=60), classes) for classes, _, _ in parties]
        hmr = HMR(learners, [(x, y) for _, x, y in parties], seed=1)
        hmr.train_alone([1] * 10)
        before = (hmr.predict(x) == y).mean()
        hmr.calibrate(budget=30, bogus=bogus)
        assert sum(hmr.epochs) == 10 + 60
        return before, (hmr.predict(x) == y).mean()

    (before, clean), (_, foul) = played(0.0), played(0.9)
    assert clean > before + 0.02
    assert foul < clean
