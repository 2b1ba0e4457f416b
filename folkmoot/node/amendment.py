"""Amendments: members come, go and change keys, and terms change, while the consortium goes on.

How it works. An amendment is a charter that names the digest of the one before it, and the round that is the last one
of the epoch before. It counts once these have signed it:

- a quorum of the members of the charter before; any two quorums share a member that does not lie, and such a member
  signs one amendment of a charter and not a second one (its data folder remembers), so there are no two that count;
- everybody whose card is new in it: who joins, who moves, and who changes its key, this one with the new key;
- with the old key too, who changes its key.

Who is removed need not sign. A name stands for one member: the same name with another key is that member with a new
key. The height and hash of the last block of the epoch before do not stand in the amendment, since nobody knows them
when it is signed; what the next epoch begins with names both (see `Charter.identity`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from folkmoot.agreement.identity import Identity
from folkmoot.node.charter import BadCharter, Charter, propose
from folkmoot.node.epoch import Amends
from folkmoot.node.member import Card
from folkmoot.node.terms import Terms, moment_of


def amend(
    before: Charter,
    after: int,
    terms: Terms | None = None,
    *,
    admit: Sequence[Card] = (),
    remove: Sequence[str] = (),
    change: Sequence[Card] = (),
) -> Charter:
    """An amendment that nobody has signed yet.

    Args:
        before: the charter that it follows.
        after: last round of its epoch.
        terms: of the next epoch; None: as before, for the rounds that are left, without a break.
        admit: cards of who joins; they get the last numbers.
        remove: names of who leaves.
        change: cards of members with another address or key, under their old names.

    Raises:
        ValueError: a name that is no member's.
        BadCharter: what comes of it makes no sense.
    """
    names = {card.name for card in before.members}
    changed = {card.name: card for card in change}
    for name in (*remove, *changed):
        if name not in names:
            raise ValueError(f"{name}: no member of {before.terms.name!r}; expected one of {', '.join(sorted(names))}")
    for card in admit:
        if card.name in names:
            raise ValueError(f"{card.name}: is a member; a new address or key is a change, not an admission")
    members = [changed.get(card.name, card) for card in before.members if card.name not in remove]
    made = propose(terms or _left(before, after), [*members, *admit])
    made = replace(made, amends=Amends(before.digest, before.epoch + 1, after))
    check_fits(made, before)
    return made


def _left(before: Charter, after: int) -> Terms:
    """The same terms for the rounds that are left, from when the last one of the epoch before is over."""
    terms = before.terms
    left = terms.rounds - after
    if left < len(terms.arms):
        raise BadCharter(f"{max(left, 0)} of {terms.rounds} rounds are left after round {after}: give new terms")
    try:
        start = moment_of(terms.start) + timedelta(seconds=after * terms.period)
    except OverflowError:
        raise BadCharter(f"after = {after}: that is beyond the year 9999; give new terms") from None
    at = start.replace(tzinfo=None).isoformat(timespec="milliseconds" if start.microsecond else "seconds") + "Z"
    return Terms(**{**terms.model_dump(), "rounds": left, "start": at})


def check_fits(amendment: Charter, before: Charter) -> None:
    """Does it make sense, and does it amend this charter? Who has signed is another question.

    Raises:
        BadCharter: no; it says why.
    """
    amendment.check()
    amends, old, new = amendment.amends, before.terms, amendment.terms
    if amends is None:
        raise BadCharter(f"charter {new.name!r}: amends none; expected an amendment")
    if amends.before != before.digest or amends.epoch != before.epoch + 1:
        raise BadCharter(
            f"amendment {amendment.digest.hex()[:16]}: follows charter {amends.before.hex()[:16]} as epoch "
            f"{amends.epoch}; expected {before.digest.hex()[:16]}, epoch {before.epoch + 1}"
        )
    if amends.after > old.rounds:
        raise BadCharter(f"after = {amends.after}: expected a round of the epoch before, 1 to {old.rounds}")
    ends = old.starts + amends.after * old.period
    if new.period and old.period and new.starts < ends - 1e-3:
        when = datetime.fromtimestamp(ends, UTC).replace(tzinfo=None).isoformat(timespec="seconds")
        raise BadCharter(f"start = {new.start}: expected no time before the last round has ended, {when}Z")


def newcomers(amendment: Charter, before: Charter) -> list[Card]:
    """Cards that are new in it."""
    known = set(before.members)
    return [card for card in amendment.members if card not in known]


def _changed_keys(amendment: Charter, before: Charter) -> list[tuple[Card, Card]]:
    """Members that change their key: their cards before and after."""
    old = {card.name: card for card in before.members}
    pairs = [(old[card.name], card) for card in amendment.members if card.name in old]
    return [(then, now) for then, now in pairs if then.key != now.key]


def lacking(amendment: Charter, before: Charter) -> list[str]:
    """Whose signatures it still needs, a sentence each; none: it counts."""
    there = {bytes.fromhex(key) for key in amendment.signatures}
    signed = [card.name for card in before.members if card.key in there]
    found = []
    if len(signed) < before.quorum:
        rest = ", ".join(card.name for card in before.members if card.key not in there)
        found.append(f"{len(signed)} of {before.quorum} members that are needed have signed; {rest} have not")
    for card in newcomers(amendment, before):
        if card.key not in there:
            found.append(f"not signed by {card.name} with key {card.key.hex()[:16]}, whose card is new")
    for then, now in _changed_keys(amendment, before):
        if then.key not in there:
            found.append(f"not signed by {now.name} with the key that it gives up, {then.key.hex()[:16]}")
    return found


def check_counts(amendment: Charter, before: Charter) -> None:
    """Does it make sense, and have all signed it who must?

    Raises:
        BadCharter: no; it says why.
    """
    check_fits(amendment, before)
    if missing := lacking(amendment, before):
        raise BadCharter(f"amendment {amendment.digest.hex()[:16]}: {'; '.join(missing)}")


def signed(amendment: Charter, before: Charter, seed: bytes) -> Charter:
    """With the signature of the member of this seed: one of before, or one that is new.

    Raises:
        ValueError: neither.
        BadCharter: it does not make sense as an amendment of that charter.
    """
    check_fits(amendment, before)
    key = Identity(seed).public_key
    if key not in {card.key for card in (*before.members, *amendment.members)}:
        raise ValueError(f"key {key.hex()[:16]}: no member of {before.terms.name!r}, before or after the amendment")
    return amendment.signed(seed)


def check_lineage(charters: Sequence[Charter]) -> None:
    """Is the first signed by all, and does each other one count as an amendment of the one before it?

    Raises:
        BadCharter: no; it says why.
    """
    charters[0].check_signed()
    for before, amendment in pairwise(charters):
        check_counts(amendment, before)


def same_game(before: Charter, after: Charter) -> bool:
    """Do own pulls of the epoch before tell of the arms of the next one: the same arms, on the same scale?"""
    old, new = before.terms, after.terms
    return (old.arms, old.low, old.high) == (new.arms, new.low, new.high)


def changes(amendment: Charter, before: Charter) -> list[str]:
    """What an amendment changes, in plain words; a line each."""
    assert amendment.amends is not None
    old, new = {card.name: card for card in before.members}, {card.name: card for card in amendment.members}
    said = [
        f"Epoch {amendment.epoch} of {before.terms.name}, after round {amendment.amends.after} of epoch "
        f"{before.epoch} (charter {before.digest.hex()[:16]})."
    ]
    said += [f"{name} joins, at {card.address}, key {card.key.hex()[:16]}." for name, card in _only(new, old)]
    said += [f"{name} leaves." for name, _ in _only(old, new)]
    for name, card in new.items():
        if name in old and old[name].key != card.key:
            said.append(f"{name} changes its key from {old[name].key.hex()[:16]} to {card.key.hex()[:16]}.")
        if name in old and old[name].address != card.address:
            said.append(f"{name} moves from {old[name].address} to {card.address}.")
    was, becomes = before.terms.model_dump(mode="json"), amendment.terms.model_dump(mode="json")
    said += [f"{key}: {was[key]} becomes {becomes[key]}." for key in was if was[key] != becomes[key]]
    return said


def _only(cards: dict[str, Card], others: dict[str, Card]) -> Iterable[tuple[str, Card]]:
    return ((name, card) for name, card in cards.items() if name not in others)
