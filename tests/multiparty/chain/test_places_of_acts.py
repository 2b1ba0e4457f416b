"""An honest member's act always has a place among those that wait, and its turn, in whatever order liars speak."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("msgspec", reason="needs the extra `node`")

from made_machines import INPUTS, machine, party, played, whats

from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import encode
from folkmoot.errors import OtherSide
from folkmoot.multiparty.chain.acts import Expelled, Left, Rotated, Updated, to_bytes, what_of
from folkmoot.multiparty.chain.entries import SETTINGS, Entry
from folkmoot.multiparty.chain.records import CALIBRATE, LEAVE, ROTATE
from folkmoot.multiparty.chain.signing import CHANGE, EXPULSION, LEAVING, ROTATION, signature_of
from folkmoot.multiparty.chain.talk import CONSORTIUM, WishTold
from folkmoot.multiparty.chain.wishes import WITHIN, about
from folkmoot.multiparty.chain.wishes import to_bytes as wish_bytes
from folkmoot.multiparty.models import blank
from folkmoot.node.asking import AskedFor, asked
from folkmoot.signatures import SigningKey, public_key

PARTIES, LIARS, HONEST, OPEN = 7, (5, 6), (1, 2, 3, 4), 0  # OPEN: the machine that is looked at
UNTIL = 2 * WITHIN  # an end that expulsions may have at the beginning


def key(number):
    return SigningKey(party(number).key)


def told(act):
    return CONSORTIUM.to_bytes(WishTold(wish_bytes(what_of(act), (to_bytes(act),))))


def leaving(own, number, until):
    act = Left(number, until, b"")
    return act._replace(signature=signature_of(key(number), LEAVING, own.chain.genesis.hash, act.said()))


def rotation(own, number, new, until, old=None, before=0):
    act = Rotated(number, public_key(new), before, until, b"", b"")
    signed = [signature_of(one, ROTATION, own.chain.genesis.hash, act.said()) for one in (old or key(number), new)]
    return act._replace(old=signed[0], new=signed[1])


def renewal(own, number, step, until):
    classes = tuple(party(number).model.classes)
    model = blank("linear/softmax", classes, (INPUTS, (), ()))
    model.weights = party(number).model.weights + np.float32(0.001 * step)
    name = own.chain.state.contents.put(model.to_bytes())
    asks = Entry(f"p{number}", public_key(key(number)), model.kind, classes, encode(model.settings(), SETTINGS), name)
    act = Updated(number, asks, 0, until, b"", ())
    return act._replace(consent=signature_of(key(number), CHANGE, own.chain.genesis.hash, act.said()))


def expulsion(own, number, reason, by, until=UNTIL):
    act = Expelled(number, reason, until, ())
    rows = [(n, signature_of(key(n), EXPULSION, own.chain.genesis.hash, act.said())) for n in sorted(by)]
    return act._replace(signatures=tuple(rows))


def hears(own, rows):
    """It is told these acts, in this order; why some count for nothing."""
    reasons = []
    for sender, act in rows:
        try:
            own.wishes.take(wish_bytes(what_of(act), (to_bytes(act),)), sender, False)
        except (Rejected, OtherSide) as error:
            reasons.append(str(error))
    return reasons


def begun(number=PARTIES, **more):
    return played([party(n) for n in range(number)], **more).play(1)


def ask(play, number, what, **about):
    chance = np.random.default_rng([number, play.round]).bytes
    return asked(machine(play, number), AskedFor(what, **about), chance, lambda: None)


def lie(own, chance, heard):
    """Something that liars can sign, or say again; more often than not it is new."""
    liar, until = int(chance.choice(LIARS)), int(chance.integers(1, 2 * WITHIN + 1))
    what = int(chance.integers(6))
    if what == 0 and heard:
        return heard[chance.integers(len(heard))]
    if what <= 1:
        return leaving(own, liar, until)
    if what == 2:
        return rotation(own, liar, SigningKey(chance.bytes(32)), until)
    if what == 3:
        return renewal(own, liar, int(chance.integers(1, 200)), until)
    by = LIARS if chance.integers(2) else (liar,)
    ends = WITHIN * int(chance.integers(1, 4)) if chance.integers(2) else until
    return expulsion(own, int(chance.integers(5)), f"reason {chance.integers(500)}", by, ends)


@pytest.mark.parametrize("draw", range(25))
def test_whatever_liars_say_first_each_honest_act_is_kept(draw):
    """Orders are drawn: lies come before, between and after. Whoever has signed one passes it on, be it honest."""
    chance = np.random.default_rng([77, draw])
    play = begun()
    own = machine(play, OPEN)
    honest = [leaving(own, 1, WITHIN), rotation(own, 2, SigningKey(bytes([99]) * 32), WITHIN)]
    honest += [renewal(own, 3, 1, WITHIN), leaving(own, 4, WITHIN)]
    honest += [expulsion(own, liar, "copies", (n,)) for liar in LIARS for n in (1, 2)]
    rows, waiting = [], list(honest)
    for _ in range(60):
        rows.append((int(chance.integers(1, PARTIES)), lie(own, chance, honest)))
        if waiting and chance.integers(8) == 0:
            act = waiting.pop(chance.integers(len(waiting)))
            rows.append((act.signatures[0][0] if isinstance(act, Expelled) else act.number, act))
    rows += [(act.signatures[0][0] if isinstance(act, Expelled) else act.number, act) for act in waiting]
    for start in range(0, len(rows), 12):
        hears(own, rows[start : start + 12])
    assert not [act for act in honest if about(act) not in own.wishes.acts]
    kept = [set(dict(own.wishes.acts[about(act)].act.signatures)) for act in honest if isinstance(act, Expelled)]
    assert all({1, 2} <= signers for signers in kept)


def test_many_who_say_one_act_each_keep_nobody_out():
    """Before, 32 senders with an act each filled the room, and none of them gave way."""
    play = begun(40)
    own = machine(play, OPEN)
    hears(own, [(n, expulsion(own, 1, f"because {n}", (n,))) for n in range(6, 40)])
    hears(own, [(n, leaving(own, n, WITHIN)) for n in range(6, 40)])
    assert "full" not in hears(own, [(3, leaving(own, 3, WITHIN)), (4, expulsion(own, 39, "copies", (4,)))])
    assert about(leaving(own, 3, WITHIN)) in own.wishes.acts
    assert about(expulsion(own, 39, "copies", (4,))) in own.wishes.acts
    ask(play, OPEN, "leave")


def test_what_one_says_of_another_takes_none_of_its_own_places():
    """A member passes on what it has signed for others. That counted as its own, so it had no place for itself."""
    play = begun()
    own = machine(play, OPEN)
    hears(own, [(1, renewal(own, 6, step, WITHIN + step)) for step in range(1, 5)])
    hears(own, [(1, expulsion(own, 2, f"because {n}", (5,))) for n in range(4)])
    assert "full" not in hears(own, [(1, leaving(own, 1, WITHIN))])
    assert about(leaving(own, 1, WITHIN)) in own.wishes.acts


def least(own, old, new, before, most=50):
    """Of rotations that differ in their end alone, the one that comes first by its digest."""
    made = (rotation(own, 6, new, until, old, before) for until in range(WITHIN, WITHIN + most))
    return min(made, key=about)


@pytest.mark.parametrize("wanted", [0, 2])
def test_who_changes_its_key_in_every_round_keeps_nobody_waiting(wanted):
    """Acts came to blocks by digests, which one can choose: one liar kept all others from acts, and from samples."""
    play = begun(wanted=wanted, terms={"delta": 0.1, "sigma": 0.95, "eta": 0.05})
    keys = [key(6), *(SigningKey(bytes([100 + n]) * 32) for n in range(30))]
    ask(play, 1, "leave")
    for number in (2, 3):
        ask(play, number, "rotate")
    before = play.round
    while play.round < before + 10:
        own = machine(play, OPEN)
        done = own.chain.state.life.acts_of(6, ROTATE)
        act = least(own, keys[done], keys[done + 1], done)
        for number in range(6):
            machine(play, number).wishes.take(wish_bytes(ROTATE, (to_bytes(act),)), 6, False)
        play.play(1)
    state = machine(play, OPEN).chain.state
    assert 1 in state.life.gone
    assert all(state.parties[n].key != public_key(key(n)) for n in (2, 3))
    assert whats(play).index(LEAVE) <= 2
    if wanted:
        assert whats(play).count(CALIBRATE) >= 4
    else:
        assert whats(play).count(ROTATE) >= 6  # and the liar's own come, too


def test_liars_give_an_expulsion_no_end_of_their_own():
    """An honest operator's word joined what waited already, and ended with it: liars said it first, for one block."""
    play = begun()
    for number in range(5):
        own = machine(play, number)
        hears(own, [(5, expulsion(own, 6, "copies", (5,), own.chain.height + 1))])
        ask(play, number, "expel", party="p6", reason="copies")
    assert all(
        wish.act.until >= WITHIN
        for number in range(5)
        for wish in machine(play, number).wishes.acts.values()
        if isinstance(wish.act, Expelled) and number in dict(wish.act.signatures)
    )
    play.play(3)
    assert 6 in machine(play, OPEN).chain.state.life.gone


def test_so_many_variants_of_an_expulsion_are_signed_as_it_has_ends():
    """A liar says it with one end after another; whoever wants it signed each, and had no place for anything else."""
    play = begun()
    own = machine(play, OPEN)
    ask(play, OPEN, "expel", party="p6", reason="copies")
    for start in range(1, UNTIL, 12):
        hears(own, [(5, expulsion(own, 6, "copies", (5,), until)) for until in range(start, start + 12)])
    signed = [wish for wish in own.wishes.acts.values() if OPEN in dict(wish.act.signatures)]
    assert 1 <= len(signed) <= 2


def test_the_last_of_ones_own_models_is_the_one_that_waits():
    play = begun()
    own = machine(play, OPEN)
    first, second = renewal(own, 3, 1, WITHIN), renewal(own, 3, 2, WITHIN + 1)
    hears(own, [(3, first), (3, second), (5, first)])
    assert [wish.act.party.parameters for wish in own.wishes.acts.values()] == [second.party.parameters]


def test_an_act_of_ones_own_is_said_before_those_of_others():
    """At most six are said in a stage; whoever has approved the models of many had no word for itself."""
    play = begun(12)
    own = machine(play, OPEN)
    for n in range(2, 12):
        hears(own, [(n, expulsion(own, 1, f"because {n}", (n,)))])
        own.wishes.agreed[1, f"because {n}"] = UNTIL
    said = []
    play._tampered = lambda moment, sender, receiver, data: said.append((sender, data)) or data
    ask(play, OPEN, "leave")
    play.play(1)
    mine = [data for sender, data in said if sender == OPEN]
    assert told(leaving(own, OPEN, WITHIN)) in mine
