"""Playing many replicates of many games: in threads or processes of this machine, or on a cluster."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from folkmoot.algorithms.base import Problem
from folkmoot.doors import is_whole
from folkmoot.errors import brief
from folkmoot.simulation import backends
from folkmoot.simulation.cells import Playable, Replicate, new_control
from folkmoot.simulation.engine import Control
from folkmoot.simulation.processes import Processes, line
from folkmoot.simulation.threads import as_they_finish, in_threads

Tell = Callable[[int, int], None]  # of the number of a game and the rounds, over all its replicates, that are complete


class Task(NamedTuple):
    """Some replicates of one of the games."""

    game: int
    job: Playable
    replicates: Sequence[int]


class Done(NamedTuple):
    """What came of a task.

    Attributes:
        game: the number of the game.
        outcomes: of finished replicates.
        error: what was raised, if anything.
    """

    game: int
    outcomes: list[Any]
    error: Exception | None


def run(
    games: Sequence[tuple[Playable, Sequence[int]]],
    workers: int = 1,
    backend: str | None = None,
    tell: Tell = lambda game, rounds: None,
) -> Iterator[Done]:
    """Play replicates of these games, and hand them over as they finish.

    A game that raises an error is handed over with it; what has not begun of it is left out, and the others go on. On
    KeyboardInterrupt tasks stop after their current round, and what is finished is handed over before the interrupt
    goes on.

    Args:
        games: what to play, already checked, and the numbers of the replicates.
        workers: how many tasks run at a time; a cluster takes as many as it has room for.
        backend: None for this machine, or a cluster that tasks are sent to ("dask", "ray").
        tell: told now and then how far a game is.

    Raises:
        ValueError: workers below 1, more of them than there is memory for, an unknown or missing backend, or classes
            that a cluster's workers cannot import.
    """
    if not is_whole(workers) or workers < 1:
        raise ValueError(f"jobs = {brief(workers)}: expected an integer of at least 1")
    workers = int(workers)
    if backend is not None:
        yield from _on_cluster(games, workers, backend, tell)
        return
    for job, replicates in games:
        _check_memory(job, min(workers, len(replicates)))
    shared = [(x, job, replicates) for x, (job, replicates) in enumerate(games) if not job.alone(workers)]
    tasks = [task for x, job, numbers in shared for task in _tasks_of(x, job, numbers, workers)]
    apart = workers > 1 and len(tasks) > 1 and any(task.job.own_process for task in tasks)
    yield from (_in_processes if apart else _in_threads)(tasks, workers, tell)
    for x, (job, replicates) in enumerate(games):
        if job.alone(workers):
            yield from _in_threads(_tasks_of(x, job, replicates, 1), 1, tell, workers)


def run_one(
    job: Playable,
    replicates: Sequence[int],
    workers: int = 1,
    backend: str | None = None,
    on_rounds: Callable[[int], None] = lambda rounds: None,
) -> Iterator[list[Any]]:
    """Replicates of one game as they finish; an error is raised here.

    Raises:
        ValueError: see `run`; what the game itself raises.
    """
    for done in run([(job, replicates)], workers, backend, lambda game, rounds: on_rounds(rounds)):
        if done.error is not None:
            raise done.error
        yield done.outcomes


def _check_memory(job: Playable, workers: int) -> None:
    """Refuse more replicates at a time than fit into the memory one replicate may have.

    Raises:
        ValueError: they do not.
    """
    if workers == 1 or job.alone(workers):
        return
    try:
        needed, limit = float(getattr(job, "memory", 0.0)), Problem.memory_limit
    except ValueError:  # of the job itself: it is said when it is played
        return
    if needed * workers > limit:
        raise ValueError(
            f"jobs = {workers}: {workers} replicates at a time would need {needed * workers / 2**30:.1f} GiB; allowed "
            f"are {limit / 2**30:.0f} GiB, so at most jobs = {max(1, int(limit // needed))}"
        )


def _tasks_of(x: int, job: Playable, replicates: Sequence[int], workers: int) -> list[Task]:
    return [Task(x, job, batch) for batch in job.batches(replicates, workers)] if len(replicates) else []


def _tasks(games: Sequence[tuple[Playable, Sequence[int]]], workers: int) -> list[Task]:
    return [task for x, (job, replicates) in enumerate(games) for task in _tasks_of(x, job, replicates, workers)]


def play_task(task: Task, control: Control | None = None, threads: int = 1) -> Done:
    """Play a task in this thread."""
    if control is None:
        control = new_control(len(task.replicates))
    try:
        outcomes: Sequence[Replicate] = task.job.play(task.replicates, control, threads)
    except Exception as error:  # whatever a game raises is the game's, and named with it
        return Done(task.game, [], error)
    return Done(task.game, list(outcomes), None)


def _play_apart(number: int, task: Task) -> Done:
    """`play_task` in a worker of `Processes`."""
    rounds, stop = line(number)
    return play_task(task, new_control(len(task.replicates))._replace(rounds=rounds, stop=stop))


class _Told:
    """Rounds of each game, summed over its tasks, told when they change."""

    def __init__(self, tasks: Sequence[Task], tell: Tell) -> None:
        self._games, self._tell = np.array([task.game for task in tasks], np.int64), tell
        self._last: dict[int, int] = {}

    def poll(self, rounds: Sequence[int]) -> None:
        """Tell what is new."""
        if len(self._games):
            now = np.bincount(self._games, rounds)
            for game in np.unique(self._games):
                if self._last.get(int(game)) != int(now[game]):
                    self._last[int(game)] = int(now[game])
                    self._tell(int(game), int(now[game]))


def _in_threads(tasks: Sequence[Task], workers: int, tell: Tell, threads: int = 1) -> Iterator[Done]:
    stop, failed = np.zeros(1, np.bool_), set[int]()
    controls = [new_control(len(task.replicates))._replace(stop=stop) for task in tasks]
    told = _Told(tasks, tell)

    def play(task: Task, control: Control) -> Done:
        if task.game in failed:
            return Done(task.game, [], None)
        done = play_task(task, control, threads)
        if done.error is not None:
            failed.add(task.game)
        return done

    calls = (partial(play, task, control) for task, control in zip(tasks, controls, strict=True))
    yield from in_threads(calls, workers, stop, lambda: told.poll([int(control.rounds[0]) for control in controls]))


def _in_processes(tasks: Sequence[Task], workers: int, tell: Tell) -> Iterator[Done]:
    pool, told = Processes(min(workers, len(tasks)), len(tasks)), _Told(tasks, tell)
    with pool.submitting([(_play_apart, (number, task)) for number, task in enumerate(tasks)]) as futures:
        yield from as_they_finish(futures, pool.stop, lambda: told.poll(pool.rounds[: len(tasks)].tolist()))


def _on_cluster(
    games: Sequence[tuple[Playable, Sequence[int]]], workers: int, backend: str, tell: Tell
) -> Iterator[Done]:
    places = backends.opened(backend)
    for job, _ in games:
        backends.refuse_own(job, backend)
    tasks, rounds = _tasks(games, max(workers, places)), Counter[int]()
    for done in backends.play([(play_task, (task,)) for task in tasks], backend):
        rounds[done.game] += games[done.game][0].rounds * len(done.outcomes)
        tell(done.game, rounds[done.game])
        yield done
