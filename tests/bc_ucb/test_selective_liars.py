"""Liars that tell some what they do not tell others: no block is stopped where most of the drawn are honest."""

import numpy as np
import pytest
from liars import BURN_IN, SELECTIVE, LiarsTable, liars_game, played, silent_towards_some
from made_round import K, M, first_chain, full_round, identities, keys
from test_participant import after_burn_in, reasons, step

from folkmoot.agreement.messages import Ballots, Blocks, Want
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.bc_ucb.messages import GAME, Passed, ReportSent
from folkmoot.bc_ucb.passing import Late
from folkmoot.bc_ucb.protocol import play
from folkmoot.bc_ucb.records import NO_REPORT, REPORT, report_words
from folkmoot.bc_ucb.stages import REPORTING, SCREENING, stages
from folkmoot.encoding import Malformed
from folkmoot.machine import Effects

AT = stages(1)
ORIGIN = first_chain().state.origin


def blocks(table):
    return {record.round for record in table.records}


def lost(table, is_lost):
    """The table, on whose network messages are lost: (sender, receiver, message) says which."""
    send, addresses = table.network.send, table.network.addresses

    def some(now, sender, receiver, data):
        message = GAME.from_bytes(data, table.first.state.members.shape)
        for to in addresses:
            if to != sender and receiver in (None, to.participant) and not is_lost(sender, to, message):
                send(now, sender, to.participant, data)

    table.network.send = some
    return table


# --- Liars -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", SELECTIVE)
@pytest.mark.parametrize("m", [4, 7])
def test_a_liar_whose_report_some_do_not_get_stops_no_block(how, m):
    table = played(liars_game(m, 3, 8), SELECTIVE[how])
    assert len(table.fair_rounds()) >= 6
    assert table.fair_rounds() <= blocks(table)


def test_three_liars_of_ten_that_each_report_to_another_bare_majority_stop_no_block():
    table = played(liars_game(10, 0, 6), SELECTIVE["majority"])
    assert table.fair_rounds() == blocks(table)
    assert len(blocks(table)) >= 5


def test_with_random_functions_a_liar_that_reports_to_a_bare_majority_stops_no_block():
    table = played(liars_game(7, 1, 5, sortition="vrf"), SELECTIVE["majority"])
    assert len(blocks(table)) == 5


@pytest.mark.parametrize("stage", range(REPORTING, stages(2).total))
def test_a_liar_that_is_silent_towards_half_in_one_stage_stops_no_block(stage):
    table = played(liars_game(7, 5, 4), silent_towards_some(stage))
    assert table.fair_rounds() <= blocks(table)


def test_a_liar_that_is_silent_towards_half_in_every_stage_stops_no_block():
    table = played(liars_game(7, 5, 6), silent_towards_some(0, 99))
    assert table.fair_rounds() <= blocks(table)


# --- Losses ----------------------------------------------------------------------------------------------------------


def test_a_quarter_of_the_reports_lost_leaves_every_block_but_the_first():
    """Of 13, who hears 8 or fewer names nobody. In the first round nobody knows yet that messages get lost."""
    dice = np.random.default_rng(7)
    with LiarsTable(liars_game(13, 2, 6, liars=0), SELECTIVE["none"]) as table:
        lost(table, lambda sender, to, message: isinstance(message, ReportSent) and dice.random() < 0.25)
        table.play()
    assert blocks(table) >= set(range(BURN_IN + 2, BURN_IN + 7))


def test_without_faults_nothing_is_passed_on():
    game = liars_game(7, 3, 3, liars=0)
    with LiarsTable(game, SELECTIVE["none"]) as table:
        seen = []
        lost(table, lambda sender, to, message: seen.append(type(message)))
        table.play()
    assert not {Passed, Ballots, Want, Blocks}.intersection(seen)
    assert ReportSent in seen
    assert play(game, 0).chain.tip == table.watch.chains[-1].tip


# --- What is passed on -----------------------------------------------------------------------------------------------


def until(stage):
    """Four participants in a round in which all are validators, after this stage; and the round."""
    four, t = after_burn_in(), full_round(first_chain())
    four.lose = lambda *_: True
    for earlier in range(1, t):
        if earlier > 4:
            four.play(earlier)
    four.lose = lambda *_: False
    four.play(t, 0, stage)
    return four, t


def signed_report(t, m, number, previous=None):
    previous = first_chain().tip if previous is None else previous
    means = np.array([number, number], np.int64)
    said = ReportSent(0, previous, t, m, means, number, b"", b"", (), b"")
    words = report_words(ORIGIN, previous, t, m, said.report.body)
    return said._replace(signature=identities()[m].sign(REPORT, words))


def passed(t, *reports):
    return Passed(t, tuple(map(GAME.to_bytes, reports)))


def test_attack_of_junk_that_is_passed_on_shuts_out_no_report():
    """Two junk reports of a liar before the one that is named: counted by who sent them, not by whose they are."""
    t = 9
    late, junk, named = Late(2), [signed_report(t, 3, n) for n in (1, 2, 4)], signed_report(t, 3, 3)
    for n, report in enumerate(junk[:2]):
        late.take(3, report, b"%d" % n)
    with pytest.raises(Rejected, match="too many"):
        late.take(3, junk[2], b"2")
    late.take(1, named, b"named")
    assert late.found([], keys(), ORIGIN) == []
    late.wanted.add(b"named")
    (found,) = late.found([], keys(), ORIGIN)
    assert found.message is named
    assert late.found([], keys(), ORIGIN) == []


def test_attack_of_a_named_report_that_is_not_signed_is_not_held():
    late = Late(4)
    late.wanted.add(b"named")
    late.take(1, signed_report(9, 3, 3)._replace(signature=bytes(64)), b"named")
    assert late.found([], keys(), ORIGIN) == []
    late.take(2, signed_report(9, 3, 3), b"named")
    assert len(late.found([], keys(), ORIGIN)) == 1
    late.take(1, signed_report(9, 3, 3), b"named")
    assert late.found([b"named"], keys(), ORIGIN) == []


def test_a_report_that_is_passed_on_late_is_held_if_a_value_names_it_and_is_never_named():
    four, t = until(SCREENING)
    node = four.nodes[0]
    names = node._work.named.names
    other = signed_report(t, 3, 12345)
    step(node, t, SCREENING + 1, (1, passed(t, other)))
    node._work.hold_late(Effects())
    assert len(node._work.held) == M
    assert node._work.named.names == names
    assert NO_REPORT not in names


def test_a_report_that_is_passed_on_in_time_is_as_good_as_sent():
    four, t = until(REPORTING)
    node, others = four.nodes[0], [signed_report(t, m, 100 + m) for m in (1, 2, 3)]
    effects = step(node, t, SCREENING, (1, passed(t, *others)))
    assert reasons(effects) == []
    assert NO_REPORT not in node._work.named.names
    assert effects.behind == []


@pytest.mark.parametrize("wrong", ["round", "previous", "other", "late", "signature"])
def test_attack_of_something_else_that_is_passed_on_is_refused(wrong):
    four, t = until(REPORTING)
    node, report = four.nodes[0], signed_report(t, 1, 100)
    told, at = passed(t, report), SCREENING
    if wrong == "round":
        told = passed(t, signed_report(t + 1, 1, 100))
    elif wrong == "previous":
        told = passed(t, signed_report(t, 1, 100, b"p" * 32))
    elif wrong == "other":
        told = Passed(t, (GAME.to_bytes(told),))
    elif wrong == "late":
        at = AT.prevote
    else:
        told = passed(t, replace_signature(report))
    effects = step(node, t, at, (1, told))
    assert len(reasons(effects)) == 1
    assert not node._work.held or {held.participant for held in node._work.held.values()} == {0}


def replace_signature(report):
    return report._replace(signature=bytes(64))


def test_more_reports_than_participants_are_no_message():
    with pytest.raises(Malformed, match="reports"):
        GAME.from_bytes(GAME.to_bytes(Passed(1, (b"",) * (M + 1))), (M, K))


def test_heights_in_what_is_passed_on_redirect_nothing():
    four, t = until(REPORTING)
    told = passed(t, signed_report(t, 1, 100)._replace(height=1 << 40))
    assert step(four.nodes[0], t, SCREENING, (1, told)).behind == []
