"""What nodes are measured with works: the table in memory, long chains, processes and their applications."""

import asyncio

import pytest

pytest.importorskip("uvicorn")

from benchmarks.by_hand import in_memory, on_disk
from benchmarks.consortium import Consortium
from benchmarks.nodes import AT_LEAST, AT_MOST, Load, Target, seeds_of
from folkmoot.node.store import FILE, Store


def test_a_target_says_whether_it_is_met():
    assert Target("ms", 16.0, AT_MOST, 15).line == "- MISSED: ms: 16.00 (at most 15)"
    assert Target("rounds", 16.0, AT_LEAST, 15).line == "- met: rounds: 16.00 (at least 15)"


def test_a_table_makes_chains_in_memory_and_on_disk(tmp_path):
    terms = {"system": "bc_ucb", "settings": {"algorithm": {"burn_in": 3}}}
    consortium = Consortium(tmp_path, 4, terms)
    table = in_memory(consortium.charter, seeds_of(consortium))
    assert table.play(5) > 0
    assert len({host.kept.block(1) for host in table.hosts}) == 1
    files = [member.folder.path / FILE for member in consortium.members]
    height = on_disk(consortium.charter, seeds_of(consortium), files, 5)
    assert height >= 1
    store = Store(files[2])
    assert (store.height, store.position.round) == (height, 5)
    store.close()


def test_processes_and_their_applications_are_measured(tmp_path):
    with Consortium(tmp_path, 2, {"system": "bandit"}) as consortium:
        consortium.until(3)
        for _ in range(60):  # seconds that a busy machine may give to others
            cost = consortium.cost(1.0)
            if cost.sent > 0:
                break
        assert cost.rounds >= 1
        assert cost.processor >= 0
        assert cost.sent > 0
        now, most = consortium.members[0].memory
        assert 0 < now <= most
        assert not consortium.members[0].has_loaded("numba")
        assert any(asyncio.run(Load(consortium.members[0], 2).run(0.5, None)) > 0 for _ in range(60))
