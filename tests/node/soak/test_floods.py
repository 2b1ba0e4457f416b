"""Floods of a stranger and of a member, of every kind: rounds go on, and memory stays what it was."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import floods
import pytest
from cluster import Cluster
from seen import note
from test_node_processes import pays
from test_soak import CHAIN, SECONDS, heights, one_ledger

from folkmoot.node.member import address

pytestmark = pytest.mark.soak
EACH = max(3.0, SECONDS / 20)  # seconds of each flood
MOST_MORE = 64 * 1024  # KiB above what is normal
LIAR = 3


def status(member, field):
    """Of its process, in KiB."""
    for line in Path(f"/proc/{member.process.pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise AssertionError(field)


def forget_peak(member):
    Path(f"/proc/{member.process.pid}/clear_refs").write_text("5")


def files(member):
    return len(os.listdir(f"/proc/{member.process.pid}/fd"))


def processor(member):
    """Seconds that its threads have run."""
    tasks = Path(f"/proc/{member.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def flood(cluster, kind, seconds):
    """What came of one: rounds before and in it, memory, files."""
    honest, liar = cluster.members[:LIAR], cluster.members[LIAR]
    for member in honest:
        forget_peak(member)
    before = min(member.last_round() for member in honest)
    command = [sys.executable, floods.__file__, kind, str(seconds), str(liar.folder.path), *map(str, range(LIAR))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    most = 0
    while process.poll() is None:
        most = max(most, *map(files, honest))
        time.sleep(0.2)
    assert process.returncode == 0
    said = json.loads(process.stdout.read())
    at = min(member.last_round() for member in honest)
    peaks = [status(member, "VmHWM") for member in honest]
    return {"kind": kind, "rounds": at - before, "peak": max(peaks), "files": most, **said}


@pytest.mark.parametrize("who", ["stranger", "member"])
def test_a_flood_stops_no_round_and_takes_little_memory(tmp_path, who):
    """A stranger floods while four play; a member floods instead of playing."""
    kinds = floods.STRANGER if who == "stranger" else floods.MEMBER
    cluster = Cluster(tmp_path, 4, pays=pays, quick=True, stage=1.0, **CHAIN)
    with cluster:
        cluster.until(lambda: min(heights(cluster.members)) >= 5)
        honest = cluster.members[:LIAR]
        if who == "member":
            cluster.members[LIAR].kill()
        at, began = min(member.last_round() for member in honest), time.monotonic()
        cluster.until(lambda: min(member.last_round() for member in honest) >= at + 10)
        a_minute = 60 * (min(member.last_round() for member in honest) - at) / (time.monotonic() - began)
        normal, held = max(status(member, "VmRSS") for member in honest), max(map(files, honest))
        found = []
        for kind in kinds:
            found.append(flood(cluster, kind, EACH))
            note(what=f"flood of a {who}", seconds=EACH, normal=normal, normal_files=held,
                 normal_rounds=round(a_minute * EACH / 60, 1), **found[-1])  # fmt: skip
            at = max(member.last_round() for member in honest)
            cluster.until(lambda at=at: min(member.last_round() for member in honest) >= at + 3)
        cluster.until(lambda: max(map(files, honest)) <= held + 4)
        assert [member.process.poll() for member in honest] == [None, None, None]
        cluster.stop()
    one_ledger(honest)
    assert [one for one in found if one["rounds"] < 1] == []
    assert [one for one in found if one["peak"] > normal + MOST_MORE] == []
    assert [one for one in found if one["files"] > 200] == []


def test_a_refused_stranger_costs_little_and_leaves_no_file(tmp_path):
    """A node that waits for the others, and strangers that come one after another: what each costs of its processor."""
    cluster = Cluster(tmp_path, 4, pays=pays, quick=True, **CHAIN)
    node, costs = cluster.members[0], []
    try:
        node.start()
        node.wait_until_there()
        time.sleep(2)
        there, held, there_before = sorted(node.folder.path.iterdir()), files(node), processor(node)
        time.sleep(4)
        idle = (processor(node) - there_before) / 4
        for _ in range(3):
            began, before = time.monotonic(), processor(node)
            tries = knock_at(cluster, node, 50)
            costs.append(1000 * (processor(node) - before - idle * (time.monotonic() - began)) / tries)
        cluster.until(lambda: files(node) <= held, 20)
        assert sorted(node.folder.path.iterdir()) == there
    finally:
        cluster.__exit__()
    note(what="a refused stranger", milliseconds=[round(cost, 2) for cost in costs])
    assert min(costs) < 2.0


def knock_at(cluster, node, times):
    """Handshakes with a foreign key, so slowly that each is one; how many were refused."""
    context, place = floods.foreigner(), address(cluster.charter.members[node.number].address)
    refused = 0
    while refused < times:
        try:
            with socket.create_connection((place.host, place.port), timeout=5) as opened:
                inside = context.wrap_socket(opened)
                assert inside.recv(1) == b""
        except OSError:
            pass
        refused += 1
        time.sleep(0.05)
    return refused
