"""What a soak saw from outside: frames as others received them, stores as they lie on the disk, and chains."""

import json
import os
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from folkmoot.agreement import vrf
from folkmoot.agreement.identity import Identity
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.bc_ucb.validators import asked, is_drawn
from folkmoot.node.folder import LOG
from folkmoot.node.store import FILE
from folkmoot.node.systems import system_of

HEARD = "heard"
MOST_ROUNDS_TO_COME_BACK = 4


class Rounds(NamedTuple):
    """Rounds in which blocks could be made, and those of them that have one."""

    possible: list[int]
    made: list[int]

    @property
    def share(self):
        return len(self.made) / max(len(self.possible), 1)


class Kill(NamedTuple):
    """Which member was killed, and when: by the clock that all processes of this machine share."""

    victim: int
    at: float


class Return(NamedTuple):
    """What became of a kill on a chain, in rounds.

    Attributes:
        kill: the round of the others when it came.
        heard: that in which the victim first heard somebody again.
        back: that of the first block with a report of the victim after that.
        rounds: from `heard` to `back`, only those in which a block was possible.
        lost: those from `kill` to `back` without a block.
    """

    victim: int
    kill: int
    heard: int
    back: int
    rounds: int
    lost: list[int]


def frames(members):
    """(receiver, sender, round, stage): the digests that came, and by (round, stage, sender) who had it."""
    digests, receivers = defaultdict(set), defaultdict(set)
    for receiver, member in enumerate(members):
        file = member.folder.path / HEARD
        for line in file.read_text(encoding="ascii").splitlines() if file.exists() else ():
            words = line.split()
            if len(words) != 5:
                continue  # its writer was killed
            sender, round, stage = map(int, words[:3])
            digests[receiver, sender, round, stage].add(words[3])
            receivers[round, stage, sender].add(receiver)
    return digests, receivers


def said_twice(digests, honest):
    """Frames of honest members of which one receiver has two for one round and stage."""
    return sorted(key for key, different in digests.items() if len(different) > 1 and key[1] in honest)


def acknowledged_but_gone(member):
    """Outcomes that its application was told are taken, and that are not on the disk; the process must not run.

    A node forgets what entered long ago: only what it must still have is looked for.
    """
    known = dict(member.acknowledged)
    file = member.folder.path / FILE
    if not file.exists():
        return sorted(known)
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        kept = {ticket for (ticket,) in db.execute("SELECT ticket FROM outcome")}
        oldest = min((int(ticket.split(".")[0]) for ticket in kept), default=0)
    finally:
        db.close()
    return sorted(ticket for ticket in known if int(ticket.split(".")[0]) > oldest and ticket not in kept)


def account(member):
    """Does the tally of a stopped node agree with what its application was told? What does not, in words; or nothing.

    A request that was cut off by a kill may have been stored or not: nobody was told.
    """
    store = member.store()
    try:
        tally, waiting = store.tally(), store.waiting()
    finally:
        store.close()
    told = {int(ticket.split(".")[0]): reward for ticket, reward in dict(member.acknowledged).items()}
    late = sum(one.outcome.reward is not None for one in waiting)
    entered = sum(of.outcomes for of in tally.values())
    least, most = len(told) - late, len(told) + member.unsure
    said = []
    if not least <= entered <= most:
        said.append(f"{member.name}: {entered} outcomes entered; its application knows of {least} to {most}")
    total, known = sum(of.sum for of in tally.values()), sum(told.values())
    if not known - late - 1e-6 <= total <= known + member.unsure + 1e-6:
        said.append(f"{member.name}: rewards of {total:g} entered; its application knows of {known:g}")
    return said


def proven_faults(members):
    """Whom honest members hold proofs against: (who holds it, whom, why)."""
    found = set()
    for member in members:
        for path in member.folder.path.glob(f"{Path(LOG).stem}*"):
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # its writer was killed
                if event["event"] == "fault" and event["proven"]:
                    found.add((member.name, event["member"], event["reason"]))
    return sorted(found)


def rounds_with_blocks(cluster, receivers, honest):
    """Of a chain: rounds in which a quorum was there, and of the drawn more than half, none of them a liar."""
    system, seeds = system_of(cluster.charter), [member.folder.seed() for member in cluster.members]
    store = max((cluster.members[n].store() for n in honest), key=lambda one: one.height)
    states = {0: system.facts.first.state}
    states |= {chain.state.round: chain.state for chain, _ in system.chains(store)}
    store.close()
    settings, state = states[0].configuration, states[0]
    last_stage = max(stage for _, stage, _ in receivers)
    first, last = settings.burn_in + 1, max(states)
    possible, made = [], []
    for round in range(first, last + 1):
        there = set()
        for m in honest:
            heard = [receivers[round, stage, m] | {m} for stage in range(last_stage + 1)]
            if all(len(who & set(honest)) >= state.quorum for who in heard):
                there.add(m)
        drawn = set()
        for m, seed in enumerate(seeds):
            proof = Identity(seed).prove(asked(settings, b"", round))
            if is_drawn(settings, state.weights, m, vrf.output(proof)):
                drawn.add(m)
        if len(there) >= state.quorum and 2 * len(there & drawn) > len(drawn):
            possible.append(round)
            if round in states:
                made.append(round)
        state = states.get(round, state)
    return Rounds(possible, made)


def heard_by(member):
    """What a member has written down of frames that came in: (time, sender, round, stage)."""
    lines = (member.folder.path / HEARD).read_text(encoding="ascii").splitlines()
    return [(float(time), int(sender), int(round), int(stage)) for sender, round, stage, _, time in
            (words for words in map(str.split, lines) if len(words) == 5)]  # fmt: skip


def reporters(cluster, number):
    """Whose reports the blocks of a member's ledger hold, by round."""
    system, store, found = system_of(cluster.charter), cluster.members[number].store(), {}
    sizes = cluster.charter.n_members, len(cluster.charter.terms.arms)
    for _, block in system.chains(store):
        record = RoundRecord.from_bytes(block.records[0], *sizes)
        found[record.round] = {report.participant for report in record.reports}
    store.close()
    return found


def returns(cluster, kills, possible):
    """What became of each kill whose victim was in a block again before it was killed again, and how many were not.

    `possible`: rounds in which there could be a block. Of the others it is checked that they had fewer than four of
    these to come back in.
    """
    tallest = max(range(cluster.charter.n_members), key=lambda n: _height(cluster.members[n]))
    blocks, heard = reporters(cluster, tallest), [heard_by(member) for member in cluster.members]
    found, short = [], 0
    for kill in kills:
        ends = min((one.at for one in kills if one.victim == kill.victim and one.at > kill.at), default=float("inf"))
        others = [line for n, lines in enumerate(heard) if n != kill.victim for line in lines]
        at = max((round for time, _, round, _ in others if time <= kill.at), default=0)
        until = max(round for time, _, round, _ in others if time <= ends)
        again = [round for time, _, round, _ in heard[kill.victim] if kill.at < time < ends]
        if not again:
            short += 1
            continue
        back = next((r for r in sorted(blocks) if r > again[0] and r <= until and kill.victim in blocks[r]), None)
        waited = sum(again[0] < r <= (until - 1 if back is None else back) for r in possible)
        if back is None:
            assert waited < MOST_ROUNDS_TO_COME_BACK, f"site-{kill.victim} heard round {again[0]}, not back by {until}"
            short += 1
            continue
        lost = [round for round in range(at, back + 1) if round not in blocks]
        found.append(Return(kill.victim, at, again[0], back, waited, lost))
    return found, short


def alone(found):
    """Of these returns, those between whose kill and return nobody else was away."""
    return [
        one for one in found
        if not any(other is not one and other.kill < one.back and other.back > one.kill for other in found)
    ]  # fmt: skip


def _height(member):
    store = member.store()
    store.close()
    return store.height


def note(**about):
    """Add a result to the file that FOLKMOOT_SOAK_RESULT names, and show it."""
    line = json.dumps(about)
    print(line, flush=True)
    if os.environ.get("FOLKMOOT_SOAK_RESULT"):
        with open(os.environ["FOLKMOOT_SOAK_RESULT"], "a", encoding="utf-8") as file:
            file.write(line + "\n")
