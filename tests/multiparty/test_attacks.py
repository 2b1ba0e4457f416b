"""Every attack by name: what it sends, and what the rules make of it."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_digits import digits, linear_models, skewed

from folkmoot.multiparty import (
    Consortium,
    Duplicates,
    OneStepHMR,
    Party,
    PoisonedSamples,
    RandomLabels,
    SwappedLabels,
    SwappedWithin,
    lying,
)
from folkmoot.multiparty.chain.pool import KNOWN
from folkmoot.multiparty.rules import validation

X, Y = digits()
TEST = slice(1200, None)
TERMS = {"delta": 0.4, "sigma": 0.3, "seed": 5}  # linear models are less sure of themselves than networks


@pytest.fixture(scope="module")
def parties():
    parts = skewed()
    return [Party(f"p{i}", m, x, y) for i, (m, (_, x, y)) in enumerate(zip(linear_models(parts), parts, strict=True))]


@pytest.fixture(scope="module")
def view(parties):
    return Consortium(parties, **TERMS).group


def _sent(party, view, wanted=12):
    return party.mine(view, wanted, np.random.default_rng(2))


def _truth(party, proposal):
    return int(party.y[(party.x == proposal.x).reshape(len(party.x), -1).all(axis=1)][0])


def _accuracy(consortium):
    return float((consortium.predict(X[TEST]) == Y[TEST]).mean())


def test_honest_parties_send_their_own_samples_with_a_margin_of_at_most_0(parties, view):
    for party in parties[:3]:
        for sent in _sent(party, view):
            assert sent.label == _truth(party, sent)
            margins = view.margins(sent.x[None], np.array([sent.label]))
            assert margins.value[0] <= 0.0
            assert margins.wrong[0] == sent.wrong


def test_type_2_swapped_labels(parties, view):
    """Eq. 1: a sample with rho > 0 is sent with the label and the wrong class in each other's place."""
    liar = lying(parties[0], SwappedLabels)
    sent = _sent(liar, view)
    assert sent
    for lie in sent:
        assert lie.wrong == _truth(liar, lie) != lie.label
        assert view.margins(lie.x[None], np.array([lie.wrong])).value[0] > 0.0


def test_type_2_swapped_within_gives_labels_that_are_the_liars_own(parties, view):
    liar = lying(parties[0], SwappedWithin)
    sent = _sent(liar, view)
    assert sent
    assert all(lie.label in liar.model.classes and lie.wrong == _truth(liar, lie) for lie in sent)


def test_random_labels_are_wrong_and_the_liars_own(parties, view):
    liar = lying(parties[0], RandomLabels)
    sent = _sent(liar, view)
    assert len({lie.label for lie in sent}) > 1
    assert all(lie.label in liar.model.classes and lie.label != _truth(liar, lie) for lie in sent)


def test_poisoned_samples_are_nobodys(parties, view):
    sent = _sent(lying(parties[0], PoisonedSamples), view)
    assert len(sent) == 12
    assert not any((lie.x == X).all(axis=1).any() for lie in sent)


def test_duplicates_are_one_sample(parties, view):
    sent = _sent(lying(parties[1], Duplicates), view)
    assert len(sent) == 12
    assert len({lie.x.tobytes() for lie in sent}) == 1


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_share_of_bogus_messages_is_as_told(parties, view, share):
    liar = lying(parties[0], SwappedLabels, share)
    sent = [p for seed in range(40) for p in liar.mine(view, 4, np.random.default_rng(seed))]
    bogus = sum(p.label != _truth(liar, p) for p in sent)
    # Binomial(n, share): within five standard deviations.
    assert abs(bogus - share * len(sent)) <= 5 * np.sqrt(len(sent) * share * (1 - share))


def test_swapped_labels_are_refused_as_foreign_or_contradicted_by_hardened_rules(parties):
    """Half of all messages bogus: the printed rules take many of them, the hardened ones next to none."""
    members = [lying(party, SwappedLabels) for party in parties]
    printed, hardened = (Consortium(members, rules=rules, **TERMS) for rules in ("printed", "hardened"))
    taken = [c.calibrate(2, 60, progress=False) for c in (printed, hardened)]
    assert taken[0].accepted >= 20
    assert taken[1].accepted <= taken[0].accepted / 10
    assert set(taken[1].refused) <= {
        validation.FOREIGN, validation.CONTRADICTED, validation.MARGIN, validation.CONFIDENCE, validation.SPREAD,
    }  # fmt: skip
    assert _accuracy(hardened) > _accuracy(printed)


@pytest.mark.parametrize("attack", [SwappedWithin, RandomLabels, PoisonedSamples])
def test_lies_within_ones_own_classes_cost_little_under_hardened_rules(parties, attack):
    """Half of all messages bogus: at most 5 points below the same game without (measured: at most 1)."""
    fair = Consortium(parties, **TERMS)
    foul = Consortium([lying(party, attack, 0.5) for party in parties], **TERMS)
    for consortium in (fair, foul):
        consortium.calibrate(2, 60, progress=False)
    assert _accuracy(foul) > _accuracy(fair) - 0.05


def test_duplicates_move_the_models_once(parties):
    """In one block a second copy is known already; in a later one it is a duplicate (hardened)."""
    members = [lying(party, Duplicates) for party in parties]
    consortium = Consortium(members, **TERMS)
    tally = consortium.calibrate(3, 60, progress=False)
    assert tally.refused.get(KNOWN, 0) > 20
    assert tally.accepted == len(consortium.group.used)


def test_one_step_hmr_takes_every_lie(parties):
    """The baseline has no defence: the test that our attacks are attacks."""
    members = [lying(party, SwappedLabels) for party in parties]
    fair, foul = (OneStepHMR(given, seed=5, eta=0.2) for given in (parties, members))
    for server in (fair, foul):
        assert server.calibrate(2, 60, progress=False).refused == {}
    assert _accuracy(foul) < _accuracy(fair) - 0.05
