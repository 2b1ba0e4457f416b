"""Whose fault: each error class is of one family, and a mistake of ours is taken for nobody else's."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest
from made_ledgers import KEYS, genesis, signed

import folkmoot
from folkmoot import ledger, signatures
from folkmoot.agreement import signed_messages
from folkmoot.agreement.identity import Identity
from folkmoot.encoding import Malformed
from folkmoot.errors import DamagedFile, OtherSide
from folkmoot.ledger.notes import Notes

FAMILIES = {
    "the caller's": (ValueError,),
    "the other side's": (OtherSide,),
    "the machine's": (OSError, MemoryError, ImportError),
    "ours": (AssertionError,),
}
OPTIONAL = {"torch", "rbcl", "mpyc", "vyper", "sklearn", "safetensors"}  # what extras bring


def families(error):
    return [name for name, roots in FAMILIES.items() if issubclass(error, roots)]


def classes():
    """Every error class that a module of the package defines."""
    found = set()
    for place in pkgutil.walk_packages(folkmoot.__path__, "folkmoot."):
        if place.name == "folkmoot.__main__":
            continue
        try:
            module = importlib.import_module(place.name)
        except ModuleNotFoundError as missing:
            if missing.name not in OPTIONAL:
                raise
            continue
        found |= {
            thing
            for thing in vars(module).values()
            if isinstance(thing, type) and issubclass(thing, Exception) and thing.__module__ == place.name
            and not issubclass(thing, Warning)
        }  # fmt: skip
    return found


def test_every_error_is_of_one_family():
    found = classes()
    assert len(found) >= 20
    assert {error.__qualname__: families(error) for error in found if len(families(error)) != 1} == {}


def test_what_others_make_is_never_the_callers_fault():
    others = {error.__name__ for error in classes() if issubclass(error, OtherSide)}
    assert others >= {
        "BadAnswer", "BadSignature", "DamagedFile", "DamagedLedger", "InvalidBlock", "InvalidProof", "Malformed",
        "MissingContent", "NodeError", "NotSettled", "RefusedComparison", "RefusedRecord", "Rejected",
        "TamperedContent", "UnknownRules", "UnreadableLedger",
    }  # fmt: skip
    assert not issubclass(OtherSide, ValueError)
    assert issubclass(ledger.DamagedLedger, DamagedFile)


@pytest.mark.parametrize("bases", [(ValueError, OtherSide), (RuntimeError,)])
def test_two_families_or_none_are_noticed(bases):
    assert len(families(type("Both", bases, {}))) != 1


def test_the_names_of_the_ledger_are_where_they_were():
    for name in ("DamagedLedger", "InvalidBlock", "Malformed", "MissingContent", "NotStored", "RefusedRecord",
                 "TamperedContent", "UnknownRules", "UnreadableLedger"):  # fmt: skip
        assert len(families(getattr(ledger, name))) == 1


# --- A mistake of ours surfaces ---------------------------------------------------------------------------------------


def bug(*given, **more):
    raise ValueError("a mistake of ours")


OURS = "^a mistake of ours$"


@pytest.fixture
def book(tmp_path):
    with ledger.create(tmp_path / "x.ledger", genesis()) as opened:
        opened.append(signed(opened.chain, [b"one"]))
        yield opened


@pytest.mark.parametrize("where", ["genesis", "signers", "step"])
def test_in_a_rule(book, monkeypatch, where):
    """It is neither a block that is refused nor a file that is damaged."""
    next_block = signed(book.chain, [b"two"])
    assert book.verify().ok
    monkeypatch.setattr(Notes, where, bug)
    with pytest.raises(ValueError, match=OURS):
        ledger.open(book.path).verify()
    if where != "genesis":
        with pytest.raises(ValueError, match=OURS):
            ledger.apply_block(book.chain, next_block)


def test_what_a_rule_refuses_is_the_other_sides(book, monkeypatch):
    def refuse(*given):
        raise Malformed("no such note")

    monkeypatch.setattr(Notes, "step", refuse)
    with pytest.raises(ledger.RefusedRecord, match="no such note"):
        ledger.apply_block(book.chain, signed(book.chain, [b"two"]))
    assert "no such note" in ledger.open(book.path).verify().reason


def agreement():
    """Two members; the message of the second to the first."""
    one, two = (Identity(bytes([n]) * 32) for n in (1, 2))
    members = (one.public_key, two.public_key)
    parts = [signed_messages.Agreement(members, who, 0, b"x", b"value") for who in (one, two)]
    (_, data), = parts[1].step(0, [])  # fmt: skip
    parts[0].step(0, [])
    return parts[0], data


@pytest.mark.parametrize("where", ["verify", "_require_chain", "decode"])
def test_in_a_handler_of_messages(monkeypatch, where):
    """It is no message that is rejected."""
    monkeypatch.setattr(signed_messages, where, bug)
    monkeypatch.setattr(signed_messages, "_layouts", {})  # else a message that lies as an earlier one is not decoded
    mine, data = agreement()
    with pytest.raises(ValueError, match=OURS):
        mine.step(1, [data])
    assert not mine.rejected


def test_a_bad_message_is_rejected():
    mine, data = agreement()
    mine.step(1, [data[:-1] + bytes([data[-1] ^ 1]), b"nonsense"])
    assert sum(mine.rejected.values()) == 2


def test_in_a_check_of_signatures(monkeypatch):
    """It is no bad signature."""
    header = signed(ledger.start(genesis()), [b"one"]).header
    signature = ledger.sign(header, KEYS[0])
    assert ledger.is_signed(header, signature)
    monkeypatch.setattr(signatures, "crypto_sign_open", bug)
    with pytest.raises(ValueError, match=OURS):
        ledger.is_signed(header, signature)


# --- Nobody catches more than he judges -------------------------------------------------------------------------------

JUDGES = ("ledger", "agreement", "comparison", "bc_ucb", "multiparty")
# Where others' bytes become one of our values, whose own checks raise ValueError, and nothing else is in the `try`; or
# where a library reads them.
NARROW = {
    "ledger/block.py": 1,  # Header and Block
    "ledger/chain.py": 1,  # Genesis
    "agreement/evidence.py": 1,  # Header
    "multiparty/chain/entries.py": 1,  # checked_classes
    "multiparty/rules/terms.py": 1,  # Terms
    "multiparty/chain/kind.py": 1,  # safetensors
    "multiparty/models/linear_model.py": 1,  # safetensors
    "multiparty/models/estimator_model.py": 1,  # safetensors
    "multiparty/models/torch_model.py": 4,  # safetensors; a module's own code, twice; a user's function that builds one
    "multiparty/models/tensors.py": 1,  # JSON
    "multiparty/models/code.py": 1,  # the source of a user's function is not to be had
    "multiparty/models/users.py": 2,  # whatever a user's code raises, and says of it
    "multiparty/saved.py": 3,  # a file's fields, and its hexadecimal digits; a saved model
    "multiparty/written_predictors.py": 1,  # a file's fields
    "multiparty/models/labels.py": 1,  # a caller's list of which NumPy makes no array
    "multiparty/chain/answering.py": 1,  # a member's own training of its own model
    "multiparty/chain/wishes.py": 1,  # more records than a block can hold
    "multiparty/chain/acts.py": 1,  # JSON
    "multiparty/on_record.py": 1,  # a predictor that another party named, on models it is not made for
    "multiparty/keys.py": 1,  # hexadecimal digits of a file
    "bc_ucb/disclosed.py": 1,  # longer than a set can be
    "multiparty/models/kinds.py": 2,  # a user's file, and what its errors say of themselves
    "bc_ucb/protocol.py": 1,  # the caller's word for a comparison
    "bc_ucb/invariants.py": 1,  # becomes an AssertionError
}


def wide(text):
    """Lines that catch a ValueError or more."""
    broad = {"ValueError", "Exception", "BaseException"}
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler):
            names = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else broad
            raises = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in node.body)
            if names & broad and not raises:
                found.append(node.lineno)
    return found


def test_who_judges_others_catches_nothing_wider():
    package = Path(folkmoot.__file__).parent
    found = {}
    for room in JUDGES:
        for file in (package / room).rglob("*.py"):
            lines = wide(file.read_text(encoding="utf-8"))
            if lines:
                found[file.relative_to(package).as_posix()] = len(lines)
    assert {file: number for file, number in found.items() if number > NARROW.get(file, 0)} == {}


@pytest.mark.parametrize("what", ["ValueError", "Exception", "(KeyError, ValueError)", ""])
def test_a_wide_one_is_noticed(what):
    assert wide(f"try:\n    x()\nexcept {what}:\n    y()".replace("except :", "except:")) == [3]
