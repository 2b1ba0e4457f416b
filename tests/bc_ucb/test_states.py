"""A newcomer goes on from a state that a quorum has signed; a state that nobody has signed is worth nothing."""

from dataclasses import replace

import numpy as np
import pytest
from liars import BURN_IN, LiarsTable, liars_game, mute

from folkmoot.agreement.messages import Blocks, Confirmation, StateGiven, Want, WantState
from folkmoot.bc_ucb import snapshot
from folkmoot.bc_ucb.messages import GAME
from folkmoot.bc_ucb.participant import Participant
from folkmoot.bc_ucb.stages import ANSWERING, REPORTING
from folkmoot.encoding import Malformed
from folkmoot.machine import NO_FLOOR, Append, Effects, Kept, Moment, Put, Received, Skip

ROUNDS = 8


@pytest.fixture(scope="module")
def old():
    """A game of four honest ones after some rounds."""
    with LiarsTable(liars_game(4, 1, ROUNDS, liars=0), mute) as table:
        return table.play()


def born(table, far=2, kept=None):
    """Participant 0, which has lost its store, or comes back from this one."""
    role = replace(table.hosts[table.honest[0]].machine.role, far=far)
    kept = Kept() if kept is None else kept
    return Participant(role, kept.values, kept, None, NO_FLOOR), kept


def claims(table, node, by=(1, 2)):
    """So many others say where they are."""
    for m in by:
        node.voter.seen_ahead(m, len(table.watch.chains) - 1)


def step(node, kept, t, stage, *messages):
    inbox = [Received(m, GAME.to_bytes(said)) for m, said in messages]
    effects = node.step(Moment(t, stage), inbox, [])
    kept.store(Moment(t, stage), effects.keep)
    return effects


def asked(effects, shape=(4, 2)):
    return [
        said
        for said in (GAME.from_bytes(data, shape) for _, data in effects.send)
        if isinstance(said, Want | WantState)
    ]


def answer(table, height=1):
    """What participant 1 gives."""
    effects, voter = Effects(), table.hosts[table.honest[1]].machine.voter
    voter._asked.clear()
    voter.take(WantState(height), 0, effects)
    ((to, data),) = effects.send
    assert to == 0
    return GAME.from_bytes(data, (4, 2))


T = BURN_IN + ROUNDS + 1
ABSURD = ("of nobody", "below none", "without bound")
FORGED = ("units", *(f"units {what}" for what in ABSURD), "exponents without bound", "earned without bound")
FORGED += ("members", "round", "fault", "tip", "unsigned", "rubbish")


def test_a_newcomer_goes_on_from_the_state_that_a_quorum_has_signed(old):
    node, kept = born(old)
    claims(old, node)
    assert [type(said) for said in asked(step(node, kept, T, REPORTING))] == [WantState]
    effects = step(node, kept, T, ANSWERING, (1, answer(old)))
    last = old.watch.chains[-1]
    assert (node.chain.height, node.chain.tip) == (last.height, last.tip)
    assert node.chain.state.digest == last.state.digest
    assert [type(item) for item in effects.keep if isinstance(item, Skip | Append)] == [Skip, Append]
    assert kept.height == last.height
    with pytest.raises(IndexError):
        kept.block(last.height - 1)
    again, _ = born(old, kept=kept)
    assert snapshot.to_bytes(again.chain) == snapshot.to_bytes(node.chain)


def test_who_wants_to_check_replays_all_blocks(old):
    node, kept = born(old, far=None)
    claims(old, node)
    assert [type(said) for said in asked(step(node, kept, T, REPORTING))] == [Want]
    effects = step(node, kept, T, ANSWERING, (1, answer(old)))
    assert [notice.reason for notice in effects.noticed] == ["state"]
    assert node.chain.height == 0


def test_one_liar_that_claims_much_makes_nobody_skip_blocks(old):
    node, kept = born(old)
    claims(old, node, by=(3,))
    assert [type(said) for said in asked(step(node, kept, T, REPORTING))] == [Want]
    step(node, kept, T, ANSWERING, (3, answer(old)))
    assert node.chain.height == 0


def forged(told, change, first):
    """The state with something in it changed, and the block as it was."""
    chain = snapshot.from_bytes(told.state, first)
    return told._replace(state=snapshot.to_bytes(change(chain)))


@pytest.mark.parametrize("what", FORGED)
def test_attack_of_a_state_that_no_quorum_has_signed(old, what):
    """Nothing is computed with it: numbers that no account can hold break no arithmetic."""
    good = answer(old)

    def state(chain, **fields):
        return replace(chain, state=chain.state._replace(**fields))

    def told_accounts(**arrays):
        return lambda chain: state(chain, accounts=chain.state.accounts._replace(**arrays))

    most = np.iinfo(np.int64).max

    def units(chain):
        more = chain.state.accounts.units.copy()
        more[0] += 1
        return state(chain, accounts=chain.state.accounts._replace(units=more))

    changed = {
        "units": units,
        "units of nobody": told_accounts(units=np.zeros(4, np.int64)),
        "units below none": told_accounts(units=np.array([1, -1, 0, 0])),
        "units without bound": told_accounts(units=np.full(4, most)),
        "exponents without bound": told_accounts(exponent=np.array([-most, most, 0, 0])),
        "earned without bound": told_accounts(earned=np.full(4, most)),
        "members": lambda chain: state(chain, members=~chain.state.members),
        "round": lambda chain: state(chain, last=chain.state.last._replace(round=chain.state.last.round - 1)),
        "fault": lambda chain: state(chain, faults=((2, b"he lies"),)),
        "tip": lambda chain: replace(chain, tip=b"t" * 32),
    }
    if what in changed:
        told = forged(good, changed[what], old.first)
    elif what == "unsigned":
        block = old.hosts[old.honest[1]].machine.received(good.block)
        told = good._replace(block=replace(block, signatures=block.signatures[:2]).to_bytes())
    else:
        told = good._replace(state=b"rubbish")
    node, kept = born(old)
    claims(old, node)
    step(node, kept, T, REPORTING)
    effects = step(node, kept, T, ANSWERING, (1, told))
    assert [notice.reason for notice in effects.noticed if notice.sender == 1] in (["state"], ["malformed"])
    assert node.chain.height == kept.height == 0
    step(node, kept, T, ANSWERING + 1, (2, good))
    assert node.chain.height == len(old.watch.chains) - 1


def test_a_state_is_given_once_a_round_to_each(old):
    node = old.hosts[old.honest[1]].machine
    answer(old)
    effects = node.step(Moment(T + 5, ANSWERING), [Received(0, GAME.to_bytes(WantState(1)))] * 2, [])
    assert [notice.reason for notice in effects.noticed] == ["want"]
    assert len([data for _, data in effects.send if isinstance(GAME.from_bytes(data, (4, 2)), StateGiven)]) == 1
    effects = node.step(Moment(T + 6, ANSWERING), [Received(0, GAME.to_bytes(WantState(1 << 40)))], [])
    assert [notice.reason for notice in effects.noticed] == ["want"]


def test_a_block_that_was_skipped_is_refused_to_whoever_wants_it(old):
    """Also in the step that skips it, and asked for by a confirmation of an old height."""
    node, kept = born(old)
    claims(old, node)
    step(node, kept, T, REPORTING)
    last = len(old.watch.chains) - 1
    effects = step(node, kept, T, ANSWERING, (1, answer(old)), (2, Want(1)), (3, Want(last)))
    assert [(notice.sender, notice.reason) for notice in effects.noticed] == [(2, "want")]
    assert [to for to, data in effects.send if isinstance(GAME.from_bytes(data, (4, 2)), Blocks)] == [3]
    old_word = Confirmation(2, 1, bytes(32), bytes(64))
    inbox = (1, old_word), (2, Want(last - 1)), (3, Want(last))
    effects = step(node, kept, T + 1, ANSWERING, *inbox)
    assert [(notice.sender, notice.reason) for notice in effects.noticed] == [(1, "want"), (2, "want")]
    assert [to for to, data in effects.send if isinstance(GAME.from_bytes(data, (4, 2)), Blocks)] == [3]


def test_a_store_skips_no_block_that_it_has():
    kept = Kept()
    kept.store(Moment(1, 0), [Skip(7), Append(8, b"eight"), Put("a", b"b")])
    assert (kept.height, kept.block(8)) == (8, b"eight")
    for items in ([Skip(8)], [Append(8, b"")], [Append(10, b"")], [Skip(9), Append(9, b"")]):
        with pytest.raises(ValueError, match="height"):
            kept.store(Moment(2, 0), items)
    for height in (0, 7, 9):
        with pytest.raises(IndexError):
            kept.block(height)


def test_bytes_that_are_no_state_are_malformed(old):
    with pytest.raises(Malformed):
        snapshot.given(b"rubbish", old.first, lambda function, *arguments: function(*arguments))
