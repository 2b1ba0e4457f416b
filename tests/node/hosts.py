"""Many agents of UCB-SBM in few processes, over a real nats-server: for a test, and for a soak."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

from cluster import free_ports

from folkmoot.agreement.identity import Identity
from folkmoot.errors import OtherSide
from folkmoot.node.charter import propose, write_charter
from folkmoot.node.client import Client, NodeSays, NotNow
from folkmoot.node.folder import CHARTER, Folder
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of
from folkmoot.node.terms import Terms

SERVER = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/bin")


class Server:
    """A nats-server that can be killed and started again at the same port."""

    def __init__(self):
        self.port, self.process = free_ports(1)[0], None
        self.url = f"nats://127.0.0.1:{self.port}"

    def start(self, config=None):
        """`config`: a file with settings."""
        command = [SERVER, "--addr", "127.0.0.1", "--port", str(self.port), *(["-c", str(config)] if config else [])]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()


class Hosts:
    """Members of one charter, hosted by a few processes. `pays(member, round, arm)`: from 0 to 1."""

    def __init__(self, folder, members, processes, broker, *, pays, arms=3, rounds=10**6, **more):
        self.pays, self.names = pays, [f"agent-{n}" for n in range(members)]
        self.folders = [
            Folder.make(folder / name, name, f"127.0.0.1:{n + 1}", seed=n.to_bytes(32, "big"))
            for n, name in enumerate(self.names)
        ]
        given = {
            "name": "many agents", "system": "bandit", "arms": tuple(f"arm {n}" for n in range(arms)),
            "rounds": rounds, "start": datetime.now(UTC).replace(microsecond=0).isoformat(), "period": 0.0,
            "play": 2.0, "stage": 5.0, "faults": (members - 1) // 3, "transport": "nats", "broker": broker,
            "settings": {"algorithm": {"type": "ucb_sbm"}, "network": {
                "type": "stochastic_block_model", "labels": [n % 2 for n in range(members)],
                "within": 0.99, "across": 0.99,
            }}, **more,
        }  # fmt: skip
        charter = propose(Terms(**given), [one.card for one in self.folders])
        system_of(charter)
        signed = {
            one.card.name: Identity(one.seed()).sign("charter", charter.digest) for one in self.folders
        }  # `Charter.signed` looks at all members each time, which takes minutes for hundreds
        self.charter = replace(charter, signatures=signed)
        self.charter.check_signed()
        write_charter(folder / CHARTER, self.charter)
        for one in self.folders:
            shutil.copy(folder / CHARTER, one.path / CHARTER)
        self.shares = [list(range(p, members, processes)) for p in range(processes)]
        self.processes, self.output, self.ends = [None] * processes, folder / "output", threading.Event()

    def start(self, *which):
        for p in which or range(len(self.shares)):
            command = [sys.executable, "-m", "folkmoot", "node", "host", "--stay"]
            command += [str(self.folders[n].path) for n in self.shares[p]]
            with open(self.output, "ab") as output:
                self.processes[p] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def plays(self):
        """Applications of all members, in a thread for each process."""
        for share in self.shares:
            threading.Thread(target=self._play, args=(share,), daemon=True).start()

    def _play(self, share):
        clients, last = {}, dict.fromkeys(share, 0)
        while not self.ends.is_set():
            idle = True
            for n in share:
                try:
                    client = clients.get(n) or clients.setdefault(n, Client.of(self.folders[n], timeout=30))
                    decision = client.decide()
                    if decision.round != last[n]:
                        last[n], idle = decision.round, False
                        client.outcome(decision.ticket, self.pays(n, decision.round, decision.arm))
                except NotNow:
                    pass
                except (NodeSays, ValueError):
                    clients.pop(n, None)
            if idle:
                time.sleep(0.02 * len(share))  # asking costs a node more than a round does

    def state(self, n):
        try:
            with Client.of(self.folders[n], timeout=30) as client:
                return client.state()
        except (OtherSide, ValueError):
            return {}

    def until(self, fulfilled, seconds=300, every=0.2):
        end = time.monotonic() + seconds
        while not fulfilled():
            assert all(one is None or one.poll() is None for one in self.processes), self.words()
            assert time.monotonic() < end, f"it does not happen: {self.state(0).get('troubles')} {self.words()}"
            time.sleep(every)

    def words(self):
        return self.output.read_text()[-2_000:] if self.output.exists() else ""

    def stop(self):
        """Exit statuses."""
        self.ends.set()
        for one in self.processes:
            one.send_signal(signal.SIGTERM)
        return [one.wait(240) for one in self.processes]

    def end(self):
        self.ends.set()
        for one in self.processes:
            if one is not None and one.poll() is None:
                one.kill()
                one.wait()

    def rounds_stored(self):
        """Of each member, the last round on its disk; the processes must have ended."""
        found = []
        for one in self.folders:
            store = Store(one.path / FILE)
            found.append(store.position.round if store.position else 0)
            store.close()
        return found
