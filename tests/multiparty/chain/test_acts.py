"""Leaving, expelling, other models and keys, several approvals, predictions: what a replay takes, and how lies fail."""

import random
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_acts import EVE, REGULAR, admit, apply, expel, leave, predict, put, rotate, signed, started, update
from made_voted import data, key, model, public

from folkmoot import ledger
from folkmoot.encoding import Malformed
from folkmoot.errors import OtherSide
from folkmoot.ledger.errors import InvalidBlock, RefusedRecord
from folkmoot.multiparty.chain.acts import Approval, Forged, Late, Repeated, TooFew, read_act, to_bytes, what_of
from folkmoot.multiparty.chain.checkpoints import Snapshot, read_snapshot, snapshot_of
from folkmoot.multiparty.chain.entries import entry
from folkmoot.multiparty.chain.messages import application, sample_message
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import Objection, OriginalParty
from folkmoot.multiparty.chain.pool import UNKNOWN_SENDER, Pool
from folkmoot.multiparty.chain.records import CALIBRATE, EXPEL, LEAVE, ROTATE, UPDATE, SampleNote
from folkmoot.multiparty.chain.signing import EXPULSION, LEAVING, REVIEW
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.exchange.bench import Commitment
from folkmoot.multiparty.models import blank


@pytest.fixture(scope="module")
def chain():
    return started()


def scores(chain, samples=5):
    x, _ = data(77, samples)
    return chain.state.committee.fleet.scores(x)


# --- What honest acts do ---------------------------------------------------------------------------------------------


def test_who_has_left_claims_nothing_and_makes_no_blocks(chain):
    after = put(chain, leave(chain, 1, 1))
    assert not after.state.committee.fleet.claims[1].any()
    assert (after.state.committee.claimants.closest <= chain.state.committee.claimants.closest).all()
    assert np.array_equal(np.delete(scores(after), 1, axis=0), np.delete(scores(chain), 1, axis=0))
    assert after.state.kind_of(public(1)) is None
    assert after.state.trusted == (0, 2, 3)
    with pytest.raises(RefusedRecord, match="neither a miner nor a party"):
        put(after, leave(after, 2, 2), maker=1)


def test_its_samples_count_no_more(chain):
    x, y = data(1, 1)
    message = sample_message(key(1), chain.genesis.hash, 1, x[0], int(y[0]), int(y[0] + 1) % 3)
    pool = Pool(chain)
    assert pool.receive(message) is None
    after = put(chain, leave(chain, 1, 1))
    pool.follow(after, [])
    assert len(pool) == 1
    assert (pool.receive(message)) == UNKNOWN_SENDER
    sent = SampleNote(1, after.state.contents.put(b"x"), 0, 1, bytes(64), "margin")
    with pytest.raises(RefusedRecord, match="sample of party 1: it is gone"):
        apply(after, CALIBRATE, sent.to_bytes())


def test_more_than_two_thirds_of_the_original_parties_expel(chain):
    after = put(chain, expel(chain, REGULAR, [0, 1, 2]))
    assert after.state.life.gone == {REGULAR}
    after = put(after, expel(after, 3, [0, 1, 2]))  # an original one: it counts, and has no say
    assert after.state.trusted == (0, 1, 2)
    with pytest.raises(TooFew, match="2 of 3 original parties expel cyd: 3 must"):
        put(after, expel(after, 2, [0, 1]))


def test_another_model_takes_the_place_of_the_old_one(chain):
    after = put(chain, update(chain, REGULAR, EVE, model(30, (0, 1))))
    x, _ = data(78, 5)
    assert np.array_equal(after.state.committee.fleet.model(REGULAR).scores(x), model(30, (0, 1)).scores(x))
    assert np.array_equal(scores(after)[:REGULAR], scores(chain)[:REGULAR])
    assert len(after.state.committee.fleet) == len(chain.state.committee.fleet)
    wider = put(chain, update(chain, REGULAR, EVE, model(31)))
    assert wider.state.committee.fleet.claims[REGULAR].all()


def test_another_key(chain):
    after = put(chain, rotate(chain, 0, 0, 60))
    with pytest.raises(RefusedRecord, match="neither a miner nor a party"):
        put(after, leave(after, 1, 1))  # made with the old key
    assert put(after, leave(after, 1, 1), maker=60).state.life.gone == {1}
    assert after.state.members[0] == public(60)


def test_predictions_on_record(chain):
    after = put(chain, predict(chain, REGULAR, EVE))
    assert put(after, predict(after, REGULAR, EVE)).height == after.height + 1
    moved = put(chain, update(chain, REGULAR, EVE, model(30, (0, 1))))
    late = predict(moved, REGULAR, EVE, models=predict(chain, REGULAR, EVE).models)
    with pytest.raises(Late, match="by other models"):
        put(moved, late)


def test_old_terms_know_none_of_it():
    begun = started(approvals=0)
    for act in (leave(begun, 1, 1), rotate(begun, 1, 1, 61), expel(begun, 1, [0, 2, 3]), predict(begun, 1, 1)):
        with pytest.raises(RefusedRecord, match="by these terms nobody leaves, and no model or key changes"):
            put(begun, act)


# --- Several approvals, and a look outside ---------------------------------------------------------------------------


def test_as_many_must_approve_as_the_terms_ask_for():
    chain = started(approvals=2)
    after = put(chain, admit(chain, 40, model(40), by=(0, 2)))
    assert [party.name for party in after.state.parties] == ["ada", "bob", "cyd", "dan", "fay"]
    with pytest.raises(TooFew, match="1 approve fay: 2 must"):
        put(chain, admit(chain, 40, model(40), by=(1,)))
    twice = admit(chain, 40, model(40), by=(0,))
    with pytest.raises(RefusedRecord, match="each party once"):
        put(chain, twice._replace(approvals=twice.approvals * 2))
    with pytest.raises(RefusedRecord, match="has one approval: by these terms"):
        apply(chain, "register", OriginalParty(key(0), *data(0)).assess(chain, asked(chain, 40)))


def asked(chain, n):
    """The application of fay with this key."""
    return application(key(n), chain.genesis.hash, entry("fay", public(n), model(n), chain.state.contents))


def sure(classes):
    """A model that knows two classes and nothing of a third: it is sure of one of them whatever it is shown."""
    found = blank("linear/softmax", classes, (6, (), ()))
    found.weights = model(0).weights[list(classes)]
    return found


def test_a_newcomer_is_looked_at_outside_the_classes_it_claims():
    """In them its scores are near the judges'; on samples of the third class they are not."""
    near, wide = started(approvals=1, outside=0.2, omega=0.5), started(approvals=1, omega=0.5)
    own = sure((0, 1))
    said = admit(near, 40, own, by=(0,)).approvals[0]
    assert isinstance(said, Objection)
    assert said.reason == "outside"
    assert said.distance > 0.2
    assert isinstance(OriginalParty(key(0), *data(0)).apart(own, model(0), False)[0], float)
    assert put(near, admit(near, 41, model(41), by=(0,))).height == 1  # it claims all: there is no outside
    forged = admit(near, 40, own, by=())._replace(approvals=())
    lie = Approval(0, 0.0, 0.5, b"")
    lie = lie._replace(signature=signed(near, 0, REVIEW, lie.said(forged.about())))
    with pytest.raises(RefusedRecord, match=r"outside distance of fay = 0\.5: at most 0\.2"):
        put(near, forged._replace(approvals=(lie,)))
    with pytest.raises(RefusedRecord, match="registered by the one who approves it"):
        put(wide, admit(wide, 41, model(41), by=(0,)))


# --- Lies, by name ---------------------------------------------------------------------------------------------------

OTHER = started(seed=1)  # the same parties, another genesis

LIES = {
    "leave, signed by another": (lambda c: leave(c, 1, 2), Forged, "leaving is not signed by bob"),
    "leave, signed for another chain": (lambda c: leave(OTHER, 1, 1), Forged, "leaving is not signed by bob"),
    "leave, kept back": (lambda c: leave(c, 1, 1, until=1), Late, "for blocks up to 1, this is block 2"),
    "leave of nobody": (lambda c: leave(c, 9, 1), RefusedRecord, "there is no party 9"),
    "an expulsion taken for a leaving": (
        lambda c: leave(c, 1, 1)._replace(signature=signed(c, 1, EXPULSION, (1, 9))), Forged, "not signed by bob"),
    "expelled by too few": (lambda c: expel(c, REGULAR, [0, 1]), TooFew, "2 of 4 original parties expel eve: 3 must"),
    "expelled by one for all": (
        lambda c: expel(c, REGULAR, [0, 1, 2], keys=[0, 0, 0]), Forged, "expulsion is not signed by bob"),
    "expelled by a regular party": (
        lambda c: expel(c, 3, [0, 1, REGULAR], keys=[0, 1, EVE]), RefusedRecord, "party 4 has no say"),
    "expelled by itself too": (lambda c: expel(c, 3, [0, 1, 3]), RefusedRecord, "party 3 has no say"),
    "expelled, kept back": (lambda c: expel(c, 3, [0, 1, 2], until=1), Late, "this is block 2"),
    "a model brought by another": (lambda c: update(c, REGULAR, 1, model(30, (0, 1))), Forged, "change is not signed"),
    "a model nobody approves": (
        lambda c: update(c, REGULAR, EVE, model(30, (0, 1)), by=()), TooFew, "0 approve eve: 1 must"),
    "a model under another name": (
        lambda c: update(c, REGULAR, EVE, model(30, (0, 1)), name="bob"), RefusedRecord,
        "name or key of somebody else"),
    "a model after one that never was": (
        lambda c: update(c, REGULAR, EVE, model(30, (0, 1)), before=1), RefusedRecord, "after 1 others: 0 stand"),
    "an original party with other classes": (
        lambda c: update(c, 1, 1, model(30, (0, 1))), RefusedRecord, "expected the same classes"),
    "a key that is another's": (lambda c: rotate(c, 1, 1, 2), RefusedRecord, "is or was somebody's"),
    "a key that its owner has not signed": (
        lambda c: rotate(c, 1, 1, 61, second=62), Forged, "not signed by its new key"),
    "a key brought by another": (lambda c: rotate(c, 1, 0, 61), Forged, "rotation is not signed by bob"),
    "a key, kept back": (lambda c: rotate(c, 1, 1, 61, until=1), Late, "this is block 2"),
    "a prediction of another": (lambda c: predict(c, 1, 0), Forged, "prediction is not signed by bob"),
    "a prediction of no class": (lambda c: predict(c, 1, 1, answers=(3,)), RefusedRecord, "the classes are 0 to 2"),
    "a prediction by what is no predictor": (
        lambda c: predict(c, 1, 1, predictor='["mean"]'), RefusedRecord, "expected a JSON object with a name"),
    "a prediction without a model": (
        lambda c: predict(c, 1, 1, models=predict(c, 1, 1).models[:-1]), Late, "by other models"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_by_name(chain, lie):
    made, error, words = LIES[lie]
    act = made(chain)
    with pytest.raises(error, match=words) as caught:
        put(chain, act)
    assert type(caught.value) is error
    assert str(caught.value).startswith("record 1: ")


def test_an_act_is_used_once(chain):
    first = update(chain, REGULAR, EVE, model(30, (0, 1)))
    back = put(put(chain, first), update(put(chain, first), REGULAR, EVE, model(EVE, (0, 1))))
    with pytest.raises(Repeated, match="'update' of eve after 0 others: 2 stand on the chain already"):
        put(back, first)
    turned = rotate(chain, 1, 1, 61)
    with pytest.raises(Repeated, match="'rotate' of bob after 0 others: 1 stand"):
        put(put(chain, turned), turned)
    told = predict(chain, 1, 1)
    with pytest.raises(Repeated, match="'predict' of bob after 0 others: 1 stand"):
        put(put(chain, told), told)
    for gone in (leave(chain, 1, 1), expel(chain, 1, [0, 2, 3])):
        with pytest.raises(Late, match="bob is gone already"):
            put(put(chain, gone), gone)


def test_an_old_key_is_nobodys_again(chain):
    after = put(chain, rotate(chain, 1, 1, 61))
    with pytest.raises(RefusedRecord, match="is or was somebody's"):
        put(after, rotate(after, 1, 61, 1))
    with pytest.raises(RefusedRecord, match="is or was somebody's"):
        put(after, rotate(after, REGULAR, EVE, 1))
    with pytest.raises(Forged):
        put(after, leave(after, 1, 1))
    with pytest.raises(Malformed, match="is that of a party already"):
        OriginalParty(key(0), *data(0)).assess(after, asked(after, 1))


def test_the_last_original_party_cannot_leave(chain):
    for number in (1, 2, 3):
        chain = put(chain, leave(chain, number, number))
    with pytest.raises(RefusedRecord, match="ada is the last original party"):
        put(chain, leave(chain, 0, 0))


def test_what_a_block_says_it_is_and_its_record_are_one(chain):
    with pytest.raises(RefusedRecord, match="'leave' in a block of 'rotate'"):
        apply(chain, ROTATE, to_bytes(leave(chain, 1, 1)))
    for data_ in (b"", b"\x00", to_bytes(leave(chain, 1, 1))[:-1]):
        with pytest.raises(InvalidBlock):
            apply(chain, LEAVE, data_)


def test_who_has_another_key_has_sent_for_nothing(chain):
    """A sample that waits is dropped with the block of the rotation, so no block is made that would be refused."""
    miner = Miner(key(0), chain)
    x, y = data(1, 1)
    assert miner.receive(sample_message(key(1), chain.genesis.hash, 1, x[0], int(y[0]), int(y[0] + 1) % 3)) is None
    block = miner.act(rotate(chain, 1, 1, 61), 1)
    miner.follow(ledger.apply_block(chain, block), [block])
    assert miner.waiting == 0


# --- Lies that are drawn ---------------------------------------------------------------------------------------------

HONEST = (
    lambda c, n: leave(c, 1 + n % 3, 1 + n % 3),
    lambda c, n: expel(c, n % 5, [m for m in range(4) if m != n % 5]),
    lambda c, n: update(c, REGULAR, EVE, model(30 + n % 4, (0, 1)), by=(0, 1)),
    lambda c, n: update(c, 1 + n % 3, 1 + n % 3, model(50 + n % 4), by=(0,)),
    lambda c, n: rotate(c, REGULAR, EVE, 70 + n),
    lambda c, n: predict(c, n % 5, EVE if n % 5 == REGULAR else n % 5),
)


def test_no_change_of_an_act_by_anybody_else_is_taken(chain):
    """Drawn: an act, and what a liar makes of it: other bytes, other fields, another's signature. None is taken."""
    draw, taken, printed, names = random.Random(5), [], [], set()
    for n in range(120):
        act = draw.choice(HONEST)(chain, n)
        record = bytearray(to_bytes(act))
        kind = n % 3
        if kind == 0:
            record[draw.randrange(len(record))] ^= 1 << draw.randrange(8)
        elif kind == 1:
            field = draw.randrange(len(act))
            other = draw.choice(HONEST)(chain, n + 1)
            value = other[draw.randrange(len(other))]
            record = bytearray(_written(act, field, value) or record[:-2])
        else:
            whole = bytes(record)
            for signature in _signatures(act):
                whole = whole.replace(signature, signed(chain, EVE if act[0] != REGULAR else 9, LEAVING, (n,)))
            record = bytearray(whole)
        if bytes(record) == to_bytes(act):
            continue
        try:
            apply(chain, what_of(act), bytes(record))
            taken.append(act)
        except InvalidBlock as error:
            names.add(type(error).__name__)
            printed.append(str(error).isprintable())
    assert taken == []
    assert all(printed)
    assert {"Forged", "RefusedRecord"} <= names


def _written(act, field, value):
    try:
        return to_bytes(act._replace(**{act._fields[field]: value}))
    except ValueError:
        return None


def _signatures(act):
    found = []
    for value in act:
        rows = value if isinstance(value, tuple) else (value,)
        for row in rows:
            found += [
                one for one in (row if isinstance(row, tuple) else (row,)) if type(one) is bytes and len(one) == 64
            ]
    return found


def test_what_is_read_is_what_was_written(chain):
    for n, made in enumerate(HONEST):
        act = made(chain, n)
        assert read_act(to_bytes(act)) == act
        assert put(chain, act).height == chain.height + 1


def drawn(draw, chain, n):
    """An honest act of somebody who is in, and who makes its block; None: the last original party would leave."""
    state = chain.state
    makers = [m for m in state.trusted if state.parties[m].key == public(m)]
    number = draw.choice([m for m in (*makers, REGULAR) if state.is_in(m)])
    signer, others = (EVE if number == REGULAR else number), [m for m in makers if m != number]
    sort = draw.choice(("predict", "leave", "update", "expel"))
    maker = others[0] if others else number
    if sort == "leave" and state.trusted != (number,):
        return leave(chain, number, signer), maker
    if sort == "update" and number == REGULAR:
        return update(chain, REGULAR, EVE, model(30 + n % 4, (0, 1)), by=(makers[0],)), maker
    if sort == "expel" and len(others) > 2 * len(state.trusted) // 3:
        return expel(chain, number, others), maker
    return predict(chain, number, signer), maker


def test_whatever_was_taken_once_is_never_taken_again():
    """Drawn lives: after each act all records so far are tried again. The state is what its snapshot says."""
    draw = random.Random(8)
    for _ in range(4):
        chain, taken = started(), []
        for n in range(7):
            act, maker = drawn(draw, chain, n)
            chain = put(chain, act, maker=maker)
            taken.append(act)
            for again in taken:
                with pytest.raises((Repeated, Late)):
                    put(chain, again, maker=chain.state.trusted[0])
            claims, gone = chain.state.committee.fleet.claims, chain.state.life.gone
            assert all(claims[m].any() != (m in gone) for m in range(len(claims)))
            told = snapshot_of(chain.state)
            assert snapshot_of(read_snapshot(told, chain.state.contents)) == told
        assert {what_of(act) for act in taken} & {LEAVE, EXPEL, UPDATE}


def test_a_damaged_snapshot_is_refused_in_one_line(chain):
    state = put(put(chain, rotate(chain, 1, 1, 61)), leave(chain, 2, 2)).state
    for number in range(len(state.parties)):
        if state.is_in(number):
            state.contents.put(state.committee.fleet.parameters(number))
    whole, draw, said = snapshot_of(state), random.Random(3), []
    for n in range(150):
        damaged = bytearray(whole)
        at = draw.randrange(len(whole))
        if n % 3 == 0:
            damaged[at] ^= 1 << draw.randrange(8)
        elif n % 3 == 1:
            damaged[at : at + draw.randrange(1, 40)] = b""
        else:
            damaged[at:at] = whole[at : at + draw.randrange(1, 40)]
        try:
            found = read_snapshot(bytes(damaged), state.contents)
            assert snapshot_of(found) == bytes(damaged) != whole  # another state, in one encoding: its name is another
        except OtherSide as error:
            said.append(str(error))
    assert len(said) > 100
    assert all(one.isprintable() for one in said)


def test_all_that_the_next_block_depends_on_is_in_the_snapshot(chain):
    """What a state has besides is the hash of the genesis, its store, and what is computed anyway."""
    assert set(State._fields) - {"origin", "contents", "ahead", "committee"} == set(Snapshot._fields) - {"used"}
    state = chain.state._replace(checks={1: Commitment(b"c" * 32, ((0, 4), (2, 7)))}, turned_away=3)
    for number in range(len(state.parties)):
        state.contents.put(state.committee.fleet.parameters(number))
    found = read_snapshot(snapshot_of(state), state.contents)
    left = ("origin", "contents", "ahead", "committee", "parties")
    assert [getattr(found, f) for f in State._fields if f not in left] == [
        getattr(state, f) for f in State._fields if f not in left
    ]
    assert found.committee.used == state.committee.used


def test_a_commitment_to_classes_that_a_model_has_no_more_is_over(chain):
    wide = put(chain, update(chain, REGULAR, EVE, model(31)))
    said = {REGULAR: Commitment(b"c" * 32, ((2, 7),)), 1: Commitment(b"d" * 32, ((2, 7),))}
    wide = replace(wide, state=wide.state._replace(checks=said))
    same = put(wide, update(wide, REGULAR, EVE, model(33)))
    assert same.state.checks == said
    assert set(put(wide, update(wide, REGULAR, EVE, model(30, (0, 1)))).state.checks) == {1}
