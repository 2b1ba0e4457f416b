"""What happened, a line an event: in the data folder as JSON, and on standard output for people.

A journal that cannot be written is not fatal: the node says so once and goes on. It is turned over at 16 MiB; the one
before is kept. What one member can make a node write of it in a round is bounded, so that it pushes nothing else out.
"""

import json
import os
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from folkmoot.json_text import parsed

_MOST = 1 << 24  # bytes
_LONGEST = 1 << 16  # letters of a line that is read
MOST_NOTICES = 8  # of different reasons, of one member in one round; proven faults have a line in any case


class Journal:
    """The journal of one node."""

    def __init__(self, path: Path, for_people: bool) -> None:
        self._path, self._for_people = path, for_people
        self._file: IO[str] | None = None
        self._failed = False
        self._told: set[tuple[str, str, bool]] = set()  # in this round
        self._again: dict[str, Counter[str]] = {}  # by member and reason: what had no line in this round

    def write(self, event: str, **about: Any) -> None:
        """One line."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **about}, ensure_ascii=False)
        try:
            if self._file is None:
                self._file = _opened(self._path)
            elif self._file.tell() > _MOST:
                self._file.close()
                self._path.replace(self._path.with_suffix(".old.jsonl"))
                self._file = _opened(self._path)
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            if not self._failed:
                print(f"folkmoot: {self._path}: cannot be written ({error.strerror})", file=sys.stderr, flush=True)
            self._failed = True
        if self._for_people and event not in ("round", "late", "block"):
            words = " ".join(f"{name}={value}" for name, value in about.items())
            with suppress(OSError):
                print(f"{time.strftime('%H:%M:%S')} {event} {words}", flush=True)

    def notice(self, event: str, member: str, reason: str, proven: bool | None = None) -> None:
        """A line for the first of its kind in a round; the others are counted, see `end_round`."""
        kind = (member, reason, bool(proven))
        told = sum(one[0] == member and not one[2] for one in self._told)
        if kind not in self._told and (proven or told < MOST_NOTICES):
            self._told.add(kind)
            self.write(event, member=member, reason=reason, **({} if proven is None else {"proven": proven}))
        else:
            self._again.setdefault(member, Counter())[reason] += 1

    def end_round(self) -> None:
        """How often what had no line of its own was noticed in a round: a line for each member."""
        for member, times in self._again.items():
            self.write("again", member=member, times=dict(times))
        self._told.clear()
        self._again.clear()

    def close(self) -> None:
        """Let go of the file."""
        self.end_round()
        if self._file is not None:
            with suppress(OSError):
                self._file.close()


def _opened(path: Path) -> IO[str]:
    """To be written at its end; a pipe that nobody reads is refused, and not waited for."""
    at_once = getattr(os, "O_NONBLOCK", 0)
    return open(path, "a", encoding="utf-8", opener=lambda name, flags: os.open(name, flags | at_once, 0o666))


def told_height(path: Path) -> int:
    """The highest block of the last epoch that a journal tells of; 0: none. Damaged lines are passed over."""
    height = 0
    if not path.is_file():
        return height
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        for line in iter(lambda: file.readline(_LONGEST), ""):
            try:
                told = parsed(line)
                if told["event"] == "epoch":
                    height = 0
                elif told["event"] == "block":
                    height = max(height, int(told["height"]))
            except (ValueError, TypeError, KeyError):
                continue
    return height
