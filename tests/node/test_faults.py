"""What goes wrong in the field, with real processes: partitions, wrong clocks, stalls, full disks, liars."""

import contextlib
import json
import os
import re
import resource
import signal
import threading
import urllib.request
from http.client import HTTPException

import pytest
from cluster import Cluster
from test_node_processes import hash_of, pays

CHAIN = {"system": "bc_ucb", "settings": {"disclosure": "open", "algorithm": {"burn_in": 3}}}


def heights(members):
    return [member.state().get("height", 0) for member in members]


def hears_nothing_of(cluster, member, others):
    """Wait until there was a round in which it heard none of them: it looks now and then what it is to do wrong."""
    names = {f"site-{n}" for n in others}
    cluster.until(lambda: not names & set(member.state().get("present", names)))


def one_chain(cluster, honest):
    """Do all honest stores hold the same blocks, as far as both go? The processes must have ended."""
    stores = [cluster.members[n].store() for n in honest]
    for height in range(1, min(store.height for store in stores) + 1):
        assert len({hash_of(store.block(height)) for store in stores}) == 1
    for store in stores:
        store.close()


def test_two_halves_stop_and_go_on_together_when_they_meet(tmp_path):
    """Four members in halves: neither is a quorum, so neither makes a block."""
    with Cluster(tmp_path, 4, pays=pays, quick=True, stage=0.3, **CHAIN) as cluster:
        cluster.until(lambda: min(heights(cluster.members)) >= 2)
        halves = [(2, 3), (2, 3), (0, 1), (0, 1)]  # whom each does not hear
        for member, other in zip(cluster.members, halves, strict=True):
            member.does(cut=[cluster.members[n].name for n in other])
        for member, other in zip(cluster.members, halves, strict=True):
            hears_nothing_of(cluster, member, other)
        before, at = max(heights(cluster.members)), max(cluster.rounds())
        cluster.until(lambda: min(cluster.rounds()) > at)  # from deadline to deadline
        assert max(heights(cluster.members)) <= before + 1
        for member in cluster.members:
            member.does()
        cluster.until(lambda: min(heights(cluster.members)) >= before + 3)
        cluster.stop()
        one_chain(cluster, range(4))


def test_who_was_cut_off_catches_up(tmp_path):
    with Cluster(tmp_path, 4, pays=pays, quick=True, **CHAIN) as cluster:
        cluster.until(lambda: min(heights(cluster.members)) >= 2)
        cluster.members[3].does(cut=["site-0", "site-1", "site-2"])
        hears_nothing_of(cluster, cluster.members[3], (0, 1, 2))
        at = max(heights(cluster.members))
        cluster.until(lambda: min(heights(cluster.members[:3])) >= at + 6)
        assert heights(cluster.members[3:])[0] <= at + 1
        cluster.members[3].does()
        cluster.until(lambda: heights(cluster.members[3:])[0] >= at + 8)
        cluster.stop()
        one_chain(cluster, range(4))


def test_a_wrong_clock_is_named_and_that_member_plays_again_once_it_is_right(tmp_path):
    pace = {"period": 3.3, "play": 0.2, "stage": 0.3}
    with Cluster(tmp_path, 4, pays=pays, quick=True, **pace) as cluster:
        cluster.until(lambda: min(cluster.rounds()) >= 3)
        late = cluster.members[1]
        late.does(clock=5.0)
        cluster.until(lambda: late.state().get("phase") == "following")
        cluster.until(lambda: any(re.search(r"off by \+[45]\.\d s", words) for words in late.state()["troubles"]))
        for other in (cluster.members[n] for n in (0, 2, 3)):
            cluster.until(
                lambda other=other: any("site-1" in words and "clock" in words for words in other.state()["troubles"])
            )
        at = max(cluster.rounds())
        cluster.until(lambda: min(cluster.members[n].state()["round"] for n in (0, 2, 3)) >= at + 2)
        late.does()
        cluster.until(lambda: late.state().get("phase") == "playing")
        cluster.until(lambda: cluster.members[0].state()["troubles"] == [])


def test_a_member_that_stalls_costs_the_others_one_deadline(tmp_path):
    with Cluster(tmp_path, 4, pays=pays, stage=2.0, quick=True) as cluster:
        cluster.until(lambda: min(cluster.rounds()) >= 5)
        stalled = cluster.members[3]
        os.kill(stalled.process.pid, signal.SIGSTOP)  # before anything is counted: the machine may be busy
        before = [cluster.members[n].state()["members"][3]["missed"] for n in range(3)]
        at = max(cluster.members[n].state()["round"] for n in range(3))
        cluster.until(lambda: min(cluster.members[n].state()["round"] for n in range(3)) >= at + 20)
        missed = [cluster.members[n].state()["members"][3]["missed"] for n in range(3)]
        assert max(b - a for a, b in zip(before, missed, strict=True)) <= 2
        os.kill(stalled.process.pid, signal.SIGCONT)
        cluster.until(lambda: stalled.state().get("round", 0) >= at + 20)


def watches(url, shown):
    """What a page sees, until the node is gone."""
    with contextlib.suppress(OSError, HTTPException), urllib.request.urlopen(f"{url}/events", timeout=120) as events:
        for line in events:
            if line.startswith(b"data: "):
                shown[:] = [json.loads(line.removeprefix(b"data: "))]


def test_who_is_killed_in_a_stage_says_nothing_else_in_it_and_is_in_blocks_again(tmp_path):
    """Once before anybody was told, once after one was. What each says is seen where it arrives."""
    with Cluster(tmp_path, 4, pays=pays, quick=True, stage=2.0, evidence="exclude", **CHAIN) as cluster:
        for member in cluster.members:
            member.does(record=str(member.folder.path / "heard"))
        cluster.until(lambda: min(heights(cluster.members)) >= 2)
        for victim, place in ((cluster.members[1], (1, 0)), (cluster.members[2], (7, 1))):
            victim.does(record=str(victim.folder.path / "heard"), dies=place)
            cluster.until(lambda victim=victim: victim.process.poll() is not None)
            assert victim.process.returncode == -signal.SIGKILL
            victim.does(record=str(victim.folder.path / "heard"))
            victim.start()
            victim.wait_until_there()
            at = max(heights(cluster.members))
            cluster.until(lambda at=at: min(heights(cluster.members)) >= at + 4)
        assert cluster.stop() == [0, 0, 0, 0]
        one_chain(cluster, range(4))
    said = {}
    for receiver in cluster.members:
        for line in (receiver.folder.path / "heard").read_text().splitlines():
            *slot, digest, _ = line.split()
            said.setdefault((receiver.name, *slot), set()).add(digest)
    assert len(said) > 100
    assert [slot for slot, different in said.items() if len(different) > 1] == []


def test_a_full_disk_stops_a_node_with_one_line_and_it_starts_again_clean(tmp_path):
    with Cluster(tmp_path, 4, pays=pays, **CHAIN) as cluster:
        cluster.until(lambda: min(heights(cluster.members)) >= 2)
        full, shown = cluster.members[2], []
        page = threading.Thread(target=watches, args=(full.folder.url, shown))
        page.start()
        cluster.until(lambda: shown)
        size = max(path.stat().st_size for path in full.folder.path.glob("node.sqlite*"))
        resource.prlimit(full.process.pid, resource.RLIMIT_FSIZE, (size + 40_000, size + 40_000))
        cluster.until(lambda: full.process.poll() is not None)
        assert full.process.returncode == 1
        ours = [line for line in full.words().splitlines() if line.startswith("folkmoot: ")]
        assert len(ours) == 1, full.words()
        assert "stopped" in ours[0]
        assert "Traceback" not in full.words()
        page.join(240)
        assert shown[-1]["phase"] == "stopped"  # a page that is open is told so before the node is gone
        assert any(words.startswith("Stopped: ") for words in shown[-1]["troubles"])
        at = max(heights([cluster.members[n] for n in (0, 1, 3)]))
        cluster.until(lambda: min(heights([cluster.members[n] for n in (0, 1, 3)])) >= at + 2)
        full.start()
        full.wait_until_there()
        cluster.until(lambda: heights([full])[0] >= at + 3)
        cluster.stop()
        one_chain(cluster, range(4))


@pytest.mark.parametrize("attack", ["equivocate", "withhold", "two_reports", "mute"])
def test_a_liar_among_four_processes_stops_nobody(tmp_path, attack):
    cluster = Cluster(tmp_path, 4, pays=pays, stage=10.0, quick=True, **CHAIN)  # no deadline decides what is counted
    cluster.members[3].does(attack=attack)
    with cluster:
        honest = cluster.members[:3]
        cluster.until(lambda: min(heights(honest)) >= 1)
        began = honest[0].state()
        cluster.until(lambda: min(heights(honest)) >= began["height"] + 10)
        ended = honest[0].state()
        assert ended["height"] - began["height"] >= 0.6 * (ended["round"] - began["round"])
        cluster.stop()
        one_chain(cluster, range(3))
