"""PyTorch modules as parties' models: alone and stacked, against plain autograd."""

import warnings
from copy import deepcopy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `multiparty`")

from torch import nn

from folkmoot.encoding import Malformed
from folkmoot.multiparty.models import Pace, blank
from folkmoot.multiparty.models.architectures import (
    ARCHITECTURES,
    LeNet4,
    LeNet5,
    TwoHiddenLayers,
    register_architecture,
)
from folkmoot.multiparty.models.fleet import Fleet, Move
from folkmoot.multiparty.models.linear_model import blank as linear_blank
from folkmoot.multiparty.models.torch_model import TorchModel

X = np.random.default_rng(0).random((5, 1, 28, 28), np.float32)


class Normed(nn.Module):
    """A user's own, with what moves and what does not."""

    def __init__(self, n_outputs=3):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 2, 5, stride=3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(),
            nn.Linear(128, n_outputs),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


def _module(build, outputs, seed=0):
    torch.manual_seed(seed)
    module = build(outputs)
    for name, value in module.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            value.copy_(torch.rand_like(value) + 0.5)
    return module


def _by_autograd(module, x, column, sign, pace, outputs, temperature):
    """eqs. 11 and 12 for one model, with nothing but torch.autograd."""
    module.eval()
    p = torch.softmax(module(torch.from_numpy(x)) / temperature, 1)[0]
    value = p[column]
    if pace.log_probability:
        value = torch.log(value) if sign > 0 else -torch.log1p(-value)
    gradients = torch.autograd.grad(value, list(module.parameters()))
    norm = torch.sqrt(sum((g**2).sum() for g in gradients))
    with torch.no_grad():
        for p, g in zip(module.parameters(), gradients, strict=True):
            p += pace.eta * sign * g / max(1.0, float(norm) / pace.cap)


@pytest.mark.parametrize("reserved", [False, True])
@pytest.mark.parametrize("build", [LeNet5, LeNet4, TwoHiddenLayers, Normed])
def test_scores_are_the_softmax_of_the_module_without_the_reserved_class(build, reserved):
    module = _module(build, 3 + reserved).eval()
    model = TorchModel(module, [4, 1, 7], reserved=reserved, temperature=2.0)
    with torch.no_grad():
        wanted = torch.softmax(module(torch.from_numpy(X)) / 2.0, 1)[:, :3].numpy()
    assert model.classes == (1, 4, 7)
    np.testing.assert_allclose(model.scores(X), wanted, atol=1e-6)
    np.testing.assert_allclose(model.scores(X[:1]), wanted[:1], atol=1e-6)  # the path of a single sample


@pytest.mark.parametrize("log_probability", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("build", [LeNet5, LeNet4, TwoHiddenLayers, Normed])
def test_a_step_is_that_of_autograd(build, sign, log_probability):
    module = _module(build, 4)
    pace = Pace(0.3, 0.05, log_probability)  # the cap bites
    model = TorchModel(module, [0, 1, 2], reserved=True, temperature=1.5)
    model.step(X[:1], 1, sign, pace)
    _by_autograd(module, X[:1], 1, sign, pace, 3, 1.5)
    for name, value in module.state_dict().items():
        np.testing.assert_allclose(model.state()[name].numpy(), value.numpy(), atol=2e-6, err_msg=name)


def test_models_stepped_together_move_as_if_alone():
    builds = [LeNet5, LeNet5, TwoHiddenLayers, LeNet5, TwoHiddenLayers, Normed]
    models = [TorchModel(_module(b, 4, seed), [seed, seed + 1, 8, 9]) for seed, b in enumerate(builds)]
    fleet = Fleet(models, 10)
    pace = Pace(0.1, 1.0, False)
    moves = [Move(0, 8, 1), Move(1, 9, -1), Move(3, 3, 1), Move(2, 8, -1), Move(4, 9, 1), Move(5, 5, 1)]
    fleet.step(X[:1], moves, pace)
    for i, label, sign in moves:
        models[i].step(X[:1], models[i].classes.index(label), sign, pace)
    for i, model in enumerate(models):
        for name, value in model.state().items():
            np.testing.assert_allclose(fleet.model(i).state()[name].numpy(), value.numpy(), atol=1e-6)
    together = fleet.scores(X)
    for i, model in enumerate(models):
        np.testing.assert_allclose(together[i][:, list(model.classes)], model.scores(X), atol=1e-6)
        others = [c for c in range(10) if c not in model.classes]
        assert (together[i][:, others] == 0).all()


def test_two_moves_of_one_model_are_taken_where_it_stands_and_add_up():
    model = TorchModel(_module(LeNet4, 4), [0, 1, 2, 3])
    pace = Pace(0.1, 1.0, False)
    fleet = Fleet([model], 4)
    fleet.step(X[:1], [Move(0, 0, 1), Move(0, 3, -1)], pace)
    up, down = (model.from_bytes(model.to_bytes()) for _ in range(2))
    up.step(X[:1], 0, 1, pace)
    down.step(X[:1], 3, -1, pace)
    for name, value in model.state().items():
        wanted = up.state()[name] + down.state()[name] - value
        np.testing.assert_allclose(fleet.model(0).state()[name].numpy(), wanted.numpy(), atol=1e-6)


def test_the_same_steps_give_the_same_bits_and_leave_the_party_s_model_alone():
    models = [TorchModel(_module(LeNet5, 3, seed), [0, 1, 2]) for seed in range(3)]
    before = [model.to_bytes() for model in models]
    hashes = []
    for _ in range(2):
        fleet = Fleet(models, 3)
        for n in range(5):
            fleet.step(X[n : n + 1], [Move(0, 1, 1), Move(2, 0, -1)], Pace(0.1, 1.0, True))
        hashes.append([fleet.hash(i) for i in range(3)])
    assert hashes[0] == hashes[1]
    assert [model.to_bytes() for model in models] == before
    assert fleet.hash(1) == Fleet(models, 3).hash(1) != fleet.hash(0)
    twin = fleet.copy()
    twin.step(X[:1], [Move(1, 1, 1)], Pace(0.1, 1.0, True))
    assert fleet.hash(1) != twin.hash(1)
    assert [fleet.hash(i) for i in range(3)] == hashes[0]


@pytest.mark.parametrize("build", [LeNet5, Normed])
@pytest.mark.parametrize("copied", [lambda stack: stack, lambda stack: stack.copy(), deepcopy])
def test_scores_of_many_samples_follow_every_step_of_a_stack_and_of_its_copies(build, copied):
    first = TorchModel(_module(build, 3), [0, 1, 2])
    stack = first.stack([TorchModel(_module(build, 3, 1), [0, 1, 2])])
    before = stack.scores(X)  # from here on there are modules that scores are taken from
    twin = copied(stack)
    for _ in range(3):
        twin.step(X[:1], np.array([1]), np.array([2]), np.array([1]), 0.5, 1.0, False)
    after = twin.scores(X)
    one_by_one = np.concatenate([twin.scores(X[i : i + 1]) for i in range(len(X))], axis=1)
    np.testing.assert_allclose(after, one_by_one, atol=1e-6)
    assert (after[0] == before[0]).all()
    assert after[1, 0, 2] > before[1, 0, 2] + 1e-3
    if twin is not stack:
        assert (stack.scores(X) == before).all()


def test_what_is_buffered_does_not_move_and_is_written():
    module = _module(Normed, 3)
    model = TorchModel(module, [0, 1, 2], architecture="normed")
    kept = module.state_dict()["layers.1.running_mean"].clone()
    model.step(X[:1], 0, 1, Pace(0.5, 1.0, False))
    assert torch.equal(model.state()["layers.1.running_mean"], kept)
    register_architecture("normed", Normed)
    try:
        twin = blank(model.kind, model.classes, model.settings()).from_bytes(model.to_bytes())
        assert (twin.scores(X) == model.scores(X)).all()
    finally:
        del ARCHITECTURES["normed"]


@pytest.mark.parametrize("build", [LeNet5, LeNet4, TwoHiddenLayers])
def test_a_model_written_and_read_is_the_same(build):
    model = TorchModel(_module(build, 4), [2, 3, 5], reserved=True, temperature=1.25)
    twin = blank(model.kind, model.classes, model.settings()).from_bytes(model.to_bytes())
    assert twin.to_bytes() == model.to_bytes()
    assert (twin.scores(X) == model.scores(X)).all()


def test_bytes_that_are_no_such_parameters_are_refused_in_one_line():
    model = TorchModel(_module(LeNet4, 3), [0, 1, 2])
    state = model.state()
    nan = {k: v * float("nan") for k, v in state.items()}
    from folkmoot.multiparty.models.stacked import written

    for data in (b"", b"\xff" * 64, model.to_bytes()[:-1], written({"w": torch.zeros(2)}), written(nan)):
        with pytest.raises(Malformed, match="parameter") as caught:
            model.from_bytes(data)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("classes", "settings", "words"),
    [
        ((0, 1), (False, "hot"), "settings of torch/lenet5"),
        ((0, 1), (False, 0.0), "temperature = 0.0"),
        ((0, 1), (False, float("inf")), "temperature = inf"),
        ((4,), (False, 1.0), "reserved"),
    ],
)
def test_settings_of_others_that_no_model_has_are_their_fault(classes, settings, words):
    with pytest.raises(Malformed, match=words):
        blank("torch/lenet5", classes, settings)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TorchModel(LeNet5(3), [0, 0, 1]), "none twice"),
        (lambda: TorchModel(LeNet5(3), []), "at least one"),
        (lambda: TorchModel(LeNet5(3), [0, -1, 1]), "from 0 to 65535"),
        (lambda: TorchModel(LeNet5(1), [4]), "reserved"),
        (lambda: TorchModel(LeNet5(3), [0, 1, 2], temperature=0.0), "temperature = 0.0"),
        (lambda: TorchModel(LeNet5(3).double(), [0, 1, 2]), "expected float32"),
        (lambda: TorchModel(nn.Sequential(LeNet5(4)), [0, 1, 2]).scores(X), "4 outputs for 3 classes; expected 3"),
        (lambda: TorchModel(LeNet5(4), [0, 1, 2]), "with 3 outputs for 3 classes has [3, 84]"),
        (lambda: blank("torch/nosuch", (0, 1), (False, 1.0)), "'nosuch': unknown here"),
        (lambda: blank("oracle", (0, 1), ()), "unknown here"),
        (lambda: register_architecture("lenet5", LeNet4), "taken"),
        (lambda: register_architecture("Le Net", LeNet4), "expected 1 to 32"),
    ],
)
def test_what_cannot_be_a_model_is_refused_in_one_line(make, words):
    with pytest.raises(ValueError, match=words.replace("[", r"\[")) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_where_the_numbers_of_a_sample_lie_makes_no_difference():
    """A slice of a user's array begins anywhere; products of PyTorch take other ways for it, and round otherwise."""

    def build(outputs):
        return nn.Sequential(nn.Linear(100, 33), nn.Tanh(), nn.Linear(33, outputs))

    fleet = Fleet([TorchModel(_module(build, 4, seed), [0, 1, 2, 3]) for seed in range(3)], 4)
    room = np.random.default_rng(0).normal(size=(8, 300)).astype(np.float32)
    for samples in (1, 2, 3):
        for row in room:
            told = set()
            for first in range(4):
                shifted = np.empty(len(row) + 4, np.float32)[first : first + 100 * samples]
                shifted[:] = row[: 100 * samples]
                x, twin = shifted.reshape(samples, 100), fleet.copy()
                twin.step(x[:1], [Move(0, 0, 1), Move(1, 2, -1)], Pace(0.05, 1.0, False))
                told.add((fleet.scores(x).tobytes(), twin.parameters(0), twin.parameters(1)))
            assert len(told) == 1


def test_a_process_that_takes_small_numbers_for_zero_scores_and_moves_alike():
    """With a common setting for speed a score of 1e-42 was 0, and a sample that others take was refused, or taken."""

    def build(outputs):
        return nn.Linear(2, outputs)

    layer, linear = build(2), linear_blank("linear/softmax", (0, 1), (2, (), ()))
    linear.weights = np.array([[1.0, 0.0], [0.0, 0.0]], np.float32)
    with torch.no_grad():
        layer.weight[:] = torch.from_numpy(linear.weights)
        layer.bias[:] = 0.0
    x, found = np.array([[95.0, 0.0]], np.float32), []
    for flushes in (False, True):
        assert torch.set_flush_denormal(flushes)
        try:
            fleet = Fleet([TorchModel(layer, [0, 1]), linear], 2)
            scores = fleet.scores(x)
            fleet.step(x, [Move(0, 1, 1), Move(1, 1, 1)], Pace(0.5, 1.0, False))
            found.append((scores.tobytes(), fleet.parameters(0), fleet.parameters(1)))
            assert (float(np.float32(1e-42) * np.float32(1.0)) == 0.0) is flushes  # as it was set
        finally:
            torch.set_flush_denormal(False)
    assert found[0] == found[1]
    assert 0.0 < scores[0, 0, 1] < 1e-40


def test_samples_that_may_not_be_written_are_scored_without_a_warning():
    model, x = TorchModel(nn.Linear(2, 2), [0, 1]), np.zeros((3, 2), np.float32)
    x.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.scores(x).shape == (3, 2)
