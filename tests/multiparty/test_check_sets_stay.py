"""A check set is never sent: who knew it could make a model that does well on it, and nowhere else."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_machines import CLASSES, MEMBERS, TERMS, clouds, party

from folkmoot.multiparty import Consortium, Party


def overlapping(number):
    """Most of its samples are in its check set, too: it was careless, or an application handed them in."""
    one = party(number)
    x, y = clouds(number, 80, one.model.classes)
    return Party(one.name, one.model, x, y, key=one.key, check=(x[:60], y[:60]))


def names(rows):
    return {np.asarray(row, np.float32).tobytes() for row in rows}


def test_what_is_also_in_the_check_set_is_not_revealed():
    """Before, it was, if it was among the party's own samples as well."""
    members = [overlapping(number) for number in range(MEMBERS)]
    consortium = Consortium(members, n_classes=CLASSES, seed=3, **TERMS)
    for one in members:
        shown = one.reveal(consortium.group, 64, np.random.default_rng(1))
        assert shown
        assert names(x for x, _ in shown) == names(one.x[60:])


def test_what_is_also_in_the_check_set_is_not_mined():
    members = [overlapping(number) for number in range(MEMBERS)]
    consortium = Consortium(members, n_classes=CLASSES, seed=3, **TERMS)
    found = [one.mine(consortium.group, 80, np.random.default_rng(1)) for one in members]
    assert any(found)
    for one, proposals in zip(members, found, strict=True):
        assert not names(proposal.x for proposal in proposals) & names(one.x[:60])


def test_where_they_share_nothing_the_same_samples_are_drawn():
    one = party(0)
    other = Party(one.name, one.model, one.x, one.y, key=one.key)
    consortium = Consortium([party(number) for number in range(MEMBERS)], n_classes=CLASSES, seed=3, **TERMS)
    shown, same = (p.reveal(consortium.group, 3, np.random.default_rng(1)) for p in (one, other))
    assert [(x.tolist(), y) for x, y in shown] == [(x.tolist(), y) for x, y in same]


def test_a_zero_below_zero_is_a_zero():
    """As an application may hand it in: the same numbers, in other bytes."""
    one = party(0)
    x, y = clouds(0, 80, one.model.classes)
    x[:, 0] = 0.0
    twin = x.copy()
    twin[:, 0] = -0.0
    members = [Party(one.name, one.model, twin, y, key=one.key, check=(x[:60], y[:60])), *map(party, range(1, MEMBERS))]
    consortium = Consortium(members, n_classes=CLASSES, seed=3, **TERMS)
    shown = [x for x, _ in members[0].reveal(consortium.group, 64, np.random.default_rng(1))]
    shown += [proposal.x for proposal in members[0].mine(consortium.group, 80, np.random.default_rng(1))]
    assert shown
    assert not any((sample == x[:60]).all(axis=1).any() for sample in shown)
