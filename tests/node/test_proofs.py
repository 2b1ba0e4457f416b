"""Rewards that an environment signs: a node takes them with a right signature alone, and the chain pays them."""

import asyncio

import pytest
from consortium import A_MOMENT, Consortium, charter_of

import folkmoot as fm
from folkmoot.node import Environment, proofs
from folkmoot.node.charter import BadCharter
from folkmoot.node.store import Store
from folkmoot.node.systems import system_of
from folkmoot.node.tickets import Decision, Tickets

DEVICE, OTHER = (Environment(bytes([n]) * 32) for n in (50, 51))
SETTINGS = {"disclosure": "open", "algorithm": {"burn_in": 3}, "environment": [DEVICE.public_key]}


def charter(**more):
    return charter_of(4, rounds=8, system="bc_ucb", low=-1.0, high=3.0, play=0.5, settings={**SETTINGS, **more})


class Measured(Consortium):
    """A device measures what each member plays; the application of the last one signs by itself."""

    async def application(self, player):
        last, signing = 0, player.system.signing(player.me)
        while player.phase != "done":
            tickets = player.tickets
            if tickets.arm >= 0 and tickets.round > last:
                decision, last = tickets.decide(), tickets.round
                self.arms[decision.round, player.me] = decision.arm
                reward = 4.0 * self.pays(player.me, decision.round, decision.arm) - 1.0
                signer = DEVICE if player.me < 3 else OTHER
                proof = proofs.proof_of(signer.sign(signing, decision, reward))
                entry = tickets.outcome(decision.ticket, reward, proof)
                said = await player.take([entry])
                assert said == (["taken"] if player.me < 3 else ["unsigned"])
                if player.me == 0:
                    again = tickets.outcome(tickets.decide().ticket, reward, proof)
                    assert await player.take([again]) in (["second"], ["closed"])
            await asyncio.sleep(A_MOMENT)


def test_signed_rewards_are_paid_and_others_are_not_even_taken(tmp_path):
    consortium = Measured(charter(), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    consortium.play()
    player = consortium.players[0]
    assert player.height == 5
    paid = [sum(consortium.pays(m, t, consortium.arms[t, m]) for t in range(4, 9)) for m in range(3)]
    assert player.seen()["earned"] == [*paid, 0.0]


def test_a_proof_is_for_one_round_one_member_one_arm_one_reward_and_one_chain(tmp_path):
    system, store = system_of(charter()), Store(tmp_path / "one.sqlite")
    signing, proves = system.signing(0), system.proves(0)
    proof = bytes.fromhex(DEVICE.sign(signing, Decision(1, "b", 5, ""), 2.0))
    assert proves(5, 1, 0.75, proof)
    assert not proves(6, 1, 0.75, proof)
    assert not proves(5, 2, 0.75, proof)
    assert not proves(5, 1, 0.5, proof)
    assert not proves(5, 1, 0.75, b"")
    assert not system.proves(1)(5, 1, 0.75, proof)
    assert not system_of(charter()).proves(0)(5, 1, 0.75, proof)  # another salt
    assert proofs.take(store, proves, [("5.a.1", 5, 0.75, proof), ("5.a.2", 5, None)]) == ["unsigned", "taken"]
    assert proofs.take(store, None, [("5.a.3", 5, 0.75, proof), ("5.a.4", 5, 0.75)]) == ["signed", "taken"]
    assert system_of(charter(environment=[])).proves(0) is None
    store.close()


def test_what_is_no_proof_is_refused_in_one_line():
    with pytest.raises(ValueError, match="proof = '12': expected 192 hexadecimal digits"):
        proofs.proof_of("12")
    with pytest.raises(ValueError, match="expected 192"):
        proofs.proof_of("g" * 192)
    with pytest.raises(ValueError, match=r"reward = 9: expected a number from -1 to 3"):
        DEVICE.sign(system_of(charter()).signing(0), Decision(1, "b", 5, ""), 9)
    with pytest.raises(ValueError, match="key of 3 bytes: expected 32"):
        Environment(b"abc")


def test_a_cost_that_nobody_can_book_is_refused():
    with pytest.raises(BadCharter, match=r"algorithm.cost = 0.5: expected 0"):
        system_of(charter(algorithm={"burn_in": 3, "cost": 0.5}))


def test_a_proof_goes_with_its_outcome_to_the_disk(tmp_path):
    store, tickets = Store(tmp_path / "one.sqlite"), Tickets(("a", "b"), 0.0, 1.0, 8)
    tickets.open(3, 1)
    store.take([tickets.outcome(tickets.decide().ticket, 0.5, b"proof"), ("2.a.1", 2, 0.25)])
    store.close()
    again = Store(tmp_path / "one.sqlite")
    assert [(one.outcome.round, one.outcome.reward, one.outcome.proof) for one in again.waiting()] == [
        (2, 0.25, b""), (3, 0.5, b"proof"),
    ]  # fmt: skip
    again.close()


def test_a_store_of_before_takes_proofs(tmp_path):
    store = Store(tmp_path / "one.sqlite")
    store._db.execute("ALTER TABLE outcome DROP COLUMN proof")
    store.close()
    again = Store(tmp_path / "one.sqlite")
    assert again.take([("1.a.1", 1, 0.5, b"proof")]) == ["taken"]
    again.close()
