"""How far a model is from those of the original parties: told before it is asked about, and in a refusal."""

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from test_life import begun, party


@pytest.mark.parametrize("more", [{}, {"approvals": 2}, {"approvals": 0}])
def test_a_newcomer_knows_its_distances_before_it_asks(more):
    one, fay = begun(**more), party(21, "fay", "regular", (1, 2))
    height, told = one.chain.height, one.distances(fay)
    assert list(told) == ["ada", "bob", "cyd", "dan"]
    assert one.chain.height == height
    found = one.register(fay)
    assert found.admitted
    assert found.distance in told.values()


def test_a_party_knows_those_of_another_model_and_a_refusal_says_number_and_bound():
    one = begun(omega=0.05)
    bob = party(31, "bob")
    told = one.distances(bob)
    assert list(told) == ["ada", "cyd", "dan"]
    assert max(told.values()) > 0.05
    far = begun(omega=0.0, approvals=2)
    found = far.update(bob)
    assert (found.admitted, found.reason, found.bound) == (False, "distance", 0.0)
    assert found.distance == far.distances(bob)[found.by]
    assert str(found) == f"bob: refused by ada as distance: {found.distance:.3g}, at most 0 is allowed (omega)"
    new = begun(omega=0.0, approvals=0).register(party(21, "fay", "regular", (1, 2)))
    assert (new.reason, new.bound) == ("distance", 0.0)


def test_a_party_that_there_is_keeps_its_kind():
    one = begun()
    assert one.distances(party(31, "eve", "regular", (0, 1))).keys() == {"ada", "bob", "cyd", "dan"}
    assert str(one.registrations[0]).startswith("eve: admitted by ada, distance 0")
    with pytest.raises(ValueError, match=r"^party ada: on the chain it is original$"):
        one.distances(party(31, "ada", "regular", (0, 1)))
