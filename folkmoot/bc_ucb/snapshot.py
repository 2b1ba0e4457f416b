"""The chain of a game as a participant keeps it beside the blocks, so that it need not play them all again.

Only for the own store: nothing in it is checked against the blocks but the hash of the last one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement.shared import Call
from folkmoot.bc_ucb.contract import Accounts
from folkmoot.bc_ucb.evidence import culprit, ground_of
from folkmoot.bc_ucb.kind import GameKind
from folkmoot.bc_ucb.records import RoundRecord, checked
from folkmoot.bc_ucb.state import State
from folkmoot.encoding import Malformed, decode, encode
from folkmoot.ledger.chain import Chain
from folkmoot.machine import Chain as Stored


def to_bytes(chain: Chain) -> bytes:
    """A chain with at least one block."""
    state: State = chain.state
    assert state.last is not None, "before the first block there is nothing to keep"
    return encode((chain.height, chain.tip, tuple(state.accounts), state.last.to_bytes(), *state[5:]))


def from_bytes(data: bytes, first: Chain) -> Chain:
    """The chain that was kept, of the game that begins with `first`.

    Raises:
        Malformed: bytes that are no chain of this game.
    """
    kinds = (int, bytes, tuple, bytes, np.ndarray, tuple, bytes, int)
    height, tip, arrays, last, members, faults, *costs = checked(decode(data), kinds, "snapshot")
    start: State = first.state
    if height < 1 or len(tip) != 32 or len(arrays) != len(Accounts._fields):
        raise Malformed(f"snapshot of height {height}: expected 1 or more, 32 bytes and {len(Accounts._fields)} arrays")
    for name, told, blank in zip(Accounts._fields, arrays, start.accounts):
        _require_like(told, blank, name)
    _require_like(members, start.members, "members")
    record = RoundRecord.from_bytes(last, *start.members.shape)
    proven = tuple(checked(fault, (int, bytes), "proven fault") for fault in faults)
    accounts, (entered, disclosed) = Accounts(*arrays), costs
    told = {"members": members, "faults": proven, "entered": entered, "disclosed": disclosed}
    state = start._replace(tip=tip, accounts=accounts, last=record, **told)
    return Chain(first.genesis, height, tip, state)


def given(data: bytes, first: Chain, call: Call) -> Chain:
    """The chain that another participant gives: what it says of faults is proven, the next block must name all else.

    Of the last record in it only the round is named, and only the round is used.

    Raises:
        Malformed: bytes that are no chain of this game, or the game is of edition 1, whose blocks name no states.
    """
    chain = from_bytes(data, first)
    state: State = chain.state
    if state.configuration.edition < 2:
        raise Malformed("state: blocks of edition 1 name none")
    members = [member for member, _ in state.faults]
    if members != sorted(set(members)) or any(culprit(proof, ground_of(state), call) != m for m, proof in state.faults):
        raise Malformed("state: a fault that is not proven")
    for array in (*state.accounts, state.members):
        array.setflags(write=False)
    return chain


def stored_chain(kind: GameKind, kept: bytes | None, stored: Stored, first: Chain) -> Chain:
    """As it stood: the blocks after the snapshot that was kept are applied again.

    Raises:
        Malformed, InvalidBlock: snapshot and blocks do not fit together, or are of another game.
    """
    chain = first if kept is None else from_bytes(kept, first)
    if chain.height > stored.height:
        raise Malformed(f"snapshot of height {chain.height}: there are {stored.height} blocks")
    if chain.height > 0 and kind.received(stored.block(chain.height)).hash != chain.tip:
        raise Malformed(f"snapshot of height {chain.height}: of another chain than the blocks")
    for height in range(chain.height + 1, stored.height + 1):
        chain = kind.append(chain, kind.received(stored.block(height)))
    return chain


def _require_like(told: object, blank: NDArray[Any], what: str) -> None:
    if not isinstance(told, np.ndarray) or told.dtype != blank.dtype or told.shape != blank.shape:
        raise Malformed(f"snapshot: {what} is not {blank.dtype} {blank.shape}")
