"""Copies, restored folders, lost folders: a node never signs what it may have signed before."""

import asyncio
import json
import os
import re
import shutil

import pytest
from consortium import Consortium, charter_of, seeds_of, until
from test_node_processes import hash_of
from timeless import TIME, run

import folkmoot as fm
from folkmoot import ledger
from folkmoot.node.care import backup, export, problems, restore
from folkmoot.node.folder import LOG, Folder
from folkmoot.node.frames import STEP
from folkmoot.node.process import Node
from folkmoot.node.resuming import RESTORED
from folkmoot.node.store import FILE, Store
from folkmoot.node.web import Web


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A folder of a member of a chain that has been played."""
    path = tmp_path_factory.mktemp("played")
    charter = charter_of(4, rounds=15 + 6, system="bc_ucb", settings={"disclosure": "validators"})
    consortium = Consortium(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), path)
    consortium.play()
    folder = Folder.make(path / "n", "site-0", "127.0.0.1:9000", seed=seeds_of(4)[0])
    folder.join(charter)
    consortium.players[0]._store.copy_to(folder.path / FILE)
    return folder


def test_a_copy_is_whole_and_all_is_well_with_it(played, tmp_path):
    backup(played, tmp_path / "copy")
    copy = Folder(tmp_path / "copy")
    assert list(problems(copy, None)) == []
    assert (copy.seed(), copy.token, copy.charter()) == (played.seed(), played.token, played.charter())
    with pytest.raises(ValueError, match="is there already"):
        backup(played, tmp_path / "copy")


def test_a_restored_folder_says_that_it_may_be_old(played, tmp_path):
    backup(played, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again")
    store = Store(tmp_path / "again" / FILE)
    assert store.noted(RESTORED) is not None
    assert store.height == 6


def test_every_block_is_looked_at(played, tmp_path):
    shutil.copytree(played.path, tmp_path / "n")
    folder = Folder(tmp_path / "n")
    assert list(problems(folder, None)) == []
    store = Store(folder.path / FILE)
    block = bytearray(store.block(4))
    block[len(block) // 2] ^= 1
    store._db.execute("UPDATE block SET block = ? WHERE height = 4", (bytes(block),))
    store.close()
    (problem,) = problems(folder, None)
    assert problem.startswith(FILE)


@pytest.mark.parametrize("name", ["key.json", "card.toml", "charter.toml", FILE])
def test_a_damaged_file_is_named(played, tmp_path, name):
    shutil.copytree(played.path, tmp_path / "n")
    path = tmp_path / "n" / name
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * 60 + data[160:])
    found = list(problems(Folder(tmp_path / "n"), None))
    assert len(found) >= 1
    assert all("\n" not in line for line in found)


def test_a_store_that_lost_its_last_blocks_is_named_by_what_the_journal_tells(played, tmp_path):
    shutil.copytree(played.path, tmp_path / "n")
    folder = Folder(tmp_path / "n")
    lines = [
        {"event": "block", "height": 9},
        {"event": "epoch"},
        *({"event": "block", "height": h} for h in range(1, 7)),
    ]
    (folder.path / LOG).write_text("\n".join(map(json.dumps, lines)) + '\n{"event": "block", "he')
    assert list(problems(folder, None)) == []
    store = Store(folder.path / FILE)
    store._db.execute("DELETE FROM block WHERE height > 4")
    store.close()
    assert list(problems(folder, None)) == [f"{FILE}: ends with block 4; the journal tells of block 6"]


def test_an_empty_store_is_named(played, tmp_path):
    shutil.copytree(played.path, tmp_path / "n")
    (tmp_path / "n" / FILE).write_bytes(b"")
    for more in ("-wal", "-shm"):
        (tmp_path / "n" / f"{FILE}{more}").unlink(missing_ok=True)
    (problem,) = problems(Folder(tmp_path / "n"), None)
    assert problem.startswith(f"{FILE}: is empty; ")


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
@pytest.mark.parametrize(("name", "mode"), [("", 0o777), ("token", 0o640), (FILE, 0o604)])
def test_what_others_of_the_host_may_look_into_is_named(played, tmp_path, name, mode):
    shutil.copytree(played.path, tmp_path / "n")
    (tmp_path / "n" / name).chmod(mode)
    (problem,) = problems(Folder(tmp_path / "n"), None)
    assert problem.startswith(f"{name or 'the folder'}: others of this host may use it (mode {mode:04o}); expected 0")


def test_a_signed_log_that_was_cut_is_named(tmp_path):
    charter = charter_of(2, rounds=6, system="bandit", settings={})
    consortium = Consortium(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=2), tmp_path)
    consortium.play()
    folder = Folder.make(tmp_path / "n", "site-0", "127.0.0.1:9000", seed=seeds_of(2)[0])
    folder.join(charter)
    consortium.players[0]._store.copy_to(folder.path / FILE)
    assert list(problems(folder, None)) == []
    store = Store(folder.path / FILE)
    store._db.execute("DELETE FROM entry WHERE round > 4")
    store.close()
    assert list(problems(folder, None)) == [
        f"{FILE}: signed log: ends in round 4; the last step that is stored is of round 6"
    ]


def test_a_chain_is_exported_and_verified_by_the_ledgers_own_command(played, tmp_path):
    assert export(played, tmp_path / "chain.ledger") == 6
    with ledger.open(tmp_path / "chain.ledger") as file:
        assert file.height == 6
        file.verify()
    with pytest.raises(ValueError, match="is there already"):
        export(played, tmp_path / "chain.ledger")


class Recorder:
    """What one member says, by round and stage, over all its lives."""

    def __init__(self):
        self.said = {}

    def __call__(self, sender, receiver, frame):
        if frame.kind == STEP:
            self.said.setdefault((sender, receiver, frame.moment), set()).add(frame.parts)
        return True


@pytest.mark.parametrize("how", ["lost", "restored"])
def test_a_member_whose_store_is_lost_or_old_signs_no_second_value(tmp_path, how):
    """It comes back in the round in which it was, with its key alone or an old copy: it waits until that is over.

    Rounds go on until it is in step with the others again: the block of a last round may come too late for one of them.
    """
    settings = {"disclosure": "open", "algorithm": {"burn_in": 2}}
    start = TIME.after(2)
    pace = {"start": start, "period": 3.0, "play": 0.2, "stage": 0.25}
    charter = charter_of(4, arms=2, rounds=1_000, system="bc_ucb", settings=settings, **pace)
    consortium = Consortium(charter, fm.Bernoulli((0.3, 0.7), n_agents=4), tmp_path)
    recorder = consortium.board.lets_through = Recorder()
    victim = consortium.players[3]

    async def end(player, *tasks):
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await player.stop()

    async def lose():
        """End the victim in the middle of a round, and begin it again at once with another store."""
        await until(lambda: victim.height >= 1)
        if how == "restored":
            victim._store.copy_to(tmp_path / "old.sqlite")
        await until(lambda: victim.moment.round >= 6 and victim.moment.stage >= 3)
        await end(victim, running)
        victim._store.close()
        for file in tmp_path.glob("3.sqlite*"):
            file.unlink()
        if how == "restored":
            (tmp_path / "old.sqlite").rename(tmp_path / "3.sqlite")
        again = consortium.player(3)
        if how == "restored":
            again._store.note(RESTORED, b"1")
        consortium.players[3] = again
        consortium.record = fm.Bernoulli((0.7, 0.3), n_agents=4).record()  # so that what it says would differ
        return victim.moment.round, again

    async def work():
        nonlocal running
        applications = [asyncio.create_task(consortium.application(player)) for player in consortium.players]
        others = [asyncio.create_task(player.run()) for player in consortium.players[:3]]
        running = asyncio.create_task(victim.run())
        at, again = await lose()
        applications.append(asyncio.create_task(consortium.application(again)))
        others.append(asyncio.create_task(again.run()))
        before = max(player.height for player in consortium.players[:3])
        await until(lambda: min(player.height for player in consortium.players) >= before + 2)
        await until(lambda: any(moment.round >= at + 3 for sender, _, moment in recorder.said if sender == 3))
        for player in consortium.players:
            await end(player, *others, *applications)
        return at

    running = None
    at = run(work())
    said = {place: values for place, values in recorder.said.items() if place[0] == 3}
    assert [place for place, values in said.items() if len(values) > 1] == []  # never two things in one stage
    rounds = {moment.round for _, _, moment in said}
    assert {at - 1, at} <= rounds
    assert at + 1 not in rounds
    ledgers = [[hash_of(player.block(n)) for n in range(1, player.height + 1)] for player in consortium.players]
    lowest = min(map(len, ledgers))
    assert all(ledger[:lowest] == ledgers[0][:lowest] for ledger in ledgers)


@pytest.mark.parametrize(
    "token", ["", "\n", "short", "x" * 31, "two words of a length that is enough", "é" * 32, "x" * 5_000]
)
def test_attack_with_an_empty_token_a_node_that_has_none_does_not_start(played, tmp_path, token):
    shutil.copytree(played.path, tmp_path / "n")
    folder, file = Folder(tmp_path / "n"), tmp_path / "n" / "token"
    file.write_text(token, encoding="utf-8")
    with pytest.raises(ValueError, match=f"^file {re.escape(str(file))}: [^\n]*$"):
        Node(folder, folder.seed(""), for_people=False)
    (problem,) = problems(folder, None)
    assert problem.startswith(f"file {file}: ")


def test_attack_with_an_empty_token_nobody_is_let_in_by_it():
    headers = {b"authorization": b"Bearer "}
    assert not Web(None, None, "", bytes)._knows(headers)
    assert not Web(None, None, "x" * 31, bytes)._knows({b"authorization": b"Bearer " + b"x" * 31})
    assert Web(None, None, "x" * 32, bytes)._knows({b"authorization": b"Bearer " + b"x" * 32})


def test_a_journal_that_is_a_folder_is_named(played, tmp_path):
    shutil.copytree(played.path, tmp_path / "n")
    (tmp_path / "n" / LOG).mkdir()
    assert list(problems(Folder(tmp_path / "n"), None)) == [
        f"{LOG}: is no file, so nothing is written down of what happens; remove it"
    ]
