"""Games whose numbers only the participants see: what a ledger file shows, what a reader can still check, what goes on.

The control of each attack is the open game: there it succeeds.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from nacl.signing import SigningKey
from observers import by_changes_of_means, by_the_algorithm
from small_game import BURN_IN, different, sized_game, small_game

import folkmoot as fm
from folkmoot import ledger
from folkmoot.agreement.identity import Identity
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.contract import ONE
from folkmoot.bc_ucb.disclosed import Opened, ToldRecord, as_told
from folkmoot.bc_ucb.genesis import checked_configuration
from folkmoot.bc_ucb.kind import WithOpenings
from folkmoot.bc_ucb.protocol import Table, play
from folkmoot.bc_ucb.records import Named, RoundRecord
from folkmoot.bc_ucb.rules import ROUNDS
from folkmoot.bc_ucb.settled import settled_rounds
from folkmoot.cli import main
from folkmoot.encoding import Malformed, decode, digest, encode
from folkmoot.ledger.chain import apply_block
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.simulation.network import Faults, Network

K = 2


def sealed(game, **more):
    return replace(game, disclosure="validators", **more)


def table_of(game, rounds=None, replicate=0):
    with Table(game, replicate) as table:
        for t in range(1, (rounds or int(game.checkpoints[-1])) + 1):
            table.play_round(t)
    return table


def blocks_of(table):
    """The blocks of the longest honest store, with their openings where there are some."""
    host = max((table.hosts[a] for a in table.honest), key=lambda host: host.kept.height)
    kind = host.machine.inner if table.game.disclosure == "validators" else host.machine
    return [kind.received(host.kept.block(height)) for height in range(1, host.kept.height + 1)]


# --- The same game ---------------------------------------------------------------------------------------------------

CASES = [("coin", name, 4, seed) for seed, name in enumerate(["attack", "sign_flip", "equivocate", "constant"])]
CASES += [("vrf", "attack", 4, 5), ("vrf", "equivocate", 4, 6), ("coin", "allies_only", 7, 7)]


@pytest.mark.parametrize(("sortition", "attack", "m", "seed"), CASES)
def test_pulls_and_estimates_are_those_of_the_open_game(sortition, attack, m, seed):
    game = small_game(attack, m, seed, horizon=20, sortition=sortition)
    one, other = play(game, 0), play(sealed(game), 0)
    assert different(one.tally, other.tally) == []
    assert one.chain.height == other.chain.height > 0
    assert np.array_equal(one.chain.state.accounts.estimates, other.chain.state.accounts.estimates)


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_no_listed_attack_splits_or_stops_such_a_game(attack):
    """`Watch` raises as soon as two honest participants differ; every participant's own words are looked at too."""
    table = table_of(sealed(small_game(attack, 4, 3, horizon=BURN_IN + 8, watched=True)))
    assert table.watch.chains[-1].height >= 3


def test_lost_messages_crashes_and_restarts_leave_everybody_with_one_chain_that_can_be_opened():
    faults = Faults(drop=0.1, delay=0.2, crash=0.4, partition=0.2, heal_at=BURN_IN + 14)
    table = table_of(sealed(small_game("equivocate", 4, 8, horizon=BURN_IN + 22, faults=faults, watched=True)))
    heights = [table.machine(address).chain.height for address in table.honest]
    assert min(heights) >= max(heights) - 1 >= 5
    chain = table.first
    for block in blocks_of(table):
        chain = apply_block(chain, block, WithOpenings(ROUNDS, block.openings))
    longest = table.watch.chains[chain.height]
    assert chain.state.digest == longest.state.digest
    for address in table.honest:  # a machine that is born again goes on from its store
        before = table.machine(address).chain
        table.hosts[address].restart()
        assert table.machine(address).chain.state.digest == before.state.digest


# --- What whoever has the file can read ------------------------------------------------------------------------------


def told_records(path, participants=4):
    """What stands in the blocks of a file, open or not."""
    found = []
    for block in ledger.open(path).blocks():
        data = block.records[0]
        try:
            found.append(RoundRecord.from_bytes(data, participants, K))
        except Malformed:
            found.append(ToldRecord.from_bytes(data, participants))
    return found


def written(tmp_path, disclosure, horizon=40, seed=2, sortition="coin"):
    path = tmp_path / f"{disclosure}-{sortition}.ledger"
    game = small_game("attack", 4, seed, horizon, sortition=sortition, ledger_path=path)
    return path, table_of(replace(game, disclosure=disclosure))


@pytest.mark.parametrize("sortition", ["coin", "vrf"])
def test_no_mean_no_estimate_and_no_secret_of_a_participant_is_in_the_file(tmp_path, sortition):
    """Means and estimates that are whole numbers are left out: a claimed reward is such a number too."""
    secrets, files = {}, {}
    for disclosure in ("open", "validators"):
        path, table = written(tmp_path, disclosure, sortition=sortition)
        files[disclosure] = path.read_bytes()
        states = [chain.state for chain in table.watch.chains[1:]]
        numbers = {int(x) for state in states for report in state.last.reports for x in report.means}
        numbers |= {int(x) for state in states for x in state.accounts.estimates}
        secrets[disclosure] = [np.int64(x).tobytes() for x in numbers if x % ONE]
        hidden = [report.blinding for state in states for report in state.last.reports if report.blinding]
        assert bool(hidden) == (disclosure == "validators")
        assert not any(secret in files[disclosure] for secret in hidden)
        for block in blocks_of(table):
            assert not isinstance(block, Opened) or block.openings not in files[disclosure]
    assert secrets["open"] == secrets["validators"]
    assert len(secrets["open"]) > 50
    assert all(secret in files["open"] for secret in secrets["open"])
    assert not any(secret in files["validators"] for secret in secrets["open"])


def test_an_observer_that_finds_every_pull_in_an_open_ledger_finds_none_in_a_sealed_one(tmp_path):
    shares = {}
    for disclosure in ("open", "validators"):
        path, table = written(tmp_path, disclosure)
        records, right = told_records(path), Counter()
        for m in (address.participant for address in table.honest):
            for name, found in (
                ("means", by_changes_of_means(records, m, K)),
                ("algorithm", by_the_algorithm(records, m, K, BURN_IN)),
            ):
                right[name, "said"] += len(found)
                right[name, "right"] += sum(table._arms[t, m] == arm for t, arm in found.items())
        shares[disclosure] = right
    opened = shares["open"]
    assert opened["means", "right"] == opened["means", "said"] > 70
    assert opened["algorithm", "right"] == opened["algorithm", "said"] > 70
    assert set(shares["validators"].values()) == {0}


def test_a_file_of_the_same_shape_whatever_the_numbers_are(tmp_path):
    """What stands in the place of numbers has one length and never repeats, though means do."""
    path, table = written(tmp_path, "validators")
    records = told_records(path)
    stand_ins = [report.commitment for record in records for report in record.reports]
    stand_ins += [one.commitment for record in records for _, one in record.sets]
    stand_ins += [record.estimates for record in records]
    assert {len(one) for one in stand_ins} == {32}
    assert len(set(stand_ins)) == len(stand_ins)
    means = [tuple(report.means) for chain in table.watch.chains[1:] for report in chain.state.last.reports]
    assert len(set(means)) < len(means)


def test_whoever_guesses_all_numbers_right_cannot_tell_by_any_digest_in_the_file(tmp_path):
    """Digests of numbers that are few could be tried out; these cover secret bytes too."""
    path, table = written(tmp_path, "validators", BURN_IN + 6)
    records, states = told_records(path), [chain.state for chain in table.watch.chains]
    for number, record in enumerate(records, 1):
        state = states[number]
        shown = {record.estimates, record.before, *(report.commitment for report in record.reports)}
        shown |= {one.commitment for _, one in record.sets}
        for secret in (b"", bytes(32)):
            guessed = tuple(report._replace(blinding=secret) for report in state.last.reports)
            last = state.last._replace(reports=guessed)
            sets = (Named.from_bytes(value, 4, K, False) for _, value in state.last.sets)
            tried = {report.commitment for report in guessed}
            tried |= {named._replace(blinding=secret).commitment for named in sets}
            tried.add(as_told(last, (4, K), False).estimates)
            assert not tried & shown
            if number < len(records):
                assert state._replace(last=last).digest != records[number].before == state.digest


# --- What a reader checks, and what it takes from the quorum's word --------------------------------------------------


@pytest.fixture(scope="module", params=["coin", "vrf"])
def game(request, tmp_path_factory):
    """A sealed game, and the chain of a reader and of a participant before its last block."""
    _, table = written(tmp_path_factory.mktemp("sealed"), "validators", BURN_IN + 8, 2, request.param)
    reader, member, blocks = table.first, table.first, blocks_of(table)
    for block in blocks[:-1]:
        reader = apply_block(reader, block)
        member = apply_block(member, block, WithOpenings(ROUNDS, block.openings))
    return table, reader, member, blocks[-1]


def verdicts(game, change=lambda told: told, behind=None):
    """Why reader and participant refuse the last block with this change, signed by all; "": they do not."""
    table, reader, member, block = game
    told = change(ToldRecord.from_bytes(block.records[0], 4))
    keys = [SigningKey(seed) for seed in table._seeds]
    changed = ledger.propose(reader, [told.to_bytes()]).signed(*keys)
    found = []
    for chain, rules in ((reader, None), (member, WithOpenings(ROUNDS, behind or block.openings))):
        try:
            apply_block(chain, changed, rules)
            found.append("")
        except RefusedRecord as refused:
            found.append(str(refused))
    return found


def test_reader_and_participant_take_the_block_as_it_was_made(game):
    assert verdicts(game) == ["", ""]


def first(items, **change):
    return (items[0]._replace(**change), *items[1:])


def in_first_set(told, **change):
    (validator, one), *others = told.sets
    return told._replace(sets=((validator, one._replace(**change)), *others))


ONE_MORE = np.array([1, 0, 0, 0])
CHECKED = {
    "a reward": lambda told: told._replace(reports=first(told.reports, reward=told.reports[0].reward // 2 + 1)),
    "a commitment to means": lambda told: told._replace(reports=first(told.reports, commitment=b"c" * 32)),
    "a report's signature": lambda told: told._replace(reports=first(told.reports, signature=b"s" * 64)),
    "a report left out": lambda told: told._replace(reports=told.reports[1:]),
    "a payment": lambda told: told._replace(paid=told.paid + ONE_MORE),
    "a commitment to a set": lambda told: in_first_set(told, commitment=b"c" * 32),
    "names of reports": lambda told: in_first_set(told, names=told.sets[0][1].names[::-1]),
    "a set's signature": lambda told: in_first_set(told, signature=b"s" * 64),
    "a statement": lambda told: in_first_set(told, shown=(b"x",)),
    "a statement that enters": lambda told: told._replace(shown=(b"x",)),
    "a set left out": lambda told: told._replace(sets=told.sets[1:]),
    "a validator left out": lambda told: told._replace(validators=told.validators[1:]),
    "a silent one": lambda told: told._replace(void=told.validators),
    "somebody missing": lambda told: told._replace(refused=((0, "missing"), *told.refused)),
    "an earlier round": lambda told: told._replace(round=BURN_IN),
}
WORD = {
    "the estimates": lambda told: told._replace(estimates=b"e" * 32),
    "the state before": lambda told: told._replace(before=b"b" * 32),
    "somebody out of range": lambda told: told._replace(
        refused=((told.reports[0].participant, "range"), *told.refused)
    ),
}


@pytest.mark.parametrize("change", CHECKED)
def test_a_reader_refuses(game, change):
    reader, member = verdicts(game, CHECKED[change])
    assert reader != ""
    assert member != ""


@pytest.mark.parametrize("change", WORD)
def test_a_reader_takes_from_the_word_of_the_quorum_what_a_participant_refuses(game, change):
    reader, member = verdicts(game, WORD[change])
    assert reader == ""
    assert member != ""


def test_a_reader_takes_the_validators_that_public_coins_draw_from_the_word_of_the_quorum(game):
    table = game[0]

    def one_more(told):
        silent = min(set(range(4)) - set(told.validators))
        validators = tuple(sorted({silent, *told.validators}))
        return told._replace(validators=validators, void=tuple(sorted({silent, *told.void})))

    if table.game.sortition == "coin" and len(ToldRecord.from_bytes(game[3].records[0], 4).validators) < 4:
        reader, member = verdicts(game, one_more)
        assert (reader, member != "") == ("", True)


def test_a_participant_refuses_openings_that_are_not_those_of_the_block(game):
    behind = game[3].openings
    for wrong in (b"", behind[:-1], behind + b"x", bytes([behind[0] ^ 1]) + behind[1:], behind[:-3] + b"xyz"):
        assert verdicts(game, behind=wrong or b"x")[1] != ""


def test_a_participant_does_not_take_a_block_without_its_openings(game):
    table, _, member, block = game
    machine = table.machine(table.honest[0])
    plain = ledger.open(table.game.ledger_path)
    last = [*plain.blocks()][-1]
    assert last.hash == block.hash
    with pytest.raises(RefusedRecord):
        machine.append(member, last)
    with pytest.raises(Malformed):
        machine.received(last.to_bytes())


def test_a_reader_has_no_numbers_that_it_cannot_know(game):
    _, reader, member, _ = game
    for name in ("exponent", "units", "reports", "changes", "levels", "estimates", "costs"):
        assert getattr(reader.state.accounts, name).size == 0 < getattr(member.state.accounts, name).size
    for name in ("reported", "earned", "waiting"):
        assert np.array_equal(getattr(reader.state.accounts, name), getattr(member.state.accounts, name))
    assert member.state.accounts.earned.sum() > 0


@pytest.mark.parametrize("size", [0, 31, 33, 1 << 17])
def test_secret_bytes_of_another_length_are_refused(game, size):
    reports, sets, estimates = decode(game[3].openings)
    for wrong in (
        (((reports[0][0], bytes(size)), *reports[1:]), sets, estimates),
        (reports, ((sets[0][0], bytes(size)), *sets[1:]), estimates),
    ):
        assert "secret bytes" in verdicts(game, behind=encode(wrong))[1]


# --- What the command and the settings say ---------------------------------------------------------------------------


def test_the_command_says_what_it_has_checked(game, capsys):
    path = game[0].game.ledger_path
    assert main(["ledger", "verify", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert " blocks, nothing wrong in what a reader can check, tip " in lines[0]
    known = [line for line in lines[1:] if line.startswith("note: ")]
    assert len(known) == len(lines) - 1 == (2 if game[0].game.sortition == "vrf" else 3)
    assert [f"note: {remark}" for remark in fm.ledger.open(path).verify().remarks] == lines[1:2]
    assert "a reader checks signatures, names, payments and the quorum" in lines[1]
    assert main(["ledger", "show", str(path), "--blocks", "1"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert lines[1] in shown
    assert "note: rewards are what participants claim: no environment signs them" in shown


def test_an_open_ledger_is_verified_as_a_whole(tmp_path, capsys):
    path, _ = written(tmp_path, "open", BURN_IN + 3)
    assert main(["ledger", "verify", str(path)]) == 0
    assert " blocks, all good, tip " in capsys.readouterr().out
    assert fm.ledger.open(path).verify().remarks == ()


@pytest.mark.parametrize("sortition", ["coin", "vrf"])
def test_a_ledger_whose_genesis_gives_all_keys_away_is_said_to_be_a_simulation(tmp_path, capsys, sortition):
    path = tmp_path / "game.ledger"
    with Table(sized_game(4, 2, 1, sortition=sortition, ledger_path=str(path)), 0) as table:
        low, high, replicate = table.first.state.configuration.coins or (0, 0, 0)
    seeds = [digest("participant", (low | high << 32, replicate, m)) for m in range(4)]
    assert tuple(Identity(seed).public_key for seed in seeds) == table.first.state.configuration.keys  # the seed is 0
    said = "note: a simulation: its keys follow from the seed in its genesis"
    for command in ("verify", "show"):
        assert main(["ledger", command, str(path)]) == 0
        assert (said in capsys.readouterr().out) == (sortition == "coin")


def test_settings_that_cannot_be_are_refused_in_one_line(tmp_path):
    four = fm.Bernoulli((0.3, 0.8), n_agents=4)
    for settings, said in (
        ({"disclosure": "all", "fidelity": "protocol"}, "disclosure = 'all': allowed are 'open', 'validators'"),
        ({"disclosure": "validators"}, "disclosure: only with fidelity = 'protocol', this one is 'ideal'"),
    ):
        with pytest.raises(ValueError, match=said):
            fm.simulate_chain(fm.BCUCB(), four, horizon=14, progress=False, **settings)


def test_a_sealed_ledger_is_not_settled_elsewhere(game):
    with pytest.raises(ValueError, match="the reports are not on the chain"):
        settled_rounds(ledger.open(game[0].game.ledger_path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda keys: ("validators", ()), "0 registrations"),
        (lambda keys: ("validators", keys[:3]), "3 registrations"),
        (lambda keys: ("open", keys), "4 registrations"),
        (lambda keys: ("validators", (keys[1], *keys[1:])), "key 0 is not registered"),
        (lambda keys: ("validators", ((bytes(32), keys[0][1]), *keys[1:])), "key 0 is not registered"),
        (lambda keys: ("some", ()), "expected 'open' or 'validators'"),
    ],
)
def test_a_genesis_whose_keys_are_not_registered_is_refused(game, change, said):
    configuration = game[0].genesis.configuration
    law, keys = configuration[-1]
    assert law == "validators"
    with pytest.raises(Malformed, match=said):
        checked_configuration((*configuration[:-1], change(keys)))


@pytest.mark.parametrize("sortition", ["coin", "vrf"])
def test_signed_rewards_proven_faults_and_costs_go_on_in_a_sealed_game(tmp_path, sortition):
    """An environment signs rewards, equivocation excludes, and the last block books what liars have cost."""
    settled = {"environment": True, "evidence": "exclude", "sortition": sortition}
    game = small_game("equivocate", 4, 3, horizon=BURN_IN + 9, **settled)
    game = replace(game, terms=game.terms._replace(cost=ONE // 8), ledger_path=tmp_path / "sealed.ledger")
    one, other = play(replace(game, ledger_path=None), 0), play(sealed(game), 0)
    assert different(one.tally, other.tally) == []
    read = ledger.open(game.ledger_path).chain.state
    assert read.faults == other.chain.state.faults != ()
    assert read.disclosed == other.chain.state.disclosed
    assert np.array_equal(read.accounts.earned, other.chain.state.accounts.earned)
    assert np.array_equal(one.chain.state.accounts.costs, other.chain.state.accounts.costs)


def test_whoever_listens_to_the_network_reads_no_mean(monkeypatch):
    """Everything is sealed: reports, those that are passed on, values, proposals, blocks for who is behind."""
    heard = {"open": [], "validators": []}
    send = Network.send
    for disclosure, messages in heard.items():

        def listen(network, now, address, receiver, data, messages=messages):
            messages.append(data)
            send(network, now, address, receiver, data)

        monkeypatch.setattr(Network, "send", listen)
        game = small_game("attack", 4, 2, horizon=BURN_IN + 6, faults=Faults(drop=0.1))
        states = [chain.state for chain in table_of(replace(game, disclosure=disclosure)).watch.chains[1:]]
        numbers = {int(x) for state in states for report in state.last.reports for x in report.means if x % ONE}
        everything = b"".join(messages)
        found = [np.int64(x).tobytes() in everything for x in numbers]
        assert all(found) if disclosure == "open" else not any(found)
        assert len(found) > 5


def test_the_encrypted_comparison_of_counts_goes_on_in_a_sealed_game():
    pytest.importorskip("rbcl")
    game = small_game("attack", 4, 2, horizon=BURN_IN + 2, private_comparison="pairwise")
    assert different(play(game, 0).tally, play(sealed(game), 0).tally) == []
