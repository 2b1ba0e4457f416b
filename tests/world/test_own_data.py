"""Logs of one's own: what is read, in which order it is played, and one line for what is wrong with a row."""

import sys
import types

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.coins import replicate_coins
from folkmoot.configuration import of_kind
from folkmoot.interface import pay, scene, set_scene
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.simulate import make_job
from folkmoot.world import REWARDS, datasets
from folkmoot.world.in_file import InFile

LOG = """time,user,item,stars,note
3,10,tea,5,
1,9,coffee,1,first
2,9,tea,3,
4,10,coffee,2,
5,9,tea,4,"a, b"
6,10,tea,1,
"""
COLUMNS = {"agent": "user", "arm": "item", "reward": "stars", "time": "time"}
COINS = replicate_coins(1, 0, 0)


def written(folder, text=LOG, name="log.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def paid(law, rounds):
    """[rounds]: what agent 0 (user 9) is paid for tea (arm 1)."""
    record = law.record()
    nature, reward = scene(record), np.zeros((law.n_agents, 1))
    out = []
    for t in range(1, rounds + 1):
        set_scene(record, t, COINS, nature)
        pay(record, nature, 0, 1, t, COINS, reward)
        out.append(reward[0, 0])
    return out


def test_a_log_is_read_as_it_stands(tmp_path):
    law = fm.Replay.from_file(written(tmp_path), columns=COLUMNS, scale=(1, 5))
    assert (law.agent_names, law.arm_names) == (["9", "10"], ["coffee", "tea"])
    assert (law.n_agents, law.n_arms, law.dataset) == (2, 2, "log.csv")
    assert law.means.tolist() == [[0.0, 0.625], [0.25, 0.5]]  # users 9 and 10, by number
    assert set(paid(law, 50)) == {0.5, 0.75}


def test_names_of_agents_are_by_number_only_if_all_are_whole_numbers(tmp_path):
    text = LOG.replace(",10,", ",b10,").replace(",9,", ",b9,")
    law = fm.Replay.from_file(written(tmp_path, text), columns=COLUMNS, scale=(1, 5))
    assert (law.agent_names, law.means.tolist()) == (["b10", "b9"], [[0.25, 0.5], [0.0, 0.625]])
    law.agent_names.clear()
    assert law.agent_names == ["b10", "b9"]
    table = fm.Replay([[[0.0], [1.0]]])
    assert table.agent_names is None
    with pytest.raises(ValueError, match=r"^Replay: agent_names cannot be set: "):
        table.agent_names = ["a"]


def test_in_order_of_time(tmp_path):
    law = fm.Replay.from_file(written(tmp_path), columns=COLUMNS, scale=(1, 5), order="time")
    assert paid(law, 5) == [0.5, 0.75, 0.5, 0.75, 0.5]
    swapped = LOG.replace("5,9,tea", "0,9,tea")
    law = fm.Replay.from_file(written(tmp_path, swapped), columns=COLUMNS, scale=(1, 5), order="time")
    assert paid(law, 3) == [0.75, 0.5, 0.75]
    unordered = {name: column for name, column in COLUMNS.items() if name != "time"}
    text = swapped.replace("time,", "when,")
    law = fm.Replay.from_file(written(tmp_path, text), columns=unordered, scale=(1, 5), order="time")
    assert paid(law, 3) == [0.5, 0.75, 0.5]  # as the rows stand
    table = fm.Replay([[[0.0], [0.25, 1.0]]], order="time")
    assert paid(table, 3) == [0.25, 1.0, 0.25]


def test_dates_are_times(tmp_path):
    rows = "agent,arm,reward,time\na,x,1,2024-03-01\na,x,0,2024-02-01T10:00\na,y,0.5,2024-02-02\n"
    law = fm.Replay.from_file(written(tmp_path, rows), order="time")
    record = law.record()
    assert record.values.tolist() == [0.0, 1.0, 0.5]


@pytest.mark.parametrize(("mark", "words"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_a_log_with_other_marks_between_columns_is_told_so(tmp_path, mark, words):
    file = tmp_path / "log.csv"
    file.write_text(f"agent{mark}arm{mark}reward\na{mark}x{mark}1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"no column 'agent' .*; expected commas between columns, not {words}$"):
        fm.Replay.from_file(file)


def test_a_log_of_another_encoding_says_which_is_read(tmp_path):
    file = tmp_path / "log.csv"
    file.write_bytes("agent,arm,reward\nZürich,x,1\n".encode("latin-1"))
    with pytest.raises(
        ValueError, match=r"log\.csv: cannot be read \(byte 0xfc is no UTF-8\); expected text in UTF-8$"
    ):
        fm.Replay.from_file(file)


@pytest.mark.parametrize(
    "times",
    [
        ["9007199254740993", "9007199254740992", "9007199254740994"],  # beyond 2**53
        ["2024-05-31T10:00:00.000000002", "2024-05-31T10:00:00.000000001", "2024-05-31T10:00:00.000000003"],
        ["2024-05-31T12:00+02:00", "2024-05-31T09:00Z", "2024-05-31T09:00-02:00"],
        ["0.5", "-1e3", "9007199254740993"],
    ],
)
def test_times_are_compared_as_they_are_written(tmp_path, times):
    """The second is the first and the last is last, however close they are."""
    rows = [f"a,x,{reward},{time}" for reward, time in zip((0.5, 0, 1), times)]
    law = fm.Replay.from_file(written(tmp_path, "\n".join(["agent,arm,reward,time", *rows])), order="time")
    assert law.record().values.tolist() == [0.0, 0.5, 1.0]


def log_of(folder, events=4_000, seed=3):
    """Two agents, three arms, pulled uniformly; arm k pays 1 with probability (k + 1) / 4."""
    draw = np.random.Generator(np.random.Philox(seed))
    arms, agents = draw.integers(0, 3, events), np.arange(events) % 2
    rewards = draw.random(events) < (arms + 1) / 4
    rows = [f"{i},{k},{int(r)}" for i, k, r in zip(agents, arms, rewards)]
    return written(folder, "\n".join(["agent,arm,reward", *rows])), agents, arms, rewards


def test_by_rejection_every_event_is_used_once_and_in_order(tmp_path):
    """A dumb twin goes through the log; both engines, agents one by one, and replicates from the start each."""
    path, agents, arms, rewards = log_of(tmp_path)
    law, network = fm.Replay.from_file(path, order="rejection"), fm.Static(nx.path_graph(2))
    both = [
        fm.simulate(fm.CooperativeUCB(), law, network, horizon=200, replicates=2, engine=engine)
        for engine in ("compiled", "interpreted")
    ]
    assert (both[0].pulls == both[1].pulls).all()
    assert (both[0].pulls[0] == both[0].pulls[1]).all()
    one_by_one = Agents(make_job(fm.CooperativeUCB(), law, network, horizon=200))
    one_by_one.play(200)
    assert (one_by_one.pulls == both[0].pulls[0]).all()
    record = law.record()
    nature, reward, place = scene(record), np.zeros((2, 1)), np.array([0, 0])
    own = [np.flatnonzero(agents == i) for i in range(2)]
    wanted = np.random.Generator(np.random.Philox(1)).integers(0, 3, (100, 2))
    for t, pulled in enumerate(wanted, 1):
        set_scene(record, t, COINS, nature)
        for i, arm in enumerate(pulled):
            while arms[own[i][place[i]]] != arm:
                place[i] += 1
            pay(record, nature, i, arm, t, COINS, reward)
            assert reward[i, 0] == rewards[own[i][place[i]]]
            place[i] += 1


def test_rejection_does_not_care_which_arms_were_logged_often(tmp_path):
    """Mean reward of uniform play from a log in which arm 2 is rare: within 5 deviations of that of the arms."""
    draw = np.random.Generator(np.random.Philox(9))
    arms = draw.choice(3, 30_000, p=[0.6, 0.3, 0.1])
    rewards = draw.random(len(arms)) < (arms + 1) / 4
    rows = [f"0,{k},{int(r)}" for k, r in zip(arms, rewards)]
    law = fm.Replay.from_file(written(tmp_path, "\n".join(["agent,arm,reward", *rows])), order="rejection")
    record = law.record()
    nature, reward, got = scene(record), np.zeros((1, 1)), []
    for t in range(1, 1_501):
        set_scene(record, t, COINS, nature)
        pay(record, nature, 0, t % 3, t, COINS, reward)
        got.append(reward[0, 0])
    assert abs(np.mean(got) - 0.5) < 5 * 0.5 / 1_500**0.5


def test_a_log_that_runs_out_says_so(tmp_path):
    path, *_ = log_of(tmp_path, events=90)
    law, network = fm.Replay.from_file(path, order="rejection"), fm.Static(nx.path_graph(2))
    for engine in ("compiled", "interpreted"):
        with pytest.raises(ValueError, match="the log has run out for an agent: expected a shorter horizon"):
            fm.simulate(fm.CooperativeUCB(), law, network, horizon=200, engine=engine)
    with pytest.raises(ValueError, match="realised = true: a log that is used up"):
        fm.simulate(fm.CooperativeUCB(), law, network, horizon=5, realised=True)


@pytest.mark.parametrize("missing", [2, -0.5, float("nan"), True, "0"])
def test_what_missing_pairs_pay_is_a_reward(tmp_path, missing):
    (tmp_path / "log.csv").write_text(HEAD + "a,x,1,2\nb,y,1,3\n")
    with pytest.raises(ValueError, match=rf"^missing = {missing!r}: expected a reward from 0 to 1$"):
        fm.Replay.from_file(tmp_path / "log.csv", missing=missing)


def test_half_of_a_log_that_is_used_up_is_refused(tmp_path):
    (tmp_path / "log.csv").write_text(HEAD + "a,x,1,2\na,y,1,3\n")
    log = fm.Replay.from_file(tmp_path / "log.csv", order="rejection")
    with pytest.raises(ValueError, match=r"^inner = Replay: expected rewards that do not depend on earlier pulls$"):
        fm.HalfActive(log)


def test_pairs_that_are_missing(tmp_path):
    text = "agent,arm,reward\na,x,1\na,y,0.5\nb,y,0.25\n"
    with pytest.raises(ValueError, match="the log has no event of agent 'b' with arm 'x'; expected at least one, or"):
        fm.Replay.from_file(written(tmp_path, text))
    assert fm.Replay.from_file(tmp_path / "log.csv", missing=0.125).means.tolist() == [[1.0, 0.5], [0.125, 0.25]]
    with pytest.raises(ValueError, match=r"^the log has no event of agent 'b' with arm 'x'$"):
        fm.Replay.from_file(tmp_path / "log.csv", missing=0.125, order="rejection")


def test_an_experiment_file_names_a_log(tmp_path):
    written(tmp_path)
    table = {"type": "replay", "file": "log.csv", "columns": COLUMNS, "scale": [1, 5]}
    for order in ("drawn", "time", "rejection"):
        read = of_kind(REWARDS, {**table, "order": order}, InFile(tmp_path, datasets.load))
        python = fm.Replay.from_file(tmp_path / "log.csv", columns=COLUMNS, scale=(1, 5), order=order)
        assert read == python
        assert read.describe() == python.describe()
        assert read.agent_names == python.agent_names is not None
        np.testing.assert_equal(read.record(), python.record())
        assert read.model_copy(update={"dataset": "ours"}).means.tolist() == read.means.tolist()


def test_parquet_needs_a_library_and_is_read_with_any(tmp_path, monkeypatch):
    """Neither library need be there: a stand-in gives the columns that either would."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "polars", None)
    written(tmp_path, "", "log.parquet")
    with pytest.raises(ValueError, match=r"Parquet needs pyarrow \(pip install 'folkmoot\[tables\]'\) or polars; CSV"):
        fm.Replay.from_file(tmp_path / "log.parquet")
    frame = {"agent": [1, 1, 0, 0], "arm": ["x", "y", "x", "y"], "reward": [1.0, 0.0, 0.5, None]}
    columns = {name: types.SimpleNamespace(to_list=lambda c=c: c) for name, c in frame.items()}

    class Frame(dict):
        columns = tuple(frame)

    monkeypatch.setitem(sys.modules, "polars", types.SimpleNamespace(read_parquet=lambda path: Frame(columns)))
    with pytest.raises(ValueError, match=r"log\.parquet, row 4: reward = None: expected a number"):
        fm.Replay.from_file(tmp_path / "log.parquet")
    frame["reward"][3] = 0.25
    assert fm.Replay.from_file(tmp_path / "log.parquet").means.tolist() == [[0.5, 0.25], [1.0, 0.0]]


HEAD = "agent,arm,reward,time\na,x,1,1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "a,x,good,2\n", r"log\.csv, line 3: reward = 'good': expected a number$"),
        (HEAD + "a,x,nan,2\n", r"line 3: reward = 'nan': expected a number$"),
        (HEAD + "a,x,1.5,2\n", r"line 3: reward = 1\.5: expected a number from 0 to 1 \(scale\)$"),
        (HEAD + "a,x,1\n", r"line 3: 3 columns: expected 4 as in the first line$"),
        (HEAD + ",x,1,2\n", r"line 3: agent: missing$"),
        (HEAD + "a, ,1,2\n", r"line 3: arm: missing$"),
        (HEAD + "a,x,1,noon\n", r"line 3: time = 'noon': expected a number, or a date such as 2024-05-31$"),
        ("agent,arm,reward\n", "the log has no rows$"),
        ("", r"no column 'agent' for the agent; there are"),
        ("agent,item,reward\na,x,1\n", r"no column 'arm' for the arm; there are agent, item, reward$"),
    ],
)
def test_what_is_wrong_with_a_row(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as error:
        fm.Replay.from_file(written(tmp_path, text))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"user": "agent"}}, "columns: 'user': allowed are agent, arm, reward, time"),
        ({"columns": {"time": "when"}}, "no column 'when' for the time"),
        ({"columns": ["agent"]}, r"columns = \['agent'\]: expected a table such as"),
        ({"columns": {"agent": 3}}, "columns: agent = 3: expected the name of a column"),
        ({"columns": {"arm": "agent"}}, "column 'agent' for the agent and the arm: expected one for each"),
        ({"columns": {"arm": "x", "agent": "x"}}, "columns: arm and agent = 'x': expected a column for each"),
        ({"scale": "ab"}, "scale = 'ab': expected two numbers, the first below the second"),
        ({"scale": (0, True)}, r"scale\[1\] = True: expected two numbers"),
        ({"scale": (0, 1, 2)}, r"scale = \[0, 1, 2\]: expected two numbers"),
        ({"scale": (1, 1)}, r"scale = \[1, 1\]: expected two numbers, the first below the second"),
        ({"order": "random"}, "order = 'random': allowed are 'drawn', 'time', 'rejection'"),
    ],
)
def test_what_is_wrong_with_the_options(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        fm.Replay.from_file(written(tmp_path, HEAD), **options)
    with pytest.raises(ValueError, match=r"cannot be read|ends in \.csv"):
        fm.Replay.from_file(tmp_path / "none.csv")
    with pytest.raises(ValueError, match=r"expected a name that ends in \.csv or \.parquet"):
        fm.Replay.from_file(tmp_path / "log.txt")
    with pytest.raises(ValueError, match="order = 'rejection': expected a log"):
        fm.Replay([[[0.5]]], order="rejection")


def test_a_scale_whose_width_is_not_finite_is_refused(tmp_path):
    (tmp_path / "log.csv").write_text("agent,arm,reward\n0,0,1\n")
    with pytest.raises(ValueError, match=r"^scale = .*: expected two numbers, .* with a finite difference$"):
        fm.Replay.from_file(tmp_path / "log.csv", scale=(-1e308, 1e308))
