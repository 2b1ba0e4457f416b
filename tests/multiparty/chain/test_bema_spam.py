"""What refusals cost: each is recorded once, so many of a sender, and nothing of them is kept for good."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_voted import CLASSES, INPUTS, NAMES, TERMS, Play, data, key, model, newcomer, public, roles

from folkmoot import ledger
from folkmoot.agreement.messages import Blocks
from folkmoot.ledger.block import Block
from folkmoot.ledger.contents import MissingContent
from folkmoot.machine import Moment, Received
from folkmoot.multiparty import Consortium, Party
from folkmoot.multiparty.chain.entries import entry
from folkmoot.multiparty.chain.messages import application, sample_message
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.records import CALIBRATE, OP, REFUSE, Head, read_calibration, read_refused
from folkmoot.multiparty.chain.standing import configuration
from folkmoot.multiparty.chain.talk import CONSORTIUM, Applied
from folkmoot.multiparty.rules.terms import Terms

X, Y = data(50, 400)
MAKER = 0  # number of the original party that makes the blocks here


def chain_of(refusals, classes=(0, 1, 2)):
    """Three original parties; one signature makes a block."""
    contents = ledger.MemoryContents()
    originals = [entry(name, public(i), model(i, classes), contents) for i, name in enumerate(NAMES)]
    terms = Terms(CLASSES, (INPUTS,), **TERMS, refusals=refusals)
    return ledger.start(ledger.Genesis("bema", configuration(terms, originals), 0), contents)


def known(chain, count):
    """Signed samples that the models are right about: what a liar sends for nothing."""
    margins = chain.state.committee.margins(X, Y)
    chosen = np.flatnonzero(margins.value > 0.3)[:count]
    origin = chain.genesis.hash
    return [sample_message(key(1), origin, 1, X[i], int(Y[i]), int(margins.wrong[i])) for i in chosen]


def mined(chain, messages):
    miner = Miner(key(MAKER), chain)
    assert [miner.receive(message) for message in messages] == [None] * len(messages)
    return miner, miner.block(1)


def by_hand(chain, records, what=CALIBRATE):
    """A block of whatever its maker likes, signed."""
    head = Head(what, 1, public(MAKER), OP)
    return ledger.propose(chain, [head.to_bytes(), *records]).signed(key(MAKER))


def notes_of(block):
    return read_calibration(block.records[1:])[0]


def refused_notes(chain, count):
    """The records of refused samples, each from a block of its own."""
    return [notes_of(mined(chain, [message])[1])[0].to_bytes() for message in known(chain, count)]


def test_a_refused_message_is_recorded_once_in_a_block():
    old, new = chain_of(0), chain_of(8)
    assert ledger.apply_block(old, by_hand(old, refused_notes(old, 1) * 50)).height == 1  # as in earlier versions
    with pytest.raises(
        ledger.RefusedRecord, match=r"record 2: sample of party 1 \(bob\): refused as margin, which stands"
    ):
        ledger.apply_block(new, by_hand(new, refused_notes(new, 1) * 50))


def test_and_once_on_a_chain():
    chain = chain_of(8)
    first = mined(chain, known(chain, 1))[1]
    chain = ledger.apply_block(chain, first)
    miner, block = mined(chain, known(chain, 1))
    assert (block, miner.left_out, miner.waiting) == (None, [(1, "margin")], 0)
    with pytest.raises(ledger.RefusedRecord, match="stands on the chain already"):
        ledger.apply_block(chain, by_hand(chain, first.records[1:]))


def test_a_sender_has_a_quota_of_refusals_in_a_block():
    chain = chain_of(2)
    miner, block = mined(chain, known(chain, 5))
    assert len(notes_of(block)) == 2
    assert miner.left_out == [(1, "margin")] * 3
    assert ledger.apply_block(chain, block).height == 1
    with pytest.raises(ledger.RefusedRecord, match="record 3: sample of party 1"):
        ledger.apply_block(chain, by_hand(chain, refused_notes(chain, 3)))
    old = chain_of(0)
    assert ledger.apply_block(old, by_hand(old, refused_notes(old, 3))).height == 1


def asked(chain, n, classes=(0, 1), given=None):
    """An application whose parameters are in the chain's contents."""
    own = model(n, classes) if given is None else given
    return application(key(n), chain.genesis.hash, entry(f"new {n}", public(n), own, chain.state.contents))


@pytest.mark.parametrize("refusals", [0, 4])
def test_whom_nobody_covers_is_not_recorded(refusals):
    chain = chain_of(refusals, classes=(0, 1))
    record = OriginalParty(key(0), *data(0, 40, (0, 1))).assess(chain, asked(chain, 20, (0, 2)))
    assert read_refused(record).reason == "uncovered"
    block = by_hand(chain, [record], REFUSE)
    if refusals == 0:
        assert ledger.apply_block(chain, block).height == 1
    else:
        with pytest.raises(ledger.RefusedRecord, match="by these terms that is not recorded"):
            ledger.apply_block(chain, block)


def odd(n=21):
    """A model that is sure of the wrong class."""
    weights = model(n, (0, 1))
    found = weights.from_bytes(weights.to_bytes())
    found.weights[:] = -found.weights
    found.intercepts[:] = [9.0, -9.0]
    return found


def test_so_many_newcomers_are_refused_in_a_row():
    chain, judge = chain_of(2), OriginalParty(key(0), *data(0))
    for n in (21, 22, 23):
        record = judge.assess(chain, asked(chain, n, given=odd()))
        assert read_refused(record).reason == "distance"
        block = by_hand(chain, [record], REFUSE)
        if n < 23:
            chain = ledger.apply_block(chain, block)
    with pytest.raises(ledger.RefusedRecord, match="new 23 is refused after 2 others: no more in a row"):
        ledger.apply_block(chain, block)
    chain = ledger.apply_block(chain, by_hand(chain, [judge.assess(chain, asked(chain, 20))], "register"))
    block = by_hand(chain, [judge.assess(chain, asked(chain, 23, given=odd()))], REFUSE)
    assert ledger.apply_block(chain, block).height == 4


def consortium(path, **more):
    parties = [Party(name, model(i), *data(i)) for i, name in enumerate(NAMES)]
    return Consortium(parties, path, n_classes=CLASSES, **{**TERMS, **more})


def test_what_is_refused_is_not_kept(tmp_path):
    """Nor recorded beyond the quota; and the same is said with a ledger and without one."""
    told = []
    for path in (None, tmp_path / "a"):
        one = consortium(path, refusals=2)
        eve = Party("eve", odd(), *data(21, 120, (0, 1)), kind="regular")
        told.append([one.register(replace(eve, name=f"eve {i}")) for i in range(4)])
        with pytest.raises(MissingContent):
            one.chain.state.contents.get(ledger.contents.name_of(odd().to_bytes()))
        assert one.chain.height == 2
        told.append(one.calibrate(2, 20, progress=False))
        one.close()
    assert told[:2] == told[2:]
    assert ledger.open(tmp_path / "a").verify().ok


def test_a_member_keeps_no_parameters_that_it_refuses():
    play = Play(roles([lambda chain: newcomer(20, chain)]))
    member, chain = play.hosts[0].machine, play.hosts[0].machine.chain
    junk = odd().to_bytes()
    data_of = application(key(21), chain.genesis.hash, entry("eve", public(21), odd(), ledger.MemoryContents()))
    sent = Received(5, CONSORTIUM.to_bytes(Applied(data_of, junk)))
    play.hosts[0].step(Moment(1, 0), [])
    effects = play.hosts[0].step(Moment(1, 1), [sent])
    assert not effects.noticed
    assert member.newcomers._answers
    with pytest.raises(MissingContent):
        chain.state.contents.get(ledger.contents.name_of(junk))


def test_a_flood_of_blocks_that_nobody_asked_for_holds_up_nobody():
    """Blocks of every coming height that no quorum signed: none is held in the place of a good one."""
    quiet = Play(roles()).play(1)
    good = quiet.blocks(0)[0]
    play = Play(roles())
    member = play.hosts[0]
    flood = [replace(good, signatures=good.signatures[:1], header=replace(good.header, height=h)) for h in range(1, 9)]
    message = Received(3, CONSORTIUM.to_bytes(Blocks(tuple(block.to_bytes() for block in flood))))
    effects = member.step(Moment(1, 0), [message])
    assert [notice.reason for notice in effects.noticed] == ["signature"]
    assert not member.machine._held
    assert Block.from_bytes(good.to_bytes()) == good
