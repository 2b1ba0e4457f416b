"""What a running node shows of itself: one plain value, for applications, for the operator's page and for `status`."""

import time
from collections import deque
from collections.abc import Mapping
from math import sqrt
from typing import Any

from folkmoot.node import waiting
from folkmoot.node.arrivals import TWO_STORIES
from folkmoot.node.charter import Charter
from folkmoot.node.play import Player
from folkmoot.node.store import ArmTotals
from folkmoot.node.transport import TOO_LARGE

_Z = 1.959963984540054  # of a normal law: 95 %
_ROUNDS = 600  # of which the curves are kept
_RECENT = 60.0  # seconds
_LONG = 5  # rounds without a block
_UNTOLD = 10  # rounds in a row without an outcome: who operates the node should know
OUT_OF_STEP = {  # what the honest say too, after a loss, a restart, or on joining late
    "late", "early", "session", "other round", "other round or block", "other block", "old height", "old state",
    "state", "want", "passed on something else", "asked too often", "full",
}  # fmt: skip
_TROUBLES = {"away": "Cannot be reached", "behind": "Behind", "slow": "Slow", "wrong clock": "Wrong clock"}


class View:
    """Looks at a player.

    Attributes:
        rounds: of the last rounds: number, arm, what it brought or None, who was heard, height of the chain.
        before: the charter of the epoch before, if there is one.
        since: from when on requests, traffic, faults and the curves are counted, in seconds since 1970.
        predicted: requests for predictions that were answered.
        troubles: what whoever operates the node should know now, in plain sentences.
    """

    def __init__(self, player: Player) -> None:
        self._player = player
        self.rounds: deque[dict[str, Any]] = deque(maxlen=_ROUNDS)
        self._tally: Mapping[int, ArmTotals] = {}
        self.stopped_by = ""
        self.predicted = 0
        self._came: dict[int, tuple[int, float]] = {}  # how often each has come with another charter, and when last
        self.before: Charter | None = None
        self.since = player.clock.wall()

    def begin(self, tally: Mapping[int, ArmTotals]) -> None:
        """What own pulls brought before this process began."""
        self._tally = tally

    def after_round(
        self,
        round: int,
        arm: int,
        reward: float | None,
        heard: frozenset[int],
        height: int,
        tally: Mapping[int, ArmTotals],
        late: Mapping[int, float],
    ) -> None:
        """A round has ended; `reward`, and `late` of earlier rounds: on the scale of the charter."""
        self._tally = tally
        for one in self.rounds if late else ():
            one["reward"] = late.get(one["round"], one["reward"])
        self.rounds.append({"round": round, "arm": arm, "reward": reward, "heard": sorted(heard), "height": height})

    @property
    def phase(self) -> str:
        """That of the player, or "stopped"."""
        return "stopped" if self.stopped_by else self._player.phase

    def waits_for(self) -> str:
        """For what it waits, and until when; empty: for nothing."""
        return "" if self.stopped_by else waiting.waits_for(self._player, self.before)

    def scaled(self, mean: float) -> float:
        """A reward or a mean from 0 to 1, on the scale of the charter."""
        terms = self._player.charter.terms
        return terms.low + mean * (terms.high - terms.low)

    def arms(self) -> list[dict[str, Any]]:
        """Each arm: its name, own pulls, own mean with a 95 % interval, and what is agreed on of it, if anything."""
        player = self._player
        agreed = self._agreed()
        found = []
        for arm, name in enumerate(player.charter.terms.arms):
            tally = self._tally.get(arm, ArmTotals(0, 0, 0.0, 0.0))
            mean = half = None
            if tally.outcomes:
                middle = tally.sum / tally.outcomes
                mean = self.scaled(middle)
                if tally.outcomes > 1:
                    variance = (
                        max(0.0, tally.squares / tally.outcomes - middle**2) * tally.outcomes / (tally.outcomes - 1)
                    )
                    half = (
                        None
                        if variance == 0.0
                        else _Z
                        * sqrt(variance / tally.outcomes)
                        * (player.charter.terms.high - player.charter.terms.low)
                    )
            shared = agreed[arm]
            found.append({
                "arm": arm, "name": name, "pulls": tally.pulls, "outcomes": tally.outcomes,
                "mean": mean, "interval": half, "agreed": None if shared is None else self.scaled(shared),
            })  # fmt: skip
        return found

    def _agreed(self) -> list[float | None]:
        n = len(self._player.charter.terms.arms)
        found = list(self._seen().get("estimates") or ())
        return found if len(found) == n else [None] * n

    def _seen(self) -> Mapping[str, Any]:
        machine = getattr(self._player, "machine", None)
        return {} if machine is None else self._player.seen()

    def best(self) -> int:
        """The arm that is best as far as is known: the one all settled on, or with the largest agreed or own mean."""
        decision = int(self._seen().get("decision", -1))
        if decision >= 0:
            return decision
        for means in (self._agreed(), [one["mean"] for one in self.arms()]):
            known = [(-mean, arm) for arm, mean in enumerate(means) if mean is not None]
            if known:
                return min(known)[1]
        return -1

    def members(self) -> list[dict[str, Any]]:
        """Each member: its name, what state it is in as seen from here, traffic, and what it was caught at."""
        player = self._player
        wrong = player.clock.wrong()
        found: list[dict[str, Any]] = []
        for number, card in enumerate(player.charter.members):
            if number == player.me:
                found.append({"name": card.name, "state": "this node", "address": card.address})
                continue
            traffic, noticed = player.traffic[number], player.noticed[number]
            furthest = player.arrivals.furthest[number].round
            if not traffic.connected:
                state = "away"
            elif number in wrong:
                state = "wrong clock"
            elif furthest + 1 < player.moment.round:
                state = "behind"
            elif number in player.pace.suspected:
                state = "slow"
            else:
                state = "present"
            found.append({
                "name": card.name, "state": state, "address": card.address, "version": traffic.version,
                "round": furthest, "clock": player.clock.offsets.get(number), "sent": traffic.sent,
                "received": traffic.received, "missed": player.pace.missed[number],
                "stretched": player.pace.stretched[number],
                "faults": {reason: count for reason, count in noticed.items() if reason not in OUT_OF_STEP},
                "refused": {
                    **traffic.refused, **{why: count for why, count in noticed.items() if why in OUT_OF_STEP}
                },
            })  # fmt: skip
        return found

    def troubles(self) -> list[str]:
        """What whoever operates the node should know now, in plain sentences; none: all is well."""
        player, said = self._player, []
        if self.stopped_by:
            said.append(f"Stopped: {self.stopped_by}")
        if any(TOO_LARGE in traffic.refused for traffic in player.traffic.values()):
            said.append("The broker takes no messages as large as some of ours: its max_payload must be larger.")
        if player.clock.is_off:
            off = f"{-player.clock.shift:+.1f} s"
            said.append(f"This machine's clock is off by {off}. The node plays again once the clock is right.")
        elif player.clock.warns:
            said.append(f"This machine's clock is off by {-player.clock.shift:+.2f} s. It still plays.")
        members = self.members()
        if waiting.epoch_to_come(player, self.before):
            return said  # the others are not there yet
        elsewhere = [members[number]["name"] for number in self._elsewhere() if members[number]["state"] == "away"]
        if elsewhere:
            said.append(f"Under another charter, or in another epoch: {', '.join(elsewhere)}.")
        for state, words in _TROUBLES.items():
            if names := [one["name"] for one in members if one["state"] == state and one["name"] not in elsewhere]:
                said.append(f"{words}: {', '.join(names)}.")
        for number in sorted(player.pace.stretchers):
            name, times = members[number]["name"], members[number]["stretched"]
            said.append(f"Marks at the last moment, {times} times so far: {name}. Rounds wait for it.")
        there = sum(one["state"] not in ("away",) for one in members)
        if there < player.charter.quorum and player.phase != "done":
            said.append(f"Only {there} of {len(members)} members are there; {player.charter.quorum} are needed.")
        for number, noticed in player.noticed.items():
            if number >= 0 and noticed[TWO_STORIES]:
                said.append(f"Two nodes use the key of {members[number]['name']}, or it says two things at once.")
        if empty := self._without_block():
            said.append(f"No block for {empty} rounds: it takes {player.charter.signers} of {len(members)} members.")
        if silent := self._untold():
            rounds = f"rounds {silent[0]} to {silent[1]}"
            said.append(f"No outcome has come of {rounds}, nor can it any more. Does the application run?")
        learning = self._seen().get("learning") or {"wrong": "", "models": ()}
        if learning["wrong"]:
            said.append(f"The models cannot be put together here: {learning['wrong']}.")
        if lacking := [model["member"] for model in learning["models"] if not model["here"]]:
            said.append(f"Models that are still to be fetched: of {', '.join(lacking)}.")
        if lying := [one["name"] for one in members if one.get("faults")]:
            said.append(f"Caught saying what the rules do not allow: {', '.join(lying)}.")
        return said

    def _elsewhere(self) -> list[int]:
        """Who has come with another charter, and still does: who has not for a minute may not be there at all."""
        found, now = [], time.monotonic()
        for number, traffic in self._player.traffic.items():
            count, at = self._came.get(number, (0, now))
            if traffic.came_elsewhere != count:
                count, at = self._came[number] = traffic.came_elsewhere, now
            if traffic.is_elsewhere and now - at < _RECENT:
                found.append(number)
        return found

    def _without_block(self) -> int:
        """For how many rounds there has been no block, if that is long; 0: there was one of late, or never one."""
        system = self._player.system
        if not system.has_ledger or not self._player.height:
            return 0
        if system.learns and not (self._seen().get("learning") or {}).get("queued"):  # there is nothing to write
            return 0
        since = next((n for n, one in enumerate(reversed(self.rounds)) if one["height"] < self._player.height), 0)
        return since - 1 if since - 1 > _LONG else 0  # the first of them made the last block

    def _untold(self) -> tuple[int, int] | None:
        """The first and the last of the latest rounds that are over without an outcome, if they are many in a row."""
        ends = self._player.moment.round - self._player.charter.terms.window
        over = [one for one in self.rounds if one["arm"] >= 0 and one["round"] < ends][-_UNTOLD:]
        if len(over) < _UNTOLD or any(one["reward"] is not None for one in over):
            return None
        return over[0]["round"], over[-1]["round"]

    def state(self) -> dict[str, Any]:
        """All of it."""
        player = self._player
        terms = player.charter.terms
        best = self.best()
        return {
            "consortium": terms.name,
            "member": player.charter.members[player.me].name,
            "system": terms.system,
            "charter": player.charter.digest.hex()[:16],
            "epoch": player.charter.epoch,
            "ends_after": next((one.amends.after for one in player.ending.later[:1] if one.amends), None),
            "phase": self.phase,
            "waits_for": self.waits_for(),
            "since": self.since,
            "round": player.moment.round,
            "rounds": terms.rounds,
            "scale": [terms.low, terms.high],
            "stage": self._stage(),
            "arm": player.tickets.arm,
            "arms": self.arms(),
            "best": best,
            "best_name": terms.arms[best] if best >= 0 else None,
            "settled": int(self._seen().get("decision", -1)) >= 0,
            "present": sorted(one["name"] for one in self.members() if one["state"] in ("present", "this node")),
            "members": self.members(),
            "height": player.height,
            "decided": player.tickets.decided,
            "predicted": self.predicted,
            "counts": dict(player.counts),
            "troubles": self.troubles(),
            "signing": player.system.signing(player.me),
            "learning": self._seen().get("learning"),
            "history": list(self.rounds),
        }

    def _stage(self) -> str:
        """The name of the stage under way; empty: none is."""
        player = self._player
        stages = player.machine.stages if hasattr(player, "machine") else ()
        number = player.moment.stage
        return stages[number].name if player.moment.round and number < len(stages) else ""
