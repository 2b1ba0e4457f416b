"""Who is behind follows, whatever fewer than a third of the others do."""

import numpy as np
import pytest
from liars import BURN_IN, LiarsTable, liars_game, mute

from folkmoot.agreement.messages import PREVOTE, Blocks, Confirmation, Proposal, Vote, Want
from folkmoot.bc_ucb.messages import GAME, SetsSent
from folkmoot.bc_ucb.stages import REPORTING, stages

FAR = 1 << 40


def table_with(script, m, rounds, seed=3, liars=None, is_lost=lambda t, stage, sender, to, message: False):
    """A game in which `is_lost` says which messages do not arrive; `liars`: their numbers, else the last ones."""
    game = liars_game(m, seed, rounds)
    if liars is not None:
        game = type(game)(**{**vars(game), "malicious": np.isin(np.arange(m), liars)})
    table = LiarsTable(game, script)
    send, stages = table.network.send, table.network._stages

    def some(now, sender, receiver, data):
        message = GAME.from_bytes(data, table.first.state.members.shape)
        for to in table.network.addresses:
            if to != sender and receiver in (None, to.participant):
                about = now // stages, now % stages + REPORTING, sender.participant, to.participant, message
                if not is_lost(*about):
                    send(now, sender, to.participant, data)

    table.network.send = some
    return table


def heights(table):
    return {address.participant: table.hosts[address].machine.chain.height for address in table.honest}


def pins(also_votes=True):
    """Says in every stage, to all, that it is far ahead, and gives no blocks; else it is honest or says nothing."""

    def script(liar, stage, told):
        vote = GAME.to_bytes(Vote(PREVOTE, FAR, liar.voter.round, liar.index, bytes(32), bytes(64)))
        kept = [(to, data) for to, data in told if not isinstance(liar.read(data), Blocks)] if also_votes else []
        return [*kept, *((to, vote) for to in range(liar.m) if to != liar.index)]

    return script


@pytest.mark.parametrize("m", [4, 7])
@pytest.mark.parametrize("also_votes", [True, False])
def test_attack_of_an_unsigned_vote_with_a_height_that_nobody_has_pins_no_node(m, also_votes):
    """Participant 0 hears nothing for four rounds; two rounds after that it has every block that all others have."""
    deaf = range(BURN_IN + 2, BURN_IN + 6)
    is_lost = lambda t, stage, sender, to, message: to == 0 and t in deaf  # noqa: E731
    with table_with(pins(also_votes), m, 9, is_lost=is_lost) as table:
        table.play()
    assert set(heights(table).values()) == {len(table.watch.chains) - 1}
    assert len(table.watch.chains) > 3


def test_attack_of_the_lowest_confirmer_that_gives_no_block_pins_no_node():
    """Participant 3 neither makes nor sees a block. Who confirms first, and who speaks last, give no blocks."""

    def is_lost(t, stage, sender, to, message):
        return to == 3 and isinstance(message, Proposal | SetsSent) and t < BURN_IN + 8

    with table_with(pins(), 7, 9, liars=[0, 6], is_lost=is_lost) as table:
        for t in range(1, BURN_IN + 10):
            table.play_round(t)
            if t > BURN_IN + 1:
                assert heights(table)[3] >= max(heights(table).values()) - 1
    assert len(table.watch.chains) > 5


def test_a_round_of_outage_beside_a_liar_of_four_stops_nothing():
    """It hears no confirmation. The two that are ahead need it for a quorum; the liar's height it hears last."""

    pinning = pins()

    def never_votes(liar, stage, told):
        said = [(to, data) for to, data in told if not isinstance(liar.read(data), Blocks | Vote | Confirmation)]
        return pinning(liar, stage, said)

    def is_lost(t, stage, sender, to, message):
        return to == 0 and t == BURN_IN + 3 and stage >= stages(1).confirm

    with table_with(never_votes, 4, 12, is_lost=is_lost) as table:
        table.play()
    assert len(table.watch.chains) - 1 >= 8
    assert set(heights(table).values()) == {len(table.watch.chains) - 1}


@pytest.mark.parametrize("giver", [1, 2])  # the one or the other is asked in the stage of the pull
def test_who_is_twenty_blocks_behind_has_them_within_three_rounds_though_one_alone_gives_it_any(giver):
    """k = ceil(d / 8): one participant gives 8 blocks a round; what the other honest ones give gets lost."""
    deaf = range(BURN_IN + 1, BURN_IN + 22)

    def is_lost(t, stage, sender, to, message):
        return to == 0 and (t in deaf or (isinstance(message, Blocks) and sender != giver))

    with table_with(pins(), 7, len(deaf) + 3, is_lost=is_lost) as table:
        for t in range(1, deaf.stop):
            table.play_round(t)
        reached, lacks = max(heights(table).values()), max(heights(table).values()) - heights(table)[0]
        assert 16 < lacks <= 24
        for t in range(deaf.stop, deaf.stop + 2):
            table.play_round(t)
        assert heights(table)[0] < reached  # so the third round is needed
        table.play_round(deaf.stop + 2)
        assert heights(table)[0] >= reached


def test_who_claims_what_nobody_has_is_asked_once_a_round():
    wants = []

    def is_lost(t, stage, sender, to, message):
        if isinstance(message, Want):
            wants.append((t, sender, to))
        return False

    with table_with(pins(), 7, 3, is_lost=is_lost) as table:
        table.play()
    assert len(wants) == len(set(wants))
    assert {to for _, _, to in wants} == {5, 6}  # the liars


def test_liars_that_fall_silent_leave_nobody_behind():
    deaf = range(BURN_IN + 2, BURN_IN + 6)
    is_lost = lambda t, stage, sender, to, message: to == 0 and t in deaf  # noqa: E731
    with table_with(mute, 7, 8, is_lost=is_lost) as table:
        table.play()
    assert set(heights(table).values()) == {len(table.watch.chains) - 1}
