"""Machines of their own go on from a checkpoint, with a seat that is vacant and a key that is another's by now."""

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_acts import leave, rotate
from made_voted import CLASSES, INPUTS, TERMS, Play, data, key, model, public

from folkmoot import ledger
from folkmoot.multiparty.chain.checkpoints import going_on
from folkmoot.multiparty.chain.entries import entry
from folkmoot.multiparty.chain.life import VACANT
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.participant import Role
from folkmoot.multiparty.chain.standing import configuration
from folkmoot.multiparty.chain.voting import Voting
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules.terms import Terms

NAMES = ("ada", "bob", "cyd", "dan")
NEW = 60  # number of the key that cyd has after a while


def before():
    """A chain with votes that dan has left, and on which cyd has another key; it ends with a checkpoint."""
    contents = ledger.MemoryContents()
    originals = [entry(name, public(i), model(i), contents) for i, name in enumerate(NAMES)]
    terms = Terms(CLASSES, (INPUTS,), **TERMS, approvals=1)
    chain = ledger.start(ledger.Genesis("bema", configuration(terms, originals, voting=Voting()), 0), contents)
    chain, _ = appended(chain, lambda c: leave(c, 3, 3), (0, 1, 2, 3))
    chain, _ = appended(chain, lambda c: rotate(c, 2, 2, NEW), (0, 1, 2))
    return *appended(chain, None, (0, 1, NEW)), terms


def appended(chain, act, keys):
    """The chain after an act (None: a checkpoint), signed by the keys with these numbers; and the block."""
    round = chain.height + 1
    maker = chain.state.makers[round % len(chain.state.makers)]
    miner = Miner(key(next(n for n in keys if public(n) == maker)), chain)
    made = miner.checkpoint(1, round=round) if act is None else miner.act(act(chain), 1, round=round)
    block = made.signed(*map(key, keys))
    return ledger.apply_block(chain, block), block


def role(number, n, chain, block, terms):
    """A party with a store of its own, which holds what the checkpoint names."""
    contents = ledger.MemoryContents()
    for data_ in chain.state.contents._data.values():
        contents.put(data_)
    first = ledger.start(ledger.Genesis("bema", going_on(terms, block), 0), contents)
    x, y = data(number)
    own = Party(NAMES[number], model(number), x, y)
    return Role(bytes([n + 1]) * 32, first, own, OriginalParty(key(n), x, y), wanted=2, most=6)


def test_blocks_come_after_a_checkpoint_and_the_chain_is_verified():
    chain, block, terms = before()
    assert chain.state.members == (public(0), public(1), public(NEW), VACANT)
    play = Play([role(number, n, chain, block, terms) for number, n in ((0, 0), (1, 1), (2, NEW))])
    play.play(4)
    assert min(one.height for one in play.chains) >= 2
    again = ledger.start(ledger.Genesis("bema", going_on(terms, block), 0), play.chains[0].state.contents)
    for made in play.blocks(0):
        assert {signer for signer, _ in made.signatures} == {public(0), public(1), public(NEW)}
        again = ledger.apply_block(again, made)
    assert again.tip == play.chains[0].tip
    assert again.state.life.gone == {3}


def test_who_is_gone_has_no_vote_and_the_quorum_is_of_the_others():
    chain, _, _ = before()
    state = chain.state
    turn = next(n for n in (0, 1, NEW) if public(n) == state.makers[(chain.height + 1) % 3])
    block = Miner(key(turn), chain).act(leave(chain, 1, 1), 1, round=chain.height + 1)
    with pytest.raises(ledger.InvalidBlock, match="has no say in this block"):
        ledger.apply_block(chain, block.signed(key(0), key(1), key(3)))
    with pytest.raises(ledger.InvalidBlock, match="2 signatures: 3 are needed"):
        ledger.apply_block(chain, block.signed(key(0), key(1)))
    assert ledger.apply_block(chain, block.signed(key(0), key(1), key(NEW))).state.trusted == (0, 2)
