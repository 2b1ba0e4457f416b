"""Clinics choose a first dose together, and learn only weeks later how it went: an application of a Folkmoot node.

A round is a week. Each clinic asks the node beside it which dose its new patients get in this week. They come back
four to eight weeks later, and some never do. The clinic reports one number for all patients of a week: the share that
is well, once all have been back, or nine weeks later of those who have. Until then it keeps its tickets in a file of
its own: the node, and this program, may be started again many times before.

    folkmoot try clinics_dosing                       # five nodes and five clinics on this machine, and a page
    python examples/clinics_dosing.py DIR [DIR ...]   # clinics for nodes that run already, given their data folders
    python examples/clinics_dosing.py --alone WEEKS   # what it is compared with: no nodes, each clinic for itself
"""

import json
import sys
import threading
import time
from contextlib import suppress
from math import inf, log, sqrt
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from folkmoot.files import write_file

ARMS = ("2.5 mg", "5 mg", "7.5 mg")
WAIT, WINDOW = 9, 14  # weeks after which a clinic waits for nobody, and after which an outcome counts no more
TERMS = {
    "name": "dosing of clinics",
    "system": "bc_ucb",
    "arms": list(ARMS),
    "rounds": 2_000,
    "window": WINDOW,
    "play": 0.25,  # seconds, for this machine; in earnest a week less an hour, with a period of a week
    "settings": {"disclosure": "validators", "algorithm": {"c1": 0.2}},
}
WELL = {"2.5 mg": 0.35, "5 mg": 0.65, "7.5 mg": 0.45}  # share of patients who are well with a dose
GONE = 0.15  # share of patients who never come back
CLOSED = 0.05  # share of weeks in which a clinic loses sight of all


class Clinic:
    """One clinic.

    Attributes:
        epoch, week: the last ones in which it treated somebody; with each epoch, weeks begin at 1 again.
        cohorts: by ticket, the patients of a week: in which week each is back (None: never), and whether it is well.
    """

    def __init__(self, number: int, file: Path) -> None:
        """`file`: where its records are; it goes on with what is there."""
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self.number, self.file = number, file
        self.epoch: int = kept.get("epoch", 1)
        self.week: int = kept.get("week", 0)
        self.cohorts: dict[str, dict] = kept.get("cohorts", {})

    def enter(self, epoch: int) -> None:
        """An epoch: the members have amended their charter. In a new one, outcomes of earlier ones count no more."""
        if epoch != self.epoch:
            self.epoch, self.week, self.cohorts = epoch, 0, {}

    def treat(self, week: int, dose: str, ticket: str) -> None:
        """Its new patients get this dose; who they are is on the disk when this returns."""
        chance = Random(f"{self.number}, {week}")
        well = WELL[dose] + (0.1 if dose == "7.5 mg" and self.number % 3 == 2 else 0.0)  # patients differ by clinic
        closed = chance.random() < CLOSED
        patients = []
        for _ in range(chance.randrange(4, 10)):
            back = week + chance.randrange(4, 9)
            gone = closed or chance.random() < GONE
            patients.append((None if gone else back, chance.random() < well))
        self.week = week
        self.cohorts[ticket] = {"week": week, "patients": patients}
        self._keep()

    def due(self, week: int) -> list[tuple[str, float | None]]:
        """Tickets whose outcome can be told in this week, and what it is; None: nobody has been back."""
        found = []
        for ticket, cohort in self.cohorts.items():
            back = [well for when, well in cohort["patients"] if when is not None and when <= week]
            if len(back) == len(cohort["patients"]) or week >= cohort["week"] + WAIT:
                found.append((ticket, sum(back) / len(back) if back else None))
        return found

    def told(self, ticket: str) -> None:
        """The node has this outcome on its disk, or will never take it."""
        del self.cohorts[ticket]
        self._keep()

    def forget(self, week: int) -> None:
        """Nobody asks any more how it went so long ago: the clinic was away, or has lost sight of these patients."""
        for ticket in [one for one, cohort in self.cohorts.items() if week > cohort["week"] + WINDOW]:
            self.told(ticket)

    def _keep(self) -> None:
        kept = {"epoch": self.epoch, "week": self.week, "cohorts": self.cohorts}
        write_file(self.file, json.dumps(kept).encode(), durable=True)


def serve(folder: Path, number: int, ends: threading.Event) -> None:
    """A clinic, for as long as its node runs."""
    from folkmoot.node import Client, NotNow, Refused
    from folkmoot.node.folder import Folder

    clinic, client = Clinic(number, folder.parent / f"{folder.name}-patients.json"), None
    while not ends.is_set():
        try:
            client = client or Client.of(Folder(folder))
            decision = client.decide(after=clinic.week)  # it waits a few seconds for the next week, not for ever
            clinic.enter(decision.epoch)
            if decision.round <= clinic.week:
                continue
            clinic.forget(decision.round)
            clinic.treat(decision.round, decision.name, decision.ticket)
            for ticket, reward in clinic.due(decision.round):
                with suppress(Refused):  # for good: it counts no more; kept, it would stop all that comes after it
                    if reward is not None:  # of weeks that nobody came back from the node hears nothing
                        client.outcome(ticket, reward)
                clinic.told(ticket)
        except (NotNow, ValueError):  # no week is under way, or the node is away: what is due is told when it is back
            time.sleep(0.1)


def play(folders: list[Path], ends: threading.Event) -> None:
    """A clinic for each node."""
    threads = [threading.Thread(target=serve, args=(folder, n, ends), daemon=True) for n, folder in enumerate(folders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def alone(number: int, weeks: int, doses: tuple[str, ...] = ARMS, c: float = 2.0) -> tuple[float, str]:
    """A clinic without a node, which learns for itself with UCB: the share that was well, and the dose it finds best.

    `doses`: among which it chooses; with one alone it has nothing to learn. `c`: how much it tries what seems worse.
    """
    given, counts, sums, told = [0] * len(doses), [0] * len(doses), [0.0] * len(doses), list[float]()
    with TemporaryDirectory() as folder:
        clinic = Clinic(number, Path(folder) / "patients.json")
        for week in range(1, weeks + 1):
            bounds = [s / n + sqrt(c * log(week) / n) if n else inf for s, n in zip(sums, counts)]
            arm = max(range(len(doses)), key=lambda one: (bounds[one], -given[one]))  # none has come: the least given
            given[arm] += 1
            clinic.treat(week, doses[arm], f"{week}.{arm}")
            for ticket, share in clinic.due(week):
                if share is not None:
                    counts[int(ticket.partition(".")[2])] += 1
                    sums[int(ticket.partition(".")[2])] += share
                    told.append(share)
                clinic.told(ticket)
    means = [s / n if n else 0.0 for s, n in zip(sums, counts)]
    return sum(told) / max(1, len(told)), doses[means.index(max(means))]


def compare(weeks: int) -> None:
    """Print what five clinics come to without nodes, in so many weeks."""
    ways = [("each alone, UCB, c = 2", ARMS, 2.0), ("each alone, UCB, c = 0.2", ARMS, 0.2)]
    for name, doses, c in (*ways, *((f"always {dose}", (dose,), 0.0) for dose in ARMS)):
        found = [alone(number, weeks, doses, c) for number in range(5)]
        shares = " ".join(f"{share:.2f}" for share, _ in found)
        finds = f"   finds {', '.join(best for _, best in found)}" if len(doses) > 1 else ""
        print(f"{name:24} {sum(share for share, _ in found) / 5:.3f}   by clinic {shares}{finds}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    if sys.argv[1] == "--alone":
        compare(int(sys.argv[2]))
        raise SystemExit
    play([Path(folder) for folder in sys.argv[1:]], threading.Event())
