"""An exchange carried by machines: the same as in one program, whoever is away, lies, or comes back."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_machines import CLASSES, MEMBERS, SEED, TERMS, call, machine, models, party, played, until, whats

from folkmoot.agreement.signed_messages import Rejected
from folkmoot.machine import Effects, Moment, Received
from folkmoot.multiparty import Consortium
from folkmoot.multiparty.adaptive import exchange_liar
from folkmoot.multiparty.chain.answering import Answering
from folkmoot.multiparty.chain.exchanging import Exchanging
from folkmoot.multiparty.chain.records import COMMIT, EXCHANGE
from folkmoot.multiparty.chain.sheets import REVEAL, Answer, Sheet, read_told, to_bytes
from folkmoot.multiparty.chain.talk import CONSORTIUM, ExchangeTold, WishTold
from folkmoot.multiparty.party import Party


@pytest.fixture(scope="module")
def alone():
    """The same in one program."""
    found = Consortium([party(n) for n in range(MEMBERS)], n_classes=CLASSES, voted=True, seed=SEED, **TERMS)
    said = found.exchange(3)
    return found, said


def test_the_same_as_in_one_program(alone):
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    call(play)
    assert until(play, 2) == [COMMIT, EXCHANGE]
    consortium, said = alone
    assert said.decision.accepted
    assert machine(play, 0).convening.said == str(said.decision)
    for number in range(MEMBERS):
        assert models(machine(play, number).chain) == models(consortium.chain)
    assert machine(play, 3).chain.state.life.taught == consortium.chain.state.life.taught


def test_a_prediction_on_record_after_an_exchange_can_be_made_again(tmp_path):
    """The models have an output more since: the settings they came with are no longer theirs."""
    found = Consortium([party(n) for n in range(MEMBERS)], tmp_path / "a", n_classes=CLASSES, seed=SEED, **TERMS)
    assert found.exchange(3).decision.accepted
    found.predict_on_record(party(0).x[:5], found.parties[1].name, reveal=True)
    assert found.predicted_alike(found.chain.height)
    found.close()


def test_one_that_lies_in_every_way_is_one_that_lies_in_one_program(alone):
    """As many lies as it expects to pass the gate, votes for what hurts, slander, and a wrong candidate."""
    ways = {"shows": "dosed", "votes": "contrary", "recalls": "slander", "candidate": "wrong"}
    members = [party(0), exchange_liar(party(1), **ways), party(2), party(3)]
    play = played(members).play(1)
    call(play, 2)
    until(play, 2)
    found = Consortium(members, n_classes=CLASSES, voted=True, seed=SEED, **TERMS)
    found.exchange(3)
    assert whats(play) == [COMMIT, EXCHANGE]
    assert [models(machine(play, number).chain) for number in range(MEMBERS)] == [models(found.chain)] * MEMBERS


def test_one_that_is_killed_between_goes_on_and_one_that_is_away_is_not_waited_for(alone):
    """Member 1 restarts in the middle; then another exchange without member 3, which hears nothing at all."""
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    call(play)
    play.play(1)
    play.hosts[1].restart()
    play.hosts[0].restart()  # also the one that has called for it
    until(play, 2)
    assert models(machine(play, 1).chain) == models(alone[0].chain)
    play._tampered = lambda moment, sender, receiver, data: None if 3 in (sender, receiver) else data
    call(play, 1, 2)
    assert until(play, 3, 1, 40) == [COMMIT, EXCHANGE, EXCHANGE]
    assert machine(play, 0).exchanges == 2
    with pytest.raises(ValueError, match="2 exchanges are on the chain: the members have agreed on no more"):
        call(play, 1, 2)
    play._tampered = lambda moment, sender, receiver, data: data
    play.play(6)
    assert models(machine(play, 3).chain) == models(machine(play, 0).chain)


def test_what_nobody_agreed_on_is_not_revealed():
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    with pytest.raises(ValueError, match="each = 4: expected 1 to 3"):
        call(play, 0, 4)
    own = machine(play, 0)
    own.role = replace(own.role, exchanging=Exchanging(each=4, most=2))  # it has agreed on more with itself
    call(play, 0, 4)
    play.play(5)
    assert whats(play) == []
    assert {reason for _, sender, reason, _ in play.noticed if sender == 0} == {"exchange"}
    other = played([party(n) for n in range(MEMBERS)], Exchanging()).play(1)
    with pytest.raises(ValueError, match="expected none, by the agreement of the members"):
        call(other)


def test_who_calls_and_gives_up_gets_no_more_samples_than_were_agreed_on():
    """Twice from one caller, four times in all; the count is on the disk. The same block once more costs nothing."""
    own, kept = machine(played([party(n) for n in range(MEMBERS)]), 0), {}
    sheet = Sheet(3, bytes(32), REVEAL, 3, (), (), bytes(64))

    def allowed(answering, caller, block):
        effects = Effects()
        try:
            answering._allow(sheet._replace(number=caller, previous=bytes([block]) * 32), effects)
        except Rejected:
            return False
        kept.update({item.key: item.value for item in effects.keep})
        return True

    assert [allowed(own.answering, 3, block) for block in (1, 1, 2, 3)] == [True, True, True, False]
    again = Answering(own, kept)
    assert [allowed(again, 3, 4), allowed(again, 3, 2)] == [False, True]
    assert [allowed(again, caller, 5 + caller) for caller in (0, 1, 2)] == [True, True, False]


def test_a_model_that_cannot_be_trained_further_is_no_candidate():
    class Fixed(Party):
        def retrained(self, model, foreign, how, generator):
            raise ValueError("no linear layer at the end of the module")

    members = [party(n) for n in range(MEMBERS)]
    members[2] = Fixed(**{name: getattr(members[2], name) for name in ("name", "model", "x", "y", "key", "check")})
    play = played(members).play(1)
    before = models(play.chains[0])
    call(play)
    assert until(play, 2) == [COMMIT, EXCHANGE]
    after = models(play.chains[0])
    assert after[2] == before[2]
    assert after != before


def told(data):
    message = CONSORTIUM.from_bytes(data, (MEMBERS,))
    return read_told(message.content) if isinstance(message, ExchangeTold) else message


def test_forged_words_of_an_exchange_count_for_nothing(alone):
    """Member 3 changes what it says, a byte at a time, and passes on what others say as its own."""
    chance = np.random.default_rng(3)

    def changed(moment, sender, receiver, data):
        if sender != 3 or not isinstance(CONSORTIUM.from_bytes(data, (MEMBERS,)), ExchangeTold):
            return data
        one = told(data)
        if isinstance(one, Sheet) or chance.integers(2):
            at = int(chance.integers(40, len(data)))
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        return CONSORTIUM.to_bytes(ExchangeTold(to_bytes(one._replace(number=2))))

    play = played([party(n) for n in range(MEMBERS)], tampered=changed).play(1)
    call(play)
    assert until(play, 2, most=40)[1] == EXCHANGE
    assert {sender for _, sender, _, _ in play.noticed} == {3}
    assert len({tuple(models(machine(play, number).chain)) for number in range(MEMBERS)}) == 1


def test_somebody_else_s_sheet_is_not_answered():
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    seen = []
    play._tampered = lambda moment, sender, receiver, data: seen.append(data) or data
    call(play)
    stages = (Moment(round, stage) for round in (2, 3, 4) for stage in range(7))
    while not (sheets := [one for one in map(told, seen) if isinstance(one, Sheet) and one.phase == REVEAL]):
        play.stage(next(stages))
    own = machine(play, 1)
    changed = [{"number": 2}, {"each": 1}, {"signature": bytes(64)}, {"records": (b"",)}, {"previous": bytes(32)}]
    inbox = [Received(2, CONSORTIUM.to_bytes(ExchangeTold(to_bytes(sheets[0]._replace(**one))))) for one in changed]
    effects = own.step(own.next, inbox, [], [])
    assert [(notice.sender, notice.reason) for notice in effects.noticed] == [
        *[(2, "signature")] * 4, (2, "old height"),
    ]  # fmt: skip
    assert not [data for _, data in effects.send if isinstance(told(data), Answer)]


def test_bytes_of_others_raise_nothing_in_an_exchange():
    """What was really said, damaged: 300 messages."""
    play, seen = played([party(n) for n in range(MEMBERS)]).play(1), []
    play._tampered = lambda moment, sender, receiver, data: seen.append(data) or data
    call(play)
    play.play(3)
    good = [data for data in seen if isinstance(CONSORTIUM.from_bytes(data, (MEMBERS,)), ExchangeTold | WishTold)]
    chance, own = np.random.default_rng(0), machine(play, 2)
    for _ in range(10):
        inbox = []
        for _ in range(30):
            data = bytearray(good[chance.integers(len(good))])
            for _ in range(int(chance.integers(1, 4))):
                data[chance.integers(11, len(data))] = chance.integers(256)
            inbox.append(Received(int(chance.integers(MEMBERS)), bytes(data[: chance.integers(12, len(data) + 1)])))
        own.step(own.next, inbox, [], [])
    assert whats(play, 2)[:1] == [COMMIT]


class Deep(Party):
    """It finds each set of candidates better than the one before: so one after the other is taken back."""

    def voted(self, ballot):
        counts = tuple(c._replace(lost=max(0, 3 - 2 * len(ballot.reverted)), won=1) for c in ballot.counts)
        return ballot._replace(counts=counts)


def test_as_many_candidates_are_taken_back_as_the_gate_wants():
    """Judges vote on as many sets of candidates as a gate can ask about, and the caller asks about no others."""
    names = ("name", "model", "x", "y", "key", "check")
    members = [Deep(**{name: getattr(party(n), name) for name in names}) for n in range(MEMBERS)]
    play = played(members).play(1)
    call(play)
    assert until(play, 2, most=40) == [COMMIT, EXCHANGE]
    found = Consortium(members, n_classes=CLASSES, voted=True, seed=SEED, **TERMS)
    said = found.exchange(3)
    assert len(said.reverted) == 2
    assert models(machine(play, 0).chain) == models(found.chain)
    assert not play.noticed
