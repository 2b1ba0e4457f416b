"""Records that were said once are presented again, and blocks that keep others from an exchange."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_machines import CLASSES, INPUTS, MEMBERS, TERMS, call, clouds, machine, party, played, until, whats

from folkmoot.encoding import encode
from folkmoot.ledger.contents import name_of
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.machine import Effects, Received
from folkmoot.multiparty import Consortium
from folkmoot.multiparty.chain.acts import Rotated
from folkmoot.multiparty.chain.answering import MOST_SLATES, salted
from folkmoot.multiparty.chain.exchange_rules import MOST_COMMITS, committed, exchanged, judges_of
from folkmoot.multiparty.chain.exchanged import (
    BallotNote,
    Candidate,
    Committed,
    ExchangeBlock,
    Gate,
    RecallNote,
    ShownNote,
    ballot_in,
    read_exchange,
    rows_of,
    said_of_ballot,
    said_of_candidate,
    said_of_checks,
    said_of_recalls,
    said_of_shown,
)
from folkmoot.multiparty.chain.records import COMMIT, EXCHANGE, OP, ROTATE, Head
from folkmoot.multiparty.chain.sheets import VOTE, Answer, Sheet, read_told, to_bytes
from folkmoot.multiparty.chain.signing import BALLOT, CANDIDATE, CHECKS, RECALLS, ROTATION, SHEET, SHOWN, signature_of
from folkmoot.multiparty.chain.talk import CONSORTIUM, ExchangeTold
from folkmoot.multiparty.chain.weighing import require_worth
from folkmoot.multiparty.chain.wishes import Wish, about
from folkmoot.multiparty.exchange.ballots import Judging
from folkmoot.multiparty.exchange.gate import decide
from folkmoot.multiparty.exchange.retraining import Retraining
from folkmoot.multiparty.exchange.revealing import EXCESS
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.signatures import SigningKey, public_key

LIAR = 3
SHORT = Retraining(steps=20)


def begun(**more):
    return played([party(n) for n in range(MEMBERS)], **more).play(1)


def blocks(play, number=0):
    return list(play.blocks(number))


def handed_in(play, what, records, sender=LIAR):
    """A liar asks all others, in this stage, to put these records into a block."""
    for number in range(MEMBERS):
        if number != sender:
            machine(play, number).wishes._records[sender] = what, tuple(records)


def test_an_old_commitment_does_not_come_back():
    """Before, whoever had one could put it on the chain again: its party was no judge any more."""
    members = [party(n) for n in range(MEMBERS)]
    consortium = Consortium(members, n_classes=CLASSES, seed=1, **TERMS)
    consortium.exchange(1, SHORT)
    old = consortium._chain.state
    made = []
    append = consortium._append
    consortium._append = lambda block: made.append(block) or append(block)
    consortium._parties[1] = replace(consortium._parties[1], check=clouds(9, 60, members[1].model.classes))
    consortium._commit()
    (block,) = made
    records = block.records[1:]
    state = consortium._chain.state
    assert state.checks[1] != old.checks[1]
    with pytest.raises(RefusedRecord, match="not signed by it, or an old one"):
        committed(state, records)
    first = salted(members[1], SigningKey(members[1].key))
    said = said_of_checks(1, first, 0)  # as it was signed the first time
    again = Committed(1, first, signature_of(SigningKey(members[1].key), CHECKS, state.origin, said))
    assert first == old.checks[1]
    with pytest.raises(RefusedRecord, match="not signed by it, or an old one"):
        committed(state, [again.to_bytes()])


def commitment_of(state, key, number, seed):
    one = salted(replace(party(number), check=clouds(seed, 60, party(number).model.classes)), key)
    said = said_of_checks(number, one, state.life.acts_of(number, CHECKS))
    return Committed(number, one, signature_of(key, CHECKS, state.origin, said)).to_bytes()


def test_a_commitment_that_stands_already_and_too_many_are_refused():
    consortium = Consortium([party(n) for n in range(MEMBERS)], n_classes=CLASSES, seed=1, **TERMS)
    consortium._commit()
    state, key = consortium._chain.state, SigningKey(party(1).key)
    said = said_of_checks(1, state.checks[1], 1)
    same = Committed(1, state.checks[1], signature_of(key, CHECKS, state.origin, said)).to_bytes()
    with pytest.raises(RefusedRecord, match="stands on the chain already"):
        committed(state, [same])
    for seed in range(MOST_COMMITS - 1):
        state = committed(state, [commitment_of(state, key, 1, seed)])
    with pytest.raises(RefusedRecord, match="committed too often without judging anything"):
        committed(state, [commitment_of(state, key, 1, 77)])


def test_one_that_commits_again_and_again_keeps_nobody_from_an_exchange():
    """Before, each of its commitments was a block that came between, and there was no end to them."""
    play = begun()
    call(play)
    key, seeds = SigningKey(party(LIAR).key), iter(range(100, 1000))
    while play.round < 30 and EXCHANGE not in whats(play):
        state = machine(play, 0).chain.state._replace(origin=machine(play, 0).chain.genesis.hash)
        handed_in(play, COMMIT, [commitment_of(state, key, LIAR, next(seeds))])
        play.play(1)
    assert whats(play).count(COMMIT) <= MOST_COMMITS + 1
    assert EXCHANGE in whats(play)


def test_blocks_of_one_party_wait_while_an_exchange_is_under_way():
    """Before, one that changed its key in every round kept the others from an exchange for good."""
    play = begun()
    call(play)
    play.play(1)
    keys = [SigningKey(party(LIAR).key), *(SigningKey(bytes([100 + n]) * 32) for n in range(60))]
    while play.round < 30 and EXCHANGE not in whats(play):
        done = whats(play).count(ROTATE)
        for number in range(MEMBERS - 1):
            own = machine(play, number)
            act = rotation(own.chain, keys[done], keys[done + 1], done)
            own.wishes.acts[about(act)] = Wish(act, LIAR, True)
        play.play(1)
    assert EXCHANGE in whats(play)
    play.play(4)
    assert ROTATE in whats(play)  # afterwards it is the turn of the others


def rotation(chain, last, new, before):
    act = Rotated(LIAR, public_key(new), before, chain.height + 60, b"", b"")
    old, fresh = (signature_of(key, ROTATION, chain.genesis.hash, act.said()) for key in (last, new))
    return act._replace(old=old, new=fresh)


def alone(own, each=3, samples=0):
    """The records of an exchange in which one party has said everything, and has taken its own candidate back."""
    answering, state = own.answering, own.chain.state
    previous = own.chain.tip
    shown = [answering_sample(answering, n) for n in range(samples)]
    model = state.committee.fleet.model(LIAR)
    moved = model.moved_to(model.weights.astype(float) + 1.0, model.intercepts.astype(float))
    one = Candidate(LIAR, encode(model.settings()), name_of(moved.to_bytes()), b"")
    one = one._replace(signature=answering._signed(CANDIDATE, said_of_candidate(previous, one)))
    fleet, (x, y) = state.committee.fleet, own.data.check
    after = Fleet([moved if n == LIAR else fleet.model(n) for n in range(len(fleet))], CLASSES)
    judging = Judging(LIAR, y, fleet.scores(x), after.scores(x), fleet.claims)
    recalls = RecallNote(LIAR, True, rows_of(judging.recalls(True)), b"")
    said = said_of_recalls(previous, [one], recalls)
    recalls = recalls._replace(signature=answering._signed(RECALLS, said))
    ballot = BallotNote(LIAR, (), rows_of(judging.ballot((), np.ones(len(fleet), bool)).counts), b"")
    ballot = ballot._replace(signature=answering._signed(BALLOT, said_of_ballot(previous, [one], [], ballot)))
    judges, claims = judges_of(state), fleet.claims
    found = decide(lambda reverted: {LIAR: ballot_in(ballot)}, [LIAR], judges, claims)
    gate = Gate("exchange", each, found.accepted, found.reverted, found.gain)
    return ExchangeBlock(gate, tuple(shown), (one,), (recalls,), (ballot,)).to_records()


def answering_sample(answering, number):
    """One of many that a liar reveals: more than anybody may."""
    content = encode(np.full(INPUTS, number, np.float32))
    answering._own.chain.state.contents.put(content)
    for other in ALL:
        other.put(content)
    note = ShownNote(LIAR, name_of(content), LIAR, -1, b"", EXCESS if number >= 3 else "")
    return note._replace(signature=answering._signed(SHOWN, said_of_shown(answering._own.chain.tip, note)))


ALL = []


def test_an_exchange_that_one_party_holds_alone_uses_up_none():
    """Before, each of these was a block: with as many as the members had agreed on there was no other exchange."""
    play = begun()
    call(play)
    until(play, 1)
    machine(play, 0).convening._end("", Effects())
    own, before = machine(play, LIAR), play.round
    while play.round < before + 12:
        handed_in(play, EXCHANGE, alone(own))
        play.play(1)
    assert EXCHANGE not in whats(play)
    assert machine(play, 0).exchanges == 0
    call(play)
    assert until(play, 2, most=40) == [COMMIT, EXCHANGE]


def test_an_exchange_with_more_samples_than_may_be_revealed_is_no_block():
    """Refused samples are kept for good: before, one party could fill everybody's disk with them."""
    play = begun()
    call(play)
    until(play, 1)
    own = machine(play, 0)
    own.exchanges = 0
    state = own.chain.state
    records = made_whole(play, 40)
    with pytest.raises(RefusedRecord, match="more exchanges, or samples, than the members have agreed on"):
        require_worth(state, [HEAD, *records], own.role.exchanging, 0)
    require_worth(state, [HEAD, *made_whole(play, 6)], own.role.exchanging, 0)
    with pytest.raises(RefusedRecord, match="more exchanges, or samples, than"):
        require_worth(state, [HEAD, *made_whole(play, 6)], own.role.exchanging, own.role.exchanging.most)


HEAD = Head(EXCHANGE, 0, bytes(32), OP, 1).to_bytes()


def made_whole(play, samples):
    """Records with so many samples of the liar, and all judges' words; only what is counted is as it should be."""
    own = machine(play, LIAR)
    block = read_exchange(alone(own, samples=samples))
    told = tuple(block.recalls[0]._replace(judge=number) for number in range(MEMBERS))
    return block._replace(recalls=told).to_records()


def answers_to(play, records, asked, number=1):
    own, other = machine(play, LIAR), machine(play, number)
    sheet = Sheet(LIAR, own.chain.tip, VOTE, 3, tuple(records), asked, b"")
    sheet = sheet._replace(signature=signature_of(own.key, SHEET, own.chain.genesis.hash, sheet.said()))
    inbox = [Received(LIAR, CONSORTIUM.to_bytes(ExchangeTold(to_bytes(sheet))))]
    effects = other.step(other.next, inbox, [], [])
    messages = [CONSORTIUM.from_bytes(data, (MEMBERS,)) for _, data in effects.send]
    told = [read_told(one.content) for one in messages if isinstance(one, ExchangeTold)]
    return [one for one in told if isinstance(one, Answer)], [notice.reason for notice in effects.noticed]


def candidate_of(own, step):
    """One of many that differ a little, to find out of the votes what is in a check set."""
    model = own.chain.state.committee.fleet.model(LIAR)
    moved = model.moved_to(model.weights.astype(float), model.intercepts.astype(float) + step).to_bytes()
    one = Candidate(LIAR, encode(model.settings()), name_of(moved), b"")
    said = said_of_candidate(own.chain.tip, one)
    return one._replace(signature=own.answering._signed(CANDIDATE, said)).to_bytes(), moved


def test_votes_are_no_oracle():
    """A caller that asks about one candidate after another: two are voted on about one block, and there are so many
    blocks about which it is answered as the members have agreed on exchanges. Before, 64 of them about each of 16."""
    play = begun()
    call(play)
    until(play, 1)
    machine(play, 0).convening._end("", Effects())
    own, other = machine(play, LIAR), machine(play, 1)
    heard, reasons = 0, []
    for number in range(40):
        record, content = candidate_of(own, 0.01 * (number + 1))
        other.answering.contents[name_of(content)] = content
        answers, noticed = answers_to(play, [record], ((),))
        heard += len(answers)
        reasons += noticed
    assert (heard, set(reasons)) == (MOST_SLATES, {"asked too often"})


def test_no_more_sets_of_candidates_are_voted_on_than_a_gate_asks_about():
    play = begun()
    call(play)
    until(play, 1)
    own, other = machine(play, LIAR), machine(play, 1)
    record, content = candidate_of(own, 0.5)
    other.answering.contents[name_of(content)] = content
    assert answers_to(play, [record], ((0,),)) == ([], ["malformed"])  # no candidate of its
    assert len(answers_to(play, [record], ((), (LIAR,)))[0]) == 1


def test_records_of_another_exchange_consortium_or_key_are_none_here():
    """Those of an older block, of the same consortium under another charter, of an old key, of one that has left."""
    consortium = Consortium([party(n) for n in range(MEMBERS)], n_classes=CLASSES, seed=1, **TERMS)
    consortium._commit()
    made, before, append = [], consortium._chain, consortium._append
    consortium._append = lambda block: made.append(block) or append(block)
    consortium.exchange(2, SHORT)
    records, tip = made[0].records[1:], before.tip
    exchanged(before.state, tip, records)  # there it holds
    for state, previous in (
        (before.state, consortium._chain.tip),
        (before.state._replace(origin=b"y" * 32), tip),
    ):
        with pytest.raises(RefusedRecord, match="not signed by party"):
            exchanged(state, previous, records)
    consortium.rotate("p2")  # even if the block before were the same
    with pytest.raises(RefusedRecord, match=r"not signed by party 2 \(p2\)"):
        exchanged(consortium._chain.state, tip, records)
    consortium.leave("p1")
    with pytest.raises(RefusedRecord, match="party 1: there is none"):
        exchanged(consortium._chain.state, tip, records)
