"""In a comparison of counts nobody gets a second answer in a round, no second offer is signed; after a crash too."""

import numpy as np
from made_round import BURN_IN, COINS, SEEDS, K, M, first_chain, full_round, identities

from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.messages import COMPARISON, GAME, Answer, Offer, comparison_words
from folkmoot.bc_ucb.participant import Role
from folkmoot.bc_ucb.stages import ANSWERING, PULLING, REPORTING
from folkmoot.coins import replicate_coins
from folkmoot.machine import Moment, Received
from folkmoot.simulation.host import Host

PARAMS = Params(M, K, BURN_IN, 2.0, 1500, 1000, 1, True, True)
T = full_round(first_chain())


class Willing:
    """A comparison that offers and answers whatever it is asked, each time anew."""

    def __init__(self):
        self.said = 0

    def sizes(self, arms):
        return 64, 64

    def begin(self, previous, round, counts, told):
        pass

    def offer(self, key):
        self.said += 1
        return b"offer %d" % self.said

    def answer(self, validator, offer):
        self.said += 1
        return b"answer to " + offer

    def passed(self, answers):
        return np.ones(M, np.bool_)


def host():
    willing = Willing()
    role = Role(0, SEEDS[0], first_chain(), PARAMS, lambda dice: willing, replicate_coins(*COINS))
    return Host(role)


def offer(content, t=T):
    chain = first_chain()
    said = Offer(chain.tip, t, 1, b"", content, b"")
    words = comparison_words(chain.state.origin, said)
    return Received(1, GAME.to_bytes(said._replace(signature=identities()[1].sign(COMPARISON, words))))


def sent(effects, kind):
    found = [GAME.from_bytes(data, (M, K)) for _, data in effects.send]
    return [message for message in found if isinstance(message, kind)]


def test_no_second_offer_is_signed_after_a_crash_in_the_round():
    """A driver that repeats the stage, against its duties, gets the report again and no other offer."""
    one = host()
    one.step(Moment(T, PULLING))
    assert len(sent(one.step(Moment(T, REPORTING)), Offer)) == 1
    assert sent(one.machine.step(Moment(T, REPORTING), [], []), Offer) == []
    one.restart()
    assert sent(one.machine.step(Moment(T, REPORTING), [], []), Offer) == []


def test_attack_of_a_second_offer_after_a_crash_in_the_round():
    """One more bit of each count, if it were answered."""
    one = host()
    one.step(Moment(T, PULLING))
    one.step(Moment(T, REPORTING))
    (answer,) = sent(one.step(Moment(T, ANSWERING), [offer(b"first"), offer(b"second")]), Answer)
    assert answer.content == b"answer to first"
    for _ in range(2):
        one.restart()
        one.machine.step(Moment(T, REPORTING), [], [])
        assert sent(one.machine.step(Moment(T, ANSWERING), [offer(b"third")], []), Answer) == []


def test_the_next_round_has_its_own_offer_and_answer():
    one, later = host(), full_round(first_chain(), T)
    for t in (T, later):
        one.step(Moment(t, PULLING))
        assert len(sent(one.step(Moment(t, REPORTING)), Offer)) == 1
        assert len(sent(one.step(Moment(t, ANSWERING), [offer(b"asked", t)]), Answer)) == 1
        one.restart()
