"""How large what participants of a consortium send can be, by its terms, and how many messages of each kind.

Samples have one form; blocks hold so many of them. A newcomer's model is of any kind, so its parameters are as large as
a message can be. See docs/decisions/0027-bounds.md.
"""

from typing import Any

import numpy as np

from folkmoot.agreement.forms import HEAD
from folkmoot.agreement.shares import TWICE
from folkmoot.agreement.shares import shares as voting_shares
from folkmoot.encoding import encode
from folkmoot.ledger.block import LIMITS as BLOCKS
from folkmoot.ledger.block import MOST_HEIGHT, VERSION, Block, Header
from folkmoot.ledger.work import MOST_BITS, MOST_COUNTER
from folkmoot.machine import Share, Stage
from folkmoot.multiparty.chain.entries import MOST_NAME, MOST_PARTIES, NAME_BYTES, SETTINGS
from folkmoot.multiparty.chain.exchanged import ShownNote
from folkmoot.multiparty.chain.exchanging import Exchanging
from folkmoot.multiparty.chain.messages import SampleSent
from folkmoot.multiparty.chain.records import LIMITS, Leaf, SampleNote
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.talk import (
    CONSORTIUM,
    MOST_NAMES,
    ROOM,
    Answered,
    Applied,
    ExchangeTold,
    Given,
    Lacking,
    RecordsTold,
    SampleTold,
    WishTold,
)
from folkmoot.multiparty.rules.terms import MOST_CLASSES
from folkmoot.signatures import SIGNATURE_BYTES

MOST_ANSWERS = 64  # to newcomers, that wait for a block
MOST_ASKED = 8  # times that somebody may ask for contents in a round
MOST_GIVEN = 4  # messages with contents that go along with blocks
MOST_SAID = 6  # wishes that one says in a stage
LATE = frozenset({
    "proposal", "vote", "confirmation", "certificate", "want", "blocks", "sample told", "given", "wish told",
    "exchange told", "records told",
})  # fmt: skip
NONE = Exchanging()
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


def given_bytes(shape: tuple[int, ...], samples: int, room: int = ROOM) -> int:
    """Bytes of the contents that a block of so many samples names, at most; or of one newcomer's parameters."""
    return max(samples * (HEAD + content_bytes(shape)), HEAD + room)


def exchange_bytes(state: State, agreed: Exchanging) -> int:
    """Bytes of the records of an exchange, at most, with ballots on all sets that a gate may ask for."""
    parties, classes, each = len(state.parties) + agreed.guests, state.terms.n_classes, agreed.each
    note = ShownNote(MOST_PARTIES - 1, bytes(NAME_BYTES), MOST_CLASSES - 1, -1, _SIGNATURE, "v" * 32).to_bytes()
    row = HEAD + 4 * (HEAD + 3)
    shown = parties * classes * each * (HEAD + len(note))
    models = parties * (HEAD + SETTINGS.size + 2 * _MOST_HEAD)
    recalls = 2 * parties * (HEAD + _MOST_HEAD + parties * classes * row)
    ballots = parties * (1 + parties * (parties + 1) // 2) * (HEAD + _MOST_HEAD // 2 + parties * 8 + classes * row)
    return min(shown + models + recalls + ballots, BLOCKS.size)


def _agreed(state: State, agreed: Exchanging, room: int) -> dict[str, Share]:
    """Of acts and exchanges; none where there are none."""
    shares: dict[type[Any], tuple[int, int]] = (
        {WishTold: (TWICE * MOST_SAID, LIMITS.size)} if state.terms.approvals else {}
    )
    if agreed.each:
        records = exchange_bytes(state, agreed)
        shares |= {RecordsTold: (TWICE, records), ExchangeTold: (2 * TWICE, records + room)}
    return {
        CONSORTIUM.name(kind): Share(number, CONSORTIUM.largest(kind, {"content": size + _MOST_HEAD}))
        for kind, (number, size) in shares.items()
    }


def shares(state: State, wanted: int, most: int, room: int = ROOM, agreed: Exchanging = NONE) -> dict[str, Share]:
    """Of each kind of message, of one sender in one stage.

    Args:
        state: of the chain.
        wanted: samples that a party sends in a round.
        most: samples in a block.
        room: bytes of contents in one message.
        agreed: on exchanges.
    """
    shape, one = state.terms.shape, HEAD + content_bytes(state.terms.shape)
    contents = max(min(MOST_NAMES * one, room), HEAD + room)  # of samples or of a model
    along = -(-most // max(1, min(MOST_NAMES, room // one)))  # messages with the contents of a block
    sizes = {
        SampleTold: (TWICE * wanted, {"content": sample_bytes(shape)}),
        Applied: (1, {"content": LIMITS.size, "parameters": room}),
        Answered: (MOST_ANSWERS, {"content": LIMITS.size}),
        Lacking: (MOST_ASKED, {"names": MOST_NAMES * (HEAD + NAME_BYTES)}),
        Given: (TWICE * (along + MOST_GIVEN), {"contents": contents}),
    }
    own = {
        CONSORTIUM.name(kind): Share(number, CONSORTIUM.largest(kind, fields))
        for kind, (number, fields) in sizes.items()
        if number > 0
    }
    block = max(block_bytes(most), _MOST_HEAD * 2 + exchange_bytes(state, agreed) if agreed.each else 0)
    return {**voting_shares(CONSORTIUM, len(state.members), block), **own, **_agreed(state, agreed, room)}


def stage_bytes(state: State, of: dict[str, Share], most: int, room: int = ROOM) -> int:
    """Bytes of all messages of one sender in one stage.

    Contents are counted apart: those of a block that is proposed, and of blocks that were asked for.
    """
    given = CONSORTIUM.name(Given)
    others = sum(share.messages * share.size for kind, share in of.items() if kind != given)
    return others + TWICE * given_bytes(state.terms.shape, most, room) + MOST_GIVEN * of[given].size


def stages(
    state: State,
    names: tuple[str, ...],
    answer: int,
    wanted: int,
    most: int,
    room: int = ROOM,
    agreed: Exchanging = NONE,
) -> tuple[Stage, ...]:
    """The stages with these names; `answer` is the number of the one in which newcomers are looked at.

    In any of them a participant may send votes, blocks that were asked for, and samples, be they late.
    """
    always, applied, rows = shares(state, wanted, most, room, agreed), CONSORTIUM.name(Applied), []
    for number, name in enumerate(names):
        of = {kind: share for kind, share in always.items() if kind != applied or number == answer}
        messages = sum(share.messages for share in of.values())
        rows.append(Stage(name, messages, stage_bytes(state, of, most, room), LATE, shares=of))
    return tuple(rows)
