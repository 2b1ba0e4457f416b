"""MovieLens ratings as bandit rewards: users are agents, genres are arms. Reading, counting, the excerpt.

Harper and Konstan (2015), "The MovieLens Datasets: History and Context", ACM TiiS 5(4) 19. The data set is
ml-latest-small: `ratings.csv` and `movies.csv`, as its README describes them.

- The agents are the users with most ratings (of equals the lowest user id), in that order.
- The arms are the genres with most ratings among all users (of equals the first in the alphabet), in that order.
  A movie of several genres counts in each of them; "(no genres listed)" is no genre.
- A pull draws, with replacement, one of the user's own ratings of movies of the genre. The reward of a rating
  of 0.5, 1, ..., 5 stars is (rating - 0.5) / 4.5, so 0, 1/9, ..., 1.

All that matters of the data is how often each user gave each rating in each genre; the excerpt shipped with
the package holds just these counts, hence full data and excerpt give the same numbers to the last bit.
"""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import DamagedFile, brief
from folkmoot.world.replay import Replay

RATINGS, MOVIES = "ratings.csv", "movies.csv"
EXCERPT = Path(__file__).resolve().parent / "data" / "movielens-excerpt.json"
EXCERPT_SHAPE = (20, 5)  # users and genres in the excerpt

_NO_GENRE = "(no genres listed)"
_HALF_STARS = range(1, 11)
_LEVEL = {text: h - 1 for h in _HALF_STARS for text in (f"{h / 2:.1f}", f"{h / 2:g}")}  # "4.0" and "4" are level 7
_REWARD = np.array([(h - 1) / 9.0 for h in _HALF_STARS])  # (rating - 0.5) / 4.5
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


class Selection(NamedTuple):
    """The chosen users and genres and what these users thought of them."""

    users: list[int]  # user ids, most ratings first
    genres: list[str]  # most ratings first
    counts: NDArray[np.int64]  # [users, genres, 10] ratings of 0.5, 1, ..., 5 stars


def _rows(path: Path, header: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of a CSV file below its header, each with its place ("FILE, line N") for error messages."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DamagedFile(f"{path}, line {line}: byte {content[error.start]:#04x}: expected UTF-8 text") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = header.split(",")
    try:
        first = next(reader, None)
        if first is not None and first != columns:
            raise DamagedFile(f"{path}, line 1: header {','.join(first)[:80]!r}: expected {header!r}")
        for row in reader:
            place = f"{path}, line {reader.line_num}"
            if len(row) != len(columns):
                raise DamagedFile(f"{place}: {len(row)} fields: expected {len(columns)} ({header})")
            yield place, row
    except csv.Error as error:
        raise DamagedFile(f"{path}, line {reader.line_num}: {error}: expected comma-separated values") from None
    if not text.endswith("\n"):
        end = f"{path}, line {max(reader.line_num, 1)}"
        raise DamagedFile(f"{end}: the file breaks off: expected {'a line end' if text else f'the header {header!r}'}")


def _number(place: str, name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise DamagedFile(f"{place}: {name} = {text[:40]!r}: expected a whole number from 1 to 9999999999")
    return int(text)


def _read_genres(path: Path) -> dict[int, frozenset[str]]:
    """The genres of each movie, by movie id."""
    genres: dict[int, frozenset[str]] = {}
    for place, (movie_text, _, names) in _rows(path, "movieId,title,genres"):
        movie = _number(place, "movieId", movie_text)
        if movie in genres:
            raise DamagedFile(f"{place}: movieId = {movie}: expected each movie once, got it again")
        parts = names.split("|")
        if "" in parts:
            raise DamagedFile(f"{place}: genres = {names[:80]!r}: expected names separated by '|'")
        genres[movie] = frozenset(parts) - {_NO_GENRE}
    return genres


def _read_ratings(path: Path, genres: dict[int, frozenset[str]]) -> dict[int, list[tuple[int, int]]]:
    """For each user, by id, the (movie id, rating level 0..9) of each of the ratings."""
    ratings: dict[int, list[tuple[int, int]]] = {}
    known = set()
    for place, (user_text, movie_text, rating, time) in _rows(path, "userId,movieId,rating,timestamp"):
        user, movie = _number(place, "userId", user_text), _number(place, "movieId", movie_text)
        _number(place, "timestamp", time)
        if movie not in genres:
            raise DamagedFile(f"{place}: movieId = {movie}: expected a movie listed in {MOVIES}")
        if rating not in _LEVEL:
            raise DamagedFile(f"{place}: rating = {rating[:40]!r}: expected 0.5, 1.0, 1.5, ..., 5.0")
        if (user, movie) in known:
            raise DamagedFile(f"{place}: a second rating of movie {movie} by user {user}: expected at most one")
        known.add((user, movie))
        ratings.setdefault(user, []).append((movie, _LEVEL[rating]))
    return ratings


def select(folder: Path, users: int, genres: int) -> Selection:
    """The most active users, the most rated genres and their counts, from the two files in a folder.

    Args:
        folder: holds `ratings.csv` and `movies.csv`.
        users: number of users, at least 1.
        genres: number of genres, at least 1.

    Raises:
        ValueError: a file cannot be read, or there are fewer users or genres.
        DamagedFile: a file is not as it should be; the line is named.
    """
    genres_of = _read_genres(folder / MOVIES)
    ratings = _read_ratings(folder / RATINGS, genres_of)
    rated = Counter(genre for own in ratings.values() for movie, _ in own for genre in genres_of[movie])
    for name, wanted, there in (("users", users, len(ratings)), ("genres", genres, len(rated))):
        if wanted > there:
            raise ValueError(f"{name} = {wanted}: expected at most {there}, which are all in {folder / RATINGS}")
    ids = sorted(ratings, key=lambda user: (-len(ratings[user]), user))[:users]
    names = sorted(rated, key=lambda genre: (-rated[genre], genre))[:genres]
    column = {genre: k for k, genre in enumerate(names)}
    counts = np.zeros((users, genres, len(_HALF_STARS)), np.int64)
    for i, user in enumerate(ids):
        for movie, level in ratings[user]:
            for genre in genres_of[movie]:
                if genre in column:
                    counts[i, column[genre], level] += 1
    return Selection(ids, names, counts)


def replay(selection: Selection) -> Replay:
    """Rewards drawn from the ratings of a selection; within a cell they are in increasing order.

    Raises:
        ValueError: a user never rated a movie of one of the genres, so the cell has nothing to draw from.
    """
    empty = np.argwhere(selection.counts.sum(axis=2) == 0)
    if len(empty):
        i, k = (int(x) for x in empty[0])
        raise ValueError(
            f"movielens: user {selection.users[i]} has no rating of genre {brief(selection.genres[k])}: "
            "expected at least one for every chosen user and genre; choose fewer users or genres"
        )
    table = [[np.repeat(_REWARD, cell) for cell in row] for row in selection.counts]
    return Replay(table, dataset="movielens", arm_names=selection.genres)


def shipped() -> Selection:
    """The selection that the package brings along: 20 users, 5 genres."""
    head = json.loads(EXCERPT.read_text(encoding="utf-8"))
    selection = Selection(head["users"], head["genres"], np.array(head["counts"], np.int64))
    assert selection.counts.shape == (*EXCERPT_SHAPE, len(_HALF_STARS))
    return selection


def excerpt(folder: Path) -> str:
    """The text of the excerpt that belongs to the full data in a folder.

    Raises:
        ValueError, DamagedFile: see `select`.
    """
    selection = select(folder, *EXCERPT_SHAPE)
    head = {
        "dataset": "MovieLens ml-latest-small",
        "licence": "see movielens-LICENCE.txt",
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (RATINGS, MOVIES)},
        "content": "counts[user][genre]: how many ratings of 0.5, 1, 1.5, ..., 5 stars the user gave in the genre",
        "users": selection.users,
        "genres": selection.genres,
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    rows = ",\n".join(f"  {json.dumps(row, separators=(',', ':'))}" for row in selection.counts.tolist())
    return "{\n" + ",\n".join(chain(lines, [f' "counts": [\n{rows}\n ]'])) + "\n}\n"
