"""MovieLens: which users, genres and rewards; what is refused; the excerpt against the full data.

Tests of the full data need $FOLKMOOT_DATA: a folder with movielens/ratings.csv and movielens/movies.csv.
"""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from small_movielens import MOVIES, RATINGS, write

from folkmoot.errors import DamagedFile
from folkmoot.world import datasets, movielens
from folkmoot.world.datasets import DATASETS, load, where
from folkmoot.world.replay import Replay

GIVEN = os.environ.get("FOLKMOOT_DATA")
FULL = (
    next((p for p in (Path(GIVEN) / "movielens", Path(GIVEN)) if (p / "ratings.csv").is_file()), None)
    if GIVEN
    else None
)
needs_full_data = pytest.mark.skipif(FULL is None, reason="set FOLKMOOT_DATA to a folder with movielens/ratings.csv")


def cells(rewards):
    """The observed rewards of each agent and arm, rounded to ninths."""
    record = rewards.record()
    ninths = np.split(np.rint(record.values * 9).astype(int), record.start[1:-1])
    return [[ninths[i * rewards.n_arms + k].tolist() for k in range(rewards.n_arms)] for i in range(rewards.n_agents)]


def same_bits(a, b):
    return all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in zip(a.record(), b.record())) and (
        a.means.tobytes() == b.means.tobytes() and a.arm_names == b.arm_names
    )


# --- Which users, which genres, which rewards ---------------------------------------------------------


def test_users_genres_and_rewards_by_hand(small):
    """Users 3 and 7 have three ratings, 12 two. Drama and War have three ratings, Comedy four."""
    selection = movielens.select(small, 3, 3)
    assert selection.users == [3, 7, 12]
    assert selection.genres == ["Comedy", "Drama", "War"]
    rewards = load("movielens", users=3, genres=3)
    assert isinstance(rewards, Replay)
    assert cells(rewards) == [[[2], [2], [9]], [[0, 7], [7], [9]], [[6], [6], [0]]]
    assert rewards.means[1] == pytest.approx([3.5 / 9, 7 / 9, 1.0])
    assert rewards.arm_names == ["Comedy", "Drama", "War"]
    assert rewards.describe()["dataset"] == "movielens"


def test_a_reward_is_the_rating_less_a_half_over_four_and_a_half(small):
    lines = [f"1,{1000 + h},{h / 2},1\n" for h in range(1, 11)]
    films = [f"{1000 + h},Film,Drama\n" for h in range(1, 11)]
    write(small, "userId,movieId,rating,timestamp\n" + "".join(lines), "movieId,title,genres\n" + "".join(films))
    expected = [(h / 2 - 0.5) / 4.5 for h in range(1, 11)]
    assert load("movielens", users=1, genres=1).record().values.tolist() == expected


def test_the_order_of_the_lines_does_not_matter(small, tmp_path):
    header, *lines = RATINGS.splitlines(keepends=True)
    before = load("movielens", users=2, genres=2)
    write(small, header + "".join(reversed(lines)))
    assert same_bits(before, load("movielens", users=2, genres=2))


def test_an_empty_cell_names_user_and_genre(small):
    write(small, RATINGS.replace("7,3,5.0", "7,4,5.0"))
    with pytest.raises(ValueError, match="user 7 has no rating of genre 'War'") as error:
        load("movielens", users=3, genres=3)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"users": 4, "genres": 1}, "users = 4: expected at most 3"),
        ({"users": 1, "genres": 4}, "genres = 4: expected at most 3"),
        *[({"users": n}, "users = .*: expected an integer of at least 1") for n in (0, -1, 2.0, True, "2", None)],
        ({"genres": 0}, "genres = 0: expected an integer of at least 1"),
        ({"movies": 3}, "option 'movies': unknown; allowed are users, genres"),
    ],
)
def test_options_out_of_range(small, options, message):
    with pytest.raises(ValueError, match=message):
        load("movielens", **options)


# --- Corrupt files are errors, never silently the excerpt -----------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("userId,movieId", "user,movie", r"line 1: header 'user,movie,rating,timestamp': expected 'userId,movieId,"),
        ("userId", "\ufeffuserId", "line 1: header"),
        (RATINGS, "", "line 1: the file breaks off: expected the header"),
        ("3,1,1.5,", "three,1,1.5,", "line 5: userId = 'three': expected a whole number from 1"),
        ("3,1,1.5,", "0,1,1.5,", "line 5: userId = '0'"),
        ("3,1,1.5,", "3,-1,1.5,", "line 5: movieId = '-1'"),
        ("3,1,1.5,", "3,1.0,1.5,", "line 5: movieId = '1.0'"),
        ("3,1,1.5,", "3,99,1.5,", "line 5: movieId = 99: expected a movie listed in movies.csv"),
        *[
            ("3,1,1.5,", f"3,1,{rating},", "line 5: rating = .*: expected 0.5, 1.0, 1.5, ..., 5.0")
            for rating in ("1.4", "0.0", "0", "5.5", "-1.0", "nan", "inf", "", " 1.5", "good", "1.5e0", "1_0")
        ],
        ("964982706", "yesterday", "line 5: timestamp = 'yesterday'"),
        ("964982706", "964982706,1", "line 5: 5 fields: expected 4"),
        ("964982706", "", "line 5: timestamp = ''"),
        ("3,1,1.5,964982706", "3,1,1.5", "line 5: 3 fields: expected 4"),
        ("3,1,1.5,964982706", "", "line 5: 0 fields: expected 4"),
        ("3,1,1.5,964982706", "userId,movieId,rating,timestamp", "line 5: userId = 'userId'"),
        ("3,1,1.5", '3,1,"1.5', "line [0-9]+: .*: expected comma-separated values"),
        ("3,3,5,", "3,1,5,", "line 6: a second rating of movie 1 by user 3"),
        ("964982710\n", "9649", "line 9: the file breaks off: expected a line end"),
        ("12,3,0.5,964982710\n", "12,3,0.5", "line 9: 3 fields"),
    ],
)
def test_corrupt_ratings(small, old, new, message):
    assert RATINGS.count(old) == 1
    write(small, RATINGS.replace(old, new))
    with pytest.raises(DamagedFile, match=message) as error:
        load("movielens")
    assert str(error.value).startswith(str(small / "ratings.csv"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("movieId,title", "id,title", "line 1: header"),
        ("2,", "1,", "line 3: movieId = 1: expected each movie once"),
        ("2,", "x,", "line 3: movieId = 'x'"),
        ("Drama|Comedy", "Drama||Comedy", "line 2: genres = 'Drama||Comedy'"),
        ("Drama|Comedy", "", "line 2: genres = ''"),
        (",Musical\n", ",Mus", "line 6: the file breaks off"),
    ],
)
def test_corrupt_movies(small, old, new, message):
    write(small, movies=MOVIES.replace(old, new, 1))
    with pytest.raises(DamagedFile, match=message.replace("|", r"\|")) as error:
        load("movielens")
    assert str(error.value).startswith(str(small / "movies.csv"))


@pytest.mark.parametrize(("name", "line"), [("ratings.csv", 4), ("movies.csv", 5)])
def test_files_that_are_not_utf8(small, name, line):
    lines = (small / name).read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b",", b",\xff", 1)
    (small / name).write_bytes(b"".join(lines))
    with pytest.raises(DamagedFile, match=rf"{name}, line {line}: byte 0xff: expected UTF-8"):
        load("movielens")


def test_a_file_that_cannot_be_read(small):
    (small / "ratings.csv").unlink()
    (small / "ratings.csv").mkdir()
    with pytest.raises(ValueError, match=r"ratings.csv: cannot be read"):
        load("movielens")


def test_windows_line_ends_are_fine(small):
    before = load("movielens", users=2, genres=2)
    (small / "ratings.csv").write_bytes(RATINGS.replace("\n", "\r\n").encode())
    assert same_bits(before, load("movielens", users=2, genres=2))


# --- The excerpt and the full data --------------------------------------------------------------------------


def test_the_excerpt_serves_the_default_options():
    rewards = load("movielens")
    assert (rewards.n_agents, rewards.n_arms) == (20, 5)
    assert rewards.arm_names == ["Drama", "Comedy", "Action", "Thriller", "Adventure"]
    assert same_bits(rewards, load("movielens", users=20, genres=5))
    values = rewards.record().values
    assert set(np.rint(values * 9)) == set(range(10))
    assert all(cell == sorted(cell) for row in cells(rewards) for cell in row)


def test_the_package_holds_the_terms_of_use_and_the_known_checksums():
    text = (movielens.EXCERPT.parent / "movielens-LICENCE.txt").read_text(encoding="utf-8")
    for words in ("Usage License", "same license conditions", "Harper", "not under the licence of Folkmoot"):
        assert words in text
    assert all(
        checksum in movielens.EXCERPT.read_text(encoding="utf-8") for checksum in DATASETS["movielens"].files.values()
    )


@needs_full_data
def test_excerpt_and_full_data_give_the_same_bits(monkeypatch):
    from_excerpt = load("movielens")
    monkeypatch.setenv("FOLKMOOT_DATA", str(FULL))
    assert where("movielens") == FULL
    assert same_bits(from_excerpt, load("movielens"))


@needs_full_data
def test_the_command_writes_the_shipped_excerpt_byte_for_byte(tmp_path, monkeypatch, capsys):
    shipped = movielens.EXCERPT.read_bytes()
    monkeypatch.setattr(movielens, "EXCERPT", tmp_path / "excerpt.json")
    datasets.main([str(FULL)])
    assert (tmp_path / "excerpt.json").read_bytes() == shipped
    assert [f.name for f in tmp_path.iterdir()] == ["excerpt.json"]
    assert "written" in capsys.readouterr().out


@needs_full_data
def test_the_full_data_by_another_way(monkeypatch):
    """Means of 30 users and 3 genres, counted without the package's reader."""
    table = np.loadtxt(FULL / "ratings.csv", delimiter=",", skiprows=1)
    genres = dict(line.rstrip("\n").split(",", 1) for line in (FULL / "movies.csv").read_text("utf-8").splitlines())
    users, counts = np.unique(table[:, 0], return_counts=True)
    chosen = users[np.lexsort((users, -counts))][:30]
    monkeypatch.setenv("FOLKMOOT_DATA", str(FULL))
    rewards = load("movielens", users=30, genres=3)
    for k, genre in enumerate(["Drama", "Comedy", "Action"]):
        has = np.array([genre in genres[str(int(m))].rsplit(",", 1)[1].split("|") for m in table[:, 1]])
        means = [(table[has & (table[:, 0] == user), 2].mean() - 0.5) / 4.5 for user in chosen]
        assert rewards.means[:, k] == pytest.approx(means)


@needs_full_data
def test_the_full_data_are_those_of_the_checksums():
    for name, checksum in DATASETS["movielens"].files.items():
        assert hashlib.sha256((FULL / name).read_bytes()).hexdigest() == checksum


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["nowhere"]])
def test_the_command_refuses(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(movielens, "EXCERPT", tmp_path / "excerpt.json")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        datasets.main(arguments)
    assert stopped.value.code not in (0, None)
    assert not any(tmp_path.iterdir())
