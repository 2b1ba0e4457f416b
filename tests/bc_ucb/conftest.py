"""What tests of the ledger share."""

import pytest

from folkmoot.bc_ucb import evm


@pytest.fixture(scope="module")
def code():
    """The contract, compiled once for a file of tests."""
    return evm.compiled()


@pytest.fixture(autouse=True)
def compiled_once(request, monkeypatch):
    if "code" in request.fixturenames:
        found = request.getfixturevalue("code")
        monkeypatch.setattr(evm, "compiled", lambda: found)
