"""Amendments: who must sign them, what they may change, and that a member signs one and not two."""

from dataclasses import replace

import pytest
from consortium import charter_of, seeds_of

from folkmoot.encoding import Malformed
from folkmoot.node import epochs
from folkmoot.node.amendment import amend, changes, check_counts, lacking, signed
from folkmoot.node.care import backup, restore
from folkmoot.node.charter import BadCharter, read_charter, write_charter
from folkmoot.node.epoch import Opening, opening_frame, opening_of
from folkmoot.node.folder import CHARTER, Folder
from folkmoot.node.frames import OPENING, Frame
from folkmoot.node.member import Card
from folkmoot.node.terms import Terms
from folkmoot.node.words import words

SEEDS = seeds_of(8)


def card(number, name=None, port=9000):
    return Card.of(SEEDS[number], name or f"site-{number}", f"127.0.0.1:{port + number}")


def signed_by(amendment, before, numbers):
    for number in numbers:
        amendment = signed(amendment, before, SEEDS[number])
    return amendment


def test_a_quorum_of_the_members_changes_the_terms(tmp_path):
    before = charter_of(4)
    made = amend(before, 10, Terms(**{**before.terms.model_dump(), "rounds": 50, "stage": 2.0}))
    assert made.epoch == 2
    assert (
        "1 of 3 members that are needed have signed; site-1, site-2, site-3"
        in lacking(signed_by(made, before, [0]), before)[0]
    )
    with pytest.raises(BadCharter, match="2 of 3 members"):
        check_counts(signed_by(made, before, [0, 3]), before)
    whole = signed_by(made, before, [0, 3, 1])
    check_counts(whole, before)
    write_charter(tmp_path / "a.toml", whole)
    assert read_charter(tmp_path / "a.toml") == whole
    said = "\n".join(changes(made, before))
    assert "rounds: 30 becomes 50." in said
    assert "stage: 5.0 becomes 2.0." in said
    assert "epoch 2" in words(made)[0]


def test_terms_that_are_not_given_are_those_of_before_for_the_rounds_that_are_left():
    paced = {"period": 100.0, "play": 10.0, "stage": 5.0}
    before = charter_of(4, rounds=30, **paced)
    made = amend(before, 10)
    assert made.terms.rounds == 20
    assert made.terms.start == "2026-01-01T00:16:40Z"
    with pytest.raises(BadCharter, match="2 of 30 rounds are left after round 28: give new terms"):
        amend(before, 28)
    with pytest.raises(BadCharter, match=r"expected no time before the last round has ended, 2026-01-01T00:16:40Z"):
        amend(before, 10, before.terms)


def test_who_joins_signs_and_a_quorum_of_the_old_ones():
    before = charter_of(4)
    made = amend(before, 10, admit=[card(4)])
    assert [one.name for one in made.members] == [f"site-{n}" for n in range(5)]
    whole = signed_by(made, before, [0, 1, 2])
    assert "not signed by site-4" in lacking(whole, before)[0]
    check_counts(signed_by(whole, before, [4]), before)
    with pytest.raises(BadCharter, match="2 of 3 members"):
        check_counts(signed_by(made, before, [0, 1, 4]), before)  # who joins does not count as one of them
    with pytest.raises(ValueError, match="no member"):
        signed(made, before, SEEDS[7])


def test_who_leaves_need_not_sign_and_may():
    before = charter_of(5)
    made = amend(before, 10, remove=["site-1"])
    assert [one.name for one in made.members] == ["site-0", "site-2", "site-3", "site-4"]
    check_counts(signed_by(made, before, [0, 2, 3, 4]), before)
    check_counts(signed_by(made, before, [0, 1, 2, 3]), before)
    with pytest.raises(BadCharter, match="faults = 1: expected at most"):
        amend(before, 10, remove=["site-1", "site-2"])


def test_who_changes_its_key_signs_with_both():
    before = charter_of(4)
    made = amend(before, 10, change=[card(5, "site-3")])
    with pytest.raises(BadCharter, match="site-3 with the key that it gives up"):
        check_counts(signed_by(made, before, [0, 1, 2, 5]), before)
    with pytest.raises(BadCharter, match=r"site-3 with key .*whose card is new"):
        check_counts(signed_by(made, before, [0, 1, 2, 3]), before)
    check_counts(signed_by(made, before, [0, 1, 3, 5]), before)
    assert "site-3 changes its key" in "\n".join(changes(made, before))
    moved = amend(before, 10, change=[card(3, port=9500)])
    with pytest.raises(BadCharter, match="not signed by site-3"):
        check_counts(signed_by(moved, before, [0, 1, 2]), before)
    check_counts(signed_by(moved, before, [0, 1, 3]), before)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"remove": ["nobody"]}, "nobody: no member"),
        ({"change": [card(6)]}, "site-6: no member"),
        ({"admit": [card(6, "site-1")]}, "is a member; a new address or key is a change"),
        ({"admit": [card(1, "another")]}, "two have the same key"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(given, message):
    with pytest.raises((ValueError, BadCharter), match=message) as caught:
        amend(charter_of(4), 10, **given)
    assert "\n" not in str(caught.value)


def test_an_amendment_is_of_one_charter():
    before, other = charter_of(4), charter_of(4)
    made = signed_by(amend(before, 10), before, range(4))
    check_counts(made, before)
    with pytest.raises(BadCharter, match="follows charter"):
        check_counts(made, other)
    with pytest.raises(BadCharter, match="amends none"):
        check_counts(other, before)
    with pytest.raises(BadCharter, match="expected the first of its consortium"):
        made.check_signed()
    with pytest.raises(BadCharter, match=r"after = 99: expected a round of the epoch before"):
        amend(before, 99, before.terms)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("after = 10", "after = 11"),
        ("epoch = 2", "epoch = 3"),
        ("rounds = 20", "rounds = 21"),
        ('before = "', 'before = "00'),
        ("[amends]", "[amend]"),
        ("after = 10", 'after = "10"'),
        ("folkmoot amendment 1", "folkmoot charter 1"),
        ("[signatures]", "[signatures]\nsite-0 = 'AAAA'"),
    ],
)
def test_a_changed_amendment_is_refused_in_one_line(tmp_path, old, new):
    before, path = charter_of(4), tmp_path / "a.toml"
    write_charter(path, signed_by(amend(before, 10), before, range(3)))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadCharter) as caught:
        read_charter(path)
    assert "\n" not in str(caught.value)


def test_an_epoch_is_bound_to_the_last_block_of_the_one_before():
    before = charter_of(4)
    made = amend(before, 10)
    assert made.identity == made.digest
    opened = [replace(made, opening=Opening(height, bytes([h]) * 32)) for height, h in ((7, 1), (7, 2), (8, 1))]
    assert len({one.identity for one in opened} | {made.digest}) == 4
    assert replace(made, opening=Opening(0, b"")).identity == made.digest


@pytest.mark.parametrize(
    "said", [(), (bytes(32), 1, b""), (bytes(31), 1, bytes(32)), (bytes(32), -1, bytes(32)), (bytes(32), 0, bytes(32))]
)
def test_an_opening_that_makes_no_sense_is_malformed(said):
    from folkmoot.encoding import encode

    with pytest.raises(Malformed):
        opening_of(Frame(OPENING, parts=(encode(said),)))
    assert opening_of(opening_frame(bytes(32), Opening(3, bytes(32)))) == (bytes(32), Opening(3, bytes(32)))


# --- Folders ---------------------------------------------------------------------------------------------------------


def folder_of(path, number, charter=None):
    folder = Folder.make(path / f"n{number}", f"site-{number}", f"127.0.0.1:{9000 + number}", seed=SEEDS[number])
    if charter is not None:
        folder.join(charter)
    return folder


def test_a_member_signs_one_amendment_of_a_charter_and_not_two(tmp_path):
    before = charter_of(4)
    folder, first, second = folder_of(tmp_path, 0, before), amend(before, 10), amend(before, 10)
    once = epochs.sign(folder, first, before, SEEDS[0])
    assert epochs.sign(folder, first, before, SEEDS[0]).signatures == once.signatures
    with pytest.raises(ValueError, match="has signed another amendment"):
        epochs.sign(folder, second, before, SEEDS[0])


def test_a_folder_from_a_copy_signs_no_amendment_without_a_word(tmp_path):
    """It does not know which one was signed after the copy was made."""
    before = charter_of(4)
    folder, first, second = folder_of(tmp_path, 0, before), amend(before, 10), amend(before, 10)
    backup(folder, tmp_path / "copy")
    epochs.sign(folder, first, before, SEEDS[0])
    restore(tmp_path / "copy", tmp_path / "again")
    again = Folder(tmp_path / "again")
    with pytest.raises(ValueError, match=r"may have signed another amendment since.* --signed-no-other"):
        epochs.sign(again, second, before, SEEDS[0])
    backup(again, tmp_path / "second")
    restore(tmp_path / "second", tmp_path / "third")
    with pytest.raises(ValueError, match="may have signed another"):
        epochs.sign(Folder(tmp_path / "third"), second, before, SEEDS[0])
    assert epochs.sign(again, first, before, SEEDS[0], no_other=True).signatures
    assert epochs.sign(again, first, before, SEEDS[0]).signatures
    with pytest.raises(ValueError, match="has signed another amendment"):
        epochs.sign(again, second, before, SEEDS[0], no_other=True)


def test_a_folder_takes_amendments_that_count_and_no_others(tmp_path):
    before = charter_of(4)
    folder = folder_of(tmp_path, 0, before)
    made = amend(before, 10)
    with pytest.raises(BadCharter, match="0 of 3 members"):
        epochs.give(folder, made)
    second = signed_by(made, before, [0, 1, 2])
    epochs.give(folder, second)
    epochs.give(folder, second)
    with pytest.raises(ValueError, match="there cannot be two"):
        epochs.give(folder, signed_by(amend(before, 10), before, [1, 2, 3]))
    third = signed_by(amend(second, 5), second, [0, 1, 2])
    epochs.give(folder, third)
    assert [one.digest for one in epochs.lineage(folder)] == [before.digest, second.digest, third.digest]
    assert epochs.current(epochs.lineage(folder)).epoch == 1
    epochs.begin(folder, replace(second, opening=Opening(9, bytes(32))), before, 0)
    assert epochs.current(epochs.lineage(folder)).opening == Opening(9, bytes(32))


def test_who_joins_is_given_all_charters_up_to_its_own(tmp_path):
    before = charter_of(4)
    second = signed_by(amend(before, 10), before, [0, 1, 2])
    third = signed_by(amend(second, 5, admit=[card(4)]), second, [0, 1, 2, 4])
    folder = folder_of(tmp_path, 4)
    with pytest.raises(ValueError, match="has no charter yet"):
        epochs.give(folder, third)
    with pytest.raises(BadCharter, match="follows charter"):
        epochs.give(folder, third, [before])
    assert not (folder.path / CHARTER).exists()
    epochs.give(folder, third, [before, second])
    assert [one.epoch for one in epochs.lineage(folder)] == [1, 2, 3]


def test_a_folder_with_an_amendment_that_somebody_has_changed_is_refused(tmp_path):
    before = charter_of(4)
    folder = folder_of(tmp_path, 0, before)
    epochs.give(folder, signed_by(amend(before, 10), before, [0, 1, 2]))
    write_charter(epochs.place(folder, 2) / CHARTER, signed_by(amend(before, 10), before, [0, 1]))
    with pytest.raises(BadCharter, match="2 of 3 members"):
        epochs.lineage(folder)
