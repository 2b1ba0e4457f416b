"""Keys, cards and charters: what is signed is what is read, and what is damaged is named in one line."""

import os
import stat
from dataclasses import replace
from datetime import datetime

import pytest
from consortium import charter_of, seeds_of

from folkmoot.encoding import Malformed
from folkmoot.errors import DamagedFile
from folkmoot.node import keys
from folkmoot.node.certificate import certificate, is_certificate, sealed_key, secret_key
from folkmoot.node.charter import BadCharter, propose, read_charter, write_charter
from folkmoot.node.folder import Folder
from folkmoot.node.member import Card, address
from folkmoot.node.systems import system_of
from folkmoot.node.terms import Terms
from folkmoot.node.words import words

# --- Keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", ["", "a long passphrase, ü"])
def test_a_key_comes_back_and_only_its_owner_may_read_it(tmp_path, passphrase):
    path = tmp_path / "key.json"
    keys.write_key(path, bytes(range(32)), passphrase)
    assert keys.read_key(path, passphrase) == bytes(range(32))
    assert keys.needs_passphrase(path) == bool(passphrase)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (bytes(range(32)).hex() in path.read_text()) != bool(passphrase)
    with pytest.raises(ValueError, match="never replaced"):
        keys.write_key(path, bytes(32))


def test_a_wrong_passphrase_opens_nothing(tmp_path):
    path = tmp_path / "key.json"
    keys.write_key(path, bytes(range(32)), "right")
    for wrong in ("", "wrong"):
        with pytest.raises(keys.WrongPassphrase):
            keys.read_key(path, wrong)


def test_a_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "key.json"
    keys.write_key(path, bytes(range(32)))
    path.chmod(0o640)
    with pytest.raises(ValueError, match="others may read it"):
        keys.read_key(path)


@pytest.mark.parametrize(
    "change",
    [
        ("folkmoot key 1", "folkmoot key 2"),
        ('"sealed by": "nothing"', '"sealed by": "air"'),
        ('"secret": "00', '"secret": "01'),
        ('"secret": "00', '"secret": "0x'),
        ('"secret"', '"Secret"'),
        ("{", "["),
        ("{", "{" + " " * 5_000),
    ],
)
def test_a_damaged_key_is_named(tmp_path, change):
    path = tmp_path / "key.json"
    keys.write_key(path, bytes(range(32)))
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(DamagedFile, match=r"key\.json"):
        keys.read_key(path)


def test_a_file_that_asks_for_endless_work_is_refused(tmp_path):
    path = tmp_path / "key.json"
    keys.write_key(path, bytes(range(32)), "x")
    path.write_text(path.read_text().replace('"memory": 268435456', '"memory": 1000000000000'))
    with pytest.raises(DamagedFile, match="asks for more"):
        keys.read_key(path, "x")


# --- Cards -----------------------------------------------------------------------------------------------------------


def card(number=1):
    return Card.of(bytes([number]) * 32, f"site-{number}", "example.org:9000")


def test_a_card_is_what_its_holder_signed():
    card().check()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "site-2"},
        {"address": "example.org:9001"},
        {"key": card(2).key},
        {"registration": card(2).registration},
        {"channel": card(2).channel},
        {"certificate": card(2).certificate},
        {"signature": bytes(64)},
    ],
)
def test_a_changed_card_is_refused(change):
    with pytest.raises(Malformed, match="member site-"):
        card()._replace(**change).check()


def test_keys_of_somebody_else_are_refused_though_signed():
    from folkmoot.agreement.identity import Identity

    mine = Identity(bytes([1]) * 32)
    for change in (
        {"registration": card(2).registration},
        {"channel": card(2).channel},
        {"certificate": card(2).certificate},
    ):
        changed = card()._replace(**change)
        changed = changed._replace(signature=mine.sign("member card", changed.words))
        with pytest.raises(Malformed, match=r"not its own|not that of its name and key"):
            changed.check()


@pytest.mark.parametrize("name", ["", "Site", "-a", "a" * 33, "a b", "ü", "a\n"])
def test_a_name_is_plain(name):
    with pytest.raises(ValueError, match=r"^name = "):
        Card.of(bytes(32), name, "example.org:9000")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "host:",
        "host:0",
        "host:65536",
        "host:٣",
        ":9",
        "a b:9",
        "1:2:3",
        "host:99999999999",
        "..:1",
        "a..b:1",
        "b.:1",
        "a" * 64 + ".example:1",
        "::g:1",
        "[..:1]:5",
    ],
)
def test_an_address_has_a_host_and_a_port(text):
    with pytest.raises(ValueError, match=r"^address = "):
        address(text)


@pytest.mark.parametrize("text", ["example.org:9000", "127.0.0.1:1", "[::1]:65535"])
def test_an_address_comes_back(text):
    assert str(address(text)) == text


# --- Charters --------------------------------------------------------------------------------------------------------


def test_a_charter_comes_back_from_its_file(tmp_path):
    charter = charter_of(4)
    write_charter(tmp_path / "c.toml", charter)
    read = read_charter(tmp_path / "c.toml")
    assert read == charter
    assert read.digest == charter.digest
    read.check_signed()


def test_two_charters_with_the_same_terms_and_members_are_two():
    charter = charter_of(4)
    assert propose(charter.terms, charter.members).digest != charter.digest


def test_every_member_signs_and_nobody_else_can():
    charter = replace(charter_of(4), signatures={})
    assert charter.unsigned == ["site-0", "site-1", "site-2", "site-3"]
    with pytest.raises(BadCharter, match="not signed by site-0, site-1"):
        charter.check_signed()
    with pytest.raises(ValueError, match="no member"):
        charter.signed(bytes([99]) * 32)
    copies = [charter.signed(seed) for seed in seeds_of(4)]
    copies[0].merged(copies[1:]).check_signed()
    with pytest.raises(BadCharter, match="another one than"):
        charter.merged([charter_of(4)])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rounds = 30", "rounds = 31"),
        ('name = "a test"', 'name = "another"'),
        ('address = "127.0.0.1:9001"', 'address = "127.0.0.1:9999"'),
        ("faults = 1", "faults = 0"),
        ("faults = 1", "faults = 2"),
        ("faults = 1", 'faults = "1"'),
        ("faults = 1", "faults = 1\nmore = 2"),
        ("[signatures]", "[signatures]\nnobody = 'AAAA'"),
        ('format = "folkmoot charter 1"', 'format = "folkmoot charter 9"'),
        ("salt = ", "pepper = "),
        ('salt = "', 'salt = "zz'),
        ("[[members]]", "[[member]]"),
        ("[terms]", "[terms"),
    ],
)
def test_a_changed_charter_is_refused_in_one_line(tmp_path, old, new):
    path = tmp_path / "c.toml"
    write_charter(path, charter_of(4))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadCharter) as caught:
        read_charter(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_members_are_different_ones():
    charter = charter_of(4)
    with pytest.raises(BadCharter, match="two have the same name"):
        propose(charter.terms, [*charter.members[:3], charter.members[0]])
    with pytest.raises(BadCharter, match="1 members: expected 2 to 512"):
        propose(charter.terms, charter.members[:1])


@pytest.mark.parametrize(
    ("change", "words_"),
    [
        ({"arms": ("a",)}, "arms"),
        ({"arms": ("a", "a")}, "stands there twice"),
        ({"low": 1.0}, "low < high"),
        ({"high": float("nan")}, "high"),
        ({"period": 1.0, "play": 0.5, "stage": 0.1}, "so that a round ends before the next one begins"),
        ({"stage": 0.0}, "stage"),
        ({"start": "2027-01-04T08:00:00"}, "a time with its zone"),
        ({"start": "soon"}, "a time with its zone"),
        ({"rounds": 2}, "at least one for each of 3 arms"),
        ({"system": "bema"}, 'expected none with "bema", whose members choose nothing'),
        ({"system": "chess"}, "system"),
        ({"window": 0}, "window"),
        ({"transport": "carrier pigeon"}, "transport"),
        ({"transport": "nats"}, "expected a broker"),
        ({"broker": "nats://example.org:4222"}, "expected a broker"),
        ({"transport": "nats", "broker": "example.org:4222"}, "nats://HOST:PORT"),
        ({"transport": "nats", "broker": "nats://user:secret@example.org:4222"}, "HOST:PORT"),
        ({"transport": "nats", "broker": "http://example.org:4222"}, "nats://HOST:PORT"),
    ],
)
def test_terms_that_make_no_sense_are_refused_in_one_line(change, words_):
    given = {**charter_of(4).terms.model_dump(), **change}
    with pytest.raises(ValueError, match=words_) as caught:
        Terms(**given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("system", "settings", "words_"),
    [
        ("bandit", {"algorithm": {"type": "nothing"}}, "terms.settings.algorithm.type"),
        ("bandit", {"algorithm": {"type": "gse", "delta": 7}}, "delta"),
        ("bandit", {"algorithm": {"type": "central_ucb"}}, "oracle"),
        ("bandit", {"algorithm": {"type": "ucb_sbm"}}, "declares none"),
        ("bandit", {"algorithm": "UCB"}, r"algorithm = 'UCB': expected a table with its type, as in \{ type = "),
        ("bandit", {"speed": 3}, "speed"),
        ("bc_ucb", {"validators": 0}, "validators"),
        ("bc_ucb", {"algorithm": {"kappa": 3.0}}, "kappa"),
        ("bc_ucb", {"environment": ["00"]}, "environment"),
        ("bc_ucb", {"comparison": "guess"}, "comparison"),
    ],
)
def test_settings_of_a_system_that_make_no_sense_are_refused_in_one_line(system, settings, words_):
    charter = charter_of(4, system=system, settings=settings)
    with pytest.raises(BadCharter, match=words_) as caught:
        system_of(charter)
    assert "\n" not in str(caught.value)


def test_a_charter_says_by_which_way_members_reach_each_other(tmp_path):
    charter = charter_of(4, transport="nats", broker="tls://broker.example.org:4222")
    write_charter(tmp_path / "charter.toml", charter)
    read = read_charter(tmp_path / "charter.toml")
    assert (read.digest, read.terms.broker) == (charter.digest, "tls://broker.example.org:4222")
    said = " ".join(words(read))
    assert "over a broker, tls://broker.example.org:4222" in said
    assert "can read all that they say" in said
    sealed = charter_of(4, transport="nats", broker="tls://broker.example.org:4222", system="bc_ucb")
    assert "can read who is there and how much is said" in " ".join(words(sealed))
    assert "broker" not in " ".join(words(charter_of(4)))


def test_a_charter_in_words_says_who_what_when_and_what_is_revealed():
    said = "\n".join(words(charter_of(4, system="bc_ucb")))
    for word in (
        "site-3",
        "arm 2",
        "30",
        "Up to 1 of them may lie",
        "a quorum for a round is 3",
        "What is revealed",
        "signs each block",
    ):
        assert word in said


# --- Folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_private_and_holds_one_charter(tmp_path):
    folder = Folder.make(tmp_path / "n", "site-0", "127.0.0.1:9000", seed=seeds_of(4)[0])
    for name in ("key.json", "token"):
        assert stat.S_IMODE((folder.path / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    with pytest.raises(ValueError, match="has no charter yet"):
        folder.charter()
    charter = charter_of(4)
    folder.join(charter)
    folder.join(charter)
    assert folder.charter() == charter
    with pytest.raises(ValueError, match="holds another charter"):
        folder.join(charter_of(4))
    with pytest.raises(BadCharter, match="not signed by"):
        folder.join(replace(charter, signatures={}))


@pytest.mark.parametrize("there", ["file", "folder"])
def test_a_folder_is_never_made_over_another(tmp_path, there):
    path = tmp_path / "n"
    if there == "file":
        path.write_text("mine")
    else:
        path.mkdir()
        (path / "mine").write_text("")
    with pytest.raises(ValueError, match="is there already"):
        Folder.make(path, "a", "b:1")
    assert os.listdir(tmp_path) == ["n"]


@pytest.mark.parametrize("name", ["a", "site-1", "x" * 32])
def test_a_certificate_is_byte_for_byte_what_a_library_makes(name):
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.x509.oid import NameOID

    seed = bytes(range(32))
    key, owner = Ed25519PrivateKey.from_private_bytes(seed), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    asked = x509.CertificateBuilder().subject_name(owner).issuer_name(owner).public_key(key.public_key())
    dated = asked.serial_number(1).not_valid_before(datetime(2000, 1, 1)).not_valid_after(datetime(9999, 12, 31))
    assert certificate(seed, name) == dated.sign(key, None).public_bytes(serialization.Encoding.DER)
    form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    assert secret_key(seed) == key.private_bytes(*form)


def test_a_certificate_is_of_one_name_and_one_key_and_signed():
    key = card(1).key
    shown = certificate(bytes([1]) * 32, "site-1")
    assert shown == card(1).certificate
    assert is_certificate(shown, key, "site-1")
    assert not is_certificate(shown, key, "site-2")
    assert not is_certificate(shown, card(2).key, "site-1")
    for n in range(len(shown)):
        assert not is_certificate(shown[:n], key, "site-1")
        assert not is_certificate(shown[:n] + bytes([shown[n] ^ 1]) + shown[n + 1 :], key, "site-1")
    assert not is_certificate(shown + b"\0", key, "site-1")
    assert b"ENCRYPTED PRIVATE KEY" in sealed_key(bytes([1]) * 32, b"password")
