"""Screening never stops a game: not when an honest one has fallen behind, and not when nobody lies."""

import numpy as np
import pytest
from liars import LiarsTable, mute
from small_game import sized_game

import folkmoot as fm
from folkmoot.agreement.hand import Hand
from folkmoot.bc_ucb.contract import MOST_REPORT
from folkmoot.bc_ucb.messages import GAME, ReportSent
from folkmoot.bc_ucb.records import REPORT, report_words
from folkmoot.bc_ucb.scripted import without_votes
from folkmoot.bc_ucb.stages import ANSWERING

DOWN, BACK, LAST = 14, 34, 70  # the rounds of the outage, and the last one; the burn-in ends with round 10
LIES = BACK + 3  # from here on


def no_reports(liar, stage, told):
    return [(to, data) for to, data in told if not isinstance(liar.read(data), ReportSent)]


def largest(liar, message):
    """The report with the largest means that count, signed."""
    other = message._replace(means=np.full_like(message.means, MOST_REPORT))
    words = report_words(liar.chain.state.origin, other.previous, other.round, other.sender, other.report.body)
    return GAME.to_bytes(other._replace(signature=Hand(liar.role.seed, (REPORT,)).sign(REPORT, other.round, words)))


@without_votes
def to_one_alone(liar, stage, told):
    """A huge report for participant 1 and nobody else; a set that counts and names nobody."""
    if stage == ANSWERING and liar._work is not None:
        liar._work._told.clear()
    said = []
    for to, data in told:
        message = liar.read(data)
        if not isinstance(message, ReportSent):
            said.append((to, data))
        elif to == 1:
            said.append((to, largest(liar, message)))
    return said


def after_an_outage(lie, gives_way=True):
    """The table after a game of four in which 0 was down, and 3 lies from `LIES` on."""

    def script(liar, stage, told):
        return lie(liar, stage, told) if liar.voter.round >= LIES else told

    game = sized_game(4, 2, LAST - 10)
    rewards, params = fm.Bernoulli([0.8, 0.3], n_agents=4).record(), game.params._replace(gives_way=gives_way)
    game = type(game)(**{**vars(game), "rewards": rewards, "params": params})
    with LiarsTable(game, script) as table:
        late, now = table.honest[0], [0]
        table.network.is_down = lambda at, address: address == late and DOWN <= now[0] < BACK
        for now[0] in range(1, LAST + 1):
            if now[0] == BACK:
                table.hosts[late].restart()
            if now[0] == LIES:
                counts = [np.array(table.machine(address).own_counts()) for address in table.honest]
                assert (1.5 * counts[0] <= counts[1]).any()  # else nobody would be screened out
            table.play_round(now[0])
    return table


@pytest.mark.parametrize("lie", [no_reports, mute, to_one_alone], ids=["no reports", "mute", "to one alone"])
def test_a_liar_cannot_stop_a_game_because_an_honest_one_fell_behind(lie):
    """After a round without a block every one with an honest majority has one; the one behind is paid again."""
    table = after_an_outage(lie)
    rounds, fair = {record.round for record in table.records}, table.fair_rounds()
    waited = {t for t in fair if t > LIES and t - 1 not in rounds}
    assert waited <= rounds
    assert 2 * len([t for t in rounds if t >= LIES]) >= len([t for t in fair if t >= LIES]) > 20
    assert all(record.holds(0) for record in table.records if record.round >= LIES)


def test_without_the_rule_the_same_liar_stops_the_game_for_ever():
    """Guards the above, and says what the setting of version 0.1.0 means."""
    table = after_an_outage(no_reports, gives_way=False)
    assert not [record for record in table.records if record.round >= LIES]
    assert len(table.records) > 20


@pytest.mark.parametrize("settings", [{"kappa": 1.2}, {"burn_in": 3}, {"burn_in": 6}], ids=str)
@pytest.mark.parametrize("m", [4, 7])
def test_no_allowed_kappa_and_burn_in_stops_a_game_without_liars(m, settings):
    rewards = fm.Bernoulli([0.9, 0.6, 0.3], n_agents=m)
    told = {"horizon": 60, "expected_validators": 2 * m, "replicates": 2, "engine": "interpreted", "progress": False}
    game = fm.simulate_chain(fm.BCUCB(**settings), rewards, **told)
    assert (game.approved == game.blocks).all()
