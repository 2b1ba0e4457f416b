"""What a monitoring system reads of a node, in the text format that Prometheus defined.

Names end with their unit; what only rises ends with `_total`, and begins anew with the process or an epoch. A table of
all of them is in docs/run-a-consortium.md.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PHASES = ("starting", "waiting", "playing", "following", "done", "stopped")


def metrics(state: Mapping[str, Any], uptime: float) -> bytes:
    """The metrics of a node, made anew from its state at each request; `uptime`: seconds."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    class Now:
        def collect(self) -> Iterator["Metric"]:
            yield from _of_node(state, uptime)
            yield from _of_arms(state)
            yield from _of_members(state)

    registry = CollectorRegistry()
    registry.register(Now())
    ProcessCollector(registry=registry)  # memory, processor time, open files
    return bytes(generate_latest(registry))


def _one(kind: Any, name: str, about: str, value: float) -> "Metric":
    found = kind(f"folkmoot_{name}", about, labels=())
    found.add_metric((), value)
    made: Metric = found
    return made


def _of_node(state: Mapping[str, Any], uptime: float) -> Iterator["Metric"]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

    about = ("consortium", "member", "system", "charter")
    info = InfoMetricFamily("folkmoot_node", "Which node this is.", labels=())
    info.add_metric((), {name: str(state[name]) for name in about})
    yield info
    phase = GaugeMetricFamily("folkmoot_phase", "1: the phase that the node is in.", labels=("phase",))
    for name in PHASES:
        phase.add_metric((name,), state["phase"] == name)
    yield phase
    yield _one(GaugeMetricFamily, "uptime_seconds", "Since the node started.", uptime)
    yield _one(GaugeMetricFamily, "epoch", "The epoch under way.", state["epoch"])
    yield _one(GaugeMetricFamily, "round", "The round under way.", state["round"])
    yield _one(GaugeMetricFamily, "block_height", "Of the last block; 0 where there is no chain.", state["height"])
    yield _one(GaugeMetricFamily, "troubles", "Sentences that the page shows in its box.", len(state["troubles"]))
    for name, key in (("decisions", "decided"), ("predictions", "predicted")):
        yield _one(CounterMetricFamily, name, f"Requests for {name} that were answered.", state[key])
    events = CounterMetricFamily("folkmoot_events", "What was counted, by kind.", labels=("event",))
    for name, count in state["counts"].items():
        events.add_metric((name,), count)
    yield events


def _of_arms(state: Mapping[str, Any]) -> Iterator["Metric"]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    pulls = CounterMetricFamily("folkmoot_arm_pulls", "Own pulls.", labels=("arm",))
    means = GaugeMetricFamily("folkmoot_arm_reward_mean", "Own mean, on the charter's scale.", labels=("arm",))
    best = GaugeMetricFamily("folkmoot_arm_best", "1: the best arm, as far as is known.", labels=("arm",))
    for one in state["arms"]:
        pulls.add_metric((one["name"],), one["pulls"])
        best.add_metric((one["name"],), one["arm"] == state["best"])
        if one["mean"] is not None:
            means.add_metric((one["name"],), one["mean"])
    yield from (pulls, means, best)


def _of_members(state: Mapping[str, Any]) -> Iterator["Metric"]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    label = ("member",)
    present = GaugeMetricFamily("folkmoot_member_present", "1: heard in time; 0: not.", labels=label)
    lag = GaugeMetricFamily("folkmoot_member_round", "The last round a member spoke of.", labels=label)
    clock = GaugeMetricFamily("folkmoot_member_clock_offset_seconds", "By which its clock is ahead.", labels=label)
    missed = CounterMetricFamily("folkmoot_member_missed_deadlines", "Stages it was waited for in vain.", labels=label)
    late = CounterMetricFamily("folkmoot_member_stretched_stages", "Stages that its last mark ended.", labels=label)
    sent = CounterMetricFamily("folkmoot_member_sent_bytes", "Bytes to a member.", labels=label)
    received = CounterMetricFamily("folkmoot_member_received_bytes", "Bytes from a member.", labels=label)
    by_reason = ("member", "reason")
    faults = CounterMetricFamily("folkmoot_member_faults", "What it was caught at.", labels=by_reason)
    refused = CounterMetricFamily("folkmoot_member_refusals", "What of it was not taken.", labels=by_reason)
    for one in state["members"]:
        name = (one["name"],)
        present.add_metric(name, one["state"] in ("present", "this node"))
        if one["state"] == "this node":
            continue
        for metric, key in ((lag, "round"), (missed, "missed"), (late, "stretched"), (sent, "sent")):
            metric.add_metric(name, one[key])
        received.add_metric(name, one["received"])
        if one["clock"] is not None:
            clock.add_metric(name, one["clock"])
        for metric, counts in ((faults, one["faults"]), (refused, one["refused"])):
            for reason, count in counts.items():
                metric.add_metric((*name, reason), count)
    yield from (present, lag, clock, missed, late, sent, received, faults, refused)
