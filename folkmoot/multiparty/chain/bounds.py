"""How large what participants of a consortium send can be, by its terms, and how many messages of each kind.

Samples have one form; blocks hold so many of them. A newcomer's model is of any kind, so its parameters are as large as
a message can be. See docs/decisions/0027-bounds.md.
"""

import numpy as np

from folkmoot.agreement.forms import HEAD
from folkmoot.agreement.shares import TWICE
from folkmoot.agreement.shares import shares as voting_shares
from folkmoot.encoding import encode
from folkmoot.ledger.block import MOST_HEIGHT, VERSION, Block, Header
from folkmoot.ledger.work import MOST_BITS, MOST_COUNTER
from folkmoot.machine import Share, Stage
from folkmoot.multiparty.chain.entries import MOST_NAME, MOST_PARTIES, NAME_BYTES
from folkmoot.multiparty.chain.messages import SampleSent
from folkmoot.multiparty.chain.records import LIMITS, Leaf, SampleNote
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.talk import (
    CONSORTIUM,
    MOST_NAMES,
    ROOM,
    Answered,
    Applied,
    Given,
    Lacking,
    SampleTold,
)
from folkmoot.multiparty.rules.terms import MOST_CLASSES
from folkmoot.signatures import SIGNATURE_BYTES

MOST_ANSWERS = 64  # to newcomers, that wait for a block
MOST_ASKED = 8  # times that somebody may ask for contents in a round
MOST_GIVEN = 4  # messages with contents that go along with blocks
LATE = frozenset({"proposal", "vote", "confirmation", "certificate", "want", "blocks", "sample told", "given"})
_MOST_HEAD = 512  # bytes of the first record
_SIGNATURE = bytes(SIGNATURE_BYTES)


def content_bytes(shape: tuple[int, ...]) -> int:
    """Bytes of a sample as a content."""
    return len(encode(np.zeros(shape, np.float32)))


def sample_bytes(shape: tuple[int, ...]) -> int:
    """Bytes of a signed sample on its way, at most."""
    sent = SampleSent(MOST_PARTIES - 1, bytes(content_bytes(shape)), MOST_CLASSES - 1, MOST_CLASSES - 2, _SIGNATURE)
    return len(sent.to_bytes())


def block_bytes(samples: int) -> int:
    """Bytes of a block of so many samples without signatures, at most; or of one with an answer to a newcomer."""
    name, root = bytes(NAME_BYTES), bytes(32)
    note = SampleNote(MOST_PARTIES - 1, name, MOST_CLASSES - 1, MOST_CLASSES - 2, _SIGNATURE, "v" * 32).to_bytes()
    leaf = Leaf(MOST_PARTIES - 1, "k" * MOST_NAME, name).to_bytes()
    header = Header(VERSION, "bema", MOST_HEIGHT, root, root, MOST_BITS, MOST_COUNTER)
    moved = samples * (HEAD + len(note)) + MOST_PARTIES * (HEAD + len(leaf))
    return len(Block(header).to_bytes()) + HEAD + _MOST_HEAD + max(moved, HEAD + LIMITS.size)


def given_bytes(shape: tuple[int, ...], samples: int) -> int:
    """Bytes of the contents that a block of so many samples names, at most; or of one newcomer's parameters."""
    return max(samples * (HEAD + content_bytes(shape)), HEAD + ROOM)


def shares(state: State, wanted: int, most: int) -> dict[str, Share]:
    """Of each kind of message, of one sender in one stage.

    Args:
        state: of the chain.
        wanted: samples that a party sends in a round.
        most: samples in a block.
    """
    shape, one = state.terms.shape, HEAD + content_bytes(state.terms.shape)
    contents = max(min(MOST_NAMES * one, ROOM), HEAD + ROOM)  # of samples or of a model
    along = -(-most // max(1, min(MOST_NAMES, ROOM // one)))  # messages with the contents of a block
    sizes = {
        SampleTold: (TWICE * wanted, {"content": sample_bytes(shape)}),
        Applied: (1, {"content": LIMITS.size, "parameters": ROOM}),
        Answered: (MOST_ANSWERS, {"content": LIMITS.size}),
        Lacking: (MOST_ASKED, {"names": MOST_NAMES * (HEAD + NAME_BYTES)}),
        Given: (TWICE * (along + MOST_GIVEN), {"contents": contents}),
    }
    own = {
        CONSORTIUM.name(kind): Share(number, CONSORTIUM.largest(kind, fields))
        for kind, (number, fields) in sizes.items()
        if number > 0
    }
    return {**voting_shares(CONSORTIUM, len(state.members), block_bytes(most)), **own}


def stage_bytes(state: State, of: dict[str, Share], most: int) -> int:
    """Bytes of all messages of one sender in one stage.

    Contents are counted apart: those of a block that is proposed, and of blocks that were asked for.
    """
    given = CONSORTIUM.name(Given)
    others = sum(share.messages * share.size for kind, share in of.items() if kind != given)
    return others + TWICE * given_bytes(state.terms.shape, most) + MOST_GIVEN * of[given].size


def stages(state: State, names: tuple[str, ...], answer: int, wanted: int, most: int) -> tuple[Stage, ...]:
    """The stages with these names; `answer` is the number of the one in which newcomers are looked at.

    In any of them a participant may send votes, blocks that were asked for, and samples, be they late.
    """
    always, applied, rows = shares(state, wanted, most), CONSORTIUM.name(Applied), []
    for number, name in enumerate(names):
        of = {kind: share for kind, share in always.items() if kind != applied or number == answer}
        messages = sum(share.messages for share in of.values())
        rows.append(Stage(name, messages, stage_bytes(state, of, most), LATE, shares=of))
    return tuple(rows)
