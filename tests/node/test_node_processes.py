"""Nodes as processes: with TLS, a disk, a clock, applications over HTTP, and `kill -9`."""

import pytest
from cluster import Cluster

from folkmoot.encoding import decode
from folkmoot.ledger.block import Block

MEANS = (0.3, 0.5, 0.7)


def pays(member, round, arm):
    """The same for all tries: a Bernoulli reward by coordinates."""
    return float(((member * 7_919 + round * 104_729 + arm * 1_299_709) % 1_000) / 1_000 < MEANS[arm])


def hash_of(data):
    """Of a stored block, which may have the openings of its commitments beside it."""
    first, *_ = decode(data)
    return Block.from_bytes(first if isinstance(first, bytes) else data).hash


def test_a_bandit_goes_on_while_one_is_killed_and_comes_back(tmp_path):
    with Cluster(tmp_path, 4, pays=pays) as cluster:
        cluster.until(lambda: min(cluster.rounds()) >= 10)
        victim = cluster.members[2]
        victim.kill()
        at = max(cluster.members[n].state()["round"] for n in (0, 1, 3))
        cluster.until(lambda: min(cluster.members[n].state()["round"] for n in (0, 1, 3)) >= at + 15)
        away = cluster.members[0].state()
        assert {one["name"]: one["state"] for one in away["members"]}["site-2"] == "away"
        assert any("site-2" in words for words in away["troubles"])
        victim.start()
        victim.wait_until_there()
        cluster.until(lambda: victim.state().get("round", 0) > at + 20)
        cluster.until(lambda: cluster.members[0].state()["troubles"] == [])
        assert cluster.stop() == [0, 0, 0, 0]
        for member in cluster.members:
            store, rewards = member.store(), dict(member.acknowledged)
            rows = store._db.execute("SELECT ticket, entered FROM outcome").fetchall()
            assert set(rewards) <= {ticket for ticket, _ in rows}  # every outcome that was acknowledged is there
            assert sum(entered for _, entered in rows) == sum(tally.outcomes for tally in store.tally().values())
            store.close()


@pytest.mark.parametrize("disclosure", ["open", "validators"])
def test_a_chain_goes_on_while_one_is_killed_and_all_hold_the_same_blocks(tmp_path, disclosure):
    with Cluster(
        tmp_path, 4, pays=pays, system="bc_ucb", settings={"disclosure": disclosure}, evidence="exclude", quick=True
    ) as cluster:
        cluster.until(lambda: min(member.state().get("height", 0) for member in cluster.members) >= 3)
        victim = cluster.members[1]
        victim.kill()
        height = max(cluster.members[n].state()["height"] for n in (0, 2, 3))
        cluster.until(lambda: min(cluster.members[n].state()["height"] for n in (0, 2, 3)) >= height + 5)
        victim.start()
        victim.wait_until_there()
        cluster.until(lambda: victim.state().get("height", 0) >= height + 8)
        cluster.until(lambda: victim.state()["height"] + 1 >= cluster.members[0].state()["height"])  # it has caught up
        shown = [member.state()["height"] for member in cluster.members]
        assert cluster.stop() == [0, 0, 0, 0]
        stores = [member.store() for member in cluster.members]
        # They stop one after another, and three go on without a fourth: how far apart they end is nobody's promise.
        assert all(store.height >= height for store, height in zip(stores, shown, strict=True))
        lowest = min(store.height for store in stores)
        for height in range(1, lowest + 1):
            assert len({hash_of(store.block(height)) for store in stores}) == 1
        for store in stores:
            store.close()


def test_a_second_process_on_one_folder_is_refused(tmp_path):
    import subprocess
    import sys

    with Cluster(tmp_path, 2, pays=pays, quick=True) as cluster:
        command = [sys.executable, "-m", "folkmoot", "node", "run", str(cluster.members[0].folder.path)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert second.returncode == 2
        assert "two processes on one folder" in second.stderr
        assert len(second.stderr.splitlines()) == 1
