"""`charter show` of models: what changes them."""

import pytest

from folkmoot.node import enduring


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (0, "What moves the models: exchanges that a member asks for."),
        (3, "What moves the models: up to 3 samples of each member in a round, and exchanges that a member asks for."),
    ],
)
def test_exchanges_are_among_what_moves_models(wanted, told):
    lines = enduring.of_models([("site-1", "linear", (0, 1))], ["0", "1"], [6], wanted, "", 4, 3)
    assert lines[0] == f"Samples of shape [6], in 2 classes. {told}"
