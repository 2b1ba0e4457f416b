"""Every algorithm plays on whatever its liars say; both engines, and agents one by one, play the same arms."""

import numpy as np
import pytest
from cases import CASES, DIFFERENT, Case, complete
from test_agents import RUNNABLE, machine_arms

import folkmoot as fm
from folkmoot.interface import IMPLEMENTATIONS
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.simulate import make_job
from folkmoot.world.lies import LIES

FIELDS = ("pulls", "team_pulls", "messages", "bytes", "regret", "verified", "decisions", "decided_at")
every_algorithm = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
COMPILED = list({type(case.algorithm): case for case in CASES}.values())  # one case of each: so many compilations do
LAWS = list(LIES)


def play(case: Case, law: str, engine: str, horizon: int, counts: str = "own") -> fm.Result:
    """The network is of the type that `test_absent_and_late` has too, so that one compilation serves both."""
    liars = fm.Liars([1, 4], law, counts=counts)
    world, more = (fm.Bernoulli(DIFFERENT), fm.OneSided(complete(6), 0.0)), case.verified(6, horizon)
    return fm.simulate(
        case.algorithm, *world, horizon=horizon, seed=2, engine=engine, liars=liars, progress=False, **more
    )


@every_algorithm
def test_plays_on_under_every_law(case: Case) -> None:
    """For 24 rounds, a few more than the longest burn-in; regret is that of the four that do not lie."""
    for n, law in enumerate(LAWS):
        result = play(case, law, "interpreted", 24, ("own", "most")[n % 2])
        assert (result.pulls.sum(axis=2) == 24).all()
        assert result.counted.tolist() == [True, False, True, True, False, True]
        assert (result.team_pulls[:, -1] == result.pulls[:, result.counted].sum(axis=1)).all()
        assert 0.0 <= result.regret[0, -1] <= 4 * 24


@pytest.mark.parametrize("case", COMPILED, ids=[case.name for case in COMPILED])
def test_the_engines_agree_under_lies(case: Case) -> None:
    """All laws are one type, hence one compilation; the Byzantine rule meets all of them, the others two."""
    laws = LAWS if isinstance(case.algorithm, fm.ByzantineUCB) else ["sign_flip", "split"]
    for n, law in enumerate(laws):
        counts = ("most", "own")[n % 2]
        slow, fast = (play(case, law, engine, 30, counts) for engine in ("interpreted", "compiled"))
        for field in FIELDS:
            assert getattr(slow, field).tobytes() == getattr(fast, field).tobytes(), (law, field)


def job_of(case: Case, law: str) -> Job:
    liars = fm.Liars([1, 4], law, counts="most" if law == "split" else "own")
    more = {"verification": case.verification} if case.verification else {}
    return make_job(
        case.algorithm, fm.Bernoulli(DIFFERENT), complete(6, 0.7), horizon=400, seed=17, liars=liars,
        engine="interpreted", **more,
    )  # fmt: skip


def interpreted_arms(job: Job, rounds: int, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """int64 [rounds, n_agents]: the arms that the loop selects."""
    arms, record = np.full((rounds, 6), -1), type(job.params())
    choose = IMPLEMENTATIONS[record, "select"]

    def select(params, state, i, t, coins):
        arms[t - 1, i] = choose(params, state, i, t, coins)
        return arms[t - 1, i]

    with monkeypatch.context() as patch:
        patch.setitem(IMPLEMENTATIONS, (record, "select"), select)
        short = make_job(
            job.algorithm, job.rewards, job.network, horizon=400, seed=17, liars=job.liars, engine="interpreted",
            verification=job.verification,
        )  # fmt: skip
        from folkmoot.coins import seed_words
        from folkmoot.simulation.engine import Control
        from folkmoot.simulation.engine import play as loop
        from folkmoot.simulation.tally import blank_tally

        tally = blank_tally(1, 6, 4, 1)
        control = Control(np.zeros(1, np.int64), np.zeros(1, np.bool_), np.zeros(1, np.bool_))
        loop(short.params(), short.world(), 0, *seed_words(17), np.array([0]), np.array([rounds]), tally, control)
    return arms


@pytest.mark.parametrize("case", RUNNABLE, ids=[case.name for case in RUNNABLE])
def test_agents_one_by_one_are_told_the_same_lies(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Split words with the most counts, and the opposite of the truth: all machines take them, as `possible` says."""
    for law in ("split", "sign_flip"):
        job = job_of(case, law)
        assert (machine_arms(job, 0, 30) == interpreted_arms(job, 30, monkeypatch)).all(), law


def test_whose_messages_cannot_be_lied_in_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from folkmoot.algorithms.byzantine_ucb import Message

    monkeypatch.delitem(IMPLEMENTATIONS, (Message, "say"))
    with pytest.raises(ValueError, match=r"liars: Byzantine UCB: Message does not implement `say`"):
        play(next(c for c in CASES if c.name == "ByzantineUCB"), "promote", "interpreted", 24)
