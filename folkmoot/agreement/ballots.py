"""Proposals and votes of others that are passed on where messages get lost, so that each has a second way, and a third.

They are the same signed words as before and count by the same rules; who passes them on vouches for nothing.
"""

from collections.abc import Iterable, Iterator, Mapping

from folkmoot.agreement.messages import PROPOSAL, Ballots, Proposal, Vote


def gathered(purpose: str, said: Mapping[int, Proposal | Vote]) -> Ballots | None:
    """Of what was said for this purpose, by sender, what most have said; None: nobody has said anything."""
    if not said:
        return None
    hashes = sorted(ballot.hash for ballot in said.values())
    most = max(hashes, key=hashes.count)
    alike = {sender: ballot for sender, ballot in sorted(said.items()) if ballot.hash == most}
    first = next(iter(alike.values()))
    signatures = tuple(ballot.signature for ballot in alike.values())
    return Ballots(purpose, first.height, first.round, most, tuple(alike), signatures)


def scattered(ballots: Ballots, skipped: Iterable[int]) -> Iterator[Proposal | Vote]:
    """The proposals (without a block) or votes that were passed on, but for those of some senders."""
    without, about = set(skipped), (ballots.height, ballots.round)
    for sender, signature in zip(ballots.voters, ballots.signatures, strict=True):
        if sender in without:
            continue
        if ballots.purpose == PROPOSAL:
            yield Proposal(*about, sender, ballots.hash, signature, b"")
        else:
            yield Vote(ballots.purpose, *about, sender, ballots.hash, signature)
