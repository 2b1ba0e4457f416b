"""When outcomes come: held against a list that is searched from end to end."""

from typing import Any

import numpy as np
import pytest

import folkmoot as fm
from folkmoot import interface
from folkmoot.coins import replicate_coins
from folkmoot.configuration import Wrong, read_table
from folkmoot.world.feedback import FeedbackRecord, delay_of
from folkmoot.world.in_file import InFile

COINS = replicate_coins(5, 0, 2)


def came(record: FeedbackRecord, present: np.ndarray) -> np.ndarray:
    """int64 [rounds, n]: the round of the pull whose outcome comes; each outcome is checked to be that pull's."""
    rounds, n = present.shape
    seen, book = interface.fresh_seen(record, n, 2), interface.calendar(record, n, 2)
    out = np.zeros((rounds, n), np.int64)
    for t in range(1, rounds + 1):
        for i in np.flatnonzero(present[t - 1]):
            seen.arm[i] = seen.pulled[i] = (7 * t + i) % 5
            seen.verified[i] = t % 3 == 0
            seen.reward[i] = t, 1.0 / t
            interface.post(record, book, i, t, COINS, seen)
            interface.fetch(record, book, i, t, seen)
            out[t - 1, i] = s = book.came[i]
            assert seen.pulled[i] == (7 * t + i) % 5
            assert seen.arm[i] == ((7 * s + i) % 5 if s else -1)
            assert bool(seen.verified[i]) == (s > 0 and s % 3 == 0)
            assert seen.reward[i].tolist() == ([s, 1.0 / s] if s else [0.0, 0.0])
    return out


def twin(delays: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The same by the rule, word for word: of what is due, what has been due longest; one a round."""
    rounds, n = present.shape
    out = np.zeros((rounds, n), np.int64)
    for i in range(n):
        under_way: list[tuple[int, int]] = []
        for t in range(1, rounds + 1):
            if present[t - 1, i]:
                if delays[t - 1, i] >= 0:
                    under_way.append((t + int(delays[t - 1, i]), t))
                due = [entry for entry in under_way if entry[0] <= t]
                if due:
                    under_way.remove(min(due))
                    out[t - 1, i] = min(due)[1]
    return out


RECORDED = np.random.default_rng(1).integers(-1, 12, (40, 3))
LAWS = {
    "fixed": fm.Feedback(delay=4),
    "fixed, lost": fm.Feedback(delay=4, loss=0.3),
    "at once, lost": fm.Feedback(loss=0.3),
    "geometric": fm.Feedback(delay="geometric", mean=9.0),
    "geometric, lost": fm.Feedback(delay="geometric", mean=2.5, loss=0.2),
    "recorded": fm.Feedback(delay=RECORDED),
    "never": fm.Feedback(loss=1.0),
}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_outcomes_come_in_the_order_of_the_rule(name: str, share: float) -> None:
    """Also for agents that are absent in some rounds."""
    rounds, record = 150, LAWS[name].record(3, 2, 150)
    present = np.random.default_rng(2).random((rounds, 3)) < share
    delays = np.array([[delay_of(record, i, t, COINS) for i in range(3)] for t in range(1, rounds + 1)])
    found = came(record, present)
    assert (found == twin(delays, present)).all()
    for column in found.T:
        assert len(set(column[column > 0])) == (column > 0).sum(), "an outcome came twice"


def test_a_recording_is_played_again_from_the_start() -> None:
    record = fm.Feedback(delay=RECORDED).record(3, 1, 99)
    assert [delay_of(record, 2, t, COINS) for t in range(1, 90)] == [RECORDED[(t - 1) % 40, 2] for t in range(1, 90)]


@pytest.mark.parametrize("mean", [0.0, 0.5, 20.0])
def test_geometric_delays_have_their_mean_and_losses_their_share(mean: float) -> None:
    """20,000 draws lie within six standard deviations; the law's variance is mean * (1 + mean)."""
    record = fm.Feedback(delay="geometric", mean=mean, loss=0.25).record(1, 1, 2**31)
    delays = np.array([delay_of(record, 0, t, COINS) for t in range(1, 20_001)])
    lost = delays < 0
    assert abs(lost.mean() - 0.25) <= 6.0 * (0.25 * 0.75 / 20_000) ** 0.5
    kept = delays[~lost]
    assert abs(kept.mean() - mean) <= 6.0 * (mean * (1.0 + mean) / len(kept)) ** 0.5
    if mean:
        none = 1.0 / (1.0 + mean)
        assert abs((kept == 0).mean() - none) <= 6.0 * (none * (1.0 - none) / len(kept)) ** 0.5


def test_there_is_room_for_the_most_outcomes_of_a_recording() -> None:
    """A round's worst case by counting, for recordings short and long."""
    dice = np.random.default_rng(4)
    for rounds, longest in ((1, 1), (5, 3), (7, 7), (30, 12)):
        delays = dice.integers(-1, longest + 1, (rounds, 2))
        played = np.tile(delays, (5, 1))
        t = np.arange(len(played))
        most = max(int(((t <= now) & (played[:, i] > now - t)).sum()) for i in range(2) for now in range(len(played)))
        assert fm.Feedback(delay=delays).record(2, 1, 1_000).room == most + 1


def test_what_would_come_after_the_horizon_does_not_set_out() -> None:
    record = fm.Feedback(delay=3).record(1, 1, 10)
    seen, book = interface.fresh_seen(record, 1, 1), interface.calendar(record, 1, 1)
    for t in range(1, 11):
        interface.post(record, book, 0, t, COINS, seen)
        interface.fetch(record, book, 0, t, seen)
    assert book.entries[0] == 0


WRONG: dict[str, dict[str, Any]] = {
    r"Feedback: delay = -1: expected a number of rounds of at least 0 and below 2\*\*32": {"delay": -1},
    r"Feedback: delay = 1.5: expected a number of rounds, 'geometric', or \[rounds, n_agents\]": {"delay": 1.5},
    r"Feedback: delay = 'late': expected .*": {"delay": "late"},
    r"Feedback: delay = true: expected .*": {"delay": True},
    r"Feedback: delay\[0\]\[0\] = 0.5: expected whole numbers, \[rounds, .*": {"delay": [[0.5]]},
    r"Feedback: delay of round 1, agent 0 = -2: expected a number of rounds of at least 0 and below 2\*\*32, or .*": {
        "delay": [[-2]]
    },
    r"Feedback: mean = None: expected one with delay = 'geometric', and only then": {"delay": "geometric"},
    r"Feedback: mean = 3.0: expected one with delay = 'geometric', and only then": {"mean": 3.0},
    r"Feedback: loss = 1.5: expected at most 1": {"loss": 1.5},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_one_line(message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        fm.Feedback(**WRONG[message])


def test_other_agents_and_too_much_memory_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^feedback: delay recorded for 2 agents: expected 3$"):
        fm.Feedback(delay=[[0, 1]]).record(3, 1, 9)
    with pytest.raises(ValueError, match=r"^feedback: 1000000 outcomes of each of 10000 agents .* allowed are 16 GiB$"):
        fm.Feedback(delay=999_999).record(10_000, 1, 10**7)


def test_a_file_says_the_same(tmp_path: Any) -> None:
    context = InFile(tmp_path, lambda: None)
    for given in ({"delay": 5, "loss": 0.1}, {"delay": "geometric", "mean": 3.0}, {"delay": [[1, 2], [-1, 0]]}):
        read = read_table(fm.Feedback, given, context)
        assert read == fm.Feedback(**given)
        assert {"recorded_rounds": 2, **given} == {"recorded_rounds": 2, **read.describe()}
    with pytest.raises(Wrong, match=r"^loss = 2: expected at most 1$"):
        read_table(fm.Feedback, {"loss": 2}, context)


@pytest.mark.parametrize("mean", [2.0**32, 2.0**53, 1e16, 1e300])
def test_a_mean_beyond_every_horizon_is_refused(mean: float, tmp_path: Any) -> None:
    """From 2**53 on the chance of a delay would round to none at all."""
    says = rf"mean = {mean}: expected a number of rounds of at least 0 and below 2\*\*32$".replace("+", r"\+")
    with pytest.raises(ValueError, match=rf"^Feedback: {says}"):
        fm.Feedback(delay="geometric", mean=mean)
    with pytest.raises(Wrong, match=says):
        read_table(fm.Feedback, {"delay": "geometric", "mean": mean}, InFile(tmp_path, lambda: None))


def test_the_largest_mean_still_delays() -> None:
    record = fm.Feedback(delay="geometric", mean=2.0**32 - 1).record(1, 1, 100)
    assert delay_of(record, 0, 1, COINS) > 100


def test_a_recorded_delay_beyond_every_horizon_is_named() -> None:
    says = (
        r"^Feedback: delay of round 2, agent 1 = {}: expected a number of rounds of at least 0 and below 2\*\*32, or -1"
    )
    for wrong in (10**12, -2):
        with pytest.raises(ValueError, match=says.format(wrong)):
            fm.Feedback(delay=[[0, 0, 0], [0, wrong, 0]])
