"""An exchange in which nobody reveals a sample: a pool without labels tells parties what is none of theirs."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("torch", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_digits import digits, linear_models, skewed

import folkmoot as fm
from folkmoot.multiparty import Consortium, Party


def parties():
    parts = [(classes, x[:60], y[:60], x[60:100], y[60:100]) for classes, x, y in skewed(n_classes=3)]
    models = linear_models([part[:3] for part in parts])
    return [
        Party(f"p{i}", model, x, y, check=(kept, labels))
        for i, (model, (_, x, y, kept, labels)) in enumerate(zip(models, parts, strict=True))
    ]


def test_a_pool_without_labels_teaches_what_is_none_of_mine(tmp_path):
    x, y = digits()
    pool, test = x[1200:1350], slice(1350, None)
    together = Consortium(parties(), ledger=tmp_path / "pool.ledger", predictor="mean")
    before = (together.predict(x[test]) == y[test]).mean()
    found = together.exchange(0, pool=pool)
    assert found.decision.accepted
    assert found.revealed == {f"p{i}": {} for i in range(10)}
    assert (together.predict(x[test]) == y[test]).mean() > before + 0.02  # 0.057 in the mean of three other seeds
    together.close()
    assert fm.ledger.open(tmp_path / "pool.ledger").verify().ok


def test_a_pool_of_another_shape_is_refused_before_anything_is_on_the_chain():
    together = Consortium(parties())
    with pytest.raises(ValueError, match=r"shape \(5, 3\)"):
        together.exchange(0, pool=np.zeros((5, 3)))
    assert together.exchange(0, pool=np.zeros((0, 64))).revealed["p0"] == {}
