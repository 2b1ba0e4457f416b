"""Chains of kind "bema": replay gives the same parameters, and whatever is not in order is named with its block."""

import re
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `multiparty`")

from made_bema import (
    INPUTS,
    MINER,
    MODELS,
    RAW,
    asks,
    copied,
    created,
    data,
    forced,
    genesis,
    key,
    made,
    next_block,
    original,
    party,
    public,
    terms,
    tiny,
    trained,
)

from folkmoot import ledger
from folkmoot.cli import main
from folkmoot.encoding import encode
from folkmoot.multiparty.chain.entries import entry, load
from folkmoot.multiparty.chain.messages import application
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.records import (
    CALIBRATE,
    DISTANCE,
    REFUSE,
    REGISTER,
    UNCOVERED,
    UNMEASURED,
    UNUSABLE,
    Head,
    Leaf,
    read_calibration,
    read_head,
    read_refused,
    read_registered,
)
from folkmoot.multiparty.chain.signing import APPROVAL, REFUSAL, SAMPLE, signature_of
from folkmoot.multiparty.models import architectures
from folkmoot.multiparty.models.code import code_of

BLOCKS = 5  # 1: dan is admitted, 2: eve is refused, 3 to 5: samples


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return made(tmp_path_factory.mktemp("bema") / "base.ledger", BLOCKS, work_bits=4)


@pytest.fixture
def path(base, tmp_path):
    return copied(base, tmp_path / "copy.ledger")


def fails(path, block, match, capsys):
    """`folkmoot ledger verify` names the block and says why."""
    capsys.readouterr()
    assert main(["ledger", "verify", str(path)]) == 1
    line = capsys.readouterr().err
    assert re.fullmatch(f"folkmoot: failed: .*: block {block}: .*{match}.*\n", line), line


def block_of(chain, head, *records, signing=None):
    """A block over any records, with its work done and signed by the miner."""
    records = [item if isinstance(item, bytes) else item.to_bytes() for item in (head, *records)]
    return ledger.mined(ledger.propose(chain, records), range(1 << 32)).signed(
        key(MINER) if signing is None else signing
    )


def calibration(ledger_file, height):
    (block,) = ledger_file.blocks(height, height)
    return read_calibration(block.records[1:])


def a_block(chain):
    """The next good block on a chain, in its parts: chain, samples, leaves."""
    miner = Miner(key(MINER), chain)
    for number in range(3):
        for message in party(chain, number).mine(chain.state.committee, 8):
            assert miner.receive(message) is None
    samples, leaves = read_calibration(miner.block(0).records[1:])
    assert len(leaves) >= 2
    assert any(not s.verdict for s in samples)
    return chain, list(samples), list(leaves)


@pytest.fixture(scope="module")
def grown(base):
    """The chain of `base` and the parts of its next block."""
    return a_block(ledger.open(base).chain)


HEAD = Head(CALIBRATE, 7, public(MINER), "miner")


# --- Good chains -----------------------------------------------------------------------------------------------------


def test_a_chain_of_200_blocks_is_replayed_to_the_same_parameters(tmp_path, capsys):
    path, told, verdicts = tmp_path / "long.ledger", {}, Counter()
    with created(path) as book:
        miner = Miner(key(MINER), book.chain)
        parties = [party(book.chain, number, samples=900) for number in range(3)]
        for time in range(200):
            samples, leaves = read_calibration(next_block(book, miner, parties, 1, time).records[1:])
            told |= {leaf.party: leaf.parameters for leaf in leaves}
            verdicts.update(sample.verdict for sample in samples)
    assert verdicts[""] > 100
    assert sorted(told) == [0, 1, 2]
    assert main(["ledger", "verify", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: 200 blocks, all good, tip ")
    fleet = book.chain.state.committee.fleet
    assert {number: ledger.name_of(fleet.parameters(number)) for number in told} == told


def test_the_blocks_say_what_happened(base):
    book = ledger.open(base)
    assert book.verify() == ledger.Verification(BLOCKS, book.chain.tip)
    blocks = list(book.blocks())
    heads = [read_head(block.records[0]) for block in blocks]
    assert [head.what for head in heads] == [REGISTER, REFUSE] + [CALIBRATE] * (BLOCKS - 2)
    assert {head.miner for head in heads} == {public(MINER)}
    admitted, refused = read_registered(blocks[0].records[1]), read_refused(blocks[1].records[1])
    assert (admitted.party.name, admitted.approver) == ("dan", 0)
    assert (refused.party.name, refused.reason) == ("eve", DISTANCE)
    assert admitted.distance <= terms().omega < refused.distance
    assert [one.name for one in book.chain.state.parties] == ["ada", "bob", "cyd", "dan"]
    samples, leaves = calibration(book, 3)
    assert [sample.sender for sample in samples] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert {len(book.contents.get(sample.name)) for sample in samples} == {3 + 4 + 8 * 4}
    model = load(book.chain.state.parties[0], terms(), book.contents)
    assert book.contents.get(leaves[0].parameters) != model.to_bytes()


def test_a_party_may_mine_too(grown):
    chain, samples, leaves = grown
    for number, kind in ((0, "OP"), (4, "RP")):
        head = HEAD._replace(miner=public(number), miner_kind=kind)
        block = block_of(chain, head, *samples, *leaves, signing=key(number))
        assert ledger.apply_block(chain, block).height == BLOCKS + 1


def test_states_are_not_changed_by_what_follows(base, grown):
    _, samples, leaves = grown
    chain = ledger.open(base).chain  # nothing was computed ahead on this one
    before = [chain.state.committee.fleet.parameters(i) for i in range(4)]
    after = ledger.apply_block(chain, block_of(chain, HEAD, *samples, *leaves))
    assert [chain.state.committee.fleet.parameters(i) for i in range(4)] == before
    for leaf in leaves:
        assert ledger.name_of(after.state.committee.fleet.parameters(leaf.party)) == leaf.parameters


# --- Contents --------------------------------------------------------------------------------------------------------


def content_file(path, name):
    text = name.hex()
    return path.with_name(path.name + ".contents") / text[:2] / text[2:]


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        *((damage, "sample") for damage in ("change", "lose", "link", "folder", "grow")),
        *((damage, what) for damage in ("change", "lose") for what in ("parameters", "first parameters", "newcomer")),
    ],
)
def test_damaged_contents_are_named(path, capsys, damage, what):
    book = ledger.open(path)
    samples, leaves = calibration(book, 4)
    block, name, record = {
        "sample": (4, samples[1].name, "record 2: sample of party 0"),
        "parameters": (4, leaves[0].parameters, f"record {len(samples) + 1}"),
        "first parameters": (0, book.genesis.configuration[1][1][5], "original party 1"),
        "newcomer": (1, read_registered(next(iter(book.blocks())).records[1]).party.parameters, "record 1"),
    }[what]
    file = content_file(path, name)
    stored = file.read_bytes()
    if damage in ("change", "grow"):
        file.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]) if damage == "change" else stored + b"\0")
    else:
        file.unlink()
    if damage == "link":
        file.with_name("elsewhere").write_bytes(stored)
        file.symlink_to("elsewhere")
    elif damage == "folder":
        file.mkdir()
    error = "MissingContent" if damage == "lose" else "TamperedContent"
    fails(path, block, f"{error}: {record}.*content {name.hex()} ", capsys)


def test_no_contents_at_all(path, capsys):
    shutil.rmtree(f"{path}.contents")
    fails(path, 0, "MissingContent: original party 0", capsys)
    with pytest.raises(ledger.MissingContent, match="begun without a store"):
        ledger.start(ledger.open(path).genesis)


def test_a_new_file_needs_the_contents_of_its_genesis(tmp_path):
    with pytest.raises(ledger.MissingContent, match="original party 0"):
        ledger.create(tmp_path / "x.ledger", genesis(ledger.MemoryContents()))
    assert list(tmp_path.iterdir()) == []


# --- Blocks of a miner that lies -------------------------------------------------------------------------------------


def lies(chain, samples, leaves):
    """Each lie in a calibration block: records, and what is said about it."""
    yes = next(i for i, s in enumerate(samples) if not s.verdict)
    no = next((i for i, s in enumerate(samples) if s.verdict), yes)
    first = len(samples) + 1
    store = chain.state.contents

    def with_sample(at, **fields):
        """A sample changed and signed again by its sender."""
        changed = samples[at]._replace(**fields)
        signature = signature_of(key(changed.sender), SAMPLE, chain.genesis.hash, changed.said())
        return [*samples[:at], changed._replace(signature=signature), *samples[at + 1 :], *leaves]

    def told(at, verdict):
        return [*samples[:at], samples[at]._replace(verdict=verdict), *samples[at + 1 :], *leaves]

    huge = np.full(8, np.inf, np.float32)
    other = load(chain.state.parties[leaves[0].party], terms(), store).to_bytes()
    wrong_leaf = leaves[0]._replace(parameters=store.put(other))
    later = leaves[1].party
    return {
        "a verdict": (told(yes, "spread"), f"record {yes + 1}: sample of party .*: accepted, the block says spread"),
        "another verdict": (told(no, "margin" if samples[no].verdict != "margin" else ""), f"record {no + 1}: sample"),
        "a leaf": (
            [*samples, wrong_leaf, *leaves[1:]],
            f"record {first}: model of party 0 .ada.: parameters hash to {leaves[0].parameters.hex()}, "
            f"the block says {wrong_leaf.parameters.hex()}",
        ),
        "swapped parameters": (
            [*samples, leaves[0]._replace(parameters=leaves[1].parameters),
             leaves[1]._replace(parameters=leaves[0].parameters), *leaves[2:]],
            f"record {first}: model of party 0",
        ),
        "swapped leaves": ([*samples, leaves[1], leaves[0], *leaves[2:]], f"record {first + 1}: .* party 0 after"),
        "a leaf left out": ([*samples, *leaves[1:]], f"record {first}: the model moved next is .*0 .*says .*{later}"),
        "the last leaf left out": ([*samples, *leaves[:-1]], f"record {first + len(leaves) - 1}: .* says none"),
        "a leaf too many": ([*samples, *leaves, Leaf(9, "torch/tiny", bytes(32))], "is none, .* says .*9 .there is"),
        "another kind": (
            [*samples, leaves[0]._replace(model_kind="torch/x"), *leaves[1:]], "of kind torch/tiny#[0-9a-f]{16}, not"
        ),
        "another order": ([*samples[::-1], *leaves], "record"),
        "a sample not signed": (
            [samples[0]._replace(label=samples[0].wrong, wrong=samples[0].label), *samples[1:], *leaves],
            "record 1: sample of party 0: not signed by it",
        ),
        "a foreign sender": ([samples[0]._replace(sender=7), *samples[1:], *leaves], "record 1: .*no such party"),
        "a sample not finite": (with_sample(1, name=store.put(encode(huge))), "record 2: .*that are not finite"),
        "a sample of a shape": (
            with_sample(1, name=store.put(encode(np.zeros(9, np.float32)))), r"record 2: .*expected float32 \(8,\)"
        ),
        "a sample of a type": (with_sample(1, name=store.put(encode(np.zeros(8)))), "record 2: .*sample of float64"),
        "no array": (with_sample(1, name=store.put(encode((1, 2)))), "record 2: .*"),
        "no encoding": (with_sample(1, name=store.put(b"\xff")), "record 2: .*unknown tag 255"),
        "a class of nobody": (with_sample(0, wrong=9), "record 1: .*expected two that parties know"),
        "no samples": (list(leaves), "0 samples: expected 1 to 4096"),
        "a sample after a leaf": ([*samples[:-1], *leaves, samples[-1]], "a sample after the first model"),
        "nonsense": ([*samples, b"\x07", *leaves], f"record {first}: .*the data end in a length"),
    }  # fmt: skip


def test_lies_in_a_block_are_named(base, grown, tmp_path, capsys):
    chain, samples, leaves = grown
    good = copied(base, tmp_path / "good.ledger")
    forced(good, block_of(chain, HEAD, *samples, *leaves))
    assert ledger.open(good).verify().blocks == BLOCKS + 1
    found = lies(chain, samples, leaves)
    assert len(found) == 21
    for name, (records, match) in found.items():
        block = block_of(chain, HEAD, *records)
        with pytest.raises(ledger.RefusedRecord, match=match):
            ledger.apply_block(chain, block)
        if name in ("a verdict", "a leaf", "swapped leaves", "a sample not finite"):
            bad = copied(base, tmp_path / f"{name}.ledger")
            forced(bad, block)
            fails(bad, BLOCKS + 1, match, capsys)


def test_a_block_with_too_little_work_is_named(path, grown, capsys):
    chain, samples, leaves = grown
    records = [item.to_bytes() for item in (HEAD, *samples, *leaves)]
    candidates = (ledger.mined(ledger.propose(chain, records), range(n, n + 1)) for n in range(100))
    assert sum(block is not None for block in candidates) < 30  # four bits: one in sixteen
    for nonce in range(100):
        block = ledger.Block(ledger.Header(*_fields(ledger.propose(chain, records).header, nonce)), tuple(records))
        if block.hash[0] >= 16:
            break
    forced(path, block.signed(key(MINER)))
    fails(path, BLOCKS + 1, "LowWork: .* 4 leading zero bits were promised", capsys)


def _fields(header, nonce):
    return (header.version, header.kind, header.height, header.previous, header.records_root, header.work_bits, nonce)


def test_only_the_miner_it_names_signs_a_block(grown):
    chain, samples, leaves = grown
    block = block_of(chain, HEAD, *samples, *leaves)
    with pytest.raises(ledger.InvalidBlock, match="0 signatures: 1 are needed"):
        ledger.apply_block(chain, ledger.Block(block.header, block.records))
    with pytest.raises(ledger.InvalidBlock, match="has no say"):
        ledger.apply_block(chain, block.signed(key(0)))
    for head, match in [
        (HEAD._replace(miner_kind="OP"), "of kind OP is of kind miner"),
        (HEAD._replace(miner=public(77)), "neither a miner nor a party"),
        (HEAD._replace(miner=public(0)), "of kind miner is of kind OP"),
        (HEAD.to_bytes()[:-1] + b"\x00", "the hash is not that of the miner and its kind"),
        (HEAD._replace(time=-1), "time = -1"),
    ]:
        with pytest.raises(ledger.RefusedRecord, match=match):
            ledger.apply_block(chain, block_of(chain, head, *samples, *leaves))
    with pytest.raises(ledger.RefusedRecord, match="no records"):
        ledger.apply_block(chain, ledger.mined(ledger.propose(chain, []), range(1 << 20)).signed(key(MINER)))


# --- Newcomers -------------------------------------------------------------------------------------------------------


def approval_lies(chain):
    """Forged approvals of a newcomer, and what is said about each."""
    good = read_registered(original(0).assess(chain, asks(chain, 6, name="fay")))
    other = ledger.start(genesis(chain.state.contents, work_bits=5), chain.state.contents)
    elsewhere = read_registered(original(0).assess(other, asks(other, 6, name="fay")))
    taken = read_registered(original(0).assess(other, asks(other, 4)))

    def by(number, record, purpose=APPROVAL):
        signature = signature_of(key(number), purpose, chain.genesis.hash, record.said())
        return record._replace(signature=signature)

    worse = good._replace(party=entry("fay", public(6), RAW, chain.state.contents))
    lost = good.party._replace(parameters=bytes(32))
    consent = read_consent(application(key(6), chain.genesis.hash, lost))
    swapped = entry("fay", public(6), trained(0, (0, 1, 2, 3)), chain.state.contents)._replace(classes=(0, 1))
    consent_swapped = read_consent(application(key(6), chain.genesis.hash, swapped))
    return good, {
        "another key": (by(6, good), "is not signed by party 0"),
        "another purpose": (by(0, good, REFUSAL), "is not signed by party 0"),
        "another chain": (elsewhere, "the application of fay is not signed by its key"),
        "approval for another chain": (elsewhere._replace(consent=good.consent), "is not signed by party 0"),
        "distance edited": (good._replace(distance=0.01), "is not signed by party 0"),
        "distance too large": (by(0, good._replace(distance=0.5)), "distance of fay = 0.5: at most 0.26"),
        "no original party": (by(4, good._replace(approver=3)), "party 3 is no original party"),
        "nobody": (by(0, good._replace(approver=99)), "party 99 is no original party"),
        "does not know the classes": (by(2, good._replace(approver=2)), "party 2 is no original party that knows all"),
        "another model": (by(0, worse), "the application of fay is not signed by its key"),
        "taken": (by(0, taken), "the name or the key of dan is that of a party already"),
        "lost": (by(0, good._replace(party=lost, consent=consent)), "MissingContent|content 0000"),
        "does not fit": (by(0, good._replace(party=swapped, consent=consent_swapped)), "parameters of another model"),
    }


def read_consent(data):
    return ledger.decode(data)[1]


def test_forged_approvals_are_named(base, grown, tmp_path, capsys):
    chain = grown[0]
    good, found = approval_lies(chain)
    head = HEAD._replace(what=REGISTER)
    assert len(ledger.apply_block(chain, block_of(chain, head, good)).state.parties) == 5
    for name, (record, match) in found.items():
        block = block_of(chain, head, record)
        with pytest.raises(ledger.RefusedRecord, match=match):
            ledger.apply_block(chain, block)
        if name in ("another key", "approval for another chain", "distance edited"):
            bad = copied(base, tmp_path / f"{name}.ledger")
            forced(bad, block)
            fails(bad, BLOCKS + 1, f"record 1: .*{match}", capsys)
    with pytest.raises(ledger.RefusedRecord, match="3 records: a block of a newcomer has two"):
        ledger.apply_block(chain, block_of(chain, head, good, good))


def test_refusals_change_nothing_and_must_be_true(grown):
    chain = grown[0]
    head = HEAD._replace(what=REFUSE)
    far = read_refused(original(0).assess(chain, asks(chain, 6, (0, 3), RAW, "fay")))
    after = ledger.apply_block(chain, block_of(chain, head, far))
    assert after.state.parties == chain.state.parties
    assert after.state.committee is chain.state.committee

    def signed(record, number=0):
        signature = signature_of(key(number), REFUSAL, chain.genesis.hash, record.said())
        return record._replace(signature=signature)

    alone = far._replace(approver=-1, reason=UNCOVERED, distance=None, signature=b"")
    for record, match in [
        (alone, "party 0 knows all of its classes"),
        (signed(far._replace(distance=0.1)), "refused for its distance, which is within 0.26"),
        (far._replace(distance=0.9), "the refusal of fay is not signed by party 0"),
        (signed(far, 1), "the refusal of fay is not signed by party 0"),
        (far._replace(consent=bytes(64)), "the application of fay is not signed by its key"),
    ]:
        with pytest.raises(ledger.RefusedRecord, match=match):
            ledger.apply_block(chain, block_of(chain, head, record))


def test_why_an_original_party_refuses(tmp_path):
    book = created(tmp_path / "x.ledger")
    chain = book.chain
    own = original(1)  # knows 0, 1 and 2
    assert own.assess(chain, asks(chain, classes=(2, 3))) is None  # ada knows both
    empty = OriginalParty(key(1), *data(1, (2,)))
    assert read_refused(empty.assess(chain, asks(chain))).reason == UNMEASURED
    nan = trained(6, (0, 1))
    broken = application(key(6), chain.genesis.hash, entry("gus", public(6), nan, chain.state.contents)._replace(
        settings=encode((False, -1.0))))  # fmt: skip
    assert read_refused(own.assess(chain, broken)).reason == UNUSABLE
    only = ledger.MemoryContents()
    alone = ledger.start(_one_original(only), only)
    answer = original(1).assess(alone, asks(alone, classes=(2, 3)))
    assert read_refused(answer)[2:] == (-1, UNCOVERED, None, b"")
    block = block_of(alone, HEAD._replace(what=REFUSE), answer)
    assert ledger.apply_block(alone, block).height == 1
    with pytest.raises(ledger.Malformed, match="not signed by its key"):
        own.assess(chain, application(key(4), bytes(32), entry("dan", public(4), nan, chain.state.contents)))


def _one_original(contents):
    from made_bema import configuration

    first = entry("bob", public(1), MODELS[1], contents)
    return ledger.Genesis("bema", configuration(terms(), [first], [public(MINER)]))


def test_the_distance_is_that_of_the_scores_of_the_labels(tmp_path):
    chain = created(tmp_path / "x.ledger").chain
    newcomer = trained(4, (0, 2))
    x, labels = data(0, (0, 1, 2, 3))
    own = chain.state.committee.fleet.model(0)
    total, count = 0.0, 0
    for i, label in enumerate(labels):
        if label in (0, 2):
            ours = own.scores(x[i : i + 1])[0, label]
            total += abs(float(newcomer.scores(x[i : i + 1])[0, (0, 2).index(label)]) - float(ours))
            count += 1
    assert OriginalParty(key(0), x, labels).distance(newcomer, own) == pytest.approx(total / count, abs=1e-6)


class Says:
    """A model of classes 0 and 2 that gives a sample what stands in its first two numbers."""

    kind = "linear/softmax"  # of ours: no code of a user's runs in it
    classes = (0, 2)

    def scores(self, x):
        return x[:, :2]


class Sure(Says):
    """Inflated: 1 for every class it claims."""

    def scores(self, x):
        return np.ones((len(x), 2), np.float32)


def test_type_1_a_model_sure_of_every_class_is_near_at_each_label_and_far_by_hardened_terms():
    x = np.zeros((4, INPUTS), np.float32)
    x[:, :2] = [(0.75, 0.25), (1.0, 0.0), (0.0, 1.0), (0.25, 0.75)]
    asked = OriginalParty(key(0), x, np.array([0, 0, 2, 2]))
    assert asked.distance(Sure(), Says()) == 0.125  # (0.25 + 0 + 0 + 0.25) / 4: it would pass
    assert asked.distance(Sure(), Says(), hardened=True) == 0.5  # class 0: (0.25 + 0 + 1 + 0.75) / 4
    assert asked.distance(Says(), Says(), hardened=True) == 0.0


def test_an_honest_newcomer_is_hardly_farther_by_hardened_terms():
    x, labels = data(0, (0, 2))
    plain, hardened = (
        OriginalParty(key(0), x, labels).distance(trained(4, (0, 2)), MODELS[0], h) for h in (False, True)
    )
    assert plain <= hardened < 1.5 * plain


class Breaks(Says):
    """A model that fails as libraries do."""

    def scores(self, x):
        raise RuntimeError("no such layer")


def test_a_failure_of_the_newcomer_s_model_is_told_from_one_of_ours(tmp_path, monkeypatch):
    """The first is a signed refusal; for the second nobody is refused."""
    chain = created(tmp_path / "x.ledger").chain
    asked = asks(chain)
    with monkeypatch.context() as patch:
        patch.setattr("folkmoot.multiparty.chain.original_party.load", lambda *given: Breaks())
        assert read_refused(original(0).assess(chain, asked)).reason == UNUSABLE
    with monkeypatch.context() as patch:
        patch.setattr(chain.state.committee.fleet, "model", lambda number: Breaks())
        with pytest.raises(RuntimeError, match="no such layer"):
            original(0).assess(chain, asked)

    def bug(*given):
        raise ValueError("ours")

    monkeypatch.setattr(np, "searchsorted", bug)
    with pytest.raises(ValueError, match="ours"):
        original(0).assess(chain, asked)


def test_a_newcomer_of_an_unknown_kind_is_nobody_s_fault(tmp_path, monkeypatch):
    chain = created(tmp_path / "x.ledger").chain
    asked = asks(chain)
    monkeypatch.delitem(architectures.ARCHITECTURES, "tiny")
    with pytest.raises(ledger.UnknownRules, match=r"'torch/tiny#[0-9a-f]+': unknown here"):
        original(0).assess(chain, asked)


# --- Genesis ---------------------------------------------------------------------------------------------------------


def test_a_genesis_that_makes_no_sense():
    store = ledger.MemoryContents()
    good = genesis(store).configuration
    told, parties, miners = good
    first, second, third = parties

    def change(number, value):
        return (told, (tuple(value if i == number else old for i, old in enumerate(first)), second, third), miners)

    ledger.start(ledger.Genesis("bema", good), store)
    for value, match in [
        (None, "configuration of bema: expected"),
        ((told, (), miners), "original parties: 0 given"),
        ((told, (first, first), miners), "two have the same name"),
        (change(1, second[1]), "two have the same key"),
        (change(0, ""), "expected 1 to 64 printable"),
        (change(0, "a\nb"), "expected 1 to 64 printable"),
        (change(2, "torch/nothing"), "model of kind 'torch/nothing': unknown here"),
        (change(2, "abacus"), "model of kind 'abacus': unknown here"),
        (change(3, (1, 0, 2, 3)), "expected ascending order"),
        (change(3, (0, 1, 2, 4)), "class 4: the classes are 0 to 3"),
        (change(3, (0, 1)), "parameters of another model"),
        (change(4, encode((False, float("inf")))), "numbers that are not finite"),
        (change(4, encode((True, 1.0))), "parameters of another model"),
        (change(4, b"\xff"), "unknown tag"),
        (change(5, b""), "0 bytes"),
        ((told[:-1], parties, miners), "terms: expected"),
        (((*told, ()), parties, miners), "terms: the last values say nothing"),
        (((*told, ("foreign",)), parties, miners), r"without = .*expected \(\) with printed rules"),
        (((4, (9,), *told[2:]), parties, miners), r"no scores for samples of shape \(9,\)"),
        ((told, parties, (b"x",)), "miners: expected at most"),
        ((told, parties, (public(1), public(1))), "each key once"),
    ]:
        with pytest.raises((ledger.Malformed, ledger.UnknownRules), match=match):
            ledger.start(ledger.Genesis("bema", value), store)


def test_parameters_have_one_form(tmp_path):
    """The same numbers with other metadata are other bytes, and not what the model writes itself."""
    import safetensors.torch

    store = ledger.MemoryContents()
    told, (first, *others), miners = genesis(store).configuration
    state = safetensors.torch.load(store.get(first[5]))
    name = store.put(safetensors.torch.save(state, metadata={"who": "me"}))
    value = (told, ((*first[:5], name), *others), miners)
    with pytest.raises(ledger.Malformed, match="written down again it is another one"):
        ledger.start(ledger.Genesis("bema", value), store)


UNKNOWN = (
    f"original party 0 (ada): model of kind 'torch/tiny#{code_of(tiny)}': unknown here; enter it with "
    "register_architecture or register_model_kind (a command: --models FILE.py)\n"
)


def test_an_unknown_kind_of_model_is_no_damage(path, capsys, monkeypatch):
    monkeypatch.delitem(architectures.ARCHITECTURES, "tiny")
    assert main(["ledger", "verify", str(path)]) == 2
    assert capsys.readouterr().err == f"folkmoot: error: {path}: {UNKNOWN}"


def test_verify_runs_a_file_that_enters_models_of_one_s_own(path, tmp_path, capsys, monkeypatch):
    own = tmp_path / "own.py"
    own.write_text("from folkmoot.multiparty import register_architecture\nfrom made_bema import tiny\n"
                   "register_architecture('tiny', tiny)\n")  # fmt: skip
    monkeypatch.delitem(architectures.ARCHITECTURES, "tiny")
    assert main(["ledger", "verify", str(path), "--models", str(own)]) == 0
    assert "all good" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("nosuch.py", None, "cannot be read (No such file or directory)"),
        ("own.txt", "", "expected a Python file, FILE.py"),
        ("own.py", "1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_of_models_that_cannot_be_run_is_one_line(path, tmp_path, capsys, name, text, line):
    if text is not None:
        (tmp_path / name).write_text(text)
    assert main(["ledger", "verify", str(path), "--models", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err == f"folkmoot: error: {tmp_path / name}: {line}; {path} is not verified\n"


def test_without_the_extra_verify_says_what_to_install(path):
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom folkmoot.cli import main\n"
        f"sys.exit(main(['ledger', 'verify', {str(path)!r}]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    expected = "models of kind torch/tiny#DIGEST need torch: install folkmoot[multiparty]\n"
    said = re.sub("#[0-9a-f]{16}", "#DIGEST", ran.stderr)
    assert (ran.returncode, said) == (2, f"folkmoot: error: {path}: original party 0 (ada): {expected}")


# --- Tolerance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "fine"), [(1e-6, True), (1e-2, False)])
def test_tolerated_parameters_are_gone_on_with(tmp_path, by, fine):
    path = made(tmp_path / "x.ledger", 3, tolerance=1e-4)
    chain, samples, leaves = a_block(ledger.open(path).chain)
    store = chain.state.contents
    model = chain.state.committee.fleet.model(leaves[0].party)
    model = model.from_bytes(store.get(leaves[0].parameters))
    import safetensors.torch

    state = {name: value + by for name, value in model.state().items()}
    theirs = store.put(safetensors.torch.save(state))
    block = block_of(chain, HEAD, *samples, leaves[0]._replace(parameters=theirs), *leaves[1:])
    if fine:
        fleet = ledger.apply_block(chain, block).state.committee.fleet
        assert ledger.name_of(fleet.parameters(leaves[0].party)) == theirs
        assert ledger.name_of(fleet.parameters(leaves[1].party)) == leaves[1].parameters
    else:
        with pytest.raises(ledger.RefusedRecord, match=r"they differ by 0\.01.*, 0\.0001 is tolerated"):
            ledger.apply_block(chain, block)
