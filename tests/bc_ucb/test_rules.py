"""The rules of a game's chain: everything in a block is computed again, and what differs is refused by name."""

import numpy as np
import pytest
from made_round import (
    BURN_IN,
    COINS,
    SALT,
    TERMS,
    K,
    M,
    block,
    first_chain,
    full_round,
    identities,
    keys,
    record,
    report,
    value,
)

from folkmoot.bc_ucb import rules
from folkmoot.bc_ucb.contract import MOST_ARMS, ONE, drawn_by_coin
from folkmoot.bc_ucb.genesis import configuration
from folkmoot.bc_ucb.kind import made, would_follow
from folkmoot.bc_ucb.records import NO_REPORT, Named, RoundRecord, value_bytes
from folkmoot.bc_ucb.rules import KIND, ROUNDS, SharedRounds, Unfinished, conclude, transition
from folkmoot.bc_ucb.settled import settled
from folkmoot.bc_ucb.validators import drawn_by_coins, has_proof, question
from folkmoot.coins import replicate_coins
from folkmoot.encoding import Malformed, encode
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Genesis, apply_block, begin, propose, start
from folkmoot.ledger.contents import NOTHING
from folkmoot.ledger.errors import MissingSignature, RefusedRecord, UnknownSigner

# --- A right block -------------------------------------------------------------------------------------------------


def test_an_approved_round_follows():
    chain = first_chain()
    after = apply_block(chain, block(chain))
    state = after.state
    assert state.last.validators == (0, 1, 2, 3)
    assert (state.last.refused, state.last.void) == ((), ())
    assert state.accounts.estimates.tolist() == [(2 * ONE // 10 + 3 * ONE // 10) // 2, ONE // 2]
    assert state.last.paid.tolist() == [ONE // 2] * M
    assert state.members.tolist() == [[False] * K, [True] * K, [True] * K, [False] * K]
    assert state.round == full_round(chain)
    assert state.accounts.units[1] > state.accounts.units[3]  # nearer to the estimates


def test_a_state_is_never_changed():
    chain = first_chain()
    before = [array.copy() for array in chain.state.accounts]
    after = apply_block(chain, block(chain))
    assert all(np.array_equal(one, other) for one, other in zip(before, chain.state.accounts))
    assert not any(array.flags.writeable for array in (*after.state.accounts, after.state.members))


def test_rounds_add_up():
    chain = first_chain()
    for height in range(1, 4):
        chain = apply_block(chain, block(chain))
        assert chain.height == height
    assert chain.state.accounts.reported.all()


def test_the_bytes_of_a_record_are_those_of_no_other():
    made = record(first_chain())
    again = RoundRecord.from_bytes(made.to_bytes(), M, K)
    assert again.to_bytes() == made.to_bytes()
    assert again.sets == made.sets
    assert [one.name for one in again.reports] == [one.name for one in made.reports]


def test_more_than_two_thirds_sign():
    chain = first_chain()
    apply_block(chain, block(chain, signers=[0, 2, 3]))
    with pytest.raises(MissingSignature):
        apply_block(chain, block(chain, signers=[0, 3]))


def test_public_coins_draw_the_validators_of_the_compiled_loop():
    state = first_chain().state
    coins, total = replicate_coins(*COINS), int(state.accounts.units.sum())
    for t in range(1, 60):
        by_loop = tuple(m for m in range(M) if drawn_by_coin(coins, t, m, int(state.accounts.units[m]), total, 8))
        assert drawn_by_coins(state.configuration, state.accounts.units, t) == by_loop


# --- Wrong blocks --------------------------------------------------------------------------------------------------


def first_set_changed(made):
    v, said = made.sets[0]
    named = Named.from_bytes(said, M, K, False)
    return ((v, named._replace(members=~named.members).to_bytes()), *made.sets[1:])


TAMPERED = {
    "round": lambda made, chain: {"round": full_round(chain, made.round)},
    "validators": lambda made, chain: {"validators": made.validators[1:]},
    "reports": lambda made, chain: {"reports": (*made.reports[:3], report(chain, made.round, 3, [0, 0]))},
    "report missing": lambda made, chain: {"reports": made.reports[:3]},
    "refused": lambda made, chain: {"refused": ((3, "range"),)},
    "sets": lambda made, chain: {"sets": first_set_changed(made)},
    "set forged": lambda made, chain: {
        "sets": ((0, value(chain, made.round, 0, made.reports, signer=1)), *made.sets[1:])
    },
    "set of nobody": lambda made, chain: {"sets": made.sets[1:]},
    "void": lambda made, chain: {"void": (1,)},
    "estimates": lambda made, chain: {"estimates": made.estimates + np.array([1, 0])},
    "before": lambda made, chain: {"before": bytes(32)},
    "shown": lambda made, chain: {"shown": (b"anything",)},
    "paid": lambda made, chain: {"paid": made.paid + np.array([0, 0, 0, 1])},
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_changed_record_is_refused(what):
    chain = first_chain()
    made = record(chain)
    with pytest.raises(RefusedRecord):
        apply_block(chain, block(chain, made._replace(**TAMPERED[what](made, chain))))


@pytest.mark.parametrize("what", ["validators", "refused", "void", "estimates", "paid", "before", "shown"])
def test_a_refusal_names_the_field(what):
    chain = first_chain()
    made = record(chain)
    with pytest.raises(RefusedRecord, match=what):
        apply_block(chain, block(chain, made._replace(**TAMPERED[what](made, chain))))


def test_attack_of_a_report_in_anothers_name():
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m, signer=3 if m == 1 else m) for m in range(M)]
    with pytest.raises(RefusedRecord, match="report of participant 1 is not signed"):
        apply_block(chain, block(chain, record(chain, t, reports)))


def test_attack_of_replaying_a_report_of_another_round():
    chain, t = first_chain(), full_round(first_chain())
    old = report(chain, full_round(chain, t), 1)
    reports = [old if m == 1 else report(chain, t, m) for m in range(M)]
    with pytest.raises(RefusedRecord, match="report of participant 1 is not signed"):
        apply_block(chain, block(chain, record(chain, t, reports)))


def test_attack_of_a_disapproved_round():
    """An estimate above 2: three of four report 3."""
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m, [3 * ONE, 0]) for m in range(M)]
    with pytest.raises(Unfinished, match="disapproved"):
        record(chain, t, reports)
    good = record(chain, t)
    made = good._replace(reports=tuple(reports), sets=tuple((v, value(chain, t, v, reports)) for v in range(M)))
    with pytest.raises(RefusedRecord, match="disapproved"):
        apply_block(chain, block(chain, made))


def test_attack_of_a_round_that_was_there_already():
    chain = first_chain()
    after = apply_block(chain, block(chain))
    with pytest.raises(RefusedRecord, match="round"):
        apply_block(after, block(after, record(after, full_round(chain))))


def test_attack_of_a_round_of_the_burn_in():
    chain = first_chain()
    made = record(chain)._replace(round=BURN_IN)
    with pytest.raises(RefusedRecord, match="round"):
        apply_block(chain, block(chain, made))


def test_one_record_makes_a_block():
    chain = first_chain()
    data = record(chain).to_bytes()
    for records in ([], [data, data]):
        drafted = propose(chain, records)
        with pytest.raises(RefusedRecord, match="records"):
            would_follow(chain, drafted)


def test_the_state_after_a_block_that_was_made_here_is_that_which_the_rules_compute(monkeypatch):
    chain = first_chain()
    for _ in range(3):
        told = record(chain)
        held = {one.name: one for one in told.reports}
        here = SharedRounds()
        drafted = made(here, chain, told.round, dict(told.sets), held)
        assert drafted == propose(chain, [told.to_bytes()])
        with monkeypatch.context() as patched:
            patched.setattr(rules, "transition", lambda *_: pytest.fail("it is computed again"))
            known = would_follow(chain, drafted, here)
        computed = would_follow(chain, drafted)
        assert (known.digest, known.tip, known.faults) == (computed.digest, computed.tip, computed.faults)
        assert known.last.to_bytes() == computed.last.to_bytes()
        assert (known.members == computed.members).all()
        assert not any(array.flags.writeable for array in (*known.accounts, known.members))
        chain = apply_block(chain, block(chain, told), here)


def test_what_is_made_of_reports_of_another_form_is_looked_at(monkeypatch):
    """Such a report may be held if it came late; a block that holds it does not follow."""
    chain = first_chain()
    t = full_round(chain)
    reports = [report(chain, t, m, blinding=bytes(32) * (m == 1)) for m in range(M)]
    told = record(chain, t, reports)
    here = SharedRounds()
    drafted = made(here, chain, t, dict(told.sets), {one.name: one for one in reports})
    with pytest.raises(RefusedRecord, match="form"):
        would_follow(chain, drafted, here)


def test_an_unsigned_block_would_follow_with_the_right_header_only():
    chain = first_chain()
    good = block(chain, signers=[])
    assert would_follow(chain, good).last.round == full_round(chain)
    after = apply_block(chain, block(chain))
    with pytest.raises(RefusedRecord, match="header"):
        would_follow(after, good)


def test_what_is_remembered_is_remembered_of_this_chain_only():
    """The same bytes of a block refer to another state on another chain: computed anew, not looked up."""
    chain = first_chain()
    made = block(chain)
    ROUNDS.step(chain.state, made.header, made.records)
    other = start(Genesis(KIND, configuration(TERMS, keys()[::-1], BURN_IN, COINS, salt=SALT)))
    with pytest.raises(RefusedRecord):
        ROUNDS.step(other.state, made.header, made.records)
    with pytest.raises(RefusedRecord):
        ROUNDS.step(chain.state, made.header, (made.records[0][:-1] + b"\x01",))
    again = ROUNDS.step(chain.state, made.header, made.records)
    assert np.array_equal(again.accounts.units, transition(chain.state, made.header, made.records).accounts.units)


def test_a_refusal_is_remembered_as_one():
    chain = first_chain()
    wrong = block(chain, record(chain)._replace(void=(1,)))
    for _ in range(2):
        with pytest.raises(RefusedRecord, match="void"):
            apply_block(chain, wrong)


# --- Which reports count -------------------------------------------------------------------------------------------


def test_a_report_out_of_range_is_refused_by_name_and_its_reward_paid():
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m, [5 * ONE, 0] if m == 1 else None) for m in range(M)]
    made = record(chain, t, reports)
    assert made.refused == ((1, "range"),)
    assert made.estimates[0] == 3 * ONE // 10
    state = apply_block(chain, block(chain, made)).state
    assert state.last.paid[1] == ONE // 2
    assert not state.accounts.reported[1]
    assert not state.members[1].any()  # although everybody named it


@pytest.mark.parametrize("reward", [-2, ONE + 1])
def test_a_reward_that_cannot_be_is_not_paid(reward):
    chain, t = first_chain(), full_round(first_chain())
    made = record(chain, t, [report(chain, t, m, reward=reward if m == 0 else 0) for m in range(M)])
    assert made.refused == ((0, "reward"),)
    assert made.paid[0] == 0


def test_who_tells_two_things_is_disputed_and_stops_nobody():
    """Half of the validators hold one report of participant 3, half another: neither counts, the round does."""
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m) for m in range(M)]
    other = [*reports[:3], report(chain, t, 3, [0, 0])]
    values = {v: value(chain, t, v, reports if v < 2 else other) for v in range(M)}
    made = record(chain, t, reports, values)
    assert made.refused == ((3, "disputed"),)
    apply_block(chain, block(chain, made))


def test_attack_of_passing_with_one_report_and_entering_with_another():
    """Participant 3 tells validator 0 what that one keeps, and validator 1 what it drops; its own set names the second.

    Each half is a majority of the three sets: two hold the second report, two name participant 3. But validator 0
    named the first report, so nobody is named with the second one except by itself.
    """
    chain, t = first_chain(), full_round(first_chain())
    honest = [report(chain, t, m) for m in range(3)]
    tame, wild = report(chain, t, 3, [2 * ONE // 10, ONE // 2]), report(chain, t, 3, [-4 * ONE, -4 * ONE])
    kept, dropped = np.zeros((M, K), np.bool_), np.zeros((M, K), np.bool_)
    kept[[1, 3]], dropped[1] = True, True
    values = {
        0: value(chain, t, 0, [*honest, tame], kept),
        1: value(chain, t, 1, [*honest, wild], dropped),
        3: value(chain, t, 3, [*honest, wild], kept),
    }
    held = {one.name: one for one in [*honest, tame, wild]}
    made, members = conclude(chain.state, chain.tip, t, values, held)
    assert made.reports[3].name == wild.name
    assert members.tolist() == [[False] * K, [True] * K, [False] * K, [False] * K]
    assert made.estimates.tolist() == honest[1].means.tolist()
    after = apply_block(chain, block(chain, made))
    told, _ = settled(after.state.configuration, block(chain, made).records[0], chain.state.round)
    assert told.sets[:, 3].tolist() == [[False] * K, [False] * K, [True] * K]
    assert told.present.all()


def test_two_signatures_of_the_same_words_are_two_reports():
    chain, t = first_chain(), full_round(first_chain())
    one = report(chain, t, 3)
    assert one.name != one._replace(signature=bytes(64)).name


def test_a_report_that_few_have_heard_of_is_missing():
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m) for m in range(M)]
    values = {v: value(chain, t, v, reports if v == 0 else reports[:3]) for v in range(M)}
    made = record(chain, t, reports, values)
    assert made.refused == ((3, "missing"),)
    assert [one.participant for one in made.reports] == [0, 1, 2]


def test_a_report_that_is_agreed_on_must_be_held():
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m) for m in range(M)]
    values = {v: value(chain, t, v, reports) for v in range(M)}
    with pytest.raises(Unfinished, match="participant 3"):
        record(chain, t, reports[:3], values)


def test_without_a_set_there_is_no_block():
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m) for m in range(M)]
    for nonsense in (None, b"", b"\x00" * 99):
        with pytest.raises(Unfinished, match="no set"):
            record(chain, t, reports, dict.fromkeys(range(M), nonsense))


def test_nonsense_and_forged_sets_are_void():
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m) for m in range(M)]
    values = {v: value(chain, t, v, reports) for v in range(M)}
    values |= {0: None, 1: b"nonsense", 2: value(chain, t, 2, reports, signer=0)}
    made = record(chain, t, reports, values)
    assert made.void == (0, 1, 2)
    assert [v for v, _ in made.sets] == [3]


# --- Verifiable random functions -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proven():
    registrations = tuple(identity.registration() for identity in identities())
    terms = TERMS._replace(expected_validators=2)
    return start(Genesis(KIND, configuration(terms, keys(), BURN_IN, None, registrations, salt=SALT)))


def test_a_proof_is_worth_something_in_its_round_for_its_maker(proven):
    settings, units = proven.state.configuration, proven.state.accounts.units
    lucky = 0
    for t in range(5, 25):
        proofs = [identity.prove(question(SALT, t)) for identity in identities()]
        for m, proof in enumerate(proofs):
            if has_proof(settings, units, proven.tip, t, m, proof):
                lucky += 1
                assert not has_proof(settings, units, proven.tip, t + 1, m, proof)
                assert not has_proof(settings, units, proven.tip, t, (m + 1) % M, proof)
        assert not has_proof(settings, units, proven.tip, t, 0, bytes(80))
    # 80 draws with probability 1 - exp(-2 / 4) = 0.393: 31.5 on average, deviation 4.4; five of them.
    assert abs(lucky - 31.5) < 22


def test_coins_cannot_be_asked_where_proofs_decide(proven):
    with pytest.raises(ValueError, match="vrf"):
        drawn_by_coins(proven.state.configuration, proven.state.accounts.units, 9)


# --- Genesis -------------------------------------------------------------------------------------------------------

RIGHT = configuration(TERMS, tuple(bytes([n]) * 32 for n in range(M)), BURN_IN, COINS, salt=SALT)


def but(place, value):
    return (*RIGHT[:place], value, *RIGHT[place + 1 :])


def terms_but(**fields):
    return but(1, tuple(TERMS._replace(**fields)))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (b"", "expected"),
        (RIGHT[:3], "expected"),
        (but(1, RIGHT[1][:-1]), "terms"),
        (but(1, (*RIGHT[1][:-1], 1.0)), "terms"),
        (terms_but(n_participants=5), "keys"),
        (terms_but(n_participants=0), "n_participants"),
        (terms_but(n_participants=257), "n_participants"),
        (terms_but(n_arms=0), "n_arms"),
        (terms_but(faulty=2), "faulty"),
        (terms_but(faulty=-1), "faulty"),
        (terms_but(expected_validators=0), "expected_validators"),
        (terms_but(combination=2), "combination"),
        (terms_but(trust=2), "trust"),
        (terms_but(delta=ONE + 1), "delta"),
        (terms_but(span=-1), "span"),
        (but(2, (b"k" * 32,) * 4), "different"),
        (but(2, (b"k" * 31, *RIGHT[2][1:])), "32 bytes"),
        (but(3, -1), "burn_in"),
        (but(3, True), "expected"),
        (but(4, ("dice", (1, 2, 3))), "sortition"),
        (but(4, ("coin", (1, 2))), "coins"),
        (but(4, ("coin", (1, 2, 1 << 32))), "coins"),
        (but(0, 3), "edition 3"),
        (but(0, 1), "edition 1"),
        (but(5, bytes(31)), "salt"),
        (but(6, (b"k" * 31,)), "environment"),
        (but(6, (b"k" * 32, b"k" * 32)), "environment"),
        (but(6, tuple(bytes([n]) * 32 for n in range(17))), "environment"),
        (but(7, "forget"), "evidence"),
        (but(8, ("nobody", ())), "disclosure"),
        (but(8, ("open", (1,))), "disclosure"),
        (terms_but(trust=1), "trust = 'reward': only where an environment"),
        (terms_but(silence=-1), "silence"),
        (terms_but(resolution=3), "resolution"),
        (terms_but(resolution=33), "resolution"),
        (terms_but(window=63), "window"),
        (terms_but(cost=ONE + 1), "cost"),
        (but(4, ("vrf", ())), "registrations"),
        (but(4, ("vrf", ((b"", b"", b""),) * 4)), "registration 0"),
    ],
)
def test_a_genesis_that_makes_no_sense_is_refused(wrong, match):
    ROUNDS.genesis(RIGHT, NOTHING)
    with pytest.raises(Malformed, match=match):
        ROUNDS.genesis(wrong, NOTHING)


def test_work_is_refused_where_a_quorum_signs():
    """Nobody would do it, so there would never be a block."""
    genesis = Genesis(KIND, RIGHT, work_bits=6)
    with pytest.raises(ValueError, match=r"^work_bits = 6: nobody does work on blocks of kind 'bc_ucb'; expected 0$"):
        begin(genesis)


def test_a_block_must_hold_everybodys_sets():
    keys = tuple(n.to_bytes(32, "big") for n in range(256))
    large = TERMS._replace(n_participants=256, n_arms=1_000)
    blank = Named(
        bytes(80), np.zeros((256, 1_000), np.bool_), (NO_REPORT,) * 256, (bytes(1024),) * 4, bytes(64), bytes(32)
    )
    assert value_bytes(256, 1_000) == len(blank.to_bytes()) < 1 << 16
    assert value_bytes(256, MOST_ARMS) > 1 << 16
    with pytest.raises(Malformed, match="a block could exceed"):
        ROUNDS.genesis(configuration(large, keys, 2_000, COINS, salt=SALT), NOTHING)
    with pytest.raises(Malformed, match="sets would exceed"):
        ROUNDS.genesis(configuration(large._replace(n_arms=4_000), keys, 8_000, COINS, salt=SALT), NOTHING)


def test_a_vrf_key_of_another_is_refused():
    registrations = [identity.registration() for identity in identities()]
    registrations[1] = registrations[0]
    with pytest.raises(Malformed, match="registration 1"):
        ROUNDS.genesis(configuration(TERMS, keys(), BURN_IN, None, tuple(registrations), salt=SALT), NOTHING)


# --- Hostile bytes -------------------------------------------------------------------------------------------------


def shaped(**fields):
    made = record(first_chain())
    raw = dict(zip(RoundRecord._fields, (*made[:2], tuple(report.plain for report in made.reports), *made[3:])))
    return encode(tuple({**raw, **fields}.values()))


@pytest.mark.parametrize(
    "fields",
    [
        {"round": -1},
        {"round": True},
        {"validators": (1, 0)},
        {"validators": (0, 0)},
        {"validators": (0, 4)},
        {"validators": (0.0,)},
        {"reports": ((0, np.zeros(3, np.int64), 0, b"", b"", (), bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.float64), 0, b"", b"", (), bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0.5, b"", b"", (), bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0, b"", b"", (), bytes(63)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0, b"", (), bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0, bytes(32), b"", (), bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0, b"", bytes(64), (), bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0, b"", b"", ((1, 0, b"", b""),) * 2, bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0, b"", b"", ((-1, 0, b"", b""),), bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0, b"", b"", ((1, 0, b""),), bytes(64)),)},
        {"reports": ((0, np.zeros(2, np.int64), 0, b"", b"", ((1, 0.5, b"", b""),), bytes(64)),)},
        {"before": bytes(31)},
        {"shown": ("text",)},
        {"shown": (bytes(1025),)},
        {"shown": (b"",) * 5},
        {"refused": ((0, "mood"),)},
        {"sets": ((0, "text"),)},
        {"void": (None,)},
        {"estimates": np.zeros(3, np.int64)},
        {"estimates": np.zeros(2, np.int32)},
        {"paid": np.zeros((2, 2), np.int64)},
    ],
)
def test_attack_of_records_of_another_shape(fields):
    RoundRecord.from_bytes(shaped(), M, K)
    with pytest.raises(Malformed):
        RoundRecord.from_bytes(shaped(**fields), M, K)


def test_attack_of_sets_of_another_shape():
    good = Named(b"", np.ones((3, 3), np.bool_), (NO_REPORT,) * 3, (b"a",), bytes(64)).to_bytes()
    assert Named.from_bytes(good, 3, 3, False).members.all()
    for wrong in [(3, 2, False), (4, 3, False), (3, 3, True)]:
        with pytest.raises(Malformed):
            Named.from_bytes(good, *wrong)
    beyond = encode((b"", b"\xff\xff", NO_REPORT * 3, (), bytes(64), b""))  # 16 bits for 9 members
    with pytest.raises(Malformed, match="beyond"):
        Named.from_bytes(beyond, 3, 3, False)
    for shown in ((b"",) * 5, (bytes(1025),), ("text",), b"text"):
        with pytest.raises(Malformed):
            Named.from_bytes(encode((b"", bytes(2), NO_REPORT * 3, shown, bytes(64))), 3, 3, False)


def test_attack_of_a_stranger_who_signs():
    chain = first_chain()
    good = block(chain)
    stranger = Block(good.header, good.records, tuple(sorted([*good.signatures, (b"\xfe" * 32, bytes(64))])))
    with pytest.raises(UnknownSigner):
        apply_block(chain, stranger)


def test_conclude_does_not_depend_on_the_order_of_anything():
    chain, t = first_chain(), full_round(first_chain())
    reports = [report(chain, t, m) for m in range(M)]
    values = {v: value(chain, t, v, reports) for v in range(M)}
    one, _ = conclude(chain.state, chain.tip, t, values, {r.name: r for r in reports})
    other, _ = conclude(chain.state, chain.tip, t, dict(reversed(values.items())), {r.name: r for r in reports[::-1]})
    assert one.to_bytes() == other.to_bytes()
