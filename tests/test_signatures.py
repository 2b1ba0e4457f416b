"""One place makes and checks signatures; what it says does not depend on who shares the work."""

import ast
from pathlib import Path

import pytest
from nacl.signing import SigningKey as Independent

import folkmoot
from folkmoot import signatures
from folkmoot.signatures import (
    FOR_DOMAIN,
    ON_CHAIN,
    ON_HEADER,
    Remembered,
    SigningKey,
    check,
    check_header,
    check_said,
    first_bad,
    public_key,
    remembering,
    sign,
    sign_header,
    sign_said,
)

SEED, HASH = bytes(range(32)), b"\x07" * 32
KEY = SigningKey(SEED)
PUBLIC = public_key(KEY)
FORMS = {
    "domain": (sign(KEY, "vote", HASH), lambda key, s: check(key, "vote", HASH, s), b"\x04vote" + HASH),
    "header": (sign_header(KEY, HASH), lambda key, s: check_header(key, HASH, s), HASH),
    "chain": (sign_said(KEY, HASH), lambda key, s: check_said(key, HASH, s), HASH),
}
PREFIXES = {"domain": FOR_DOMAIN, "header": ON_HEADER, "chain": ON_CHAIN}


def test_what_is_signed_is_the_prefix_and_the_words():
    for name, (signature, _, words) in FORMS.items():
        assert signature == Independent(SEED).sign(PREFIXES[name] + words).signature


def test_a_signature_of_one_form_is_worth_nothing_in_another():
    for name, (signature, _, _) in FORMS.items():
        for other, (_, holds, _) in FORMS.items():
            assert holds(PUBLIC, signature) is (name == other)


def test_no_form_is_the_beginning_of_another():
    for one in PREFIXES.values():
        assert [other for other in PREFIXES.values() if other.startswith(one)] == [one]


@pytest.mark.parametrize("form", FORMS)
def test_nonsense_is_no_signature(form):
    signature, holds, _ = FORMS[form]
    for key, said in [
        (PUBLIC, b""), (PUBLIC, signature[:-1]), (PUBLIC, signature + b"\0"), (PUBLIC, None), (PUBLIC, bytearray(64)),
        (b"", signature), (PUBLIC[:-1], signature), (PUBLIC + b"\0", signature), (None, signature),
        (bytes(32), signature),
    ]:  # fmt: skip
        assert holds(key, said) is False


def test_the_first_key_whose_signature_is_not_on_a_header_is_named():
    other = SigningKey(bytes([9]) * 32)
    right = [(public_key(key), sign_header(key, HASH)) for key in (KEY, other)]
    assert first_bad(HASH, right) is None
    assert first_bad(HASH, ()) is None
    assert first_bad(bytes(32), right) == PUBLIC
    assert first_bad(HASH, [right[0], (public_key(other), right[0][1])]) == public_key(other)
    assert first_bad(HASH, [right[0], (public_key(other), b"short")]) == public_key(other)


def test_checks_are_shared_inside_and_forgotten_outside(monkeypatch):
    opened = []

    def counted(message, key, real=signatures.crypto_sign_open):
        opened.append(message)
        return real(message, key)

    monkeypatch.setattr(signatures, "crypto_sign_open", counted)
    signature = sign_header(KEY, HASH)
    bad = signature[:-1] + b"\0"
    for _ in range(3):
        assert check_header(PUBLIC, HASH, signature)
    assert len(opened) == 3
    with remembering():
        for _ in range(3):
            assert check_header(PUBLIC, HASH, signature)
            assert not check_header(PUBLIC, HASH, bad)
    assert len(opened) == 5
    assert not check_header(PUBLIC, HASH, bad)
    assert len(opened) == 6


def test_one_party_checks_a_signature_once_and_a_driver_that_shares_goes_before(monkeypatch):
    opened = []

    def counted(message, key, real=signatures.crypto_sign_open):
        opened.append(message)
        return real(message, key)

    monkeypatch.setattr(signatures, "crypto_sign_open", counted)
    one, other = Remembered(8), Remembered(8)
    signature = sign_header(KEY, HASH)
    bad = signature[:-1] + b"\0"
    for party in (one, one, other):
        with party:
            assert check_header(PUBLIC, HASH, signature)
            assert not check_header(PUBLIC, HASH, bad)
            assert not check_header(PUBLIC, bytes(32), signature)
    assert len(opened) == 6  # what one has checked says nothing to the other
    with pytest.raises(RuntimeError), one:
        raise RuntimeError
    assert check_header(PUBLIC, HASH, signature)
    assert len(opened) == 7  # nothing is remembered outside
    with remembering():
        for party in (one, other):
            with party:
                assert check_header(PUBLIC, HASH, signature)
    assert len(opened) == 8


# --- The only place ---------------------------------------------------------------------------------------------------


def signing_imports(text):
    """What a module takes from nacl to sign or to check, or to tell a bad signature."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "nacl":
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.partition(".")[0] == "nacl"}
    groups = ("nacl.bindings.crypto_core_", "nacl.bindings.crypto_scalarmult_", "nacl.exceptions",  # vrf.py
              "nacl.bindings.crypto_box_", "nacl.bindings.crypto_secretbox",  # sealed.py
              "nacl.pwhash", "nacl.secret", "nacl.utils")  # node/keys.py, which seals a file  # fmt: skip
    return {name for name in found if name != "nacl" and not name.startswith(groups)}


def test_nobody_else_signs_or_checks():
    package = Path(folkmoot.__file__).parent
    found = {file.relative_to(package).as_posix(): signing_imports(file.read_text()) for file in package.rglob("*.py")}
    assert [file for file, names in found.items() if names] == ["signatures.py"]


@pytest.mark.parametrize(
    "text",
    [
        "from nacl.signing import SigningKey",
        "from nacl.bindings import crypto_sign_open",
        "def f():\n    import nacl.signing",
    ],
)
def test_another_place_is_noticed(text):
    assert signing_imports(text)
