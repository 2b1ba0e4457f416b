"""Results as long tables: columns, data frames, files; and an example that is read back."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from made_results import make

import folkmoot as fm
from folkmoot.simulation import frames
from folkmoot.simulation.frames import table

MEANS = np.array([[0.75, 0.5, 0.25], [0.75, 0.5, 0.25], [0.5, 0.75, 0.25], [0.5, 0.25, 0.75]])


def whole(name="A", replicates=3):
    """A result in which everything is known."""
    made = make(name, replicates=replicates, first=7, means=MEANS)
    dice = np.random.default_rng(3)
    return replace(
        made,
        agent_pulls=np.stack([made.pulls // 7 * (c + 1) for c in range(7)], axis=1),
        realised=dice.uniform(0, 100, (replicates, 7, 4)),
        offered=dice.uniform(0, 400, (replicates, 7, 3)),
        observed={
            "gossip": dice.uniform(size=(replicates, 7, 4, 3)),
            "met": np.arange(replicates * 28).reshape(-1, 7, 4),
        },
    )


def rows(columns, **wanted):
    """The values of the rows in which these columns have these values."""
    chosen = np.ones(len(columns["value"]), bool)
    for name, value in wanted.items():
        chosen &= columns[name] == value
    return columns["value"][chosen].tolist()


def test_a_row_says_of_one_replicate_at_one_round_what_was_measured():
    result = whole()
    columns = table(result)
    assert list(columns) == ["algorithm", "replicate", "round", "what", "value"]
    assert {len(column) for column in columns.values()} == {len(columns["value"])}
    assert set(columns["replicate"]) == {7, 8, 9}
    assert rows(columns, what="regret", replicate=8) == result.regret[1].tolist()
    assert rows(columns, what="regret", round=30) == result.regret[:, 3].tolist()
    assert rows(columns, what="own_regret", replicate=9) == result.own_regret_so_far[2].tolist()
    assert rows(columns, what="realised_regret", round=1_000) == result.realised_regret[:, -1].tolist()
    assert rows(columns, what="bytes") == result.bytes.tolist()
    assert set(columns["round"][columns["what"] == "bytes"]) == {1_000}


def test_what_is_not_known_has_no_rows():
    columns = table(make())
    assert not {"own_regret", "own_reward", "realised_regret"} & set(columns["what"])
    known = table(make(means=MEANS))
    assert len(rows(known, what="own_regret")) == 5  # at the horizon alone
    with pytest.raises(ValueError, match=r"^by = 'observed': nothing is known of it; simulate with observe="):
        table(make(), "observed")


def test_by_agent_arm_and_state():
    result = whole()
    agents = table(result, "agent")
    assert list(agents) == ["algorithm", "replicate", "round", "agent", "what", "value"]
    assert rows(agents, what="regret", agent=2, replicate=9) == result.regret_of_agents[2, :, 2].tolist()
    assert rows(agents, what="own_regret", agent=3, round=3) == result.own_regret_of_agents[:, 1, 3].tolist()
    assert rows(agents, what="decided_at", agent=0) == [0.0, 0.0, 0.0]
    arms = table(result, "arm")
    assert rows(arms, what="pulls", arm=1, replicate=7) == result.team_pulls[0, :, 1].tolist()
    states = table(result, "observed")
    assert rows(states, what="gossip", agent=1, arm=2, round=10) == result.observed["gossip"][:, 2, 1, 2].tolist()
    assert rows(states, what="met", agent=1, arm=-1, round=10) == result.observed["met"][:, 2, 1].tolist()


def test_several_results_stand_one_below_the_other():
    results = {"one": whole("A"), "two": make("B")}
    columns = table(results)
    assert list(dict.fromkeys(columns["algorithm"])) == ["one", "two"]
    assert rows(columns, algorithm="two", what="regret") == results["two"].regret.ravel().tolist()


def test_an_unknown_axis_or_kind_is_refused():
    with pytest.raises(ValueError, match=r"^by = 'agents': allowed are 'team', 'agent', 'arm', 'observed'$"):
        table(make(), "agents")
    with pytest.raises(ValueError, match=r"^kind = 'arrow': allowed are 'dict', 'pandas', 'polars'$"):
        make().to_frame("arrow")
    with pytest.raises(ValueError, match=r"expected one value for each agent and arm"):
        table(replace(make(), observed={"table": np.zeros((5, 7, 4, 3, 2))}), "observed")


def test_without_libraries_it_is_a_dictionary_or_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(frames, "_library", lambda name: None)
    assert list(make().to_frame()) == ["algorithm", "replicate", "round", "what", "value"]
    for kind in ("pandas", "polars"):
        with pytest.raises(ValueError, match=rf"^kind = '{kind}': needs {kind}; pip install {kind}$"):
            make().to_frame(kind)
    with pytest.raises(ValueError, match=r"table\.parquet: Parquet needs an extra; pip install 'folkmoot\[tables\]'$"):
        fm.write_table(make(), tmp_path / "table.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_data_frames_have_the_same_columns(kind):
    pytest.importorskip(kind)
    columns, frame = table(whole()), whole().to_frame(kind)
    assert type(frame).__module__.split(".")[0] == kind
    assert list(frame.columns) == list(columns)
    for name, column in columns.items():
        assert frame[name].to_list() == column.tolist()


def test_csv_has_full_precision_and_can_be_read_back(tmp_path):
    results = {'a,"b"\n': whole(), "B": make("B")}
    path = fm.write_table(results, tmp_path / "table.csv")
    columns = table(results)
    read = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    assert [row["algorithm"] for row in read] == columns["algorithm"].tolist()
    assert [float(row["value"]) for row in read] == columns["value"].tolist()
    assert [int(row["round"]) for row in read] == columns["round"].tolist()


def test_parquet_can_be_read_back(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = fm.write_table(whole(), tmp_path / "table.parquet", by="agent")
    read = parquet.read_table(path).to_pydict()
    assert {name: column.tolist() for name, column in table(whole(), "agent").items()} == read


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"table\.xlsx: expected a name that ends in \.csv or \.parquet$"):
        fm.write_table(make(), tmp_path / "table.xlsx")


@pytest.mark.parametrize("wrong", [[1], {}, None, "x", {1: 2}])
def test_what_is_no_result_is_refused_in_one_line(wrong, tmp_path):
    for call in (lambda: fm.to_frame(wrong, "dict"), lambda: fm.write_table(wrong, tmp_path / "table.csv")):
        with pytest.raises(
            ValueError, match=r'^results = .*: expected a result, or several by name: \{"UCB": result\}$'
        ):
            call()
    assert list(tmp_path.iterdir()) == []
