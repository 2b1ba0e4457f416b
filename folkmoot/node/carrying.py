"""A model that goes on under another charter: as it stands on the chain now, in a new data folder.

A charter of models cannot be amended, since its chain begins with the models of all members. Members who want another
address, another pace or somebody new sign another charter. So that nothing that the models have learnt is lost, each
takes its own along. What is on the old chain stays there: its blocks are no part of the new one, but the digests of
parameters with which the new one begins are those with which the old one ends.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from folkmoot.node.bema import Bema
from folkmoot.node.brought import CHECK, CODE, OWN, SAMPLES, OwnSamples, bring, contents_of, enter_code
from folkmoot.node.folder import Folder
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of

if TYPE_CHECKING:
    from folkmoot.multiparty.chain.standing import State


def carry(old: Folder, new: Folder) -> dict[str, Any]:
    """Put what a member has into a new data folder: its model as it now is, its samples, its check set, its code.

    Args:
        old: of the member under the charter of before; its node may run.
        new: as `folkmoot node init` makes it, perhaps with another address or key.

    Returns:
        The table that the terms of the new charter have for this model.

    Raises:
        ValueError: the member has no model on a chain, or something cannot be written.
        OtherSide: what is stored is damaged.
    """
    party, code, _ = _what(old)
    found: dict[str, Any] = bring(new, party, code)
    return found


def carried_to(old: Folder, new: Folder) -> str:
    """`carry`, and what it says."""
    party, code, height = _what(old)
    bring(new, party, code)
    return (
        f"{new.path}: has the model of {party.name} as it is after block {height}, and its samples; send "
        f"{new.path / 'model.toml'} to whoever proposes the charter"
    )


def _what(old: Folder) -> tuple[Any, Path | None, int]:
    """The party, its code, and the height of the chain."""
    from folkmoot.multiparty.party import Party

    charter = old.charter()
    system, name = system_of(charter), charter.members[charter.number(old.card.key)].name
    if not isinstance(system, Bema):
        raise ValueError(f"{old.path}: members of a {charter.terms.system} have no models")
    state, height = _stands(system, old, name)
    number = next((n for n, party in enumerate(state.parties) if party.name == name), -1)
    if number < 0:
        raise ValueError(f"{old.path}: {name} has no model on the chain")
    if not state.is_in(number):
        raise ValueError(f"{old.path}: {name} has left the consortium, or was expelled from it")
    samples = OwnSamples(old.path / SAMPLES, state.terms.shape)
    try:
        (x, y), check = samples.read(OWN), samples.read(CHECK)
    finally:
        samples.close()
    party = Party(name, state.committee.fleet.model(number), x, y)
    code = old.path / CODE
    return replace(party, check=check if len(check[1]) else None), code if code.exists() else None, height


def _stands(system: Bema, old: Folder, name: str) -> "tuple[State, int]":
    """The state after the last block, computed again from the first models on, and its height."""
    from folkmoot.ledger.block import Block
    from folkmoot.ledger.chain import apply_block, start

    n = len(system.settings.models)
    if lacking := system.lacks(old.path):
        raise ValueError(f"{old.path}: {name}: {lacking} of {n} models are not here yet; run its node until they are")
    enter_code(old.path)
    chain = start(system.genesis, contents_of(old.path))
    if (old.path / FILE).exists():
        store = Store(old.path / FILE)
        try:
            for height in range(1, store.height + 1):
                chain = apply_block(chain, Block.from_bytes(store.block(height)))
        finally:
            store.close()
    return chain.state, chain.height
