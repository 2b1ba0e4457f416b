"""A whole consortium on this machine: every member a process, an application that plays, a page to look at.

It shows what the system is for: members can be killed (`kill`), frames lost (`lose`), and one of them can lie
(`attack`), while the others go on and agree.
"""

import contextlib
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from folkmoot.errors import OtherSide
from folkmoot.meant import choices
from folkmoot.node.attacks_said import BY_SYSTEM
from folkmoot.node.charter import Charter, propose, read_toml, terms_of
from folkmoot.node.client import Client
from folkmoot.node.folder import Folder
from folkmoot.node.mischief import POOL, UNKNOWN_IMAGES
from folkmoot.node.ports import free_ports
from folkmoot.node.starting import resolved
from folkmoot.node.systems import system_of
from folkmoot.node.tried_exchange import MOST_MEMBERS, TriedExchange

_PACKAGE = Path(__file__).resolve().parent.parent
_EAGER = {"period": 0.0, "play": 2.0, "stage": 1.0}
_LOOK_SECONDS = 0.3
_START_SECONDS = 60.0
Say = Callable[[str], None]


def examples_folder() -> Path | None:
    """In an installed package its `_examples`, in a source checkout `examples` beside the package; None: neither."""
    return next((one for one in (_PACKAGE / "_examples", _PACKAGE.parent / "examples") if one.is_dir()), None)


def applications() -> list[str]:
    """Examples that are applications of a node."""
    folder = examples_folder()
    files = sorted(folder.glob("*.py")) if folder else []
    return [file.stem for file in files if "\nTERMS = " in file.read_text(encoding="utf-8")]


def _loaded(name: str) -> ModuleType:
    folder = examples_folder()
    if folder is None or name not in applications():
        raise ValueError(f"{name}: {choices(name, applications())}, or a file with terms, ending in .toml")
    spec = importlib.util.spec_from_file_location(f"folkmoot_example_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Trial:
    """What is tried.

    Attributes:
        what: name of an application among the examples, or a TOML file with terms.
        members: how many.
        rounds: after which it ends by itself; None: those of the terms, or until it is interrupted.
        attack: how the last member lies; empty: not at all.
        kill: a member is killed every so many rounds, and started again; 0: none.
        lose: share of the frames that are lost.
        page: say where the pages are?
        folder: for the data of all members; a new or an empty one.
    """

    what: str
    members: int
    folder: Path
    rounds: int | None = None
    attack: str = ""
    kill: int = 0
    lose: float = 0.0
    page: bool = True
    nodes: "list[_Member]" = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check what can be checked before anything is started.

        Raises:
            ValueError: what is wrong.
        """
        if not 2 <= self.members <= 50:
            raise ValueError(f"--members = {self.members}: expected 2 to 50")
        if self.rounds is not None and self.rounds < 1:
            raise ValueError(f"--rounds = {self.rounds}: expected at least 1")
        if self.kill < 0 or not 0 <= self.lose < 1:
            raise ValueError(f"--kill = {self.kill}, --loss = {self.lose}: expected at least 0, and from 0 to below 1")
        if self.attack and self.members < 4:
            raise ValueError(f"--attack with --members = {self.members}: expected at least 4, of whom one may lie")

    def run(self, say: Say) -> int:
        """Try it; the exit status: 0 if all honest members agree. Whatever ends this process ends all members."""
        module, charter = self._prepared()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupted)
        ends = threading.Event()
        try:
            for member in self.nodes:
                member.start(self)
            _all_are_there(self.nodes)
            if self.page:
                for member in self.nodes:
                    say(f"{member.name:10} {member.url}{'   (lies)' if member.lies else ''}")
                say(f"their data, for folkmoot node status DIR: {self.nodes[0].folder.path.parent}/SITE")
                say(f"open {self.nodes[0].url} in a browser; {_to_end()} ends all")
            if module is not None:
                folders = [member.folder.path for member in self.nodes]
                threading.Thread(target=module.play, args=(folders, ends), daemon=True).start()
            self._watch(charter, say)
        except KeyboardInterrupt:
            say("interrupted")
        finally:
            ends.set()
            for member in self.nodes:
                member.ask_to_end()
            for member in self.nodes:
                member.end()
        if charter.terms.system == "bema":
            return self._summary_of_models(module, say)
        return self._summary(charter, say)

    def _models(self, module: ModuleType) -> list[dict[str, Any]]:
        """What the application's `bring` puts into each folder, for the charter."""
        try:
            return [module.bring(one.folder.path, n, self.members) for n, one in enumerate(self.nodes)]
        except ModuleNotFoundError as missing:
            package = (missing.name or "an extra").partition(".")[0]
            raise ValueError(f"{self.what} needs {package}: pip install 'folkmoot[multiparty]'") from None

    def _prepared(self) -> tuple[ModuleType | None, Charter]:
        """Folders, keys, cards and the charter of all."""
        if self.folder.exists() and any(self.folder.iterdir()):
            raise ValueError(f"--data = {self.folder}: expected a new or an empty folder")
        if self.what.endswith(".toml"):
            module, table = None, read_toml(Path(self.what))
        else:
            module = _loaded(self.what)
            table = dict(module.TERMS)
        if self.rounds is not None:
            table["rounds"] = self.rounds
        start = datetime.now(UTC).replace(microsecond=0).isoformat()
        table = {**_EAGER, "faults": (self.members - 1) // 3, "start": start, **resolved(table)}
        ports = free_ports(self.members)
        for number, port in enumerate(ports):
            name = f"site-{number + 1}"
            lies = bool(self.attack) and number == self.members - 1
            folder = Folder.make(self.folder / name, name, f"127.0.0.1:{port}")
            self.nodes.append(_Member(name, folder, lies))
        if module is not None and hasattr(module, "bring"):  # models of their own
            table["settings"] = {**table["settings"], "models": self._models(module)}
            if self.members > MOST_MEMBERS:
                table["settings"]["each"] = 0
            if self.attack == UNKNOWN_IMAGES:
                np.save(self.nodes[-1].folder.path / POOL, module.unknown(self.members - 1, self.members))
        charter = propose(terms_of(table), [member.folder.card for member in self.nodes])
        system_of(charter)
        known = BY_SYSTEM[charter.terms.system]
        if self.attack and self.attack not in known:
            raise ValueError(f"--attack = {self.attack}: {choices(self.attack, known)}; see folkmoot try --help")
        for member in self.nodes:
            charter = charter.signed(member.folder.seed())
        for member in self.nodes:
            member.folder.join(charter)
        return module, charter

    def _watch(self, charter: Charter, say: Say) -> None:
        """Until all honest members are done: look at them, and kill one now and then."""
        chance, next_kill, told = random.Random(), self.kill, 0
        honest = [member for member in self.nodes if not member.lies]
        exchange = TriedExchange(charter, say)
        away = dict[str, int]()  # who was killed, and the round in which it was started again
        while True:
            time.sleep(_LOOK_SECONDS)
            for member in self.nodes:
                member.look()
            for member in self.nodes:
                if not member.runs:
                    if member.killed:
                        member.start(self)
                        away[member.name] = _round(honest)
                        say(f"round {_round(honest)}: {member.name} is started again")
                    elif not member.is_done:
                        raise ValueError(f"{member.name} ended by itself: {member.last_words()}")
            exchange.look(honest)
            round = _round(honest)
            if self.kill and round >= next_kill and round < charter.terms.rounds:
                victim = chance.choice(honest)
                next_kill = round + self.kill
                if victim.runs:
                    victim.kill()
                    say(f"round {round}: {victim.name} is killed (signal 9)")
            for member in honest:
                if member.name in away and member.state.get("round", 0) > away[member.name]:
                    say(f"round {round}: {member.name} is back, started in round {away.pop(member.name)}")
            if round >= told + 50:
                if not told:
                    what = "the height of each one's chain" if not charter.terms.arms else "what each member recommends"
                    say(f"from here on, every 50 rounds: {what} (?: nothing yet)")
                told = round - round % 50
                say(f"round {round}: " + ", ".join(f"{one.name} {one.best or one.height or '?'}" for one in honest))
            if all(member.is_done for member in honest):
                return

    def _summary(self, charter: Charter, say: Say) -> int:
        honest = [member for member in self.nodes if not member.lies]
        for member in self.nodes:
            about = "lied" if member.lies else f"recommends {member.best or 'nothing yet'}"
            settled = " (settled)" if member.state.get("settled") and not member.lies else ""
            mean = "" if (brought := member.mean) is None else f", mean reward {brought:.3f}"
            say(f"{member.name}: round {member.state.get('round', 0)}, {about}{settled}{mean}")
        best = {member.best for member in honest}
        agreed = len(best) == 1 and None not in best
        rounds = max(member.state.get("round", 0) for member in honest)
        blocks = max(member.state.get("height", 0) for member in honest)
        word = next(iter(best)) if agreed else "none"
        say(f"agreed: {'yes' if agreed else 'no'}, arm {word}, rounds {rounds}, blocks {blocks}")
        return 0 if agreed else 1

    def _summary_of_models(self, module: ModuleType | None, say: Say) -> int:
        honest, blocks = [member for member in self.nodes if not member.lies], dict[int, set[str]]()
        for number, member in enumerate(self.nodes):
            learning = member.state.get("learning") or {"blocks": [], "models": []}
            sent = next((one for one in learning["models"] if one["member"] == member.name), None)
            taken = "" if sent is None else f", of its samples {sent['accepted']} taken"
            taken += "" if sent is None else f" and {sum(sent['refused'].values())} refused"
            tells = module is not None and hasattr(module, "told") and not member.lies
            read = f", {module.told(number)}" if module is not None and tells else ""
            lied = ", lied" if member.lies else ""
            say(f"{member.name}: round {member.state.get('round', 0)}, block {member.height}{lied}{taken}{read}")
            for height, hash in learning["blocks"] if not member.lies else ():
                blocks.setdefault(height, set()).add(hash)
        agreed = bool(blocks) and all(len(hashes) == 1 for hashes in blocks.values())
        most, rounds = max(member.height for member in honest), _round(honest)
        near = all(most - member.height <= 1 for member in honest)
        say(f"agreed: {'yes' if agreed and near else 'no'}, one ledger of {most} blocks, rounds {rounds}")
        return 0 if agreed and near else 1


@dataclass
class _Member:
    """A member's process.

    Attributes:
        state: what it last said of itself.
        killed: has it been killed, and not been started again?
    """

    name: str
    folder: Folder
    lies: bool
    state: dict[str, Any] = field(default_factory=dict)
    killed: bool = False
    url: str = ""
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self, trial: Trial) -> None:
        command = [sys.executable, "-m", "folkmoot", "node", "run", str(self.folder.path), "--stay", "--leash"]
        if self.url:
            command += ["--http", self.url.removeprefix("http://")]
        if trial.lose or self.lies:
            file = self.folder.path / "mischief.json"
            file.write_text(json.dumps({"lose": trial.lose, "attack": trial.attack if self.lies else ""}))
            command += ["--mischief", str(file)]
        with contextlib.suppress(ValueError):
            self.folder.says_where("")
        output = self.folder.path / "output"
        with open(output, "ab") as words:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=words, stderr=words)
        self.killed = False

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_done(self) -> bool:
        return bool(self.state.get("phase") == "done")

    @property
    def best(self) -> str | None:
        found: str | None = self.state.get("best_name")
        return found

    @property
    def height(self) -> int:
        """Of its chain; 0: it has none, or no block."""
        return int(self.state.get("height", 0))

    @property
    def mean(self) -> float | None:
        """What its plays brought, as a mean over rounds; None: nothing yet."""
        arms = [arm for arm in self.state.get("arms", ()) if arm["outcomes"]]
        rounds = sum(arm["outcomes"] for arm in arms)
        return sum(arm["mean"] * arm["outcomes"] for arm in arms) / rounds if rounds else None

    def last_words(self) -> str:
        lines = (self.folder.path / "output").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def is_there(self) -> bool:
        if not self.runs:
            raise ValueError(f"{self.name}: the node did not start: {self.last_words()}")
        with contextlib.suppress(ValueError):
            self.url = self.folder.url
            return True
        return False

    def look(self) -> None:
        if self.runs:
            with contextlib.suppress(OtherSide, ValueError), Client.of(self.folder, timeout=2.0) as client:
                self.state = client.state()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.killed = True

    def end(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask_to_end(self) -> None:
        """By letting go of its leash, and by a signal."""
        if self.runs:
            assert self._process is not None
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.send_signal(signal.SIGTERM)


def _to_end() -> str:
    """What ends a trial. A shell lets what it starts in the background ignore Ctrl-C; SIGTERM is heard there, too."""
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    return f"kill {os.getpid()}" if ignored else "Ctrl-C"


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _all_are_there(members: Sequence[_Member]) -> None:
    until = time.monotonic() + _START_SECONDS
    while not all(member.is_there() for member in members):
        if time.monotonic() > until:
            raise ValueError(f"the nodes have not all started within {_START_SECONDS:g} s")
        time.sleep(0.05)


def _round(members: Sequence[_Member]) -> int:
    return max((int(member.state.get("round", 0)) for member in members), default=0)


def spare_folder() -> Path:
    """A new folder for a trial, among the system's temporary ones."""
    import tempfile

    return Path(tempfile.mkdtemp(prefix=f"folkmoot-try-{os.getpid()}-"))
