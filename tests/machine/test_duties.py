"""The duties of a driver, as the head of folkmoot/machine.py numbers them: what goes wrong in one that breaks them.

Each test has a driver that keeps a duty and one that does not, and shows the difference on an agent of a bandit
algorithm. What only a chain can show is in the tests of the machines that have one.
"""

import re
from pathlib import Path

import pytest
from bandits import ARMS, own, paid, role_of

import folkmoot as fm
from folkmoot import machine
from folkmoot.algorithms import wire
from folkmoot.algorithms.pending import Pending
from folkmoot.encoding import digest, encode
from folkmoot.errors import OtherSide
from folkmoot.machine import Floor, Kept, Moment, Outcome, Put, Received
from folkmoot.simulation.host import Host, admit

PLAY, EXCHANGE, LEARN = range(3)


class Crash(Exception):
    """The process ends here; what it held in memory is gone."""


def alone(host, rounds, first=1, step=None):
    """Play rounds without neighbours; the arms."""
    arms = []
    for t in range(first, first + rounds):
        arms.append((step or host.step)(Moment(t, PLAY)).pull)
        host.step(Moment(t, EXCHANGE), (), [Outcome(t, paid(t, 0, arms[-1]))])
        host.step(Moment(t, LEARN))
    return arms


# --- 1. What is to be kept is on disk before anything leaves ------------------------------------------------------


class SendsFirst(Host):
    """Hands out what a step wants sent and pulled, and ends before it is kept."""

    def step(self, moment, inbox=(), outcomes=(), blocks=()):
        effects = self.machine.step(moment, list(inbox), outcomes, blocks)
        self.handed_out = effects.pull
        raise Crash


@pytest.mark.parametrize("kind", [Host, SendsFirst])
def test_1_the_same_round_has_the_same_arm_after_a_crash(kind):
    """The outcome of the last round came late and decides the arm; after the crash nobody has it but the disk."""
    role = role_of(0, fm.UCB())
    host = Host(role)
    alone(host, ARMS)
    t = ARMS + 1
    host.step(Moment(t, PLAY))  # a round that is abandoned, and closed when the next begins
    late = Outcome(t, 0.0)  # of the arm that looked best until now

    driver = kind(role, host.kept)
    try:
        before = driver.step(Moment(t + 1, PLAY), (), [late]).pull
    except Crash:
        before = driver.handed_out
    again = Host(role, host.kept)
    after = again.step(max(again.machine.next, Moment(t + 1, PLAY))).pull
    assert again.machine.round == t + 1
    assert (after == before) == (kind is Host)


class KeepsInPieces(Host):
    """Stores the first things a step wants kept, and ends."""

    def step(self, moment, inbox=(), outcomes=(), blocks=()):
        effects = self.machine.step(moment, list(inbox), outcomes, blocks)
        pieces = [item for item in effects.keep if isinstance(item, Put) and item.key != "round"]
        self.kept.store(moment, pieces)
        raise Crash


@pytest.mark.parametrize("kind", [Host, KeepsInPieces])
def test_1_each_outcome_enters_once_if_a_step_is_kept_whole(kind):
    host = Host(role_of(0))
    host.step(Moment(1, PLAY))
    host.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.5)])
    driver = kind(role_of(0), host.kept)
    try:
        driver.step(Moment(1, LEARN))
    except Crash:
        assert driver.kept.position == Moment(1, LEARN)
        driver.kept.position = Moment(1, EXCHANGE)  # so says what the machine itself has kept
    if kind is KeepsInPieces:  # else the outcome would enter once more
        with pytest.raises(OtherSide, match=r"^kept values: they are damaged, not complete, or not all of one step$"):
            Host(role_of(0), host.kept)
        return
    again = Host(role_of(0), host.kept)
    assert int(again.machine.learner.state.pulls[0].sum()) == 1


@pytest.mark.parametrize("crash_at", range(12))
def test_1_a_crash_after_any_step_changes_nothing(crash_at):
    """A restart between two steps: same arms, same state, to the last bit."""

    def play(crash):
        host, arms, number = Host(role_of(0)), [], 0
        for t in range(1, 5):
            for stage in (PLAY, EXCHANGE, LEARN):
                outcomes = [Outcome(t, paid(t, 0, arms[-1]))] if stage == EXCHANGE else []
                effects = host.step(Moment(t, stage), (), outcomes)
                arms += [effects.pull] if stage == PLAY else []
                if number == crash:
                    host.restart()
                number += 1
        return arms, own(host.machine)

    assert play(crash_at) == play(None)


def test_1_after_a_restart_the_arm_is_pulled_again_until_its_outcome_is_there():
    host = Host(role_of(0))
    arm = host.step(Moment(1, PLAY)).pull
    host.restart()
    assert host.step(Moment(1, EXCHANGE)).pull == arm  # the driver may have ended before it told anybody
    assert host.step(Moment(1, LEARN), (), [Outcome(1, 1.0)]).pull is None
    assert host.step(Moment(2, PLAY)).counts["rounds learnt alone"] == 1
    assert int(host.machine.learner.state.pulls[0, arm]) == 1


# --- 2. The sender is what the channel vouches for ------------------------------------------------------------------


@pytest.mark.parametrize("trusting", [False, True])
def test_2_a_liar_speaks_in_anothers_name(trusting):
    """Agent 2 sends a message that says it is from agent 1, before 1 does."""
    host, other, liar = Host(role_of(0)), Host(role_of(1)), Host(role_of(2))
    for each in (host, other, liar):
        each.step(Moment(1, PLAY))
    host.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.5)])
    (true,) = other.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.75)]).send
    (false,) = liar.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.125)]).send
    packets = [(2, b"from 1: " + false[1]), (1, b"from 1: " + true[1])]  # (who the channel says it is, bytes)

    def read(channel, packet):
        head, data = packet.split(b": ", 1)
        return Received(int(head[5:]) if trusting else channel, data)

    host.step(Moment(1, LEARN), [read(*packet) for packet in packets])
    heard = host.machine.learner.state.heard_total[0, 1].sum()
    assert heard == (0.125 if trusting else 0.75)
    assert host.counts["too many messages"] == trusting  # and that was the true one


# --- 3. Steps come in order, none twice, none skipped inside a round -------------------------------------------------


@pytest.mark.parametrize(
    ("done", "then"),
    [
        ([(1, 0)], (1, 0)),
        ([(1, 0), (1, 1)], (1, 1)),
        ([(1, 0)], (1, 2)),
        ([(1, 0), (1, 1), (1, 2)], (2, 1)),
        ([(1, 0), (1, 1), (1, 2), (2, 0)], (1, 2)),
        ([], (1, 1)),
    ],
)
def test_3_a_step_that_is_repeated_or_skipped_is_refused_and_changes_nothing(done, then):
    host = Host(role_of(0))
    for moment in done:
        host.step(Moment(*moment), (), [Outcome(1, 0.5)] if moment == (1, 1) else [])
    before, position, expected = own(host.machine), host.kept.position, host.machine.next
    with pytest.raises(ValueError, match=r"^moment = \(\d, \d\): expected \(\d, \d\), or stage 0 of a later round$"):
        host.step(Moment(*then), (), [Outcome(1, 0.5)])
    assert (own(host.machine), host.kept.position, host.machine.next) == (before, position, expected)


def test_3_the_store_refuses_a_moment_that_is_not_later():
    kept = Kept()
    kept.store(Moment(2, 1), [Put("a", b"1")])
    with pytest.raises(ValueError, match=r"^moment = \(2, 1\): expected one after \(2, 1\)$"):
        kept.store(Moment(2, 1), [Put("a", b"2")])
    assert kept.values == {"a": b"1"}


@pytest.mark.parametrize("missed_from", [EXCHANGE, LEARN])
def test_3_who_missed_a_stage_enters_the_next_round_and_its_outcome_counts(missed_from):
    host = Host(role_of(0))
    host.step(Moment(1, PLAY))
    if missed_from == LEARN:
        host.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.5)])
        host.step(Moment(4, PLAY))
    else:
        host.step(Moment(4, PLAY), (), [Outcome(1, 0.5)])
    assert int(host.machine.learner.state.pulls[0].sum()) == 1
    alone(host, 1, first=5)
    assert int(host.machine.learner.state.pulls[0].sum()) == 2  # that of round 4 never came


# --- 4. Bounds hold before bytes reach the machine -------------------------------------------------------------------


@pytest.mark.parametrize("bounded", [True, False])
def test_4_a_flood_costs_no_more_than_the_bound(bounded, monkeypatch):
    host, parsed = Host(role_of(0)), []
    host.step(Moment(1, PLAY))
    host.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.5)])
    unpack = wire.unpack
    monkeypatch.setattr(wire, "unpack", lambda data, *more: parsed.append(len(data)) or unpack(data, *more))
    flood = [Received(1, b"\x07" * 50)] * 1_000 + [Received(2, b"\x07" * 10**6)]
    if bounded:
        host.step(Moment(1, LEARN), flood)
        assert host.counts == {"too many messages": 999, "too many bytes": 1}
        assert parsed == [50]
    else:
        host.machine.step(Moment(1, LEARN), flood, [])
        assert len(parsed) == 1_001


def test_4_a_flood_of_one_sender_does_not_shut_out_another():
    stage = Host(role_of(0)).machine.stages[LEARN]
    flood = [Received(2, b"x")] * 50 + [Received(1, b"y")] + [Received(2, b"z")] * 50
    admitted, refused = admit(stage, flood)
    assert admitted == [Received(1, b"y")] + [Received(2, b"x")] * stage.messages
    assert refused == {"too many messages": 100 - stage.messages}


def test_4_the_order_of_arrival_is_no_input():
    """Sorted by sender, an inbox gives one state whatever the network does."""
    states = []
    for order in (1, -1):
        host = Host(role_of(0))
        others = [Host(role_of(i)) for i in (1, 2)]
        for t in range(1, 6):
            pulls = [each.step(Moment(t, PLAY)).pull for each in (host, *others)]
            told = [
                each.step(Moment(t, EXCHANGE), (), [Outcome(t, paid(t, i, pulls[i]))]).send[0][1]
                for i, each in enumerate((host, *others))
            ]
            host.step(Moment(t, LEARN), [Received(1, told[1]), Received(2, told[2])][::order])
            others[0].step(Moment(t, LEARN), [Received(0, told[0])])
            others[1].step(Moment(t, LEARN), [Received(0, told[0])])
        states.append(own(host.machine))
    assert states[0] == states[1]


# --- 5. Nothing of an agent's is of use late; what comes early waits -------------------------------------------------


def test_5_a_message_before_its_stage_is_used_in_it():
    """A neighbour's clock is ahead by a stage: it would never be heard if early messages were dropped."""
    host, other = Host(role_of(0)), Host(role_of(1))
    other.step(Moment(1, PLAY))
    ((_, data),) = other.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.75)]).send
    host.step(Moment(1, PLAY), [Received(1, data)])
    host.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.5)])
    host.step(Moment(1, LEARN))
    assert host.machine.learner.state.heard_total[0, 1].sum() == 0.75


def test_5_a_message_of_a_round_that_is_over_is_counted_and_left():
    host, other = Host(role_of(0)), Host(role_of(1))
    other.step(Moment(1, PLAY))
    ((_, data),) = other.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.75)]).send
    alone(host, 1)
    effects = host.step(Moment(2, PLAY), [Received(1, data)])
    assert effects.counts["messages of another round or too late"] == 1
    assert effects.noticed == []  # to be late is no fault
    assert host.machine.learner.state.heard_total[0, 1].sum() == 0.0


# --- 6. Chance is handed in -----------------------------------------------------------------------------------------


def test_6_an_agent_does_not_go_on_with_other_coins():
    """Else the arms of one game would come of two chances, and mates who toss together would part."""
    kept = Kept()
    alone(Host(role_of(0, fm.GossipUCB()), kept), 0)
    host = Host(role_of(0, fm.GossipUCB()), kept)
    for stage in range(4):
        host.step(Moment(1, stage))
    with pytest.raises(ValueError, match=r"^kept values: another agent, or one of another algorithm or game"):
        Host(role_of(0, fm.GossipUCB(), seed=6), kept)
    for other in (role_of(1, fm.GossipUCB()), role_of(0, fm.GossipUCB(c1=0.5)), role_of(0)):
        with pytest.raises(ValueError, match=r"^kept values"):
            Host(other, kept)


# --- 7. One identity, one store; a floor for one that lost it --------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False])
def test_7_two_copies_of_one_agent(shared):
    """With a store each they pull twice in a round and tell two stories; the shared store stops the second."""
    store = Kept()
    one, two = Host(role_of(0), store), Host(role_of(0), store if shared else Kept())
    one.step(Moment(1, PLAY))
    if shared:
        with pytest.raises(ValueError, match=r"^moment"):
            two.step(Moment(1, PLAY))
        return
    two.step(Moment(1, PLAY))
    told = [
        copy.step(Moment(1, EXCHANGE), (), [Outcome(1, reward)]).send[0][1]
        for copy, reward in ((one, 0.25), (two, 0.75))
    ]
    assert told[0] != told[1]
    hearer = Host(role_of(1))
    hearer.step(Moment(1, PLAY))
    hearer.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.5)])
    effects = hearer.machine.step(Moment(1, LEARN), [Received(0, data) for data in told], [])
    assert [(notice.sender, notice.reason) for notice in effects.noticed] == [(0, "second message")]


def test_7_a_machine_whose_store_is_lost_begins_at_its_floor():
    newborn = role_of(0).resume({})
    assert newborn.next == Moment(1, PLAY)  # without a floor it would play rounds again that it has played
    floored = role_of(0).resume({}, floor=Floor(round=8))
    assert floored.next == Moment(8, PLAY)
    with pytest.raises(ValueError, match=r"^moment = \(7, 0\): expected \(8, 0\)"):
        floored.step(Moment(7, PLAY), [], [])
    assert floored.step(Moment(8, PLAY), [], []).pull is not None


# --- 9. A step never raises for what came in -------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [PLAY, EXCHANGE, LEARN])
def test_9_what_is_malformed_is_noticed_and_changes_nothing(stage):
    garbage = [Received(1, b""), Received(2, b"\xff" * 99), Received(77, b"x"), Received(0, b"x"), Received(-1, b"x")]
    states = []
    for inbox in ([], garbage):
        host = Host(role_of(0))
        for number in (PLAY, EXCHANGE, LEARN):
            outcomes = [Outcome(1, 0.5)] if number == EXCHANGE else []
            effects = host.step(Moment(1, number), inbox if number == stage else [], outcomes)
            if inbox and number == stage:
                assert {notice.sender for notice in effects.noticed} == {-1, 0, 1, 2, 77}
        states.append(own(host.machine))
    assert states[0] == states[1]


def test_every_duty_has_a_test_here():
    duties = {int(number) for number in re.findall(r"^(\d)\.  ", machine.__doc__, re.MULTILINE)}
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    assert duties == set(range(1, 10))
    assert {int(number) for text in texts for number in re.findall(r"^def test_(\d)_", text, re.MULTILINE)} == duties


# --- Outcomes: late, never, nonsense ---------------------------------------------------------------------------------


def test_without_an_outcome_an_agent_tells_and_hears_all_the_same():
    host, other = Host(role_of(0)), Host(role_of(1))
    other.step(Moment(1, PLAY))
    ((_, data),) = other.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.75)]).send
    arm = host.step(Moment(1, PLAY)).pull
    assert len(host.step(Moment(1, EXCHANGE)).send) == 1
    host.step(Moment(1, LEARN), [Received(1, data)])
    state = host.machine.learner.state
    assert state.heard_total[0, 1].sum() == 0.75
    assert (state.pulls[0].sum(), state.waiting[0, arm]) == (0, 1)


def outcomes_learnt(host):
    """Of each arm: how many, and their sum."""
    state = host.machine.learner.state
    return state.pulls[0].tolist(), (state.reported[0] + state.clean[0])[:, 0].tolist()


def test_outcomes_that_come_late_and_out_of_order_enter_one_a_round_under_their_own_arm():
    host, arms = Host(role_of(0)), {}
    handed_in = {2: [], 4: [Outcome(3, 0.25), Outcome(1, 0.5)], 6: [Outcome(2, 1.0)]}
    entered = []
    for t in range(1, 8):
        arms[t] = host.step(Moment(t, PLAY)).pull
        host.step(Moment(t, EXCHANGE), (), handed_in.get(t, []))
        host.step(Moment(t, LEARN))
        entered.append(sum(outcomes_learnt(host)[0]))
    assert entered == [0, 0, 0, 1, 2, 3, 3]
    expected = [0.0] * ARMS
    for t, reward in ((1, 0.5), (2, 1.0), (3, 0.25)):
        expected[arms[t]] += reward
    assert outcomes_learnt(host)[1] == expected
    assert host.machine.pending.awaited == {t: arms[t] for t in (4, 5, 6, 7)}


@pytest.mark.parametrize("crash_at", range(15))
def test_a_late_outcome_enters_once_across_a_crash(crash_at):
    """Of rounds 1 and 2, both in round 3; a restart after any step, and everything handed in once more after it."""

    def play(crash):
        host, number, arms = Host(role_of(0)), 0, []
        for t in range(1, 6):
            for stage in (PLAY, EXCHANGE, LEARN):
                late = [Outcome(2, 0.5), Outcome(1, 0.25)] if (t, stage) in ((3, LEARN), (4, LEARN)) else []
                effects = host.step(Moment(t, stage), (), late)
                arms += [effects.pull] if stage == PLAY else []
                if number == crash and stage != PLAY:  # in between the agent would sit the round out
                    host.restart()
                number += 1
        return arms, own(host.machine), outcomes_learnt(host)

    assert play(crash_at) == play(None)
    assert sum(play(crash_at)[2][0]) == 2


def test_an_outcome_after_the_window_is_not_taken():
    host = Host(role_of(0, window=3))
    for t in range(1, 6):
        for stage in (PLAY, EXCHANGE, LEARN):
            counts = host.step(Moment(t, stage)).counts
            assert counts["outcomes that never came"] == (t == 5 and stage == PLAY)
    assert set(host.kept.values) & {"pull.1", "pull.2"} == {"pull.2"}
    effects = host.step(Moment(6, PLAY), (), [Outcome(1, 0.5), Outcome(2, 0.5)])
    assert effects.counts["outcomes too late"] == 1
    assert host.machine.pending.awaited.keys() == {3, 4, 5, 6}  # that of round 2 has come, and enters next
    host.step(Moment(6, EXCHANGE))
    host.step(Moment(6, LEARN))
    assert sum(outcomes_learnt(host)[0]) == 1


@pytest.mark.parametrize("reward", [None, float("nan"), float("inf"), 1e300, (0.5, 0.5), (), "much"])
def test_an_outcome_that_never_came_or_is_no_reward_is_counted_and_not_learnt(reward):
    host = Host(role_of(0))
    before = own(host.machine)
    host.step(Moment(1, PLAY))
    effects = host.step(Moment(1, EXCHANGE), (), [Outcome(1, reward)])
    assert effects.counts["outcomes that never came"] == 1
    host.step(Moment(1, LEARN))
    host.step(Moment(2, PLAY))
    assert {**own(host.machine), "waiting": b""} == {**before, "waiting": b""}
    assert host.machine.pending.awaited.keys() == {2}


def test_an_outcome_that_is_repeated_or_of_a_round_that_is_over_is_not_learnt_again():
    host = Host(role_of(0))
    host.step(Moment(1, PLAY))
    assert host.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.5)] * 2).counts["outcomes repeated"] == 1
    assert host.step(Moment(1, LEARN), (), [Outcome(1, 0.5)]).counts["outcomes repeated"] == 1
    effects = host.step(Moment(2, PLAY), (), [Outcome(1, 0.5), Outcome(2, 0.5)])
    assert effects.counts == {"outcomes repeated": 1, "outcomes before the pull": 1}
    assert int(host.machine.learner.state.pulls[0].sum()) == 1


# --- A store that is damaged -----------------------------------------------------------------------------------------

BAD_ROUNDS = (
    None, b"", encode(3), encode(()), encode((1, 0, 0, 0)), encode((1, 0, 0, ARMS, None)), encode((1, 0, 0, -1, None)),
    encode((0, 0, 0, 0, None)), encode((10**9, 0, 0, 0, None)), encode((1, 9, 0, 0, None)), encode((1, 0, 4, 0, None)),
    encode((1, 0, 0, True, None)), encode((1, 0, 0, 0, (0.5,))), encode((1, 0, 0, 0, (0, (), True))),
    encode((1, 0, 0, 0, (0, float("inf"), True))), encode((1, 0, 0, 0, (ARMS, 0.5, True))),
)  # fmt: skip


@pytest.mark.parametrize("bad", BAD_ROUNDS)
def test_a_round_that_no_agent_kept_is_named(bad):
    """Else an arm that there is not would be pulled, or a mistake of ours be looked for."""
    _named("round", bad)


@pytest.mark.parametrize("bad", [None, b"", b"1234567"])
def test_a_row_that_no_agent_kept_is_named(bad):
    key = next(key for key in _stored().values if key.startswith("state."))
    _named(key, bad)


@pytest.mark.parametrize("change", [{"state.older": b"1"}, {"state.total": None}, {"state.total": b"1"}])
def test_what_another_version_has_kept_is_refused_and_named(change):
    kept = {key: value for key, value in {**_stored().values, **change}.items() if value is not None and key != "mark"}
    mark = 0
    for one in kept.items():
        mark ^= int.from_bytes(digest("kept", one), "big")
    with pytest.raises(OtherSide, match=r"^kept values: another version of folkmoot has kept them: "):
        role_of(0).resume({**kept, "mark": mark.to_bytes(32, "big")})


def _stored():
    host = Host(role_of(0))
    host.step(Moment(1, 0))
    return host.kept


def _named(key, bad):
    kept = _stored().values
    del kept[key]
    with pytest.raises(OtherSide):
        role_of(0).resume(kept if bad is None else {**kept, key: bad})


@pytest.mark.parametrize("key", ["state.total", "state.waiting", "round", "pull.1", "mark"])
def test_one_bit_of_what_is_kept_is_noticed(key):
    """Of the right length and type: nothing but a digest of all tells."""
    kept = _stored().values
    assert role_of(0).resume(kept).next == Moment(1, EXCHANGE)
    kept[key] = kept[key][:-1] + bytes([kept[key][-1] ^ 1])
    with pytest.raises(OtherSide, match=r"^kept values: they are damaged"):
        role_of(0).resume(kept)


def test_a_row_of_an_earlier_step_is_noticed():
    host = Host(role_of(0))
    host.step(Moment(1, PLAY))
    before = host.kept.values
    host.step(Moment(1, EXCHANGE), (), [Outcome(1, 0.5)])
    host.step(Moment(1, LEARN))
    with pytest.raises(OtherSide, match=r"^kept values: they are damaged"):
        role_of(0).resume({**host.kept.values, "state.total": before["state.total"]})


def test_a_pull_that_no_agent_kept_is_named():
    pending = Pending(ARMS, 1, 10)
    for key, bad in [
        ("pull.x", encode((0, None))), ("pull.1", b""), ("pull.1", encode((ARMS, None))), ("pull.1", encode((0,))),
        ("pull.1", encode((0, (0.5,)))), ("pull.1", encode((0, ((1, 1), "much", True)))),
        ("pull.1", encode((0, ((1, "x"), 0.5, True)))),
    ]:  # fmt: skip
        with pytest.raises(OtherSide):
            pending.load({key: bad})
