"""Nodes of neighbouring versions talk to each other, so a consortium is upgraded one node at a time."""

from cluster import Cluster

OLD, NEW, NEWEST = [1, 2], [2, 3], [3, 4]


def pays(member, round, arm):
    return float(((member * 7_919 + round * 104_729 + arm * 1_299_709) % 1_000) / 1_000 < (0.3, 0.5, 0.7)[arm])


def present(member):
    return set(member.state().get("present", ()))


def test_one_node_after_the_other_is_upgraded_and_who_is_two_versions_behind_is_named(tmp_path):
    """Four processes: of one release, then one, two and three of the next one; rounds go on all the while."""
    cluster = Cluster(tmp_path, 4, pays=pays, stage=2.0, quick=True)
    members, names = cluster.members, {f"site-{n}" for n in range(4)}
    for member in members:
        member.does(protocols=OLD)
    with cluster:
        cluster.until(lambda: min(cluster.rounds()) >= 2, 300)
        for member in members[:3]:
            assert member.stop() == 0
            member.does(protocols=NEW)
            member.start()
            member.wait_until_there(240)
            at = max(cluster.rounds())
            cluster.until(lambda at=at: min(cluster.rounds()) > at and all(present(m) == names for m in members), 300)
        first, last = members[0], members[3]
        assert first.stop() == 0
        first.does(protocols=NEWEST)
        first.start()
        first.wait_until_there(240)
        cluster.until(lambda: present(first) >= {"site-1", "site-2"}, 300)
        cluster.until(lambda: "speaks versions 1 to 2, we (3, 4)" in first.state()["members"][3]["refused"], 300)
        assert "site-3" not in present(first)
        cluster.until(lambda: last.name in present(members[1]), 300)
        assert cluster.stop() == [0] * 4
