"""A machine behind sealed channels hears and says what it would have said without, and nobody else reads it."""

from votes_alone import VOTING

from folkmoot.agreement.forms import START
from folkmoot.agreement.identity import Identity
from folkmoot.agreement.messages import Want
from folkmoot.agreement.sealed import Channels, channel_key
from folkmoot.agreement.sealing import Sealing
from folkmoot.machine import ALL, Effects, Gate, Moment, Noticed, Received, Share, Stage

SEEDS = [bytes([n]) * 32 for n in range(1, 4)]
KEYS = [channel_key(seed, Identity(seed)).key for seed in SEEDS]
ORIGIN = bytes(32)
NOW = Moment(1, 0)
WANT = VOTING.to_bytes(Want(5))
STAGE = Stage("talk", 2, 2 * len(WANT), frozenset(), True, {"want": Share(2, len(WANT))})


class Talker:
    """Says the same to all and to the last member, and remembers what it heard."""

    stages = (STAGE,)
    next = NOW

    def __init__(self):
        self.heard = []

    def kind_of(self, data):
        return VOTING.kind_of(data)

    def step(self, moment, inbox, outcomes, blocks=()):
        self.heard += inbox
        return Effects(send=[(ALL, WANT), (2, VOTING.to_bytes(Want(7))), (0, WANT)])


def talkers():
    return [Sealing(Talker(), m, Channels(seed, m, KEYS, ORIGIN, START)) for m, seed in enumerate(SEEDS)]


def test_each_receiver_reads_what_is_for_all_and_what_is_for_it():
    one, two, three = talkers()
    sent = one.step(NOW, (), ()).send
    assert [to for to, _ in sent] == [1, 2, 2]
    for to, machine in ((1, two), (2, three)):
        machine.step(NOW, [Received(0, data) for receiver, data in sent if receiver == to], ())
    assert two.inner.heard == [(0, WANT)]
    assert three.inner.heard == [(0, WANT), (0, VOTING.to_bytes(Want(7)))]


def test_the_driver_still_tells_kinds_apart_and_bounds_them():
    one, two, _ = talkers()
    data = one.step(NOW, (), ()).send[0][1]
    assert two.kind_of(data) == "want"
    gate = Gate(two.stages[0], two.kind_of)
    assert [gate.refuses(Received(0, data)) for _ in range(3)] == ["", "", "too many messages"]
    assert Gate(two.stages[0], two.kind_of).refuses(Received(0, data + b"x")) == "too large"


def test_what_cannot_be_opened_is_noticed_and_the_rest_is_heard():
    one, two, _ = talkers()
    sent = one.step(NOW, (), ()).send
    inbox = [Received(0, sent[1][1]), Received(2, sent[0][1]), Received(0, WANT), Received(0, sent[0][1])]
    noticed = two.step(NOW, inbox, ()).noticed
    assert noticed == [Noticed(0, "not sealed"), Noticed(2, "not sealed"), Noticed(0, "size of what is sealed")]
    assert two.inner.heard == [(0, WANT)]
