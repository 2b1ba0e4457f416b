"""What SQLite passes over: bytes after the end, text in the schema, and write-ahead logs that break off early."""

import io
import random
import shutil
import struct

import pytest
from made_ledgers import made, signed

from folkmoot import ledger
from folkmoot.cli import main
from folkmoot.errors import OtherSide
from folkmoot.ledger import around

PAGE, FRAME = 4096, 24 + 4096


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.ledger"


# --- The file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [b"\0", b"x", bytes(PAGE), b"x" * 3 * PAGE, bytes(5000)])
def test_appended_bytes_are_noticed(path, capsys, more):
    made(path, 3)
    path.write_bytes(path.read_bytes() + more)
    verdict = ledger.open(path).verify()
    assert verdict.bad == 3
    assert verdict.reason == f"the file around it is damaged: {len(more)} bytes follow its last page"
    assert main(["ledger", "verify", str(path)]) == 1
    with pytest.raises(ledger.DamagedLedger, match="block 3: the file around it"):
        ledger.open(path).append(signed(ledger.open(path).chain, keys=1))


def said(way):
    """What the error says that a way to read ends in, and what it gives if it does not."""
    try:
        return None, way()
    except OtherSide as error:
        return str(error), None


def test_wrong_bits_of_the_schemas_text_and_of_the_header_are_judged_by_name(path):
    """Python cannot decode what SQLite says of some of them."""
    made(path, 3)
    good, whole = path.read_bytes(), ledger.open(path).verify()
    start, end = good.index(b"tablehead") - 8, good.index(b"CREATE TABLE blocks") + 100
    for at in [*range(100), *range(start, end)]:
        for bit in (at % 7, 7):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :])
            ways = [lambda: ledger.open(path).verify(), lambda: ledger.open(path).height]
            for error, found in [said(way) for way in [*ways, lambda: list(ledger.open(path).blocks())]]:
                assert error is None or (error.startswith(f"{path}: ") and error.isprintable())
                assert not isinstance(found, ledger.Verification) or not found.ok or found == whole


# --- The write-ahead log ----------------------------------------------------------------------------------------------


def logged(path, blocks, stored=2):
    """A ledger whose last blocks are in the second file; the writer is there still."""
    book = ledger.open(made(path, stored))
    for n in range(stored, blocks):
        book.append(signed(book.chain, [b"%d" % n * 300], keys=1))
    return book


@pytest.fixture
def left(tmp_path, path):
    """Left behind by a writer that was killed: 12 blocks, of which ten are in the second file."""
    with logged(tmp_path / "written", 12):
        for ending in ("", "-wal"):
            shutil.copy(tmp_path / f"written{ending}", f"{path}{ending}")
    return path


def changed(path, data):
    path.with_name(f"{path.name}-wal").write_bytes(data)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    return ledger.open(path).verify()


def log_of(path):
    return path.with_name(f"{path.name}-wal").read_bytes()


def test_one_wrong_bit_anywhere_in_the_log_is_noticed(left):
    """SQLite would leave out all that comes after it, and the ledger would seem to be good and shorter."""
    good, dice = log_of(left), random.Random(1)
    assert changed(left, good).blocks == 12
    heads = [32 + FRAME * n + k for n in range(0, (len(good) - 32) // FRAME, 4) for k in range(24)]
    for at in [*range(32), *heads, *[dice.randrange(len(good)) for _ in range(60)]]:
        verdict = changed(left, good[:at] + bytes([good[at] ^ 1 << dice.randrange(8)]) + good[at + 1 :])
        assert verdict.bad is not None, at
        assert verdict.reason.startswith("the file around it is damaged: ")
        assert "write-ahead log" in verdict.reason


def test_a_write_that_was_cut_off_is_no_damage(left):
    """As a loss of power leaves it: bytes of the last commit are missing, or some of its sectors were never written."""
    good, dice = log_of(left), random.Random(2)
    frames = [good[at : at + FRAME] for at in range(32, len(good), FRAME)]
    commits = [n for n, frame in enumerate(frames) if frame[4:8] != bytes(4)]
    last = 32 + FRAME * (commits[-2] + 1)  # where the last commit begins
    for _ in range(40):
        cut = dice.randrange(last, len(good))
        assert changed(left, good[:cut]).blocks == 11
        torn = bytearray(good)
        for sector in range(last, len(good), 512):
            if dice.random() < 0.5:
                torn[sector : sector + 512] = bytes(len(torn[sector : sector + 512]))
        if torn != good:
            assert changed(left, bytes(torn)).blocks == 11


def test_a_log_that_was_begun_again_is_followed_by_what_it_was_before(path):
    """After a checkpoint SQLite writes from the beginning once more, and older frames stay behind."""
    with logged(path, 8) as book:
        book._writer.execute("PRAGMA wal_checkpoint(RESTART)")
        for n in range(1, 5):
            book.append(signed(book.chain, keys=1))
            assert ledger.open(path).verify().blocks == 8 + n


def test_a_log_of_many_frames_is_judged_in_parts(left, monkeypatch):
    good = log_of(left)
    for part in (1, 2, 3, 7):
        monkeypatch.setattr(around, "_AT_ONCE", part)
        assert around.broken_off(io.BytesIO(good), PAGE) is None
        flipped = good[:5000] + bytes([good[5000] ^ 1]) + good[5001:]
        assert (
            around.broken_off(io.BytesIO(flipped), PAGE)
            == "frame 2 of its write-ahead log is not that which was written"
        )


def test_checksums_are_those_of_the_plain_sum():
    """SQLite's file format, section 4.3, word by word."""
    dice = random.Random(3)
    for words in (2, 6, 1026):
        rows = [[dice.randrange(1 << 32) for _ in range(words)] for _ in range(3)]
        for row, found in zip(rows, around._sums(around.np.array(rows, around.np.uint32))):
            s0 = s1 = 0
            for one, other in zip(row[::2], row[1::2]):
                s0 = (s0 + one + s1) & 0xFFFFFFFF
                s1 = (s1 + other + s0) & 0xFFFFFFFF
            assert found.tolist() == [s0, s1]


def test_a_log_of_another_byte_order_is_read(left):
    """Big-endian machines write their checksums over big-endian words."""
    good = log_of(left)
    head = struct.pack(">I", struct.unpack(">I", good[:4])[0] ^ 1) + good[4:24]

    def sums(data, s0, s1):
        for one, other in struct.iter_unpack(">2I", data):
            s0 = (s0 + one + s1) & 0xFFFFFFFF
            s1 = (s1 + other + s0) & 0xFFFFFFFF
        return s0, s1

    state = sums(head, 0, 0)
    log = head + struct.pack(">2I", *state)
    for at in range(32, len(good), FRAME):
        frame = good[at : at + FRAME]
        state = sums(frame[:8] + frame[24:], *state)
        log += frame[:16] + struct.pack(">2I", *state) + frame[24:]
    assert changed(left, log).blocks == 12
    assert changed(left, log[:9000] + bytes([log[9000] ^ 4]) + log[9001:]).bad is not None
