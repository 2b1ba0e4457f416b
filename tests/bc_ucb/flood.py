"""A game in a process of its own, with one honest node whom all liars flood: prints the memory it took, in bytes.

Run with "honest", "flood", or "broken" (the flood, and nothing is bounded); ten participants compare five arms in
private. Liars send every kind of message in every stage: the largest legal ones, larger ones, and many small ones.
"""

import sys
from collections import Counter
from dataclasses import replace

from small_game import sized_game

from benchmarks.growth import peak_bytes
from folkmoot.agreement.messages import (
    PREVOTE,
    PROPOSAL,
    Blocks,
    Certificate,
    Confirmation,
    Proposal,
    Vote,
    Want,
    proposal_words,
    vote_words,
)
from folkmoot.agreement.shares import Largest
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.messages import COMPARISON, GAME, Answer, Offer, SetsSent, comparison_words
from folkmoot.bc_ucb.protocol import Table
from folkmoot.bc_ucb.stages import REPORTING
from folkmoot.encoding import encode
from folkmoot.machine import Gate, Received

LARGE = 1 << 20  # bytes of the largest messages
EACH, SMALL = 8, 1_000  # messages of a kind and size, of one liar in one stage


def junk(size, number):
    """Bytes that are not zero, so that they take memory."""
    return number.to_bytes(8, "little") + b"\x5a" * max(0, size - 8)


def bare(kind, size, number):
    """Something that begins like a message of this kind."""
    start = next(start for start, name in GAME._starts.items() if name == kind)
    return start + junk(max(1, size - len(start)), number)


def signed(table, liar, chain, round, size, number):
    """True messages of this liar with a content of about this size."""
    identity, height, tip, origin = table._identities[liar], chain.height + 1, chain.tip, chain.state.origin
    content, hash = junk(size, number), number.to_bytes(32, "little")
    for blank in (Offer(tip, round, liar, b"", content, b""), Answer(tip, round, liar, 0, content, b"")):
        yield blank._replace(signature=identity.sign(COMPARISON, comparison_words(origin, blank)))
    yield SetsSent(round, content)
    words = proposal_words(origin, height, round, hash)
    yield Proposal(height, round, liar, hash, identity.sign(PROPOSAL, words), content)
    words = vote_words(origin, PREVOTE, height, round, hash)
    yield Vote(PREVOTE, height, round, liar, hash, identity.sign(PREVOTE, words))
    yield Confirmation(height, liar, hash, bytes(64))
    yield Certificate(height, round, hash, (liar,), (bytes(64),), content)
    yield Want(height + number)
    yield Blocks((content,))


def flood(table, host, moment):
    """What liars send to one node in a stage, one message after the other."""
    stage, chain = host.machine.stages[moment.stage], host.machine.chain
    for liar in (address.participant for address in table._others):
        for kind in sorted(GAME.names):
            share = (stage.shares or {}).get(kind)
            for size in (0 if share is None else share.size, 1 if share is None else share.size + 1, LARGE):
                yield from (Received(liar, bare(kind, size, number)) for number in range(EACH))
        for size in (100, 10_000):
            for number in range(EACH):
                for message in signed(table, liar, chain, moment.round, size, number):
                    yield Received(liar, GAME.to_bytes(message))
        yield from (Received(liar, GAME.to_bytes(SetsSent(moment.round, junk(LARGE, n)))) for n in range(EACH))
        yield from (Received(liar, GAME.to_bytes(Want(number))) for number in range(1, SMALL))
        yield from (Received(liar, encode((3, moment.round, junk(50, number)))) for number in range(SMALL))
        yield from (Received(liar, junk(60, number)) for number in range(SMALL))


class Flooded(Table):
    """One honest participant gets the flood before what the others send it."""

    def _step(self, moment, address, inbox=()):
        if address == self.honest[0] and moment.stage >= REPORTING:
            host = self.hosts[address]
            inbox = (received for many in (flood(self, host, moment), inbox) for received in many)
        return super()._step(moment, address, inbox)


def unbounded():
    """The rules that the test is about, broken."""
    Gate.sift = lambda self, inbox: (list(inbox), Counter())
    Largest.require = lambda self, data: None
    Deliberation.take_inner = lambda self, content, sender: self._inner.append(content)


def main(how):
    if how == "broken":
        unbounded()
    game = replace(sized_game(10, 5, rounds=2), private_comparison="pairwise")
    with (Table if how == "honest" else Flooded)(game, 0) as table:
        for t in range(1, int(game.checkpoints[-1]) + 1):
            table.play_round(t)
    return peak_bytes(), len(table.watch.chains) - 1


if __name__ == "__main__":
    sys.stdout.write("{} {}\n".format(*main(sys.argv[1])))
