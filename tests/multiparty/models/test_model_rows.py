"""Models are scored as what they are: code by digest, frozen and tied parameters, recurrent layers, scikit-learn."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from folkmoot.encoding import Malformed
from folkmoot.multiparty import Party
from folkmoot.multiparty.agreed import terms_of
from folkmoot.multiparty.entrance import checked
from folkmoot.multiparty.models import Pace, blank, kinds
from folkmoot.multiparty.models.architectures import ARCHITECTURES, LeNet4, register_architecture
from folkmoot.multiparty.models.code import code_of
from folkmoot.multiparty.models.fleet import Fleet, Move
from folkmoot.multiparty.models.linear_model import SklearnModel
from folkmoot.multiparty.models.torch_model import TorchModel

X = np.random.default_rng(0).random((5, 6), np.float32)
PACE = Pace(0.5, 1.0, True)


@pytest.fixture
def registered():
    """Enter architectures for one test."""
    before = dict(ARCHITECTURES)
    yield register_architecture
    ARCHITECTURES.clear()
    ARCHITECTURES.update(before)


class Bent(nn.Module):
    """What it is bent by is not in its `repr`."""

    def __init__(self, n_outputs=3, by=torch.tanh):
        super().__init__()
        self.one, self.two, self.by = nn.Linear(6, 5), nn.Linear(5, n_outputs), by

    def forward(self, x):
        return self.two(self.by(self.one(x)))


def relu_net(n_outputs):
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, n_outputs))


def bent(n_outputs):
    """A comment or two make no difference."""
    return Bent(n_outputs)


def bent_otherwise(n_outputs):
    return Bent(n_outputs, torch.relu)


class Tied(nn.Module):
    def __init__(self, n_outputs=3):
        super().__init__()
        self.one, self.two, self.out = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, n_outputs)
        self.two.weight = self.one.weight

    def forward(self, x):
        return self.out(torch.tanh(self.two(torch.tanh(self.one(x)))))


class Recurrent(nn.Module):
    def __init__(self, n_outputs=3, kind=nn.LSTM):
        super().__init__()
        self.layer, self.out = kind(2, 4, batch_first=True), nn.Linear(4, n_outputs)

    def forward(self, x):
        return self.out(self.layer(x.reshape(len(x), 3, 2))[0][:, -1])


def _by_autograd(module, x, column, pace):
    """A step up, by nothing but autograd."""
    value = torch.log(torch.softmax(module(torch.from_numpy(x)), 1)[0, column])
    moved = [p for p in module.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(value, moved)
    norm = float(torch.sqrt(sum((g**2).sum() for g in gradients)))
    with torch.no_grad():
        for p, g in zip(moved, gradients, strict=True):
            p += pace.eta * g / max(1.0, norm / pace.cap)


# --- Row 6: whose code -------------------------------------------------------------------------------------------


def test_row_6_networks_of_equal_repr_are_each_scored_by_their_own_code():
    torch.manual_seed(1)
    modules = [Bent(3, by).eval() for by in (torch.tanh, torch.relu)]
    assert repr(modules[0]) == repr(modules[1])
    fleet = Fleet([TorchModel(module, [0, 1, 2]) for module in modules], 3)
    for found, module in zip(fleet.scores(X), modules, strict=True):
        with torch.no_grad():
            np.testing.assert_allclose(found, torch.softmax(module(torch.from_numpy(X)), 1).numpy(), atol=1e-6)
    assert len({TorchModel(Bent(3), [0, 1, 2]).likeness for _ in range(2)}) == 1  # those alike are still stacked


def test_row_6_a_module_other_than_its_registered_architecture_is_refused_at_the_door(registered):
    registered("bent", bent)
    torch.manual_seed(1)
    for by, good in ((torch.tanh, True), (torch.relu, False)):
        party = Party("ada", TorchModel(Bent(3, by), [0, 1, 2], architecture="bent"), X, np.zeros(5, int))
        terms = terms_of([party], None, {})
        if good:
            assert checked(party, terms) is party
        else:
            with pytest.raises(ValueError, match=r"party ada: scores as torch/bent.* differ by up to 0"):
                checked(party, terms)
    with pytest.raises(ValueError, match=r"parameter one.weight: of shape none; the registered .* \[5, 6\]"):
        TorchModel(relu_net(3), [0, 1, 2], architecture="bent")


def test_row_6_the_digest_of_the_code_stands_in_the_kind(registered):
    registered("bent", bent)
    model = TorchModel(Bent(3), [0, 1, 2], architecture="bent")
    assert model.kind == f"torch/bent#{code_of(bent)}"
    assert len(model.kind) <= 64
    assert kinds.is_known(model.kind)
    twin = blank(model.kind, model.classes, model.settings()).from_bytes(model.to_bytes())
    assert twin.kind == model.kind
    assert (twin.scores(X) == model.scores(X)).all()
    ARCHITECTURES["bent"] = bent_otherwise
    assert not kinds.is_known(model.kind)
    with pytest.raises(ValueError, match="architecture 'bent': its code here is another"):
        blank(model.kind, model.classes, model.settings())
    assert blank("torch/bent", (0, 1, 2), (False, 1.0)).kind == "torch/bent"  # as on older chains


def test_the_digest_of_code_is_of_what_it_says():
    """Written out, since chains of this version name it: another Python must say the same."""
    assert code_of(LeNet4) == "f666a0746fb72ed5"
    assert len({code_of(build) for build in (bent, bent_otherwise, relu_net, Bent, LeNet4)}) == 5
    assert code_of(eval("lambda n: None")) == ""  # no source, no digest


# --- Row 7: scikit-learn -----------------------------------------------------------------------------------------


def _clouds(n_classes=4, samples=300):
    generator = np.random.default_rng(3)
    y = generator.integers(0, n_classes, samples)
    return (generator.normal(size=(samples, 6)) + 1.5 * np.eye(6)[y]).astype(np.float32), y


def test_row_7_an_estimator_whose_probabilities_are_others_is_refused():
    x, y = _clouds()
    one_against_rest = LogisticRegression(solver="liblinear")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            one_against_rest.fit(x, y)
        except ValueError:  # later versions of scikit-learn refuse more than two classes
            pytest.skip("this scikit-learn has no one-versus-rest here")
    with pytest.raises(ValueError, match=r"LogisticRegression: scores as linear/softmax differ by up to 0\.[12]"):
        SklearnModel(one_against_rest, range(4))


class OneAgainstRest(LogisticRegression):
    """By another name it would be refused for its name; this is what it gives."""

    def predict_proba(self, X):
        shares = 1.0 / (1.0 + np.exp(-self.decision_function(X)))
        return shares / shares.sum(axis=1, keepdims=True)


def test_row_7_what_counts_is_what_an_estimator_gives_not_its_name():
    OneAgainstRest.__name__ = "LogisticRegression"
    x, y = _clouds()
    with pytest.raises(ValueError, match="differ by up to"):
        SklearnModel(OneAgainstRest().fit(x, y), range(4))
    for good in (LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression(C=100.0))):
        assert SklearnModel(good.fit(1000.0 * x, y), range(4)).kind == "linear/softmax"


# --- Row 13: what moves, and the process around it ------------------------------------------------------------------


def test_row_13_layers_that_are_frozen_stay_so_on_the_chain_too(registered):
    registered("relu-net", relu_net)
    torch.manual_seed(2)
    module = relu_net(3)
    module[0].requires_grad_(False)
    model = TorchModel(module, [0, 1, 2], architecture="relu-net")
    assert model.settings() == (False, 1.0, ("0.weight", "0.bias"))
    twin = blank(model.kind, model.classes, model.settings()).from_bytes(model.to_bytes())
    fleet = Fleet([twin, TorchModel(relu_net(3), [0, 1, 2], architecture="relu-net")], 3)
    fleet.step(X[:1], [Move(0, 1, 1), Move(1, 1, 1)], PACE)
    _by_autograd(module, X[:1], 1, PACE)
    for name, value in module.state_dict().items():
        np.testing.assert_allclose(fleet.model(0).state()[name].numpy(), value.detach().numpy(), atol=1e-6)
    for wrong in ((), ("0.bias", "0.weight"), ("nothing",)):
        with pytest.raises(Malformed, match="frozen parameters"):
            blank(model.kind, model.classes, (False, 1.0, wrong))
    module.requires_grad_(False)
    all_frozen = TorchModel(module, [0, 1, 2], architecture="relu-net")
    before = all_frozen.to_bytes()
    all_frozen.step(X[:1], 1, 1, PACE)
    assert all_frozen.to_bytes() == before
    assert all_frozen.scores(X[:1]).shape == (1, 3)


def test_row_13_tied_weights_move_as_one():
    torch.manual_seed(3)
    module = Tied()
    model = TorchModel(module, [0, 1, 2])
    alone = model.scores(X)
    model.step(X[:1], 1, 1, PACE)
    _by_autograd(module, X[:1], 1, PACE)
    for name, value in module.state_dict().items():
        np.testing.assert_allclose(model.state()[name].numpy(), value.detach().numpy(), atol=1e-6, err_msg=name)
    assert not (alone == model.scores(X)).all()
    np.testing.assert_allclose(model.scores(X)[:1], model.scores(X[:1]), atol=1e-6)
    from folkmoot.multiparty.models.stacked import written

    apart = model.state() | {"two.weight": torch.zeros(6, 6)}
    with pytest.raises(Malformed, match="expected the same numbers, they are tied"):
        model.from_bytes(written(apart))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_row_13_recurrent_networks_take_part(kind):
    torch.manual_seed(4)
    modules = [Recurrent(3, kind) for _ in range(2)]
    fleet = Fleet([TorchModel(module, [0, 1, 2]) for module in modules], 3)
    fleet.step(X[:1], [Move(0, 1, 1), Move(1, 1, 1)], PACE)
    twin = fleet.copy()
    twin.step(X[:1], [Move(0, 0, 1)], PACE)
    for i, module in enumerate(modules):
        _by_autograd(module, X[:1], 1, PACE)
        for name, value in module.state_dict().items():
            np.testing.assert_allclose(fleet.model(i).state()[name].numpy(), value.detach().numpy(), atol=2e-6)
    assert twin.hash(0) != fleet.hash(0)
    assert twin.hash(1) == fleet.hash(1)


def test_row_13_what_the_process_has_set_makes_no_difference_and_stays(registered):
    """A replay where other code has set precision, casts or the default type computes the same bits."""
    registered("relu-net", relu_net)
    torch.manual_seed(5)
    model = TorchModel(relu_net(3), [0, 1, 2], architecture="relu-net")

    def played():
        twin = blank(model.kind, model.classes, model.settings()).from_bytes(model.to_bytes())
        twin.step(X[:1], 1, 1, PACE)
        return twin.to_bytes(), twin.scores(X).tobytes()

    wanted = played()
    torch.set_float32_matmul_precision("medium")
    torch.set_default_dtype(torch.float64)
    try:
        with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
            assert played() == wanted
            assert torch.is_autocast_enabled("cpu")
        assert torch.get_float32_matmul_precision() == "medium"
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.set_default_dtype(torch.float32)


def test_row_13_a_number_that_float32_does_not_have_is_refused():
    model = SklearnModel(LogisticRegression().fit(*_clouds()), range(4))
    x = np.zeros((2, 6))
    x[1, 3] = 1e39
    with pytest.raises(ValueError, match=r"party ada: x has a number of size 1e\+39: float32"):
        Party("ada", model, x, np.zeros(2, int))
