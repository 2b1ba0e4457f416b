"""Functions that wait for the one that Python calls: what runs is the same, and others are compiled as before."""

import numba
import numpy as np
import pytest

from folkmoot.simulation import merged_code
from folkmoot.simulation.compiled import compiler
from folkmoot.simulation.merged_code import in_one_piece


def pair(**options):
    """A function that calls another, and that other; both new."""

    def root(x, limit):
        if x > limit:
            raise ValueError("above the limit", x)
        return np.sqrt(x)

    inner = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(root)

    def outer(values, limit):
        total = np.zeros(1)
        for x in values:
            total[0] += inner(x, limit)
        return total[0]

    return numba.njit(**options)(outer), inner


def libraries(dispatcher):
    """The code of each of its signatures."""
    return [result.library for result in dispatcher.overloads.values()]


@pytest.fixture
def tried():
    if numba.__version__ not in merged_code._TRIED:
        pytest.skip(f"numba {numba.__version__}: not among those that were tried")
    return compiler().core.registry.cpu_target.target_context.codegen()


def test_what_is_called_waits_and_what_runs_is_the_same(tried):
    plain, merged = pair()[0], pair()
    in_one_piece(merged[0])
    values = np.array([1.0, 2.0, 3.0])
    assert merged[0](values, 4.0) == plain(values, 4.0)
    assert [library._finalized for library in libraries(merged[0])] == [True]
    assert [library._finalized for library in libraries(merged[1])] == [False]


def test_an_error_inside_comes_out_with_its_numbers(tried):
    merged, _ = pair()
    in_one_piece(merged)
    with pytest.raises(ValueError, match=r"above the limit") as caught:
        merged(np.array([1.0, 5.0]), 4.0)
    assert caught.value.args == ("above the limit", 5.0)


def test_what_is_called_knows_its_objects_of_python(tried, capfd):
    """Numba gives them to each function as it makes its machine code."""

    @numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
    def inner(x):
        print("seen", x)
        return x + 1.0

    def outer(x):
        return inner(x)

    merged = numba.njit(outer)
    in_one_piece(merged)
    assert merged(1.0) == 2.0
    assert capfd.readouterr().out == "seen 1.0\n"


def test_a_function_that_waited_serves_another_that_is_compiled_as_ever(tried):
    merged, inner = pair()
    in_one_piece(merged)
    assert merged(np.array([9.0]), 10.0) == 3.0

    @numba.njit
    def later(x):
        return inner(x, 100.0) + np.zeros(3)[0]

    assert later(16.0) == 4.0
    assert not isinstance(libraries(later)[0], merged_code._Waiting)


def test_others_are_compiled_as_ever_also_after_one_that_cannot_be(tried):
    before = tried._library_class

    def wrong(x):
        return x.nothing_of_that_name

    broken = numba.njit(wrong)
    in_one_piece(broken)
    with pytest.raises(numba.TypingError):
        broken(1.0)
    assert tried._library_class is before


def test_with_a_release_that_was_not_tried_numba_compiles_as_it_does(monkeypatch):
    monkeypatch.setattr(merged_code, "_TRIED", ())
    plain, inner = pair()
    in_one_piece(plain)
    assert plain(np.array([4.0]), 5.0) == 2.0
    assert not isinstance(libraries(plain)[0], merged_code._Waiting)
    assert [library._finalized for library in libraries(inner)] == [True]
