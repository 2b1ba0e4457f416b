"""Who has approved a model may change its mind: what it signed ends, and ends at once where it changes its key."""

from types import SimpleNamespace

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_acts import admit, apply, judge, put, rotate, started
from made_machines import machine, party, played
from made_voted import key, model, public

from folkmoot.ledger.errors import RefusedRecord
from folkmoot.multiparty.chain.acts import WITHIN, Late
from folkmoot.multiparty.chain.entries import entry
from folkmoot.multiparty.chain.messages import application
from folkmoot.multiparty.chain.records import read_registered
from folkmoot.multiparty.chain.signing import APPROVAL, signature_of


def after(chain, blocks):
    """The chain so many blocks later: dan changes its key in each."""
    last = 3
    for number in range(100, 100 + blocks):
        chain = put(chain, rotate(chain, 3, last, number, until=1_000))
        last = number
    return chain


def approved(chain, by=0):
    """What an original party says of a newcomer."""
    asks = entry("fay", public(40), model(40), chain.state.contents)
    return judge(by).assess(chain, application(key(40), chain.genesis.hash, asks))


def test_an_approval_counts_for_so_many_blocks_and_no_longer():
    """It had no end: whoever had it could admit the newcomer whenever it liked, years later."""
    chain = started()
    held = approved(chain)
    assert read_registered(held).until == chain.height + WITHIN
    later = after(chain, WITHIN - 1)
    assert len(apply(later, "register", held).state.parties) == len(chain.state.parties) + 1
    with pytest.raises(Late, match="fay is approved for blocks up to 65, this is block 66"):
        apply(after(chain, WITHIN), "register", held)


def test_approvals_of_a_newcomer_that_several_approve_end_too():
    chain = started(approvals=2)
    held = admit(chain, 40, model(40), by=(0, 2), until=3)
    assert put(after(chain, 2), held).height == 3
    with pytest.raises(Late, match="fay is approved for blocks up to 3, this is block 4"):
        put(after(chain, 3), held)
    with pytest.raises(RefusedRecord, match="not signed by ada"):
        put(after(chain, 3), held._replace(until=9))


def test_nobody_gives_an_approval_another_end():
    chain = started()
    said = read_registered(approved(chain))
    for until in (said.until + 1, None):
        with pytest.raises(RefusedRecord, match=r"not signed by party 0|no last height on this chain"):
            apply(chain, "register", said._replace(until=until).to_bytes())
    open_ended = said._replace(until=None)
    signature = signature_of(key(0), APPROVAL, chain.genesis.hash, open_ended.said())
    with pytest.raises(RefusedRecord, match="approval of fay: no last height on this chain"):
        apply(chain, "register", open_ended._replace(signature=signature).to_bytes())


def test_on_chains_of_before_approvals_are_as_they_were():
    chain = started(approvals=0)
    held = approved(chain)
    assert read_registered(held).until is None
    assert apply(chain, "register", held).height == chain.height + 1
    said = read_registered(held)._replace(until=9)
    signature = signature_of(key(0), APPROVAL, chain.genesis.hash, said.said())
    with pytest.raises(RefusedRecord, match="approval of fay: a last height on this chain"):
        apply(chain, "register", said._replace(signature=signature).to_bytes())


def test_who_changes_its_key_takes_back_all_that_it_has_approved():
    one, two = started(), started(approvals=2)
    for chain, what in ((one, approved(one)), (two, admit(two, 40, model(40), by=(0, 2)))):
        changed = put(chain, rotate(chain, 0, 0, 77), maker=1)
        with pytest.raises(RefusedRecord, match=r"not signed by (party 0|ada)"):
            apply(changed, "register", what, maker=1) if chain is one else put(changed, what, maker=1)


def test_an_answer_that_ends_or_whose_key_has_changed_waits_no_longer():
    """It kept its place: whoever makes no blocks said nothing of the newcomer any more."""
    play = played([party(n) for n in range(4)]).play(1)
    own = machine(play, 0)
    asks = entry("new", public(50), party(0).model, own.chain.state.contents)
    record = own.newcomers.judge.assess(own.chain, application(key(50), own.chain.genesis.hash, asks))
    own.newcomers.take_answer(record, 0)
    own.newcomers.follow()
    assert list(own.newcomers._answers) == [public(50)]
    end = read_registered(record).until
    for height, keys, left in ((end - 1, True, 1), (end, True, 0), (1, False, 0)):
        own.newcomers._answers[public(50)] = (0, record)
        state = own.chain.state
        parties = state.parties if keys else (state.parties[0]._replace(key=bytes(32)), *state.parties[1:])
        before, seen = own.chain, SimpleNamespace(height=height, state=state._replace(parties=parties))
        own.voter.chain = SimpleNamespace(**vars(seen), genesis=before.genesis)
        own.newcomers.follow()
        own.voter.chain = before
        assert len(own.newcomers._answers) == left
