"""What holds for the tests of all rooms."""

import math

import pytest

from folkmoot import progress


@pytest.fixture(scope="session", autouse=True)
def quiet():
    """A run says after ten seconds how far it is: on a busy machine in the middle of what a test reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "_FIRST", math.inf)
        yield
