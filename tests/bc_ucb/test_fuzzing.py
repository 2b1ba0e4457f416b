"""Stateful fuzzing of agreement: an adversary that composes messages at will, and never more than f faulty members."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from room import Room, truncated

VALUES = st.sampled_from([b"a", b"b", b"c", b"value of 1", b""])
SIZES = [(4, 1), (4, 2), (4, 3), (7, 2), (7, 4)]
OLD = {n: Room(n, 1, session_id=b"tip 40, round 41") for n in (4, 7)}
for _room in OLD.values():
    _room.finish()


class Adversary(RuleBasedStateMachine):
    """Each rule makes the coalition say something to some of the honest in the coming round, or ends the round."""

    @initialize(size=st.sampled_from(SIZES), data=st.data())
    def gather(self, size, data):
        n, f = size
        faulty = data.draw(st.sets(st.integers(0, n - 1), min_size=1, max_size=min(f, n - 1)), label="faulty")
        self.room = Room(n, f, faulty)
        for _ in range(data.draw(st.integers(0, f), label="quiet rounds")):
            self.room.step()

    def some(self, data):
        return data.draw(st.sets(st.sampled_from(sorted(self.room.honest)), min_size=1), label="targets")

    def grown(self, data, message):
        """The message signed on by faulty members; usually by as many as this round asks for, if need be twice."""
        missing = max(0, self.room.round - len(message.signers))
        count = data.draw(st.sampled_from([missing, missing, 0, missing + 1]), label="how many")
        faulty = sorted(self.room.faulty)
        if data.draw(st.booleans(), label="each once"):
            message = self.room.extended(message, *[who for who in faulty if who not in message.signers][:count])
        else:
            who = st.sampled_from(faulty)
            message = self.room.extended(message, *data.draw(st.lists(who, min_size=count, max_size=count)))
        if len(message.signers) < self.room.round and data.draw(st.booleans(), label="forged tail"):
            tail = data.draw(st.integers(0, self.room.n), label="signer")
            return message._replace(
                signers=(*message.signers, tail), signatures=(*message.signatures, message.signatures[-1])
            )
        return message

    @rule(data=st.data(), value=VALUES)
    def say(self, data, value):
        """A value of a faulty general, new or not, by a chain of accomplices."""
        general = data.draw(st.sampled_from(sorted(self.room.faulty)), label="general")
        self.room.send(self.grown(data, self.room.signed(general, value)), self.some(data))

    @rule(data=st.data(), value=VALUES)
    def forge(self, data, value):
        """A value of an honest general, signed by a faulty member."""
        signer = data.draw(st.sampled_from(sorted(self.room.faulty)), label="signer")
        general = data.draw(st.sampled_from(sorted(self.room.honest)), label="general")
        message = self.room.signed(general, value, signer)
        if data.draw(st.booleans(), label="under his own name"):
            message = message._replace(signers=(signer,))
        self.room.send(self.grown(data, message), self.some(data))

    @rule(data=st.data())
    def pass_on(self, data):
        """An honest message, cut, signed on, from any round: withheld until now, early or late."""
        message = data.draw(st.sampled_from(self.room.seen), label="message")
        length = data.draw(st.integers(1, len(message.signers)), label="kept")
        self.room.send(self.grown(data, truncated(message, length)), self.some(data))

    @rule(data=st.data())
    def spoil(self, data):
        """An honest message with a flipped bit or another signer."""
        message = data.draw(st.sampled_from(self.room.seen), label="message")
        member = data.draw(st.integers(0, self.room.n), label="signer")
        self.room.send(message._replace(signers=(*message.signers[:-1], member)), self.some(data))
        encoded = message.encode()
        place = data.draw(st.integers(0, 8 * len(encoded) - 1), label="bit")
        number = int.from_bytes(encoded, "little") ^ 1 << place
        self.room.send(number.to_bytes(len(encoded), "little"), self.some(data))

    @rule(data=st.data())
    def replay(self, data):
        """A message of yesterday's session, as it was or under today's name."""
        message = data.draw(st.sampled_from(OLD[self.room.n].seen), label="message")
        if data.draw(st.booleans(), label="renamed"):
            message = message._replace(session=self.room.session)
        self.room.send(message, self.some(data))

    @rule()
    def end_of_round(self):
        if self.room.round <= self.room.f:
            self.room.step()

    def teardown(self):
        if hasattr(self, "room"):
            self.room.finish()
            self.room.check()


Adversary.TestCase.settings = settings(
    max_examples=100, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAdversary = Adversary.TestCase
