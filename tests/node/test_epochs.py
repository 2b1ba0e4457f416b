"""Epochs on a network in memory: one ends where the amendment says, the next one goes on in the same folders."""

from dataclasses import replace

import numpy as np
import pytest
from consortium import InFolders, charter_of, exclude, folders_of, seeds_of

import folkmoot as fm
from folkmoot.bc_ucb.contract import NO_ESTIMATE
from folkmoot.cli import main
from folkmoot.node import epochs
from folkmoot.node.amendment import amend, signed
from folkmoot.node.care import export, problems
from folkmoot.node.ending import Ending
from folkmoot.node.epoch import NOTHING, Opening, opening_frame
from folkmoot.node.folder import Folder
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of
from folkmoot.node.terms import Terms

REWARDS = fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4)


def signed_by_all(amendment, before, seeds):
    for seed in seeds:
        amendment = signed(amendment, before, seed)
    return amendment


@pytest.fixture(params=["bandit", "bc_ucb"])
def two_epochs(request, tmp_path):
    """Four members, of whom all play the first epoch until an amendment ends it, and then the second."""
    system, seeds = request.param, seeds_of(4)
    settings = {"disclosure": "validators", "algorithm": {"burn_in": 6}} if system == "bc_ucb" else {}
    before = charter_of(4, rounds=1_000, system=system, settings=settings)
    folders = folders_of(tmp_path, seeds, before)
    terms = Terms(**{**before.terms.model_dump(), "rounds": 12, "name": "another test"})
    amendment = signed_by_all(amend(before, 10, terms), before, seeds[:3])
    for folder in folders:
        epochs.give(folder, amendment)
    first = InFolders(before, REWARDS, folders, seeds, [amendment])
    first.play()
    followed = [player.ending.next for player in first.players]
    for player, folder in zip(first.players, folders):
        player._store.close()
        epochs.begin(folder, player.ending.next, before, player.me)
    tallies = []
    for folder in folders:
        store = Store(epochs.place(folder, 2) / FILE)
        tallies.append(store.tally())
        store.close()
    second = InFolders(followed[0], REWARDS, folders, seeds)
    second.play()
    for player in second.players:
        player._store.close()
    return system, folders, first, followed, second, tallies


def test_an_epoch_ends_where_the_amendment_says_and_the_next_one_goes_on(two_epochs):
    system, folders, first, followed, second, tallies = two_epochs
    assert len({one.identity for one in followed}) == 1
    assert (first.arms[1:11] >= 0).all()
    assert (first.arms[11:] == -1).all()
    assert (second.arms[1:13] >= 0).all()
    if system == "bandit":
        assert followed[0].opening == NOTHING
    else:
        assert followed[0].opening.height == 4  # rounds 7 to 10
        assert second.players[0].height == 6
    for folder, tally in zip(folders, tallies):
        assert list(problems(folder, None)) == []
        assert sum(row.pulls for row in tally.values()) == 10  # own pulls are carried over
        store = Store(epochs.place(folder, 2) / FILE)
        assert sum(row.pulls for row in store.tally().values()) == 22
        store.close()
    if system == "bc_ucb":
        one_is_another(folders, followed)


def one_is_another(folders, followed):
    """What a machine has learnt is carried over, both ledgers are whole, and the second names the last block."""
    kept = Store(epochs.place(folders[0], 2) / FILE)
    assert "learnt" in kept.values
    kept.close()
    assert export(folders[0], folders[0].path / "one.ledger", 1) == 4
    assert export(folders[0], folders[0].path / "two.ledger") == 6
    from folkmoot import ledger

    for name in ("one", "two"):
        with ledger.open(folders[0].path / f"{name}.ledger") as file:
            file.verify()
    salt = system_of(followed[0]).facts.first.state.configuration.salt
    assert salt == followed[0].identity != followed[0].digest
    other = replace(followed[0], opening=Opening(3, bytes(32)))
    assert system_of(other).facts.first.tip != system_of(followed[0]).facts.first.tip
    opening = epochs.place(folders[1], 2) / epochs.OPENING
    opening.write_text(opening.read_text().replace("height = 4", "height = 3"))
    assert any("epoch 2 begins with another one" in line for line in problems(folders[1], None))


def test_who_comes_late_believes_more_members_than_may_lie():
    before = charter_of(4, rounds=1_000, system="bc_ucb", settings={"algorithm": {"burn_in": 6}})
    made = amend(before, 10)
    there, other = Opening(4, bytes(32)), Opening(5, bytes(32))
    ending = Ending(before, system_of(before), [made])
    ending.hear(1, opening_frame(made.digest, there))
    ending.hear(1, opening_frame(made.digest, there))
    ending.hear(2, opening_frame(made.digest, other))
    assert ending.told is None  # one of four may lie
    ending.hear(3, opening_frame(bytes(32), there))
    assert ending.told is None  # of another charter
    ending.hear(2, opening_frame(made.digest, there))
    assert ending.told.opening == there


def test_who_joins_believes_old_members_alone(tmp_path):
    from folkmoot.node.member import Card

    before = charter_of(4, rounds=1_000, system="bc_ucb", settings={"algorithm": {"burn_in": 6}})
    cards = [Card.of(bytes([90 + n]) * 32, f"new-{n}", f"127.0.0.1:{9100 + n}") for n in range(3)]
    made, there = amend(before, 10, admit=cards), Opening(4, bytes(32))
    ending = Ending(made, system_of(made), [], before)
    for new in (5, 6):
        ending.hear(new, opening_frame(made.digest, there))
    ending.hear(0, opening_frame(made.digest, there))
    assert not ending.is_over(None, 0)
    ending.hear(3, opening_frame(made.digest, there))
    assert ending.is_over(None, 0)
    assert ending.next.identity == replace(made, opening=there).identity


def chain_of(folder, epoch):
    """The last state of an epoch as this member knows it."""
    charters = epochs.lineage(folder)
    system, store = system_of(charters[epoch - 1]), Store(epochs.place(folder, epoch) / FILE)
    *_, (chain, _) = system.chains(store)
    store.close()
    return chain, system.facts.first


@pytest.mark.parametrize(("disclosure", "changed"), [("open", False), ("validators", True)])
def test_accounts_and_exclusions_go_on_in_the_next_epoch(disclosure, changed, tmp_path, capsys):
    """One leaves, one joins, one is excluded, and where terms change the arms are others: estimates begin anew."""
    seeds, settings = seeds_of(7), {"disclosure": disclosure, "algorithm": {"burn_in": 3}}
    before = charter_of(7, rounds=1_000, system="bc_ucb", settings=settings, evidence="exclude")
    folders = folders_of(tmp_path, seeds, before)
    joins = Folder.make(tmp_path / "n7", "site-7", "127.0.0.1:9007", seed=bytes([77]) * 32)
    terms = {**before.terms.model_dump(), "rounds": 8}
    if changed:
        terms["arms"] = ("one", "two", "three")
    made = amend(before, 9, Terms(**terms), admit=[joins.card], remove=["site-1"])
    made = signed_by_all(made, before, [*seeds[:6], bytes([77]) * 32])
    for folder in folders:
        epochs.give(folder, made)
    first = InFolders(before, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=7), folders, seeds, [made])
    exclude(first, 4)
    first.play()
    nexts = [player.ending.next for player in first.players]
    assert len({one.opening for one in nexts}) == 1
    for player, folder in zip(first.players, folders):
        player._store.close()
        epochs.begin(folder, nexts[0], before, player.me)
    epochs.give(joins, made, [before])
    epochs.begin(joins, nexts[0], before, None)
    old, _ = chain_of(folders[0], 1)
    there = [folders[0], *folders[2:], joins]
    known = [seeds[0], *seeds[2:], bytes([77]) * 32]
    second = InFolders(nexts[0], fm.Bernoulli((0.3, 0.5, 0.7), n_agents=7), there, known)
    begun = second.players[0].system.facts.first.state
    assert begun.configuration.edition == 3
    sources = [0, 2, 3, 4, 5, 6, None]
    earned = [0 if s is None else old.state.accounts.earned[s] for s in sources]
    assert begun.accounts.earned.tolist() == earned
    assert old.state.accounts.earned.any()
    assert old.state.excluded == {4}
    assert begun.excluded == {3}
    known = sorted(old.state.accounts.exponent[s] for s in (0, 2, 3, 5, 6))
    assert begun.accounts.exponent[6] - begun.accounts.exponent[0] == known[2] - old.state.accounts.exponent[0]
    anew = begun.accounts.estimates.tolist() == [NO_ESTIMATE] * 3
    assert anew is changed
    assert anew or begun.accounts.estimates.tolist() == old.state.accounts.estimates.tolist()
    second.play()
    for player in second.players:
        player._store.close()
    for folder in there:
        assert list(problems(folder, None)) == []
    new, _ = chain_of(joins, 2)
    assert new.height == 5
    assert new.state.excluded == {3}
    assert (new.state.accounts.earned >= np.array(earned)).all()
    verified_by_a_reader(folders[0], tmp_path, disclosure, capsys)


def verified_by_a_reader(folder, path, disclosure, capsys):
    """Somebody with the two ledgers and nothing else."""
    one, two = path / "one.ledger", path / "two.ledger"
    export(folder, one, 1)
    export(folder, two)
    assert main(["ledger", "verify", str(two)]) == 0
    assert "verify it with --before" in capsys.readouterr().out
    assert main(["ledger", "verify", str(two), "--before", str(one)]) == 0
    said = capsys.readouterr().out
    assert f"goes on from {one}" in said
    assert "verify it with" not in said
    assert ("all good" in said) is (disclosure == "open")
    assert main(["ledger", "verify", str(one), "--before", str(two)]) == 1
    assert "goes on from no other chain" in capsys.readouterr().err
