"""Tickets: one outcome each, on the scale, for as long as its round counts."""

import asyncio
import math

import pytest

from folkmoot.node.store import Store
from folkmoot.node.tickets import BadOutcome, NoRound, Tickets, key_in


def open_tickets(low=0.0, high=10.0):
    tickets = Tickets(("a", "b"), low, high, 3)
    tickets.open(5, 1)
    return tickets


def test_all_requests_of_a_round_get_its_arm_and_a_ticket_of_their_own():
    tickets = open_tickets()
    first, second = tickets.decide(), tickets.decide()
    assert (first.arm, first.name, first.round) == (second.arm, second.name, second.round) == (1, "b", 5)
    assert first.ticket != second.ticket


def test_a_reward_is_put_on_the_scale_from_0_to_1():
    tickets = open_tickets(-5.0, 5.0)
    assert tickets.outcome(tickets.decide().ticket, 2.5)[1:] == (5, 0.75)
    assert tickets.outcome(tickets.decide().ticket, None)[1:] == (5, None)


@pytest.mark.parametrize("reward", [math.nan, math.inf, -0.1, 10.1, True, "3", [1], 1j])
def test_a_reward_off_the_scale_is_refused_in_one_line(reward):
    tickets = open_tickets()
    with pytest.raises(BadOutcome, match=r"^reward = .*expected a number from 0 to 10$"):
        tickets.outcome(tickets.decide().ticket, reward)


@pytest.mark.parametrize(
    "ticket", ["", "5", "6.abc.1", "0.abc.1", "x.abc.1", "5.1", "٥.abc.1", 7, None, "5.a.b.c", "5" * 90]
)
def test_no_ticket_is_refused_in_one_line(ticket):
    with pytest.raises(BadOutcome, match=r"^ticket = "):
        open_tickets().outcome(ticket, 1.0)


def test_a_reward_larger_than_any_float_is_refused_like_any_other():
    tickets = open_tickets()
    with pytest.raises(BadOutcome, match=r"^reward = 1000.*expected a number from 0 to 10$"):
        tickets.outcome(tickets.decide().ticket, 10**400)


def test_a_ticket_that_nobody_was_given_is_refused():
    tickets, others = open_tickets(), open_tickets()
    good = tickets.decide().ticket
    for made_up in ("5.bogus.1", "5.bogus.1.0", "4" + good[1:], "05" + good[1:], good[:-1], others.decide().ticket):
        with pytest.raises(BadOutcome, match=r"^ticket = .*: no such ticket was given$"):
            tickets.outcome(made_up, 1.0)
    assert tickets.outcome(good, 1.0)[:2] == (good, 5)


def test_tickets_are_good_after_a_restart(tmp_path):
    told = []
    for _ in range(2):
        store = Store(tmp_path / "one.sqlite")
        tickets = Tickets(("a", "b"), 0.0, 1.0, 3, key=key_in(store))
        tickets.open(5, 1)
        told.append(tickets.decide().ticket)
        assert tickets.outcome(told[0], 1.0)[:2] == (told[0], 5)
        store.close()
    assert told[0] != told[1]


def test_a_round_that_is_too_long_ago_is_refused():
    tickets = open_tickets()
    ticket = tickets.decide().ticket
    tickets.open(8, 0)
    assert tickets.outcome(ticket, 1.0)[1] == 5
    tickets.open(9, 0)
    with pytest.raises(BadOutcome, match="counts for 3 rounds, and this is round 9"):
        tickets.outcome(ticket, 1.0)


def test_between_rounds_there_is_nothing_to_play():
    tickets = Tickets(("a", "b"), 0.0, 1.0, 3)
    with pytest.raises(NoRound):
        tickets.decide()
    tickets.open(1, 0)
    tickets.close()
    with pytest.raises(NoRound):
        tickets.decide()


def test_a_decision_says_its_epoch():
    assert open_tickets().decide().epoch == 1
    later = Tickets(("a", "b"), 0.0, 1.0, 3, epoch=2)
    later.open(1, 0)
    assert (later.decide().epoch, later.decide().round) == (2, 1)


@pytest.mark.parametrize("epoch", [1, 2, 12])
def test_a_ticket_of_another_epoch_is_refused_in_the_same_sentence_whatever_its_round(epoch):
    given = Tickets(("a", "b"), 0.0, 1.0, 3, epoch)
    given.open(500, 0)
    ticket = given.decide().ticket
    for now in (1, 499, 500, 900):
        tickets = Tickets(("a", "b"), 0.0, 1.0, 3, epoch=3)
        tickets.open(now, 0)
        with pytest.raises(BadOutcome, match="of another epoch, whose outcomes count no more"):
            tickets.outcome(ticket, 1.0)


def test_who_waits_for_a_later_round_is_let_go_at_the_end():
    async def work():
        tickets = open_tickets()
        waiting = asyncio.create_task(tickets.opened(1_000, 3_600.0))
        await asyncio.sleep(0)
        tickets.end()
        await waiting
        await tickets.opened(1_000, 3_600.0)  # nor does anybody wait from now on
        with pytest.raises(NoRound):
            tickets.decide()

    asyncio.run(work())
