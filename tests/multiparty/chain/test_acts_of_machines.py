"""Acts of parties carried by machines: whoever can sign adds its word, and what is whole comes to a block."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("msgspec", reason="needs the extra `node`")

from made_machines import CLASSES, INPUTS, MEMBERS, TERMS, machine, models, party, played, whats

from folkmoot.encoding import encode
from folkmoot.machine import Received
from folkmoot.multiparty import Consortium
from folkmoot.multiparty.chain.acts import Expelled, Left, to_bytes
from folkmoot.multiparty.chain.places import WITHIN, end_after
from folkmoot.multiparty.chain.records import ADMIT, CALIBRATE, EXPEL, LEAVE, REGISTER, ROTATE, UPDATE
from folkmoot.multiparty.chain.signing import EXPULSION, LEAVING, signature_of
from folkmoot.multiparty.chain.talk import CONSORTIUM, WishTold
from folkmoot.multiparty.chain.wishes import to_bytes as wish_bytes
from folkmoot.multiparty.models import blank
from folkmoot.node.asking import AskedFor, asked
from folkmoot.node.view import OUT_OF_STEP


def ask(play, number, what, renewed=None, **about):
    """Whoever operates this machine asks for it."""
    chance = np.random.default_rng([number, play.round]).bytes
    own = machine(play, number)
    return asked(own, AskedFor(what, **about), chance, lambda: (renewed, renewed.to_bytes()) if renewed else None)


def test_one_leaves_and_the_others_go_on():
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    assert ask(play, 3, "leave") == "leave: waits for a block"
    play.play(2)
    assert whats(play) == [LEAVE]
    assert [machine(play, n).chain.state.trusted for n in range(MEMBERS)] == [(0, 1, 2)] * MEMBERS
    assert (machine(play, 3).party, machine(play, 3).index) == (-1, -1)
    with pytest.raises(ValueError, match="this member is no party, or has left"):
        ask(play, 3, "rotate")
    ask(play, 0, "rotate")
    play.play(3)
    assert whats(play) == [LEAVE, ROTATE]  # the three left are their own quorum
    assert whats(play, 3) == [LEAVE, ROTATE]  # who is gone may still look on


def test_expelled_by_a_quorum_of_those_who_operate_the_others_and_by_no_fewer():
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    ask(play, 0, "expel", party="p3", reason="its samples are copies")
    ask(play, 1, "expel", party="p3", reason="its samples are copies")
    ask(play, 2, "expel", party="p3", reason="I do not like it")  # that is another one
    play.play(3)
    assert whats(play) == []
    waiting = machine(play, 2).wishes.shown()
    assert sorted((one["reason"], one["signed"]) for one in waiting) == [
        ("I do not like it", ["p2"]), ("its samples are copies", ["p0", "p1"]),
    ]  # fmt: skip
    play.hosts[0].restart()
    ask(play, 2, "expel", party="p3", reason="its samples are copies")
    play.play(3)
    assert whats(play) == [EXPEL]
    assert machine(play, 1).chain.state.life.gone == {3}
    assert [machine(play, n).wishes.shown() for n in range(MEMBERS)] == [[]] * MEMBERS
    with pytest.raises(ValueError, match="party = 'p3'"):
        ask(play, 0, "expel", party="p3", reason="again")


def test_another_model_is_fetched_by_digest_and_approved_by_those_who_measure_it():
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    old = machine(play, 1).chain.state.parties[1].parameters
    near, far = (blank("linear/softmax", tuple(party(1).model.classes), (INPUTS, (), ())) for _ in range(2))
    near.weights = party(1).model.weights + np.float32(0.01)
    far.weights = -party(1).model.weights
    ask(play, 1, "update", far)
    play.play(3)
    assert whats(play) == []
    assert any(one["not_here"].startswith("distance") for n in (0, 2, 3) for one in machine(play, n).wishes.shown())
    ask(play, 1, "update", near)
    play.play(4)
    assert whats(play) == [UPDATE]
    assert {machine(play, n).chain.state.parties[1].parameters for n in range(MEMBERS)} != {old}
    assert len({tuple(models(machine(play, n).chain)) for n in range(MEMBERS)}) == 1


def test_another_key_votes_and_is_there_after_a_restart():
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    before = machine(play, 2).own
    ask(play, 2, "rotate")
    with pytest.raises(ValueError, match="another key waits for a block already"):
        ask(play, 2, "rotate")
    play.play(2)
    assert whats(play) == [ROTATE]
    play.hosts[2].restart()
    assert machine(play, 2).own != before
    assert machine(play, 0).chain.state.parties[2].key == machine(play, 2).own
    play._tampered = lambda moment, sender, receiver, data: None if 0 in (sender, receiver) else data
    ask(play, 2, "rotate")  # once more, where without its vote there is no quorum
    play.play(8)
    assert whats(play, 1) == [ROTATE, ROTATE]
    assert machine(play, 1).chain.state.parties[2].key == machine(play, 2).own
    kept = play.hosts[2].kept.values["keys"]
    assert bytes(machine(play, 2).key) not in kept  # it is hidden by the first one


def watched(play):
    """What each machine notices of the others from now on: who, of whom, and why."""
    found = []

    def seen(number, step):
        def stepped(*given):
            effects = step(*given)
            found.extend((number, one.sender, one.reason) for one in effects.noticed)
            return effects

        return stepped

    for number in range(MEMBERS):
        own = machine(play, number)
        own.step = seen(number, own.step)
    return found


def test_who_was_away_while_another_changed_its_key_or_left_goes_on_with_the_others():
    """Before, it asked for the blocks after that for ever: by the keys that it knew, too few had signed them."""
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    play._tampered = lambda moment, sender, receiver, data: None if 2 in (sender, receiver) else data
    for number in (1, 3, 1):
        ask(play, number, "rotate")
        play.play(4)
    assert (whats(play), whats(play, 2)) == ([ROTATE] * 3, [])
    found = watched(play)
    play._tampered = lambda moment, sender, receiver, data: data
    ask(play, 0, "rotate")
    play.play(5)
    assert whats(play, 2) == [ROTATE] * 4
    assert not {reason for _, _, reason in found} - OUT_OF_STEP
    play._tampered = lambda moment, sender, receiver, data: None if 0 in (sender, receiver) else data
    ask(play, 2, "rotate")  # without its vote there is no quorum
    play.play(4)
    assert whats(play, 3) == [ROTATE] * 5


def test_who_was_away_while_others_left_goes_on_with_those_who_are_there():
    """Fewer sign the blocks after that than it knows as a quorum."""
    play = played([party(n) for n in range(7)]).play(1)
    play._tampered = lambda moment, sender, receiver, data: None if 2 in (sender, receiver) else data
    for number, what in ((1, "leave"), (3, "leave"), (0, "rotate")):
        ask(play, number, what)
        play.play(3)
    play._tampered = lambda moment, sender, receiver, data: data
    ask(play, 4, "rotate")
    play.play(5)
    assert whats(play, 2) == whats(play) == [LEAVE, LEAVE, ROTATE, ROTATE]


def test_an_act_that_is_said_again_after_it_is_done_is_no_fault():
    """As by one who was away and has not heard of it: it says in every round what it has signed."""
    play, seen = played([party(n) for n in range(MEMBERS)]).play(1), []
    play._tampered = lambda moment, sender, receiver, data: seen.append((sender, data)) or data
    ask(play, 1, "update", other(0))
    ask(play, 2, "rotate")
    ask(play, 0, "expel", party="p3", reason="x")
    play.play(4)
    ask(play, 3, "leave")
    play.play(3)
    assert sorted(whats(play)) == sorted([UPDATE, ROTATE, LEAVE])
    said = {row for row in seen if isinstance(CONSORTIUM.from_bytes(row[1], (MEMBERS,)), WishTold)}
    own = machine(play, 0)
    noticed = own.step(own.next, [Received(*row) for row in sorted(said)], [], []).noticed
    assert len(noticed) >= 4
    assert {one.reason for one in noticed} <= OUT_OF_STEP


def test_what_the_old_key_has_signed_is_asked_for_again_and_the_member_is_told():
    """It counts for nothing once there is the new key; before, it was dropped and nobody was told."""
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    play._tampered = lambda moment, sender, receiver, data: None
    ask(play, 1, "leave")
    said = ask(play, 1, "rotate")
    assert said == "rotate: waits for a block; what waits already (leave) has the old key: ask for it again then"
    for what in ("leave", "rotate", "update"):
        with pytest.raises(ValueError, match="another key waits for a block already: ask again once it is on the"):
            ask(play, 1, what, other(0))
    assert ask(play, 2, "rotate") == "rotate: waits for a block"


@pytest.mark.parametrize("approvals", [1, 2])
def test_a_newcomer_is_admitted_by_as_many_as_must(approvals):
    new = replace(party(1), name="new", key=bytes([77]) * 32)
    new.model.weights += np.float32(0.01)
    knows = [replace(party(1), name=f"k{n}", key=bytes([60 + n]) * 32, model=other(n)) for n in range(2)]
    play = played([party(0), *knows, party(2)], guests=[new], terms={"approvals": approvals}).play(5)
    assert whats(play) == [REGISTER if approvals == 1 else ADMIT]
    assert [machine(play, n).chain.state.number_of(machine(play, 4).own) for n in range(5)] == [4] * 5
    assert machine(play, 4).party == 4


def other(number):
    """A model of the classes of party 1."""
    found = blank("linear/softmax", tuple(party(1).model.classes), (INPUTS, (), ()))
    found.weights = party(1).model.weights + np.float32(0.02 * number + 0.02)
    return found


def test_members_without_model_and_data_make_the_blocks():
    """The same in one program: one chain of calibrations, made by two who are no party."""
    secrets, wanted = [bytes([40 + n]) * 32 for n in range(2)], 2
    members, rules = [party(n) for n in range(MEMBERS)], {"delta": 0.1, "sigma": 0.95, "eta": 0.05}
    play = played(members, miners=secrets, wanted=wanted, terms=rules).play(5)
    made = play.chains[0].state.life.made
    assert set(whats(play)) == {CALIBRATE}
    assert set(made) == {machine(play, n).own.hex() for n in (4, 5)}
    alone = Consortium(members, n_classes=CLASSES, voted=True, miners=secrets, **{**TERMS, **rules})
    alone.calibrate_in_rounds(5, wanted, 8)
    assert [models(chain) for chain in play.chains] == [models(alone.chain)] * 6
    assert alone.chain.state.life.made == made


# --- What counts for nothing -----------------------------------------------------------------------------------------


def told(what, record):
    return CONSORTIUM.to_bytes(WishTold(wish_bytes(what, (record,))))


def test_acts_that_nobody_signed_are_not_kept():
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    own, origin = machine(play, 0), machine(play, 0).chain.genesis.hash
    forged = Left(2, 10, signature_of(machine(play, 3).key, LEAVING, origin, (2, 10)))
    good = [Left(3, until, b"") for until in (5, 6, 7, 8, 9, 10, 1_000)]
    good = [one._replace(signature=signature_of(machine(play, 3).key, LEAVING, origin, one.said())) for one in good]
    inbox = [told(LEAVE, to_bytes(forged)), told(EXPEL, to_bytes(forged)), told("sample", b"x")]
    inbox += [CONSORTIUM.to_bytes(WishTold(encode(("leave", ())))), told(EXPEL, to_bytes(Expelled(2, "x", 1, ())))]
    inbox += [told(LEAVE, to_bytes(one)) for one in good]
    noticed = own.step(own.next, [Received(3, data) for data in inbox], [], []).noticed
    assert [wish.act.until for wish in own.wishes.acts.values()] == [
        10
    ]  # each later word takes the place of the one before
    assert len(noticed) == len(inbox) - 6


def test_an_expulsion_that_nobody_has_signed_is_not_kept():
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    own = machine(play, 0)
    said = told(EXPEL, to_bytes(Expelled(2, "x", WITHIN, ())))
    assert [one.reason for one in own.step(own.next, [Received(3, said)], [], []).noticed] == ["malformed"]
    assert not own.wishes.acts


def test_who_wanted_an_expulsion_once_signs_none_later():
    """What came of nothing within so many blocks is to be asked for anew; a liar could have said it again then."""
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    ask(play, 0, "expel", party="p3", reason="copies")
    own, word = machine(play, 0), machine(play, 1)
    late = Expelled(3, "copies", end_after(own.chain.height) + WITHIN, ())
    signed = signature_of(word.key, EXPULSION, own.chain.genesis.hash, late.said())
    own.step(own.next, [Received(1, told(EXPEL, to_bytes(late._replace(signatures=((1, signed),)))))], [], [])
    assert sorted(len(wish.act.signatures) for wish in own.wishes.acts.values()) == [1, 1]
    same = late._replace(until=WITHIN)
    signed = signature_of(word.key, EXPULSION, own.chain.genesis.hash, same.said())
    own.step(own.next, [Received(1, told(EXPEL, to_bytes(same._replace(signatures=((1, signed),)))))], [], [])
    assert sorted(len(wish.act.signatures) for wish in own.wishes.acts.values()) == [1, 1, 2]


def test_damaged_wishes_raise_nothing_and_change_nothing():
    play, seen = played([party(n) for n in range(MEMBERS)]).play(1), []
    play._tampered = lambda moment, sender, receiver, data: seen.append(data) or data
    ask(play, 0, "expel", party="p3", reason="x")
    ask(play, 1, "update", other(0))
    play.play(1)
    good = [data for data in seen if isinstance(CONSORTIUM.from_bytes(data, (MEMBERS,)), WishTold)]
    fresh = played([party(n) for n in range(MEMBERS)])
    own, chance = machine(fresh, 2), np.random.default_rng(1)
    for _ in range(20):
        inbox = []
        for _ in range(20):
            data = bytearray(good[chance.integers(len(good))])
            data[chance.integers(11, len(data))] ^= int(chance.integers(1, 256))
            inbox.append(Received(3, bytes(data[: chance.integers(len(data) - 3, len(data) + 1)])))
        own.step(own.next, inbox, [], [])
    assert own.chain.height == 0
    assert not [wish for wish in own.wishes.acts.values() if wish.whole]
