"""Places for acts that wait for a block, and their turns: nobody takes the place or the turn of another.

A place belongs to whoever has signed the act, whoever brings it:

    leave, update, rotate   each party has one place for each; a later act of its own (of a later last height) takes it
    expel                   each original party has some, for expulsions that it has signed
    admit                   each sender has some, for newcomers that it brings: anybody can think up newcomers

So liars can fill no places but their own. How many acts wait is bounded by how many parties and senders there are.

What is whole comes to a block in turn: expulsions and leavings first, of which there can be one for each party; then
the act of whoever has gone without one for longest. So one act of each other can come before an act, and no second one.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from folkmoot.encoding import Value, digest
from folkmoot.multiparty.chain.acts import WITHIN, Admitted, Approval, Expelled, Left, Rotated, Updated, what_of
from folkmoot.multiparty.chain.records import ADMIT, EXPEL, LEAVE, ROTATE, UPDATE
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.voting import quorum

MOST_OF_ONE = 4  # newcomers that one sender brings; expulsions that one operator wants at a time
MOST_EXPULSIONS = 2 * MOST_OF_ONE  # of one who signs: each has at most two ends, see `end_after`
MOST_SHOWN = 32  # acts that are shown to whoever operates a participant
CHANGING = (LEAVE, EXPEL, UPDATE, ADMIT, ROTATE)
Signed: TypeAlias = Left | Expelled | Updated | Admitted | Rotated
Place: TypeAlias = tuple[str, int]  # what the act is, and whose place it is: number of a party, or of a sender
NOWHERE: Place = ("", -1)


@dataclass
class Wish:
    """An act that waits.

    Attributes:
        act: as it is signed by now.
        sender: who brought it first; -1: this participant.
        whole: is it as the rules want it?
        own: does this participant say it again in every round?
        parameters: of the model that it is about, once they are here.
        why: why this participant has not approved it; empty: it has, or has not looked, or need not.
        place: that it takes.
        said, looked: rounds in which this participant last said it, or looked at its model.
    """

    act: Signed
    sender: int
    whole: bool
    own: bool = False
    parameters: bytes = b""
    why: str = ""
    place: Place = NOWHERE
    said: int = 0
    looked: int = 0


def about(act: Signed) -> bytes:
    """32 bytes that stand for an act, whoever has signed it."""
    said: Value = act.about() if isinstance(act, Updated | Admitted) else act.said()
    return digest("multiparty/wish", (what_of(act), said))


def end_after(height: int) -> int:
    """The last height for an expulsion that is wanted now: 65 to 128 blocks later, the same for all who want it soon.

    Expulsions with other ends do not wait. Else liars could have whoever wants one sign it with one end after another.
    """
    return (height // WITHIN + 2) * WITHIN


def place_for(acts: Mapping[bytes, Wish], act: Signed, sender: int) -> Place | None:
    """The place of an act that does not wait yet; None: there is none for it.

    Where a place holds one act, see `holder` for the one that gives way.
    """
    if isinstance(act, Expelled):
        taken = Counter(wish.place for wish in acts.values())
        free = min(((EXPEL, number) for number, _ in act.signatures), key=lambda place: taken[place], default=None)
        return free if free is not None and taken[free] < MOST_EXPULSIONS else None
    if isinstance(act, Admitted):
        place = (ADMIT, sender)
        return place if sum(wish.place == place for wish in acts.values()) < MOST_OF_ONE else None
    place = (what_of(act), act.number)
    before = holder(acts, place)
    return place if before is None or acts[before].act.until < act.until else None


def holder(acts: Mapping[bytes, Wish], place: Place) -> bytes | None:
    """What stands for the act that has this place of one act; None: nobody has it."""
    if place[0] in (EXPEL, ADMIT):
        return None
    return next((key for key, wish in acts.items() if wish.place == place), None)


def owner(act: Signed, sender: int) -> Place:
    """Whose turn an act takes: a party has one turn for its models and keys; a sender one for newcomers it brings."""
    return (ADMIT, sender) if isinstance(act, Admitted) else ("", act.number)


def in_turn(acts: Mapping[bytes, Wish], served: Mapping[Place, int]) -> list[tuple[bytes, Wish]]:
    """All that wait, in their turns; `served`: the height of the last block with an act of each owner."""

    def turn(row: tuple[bytes, Wish]) -> tuple[bool, int]:
        act = row[1].act
        return not isinstance(act, Expelled | Left), served.get(owner(act, row[1].sender), 0)

    return sorted(acts.items(), key=turn)  # of two alike the one that has waited longer


def without(act: Signed, others: frozenset[int]) -> Signed:
    """An act without the words of these parties, which have another key now, or are gone."""
    if isinstance(act, Expelled):
        return act._replace(signatures=tuple(row for row in act.signatures if row[0] not in others))
    if isinstance(act, Updated | Admitted):
        return act._replace(approvals=tuple(one for one in act.approvals if one.approver not in others))
    return act


def goes_on(wish: Wish, others: frozenset[int], state: State, height: int) -> bool:
    """Does an expulsion wait on after a block? Signatures are not checked again: those of `others` count no more.

    Args:
        wish: the expulsion; its act and its place become what they are then.
        others: parties that have another key now, or are gone.
        state: after the block.
        height: of the block.
    """
    act = without(wish.act, others)
    if not isinstance(act, Expelled) or not state.is_in(act.number) or act.until <= height:
        return False
    if others:
        wish.act, wish.whole = act, len(act.signatures) >= quorum(len(state.trusted))
        signers = signers_of(act)
        if signers and wish.place[1] not in signers:
            wish.place = (EXPEL, signers[0])
    return bool(act.signatures) or wish.own


def merged(one: Signed, other: Signed) -> Signed:
    """An act with all that have signed it, of two that are the same but for that."""
    if isinstance(one, Expelled) and isinstance(other, Expelled):
        return one._replace(signatures=tuple(sorted((dict(other.signatures) | dict(one.signatures)).items())))
    if isinstance(one, Updated) and isinstance(other, Updated):
        return one._replace(approvals=_both(one.approvals, other.approvals))
    if isinstance(one, Admitted) and isinstance(other, Admitted):
        return one._replace(approvals=_both(one.approvals, other.approvals))
    return one


def _both(one: tuple[Approval, ...], other: tuple[Approval, ...]) -> tuple[Approval, ...]:
    found = {approval.approver: approval for approval in (*other, *one)}
    return tuple(found[number] for number in sorted(found))


def shown(acts: Mapping[bytes, Wish], state: State) -> list[dict[str, object]]:
    """What waits, for whoever operates a participant: at most 32, its own and those that most have signed first."""
    rows = sorted((wish.sender != -1, -len(signers_of(wish.act)), key) for key, wish in acts.items())
    return [_shown(acts[key], state) for *_, key in rows[:MOST_SHOWN]]


def signers_of(act: Signed) -> list[int]:
    """Original parties that have signed it."""
    if isinstance(act, Expelled):
        return [number for number, _ in act.signatures]
    return [one.approver for one in act.approvals] if isinstance(act, Updated | Admitted) else []


def _shown(wish: Wish, state: State) -> dict[str, object]:
    act = wish.act
    name = act.party.name if isinstance(act, Admitted) else state.parties[act.number].name
    return {
        "what": what_of(act), "party": name, "reason": act.reason if isinstance(act, Expelled) else "",
        "signed": [state.parties[number].name for number in signers_of(act)], "not_here": wish.why,
    }  # fmt: skip
