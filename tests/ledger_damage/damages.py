"""The kinds of damage. Each is a function of the ledger's path and dice; it may return another name to read by."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

PAGE = 4096


class Damage(NamedTuple):
    """A kind, and what is expected of it."""

    name: str
    do: Callable[..., Any]
    expected: str  # "noticed", "harmless", "either", or "whole": noticed if no log has the bytes once more
    needs: str | None  # a trait of a ledger
    may_lose: int | None  # last blocks, for damage that looks like a write that was cut off
    weight: float


KINDS: list[Damage] = []


def kind(expected="either", needs=None, may_lose=None, weight=1.0):
    def entered(do):
        KINDS.append(Damage(do.__name__.strip("_"), do, expected, needs, may_lose, weight))
        return do

    return entered


def wal(path):
    return Path(f"{path}-wal")


def rewritten(path, change):
    data = bytearray(path.read_bytes())
    path.write_bytes(change(data))


def flip(data, at, dice):
    data[at] ^= 1 << dice.randrange(8)
    return data


# --- Bytes of the file ------------------------------------------------------------------------------------------------


@kind(weight=6)
def a_bit(path, dice):
    rewritten(path, lambda data: flip(data, dice.randrange(len(data)), dice))


@kind(weight=3)
def a_bit_of_the_schema(path, dice):
    def change(data):
        start, end = data.index(b"tablehead"), data.rindex(b"seal BLOB NOT NULL)", 0, PAGE) + 19
        return flip(data, dice.randrange(start - 8, end), dice)

    rewritten(path, change)


@kind(weight=2)
def a_bit_of_the_header(path, dice):
    rewritten(path, lambda data: flip(data, dice.randrange(100), dice))


@kind(weight=2)
def a_bit_where_a_page_begins(path, dice):
    rewritten(path, lambda data: flip(data, PAGE * dice.randrange(len(data) // PAGE) + dice.randrange(16), dice))


@kind(weight=2)
def many_bits(path, dice):
    def change(data):
        for _ in range(dice.randrange(2, 60)):
            flip(data, dice.randrange(len(data)), dice)
        return data

    rewritten(path, change)


@kind()
def some_bytes_overwritten(path, dice):
    def change(data):
        at, size = dice.randrange(len(data)), dice.randrange(1, 80)
        data[at : at + size] = dice.choice([dice.randbytes(size), bytes(size), b"\xff" * size])[: len(data) - at]
        return data

    rewritten(path, change)


def pages(data):
    return [bytes(data[at : at + PAGE]) for at in range(0, len(data), PAGE)]


@kind()
def pages_swapped(path, dice):
    def change(data):
        found = pages(data)
        a, b = dice.sample(range(len(found)), 2)
        found[a], found[b] = found[b], found[a]
        return b"".join(found)

    rewritten(path, change)


@kind()
def a_page_overwritten(path, dice):
    def change(data):
        found = pages(data)
        new = dice.choice([bytes(PAGE), dice.randbytes(PAGE), dice.choice(found)])
        found[dice.randrange(len(found))] = new
        return b"".join(found)

    rewritten(path, change)


@kind("whole")
def a_page_left_out(path, dice):
    def change(data):
        found = pages(data)
        del found[dice.randrange(len(found))]
        return b"".join(found)

    rewritten(path, change)


@kind("whole")
def a_page_put_in(path, dice):
    def change(data):
        found = pages(data)
        found.insert(dice.randrange(len(found) + 1), dice.choice([bytes(PAGE), dice.randbytes(PAGE), found[-1]]))
        return b"".join(found)

    rewritten(path, change)


@kind("whole")
def cut_anywhere(path, dice):
    rewritten(path, lambda data: data[: dice.randrange(len(data))])


@kind("whole")
def cut_at_a_page(path, dice):
    rewritten(path, lambda data: data[: PAGE * dice.randrange(len(data) // PAGE)])


@kind("whole", weight=2)
def bytes_appended(path, dice):
    size = dice.choice([1, dice.randrange(1, 9000), PAGE, 3 * PAGE])
    rewritten(path, lambda data: data + dice.choice([bytes(size), dice.randbytes(size)]))


@kind("noticed")
def itself_appended(path, dice):
    rewritten(path, lambda data: data * 4)


@kind("noticed", needs="left")
def bits_of_the_log_before_the_last_commits(path, dice):
    def change(data):
        for _ in range(dice.randrange(2, 9)):
            flip(data, dice.randrange(len(data) // 2), dice)
        return data

    rewritten(wal(path), change)


@kind(needs="left", may_lose=2)
def many_bits_of_the_log(path, dice):
    def change(data):
        for _ in range(dice.randrange(2, 9)):
            flip(data, len(data) - 1 - dice.randrange(9000), dice)
        return data

    rewritten(wal(path), change)


# --- Rows and tables, by SQLite's own means ---------------------------------------------------------------------------


def statements(path, *texts):
    with closing(sqlite3.connect(path)) as database:
        for text in texts:
            database.execute(*text) if isinstance(text, tuple) else database.execute(text)
        database.commit()


def some_height(path, dice):
    with closing(sqlite3.connect(path)) as database:
        return dice.randrange(database.execute("SELECT count(*) FROM blocks").fetchone()[0])


@kind("noticed")
def a_row_changed(path, dice):
    at, other = some_height(path, dice), some_height(path, dice)
    column = dice.choice(["data", "seal"])
    ways = ["x''", "'text'", "7", "1.5", f"{column} || x'00'", f"substr({column}, 2)", "CAST(x'1b5b324aff' AS TEXT)"]
    ways += [f"(SELECT {column} FROM blocks WHERE height = {other})"] if at != other else []
    statements(path, f"UPDATE blocks SET {column} = {dice.choice(ways)} WHERE height = {at}")


@kind("noticed")
def a_row_moved_or_taken(path, dice):
    at, new = some_height(path, dice), dice.choice([-1, -(2**63), 2**63 - 1, 10**6])
    ways = [f"= {at}", f">= {at}", "= (SELECT max(height) FROM blocks)"]
    texts = [f"DELETE FROM blocks WHERE height {where}" for where in ways]
    statements(path, dice.choice([*texts, f"UPDATE blocks SET height = {new} WHERE height = {at}"]))


@kind("noticed")
def the_head_changed(path, dice):
    ways = ["height = height - 1", "height = height + 1", "height = 'x'", "tip = seal", "seal = tip", "tip = 'text'"]
    ways += ["height = -9", "seal = x''", "tip = zeroblob(32)", "tip = CAST(x'ff' AS TEXT)"]
    statements(path, dice.choice([f"UPDATE head SET {dice.choice(ways)}", "DELETE FROM head"]))


@kind("noticed")
def the_tables_changed(path, dice):
    ways = [
        ["CREATE TABLE more (x)"],
        ["CREATE INDEX i ON blocks (seal)"],
        ["CREATE VIEW v AS SELECT * FROM blocks"],
        ["CREATE TRIGGER t AFTER INSERT ON blocks BEGIN DELETE FROM blocks; END"],
        ["ALTER TABLE blocks ADD COLUMN x"],
        ["ALTER TABLE blocks RENAME TO real", "CREATE VIEW blocks AS SELECT * FROM real"],
        ["DROP TABLE head"],
        ["PRAGMA writable_schema = ON", ("UPDATE sqlite_master SET sql = CAST(? AS TEXT)", (dice.randbytes(60),))],
        ["PRAGMA writable_schema = ON", ("UPDATE sqlite_master SET name = CAST(? AS TEXT)", (dice.randbytes(9),))],
        ["PRAGMA writable_schema = ON", "UPDATE sqlite_master SET rootpage = 1"],
        ["PRAGMA user_version = 2"],
        ["PRAGMA application_id = 1"],
    ]
    statements(path, *dice.choice(ways))


@kind("harmless")
def stored_anew_by_sqlite(path, dice):
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute(f"PRAGMA page_size = {dice.choice([512, 1024, 4096, 65536])}")
        database.execute("VACUUM")


# --- The second file --------------------------------------------------------------------------------------------------


@kind("either", needs="left", weight=12)
def a_bit_of_the_log(path, dice):
    rewritten(wal(path), lambda data: flip(data, dice.randrange(len(data)), dice))


@kind("either", needs="left", weight=4)
def a_bit_of_the_logs_heads(path, dice):
    def change(data):
        frames = (len(data) - 32) // (24 + PAGE)
        return flip(data, max(32 + (24 + PAGE) * dice.randrange(-1, frames) + dice.randrange(32), 0), dice)

    rewritten(wal(path), change)


@kind(needs="left", may_lose=99)
def the_log_cut(path, dice):
    rewritten(wal(path), lambda data: data[: dice.randrange(len(data))])


@kind(needs="left", may_lose=99)
def the_log_gone(path, dice):
    wal(path).unlink()


@kind("harmless", needs="left")
def bytes_appended_to_the_log(path, dice):
    size = dice.choice([1, 24, 24 + PAGE, dice.randrange(1, 9000)])
    rewritten(wal(path), lambda data: data + dice.choice([bytes(size), dice.randbytes(size)]))


@kind(needs="left", may_lose=2)
def frames_of_the_log_swapped(path, dice):
    def change(data):
        size = 24 + PAGE
        frames = [bytes(data[at : at + size]) for at in range(32, len(data), size)]
        a, b = dice.sample(range(len(frames)), 2)
        frames[a], frames[b] = frames[b], frames[a]
        return bytes(data[:32]) + b"".join(frames)

    rewritten(wal(path), change)


@kind("noticed")
def no_file_where_the_log_is(path, dice):
    wal(path).unlink(missing_ok=True)
    dice.choice([wal(path).mkdir, lambda: wal(path).symlink_to("nowhere"), lambda: os.mkfifo(wal(path))])()


@kind()
def a_log_of_somebody_else(path, dice):
    if not wal(path).exists():
        wal(path).write_bytes(dice.choice([dice.randbytes(dice.randrange(1, 9000)), bytes(9000)]))


@kind("harmless")
def nonsense_beside_it(path, dice):
    data = dice.choice([b"", dice.randbytes(dice.randrange(1, 70_000)), bytes(40_000)])
    Path(f"{path}{dice.choice(['-shm', '-journal', '.part'])}").write_bytes(data)


@kind("harmless", needs="left")
def a_folder_where_the_third_file_would_be(path, dice):
    Path(f"{path}-shm").mkdir()


# --- Contents ---------------------------------------------------------------------------------------------------------


def folder(path):
    return Path(f"{path}.contents")


def some_content(path, dice):
    return dice.choice(sorted(entry for entry in folder(path).rglob("*") if entry.is_file()))


@kind("noticed", needs="contents", weight=3)
def a_bit_of_a_content(path, dice):
    rewritten(some_content(path, dice), lambda data: flip(data, dice.randrange(len(data)), dice))


@kind("noticed", needs="contents", weight=2)
def a_content_cut_or_lengthened(path, dice):
    ways = [lambda data: data[: dice.randrange(len(data))], lambda data: data + dice.randbytes(dice.randrange(1, 99))]
    rewritten(some_content(path, dice), dice.choice(ways))


@kind("noticed", needs="contents", weight=2)
def contents_swapped(path, dice):
    a, b = some_content(path, dice), some_content(path, dice)
    while a == b:
        b = some_content(path, dice)
    a_data, b_data = a.read_bytes(), b.read_bytes()
    a.write_bytes(b_data)
    b.write_bytes(a_data)


@kind("noticed", needs="contents", weight=2)
def a_content_gone(path, dice):
    some_content(path, dice).unlink()


@kind("noticed", needs="contents", weight=3)
def a_content_that_is_no_file(path, dice):
    """A link to the same bytes outside the folder, to another content, to nowhere or in a circle; a folder; a pipe."""
    one, other = some_content(path, dice), some_content(path, dice)
    away = path.with_name("away")
    shutil.copy(one, away)
    one.unlink()
    targets = [away, os.path.relpath(other, one.parent), "nowhere", one.name, "/dev/zero"]
    ways = [lambda target=target: one.symlink_to(target) for target in targets]
    dice.choice([*ways, one.mkdir, lambda: os.mkfifo(one)])()


@kind("noticed", needs="contents")
def a_shelf_that_is_a_link(path, dice):
    shelf, away = some_content(path, dice).parent, path.with_name("away")
    shelf.rename(away)
    dice.choice(
        [lambda: shelf.symlink_to(away), lambda: shelf.write_bytes(b""), lambda: shelf.symlink_to(shelf.name)]
    )()


@kind("noticed", needs="contents")
def all_contents_gone(path, dice):
    here = folder(path)
    here.rename(path.with_name("away"))
    targets = ["nowhere", here.name, path.name, "."]
    ways = [lambda: None, here.mkdir, lambda: here.write_bytes(b"text")]
    dice.choice([*ways, lambda: here.symlink_to(dice.choice(targets))])()


@kind("harmless", needs="contents")
def all_contents_behind_a_link(path, dice):
    folder(path).rename(path.with_name("away"))
    folder(path).symlink_to(path.with_name("away"))


@kind("harmless", needs="contents")
def contents_that_nobody_named(path, dice):
    (folder(path) / "00").mkdir(exist_ok=True)
    (folder(path) / "00" / dice.randbytes(31).hex()).write_bytes(dice.randbytes(99))


# --- Links ------------------------------------------------------------------------------------------------------------


@kind("harmless", weight=3)
def read_by_a_link(path, dice):
    """Or by a link to a link, from another folder, relative or absolute."""
    (path.parent / "other").mkdir()
    link, target = path.parent / "other" / "link", path
    for _ in range(dice.randrange(1, 4)):
        link.symlink_to(dice.choice([target, os.path.relpath(target, link.parent)]))
        target, link = link, link.with_name(f"{link.name}s")
    return target


@kind("harmless")
def moved_behind_a_link(path, dice):
    away = path.parent / "away"
    away.mkdir()
    for entry in list(path.parent.glob("x.ledger*")):
        entry.rename(away / entry.name)
    path.symlink_to(Path("away") / path.name)


@kind("noticed")
def moved_without_what_is_beside_it(path, dice):
    """Only where something is: the log, the contents."""
    beside = [entry for entry in path.parent.iterdir() if entry != path]
    if beside and beside[0].is_dir():
        shutil.rmtree(beside[0])
        return None
    link = path.with_name("link")
    os.link(path, link)
    return dice.choice([link, path])


@kind("noticed")
def a_link_to_nowhere(path, dice):
    link = path.with_name("link")
    link.symlink_to(dice.choice(["nowhere", link.name, ".", "x.ledger/x", "/dev/null"]))
    return link


@kind("noticed")
def a_link_to_a_damaged_one(path, dice):
    rewritten(path, lambda data: data[: dice.randrange(100, len(data) // 2)])
    return read_by_a_link(path, dice)


@kind("noticed")
def no_file(path, dice):
    path.unlink()
    dice.choice([lambda: None, path.mkdir, lambda: os.mkfifo(path), lambda: path.write_bytes(b"")])()
