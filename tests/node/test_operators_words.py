"""What commands say to whoever operates a node: starts, folders of strangers, modes of files, epochs of logs."""

import stat
from datetime import UTC, datetime

import pytest
from consortium import charter_of
from test_amendments import card, folder_of, signed_by

from folkmoot.cli import main
from folkmoot.node.amending import take
from folkmoot.node.amendment import amend
from folkmoot.node.care import backup
from folkmoot.node.charter import card_table, read_charter, write_charter, write_table
from folkmoot.node.folder import CHARTER
from folkmoot.node.lock import Lock
from folkmoot.node.starting import hurry, remarks, resolved
from folkmoot.node.store import FILE, Store

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "start"), [("in 2 minutes", "2026-11-29T12:02:00Z"), ("in 1 day", "2026-11-30T12:00:00Z")]
)
def test_a_relative_start_is_a_moment_when_terms_are_proposed(said, start):
    assert resolved({"start": said, "rounds": 3}, NOW) == {"start": start, "rounds": 3}
    for other in ("tomorrow", "in two minutes", 3):
        assert resolved({"start": other}, NOW) == {"start": other}


def test_a_start_in_the_past_is_warned_about():
    def said(period, start="2026-11-29T11:58:30Z"):
        return remarks(charter_of(4, period=period, start=start, play=1.0, stage=1.0, rounds=30).terms, NOW)

    assert said(60.0) == ["start = 2026-11-29T11:58:30Z: is in the past; members begin in round 2 or later"]
    assert "all 30 rounds would be over" in said(60.0, "2026-11-01T00:00:00Z")[0]
    assert said(0.0) == said(60.0, "2026-11-29T12:00:00Z") == []


@pytest.mark.parametrize(
    ("after", "period", "said"),
    [
        (30, 60.0, []), (5, 0.0, []),
        (11, 60.0, ["round 11 ends in 60 s: who"]), (10, 60.0, ["round 10 is over already: who"]),
        (2, 60.0, ["round 2 is over already: who"]),
    ],
)  # fmt: skip
def test_little_time_before_an_epoch_is_said(after, period, said):
    terms = charter_of(4, period=period, start="2026-05-01T11:50:00Z", play=1.0, stage=1.0, rounds=90).terms
    found = hurry(terms, after, datetime(2026, 5, 1, 12, 0, tzinfo=UTC))
    assert [line.split(" has")[0] for line in found] == said


def test_charter_propose_reads_the_terms_first_and_says_a_wrong_value_once(tmp_path, capsys):
    cards = []
    for number in range(4):
        cards.append(tmp_path / f"card-{number}.toml")
        write_table(cards[-1], {"member": card_table(card(number))})
    out, terms = tmp_path / "charter.toml", tmp_path / "terms.toml"
    table = charter_of(4, period=60.0, play=1.0, stage=1.0).terms.model_dump(mode="json", exclude_none=True)
    command = ["charter", "propose", str(terms), *map(str, cards), "--out", str(out)]
    write_table(terms, {**table, "start": "in 2 minutes"})
    assert main(command) == 0
    assert 0 < read_charter(out).terms.starts - datetime.now(UTC).timestamp() <= 120
    write_table(terms, {**table, "start": "tomorrow"})
    assert main(command) == 2  # the file is there, too, but the terms are read first
    said = capsys.readouterr().err
    assert said.count("tomorrow") == 1
    assert "start = 'tomorrow': expected a time with its zone" in said
    write_table(terms, table)
    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err


def test_an_amendment_says_that_more_members_may_be_faulty(tmp_path, capsys):
    before, new = charter_of(3), tmp_path / "card.toml"
    write_charter(tmp_path / "c.toml", before)
    write_table(new, {"member": card_table(card(3))})
    command = ["charter", "amend", str(tmp_path / "c.toml"), "--after", "9", "--out", str(tmp_path / "a.toml")]
    assert main([*command, "--admit", str(new)]) == 0
    assert "faults: stays 0; 4 members allow for 1, by --terms" in capsys.readouterr().out


def test_an_amendment_is_not_put_into_the_folder_of_a_stranger(tmp_path):
    before = charter_of(4)
    made = signed_by(amend(before, 10, admit=[card(4)]), before, [0, 1, 2, 4])
    write_charter(tmp_path / "c.toml", before)
    write_charter(tmp_path / "a.toml", made)
    stranger, joins = folder_of(tmp_path, 7), folder_of(tmp_path, 4)
    with pytest.raises(ValueError, match="is no member's, before or after this amendment"):
        take(stranger.path, tmp_path / "a.toml", [tmp_path / "c.toml"])
    assert not (stranger.path / CHARTER).exists()
    with pytest.raises(ValueError, match="with --before"):
        take(joins.path, tmp_path / "a.toml", [])
    assert take(joins.path, tmp_path / "a.toml", [tmp_path / "c.toml"]) == 0


def test_a_store_is_read_by_its_owner_alone_also_in_a_copy(tmp_path):
    folder = folder_of(tmp_path, 0, charter_of(4))
    Store(folder.path / FILE).close()
    backup(folder, tmp_path / "copy")
    for there in (folder.path, tmp_path / "copy"):
        assert stat.S_IMODE((there / FILE).stat().st_mode) == 0o600


def test_a_folder_in_use_is_not_checked_and_a_key_without_passphrase_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FOLKMOOT_PASSPHRASE", "")
    path = tmp_path / "n"
    assert main(["node", "init", str(path), "--name", "n", "--address", "127.0.0.1:9000"]) == 0
    assert "not sealed by a passphrase" in capsys.readouterr().out
    lock = Lock(path)
    try:
        assert main(["node", "check", str(path)]) == 2
    finally:
        lock.close()
    assert "stop the node first" in capsys.readouterr().err


def test_a_log_of_an_epoch_that_has_not_begun_is_refused(tmp_path, capsys):
    folder = folder_of(tmp_path, 0, charter_of(4))
    Store(folder.path / FILE).close()
    assert main(["node", "log", str(folder.path), "--epoch", "1"]) == 0
    assert main(["node", "log", str(folder.path), "--epoch", "2"]) == 2
    assert "epoch = 2: expected 1 to 1" in capsys.readouterr().err


class Answers:
    """A client whose node says what it is told to."""

    def __init__(self, state):
        self._state = state

    def __enter__(self):
        return self

    def __exit__(self, *about):
        pass

    def state(self):
        return self._state


def status_of(state, tmp_path, capsys, monkeypatch):
    """What `folkmoot node status` prints of a node in this state, without its first line."""
    about = {"member": "a", "consortium": "c", "phase": "playing", "round": 3, "rounds": 9, "waits_for": ""}
    about |= {"best_name": None, "settled": False, "members": [], "troubles": [], "height": 7, "learning": None}
    monkeypatch.setattr("folkmoot.node.client.Client.of", lambda folder: Answers(about | state))
    assert main(["node", "status", str(folder_of(tmp_path, 0, charter_of(4)).path)]) == 0
    return capsys.readouterr().out.splitlines()[1:]


def test_status_tells_the_share_without_the_group_and_the_last_exchange(tmp_path, capsys, monkeypatch):
    last = {"height": 6, "how": "exchange", "accepted": True, "gain": 0.031, "candidates": ["a"], "rolled_back": ["b"]}
    last |= {"before": None, "after": None}
    learning = {
        "models": [{"here": True}, {"here": False}], "exchange": "", "exchanges": [],
        "accuracy": {"mean": 0.9, "screened": 0.95, "alone": 0.5},
    }  # fmt: skip
    models = "models: 1 of 2 are here, block 7; of its check set 90.0% come out right, alone (its own model) 50.0%"
    said = status_of({"system": "bema", "learning": learning}, tmp_path / "1", capsys, monkeypatch)
    assert said == [models]
    learning |= {"exchanges": [last], "exchange": "asks for votes"}
    said = status_of({"system": "bema", "learning": learning}, tmp_path / "2", capsys, monkeypatch)
    assert said == [
        models,
        "last exchange behind the gate: accepted in block 6, gain 3.1% on the check sets; rolled back: b",
        "the last exchange that this member asked for: asks for votes",
    ]
    learning |= {"accuracy": {"mean": 0.9, "screened": 0.95}, "exchanges": [last | {"accepted": False}]}
    said = status_of({"system": "bema", "learning": learning}, tmp_path / "3", capsys, monkeypatch)
    assert said[0].endswith("of its check set 90.0% come out right")  # a miner has no model of its own
    assert "refused in block 6" in said[1]
    learning |= {"exchanges": [last | {"before": 0.5, "after": 0.8125}]}
    said = status_of({"system": "bema", "learning": learning}, tmp_path / "4", capsys, monkeypatch)
    assert said[1].endswith("; rolled back: b; of its check set 50.0% came out right before, 81.2% after")
