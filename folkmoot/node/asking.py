"""What whoever operates a member of a consortium of models may ask for: an exchange, and acts of the member itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from folkmoot.encoding import Value, encode
from folkmoot.machine import Chance
from folkmoot.meant import choices
from folkmoot.multiparty.chain.acts import Left, Rotated, Updated, what_of
from folkmoot.multiparty.chain.entries import SETTINGS, Entry, read_entry
from folkmoot.multiparty.chain.participant import Participant
from folkmoot.multiparty.chain.places import Signed
from folkmoot.multiparty.chain.records import EXPEL, LEAVE, ROTATE, UPDATE
from folkmoot.multiparty.chain.signing import CHANGE, LEAVING, ROTATION, signature_of
from folkmoot.multiparty.models.labels import named
from folkmoot.signatures import SEED_BYTES, SigningKey, public_key

if TYPE_CHECKING:
    from folkmoot.multiparty.models.model import Model

EXCHANGE = "exchange"
ASKED = (EXCHANGE, LEAVE, EXPEL, UPDATE, ROTATE)


class AskedFor(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked for.

    Attributes:
        what: one of `ASKED`.
        each: of an exchange: samples of each class that a party reveals.
        party: of an expulsion: whose.
        reason: of an expulsion.
    """

    what: str
    each: int = 0
    party: str = ""
    reason: str = ""


def asked(
    own: Participant, wanted: AskedFor, chance: Chance, renewed: "Callable[[], tuple[Model, bytes] | None]"
) -> str:
    """Have it done with the next step; what is under way then, in a few words.

    Args:
        own: of the member.
        wanted: what is asked for.
        chance: fresh bytes, for a new key.
        renewed: see `LearnerRole`.

    Raises:
        ValueError: what is wrong, or the rules refuse it.
    """
    if wanted.what not in ASKED:
        raise ValueError(f"what = {wanted.what!r:.40}: {choices(wanted.what, ASKED)}")
    if (wanted.what != EXCHANGE and wanted.each) or (wanted.what != EXPEL and (wanted.party or wanted.reason)):
        raise ValueError(f"{wanted.what}: expected each for an exchange alone, party and reason for an expulsion alone")
    if wanted.what == EXCHANGE:
        own.convening.call(wanted.each, own.aside)
        return own.convening.said
    if own.party < 0:
        raise ValueError("this member is no party, or has left")
    waiting = {type(wish.act): wish for wish in own.wishes.acts.values() if _is_own(own, wish.act)}
    if Rotated in waiting and wanted.what in (LEAVE, UPDATE, ROTATE):
        raise ValueError("another key waits for a block already: ask again once it is on the chain")
    if wanted.what == LEAVE:
        act = Left(own.party, own.wishes.until(LEAVE), b"")
        own.wishes.want(act._replace(signature=_signed(own, LEAVING, act.said())), own.aside)
    elif wanted.what == EXPEL:
        own.wishes.expel(_number(own, wanted.party), wanted.reason, own.aside)
    elif wanted.what == ROTATE:
        _rotate(own, chance)
    else:
        _update(own, renewed())
    lost = [what_of(wish.act) for wish in waiting.values()] if wanted.what == ROTATE else []
    more = f"; what waits already ({', '.join(lost)}) has the old key: ask for it again then" if lost else ""
    return f"{wanted.what}: waits for a block{more}"


def _is_own(own: Participant, act: Signed) -> bool:
    """Is this an act of the member itself?"""
    return isinstance(act, Left | Rotated | Updated) and act.number == own.party


def _signed(own: Participant, purpose: str, said: Value) -> bytes:
    return signature_of(own.key, purpose, own.chain.genesis.hash, said)


def _number(own: Participant, name: str) -> int:
    state = own.chain.state
    there = [party.name for number, party in enumerate(state.parties) if state.is_in(number)]
    if name not in there:
        raise ValueError(f"party = {name!r:.80}: {choices(name, there)}")
    return next(number for number, party in enumerate(state.parties) if party.name == name and state.is_in(number))


def _rotate(own: Participant, chance: Chance) -> None:
    state, number = own.chain.state, own.party
    secret, nonce = chance(SEED_BYTES), chance(SEED_BYTES)
    act = Rotated(
        number, public_key(SigningKey(secret)), state.life.acts_of(number, ROTATE), own.wishes.until(ROTATE), b"", b""
    )
    new = signature_of(SigningKey(secret), ROTATION, own.chain.genesis.hash, act.said())
    own.wishes.want(act._replace(old=_signed(own, ROTATION, act.said()), new=new), own.aside)
    own.renews(secret, nonce, own.aside)


def _update(own: Participant, renewed: "tuple[Model, bytes] | None") -> None:
    if renewed is None:
        raise ValueError("no other model lies in the data folder; expected what folkmoot.node.renew puts there")
    model, parameters = renewed
    state, number = own.chain.state, own.party
    before = state.parties[number]
    if tuple(model.classes) != before.classes:
        known, wanted = (named(classes, state.terms.labels) for classes in (model.classes, before.classes))
        raise ValueError(f"the other model knows the classes {known}: expected {wanted}")
    if len(parameters) > own.role.room:
        raise ValueError(f"parameters of {len(parameters)} bytes: expected at most {own.role.room}, as the charter has")
    name = state.contents.put(parameters)
    party = Entry(before.name, before.key, model.kind, before.classes, encode(model.settings(), SETTINGS), name)
    read_entry(tuple(party))
    act = Updated(number, party, state.life.acts_of(number, UPDATE), own.wishes.until(UPDATE), b"", ())
    own.wishes.want(act._replace(consent=_signed(own, CHANGE, act.said())), own.aside)
