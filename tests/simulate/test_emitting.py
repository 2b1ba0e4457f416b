"""Machine code is made of what is called from outside, at once, and of the rest when it is asked for."""

import numba
import numpy as np
import pytest
from numba.core.codegen import JITCPUCodegen
from numba.extending import register_jitable

from folkmoot.simulation import emitting
from folkmoot.simulation.emitting import on_demand


def functions():
    """A kernel, a function of a user's that it calls, and what calls both; fresh ones."""

    @numba.njit
    def users(x):
        if x < 0:
            raise ValueError("negative")
        return 2.0 * x

    @register_jitable(no_cfunc_wrapper=True)
    def kernel(x):
        return users(x) + np.zeros(3)[0]

    @numba.njit
    def outermost(x):
        return kernel(x) + 1.0

    return users, kernel, outermost


@pytest.fixture
def added(monkeypatch):
    """Names of the modules that numba is given to make machine code of."""
    names, add = [], JITCPUCodegen._add_module

    def note(self, module):
        names.append(module.name)
        return add(self, module)

    monkeypatch.setattr(JITCPUCodegen, "_add_module", note)
    return names


def made(added, name):
    return sum(module.endswith(f".{name}") for module in added)


def test_kernels_wait_and_what_can_be_called_from_python_does_not(added):
    users, _, outermost = functions()
    outermost.compile = on_demand(outermost.compile)
    assert outermost(2.0) == 5.0
    assert [made(added, name) for name in ("users", "kernel", "outermost")] == [1, 0, 1]
    assert users(4.0) == 8.0
    for call in (users, outermost):
        with pytest.raises(ValueError, match="negative"):
            call(-1.0)


def test_what_has_waited_can_be_compiled_into_something_else(added):
    _, kernel, outermost = functions()
    outermost.compile = on_demand(outermost.compile)
    outermost(2.0)

    @numba.njit
    def another(x):
        return kernel(x) - 1.0

    assert another(2.0) == 3.0
    assert made(added, "another") == 1


def test_afterwards_numba_is_as_it_was(added):
    _, _, outermost = functions()
    outermost.compile = on_demand(outermost.compile)
    outermost(2.0)
    _, _, plain = functions()
    assert plain(2.0) == 5.0
    assert made(added, "kernel") == 1


def test_a_numba_without_these_names_compiles_as_it_does(added, monkeypatch):
    monkeypatch.setattr(emitting, "_OF_LIBRARY", ("gone",))
    emitting._waiting.cache_clear()
    _, _, outermost = functions()
    outermost.compile = on_demand(outermost.compile)
    try:
        assert outermost(2.0) == 5.0
    finally:
        emitting._waiting.cache_clear()
    assert made(added, "kernel") == 1
