"""The signed log of a bandit's member: whole after any crash, and nothing in it can be changed unseen."""

import asyncio
import io
import json

import numpy as np
import pytest
from consortium import Consortium, charter_of, seeds_of
from timeless import run

import folkmoot as fm
from folkmoot.cli import main
from folkmoot.errors import DamagedFile
from folkmoot.machine import Moment, Put
from folkmoot.node import signed_log
from folkmoot.node.care import problems
from folkmoot.node.charter import write_charter
from folkmoot.node.folder import Folder
from folkmoot.node.signed_log import BadLog, from_bytes, of_message, read, write
from folkmoot.node.store import FILE, Store

MEANS = [[0.2, 0.5, 0.8], [0.3, 0.4, 0.7], [0.1, 0.6, 0.75]]
ROUNDS = 8


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    path = tmp_path_factory.mktemp("bandit")
    consortium = Consortium(charter_of(3, rounds=ROUNDS), fm.Bernoulli(MEANS), path)
    consortium.play()
    return consortium


@pytest.fixture(scope="module")
def text(played):
    file = io.StringIO()
    write(file, played.charter, 1, played.players[1]._store.entries())
    return file.getvalue()


def entries_of(player):
    return [from_bytes(row.entry) for row in player._store.entries()]


def test_it_says_what_was_played_got_said_and_heard(played, text):
    seen = []
    shown = read(io.StringIO(text), played.charter, seen.append)
    assert seen == entries_of(played.players[1])
    assert (shown.member, shown.rounds, shown.numbers) == ("site-1", (1, ROUNDS), (1, 3 * ROUNDS))
    arms = {entry.round: entry.arm for entry in seen if entry.arm is not None}
    assert [arms[round] for round in range(1, ROUNDS + 1)] == played.arms[1:, 1].tolist()
    got = [one for entry in seen for one in entry.got]
    assert [(one.round, one.requests) for one in got] == [(round, 1) for round in range(1, ROUNDS + 1)]
    assert [one.reward for one in got] == [played.pays(1, r, int(played.arms[r, 1])) for r in range(1, ROUNDS + 1)]


def test_what_one_says_it_heard_the_others_say_they_said(played):
    logs = [entries_of(player) for player in played.players]
    heard = {(sender, said) for sender, said in (pair for entry in logs[1] for pair in entry.heard)}
    said = {(who, digest) for who in (0, 2) for entry in logs[who] for to, digest in entry.sent if to in (-1, 1)}
    assert len(heard) == 2 * ROUNDS
    assert heard == said


def test_a_message_can_be_shown_to_be_the_one_that_was_said(tmp_path, monkeypatch):
    consortium, kept = Consortium(charter_of(2, rounds=3), fm.Bernoulli(MEANS[:2]), tmp_path), []

    def through(sender, receiver, frame):
        kept.extend((sender, part) for part in frame.parts if frame.kind == 2)
        return True

    consortium.board.lets_through = through
    consortium.play()
    for sender, data in kept:
        said = [digest for entry in entries_of(consortium.players[sender]) for _, digest in entry.sent]
        assert of_message(data) in said
        assert of_message(data + b"x") not in said


def changed(text, line, change):
    lines = text.splitlines(keepends=True)
    table = json.loads(lines[line])
    change(table)
    lines[line] = json.dumps(table) + "\n"
    return "".join(lines)


def set_to(*path, to):
    def change(table):
        for name in path[:-1]:
            table = table[name]
        table[path[-1]] = to(table[path[-1]]) if callable(to) else to

    return change


def other(hex):
    return ("1" if hex[0] == "0" else "0") + hex[1:]


def without(name):
    return lambda table: table.pop(name)


@pytest.mark.parametrize(
    ("line", "change", "word"),
    [
        (1, set_to("arm", to=lambda arm: (arm + 1) % 3), "not what site-1 has signed"),
        (2, set_to("got", 0, 1, to=lambda reward: 1.0 - reward), "not what site-1 has signed"),
        (1, set_to("arm", to=3), r"no entry of this charter: arm = 3: expected a whole number from 0 to 2, or null$"),
        (2, set_to("got", 0, 1, to=1), r"got\[0\]\[1\] = 1: expected a reward from 0.0 to 1.0, or null$"),
        (2, set_to("got", 0, 1, to=1.5), r"got\[0\]\[1\] = 1.5: expected a reward from 0.0 to 1.0, or null$"),
        (2, set_to("got", 0, to=[1]), r"got\[0\] = \[1\]: expected a list of 3: round, reward, requests$"),
        (2, set_to("got", to=7), r"got = 7: expected a list$"),
        (2, set_to("sent", 0, to="x"), r"sent\[0\] = 'x': expected a list of 2: a member, a digest$"),
        (2, set_to("sent", 0, 1, to=other), "not what site-1 has signed"),
        (2, set_to("sent", 0, 0, to="site-0"), "not what site-1 has signed"),
        (3, set_to("heard", 0, 1, to=other), "not what site-1 has signed"),
        (
            3,
            set_to("heard", 0, 0, to="site-1"),
            r"heard\[0\]\[0\] = 'site-1': expected another member: site-0, ",
        ),
        (
            3,
            set_to("heard", 0, 0, to="site-9"),
            r"heard\[0\]\[0\] = 'site-9': expected another member: site-0, ",
        ),
        (3, set_to("heard", 0, 0, to=[]), r"heard\[0\]\[0\] = \[\]: expected another member: site-0, "),
        (3, set_to("heard", 0, 1, to="zz"), r"heard\[0\]\[1\] = 'zz': expected bytes in hex$"),
        (3, set_to("before", to=5), r"before = 5: expected bytes in hex$"),
        (
            3,
            without("arm"),
            r"field 'arm': missing; an entry has number, round, stage, arm, ",
        ),
        (3, set_to("", to=5), r"field '': unknown; an entry has number, "),
        (3, set_to("more", to=5), r"field 'more': unknown; an entry has number, "),
        (3, set_to("stage", to=3), "not what site-1 has signed"),
        (3, set_to("round", to=True), r"no entry of this charter: round = True: expected a whole number$"),
        (3, set_to("round", to=0), "not after"),
        (3, set_to("number", to=4), "entries are missing"),
        (3, set_to("before", to=other), "does not follow"),
        (1, set_to("before", to=other), "does not follow"),
        (3, set_to("signature", to=other), "not what site-1 has signed"),
        (3, set_to("signature", to=""), "not what site-1 has signed"),
        (0, set_to("member", to="site-0"), "no entry|has signed"),
        (0, set_to("member", to="site-7"), "no member"),
        (0, set_to("charter", to=other), "log of charter"),
    ],
)
def test_whatever_is_changed_is_found(played, text, line, change, word):
    with pytest.raises(BadLog, match=word):
        read(io.StringIO(changed(text, line, change)), played.charter)


def test_what_is_left_out_put_in_or_moved_is_found(played, text):
    head, *lines = text.splitlines(keepends=True)
    n = len(lines)
    read(io.StringIO("".join([head, *lines[4:9]])), played.charter)  # rounds in the middle hold by themselves
    for broken in (lines[:4] + lines[5:], [*lines[:4], lines[3], *lines[4:]], [lines[1], lines[0], *lines[2:]], []):
        with pytest.raises(BadLog):
            read(io.StringIO("".join([head, *broken])), played.charter)
    twice, more = '{"arm": 2, ' + lines[0][1:], head[:-2] + ', "verified": "yes"}\n'
    for broken in (head + twice, more + lines[0]):
        with pytest.raises(DamagedFile):
            read(io.StringIO(broken), played.charter)
    for broken in (text[:-1], text + "{", text + "\n", "", "[]\n", "".join(lines), head + "\x00\n"):
        with pytest.raises(DamagedFile):
            read(io.StringIO(broken), played.charter)
    assert n == 3 * ROUNDS


def test_a_step_that_is_not_stored_leaves_no_entry_and_the_log_goes_on(tmp_path):
    """A crash at each step in turn: before the disk has it. The log that comes of it is whole."""
    consortium = Consortium(charter_of(2, rounds=5), fm.Bernoulli(MEANS[:2]), tmp_path)
    player = consortium.players[0]
    store = player._store
    machine = player.system.role(0, consortium.seeds[0]).resume({}, store, bytes)
    log = signed_log.SignedLog(consortium.charter, consortium.seeds[0], store)
    moments = [Moment(round, stage) for round in range(1, 6) for stage in range(3)]
    for number, moment in enumerate(moments):
        effects = machine.step(moment, [], [])
        row = log.entry(moment, [], [], effects)
        if number % 2:
            store.store(moment, effects.keep, effects.pull, [], row)
        else:  # it ends in the middle of its transaction
            with pytest.raises(ZeroDivisionError):
                store.store(moment, [*effects.keep, Put("x", lambda: 1 // 0)], effects.pull, [], row)
            assert store.position == (moments[number - 1] if number else None)
            machine = player.system.role(0, consortium.seeds[0]).resume(store.values, store, bytes)
            log = signed_log.SignedLog(consortium.charter, consortium.seeds[0], store)
            effects = machine.step(moment, [], [])
            store.store(moment, effects.keep, effects.pull, [], log.entry(moment, [], [], effects))
    file = io.StringIO()
    assert write(file, consortium.charter, 0, store.entries()) == len(moments)
    file.seek(0)
    assert read(file, consortium.charter).numbers == (1, len(moments))


def test_a_player_that_ends_anywhere_and_comes_back_has_a_whole_log(tmp_path):
    """Members are cancelled in the middle of rounds, twelve times, and go on from their stores."""
    consortium = Consortium(charter_of(3, rounds=60, stage=0.2, play=0.2), fm.Bernoulli(MEANS), tmp_path)
    ended = []  # the member, and how many entries its store held when it came back

    async def play():
        playing = [asyncio.create_task(player.run()) for player in consortium.players]
        applications = [asyncio.create_task(consortium.application(player)) for player in consortium.players]
        chance = np.random.default_rng(4)
        for _ in range(12):
            await asyncio.sleep(0.05 + 0.1 * chance.random())
            me = int(chance.integers(3))
            for task in (playing[me], applications[me]):
                task.cancel()
            await asyncio.gather(playing[me], applications[me], return_exceptions=True)
            await consortium.players[me].stop()
            consortium.players[me]._store.close()
            consortium.players[me] = consortium.player(me)
            ended.append((me, sum(1 for _ in consortium.players[me]._store.entries())))
            playing[me] = asyncio.create_task(consortium.players[me].run())
            applications[me] = asyncio.create_task(consortium.application(consortium.players[me]))
        await asyncio.gather(*playing)
        for task in applications:
            task.cancel()
        await asyncio.gather(*applications, return_exceptions=True)
        for player in consortium.players:
            await player.stop()

    run(play())
    entries = []
    for me, player in enumerate(consortium.players):
        file, seen = io.StringIO(), []
        write(file, consortium.charter, me, player._store.entries())
        file.seek(0)
        assert read(file, consortium.charter, seen.append).numbers[0] == 1
        got = [one.round for entry in seen for one in entry.got]
        assert len(got) == len(set(got))  # each outcome entered once
        moments = [entry[1:3] for entry in seen]
        assert moments == sorted(set(moments))  # no moment is played twice, whoever came back when
        entries.append(len(seen))
    assert all(entries)  # how many a slow machine leaves to one who comes back is not ours to say
    assert all(held <= entries[me] for me, held in ended)  # and what the store held is there still


def test_it_is_printed_written_and_checked_on_the_command_line(played, tmp_path, capsys):
    folder = Folder.make(tmp_path / "n", "site-1", "127.0.0.1:9001", seed=seeds_of(3)[1])
    folder.join(played.charter)
    played.players[1]._store.copy_to(folder.path / FILE)
    assert list(problems(folder, None)) == []
    charter, file = tmp_path / "charter.toml", tmp_path / "log"
    write_charter(charter, played.charter)
    assert main(["node", "log", str(folder.path), "--from", "3", "--to", "4"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[0].startswith("round 3: played arm ")
    assert said[0].endswith("said 1 message; heard site-0, site-2; entries 7 to 9")
    for asked, word in {
        ("--from", "12", "--to", "10"): "--from 12 --to 10: expected --to of at least --from",
        ("--from", "0"): "--from = 0: expected at least 1",
        ("--from", "5000"): "n: its log has no entry of rounds 5000 to the last one; it has rounds 1 to 8",
        ("--from", "9", "--to", "20"): "n: its log has no entry of rounds 9 to 20; it has rounds 1 to 8",
    }.items():
        assert main(["node", "log", str(folder.path), *asked]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert word in printed.err
    assert main(["node", "log", str(folder.path), "--out", str(file)]) == 0
    assert main(["node", "log", "--verify", str(file), str(charter)]) == 0
    assert "site-1 of 'a test' has signed this: rounds 1 to 8, entries 1 to 24" in capsys.readouterr().out
    assert main(["node", "log", str(folder.path), "--out", str(file)]) == 2
    assert main(["node", "log", str(folder.path), "--from", "99", "--out", str(tmp_path / "none")]) == 2
    assert main(["node", "log", str(file), str(charter)]) == 2
    capsys.readouterr()
    whole = file.read_text()
    file.write_text(whole.replace('"arm": 0', '"arm": 1', 1))
    assert main(["node", "log", "--verify", str(file), str(charter)]) == 1
    assert "is not what site-1 has signed" in capsys.readouterr().out
    file.write_text(whole[:-1])
    assert main(["node", "log", "--verify", str(file), str(charter)]) == 2
    store = Store(folder.path / FILE)
    store._db.execute("UPDATE entry SET signature = zeroblob(64) WHERE number = 5")
    store.close()
    (problem,) = problems(folder, None)
    assert "signed log: line 6: entry 5" in problem
