"""Names that have moved: each old one works, warns, and says where it is now."""

import importlib

import pytest

import folkmoot  # noqa: F401  it enters the names
from folkmoot import registry

MOVED = registry.places(registry.MOVED)


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_works_and_warns(old):
    module, _, name = old.rpartition(".")
    here = importlib.import_module(module)
    with pytest.warns(DeprecationWarning, match=f"{old} is now {MOVED[old].replace(':', '.')}".replace(".", r"\.")):
        found = getattr(here, name)
    assert found is registry.thing(MOVED[old])


def test_a_name_that_never_was_is_no_attribute():
    assert MOVED
    with pytest.raises(AttributeError, match="no attribute 'verdict'"):
        registry.moved("folkmoot.ledger", "verdict")
