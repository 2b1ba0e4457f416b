"""Processes that begin as copies of one that has read the code already, which spares most of the start.

Each is a process of its own, with a folder, sockets and a clock of its own, which can be killed; it does what
`folkmoot node run FOLDER --stay --mischief FILE` does.
"""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing import forkserver
from pathlib import Path
from threading import Thread
from unittest.mock import patch

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["warm"])


def begin():
    """The process that all are copies of; it looks for modules where this one does."""
    with patch.dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path))):
        forkserver.ensure_running()


class Born:
    """What a test needs of `subprocess.Popen`."""

    def __init__(self, what, *args, output):
        begin()
        self._process = _CONTEXT.Process(target=_live, args=(what, args, str(output)), daemon=True)
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self._process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.poll()


def _live(what, args, output):
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    Thread(target=_go_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    sys.exit({"node": _node, "liars": _liars}[what](*args))


def _go_with(test):
    """Whoever kills the tests leaves no node behind."""
    test.join()
    os.kill(os.getpid(), signal.SIGKILL)


def _node(folder, mischief, rule):
    from folkmoot.node.process import run
    from tests.adversaries.twins import broken

    with broken(rule):
        return run(Path(folder), stay=True, mischief=Path(mischief))


def _liars(plan):
    from tests.adversaries.process import play

    asyncio.run(play(plan))
