"""Rounds of BC-UCB among four participants who are all validators: without faults, with a liar, with a lost report."""

from fractions import Fraction

import numpy as np
import pytest
from made_round import BURN_IN, COINS, SEEDS, TERMS, K, M, first_chain, full_round
from transcript import TESTDATA, Play, check, number

from folkmoot.agreement.messages import Ballots, Blocks, Certificate, Confirmation, Proposal, Vote, Want
from folkmoot.agreement.signed_messages import Chained
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.attackers import AttackerRole
from folkmoot.bc_ucb.attacks import Attack, Equivocate
from folkmoot.bc_ucb.contract import ONE
from folkmoot.bc_ucb.evidence import culprit, ground_of
from folkmoot.bc_ucb.messages import GAME, Passed, ReportSent, SetsSent, Shown
from folkmoot.bc_ucb.participant import Role
from folkmoot.bc_ucb.records import NO_REPORT, Named
from folkmoot.bc_ucb.stages import PULLING, REPORTING
from folkmoot.coins import replicate_coins
from folkmoot.comparison.in_rounds import TrustedMachine, Trusting
from folkmoot.machine import Moment, Outcome
from folkmoot.simulation.host import Host
from folkmoot.world.rewards import Bernoulli

PARAMS = Params(M, K, BURN_IN, 2.0, 1500, 1000, TERMS.faulty, True, True)
ROUND = full_round(first_chain())
LIAR = 3


def words(data: bytes) -> str:
    message = GAME.from_bytes(data, (M, K))
    match message:
        case ReportSent():
            means = " ".join(number(mean / ONE) for mean in message.means)
            return f"report after height {message.height}: means {means}, reward {number(message.reward / ONE)}"
        case SetsSent():
            return sets(Chained.decode(message.content))
        case Vote():
            return f"{message.phase.removeprefix('round ')} for {short(message.hash)}"
        case Proposal():
            return f"proposal of {short(message.hash)} at height {message.height}"
        case Confirmation():
            return f"confirmation of {short(message.hash)} at height {message.height}"
        case Certificate():
            voters = " ".join(map(str, message.voters))
            return f"certificate for {short(message.hash)} of round {message.round}, by {voters}"
        case Want():
            return f"want of blocks from height {message.height}"
        case Ballots():
            voters = " ".join(map(str, message.voters))
            return f"{message.purpose.removeprefix('round ')} for {short(message.hash)} of {voters}, passed on"
        case Shown():
            return f"evidence against {culprit(message.statement, ground_of(first_chain().state))}"
        case Passed():
            return f"{len(message.reports)} reports, passed on"
        case Blocks():
            return f"{len(message.blocks)} blocks"
    return type(message).__name__.lower()


def sets(message: Chained) -> str:
    """Whom a value names for each arm, whose reports it holds, and who has signed it."""
    named = Named.from_bytes(message.value, M, K, False)
    arms = "; ".join(" ".join(map(str, np.flatnonzero(named.members[:, arm]))) or "nobody" for arm in range(K))
    held = " ".join(str(m) for m, name in enumerate(named.names) if name != NO_REPORT)
    signers = " ".join(map(str, message.signers))
    return f"sets of {message.general}: for the arms {arms}; reports of {held}; signed by {signers}"


def short(hash: bytes) -> str:
    return hash.hex()[:8]


def paid(t: int, i: int, arm: int) -> float:
    return 0.25 + 0.5 * arm + 0.01 * i


def played(title: str, liar: Attack | None = None, lost=lambda moment, sender, receiver: False) -> str:
    """The first round after the burn-in in which everybody is a validator; the rounds before it are abandoned."""
    machine, coins = TrustedMachine(M, Fraction(3, 2), 16), replicate_coins(*COINS)
    hosts = []
    for m in range(M):
        about = m, SEEDS[m], first_chain(), PARAMS, lambda dice, m=m: Trusting(machine, m), coins
        if liar is not None and m == LIAR:
            attack = liar.record(Bernoulli((0.3, 0.8), n_agents=M))
            hosts.append(Host(AttackerRole(*about, attack=attack, allies=np.arange(M) == LIAR)))
        else:
            hosts.append(Host(Role(*about)))
    for m, host in enumerate(hosts):
        told: list[Outcome] = []
        for t in range(1, BURN_IN + 1):
            arm = host.step(Moment(t, PULLING), (), told).pull
            told = [Outcome(t, paid(t, m, arm))]
        host.step(Moment(BURN_IN, REPORTING), (), told)
    play = Play(hosts, words, paid, lost, REPORTING)
    play.say(title)
    play.round(ROUND)
    return play.text


def test_a_round_without_faults(rewrite):
    title = "A round of BC-UCB among four participants, all of them validators; f = 1. Nothing goes wrong."
    check("bc-ucb-round", played(title), rewrite)


def test_a_round_with_a_liar(rewrite):
    title = "Participant 3 signs two different values: neither counts, and everybody can prove it."
    text = played(title, Equivocate())
    assert "notices of 3: two sets" in text
    check("bc-ucb-liar", text, rewrite)


def test_a_round_with_a_lost_report(rewrite):
    """Participant 0 agrees on every set, but cannot make the block: it stands for the block of the others."""
    title = "The report of participant 1 is lost on the way to 0, which stands for the block of the others in `second`."

    def lost(moment: Moment, sender: int, receiver: int) -> bool:
        return moment.stage == REPORTING and (sender, receiver) == (1, 0)

    check("bc-ucb-lost-report", played(title, lost=lost), rewrite)


@pytest.mark.parametrize("name", ["bc-ucb-round", "bc-ucb-liar", "bc-ucb-lost-report"])
def test_each_of_them_ends_in_one_block_of_all(name):
    text = (TESTDATA / f"{name}.txt").read_text(encoding="utf-8")
    assert [f"{m} keeps block 1" in text for m in range(M)] == [True] * M
    confirmed = {line.split("confirmation of ")[1] for line in text.splitlines() if "confirmation of " in line}
    assert len(confirmed) == 1
