"""Every participant a machine of its own: the loop's results to the last unit, attacks by name, and bad networks."""

from dataclasses import replace

import numpy as np
import pytest
from small_game import BURN_IN, by_the_loop, different, small_game

from folkmoot import ledger
from folkmoot.agreement.kinds import Final
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.contract import NO_ESTIMATE
from folkmoot.bc_ucb.invariants import Broken, Watch
from folkmoot.bc_ucb.messages import GAME, ReportSent
from folkmoot.bc_ucb.protocol import Table, play
from folkmoot.bc_ucb.records import Named
from folkmoot.bc_ucb.validators import has_proof
from folkmoot.ledger.block import Block
from folkmoot.simulation.network import Faults


def records(played_or_table):
    watch = played_or_table.watch
    return [chain.state.last for chain in watch.chains[1:]]


def played_table(game, replicate=0):
    with Table(game, replicate) as table:
        for t in range(1, int(game.checkpoints[-1]) + 1):
            table.play_round(t)
    return table


def named_in(state, value, proven=False):
    return Named.from_bytes(value, *state.members.shape, proven)


def rejected(table, reason):
    return sum(table.noticed[address][reason] for address in table.honest)


# --- The same as the compiled loop ---------------------------------------------------------------------------------

CASES = [(name, 4, seed) for seed, name in enumerate(ATTACKS)] + [
    (name, 7, 100 + seed)
    for seed, name in enumerate(["sign_flip", "equivocate", "allies_only", "false_counts", "forge"])
]
CHOOSING = ["bare_majority", "to_one", "all_but_one", "to_nobody", "late_report", "two_reports", "split_views"]


@pytest.mark.parametrize(("attack", "m", "seed"), CASES)
def test_without_faults_everything_counted_is_that_of_the_loop(attack, m, seed):
    game = small_game(attack, m, seed)
    tally, played = by_the_loop(game, seed), play(game, seed)
    assert different(tally, played.tally) == []
    assert tally.approved[0, -1] > 0
    assert played.chain.height == tally.approved[0, -1]


@pytest.mark.parametrize("validators", [7, 14])
@pytest.mark.parametrize("attack", [*CHOOSING, "mute"])
def test_a_liar_that_chooses_who_gets_its_report_plays_the_same_in_the_loop_and_stops_no_block(attack, validators):
    """But where liars are half of the validators. With 14 units drawn of 7 participants in 12 rounds that is one."""
    game = small_game(attack, 7, 5, validators=validators, horizon=22)
    tally, played = by_the_loop(game, 3), play(game, 3)
    assert different(tally, played.tally) == []
    assert played.chain.height == tally.approved[0, -1] >= {7: 10, 14: 11}[validators]


@pytest.mark.parametrize("report", ["constant", "random", "trim_window", "split_window"])
@pytest.mark.parametrize("deliver", ["majority", "halves"])
def test_lies_of_several_kinds_at_once_are_the_same_in_the_loop(report, deliver):
    more = {"report": report, "deliver": deliver, "validator": "allies", "value": 7.9, "claim": 1.0}
    for pull in (None, 0):
        game = small_game("attack", 7, 2, validators=14, horizon=20, more={**more, "pull": pull})
        assert different(by_the_loop(game, 1), play(game, 1).tally) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"attack": "allies_only", "combination": 1},
        {"attack": "sign_flip", "trust": 1},
        {"attack": "constant", "trust": 1, "more": {"value": 7.9}},  # refused, and paid: as in the loop
        {"attack": "drift", "more": {"value": 0.3}},  # refused from some round on
        {"attack": "attack", "validators": 1},  # rounds without a validator, and with one
        {"attack": "equivocate", "validators": 1, "seed": 2},
        {"attack": "withhold", "validators": 1, "seed": 2},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_other_settings_change_nothing_either(settings):
    game = small_game(**settings)
    assert different(by_the_loop(game, 3), play(game, 3).tally) == []


@pytest.mark.parametrize("how", ["mpyc", "pairwise"])
@pytest.mark.parametrize("attack", ["sign_flip", "false_counts"])
def test_every_private_comparison_gives_the_same_game(how, attack):
    if how == "pairwise":
        pytest.importorskip("rbcl")
    else:
        pytest.importorskip("mpyc")
    game = small_game(attack, horizon=16, private_comparison=how)
    played = play(game, 1)
    assert different(by_the_loop(game, 1), played.tally) == []
    assert played.tally.approved[0, -1] > 0


# --- Attacks by name -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ["equivocate", "withhold", "forge", "replay_old"])
def test_attack_of_a_validator_makes_its_own_set_void_and_nobody_elses(attack):
    table = played_table(small_game(attack, 7, 3, watched=True))
    liars = set(np.flatnonzero(table.game.malicious))
    assert any(liars & set(record.validators) for record in records(table))
    for record in records(table):
        assert set(record.void) == liars & set(record.validators)


@pytest.mark.parametrize(("attack", "reason"), [("forge", "signature"), ("replay_old", "session")])
def test_attack_by_false_messages_is_seen_for_what_it_is(attack, reason):
    assert rejected(played_table(small_game("attack", 7, 3)), reason) == 0
    assert rejected(played_table(small_game(attack, 7, 3)), reason) > 0


def test_attack_of_allies_counts_but_does_not_decide():
    """Its set is on the chain; where honest sets are the majority, whom it alone names is in no validated set."""
    table, outvoted = played_table(small_game("allies_only", 7, 3, watched=True)), 0
    liars = table.game.malicious
    for chain in table.watch.chains[1:]:
        sets = dict(chain.state.last.sets)
        lies = [v for v in sets if liars[v]]
        if lies and 2 * len(lies) < len(sets):
            honest = np.array([named_in(chain.state, sets[v]).members for v in sets if not liars[v]])
            outvoted += int((~honest.any(axis=0) & liars[:, None]).sum())
            assert not (chain.state.members & ~honest.any(axis=0)).any()
    assert outvoted > 0


def test_attack_of_reports_out_of_range_is_refused_by_name():
    table = played_table(small_game("constant", more={"value": 7.9}))
    liar = int(np.flatnonzero(table.game.malicious)[0])
    assert records(table)
    for record in records(table):
        assert (liar, "range") in record.refused


def test_two_copies_with_one_key_do_not_break_anything():
    game = small_game("attack", 7, 5, watched=True)
    twins = tuple(int(m) for m in np.flatnonzero(game.malicious))
    game = replace(game, twins=twins, faults=Faults(drop=0.2, partition=0.5))
    table = played_table(game)
    assert len(table.hosts) == 9
    assert table.watch.chains[-1].height > 0


# --- Verifiable random functions -----------------------------------------------------------------------------------


def test_with_random_functions_only_proven_validators_count():
    table = played_table(small_game("equivocate", 7, 1, sortition="vrf", watched=True))
    assert len(records(table)) > 5
    for before, chain in zip(table.watch.chains, table.watch.chains[1:]):
        state, record = before.state, chain.state.last
        for v in record.validators:
            named = named_in(state, dict(record.sets)[v], True)
            assert has_proof(state.configuration, state.accounts.units, before.tip, record.round, v, named.proof)
            assert not has_proof(
                state.configuration, state.accounts.units, before.tip, record.round + 1, v, named.proof
            )


# --- What comes back -----------------------------------------------------------------------------------------------


def test_the_same_game_twice_is_the_same_to_the_byte():
    game = small_game("random", 4, 7, faults=Faults(drop=0.1, delay=0.2, duplicate=0.2, reorder=0.5, crash=0.2))
    one, other = play(game, 2), play(game, 2)
    assert (one.chain.tip, one.messages, one.bytes, one.signatures) == (
        other.chain.tip,
        other.messages,
        other.bytes,
        other.signatures,
    )
    assert play(game, 3).chain.tip != one.chain.tip


def test_the_burn_in_needs_no_message():
    game = replace(small_game(), checkpoints=np.array([3, BURN_IN]))
    played = play(game, 0)
    assert (played.messages, played.bytes, played.signatures, played.chain.height) == (0, 0, 0, 0)
    assert (played.tally.pulls.sum(), played.tally.paid[0, -1].sum()) == (4 * BURN_IN, 3 * BURN_IN)
    assert (played.tally.estimates == NO_ESTIMATE).all()


def test_a_file_of_the_chain_can_be_verified_by_anyone(tmp_path):
    game = small_game("sign_flip", ledger_path=tmp_path / "game.ledger")
    played = play(game, 0)
    opened = ledger.open(tmp_path / "game.ledger")
    verdict = opened.verify()
    assert (verdict.bad, verdict.blocks, verdict.tip) == (None, played.chain.height, played.chain.tip)
    assert verdict.blocks > 5
    with pytest.raises(ValueError, match=r"game\.ledger"):
        play(game, 0)


def test_a_game_can_be_stopped_and_tells_its_rounds():
    told, stop = [], np.zeros(1, np.bool_)

    def tell(rounds):
        told.append(rounds)
        stop[0] = rounds == 4

    played = play(small_game(), 0, stop, tell)
    assert told == [1, 2, 3, 4]
    assert played.tally.pulls.sum() == 16


def test_rounds_that_a_bad_network_spoils_are_pulled_and_not_paid():
    game = small_game(horizon=40, faults=Faults(drop=0.5), watched=True)
    tally = play(game, 1).tally
    honest = ~game.malicious
    assert tally.pulls[0, honest].sum() == 3 * 40 == (tally.paid + tally.unpaid)[0, -1].sum()
    assert tally.unpaid[0, -1].sum() > 0
    assert 0 < tally.approved[0, -1] < 30


def test_nothing_is_final_while_no_message_arrives():
    played = play(small_game(faults=Faults(drop=1.0)), 0)
    assert played.chain.height == 0
    assert played.messages > 0


@pytest.mark.parametrize("field", [{"private_comparison": "trust me"}, {"sortition": "vote"}])
def test_unknown_ways_are_refused(field):
    with pytest.raises(ValueError, match=next(iter(field))):
        play(small_game(**field), 0)


# --- The range of the estimates ------------------------------------------------------------------------------------


def watched_again(lost):
    """The first block of a game once more, as if it held one honest report; the others are lost if `lost`."""
    table = played_table(small_game())
    first, chain = table.watch.chains[:2]
    block = Block.from_bytes(table.hosts[table.honest[0]].kept.block(1))
    record = chain.state.last
    honest = [report for report in record.reports if not table.game.malicious[report.participant]]
    kept = next(report for report in honest if (report.means != record.estimates).any())
    held = chain.state._replace(last=record._replace(reports=(kept,)))
    watch = Watch(first, ~table.game.malicious)
    for report in [kept] if lost else honest:
        said = ReportSent(0, first.tip, record.round, *report)
        watch.sent(report.participant, GAME.to_bytes(said))
    watch.committed(table.honest[0].participant, Final(block, replace(chain, state=held)))
    return watch


def test_an_estimate_between_honest_reports_that_the_block_does_not_hold_is_in_range():
    """Who validated them heard them; that most others did not is the network's fault, not a liar's work."""
    assert len(watched_again(lost=False).chains) == 2


def test_an_estimate_that_no_two_honest_reports_enclose_is_noticed():
    with pytest.raises(Broken, match="range"):
        watched_again(lost=True)


def test_estimates_stay_in_range_while_messages_get_lost():
    lacking = 0
    for seed in range(8):
        game = small_game("forge", 4, seed, horizon=16, faults=Faults(drop=0.15, delay=0.2), validators=4)
        for record in records(played_table(game)):  # the table has held each against the range
            lacking += sum(not record.holds(m) for m in np.flatnonzero(~game.malicious))
    assert lacking > 0
