"""Contents beside a chain: found by their name or refused, whatever lies in the folder."""

import os
import sys

import pytest

from folkmoot import ledger
from folkmoot.ledger import contents
from folkmoot.ledger.contents import NOTHING


def stores(tmp_path):
    return [ledger.MemoryContents(), ledger.FolderContents(tmp_path / "deep" / "x.contents")]


@pytest.mark.parametrize("data", [b"", b"a", bytes(range(256)) * 500])
def test_what_is_put_is_found(tmp_path, data):
    for store in stores(tmp_path):
        name = store.put(data)
        assert name == ledger.name_of(data) == ledger.digest("contents", data)
        assert store.get(name) == data
        assert store.put(data) == name
    again = ledger.FolderContents(tmp_path / "deep" / "x.contents")
    assert again.get(name) == data
    assert os.listdir(again.path) == [name.hex()[:2]]
    assert os.listdir(again.path / name.hex()[:2]) == [name.hex()[2:]]


def test_what_is_not_there_is_missing(tmp_path):
    for store in (*stores(tmp_path), NOTHING):
        with pytest.raises(ledger.MissingContent, match=f"content {bytes(32).hex()} is missing"):
            store.get(bytes(32))
    assert list(tmp_path.iterdir()) == []
    folder = stores(tmp_path)[1]
    for name in (b"", b"../../etc", "ab", None):
        with pytest.raises(ledger.MissingContent, match="names have 32 bytes"):
            folder.get(name)
    with pytest.raises(ledger.NotStored, match="begun without a store"):
        NOTHING.put(b"")


@pytest.fixture
def stored(tmp_path):
    store = ledger.FolderContents(tmp_path / "x.contents")
    name = store.put(b"as it was")
    return store, name, store.path / name.hex()[:2] / name.hex()[2:]


@pytest.mark.parametrize("data", [b"", b"as it wat", b"as it was\0"])
def test_what_was_changed_is_refused_and_put_right(stored, data):
    store, name, file = stored
    file.write_bytes(data)
    with pytest.raises(ledger.TamperedContent, match=f"content {name.hex()} has been changed: .* hashes to "):
        store.get(name)
    assert store.put(b"as it was") == name
    assert store.get(name) == b"as it was"


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
def test_links_pipes_and_folders_are_not_followed(stored):
    store, name, file = stored
    elsewhere = file.with_name("elsewhere")
    file.rename(elsewhere)
    makers = [lambda: file.symlink_to(elsewhere), lambda: os.mkfifo(file), file.mkdir]
    for make in makers:
        make()
        with pytest.raises(ledger.TamperedContent, match="is not an ordinary file in a folder"):
            store.get(name)
        if file.is_dir():
            with pytest.raises(ledger.NotStored, match="content is not stored"):
                store.put(b"as it was")
            file.rmdir()
        else:
            file.unlink()
    file.symlink_to(elsewhere)
    store.put(b"as it was")
    assert not file.is_symlink()
    assert elsewhere.read_bytes() == store.get(name) == b"as it was"
    file.parent.rename(store.path / "other")
    file.parent.symlink_to("other")
    with pytest.raises(ledger.TamperedContent, match="is not an ordinary file in a folder"):
        store.get(name)


def test_large_contents_are_refused(stored, monkeypatch):
    store, name, _ = stored
    monkeypatch.setattr(contents, "MOST_CONTENT", 8)
    with pytest.raises(ledger.TamperedContent, match="has 9 bytes, at most 8 are allowed"):
        store.get(name)
    for one in (store, ledger.MemoryContents()):
        with pytest.raises(ValueError, match="content of 9 bytes: expected at most 8 bytes"):
            one.put(b"as it was")
        with pytest.raises(ValueError, match="content of str"):
            one.put("text")


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    store = ledger.FolderContents(tmp_path / "x.contents")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ledger.NotStored, match="content is not stored: No space left on device"):
        store.put(b"more")
    assert [path for path in store.path.rglob("*") if path.is_file()] == []


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "x.contents").write_bytes(b"")
    store = ledger.FolderContents(tmp_path / "x.contents")
    with pytest.raises(ledger.MissingContent, match="cannot be read: Not a directory"):
        store.get(bytes(32))
    with pytest.raises(ledger.NotStored):
        store.put(b"more")


class Named:
    """Rules of a chain whose records are names of contents, as the configuration is."""

    def genesis(self, configuration, contents):
        contents.get(configuration)
        return contents

    def signers(self, state, records):
        return ledger.Signers(frozenset(), 0)

    def step(self, state, header, records):
        for record in records:
            state.get(record)
        return state


NAMED = Named()


def test_a_ledger_finds_its_contents_beside_it(tmp_path, monkeypatch):
    monkeypatch.setitem(ledger.KINDS, "named", f"{__name__}:NAMED")
    path = tmp_path / "x.ledger"
    store = ledger.beside(path)
    assert store.path == tmp_path / "x.ledger.contents"
    first = ledger.Genesis("named", store.put(b"first"))
    with ledger.create(path, first) as book:
        for n in range(3):
            book.append(ledger.propose(book.chain, [book.contents.put(b"%d" % n)]))
        with pytest.raises(ledger.MissingContent):
            book.append(ledger.propose(book.chain, [bytes(32)]))
    assert ledger.open(path).verify().blocks == 3
    name = ledger.name_of(b"1")
    (store.path / name.hex()[:2] / name.hex()[2:]).write_bytes(b"2")
    verdict = ledger.open(path).verify()
    assert verdict.bad == 2
    assert verdict.reason.startswith(f"TamperedContent: content {name.hex()} has been changed")
