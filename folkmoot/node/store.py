"""What a node must not forget, on disk: the store of one machine, in SQLite.

How it works. One transaction holds all that a step wants kept, with its moment, and nothing else ends a step: `store`
returns when the disk has it (WAL, synchronous = FULL). So a process that is killed at any instant comes back to the end
of a step. A step of which nothing leaves may be written with the next one (`later`): then it comes back to the end of
the step before. Beside what the machine keeps stand the outcomes that an application was told are taken (`take`), until
the step that was handed them is stored.

The connection is used by one thread at a time: the driver calls it from the thread that plays the steps.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from folkmoot.errors import DamagedFile
from folkmoot.machine import Append, Delete, Keep, Moment, Outcome, Put, Skip, content
from folkmoot.node.database import Database

FILE = "node.sqlite"
_APPLICATION = 0x464D4E44  # "FMND", in the header of the file
_VERSION = 1
_END = 1 << 62  # after all rounds
_TABLES = """
CREATE TABLE value (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE block (height INTEGER PRIMARY KEY, block BLOB NOT NULL);
CREATE TABLE place (one INTEGER PRIMARY KEY CHECK (one = 1), round INTEGER, stage INTEGER, skipped INTEGER NOT NULL);
CREATE TABLE outcome (
    number INTEGER PRIMARY KEY AUTOINCREMENT, ticket TEXT NOT NULL UNIQUE, round INTEGER NOT NULL, reward REAL,
    entered INTEGER NOT NULL DEFAULT 0, proof BLOB NOT NULL DEFAULT x''
);
CREATE INDEX waiting ON outcome (entered, round);
CREATE TABLE pull (round INTEGER PRIMARY KEY, arm INTEGER NOT NULL);
CREATE TABLE tally (
    arm INTEGER PRIMARY KEY, pulls INTEGER NOT NULL, outcomes INTEGER NOT NULL, sum REAL NOT NULL, squares REAL NOT NULL
);
CREATE TABLE note (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO place VALUES (1, NULL, NULL, 0);
"""
_LOG = "CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, round INTEGER, entry BLOB, signature BLOB)"

# An outcome of an application: ticket, round, reward, and what proves it where the charter asks for that.
ToldOutcome: TypeAlias = tuple[str, int, float | None] | tuple[str, int, float | None, bytes]


class Waiting(NamedTuple):
    """The outcomes of one round that have come: their numbers in the store, and their mean."""

    numbers: list[int]
    outcome: Outcome


class ArmTotals(NamedTuple):
    """What the pulls of an arm brought: how many, of how many the outcome came, sum and sum of squares of these."""

    pulls: int
    outcomes: int
    sum: float
    squares: float


class Earned(NamedTuple):
    """What pulls brought, at the end of a round.

    Attributes:
        reward: of this round, from 0 to 1; None: no outcome has entered.
        late: of earlier rounds of which an outcome entered in this one.
        tally: of all, by arm.
    """

    reward: float | None = None
    late: Mapping[int, float | None] = MappingProxyType({})
    tally: Mapping[int, ArmTotals] = MappingProxyType({})


class Row(NamedTuple):
    """An entry of the signed log: its number, its round, its bytes and its signature; see signed_log.py."""

    number: int
    round: int
    entry: bytes
    signature: bytes


class Store(Database):
    """The store of one machine.

    Attributes:
        position: the moment of the last step that was stored; None before the first.
        height: of the last block; 0 before the first.

    Raises:
        DamagedFile: the file is none of ours, of another version, or damaged.
        Full: it cannot be made or read.
    """

    def _open(self) -> None:
        ((version,),) = self._db.execute("PRAGMA user_version")
        if self._is_new:
            about = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION};"
            self._db.executescript(f"BEGIN; {about} {_TABLES} COMMIT;")
        elif (self._kind, version) != (_APPLICATION, _VERSION):
            raise DamagedFile(f"{self._path}: not the store of a node, or of another version than {_VERSION}")
        self._db.execute(_LOG)
        if "proof" not in [name for _, name, *_ in self._db.execute("PRAGMA table_info(outcome)")]:
            self._db.execute("ALTER TABLE outcome ADD COLUMN proof BLOB NOT NULL DEFAULT x''")
        ((round, stage, skipped),) = self._db.execute("SELECT round, stage, skipped FROM place")
        ((last,),) = self._db.execute("SELECT max(height) FROM block")
        self.position = None if round is None else Moment(round, stage)
        self.height: int = max(last or 0, skipped)

    # --- Of the machine ----------------------------------------------------------------------------------------------

    @property
    def values(self) -> dict[str, bytes]:
        """What the machine keeps, by key."""
        with self._reading():
            return dict(self._db.execute("SELECT key, value FROM value"))

    def block(self, height: int) -> bytes:
        """A stored block.

        Raises:
            IndexError: there is none of this height.
        """
        with self._reading():
            found = self._db.execute("SELECT block FROM block WHERE height = ?", (height,)).fetchone()
        if found is None:
            raise IndexError(f"height = {height}: there is no block of it, up to {self.height}")
        return bytes(found[0])

    def store(
        self,
        moment: Moment,
        keep: Iterable[Keep],
        pull: int | None = None,
        entered: Iterable[Waiting] = (),
        logged: Row | None = None,
        *,
        later: bool = False,
    ) -> None:
        """Keep all that a step wants kept, with its moment; its arm, the outcomes it was handed, its entry in the log.

        A step that wants nothing kept, and has not begun a round, is not written: one that comes back to the step
        before it repeats it, and nothing is different.

        `later`: it may be written with the next step, or by `flush`: nothing that depends on it leaves before.

        Raises:
            ValueError: a moment that is not later than the last one, or a block that is not the next; nothing is kept.
            Full: the disk takes it not; nothing is kept.
        """
        if self.position is not None and moment <= self.position:
            raise ValueError(f"moment = {tuple(moment)}: expected one after {tuple(self.position)}")
        height = self.height
        items, entered = list(keep), list(entered)
        same_round = self.position is not None and self.position.round == moment.round
        if same_round and not items and pull is None and not entered and logged is None:
            self.position = moment
            return
        last = {item.key: item for item in items if isinstance(item, Put | Delete)}  # others of its key are replaced
        with self._writing(joins=True, later=later) as db:
            for item in items:
                if not isinstance(item, Put | Delete) or last[item.key] is item:
                    height = self._take(db, item, height)
            if pull is not None and not db.execute("SELECT 1 FROM pull WHERE round = ?", (moment.round,)).fetchone():
                db.execute("INSERT INTO pull VALUES (?, ?)", (moment.round, pull))
                self._count(db, pull, 1, 0, 0.0)
            for numbers, outcome in entered:
                self._enter(db, numbers, outcome)
            if logged is not None:
                db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", logged)
            db.execute("UPDATE place SET round = ?, stage = ?", moment)
        self.position, self.height = moment, height

    def _enter(self, db: sqlite3.Connection, numbers: Iterable[int], outcome: Outcome) -> None:
        db.executemany("UPDATE outcome SET entered = 1 WHERE number = ?", [(number,) for number in numbers])
        arm = db.execute("SELECT arm FROM pull WHERE round = ?", (outcome.round,)).fetchone()
        if arm is not None and isinstance(outcome.reward, float):
            self._count(db, arm[0], 0, 1, outcome.reward)

    def _count(self, db: sqlite3.Connection, arm: int, pulls: int, outcomes: int, reward: float) -> None:
        db.execute(
            "INSERT INTO tally VALUES (?, ?, ?, ?, ?) ON CONFLICT (arm) DO UPDATE SET pulls = pulls + excluded.pulls, "
            "outcomes = outcomes + excluded.outcomes, sum = sum + excluded.sum, squares = squares + excluded.squares",
            (arm, pulls, outcomes, reward, reward * reward),
        )

    def _take(self, db: sqlite3.Connection, item: Keep, height: int) -> int:
        if isinstance(item, Put):
            db.execute("INSERT OR REPLACE INTO value VALUES (?, ?)", (item.key, content(item.value)))
        elif isinstance(item, Delete):
            db.execute("DELETE FROM value WHERE key = ?", (item.key,))
        elif isinstance(item, Append):
            if item.height != height + 1:
                raise ValueError(f"block of height {item.height}: expected that of {height + 1}")
            db.execute("INSERT INTO block VALUES (?, ?)", (item.height, content(item.block)))
            return item.height
        elif isinstance(item, Skip):
            if item.height <= height:
                raise ValueError(f"blocks to be skipped up to height {item.height}: there is one of height {height}")
            db.execute("DELETE FROM block")
            db.execute("UPDATE place SET skipped = ?", (item.height,))
            return item.height
        return height

    def entries(self, first: int = 1, last: int | None = None) -> Iterator[Row]:
        """The signed log, in order: entries of these rounds."""
        ends = max(0, min(first, _END)), _END if last is None else max(-1, min(last, _END))
        with self._reading():
            for row in self._db.execute(
                "SELECT * FROM entry WHERE round BETWEEN ? AND ? ORDER BY number",
                ends,
            ):
                yield Row(*row)

    def last_entry(self) -> Row | None:
        """The last one of the signed log; None: there is none."""
        with self._reading():
            found = self._db.execute("SELECT * FROM entry ORDER BY number DESC LIMIT 1").fetchone()
        return None if found is None else Row(*found)

    # --- Of the application ------------------------------------------------------------------------------------------

    def take(self, outcomes: Sequence[ToldOutcome], *, later: bool = False) -> list[str]:
        """Keep outcomes before their applications are told so: what became of each.

        `later`: as of `store`; nobody is told before it is written, and nobody if it was `undone` by then.

        "taken"; "twice": this ticket has one already, which stays; "closed": the outcome of its round has entered;
        "second": its round has another one already, and where outcomes are proven there is one a round.

        Raises:
            Full: the disk takes them not; none is kept.
        """
        said = []
        with self._writing(joins=later, later=later) as db:
            for ticket, round, reward, *proof in outcomes:
                if db.execute("SELECT 1 FROM outcome WHERE ticket = ?", (ticket,)).fetchone():
                    said.append("twice")
                elif db.execute("SELECT 1 FROM outcome WHERE entered = 1 AND round = ? LIMIT 1", (round,)).fetchone():
                    said.append("closed")
                elif proof and db.execute("SELECT 1 FROM outcome WHERE round = ? LIMIT 1", (round,)).fetchone():
                    said.append("second")
                else:
                    row = (ticket, round, reward, *(proof or (b"",)))
                    db.execute("INSERT INTO outcome (ticket, round, reward, proof) VALUES (?, ?, ?, ?)", row)
                    said.append("taken")
        return said

    def forget(self, before: int) -> None:
        """Outcomes of rounds before this one will not enter any more, or have: they need not be kept.

        Raises:
            Full: the disk is full.
        """
        with self._writing() as db:
            db.execute("DELETE FROM outcome WHERE round < ?", (before,))
            db.execute("DELETE FROM pull WHERE round < ?", (before,))

    def waiting(self) -> list[Waiting]:
        """The outcomes that no stored step was handed, the mean of each round as one."""
        rounds: dict[int, tuple[list[int], list[float]]] = {}
        proofs: dict[int, bytes] = {}  # of rounds with one outcome
        about = "SELECT number, round, reward, proof FROM outcome WHERE entered = 0 ORDER BY number"
        with self._reading():
            for number, round, reward, proof in self._db.execute(about):
                numbers, rewards = rounds.setdefault(round, ([], []))
                numbers.append(number)
                if reward is not None:
                    rewards.append(reward)
                    proofs[round] = bytes(proof)
        return [
            Waiting(numbers, Outcome(t, sum(found) / len(found) if found else None, proof=proofs.get(t, b"")))
            for t, (numbers, found) in sorted(rounds.items())
        ]

    def pulled(self, round: int) -> int | None:
        """The arm of a round; None: it was not played, or is long past."""
        with self._reading():
            found = self._db.execute("SELECT arm FROM pull WHERE round = ?", (round,)).fetchone()
        return None if found is None else int(found[0])

    def reward(self, round: int) -> float | None:
        """What a round brought, as it entered, from 0 to 1; None: nothing has."""
        with self._reading():
            found = self._db.execute(
                "SELECT avg(reward) FROM outcome WHERE round = ? AND entered = 1", (round,)
            ).fetchone()
        return None if found[0] is None else float(found[0])

    def earned(self, round: int, entered: Iterable[Waiting], before: Earned) -> Earned:
        """What there is once these have entered in a round; `before`: what there was so far."""
        rounds = {one.outcome.round for one in entered} - {round}
        late = {earlier: self.reward(earlier) for earlier in sorted(rounds)}
        return Earned(self.reward(round), {**before.late, **late}, self.tally())

    def tally(self) -> dict[int, ArmTotals]:
        """By arm, what the own pulls brought so far."""
        with self._reading():
            return {row[0]: ArmTotals(*row[1:]) for row in self._db.execute("SELECT * FROM tally ORDER BY arm")}

    # --- Of the node itself ------------------------------------------------------------------------------------------

    def note(self, key: str, value: bytes) -> None:
        """Keep something of the node's own.

        Raises:
            Full: the disk takes it not.
        """
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (key, value))

    def noted(self, key: str) -> bytes | None:
        """What was noted; None: nothing."""
        with self._reading():
            found = self._db.execute("SELECT value FROM note WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file; none: nothing."""
        with self._reading():
            found = [str(line) for (line,) in self._db.execute("PRAGMA integrity_check(10)")]
        return [] if found == ["ok"] else found

    def carry(self, values: Iterable[Put], tally: Mapping[int, ArmTotals]) -> None:
        """What an epoch begins with, of the one before; its store is new.

        Raises:
            Full: the disk is full.
        """
        with self._writing() as db:
            for item in values:
                self._take(db, item, 0)
            db.execute("DELETE FROM tally")
            db.executemany("INSERT INTO tally VALUES (?, ?, ?, ?, ?)", [(arm, *row) for arm, row in tally.items()])

    def forget_note(self, key: str) -> None:
        """Keep a note no longer.

        Raises:
            Full: the disk is full.
        """
        with self._writing() as db:
            db.execute("DELETE FROM note WHERE key = ?", (key,))
