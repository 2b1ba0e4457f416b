"""Who names samples or a model and does not hand them over, or shows different ones to different members."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_machines import CLASSES, MEMBERS, call, machine, models, party, played, until, whats

from folkmoot.encoding import decode, encode
from folkmoot.ledger.contents import name_of
from folkmoot.machine import Received
from folkmoot.multiparty.chain.convening import WRITTEN
from folkmoot.multiparty.chain.exchanged import Candidate, ShownNote, said_of_candidate, said_of_shown
from folkmoot.multiparty.chain.records import COMMIT, EXCHANGE
from folkmoot.multiparty.chain.sheets import CHECKS, REVEAL, TRAIN, VOTE, Answer, Sheet, read_told, to_bytes
from folkmoot.multiparty.chain.signing import CANDIDATE, SHEET, SHOWN, signature_of
from folkmoot.multiparty.chain.talk import CONSORTIUM, ExchangeTold, Given

LIAR = 3


def begun(**more):
    """Four members; the last one is to lie."""
    return played([party(n) for n in range(MEMBERS)], **more).play(1)


def shown(answering, x, label=LIAR):
    content, previous = encode(x), answering._own.chain.tip
    note = ShownNote(LIAR, name_of(content), label, -1, b"", "")
    return note._replace(signature=answering._signed(SHOWN, said_of_shown(previous, note))).to_bytes(), content


def nothing(answering, records, contents):
    return records, []


def another(answering, records, contents):
    """Each digest is opened with other bytes."""
    return records, [encode(np.full(6, n, np.float32)) for n in range(len(contents))]


def shapeless(answering, records, contents):
    record, content = shown(answering, np.zeros(9, np.float32))
    return [record, *records[-1:]], [content]


def endless(answering, records, contents):
    record, content = shown(answering, np.full(6, np.inf, np.float32))
    return [record, *records[-1:]], [content]


WAYS = {nothing: "withheld", another: "withheld", shapeless: "malformed", endless: "malformed"}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_samples_that_are_named_and_not_handed_over_stop_nobody(way):
    """Before, nobody could train on what is not there: no exchange came about. And with a candidate of the liar's own
    that needs no sample, the member that had called for the exchange ended with a KeyError."""
    play = begun()
    answering = machine(play, LIAR).answering
    reveals, here, trains = answering._reveals, answering._all_here, answering._trains
    answering._reveals = lambda *told: way(answering, *reveals(*told))
    answering._all_here = lambda sheet, block: sheet.phase == TRAIN or here(sheet, block)
    answering._trains = lambda state, data, sheet, block, number: trains(
        state, data, sheet, block._replace(shown=()), number
    )
    call(play)
    assert until(play, 2) == [COMMIT, EXCHANGE]
    assert {(sender, reason) for by, sender, reason, _ in play.noticed if by != LIAR} == {(LIAR, WAYS[way])}
    assert machine(play, 0).convening.said.startswith("accepted")
    assert len({tuple(models(machine(play, number).chain)) for number in range(MEMBERS)}) == 1


def told(data):
    message = CONSORTIUM.from_bytes(data, (MEMBERS,))
    return read_told(message.content) if isinstance(message, ExchangeTold) else message


@pytest.mark.parametrize("late", [False, True], ids=["to one alone", "with the last stage of a round"])
def test_samples_that_only_one_gets_or_late_reach_all(late):
    """Whoever has called has them, and hands them on by their digests."""

    def tampered(moment, sender, receiver, data):
        if sender != LIAR or not isinstance(one := told(data), Answer | Given):
            return data
        if late and isinstance(one, Answer) and one.contents:
            return data if moment.stage == 6 or receiver == 1 else None
        return data if receiver == 0 or (isinstance(one, Answer) and not one.contents) else None

    play = begun()
    call(play)
    play._tampered = tampered
    assert until(play, 2) == [COMMIT, EXCHANGE]
    assert machine(play, 0).convening.said.startswith("accepted")
    assert len({tuple(models(machine(play, number).chain)) for number in range(MEMBERS - 1)}) == 1


def test_a_candidate_without_its_bytes_is_none():
    play = begun()
    answering = machine(play, LIAR).answering
    trains = answering._trains
    answering._trains = lambda *what: (trains(*what)[0], [])
    before = models(play.chains[0])
    call(play)
    assert until(play, 2) == [COMMIT, EXCHANGE]
    after = models(play.chains[0])
    assert after[LIAR] == before[LIAR]
    assert after != before
    assert (0, LIAR, "withheld") in {notice[:3] for notice in play.noticed}


def test_two_candidates_for_one_slot_shown_to_different_members_are_one_or_none():
    """Each member votes on what stands on the sheet, by its digest, whatever else it has seen of the liar."""
    play = begun()
    own = machine(play, LIAR)
    answering, tell, shown_to = own.answering, own.tell, []

    def twice(answer, effects, to):
        candidates = [answer.records[0]] if isinstance(answer, Answer) and answer.contents else []
        tell(answer, effects, to)
        if candidates and own.convening.each == 0 and decode(candidates[0])[0] == "candidate":
            model = own.chain.state.committee.fleet.model(LIAR)
            other = model.moved_to(model.weights.astype(float) + 1.0, model.intercepts.astype(float)).to_bytes()
            settings = encode(model.settings())
            one = Candidate(LIAR, settings, name_of(other), b"")
            said = said_of_candidate(own.chain.tip, one)
            record = one._replace(signature=answering._signed(CANDIDATE, said)).to_bytes()
            second = answer._replace(records=(record,), contents=(other,), signature=b"")
            signature = answering._signed("answer", second.said())
            for member in (1, 2):
                tell(second._replace(signature=signature), effects, member)
                shown_to.append(member)

    own.tell = twice
    call(play)
    assert until(play, 2) == [COMMIT, EXCHANGE]
    assert len({tuple(models(machine(play, number).chain)) for number in range(MEMBERS)}) == 1
    assert {by for by, *_ in play.noticed} <= {LIAR}
    assert shown_to[:2] == [1, 2]


def sheet_of(own, phase, records, asked=(), each=3):
    sheet = Sheet(LIAR, own.chain.tip, phase, each, tuple(records), asked, b"")
    return sheet._replace(signature=signature_of(own.key, SHEET, own.chain.genesis.hash, sheet.said()))


@pytest.mark.parametrize("label", [CLASSES, 4095])
def test_a_sheet_with_a_class_that_there_is_not_is_answered_by_nobody(label):
    """Before, whoever answered it ended with an IndexError."""
    play = begun()
    call(play)
    until(play, 1)
    own, other = machine(play, LIAR), machine(play, 1)
    record, content = shown(own.answering, np.zeros(6, np.float32), label)
    inbox = [Received(LIAR, CONSORTIUM.to_bytes(Given((content,))))]
    inbox += [Received(LIAR, CONSORTIUM.to_bytes(ExchangeTold(to_bytes(sheet_of(own, TRAIN, [record])))))]
    effects = other.step(other.next, inbox, [], [])
    assert [(one.sender, one.reason) for one in effects.noticed] == [(LIAR, "malformed")]
    assert not [data for _, data in effects.send if isinstance(told(data), Answer)]


def test_a_sheet_with_more_samples_than_may_be_revealed_is_answered_by_nobody():
    """Nor are their signatures looked at: 8,000 of them took a second."""
    play = begun()
    call(play)
    until(play, 1)
    own, other = machine(play, LIAR), machine(play, 1)
    record = shown(own.answering, np.zeros(6, np.float32))[0]
    records = [record] * (3 * len(party(LIAR).model.classes) + 1)
    inbox = [Received(LIAR, CONSORTIUM.to_bytes(ExchangeTold(to_bytes(sheet_of(own, TRAIN, records)))))]
    inbox += [Received(LIAR, CONSORTIUM.to_bytes(ExchangeTold(to_bytes(sheet_of(own, REVEAL, records[:1])))))]
    effects = other.step(other.next, inbox, [], [])
    assert [(one.sender, one.reason) for one in effects.noticed] == [(LIAR, "malformed")] * 2
    assert whats(play) == [COMMIT]


@pytest.mark.parametrize("phase", [CHECKS, VOTE])
def test_an_answer_that_comes_once_all_is_written_down_ends_nobody(phase):
    """Nobody need lie for that. Before, it was called malformed; and an empty one ended whoever had called."""
    held = []

    def tampered(moment, sender, receiver, data):
        if sender != LIAR or receiver != 0 or not isinstance(one := told(data), Answer):
            return data
        convening = machine(play, 0).convening
        if convening._sheet is None or convening._phase != phase or one.about != convening._sheet.digest:
            return data
        held.append(data)
        return None

    play = begun()
    play._tampered = tampered
    call(play)
    own = machine(play, 0)
    while own.convening._phase != WRITTEN or not held:
        play.play(1)
        assert play.round < 20
    effects = own.step(own.next, [Received(LIAR, held[-1])], [], [])
    assert not effects.noticed
