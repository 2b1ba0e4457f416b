"""Tasks in processes of their own: they give the same, are told to stop, and do not outlive whoever started them."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from folkmoot.simulation.runner import run, run_one


class Steps:
    """A game that counts to its replicate's number, slowly."""

    label, rounds, own_process = "steps", 50, True

    def __init__(self, pause=0.0, wrong=False, ended=None):
        """`ended`: a folder, with a file for each replicate that was played to its end."""
        self.pause, self.wrong, self.ended = pause, wrong, ended

    def alone(self, workers):
        return False

    def batches(self, replicates, workers):
        return [[replicate] for replicate in replicates]

    def play(self, replicates, control, threads):
        if self.wrong:
            raise ValueError(f"not {replicates[0]}")
        for _ in range(self.rounds):
            if control.stop[0]:
                return []
            time.sleep(self.pause)
            control.rounds[0] += 1
        if self.ended is not None:
            (self.ended / str(replicates[0])).touch()
        return [(replicate, os.getpid()) for replicate in replicates]


def test_they_run_apart_and_tell_how_far_they_are():
    told = []
    found = [one for batch in run_one(Steps(0.01), range(4), 2, on_rounds=told.append) for one in batch]
    assert sorted(replicate for replicate, _ in found) == [0, 1, 2, 3]
    assert os.getpid() not in {process for _, process in found}
    assert told == sorted(told)
    assert told[-1] == 4 * 50


def test_with_one_worker_there_is_no_other_process():
    assert [list(batch) for batch in run_one(Steps(), range(2), 1)] == [[(0, os.getpid())], [(1, os.getpid())]]


def test_an_error_is_handed_over_and_the_others_go_on():
    found = list(run([(Steps(wrong=True), [0]), (Steps(), [1])], 2))
    assert {done.game: str(done.error) for done in found} == {0: "not 0", 1: "None"}


def test_an_interrupt_stops_them_after_their_round(tmp_path):
    def interrupt(rounds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_one(Steps(2.0, ended=tmp_path), range(4), 2, on_rounds=interrupt))
    assert list(tmp_path.iterdir()) == []  # each would take a hundred seconds


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_they_end_when_their_parent_is_killed(tmp_path):
    program = f"""
    import sys
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    from test_processes import Steps
    from folkmoot.simulation.runner import run_one
    if __name__ == "__main__":
        for _ in run_one(Steps(1.0), range(4), 2, on_rounds=lambda rounds: print("begun", flush=True)):
            pass
    """
    (tmp_path / "program.py").write_text(textwrap.dedent(program), encoding="utf-8")
    parent = subprocess.Popen([sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "begun\n"
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert len(children) >= 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(600):
        if not any(Path(f"/proc/{child}/cmdline").exists() for child in children):
            return
        time.sleep(0.1)
    pytest.fail("a worker has outlived its parent")
