"""Games with liars who sign what proves it: it gets into a block, nobody honest is framed, the chain goes on."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liars import BURN_IN, SELECTIVE, LiarsTable, liars_game, mute, played
from made_round import BURN_IN as FOUR_BURN_IN
from made_round import identities
from small_game import small_game
from test_participant import after_burn_in, reasons, step

from folkmoot.agreement.evidence import TWO_OF, evidence
from folkmoot.agreement.hand import Hand
from folkmoot.agreement.messages import PRECOMMIT, PREVOTE, Vote, verified, vote_words
from folkmoot.agreement.signed_messages import VALUE, Chained, members_digest, value_digest
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.evidence import (
    FALSE_OFFER,
    FALSE_PROOF,
    FAULT_KINDS,
    TWO_REPORTS,
    TWO_SETS,
    TWO_VALUES,
    culprit,
    ground_of,
)
from folkmoot.bc_ucb.messages import COMPARISON, GAME, Offer, ReportSent, SetsSent, Shown, comparison_words
from folkmoot.bc_ucb.pending import PENDING, Pending
from folkmoot.bc_ucb.protocol import Table
from folkmoot.bc_ucb.records import MOST_SHOWN, MOST_STATEMENT, REPORT, SETS, Named, named_words, report_words
from folkmoot.bc_ucb.shown import entering, proven
from folkmoot.bc_ucb.stages import ANSWERING, PULLING, REPORTING, SCREENING
from folkmoot.encoding import Malformed, decode, encode
from folkmoot.ledger.chain import propose
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.machine import Received

# Attacks that sign nothing that an honest participant could not have signed, and why.
NO_EVIDENCE = {
    "attack": "honest in everything",
    "sign_flip": "means are what a participant says they are",
    "constant": "means are what a participant says they are",
    "random": "means are what a participant says they are",
    "trim_window": "means are what a participant says they are",
    "promote_arm": "means are what a participant says they are",
    "drift": "means are what a participant says they are",
    "congest": "the arm that was pulled is not seen",
    "false_counts": "counts are compared in private",
    "withhold": "silence may be the network's",
    "allies_only": "whom a validator hears is its own affair",
    "forge": "a signature that does not hold is nobody's",
    "mute": "silence may be the network's",
    "bare_majority": "what does not arrive may have been lost",
    "to_one": "what does not arrive may have been lost",
    "all_but_one": "what does not arrive may have been lost",
    "to_nobody": "what does not arrive may have been lost",
    "late_report": "what comes late may have been delayed",
    "false_claim": "without an environment a reward is a claim; with one, a false one is not signed",
    "replay_old": "whoever has heard a message can send it again",
}


def told(data):
    """Numbers of the kinds of evidence in a state's faults, by culprit."""
    return {who: decode(one)[0] for who, one in data.faults}


def second_votes(to_whom):
    """A script: beside each own vote another one, to these only (None: to all)."""

    def script(liar, stage, said):
        found = [item for item in said if not isinstance(liar.read(item[1]), Shown)]
        for to, data in said:
            message = liar.read(data)
            if isinstance(message, Vote) and (to_whom is None or to in to_whom):
                words = vote_words(liar.chain.state.origin, message.phase, message.height, message.round, b"x" * 32)
                signature = Hand(liar.role.seed).sign(message.phase, message.round, words)
                found.append((to, GAME.to_bytes(message._replace(hash=b"x" * 32, signature=signature))))
        return found

    return script


def false_proofs(liar, stage, said):
    """A script: its sets are signed with another one's proof."""
    if stage != SCREENING or liar._work is None or not liar._work.drawn:
        return said
    found = []
    for to, data in said:
        message = liar.read(data)
        if isinstance(message, SetsSent):
            work, free = liar._work, Hand(liar.role.seed, (SETS, VALUE))
            value = Named.from_bytes(Chained.decode(message.content).value, *liar.chain.state.members.shape, True)
            value = work.signed(value._replace(proof=value.proof[::-1]), free)
            ((_, content),) = work.agreement(value.to_bytes(), free).step(0, [])
            data = GAME.to_bytes(SetsSent(message.round, content))
        found.append((to, data))
    return found


# --- What leaves evidence --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ATTACKS)
def test_a_listed_attack_leaves_evidence_in_a_block_or_none_can_be(name):
    attack = ATTACKS[name]()
    game = small_game(name, 4, 1, validators=8)
    with Table(game, 0) as table:
        for t in range(1, 17):
            table.play_round(t)
    found = told(table.watch.chains[-1].state)
    assert table.watch.chains[-1].height >= 3
    if name in NO_EVIDENCE:
        assert found == {}
    else:
        kind = TWO_VALUES if attack.validator == "equivocate" else TWO_REPORTS
        assert found == {int(np.flatnonzero(game.malicious)[0]): kind}


@pytest.mark.parametrize("hearers", [None, (0,), (1,), (0, 2)])
def test_attack_of_two_votes_that_only_some_hear_is_in_the_next_block(hearers):
    """Who hears both tells those who are drawn next."""
    table = played(liars_game(4, 1, 5), second_votes(hearers))
    assert told(table.watch.chains[-1].state) in ({3: TWO_OF[PREVOTE]}, {3: TWO_OF[PRECOMMIT]})
    first, *others = [record.shown for record in table.records]
    assert first == ()
    assert [len(shown) for shown in others] == [1] + [0] * (len(others) - 1)


def test_attack_of_two_reports_to_two_halves_is_evidence_once_they_are_passed_on():
    table = played(liars_game(7, 3, 4), SELECTIVE["halves"])
    assert told(table.watch.chains[-1].state) == {5: TWO_REPORTS, 6: TWO_REPORTS}


def test_attack_of_an_invalid_proof_in_agreed_sets_is_not_dropped_silently():
    table = played(liars_game(4, 1, 4, sortition="vrf"), false_proofs)
    assert told(table.watch.chains[-1].state) == {3: FALSE_PROOF}
    assert sum(reasons["no proof"] for address, reasons in table.noticed.items() if address.participant != 3) >= 3


def test_attack_of_an_invalid_proof_in_an_offer():
    with LiarsTable(liars_game(4, 1, 4, sortition="vrf"), mute) as table:
        for t in range(1, BURN_IN + 2):
            table.play_round(t)
        node, liar = table.hosts[table.honest[0]].machine, table._identities[3]
    work = node._work
    for drawn in (bytes(80), liar.prove(b"another question"), b""):
        offer = Offer(work.previous, work.round, 3, drawn, b"content", b"")
        words = comparison_words(work.origin, offer)
        offer = offer._replace(signature=liar.sign(COMPARISON, words))
        (notice,) = work.take_offer(verified(offer, liar.public_key, COMPARISON, words))
        assert (notice.sender, notice.reason) == (3, "no proof")
        assert decode(notice.evidence)[0] == FALSE_OFFER
        assert culprit(notice.evidence, ground_of(node.chain.state)) == 3


def test_a_second_set_in_a_block_is_evidence():
    """More than f lie: a block that would follow holds other sets of the liar than were agreed on here."""
    table = played(liars_game(4, 1, 2), lambda liar, stage, said: said)
    node = table.hosts[table.honest[0]].machine
    chain, record = table.watch.chains[-2], table.records[-1]
    work = Deliberation(0, Hand(table._seeds[0]), chain, record.round, node.role.params, None, node.rules)
    work.values = dict(record.sets)
    assert work.contradicting(record) == []
    named = Named.from_bytes(work.values[3], 4, 2, False)
    other = named._replace(members=~named.members)
    words = named_words(work.origin, work.previous, work.round, 3, other)
    other = other._replace(signature=Hand(table._seeds[3], (SETS,)).sign(SETS, work.round, words))
    (notice,) = work.contradicting(record._replace(sets=tuple(sorted({**work.values, 3: other.to_bytes()}.items()))))
    assert (notice.sender, decode(notice.evidence)[0]) == (3, TWO_SETS)
    assert culprit(notice.evidence, ground_of(node.chain.state)) == 3


# --- How it gets into a block ----------------------------------------------------------------------------------------


def shown_by(table, sender, round=99):
    """Evidence against this one."""
    said = []
    for letter in (b"a", b"b"):
        words = vote_words(table.first.state.origin, PREVOTE, 1, round, letter * 32)
        said.append(((1, letter * 32), Hand(table._seeds[sender]).sign(PREVOTE, round, words)))
    return evidence(TWO_OF[PREVOTE], FAULT_KINDS[TWO_OF[PREVOTE]].payload(sender, round, *said))


def named_with(*shown):
    return Named(b"", np.zeros((4, 2), np.bool_), (), shown, b"")


def test_what_enters_follows_from_the_agreed_values_alone():
    with LiarsTable(liars_game(4, 1, 1), mute) as table:
        state = table.first.state
        one, other, third = shown_by(table, 3), shown_by(table, 3, 98), shown_by(table, 2)
    junk, least = (b"", b"junk", one[:-1], one + b"\0", encode((1, 2))), min(one, other)
    for sets in (
        {0: named_with(one, third), 1: named_with(other)},
        {1: named_with(third, *junk[:3]), 2: named_with(other, one)},
    ):
        assert entering(state, sets) == tuple(sorted((least, third)))
    assert entering(state, {0: named_with(*junk[:4]), 1: named_with(*junk[1:])}) == ()
    after = state._replace(faults=proven(state, (least,)))
    assert after.faults == ((3, least),)
    assert entering(after, {0: named_with(one, third)}) == (third,)
    assert proven(after, (third,)) == ((2, third), (3, least))
    assert after.excluded == frozenset()


def test_attack_of_a_block_that_leaves_evidence_out_or_puts_it_in():
    table = played(liars_game(4, 1, 3), second_votes(None))
    chains, rules = table.watch.chains, table.hosts[table.honest[0]].machine.rules
    (at,) = [h for h, chain in enumerate(chains) if h and chain.state.last.shown]
    record, before = chains[at].state.last, chains[at - 1]
    other = shown_by(table, 2)
    for false in ((), (other,), tuple(sorted((*record.shown, other)))):
        block = propose(before, [record._replace(shown=false).to_bytes()])
        with pytest.raises(RefusedRecord, match="shown"):
            rules.step(before.state, block.header, block.records)
    block = propose(before, [record.to_bytes()])
    assert rules.step(before.state, block.header, block.records).faults == chains[at].state.faults != ()


def test_evidence_survives_a_crash_and_is_told_in_every_round_until_a_block_holds_it():
    four, t = after_burn_in(), FOUR_BURN_IN + 1
    four.play(t, PULLING, REPORTING)
    (message,) = four.of_kind(ReportSent, t, 1)
    second = message._replace(reward=message.reward + 1)
    words = report_words(four.nodes[0].chain.state.origin, message.previous, t, 1, second.report.body)
    second = second._replace(signature=identities()[1].sign(REPORT, words))
    four.inboxes[0].append(Received(1, GAME.to_bytes(second)))
    four.stage(t, ANSWERING)
    assert [shown for shown in four.of_kind(Shown, t) if shown.statement] == four.of_kind(Shown, t, 0) != []
    four.crash(0)
    (statement,) = four.nodes[0].statements()
    assert PENDING in four.hosts[0].kept.values
    four.lose = lambda *_: True
    four.play(t + 1)
    assert four.of_kind(Shown, t + 1, 0) == [Shown(statement)]
    four.lose = lambda *_: False
    for later in range(t + 2, t + 8):
        four.play(later)
    assert [node.statements() for node in four.nodes] == [()] * 4
    assert {node.chain.state.faults for node in four.nodes} == {((1, statement),)}
    assert not four.of_kind(Shown, t + 7)


def test_attack_of_statements_that_convict_nobody():
    four, t = after_burn_in(), FOUR_BURN_IN + 1
    node, state = four.nodes[0], four.nodes[0].chain.state
    effects = step(node, t, ANSWERING, *((2, Shown(bytes([n]) * MOST_STATEMENT)) for n in range(MOST_SHOWN)))
    assert (reasons(effects), effects.keep, node.statements()) == ([], [], ())
    assert reasons(step(node, t, SCREENING, (2, GAME.to_bytes(Shown(b"")) + bytes(MOST_STATEMENT)))) == ["malformed"]
    pending = Pending(state, {})
    assert not pending.add(state, b"")
    with pytest.raises(Malformed):
        Pending(state, {PENDING: encode((b"no evidence",))})
    with pytest.raises(Malformed):
        Pending(state, {PENDING: encode(7)})


# --- Nobody honest is framed -----------------------------------------------------------------------------------------


@cache
def honest_words(sortition):
    """What honest participant 0 has signed in two games with the same keys and other salts, and the grounds of both."""
    words, grounds = {TWO_REPORTS: [], TWO_SETS: [], TWO_VALUES: [], FALSE_PROOF: []}, []
    for horizon in (BURN_IN + 4, BURN_IN + 5):
        game = liars_game(4, 1, horizon - BURN_IN, sortition=sortition)
        with LiarsTable(game, mute) as table:
            send = table.network.send

            def heard(now, sender, receiver, data, table=table, send=send):
                if sender.participant == 0:
                    note(words, table, GAME.from_bytes(data, (4, 2)))
                send(now, sender, receiver, data)

            table.network.send = heard
            for t in range(1, horizon + 1):
                table.play_round(t)
        grounds.append(ground_of(table.first.state))
    assert grounds[0].keys == grounds[1].keys
    assert grounds[0].origin != grounds[1].origin
    return words, grounds


def note(words, table, message):
    """Remember (round, what was said, signature)."""
    work = table.hosts[table.honest[0]].machine._work
    if isinstance(message, ReportSent):
        said = (message.previous, message.report.body)
        words[TWO_REPORTS].append((message.round, said, message.signature))
    elif isinstance(message, SetsSent):
        inner = Chained.decode(message.content)
        if len(inner.signers) == 1:
            keys = [table.first.state.keys[m] for m in work.members()]
            named = Named.from_bytes(inner.value, 4, 2, work.validators is None)
            said = (work.previous, named.proof, named.body)
            words[TWO_SETS].append((message.round, said, named.signature))
            about = work.previous, members_digest(keys), min(1, len(keys) - 1), inner.general
            words[TWO_VALUES].append((message.round, (*about, value_digest(inner.value)), inner.signatures[0]))
            words[FALSE_PROOF].append((message.round, said, named.signature))


@pytest.mark.parametrize("sortition", ["coin", "vrf"])
def test_attack_of_framing_by_any_two_words_of_two_games_with_the_same_keys(sortition):
    words, grounds = honest_words(sortition)
    for number in (TWO_REPORTS, TWO_SETS, TWO_VALUES):
        assert len({round for round, _, _ in words[number]}) >= 4
        for ground in grounds:
            for slot, said, signature in words[number]:
                for _, other, second in words[number]:
                    payload = FAULT_KINDS[number].payload(0, slot, (said, signature), (other, second))
                    assert culprit(evidence(number, payload), ground) is None
    for ground in grounds:
        for round, said, signature in words[FALSE_PROOF]:
            for number in (FALSE_PROOF, FALSE_OFFER):
                assert culprit(evidence(number, (0, round, *said, signature)), ground) is None


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_attack_of_framing_by_fields_of_honest_words_in_any_arrangement(draw):
    words, grounds = honest_words(draw.draw(st.sampled_from(["coin", "vrf"])))
    pool = {int: {0, 1, 2, BURN_IN + 1, BURN_IN + 2}, bytes: {b"", bytes(32), bytes(64), bytes(80)}}
    for round, said, signature in (one for told in words.values() for one in told):
        for field in (round, *said, signature):
            pool[type(field)].add(field)
    number = draw.draw(st.sampled_from([TWO_REPORTS, TWO_SETS, TWO_VALUES, FALSE_PROOF, FALSE_OFFER]))
    each = (*FAULT_KINDS[number].said, bytes) * 2 if number in words and number != FALSE_PROOF else (bytes,) * 4
    start = draw.draw(st.sampled_from(words[number] if number in words else words[FALSE_PROOF]))
    right = (*start[1], start[2]) * (len(each) // (len(start[1]) + 1))
    changed = draw.draw(st.sets(st.integers(0, len(each) - 1), max_size=3))
    fields = [
        draw.draw(st.sampled_from(sorted(pool[kind]))) if at in changed else right[at] for at, kind in enumerate(each)
    ]
    data = encode((number, draw.draw(st.integers(0, 3)), start[0], *fields))
    assert [culprit(data, ground) for ground in grounds] == [None, None]
