"""Damage that SQLite does not notice: of 500 mutations of a ledger of 1,000 blocks, verify misses none.

Blocks are decoded and signatures checked once each and the answers remembered, or these tests would do little else.
"""

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_ledgers import made

from folkmoot import ledger
from folkmoot.ledger import chain as chains
from folkmoot.ledger.block import Block
from folkmoot.ledger.file import next_seal

BLOCKS = 1000
KEYS = 2  # each block has two signatures, one would do
many = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), database=None)


class Book:
    """A good ledger file, and the means to damage and to mend it."""

    def __init__(self, path):
        self.path = path
        self.ledger = ledger.open(path)
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA synchronous = OFF")
        self.rows = dict(self._rows())
        (self.head,) = self.database.execute("SELECT height, tip, seal FROM head")

    def _rows(self):
        query = "SELECT height, data, seal FROM blocks ORDER BY height"
        return [(height, (data, seal)) for height, data, seal in self.database.execute(query)]

    def verdict_after(self, statements):
        """What verify says of the file after some statements; then the file is as it was."""
        self.database.execute("BEGIN")
        for statement in statements:
            self.database.execute(*statement)
        self.database.execute("COMMIT")
        try:
            return self.ledger.verify()
        finally:
            self._mend()

    def _mend(self):
        found = dict(self._rows())
        self.database.execute("BEGIN")
        for height in found.keys() - self.rows.keys():
            self.database.execute("DELETE FROM blocks WHERE height = ?", (height,))
        for height, row in self.rows.items():
            if found.get(height) != row:
                self.database.execute("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?)", (height, *row))
        self.database.execute("INSERT OR REPLACE INTO head VALUES (0, ?, ?, ?)", self.head)
        self.database.execute("COMMIT")


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    book = Book(made(tmp_path_factory.mktemp("damage") / "notes.ledger", BLOCKS, KEYS))
    with closing(book.database):
        yield book


@pytest.fixture(scope="module", autouse=True)
def _remembered():
    """Pure functions need not compute the same thing 500 times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chains, "first_bad", lru_cache(None)(chains.first_bad))
        patch.setattr(Block, "from_bytes", lru_cache(None)(Block.from_bytes))
        yield


def flipped(data, bit):
    changed = bytearray(data)
    bit %= len(data) * 8
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def put(height, column, value):
    return (f"UPDATE blocks SET {column} = ? WHERE height = ?", (value, height))


# Each mutation: what is done, and the height of the first block that is then bad.


def flip(book, draw):
    height, column = draw(st.integers(0, BLOCKS)), draw(st.sampled_from([0, 1]))
    value = flipped(book.rows[height][column], draw(st.integers(0, 10**9)))
    return [put(height, ("data", "seal")[column], value)], height


def flip_height(book, draw):
    height = draw(st.integers(0, BLOCKS))
    bit = draw(st.integers(0, 63))
    new = int.from_bytes(flipped(height.to_bytes(8, "big", signed=True), bit), "big", signed=True)
    statements = [("DELETE FROM blocks WHERE height = ?", (new,))]
    statements.append(("UPDATE blocks SET height = ? WHERE height = ?", (new, height)))
    return statements, 0 if new < 0 else min(height, new)


def swap(book, draw):
    one, other = sorted(draw(st.lists(st.integers(0, BLOCKS), min_size=2, max_size=2, unique=True)))
    columns = draw(st.sampled_from([["data"], ["seal"], ["data", "seal"]]))
    rows = [dict(zip(("data", "seal"), book.rows[height])) for height in (one, other)]
    return [put(a, c, rows[b][c]) for a, b in ((one, 1), (other, 0)) for c in columns], one


def drop(book, draw):
    height = draw(st.one_of(st.integers(0, BLOCKS), st.just(BLOCKS)))
    return [("DELETE FROM blocks WHERE height = ?", (height,))], height


def drop_many(book, draw):
    first, last = sorted(draw(st.tuples(st.integers(0, BLOCKS), st.integers(0, BLOCKS))))
    return [("DELETE FROM blocks WHERE height BETWEEN ? AND ?", (first, last))], first


def replay_at_the_end(book, draw):
    height = draw(st.integers(0, BLOCKS))
    data, seal = book.rows[height]
    seal = draw(st.sampled_from([seal, next_seal(book.head[2], data)]))
    statements = [("INSERT INTO blocks VALUES (?, ?, ?)", (BLOCKS + 1, data, seal))]
    if draw(st.booleans()):
        tip = Block.from_bytes(data).hash if height else book.ledger.genesis.hash
        statements.append(("UPDATE head SET height = ?, tip = ?, seal = ?", (BLOCKS + 1, tip, seal)))
    return statements, BLOCKS + 1


def stray(book, draw):
    """A row that follows on nothing, below the genesis or beyond the end."""
    height = draw(st.one_of(st.integers(-(2**63), -1), st.integers(BLOCKS + 2, 2**63 - 1)))
    row = book.rows[draw(st.integers(0, BLOCKS))]
    return [("INSERT INTO blocks VALUES (?, ?, ?)", (height, *row))], 0 if height < 0 else BLOCKS + 1


def replay_over_another(book, draw):
    height, over = draw(st.lists(st.integers(0, BLOCKS), min_size=2, max_size=2, unique=True))
    return [put(over, "data", book.rows[height][0])], over


def cut_or_lengthen(book, draw):
    height = draw(st.integers(0, BLOCKS))
    data = book.rows[height][0]
    value = draw(st.sampled_from([data[: draw(st.integers(0, len(data) - 1))], data + b"\0", data + data, b""]))
    return [put(height, "data", value)], height


def drop_a_signature(book, draw):
    """The block that is left would do for the chain, but it is not what was stored."""
    height = draw(st.integers(1, BLOCKS))
    block = Block.from_bytes(book.rows[height][0])
    return [put(height, "data", replace(block, signatures=block.signatures[:1]).to_bytes())], height


def another_type(book, draw):
    height, column = draw(st.integers(0, BLOCKS)), draw(st.sampled_from(["data", "seal"]))
    return [put(height, column, draw(st.sampled_from([7, 1.5, "text", "\x1b[2J", b""])))], height


def flip_head(book, draw):
    column, bit = draw(st.sampled_from([0, 1, 2])), draw(st.integers(0, 10**9))
    if column == 0:
        height = int.from_bytes(flipped(BLOCKS.to_bytes(8, "big"), bit), "big", signed=True)
        bad = BLOCKS + 1 if height > BLOCKS else max(height + 1, 0)
        return [("UPDATE head SET height = ?", (height,))], bad
    value = flipped(book.head[column], bit)
    return [(f"UPDATE head SET {('tip', 'seal')[column - 1]} = ?", (value,))], BLOCKS


def spoil_head(book, draw):
    changes = ["height = 'x'", "height = 1.5", "tip = 5", "seal = ''", "seal = 'text'"]
    return [(draw(st.sampled_from(["DELETE FROM head", *(f"UPDATE head SET {c}" for c in changes)])),)], BLOCKS


MUTATIONS = [
    flip,
    flip_height,
    swap,
    drop,
    drop_many,
    replay_at_the_end,
    stray,
    replay_over_another,
    cut_or_lengthen,
    drop_a_signature,
    another_type,
    flip_head,
    spoil_head,
]


@many
@given(st.sampled_from(MUTATIONS), st.data())
def test_no_mutation_is_missed(book, mutation, data):
    statements, bad = mutation(book, data.draw)
    verdict = book.verdict_after(statements)
    assert verdict.bad == bad, verdict
    assert verdict.blocks == max(bad - 1, 0)
    assert not verdict.ok
    assert verdict.reason.isprintable()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_no_kind_of_mutation_is_left_to_chance(book, mutation, data):
    statements, bad = mutation(book, data.draw)
    assert book.verdict_after(statements).bad == bad


def test_the_ledger_itself_is_good(book):
    """Were it not, or were it not mended after each mutation, nothing above would mean anything."""
    verdict = book.verdict_after([])
    assert verdict == ledger.Verification(BLOCKS, book.head[1])


def test_any_flipped_bit_of_the_genesis_is_damage(book):
    """Of its kind and version too: not a chain whose rules are not known here."""
    data = book.rows[0][0]
    for bit in range(0, len(data) * 8, 3):
        assert book.verdict_after([put(0, "data", flipped(data, bit))]).bad == 0


# Somebody who damages on purpose, and computes seals and the head anew.


def forged(book, rows):
    """Statements that store these blocks, from height 1 on, with good seals and a good head."""
    seal, statements = book.rows[0][1], [("DELETE FROM blocks WHERE height > ?", (len(rows),))]
    for height, data in enumerate(rows, 1):
        seal = next_seal(seal, data)
        if (data, seal) != book.rows.get(height):
            statements.append(("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?)", (height, data, seal)))
    try:
        tip = Block.from_bytes(rows[-1]).hash
    except ledger.Malformed:
        tip = bytes(32)
    return [*statements, ("UPDATE head SET height = ?, tip = ?, seal = ?", (len(rows), tip, seal))]


def blocks_of(book):
    return [data for height, (data, _) in sorted(book.rows.items()) if height]


@settings(many, max_examples=40)
@given(st.sampled_from(["flip", "swap", "drop", "repeat"]), st.integers(1, BLOCKS - 1), st.integers(0, 10**9))
def test_a_forger_without_keys_is_noticed_too(book, what, height, dice):
    rows = blocks_of(book)
    if what == "flip":
        rows[height - 1] = flipped(rows[height - 1], dice)
    elif what == "swap":
        other = random.Random(dice).choice([n for n in range(1, BLOCKS + 1) if n != height])
        rows[height - 1], rows[other - 1] = rows[other - 1], rows[height - 1]
        height = min(height, other)
    elif what == "drop":
        del rows[height - 1]
    else:
        rows.insert(height, rows[height - 1])
        height += 1
    assert book.verdict_after(forged(book, rows)).bad == height


def test_a_forger_can_take_away_the_end_and_only_outside_knowledge_tells(book):
    verdict = book.verdict_after(forged(book, blocks_of(book)[:-3]))
    assert verdict.ok
    assert verdict.blocks == BLOCKS - 3
    assert verdict.tip != book.head[1]


def test_a_forger_can_take_away_signatures_beyond_the_quorum(book):
    rows = blocks_of(book)
    block = Block.from_bytes(rows[500])
    rows[500] = replace(block, signatures=block.signatures[1:]).to_bytes()
    assert book.verdict_after(forged(book, rows)) == ledger.Verification(BLOCKS, book.head[1])


# Damage to the file, anywhere: SQLite's own structure, rows, or space that is not in use.


def test_a_flipped_bit_anywhere_in_the_file_is_noticed_or_means_nothing(tmp_path):
    path = made(tmp_path / "notes.ledger", 60, KEYS)
    good, dice = path.read_bytes(), random.Random(3)
    whole = ledger.open(path).verify()
    blocks = list(ledger.open(path).blocks())
    outcomes = {"refused": 0, "bad": 0, "nothing": 0}
    for n in range(400):
        # SQLite's structure is dense in the first pages and at the beginning of each.
        at = dice.randrange(len(good)) if n % 2 else 4096 * dice.randrange(len(good) // 4096) + dice.randrange(100)
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << dice.randrange(8)]) + good[at + 1 :])
        outcomes[outcome(path, whole, blocks)] += 1
    assert min(outcomes.values()) > 5, outcomes
    for _ in range(50):
        path.write_bytes(good[: dice.randrange(len(good))])
        assert outcome(path, whole, blocks) != "nothing"


def test_damage_that_only_the_next_block_would_meet_is_noticed(tmp_path):
    """The number of free pages, in SQLite's header: every row can still be read, but more than reading is at stake."""
    path = made(tmp_path / "notes.ledger", 5)
    data = bytearray(path.read_bytes())
    data[39] ^= 1
    path.write_bytes(data)
    verdict = ledger.open(path).verify()
    assert verdict.bad == 5
    assert verdict.reason.startswith("the file around it is damaged: Main freelist")


def outcome(path, whole, blocks):
    try:
        verdict = ledger.open(path).verify()
    except ledger.UnreadableLedger:
        return "refused"
    if not verdict.ok:
        return "bad"
    assert verdict == whole
    assert list(ledger.open(path).blocks()) == blocks
    return "nothing"
