"""The interface: what may be registered, what happens by default, one look-up in Python and compiled."""

from typing import NamedTuple

import numpy as np
import pytest
from jitted import jit

from folkmoot import interface
from folkmoot.interface import GENERICS, Links, generic, implementation, implements, nothing_seen

OF_AN_ALGORITHM = {"init", "outbox", "late_outbox", "oversee", "select", "publish", "update"}
OF_AN_ALGORITHM |= {"publish_late", "update_late", "messages", "message_bytes", "verify", "decision"}
OF_THE_WORLD = {"objectives", "scalarise", "budget", "corrupt", "scene", "set_scene", "pay", "links", "draw_links"}


class Blank(NamedTuple):
    """A record nothing is registered for."""

    n_agents: int


class Even(NamedTuple):
    """A record with one function of its own."""

    n_agents: int


class Odd(NamedTuple):
    """The same fields, another type: another function."""

    n_agents: int


@implements(Even)
def messages(params, state, i, t, seen, n_neighbours):
    return 2 * n_neighbours


@implements(Odd)
def messages(params, state, i, t, seen, n_neighbours):  # noqa: F811
    return 2 * n_neighbours + 1


def fresh():
    class Fresh(NamedTuple):
        n_agents: int

    return Fresh


# --- Registering ------------------------------------------------------------------------------------------


def test_the_generics_are_those_of_the_documentation():
    assert set(GENERICS) >= OF_AN_ALGORITHM | OF_THE_WORLD


def test_an_unknown_name_is_refused_with_the_known_ones():
    def selct(params, state, i, t, coins):
        return 0

    with pytest.raises(TypeError, match=r"^selct: no such interface function; there are .*select.*$"):
        implements(fresh())(selct)


def test_other_arguments_are_refused_with_the_right_ones():
    def select(params, state, i, t):
        return 0

    with pytest.raises(TypeError, match=r"^select must take \(params, state, i, t, coins\)$"):
        implements(fresh())(select)


def test_arguments_in_another_order_are_refused():
    def select(params, state, t, i, coins):
        return 0

    with pytest.raises(TypeError, match=r"^select must take"):
        implements(fresh())(select)


def test_registering_twice_is_refused_and_changes_nothing():
    record = fresh()

    def select(params, state, i, t, coins):
        return 1

    first = implements(record)(select)
    with pytest.raises(ValueError, match=r"^select is already defined for .*Fresh: .*run its cell again"):
        implements(record)(lambda_free_select())
    assert implementation(record, "select") is first


def lambda_free_select():
    def select(params, state, i, t, coins):
        return 2

    return select


def test_a_refused_function_is_not_registered():
    record = fresh()

    def select(params):
        return 1

    with pytest.raises(TypeError):
        implements(record)(select)
    assert implementation(record, "select") is GENERICS["select"]


def test_a_registered_function_is_returned_unchanged():
    function = lambda_free_select()
    assert implements(fresh())(function) is function


# --- One look-up, two ways --------------------------------------------------------------------------------


@jit
def compiled_messages(params, n_neighbours):
    return interface.messages(params, 0, 0, 1, None, n_neighbours)


@pytest.mark.parametrize(("record", "expected"), [(Blank, 7), (Even, 14), (Odd, 15)])
def test_the_type_of_the_record_picks_the_function(record, expected):
    assert interface.messages(record(3), 0, 0, 1, None, 7) == expected
    assert compiled_messages(record(3), 7) == expected


def test_a_new_generic_dispatches_too():
    @generic
    def greet(record):
        return 1

    try:
        assert greet(Blank(1)) == 1
        assert "greet" in GENERICS
    finally:
        del GENERICS["greet"]


# --- Defaults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("box", [interface.outbox, interface.late_outbox])
def test_by_default_an_algorithm_says_nothing(box):
    silence = box(Blank(3))
    assert silence.nothing.shape == (3, 0)
    assert silence.nothing.nbytes == 0


def test_by_default_the_steps_of_a_round_do_nothing():
    seen = nothing_seen(1)
    blank = Blank(1)
    assert interface.oversee(blank, None, 1, seen, np.zeros(2)) is None
    assert interface.publish(blank, None, 0, 1, seen, None) is None
    assert interface.update(blank, None, 0, 1, seen, None, None, None) is None
    assert interface.publish_late(blank, None, 0, 1, None) is None
    assert interface.update_late(blank, None, 0, 1, None, None) is None


def test_by_default_nature_decides_nothing():
    assert interface.scene(Blank(1)).size == 0
    assert interface.set_scene(Blank(1), 1, None, None) is None


@pytest.mark.parametrize(("function", "what"), [(interface.init, "algorithm"), (interface.links, "network")])
def test_what_has_no_default_says_so(function, what):
    with pytest.raises(TypeError, match=f"^this record type is no {what}: it does not implement {function.__name__}$"):
        function(Blank(1))


def test_links_name_the_row_of_an_agent():
    links = Links(np.array([0, 2]), np.array([1, 2]), np.array([1, 9, 0, 5], np.int32))
    row = links.neighbours[links.start[1] : links.start[1] + links.count[1]]
    assert row.tolist() == [0, 5]
