"""Amendments with processes: a member joins, one is away while the epoch ends, and all go on in the next one."""

from cluster import Cluster, Member, free_ports

from folkmoot.ledger.block import Block
from folkmoot.node import epochs
from folkmoot.node.amendment import amend, signed
from folkmoot.node.care import problems
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of
from folkmoot.node.terms import Terms


def pays(member, round, arm):
    return float(((member * 7_919 + round * 104_729 + arm * 1_299_709) % 1_000) / 1_000 < (0.3, 0.5, 0.7)[arm])


def knows(member):
    """Does it know of an amendment?"""
    return '"event": "amendment"' in (member.folder.path / "log.jsonl").read_text()


def test_a_member_joins_a_chain_while_it_runs_and_one_that_was_away_follows(tmp_path):
    settings = {"disclosure": "open", "algorithm": {"burn_in": 3}}
    with Cluster(tmp_path, 4, pays=pays, system="bc_ucb", settings=settings, quick=True) as cluster:
        members, before = cluster.members, cluster.charter
        cluster.until(lambda: min(member.state().get("height", 0) for member in members) >= 2)
        joins = Member(tmp_path, "site-4", free_ports(1)[0], pays, 4, quick=True)
        away = members[2]
        with cluster.slowly():  # all are to have it before its round
            made = amend(before, max(cluster.rounds()) + 12, admit=[joins.folder.card])
            for member in (members[0], members[1], members[3], joins):
                made = signed(made, before, member.folder.seed())
            away.kill()
            epochs.give(joins.folder, made, [before])
            for member in members:
                epochs.give(member.folder, made)
            cluster.until(lambda: all(knows(members[n]) for n in (0, 1, 3)))
        members.append(joins)
        joins.start()
        joins.wait_until_there(240)
        joins.plays()
        there = [members[n] for n in (0, 1, 3, 4)]
        cluster.until(lambda: all(m.state().get("epoch") == 2 and m.state().get("height", 0) >= 3 for m in there), 300)
        away.start()
        away.wait_until_there(240)
        height = max(m.state()["height"] for m in there)
        cluster.until(lambda: away.state().get("epoch") == 2 and away.state().get("height", 0) > height, 300)
        assert cluster.stop() == [0] * 5
        openings = [epochs.current(epochs.lineage(m.folder)) for m in members]
        assert len({(one.identity, one.opening) for one in openings}) == 1
        first = system_of(openings[0]).facts.first.state  # also whoever joined knows with what it began
        assert first.configuration.opening.sources == (0, 1, 2, 3, -1)
        assert first.accounts.earned[:4].any()
        for member in members:
            assert list(problems(member.folder, None)) == []
        stores = [Store(epochs.place(m.folder, 2) / FILE) for m in members]
        for height in range(1, min(store.height for store in stores) + 1):
            assert len({Block.from_bytes(store.block(height)).hash for store in stores}) == 1
        for store in stores:
            store.close()


def test_a_member_leaves_a_bandit_and_another_one_changes_its_key(tmp_path):
    with Cluster(tmp_path, 4, pays=pays, quick=True) as cluster:
        members, before = cluster.members, cluster.charter
        cluster.until(lambda: min(cluster.rounds()) >= 5)
        old, port = members[2], int(before.members[2].address.rpartition(":")[2])
        new = Member(tmp_path / "new", "site-2", port, pays, 2, quick=True)
        terms = Terms(**{**before.terms.model_dump(), "faults": 0, "rounds": 50_000})
        with cluster.slowly():
            made = amend(before, max(cluster.rounds()) + 12, terms, remove=["site-3"], change=[new.folder.card])
            for member in (members[0], members[1], old, new):
                made = signed(made, before, member.folder.seed())
            epochs.give(new.folder, made, [before])
            for member in members:
                epochs.give(member.folder, made)
            cluster.until(lambda: all(map(knows, members)))
        there = [members[0], members[1], new]
        cluster.until(
            lambda: all('"left"' in (m.folder.path / "log.jsonl").read_text() for m in (old, members[3])), 180
        )
        new.start()
        new.wait_until_there(240)
        new.plays()
        members.append(new)
        cluster.until(lambda: all(m.state().get("epoch") == 2 and m.state().get("round", 0) >= 10 for m in there), 300)
        assert [one["name"] for one in members[0].state()["members"]] == ["site-0", "site-1", "site-2"]
        assert cluster.stop() == [0] * 5
        for member in members:
            assert list(problems(member.folder, None)) == []
