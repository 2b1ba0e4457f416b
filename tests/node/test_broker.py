"""Frames over a broker that lies: what it changes, repeats, swaps, forges or holds back does not get through."""

import asyncio
from collections import Counter

import pytest
from consortium import charter_of, seeds_of
from ends import Transports
from timeless import TIME, run

from folkmoot.agreement.identity import Identity
from folkmoot.encoding import Malformed
from folkmoot.machine import Moment
from folkmoot.node.broker import Post
from folkmoot.node.envelope import TO_SEVERAL, Envelopes
from folkmoot.node.frames import HELLO, LENGTH, STEP, Frame

BEAT, LARGEST = 0.25, 10_000


class Broker:
    """In memory. `lies`: what it makes of a message: (subject, data) in, a list of such out."""

    def __init__(self):
        self.wires, self.record, self.lies = [], [], lambda subject, data: [(subject, data)]

    def wire(self):
        self.wires.append(Wire(self))
        return self.wires[-1]

    def came(self, subject, data):
        self.record.append((subject, data))
        for said in self.lies(subject, data):
            self.says(*said)

    def says(self, subject, data):
        for wire in self.wires:
            if wire.up and subject in wire.takes:
                asyncio.get_running_loop().call_soon(wire.takes[subject], data)


class Wire:
    def __init__(self, broker):
        self.broker, self.takes, self.up, self.changed, self.refused = broker, {}, False, None, Counter()

    def listen(self, subject, take):
        self.takes[subject] = take

    def forget(self, subject):
        self.takes.pop(subject, None)

    def publish(self, subject, data):
        if self.up:
            asyncio.get_running_loop().call_soon(self.broker.came, subject, data)
        return self.up

    async def start(self, changed):
        self.changed = changed
        self.turn(True)

    def turn(self, up):
        self.up = up
        self.changed(up)

    async def stop(self):
        await asyncio.sleep(0)
        self.up = False


class Ends(Transports):
    """Members of a charter, each in a process of its own, or as many in one as `hosted` says."""

    def __init__(self, members=3, hosted=None, budget=1e6):
        super().__init__(charter_of(members))
        self.seeds, self.broker = seeds_of(members), Broker()
        self.posts = [Post(self.broker.wire()) for _ in hosted or range(members)]
        self.of = [p for p, count in enumerate(hosted or [1] * members) for _ in range(count)]
        self.budget = budget
        self.lines = [self.line(me) for me in range(members)]

    def line(self, me):
        return self.posts[self.of[me]].line(self.charter, me, self.seeds[me], LARGEST, self.budget, beat=BEAT)

    async def again(self, me):
        """This member's process begins anew, and remembers nothing."""
        self.posts[self.of[me]] = Post(self.broker.wire())
        self.lines[me] = self.line(me)
        await self.start(me)

    async def all_connected(self):
        await self.until(lambda: all(len(line.connected) == len(self.lines) - 1 for line in self.lines))

    def steps(self, me):
        return [(sender, frame.moment) for sender, frame in self.came[me] if frame.kind == STEP]


async def settled():
    for _ in range(20):
        await asyncio.sleep(0)


def everybody(ends, me, frame):
    for other in range(len(ends.lines)):
        if other != me:
            ends.lines[me].send(other, frame)


def kind_of(ends, data):
    return Envelopes(ends.charter).opened(data, 1 << 20).body[0]


@pytest.mark.parametrize("hosted", [None, [2, 1, 3], [6], [1, 1]])
def test_members_find_each_other_and_what_goes_to_all_leaves_once(hosted):
    async def work():
        members = sum(hosted) if hosted else 4
        ends = Ends(members, hosted)
        await ends.start()
        await ends.all_connected()
        for me in range(members):
            greeted = [(sender, frame) for sender, frame in ends.came[me] if frame.kind == HELLO]
            assert sorted(sender for sender, _ in greeted) == [other for other in range(members) if other != me]
            assert all(frame == ends.hellos[sender].frame(Moment(sender, 0)) for sender, frame in greeted)
            assert all(traffic.version == f"v{other}" for other, traffic in ends.lines[me].traffic.items())
        ends.broker.record.clear()
        for number in range(50):
            everybody(ends, 0, Frame(STEP, Moment(number + 1, 0), (b"%d" % number,)))
            await settled()
        for me in range(1, members):
            assert ends.steps(me) == [(0, Moment(number + 1, 0)) for number in range(50)]
        assert sum(kind_of(ends, data) == STEP for _, data in ends.broker.record) == 50
        assert not any(post._meetings[ends.charter.digest].strangers["forged"] for post in ends.posts)
        await ends.stop()

    run(work())


def test_what_is_for_one_goes_to_one():
    async def work():
        ends = Ends(3)
        await ends.start()
        await ends.all_connected()
        ends.lines[0].send(1, Frame(STEP, Moment(1, 0), (b"for one",)))
        await settled()
        assert ends.steps(1) == [(0, Moment(1, 0))]
        assert ends.steps(2) == []
        await ends.stop()

    run(work())


def changed_at(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_no_bit_of_an_envelope_can_be_changed():
    async def work():
        ends = Ends(2)
        await ends.start()
        await ends.all_connected()
        ends.broker.lies = lambda subject, data: []
        ends.lines[0].send(1, Frame(STEP, Moment(1, 0), (b"x",)))
        ends.broker.record.clear()
        await settled()
        ((subject, data),) = [(s, d) for s, d in ends.broker.record if kind_of(ends, d) == STEP]
        for at in range(len(data)):
            ends.broker.says(subject, changed_at(data, at))
        for short in (b"", data[:-1], data + b"x", data[:90], bytes(20_000)):
            ends.broker.says(subject, short)
        await settled()
        assert ends.steps(1) == []
        ends.broker.says(subject, data)
        await settled()
        assert ends.steps(1) == [(0, Moment(1, 0))]
        await ends.stop()

    run(work())


def test_what_was_said_once_is_heard_once_and_what_is_out_of_order_is_lost():
    async def work():
        ends = Ends(3)
        await ends.start()
        await ends.all_connected()
        ends.broker.lies = lambda subject, data: [(subject, data)] * 3
        for number in range(1, 6):
            everybody(ends, 0, Frame(STEP, Moment(number, 0)))
            await settled()
        for subject, data in reversed(ends.broker.record):
            ends.broker.says(subject, data)
        await settled()
        for me in (1, 2):
            assert ends.steps(me) == [(0, Moment(number, 0)) for number in range(1, 6)]
        ends.broker.lies = lambda subject, data: []
        ends.broker.record.clear()
        for number in (6, 7):
            everybody(ends, 0, Frame(STEP, Moment(number, 0)))
        await settled()
        for subject, data in reversed([one for one in ends.broker.record if kind_of(ends, one[1]) == STEP]):
            ends.broker.says(subject, data)
        await settled()
        assert ends.steps(1)[5:] == [(0, Moment(7, 0))]
        await ends.stop()

    run(work())


def test_what_is_for_one_member_is_worth_nothing_to_another():
    """The broker swaps receivers, subjects and charters."""

    async def work():
        ends = Ends(3)
        await ends.start()
        await ends.all_connected()
        root = f"folkmoot.{ends.charter.digest.hex()}"

        def swaps(subject, data):
            return [(f"{root}.to.2", data), (f"{root}.all", data)] if subject.endswith(".to.1") else [(subject, data)]

        ends.broker.lies = swaps
        ends.lines[0].send(1, Frame(STEP, Moment(1, 0), (b"for one",)))
        await settled()
        assert ends.steps(2) == []
        assert ends.steps(1) == [(0, Moment(1, 0))]  # who it is for may get it by any way
        await ends.stop()

    run(work())


def test_an_envelope_of_another_charter_is_not_signed_for_this_one():
    charter, other = charter_of(3), charter_of(3)
    body = Frame(STEP, Moment(1, 0)).to_bytes()[LENGTH.size :]
    data = Envelopes(charter).sealed(Identity(seeds_of(3)[0]), 0, bytes(8), 1, 0b110, body)
    envelope = Envelopes(charter).opened(data, LARGEST)
    assert Envelopes(charter).is_signed(envelope)
    assert not Envelopes(other).is_signed(Envelopes(other).opened(data, LARGEST))


@pytest.mark.parametrize(
    ("sender", "number", "receivers", "body"),
    [(0, 1, 0, b"x"), (0, 1, 0b001, b"x"), (0, 1, 0b1010, b"x"), (3, 1, 0b001, b"x"), (0, 0, 0b010, b"x"),
     (0, 1 << 63, 0b010, b"x"), (0, 1, 0b010, b""), (0, 1, 0b010, bytes(LARGEST + 1))],
)  # fmt: skip
def test_an_envelope_that_makes_no_sense_is_refused_before_its_signature_is_looked_at(sender, number, receivers, body):
    form = Envelopes(charter_of(3))
    data = form.sealed(Identity(seeds_of(3)[0]), sender, bytes(8), number, receivers, body)
    with pytest.raises(Malformed):
        form.opened(data, LARGEST)
    assert form.opened(form.sealed(Identity(seeds_of(3)[0]), 0, bytes(8), 1, 0b110, b"x"), 1).lane == TO_SEVERAL


def test_a_member_cannot_speak_for_another():
    async def work():
        ends = Ends(3)
        await ends.start()
        await ends.all_connected()
        meeting = ends.posts[0]._meetings[ends.charter.digest]
        body = Frame(STEP, Moment(1, 0), (b"forged",)).to_bytes()[LENGTH.size :]
        for seed in (ends.seeds[2], bytes([99]) * 32):
            data = Envelopes(ends.charter).sealed(Identity(seed), 0, meeting._session, 1 << 40, 0b110, body)
            ends.broker.says(f"{meeting.subject}.all", data)
        await settled()
        assert ends.steps(1) == ends.steps(2) == []
        assert ends.posts[1]._meetings[ends.charter.digest].strangers["forged"] == 2
        everybody(ends, 0, Frame(STEP, Moment(1, 0)))  # the forged number has not closed the lane
        await settled()
        assert ends.steps(1) == ends.steps(2) == [(0, Moment(1, 0))]
        await ends.stop()

    run(work())


def test_a_record_is_worth_nothing_to_a_process_that_begins_anew():
    """All that was ever said, old greetings included, is said again to a member that has forgotten everything."""

    async def work():
        ends = Ends(3)
        await ends.start()
        await ends.all_connected()
        for number in range(1, 6):
            everybody(ends, 0, Frame(STEP, Moment(number, 0)))
            await settled()
        record = list(ends.broker.record)
        await ends.stop()
        ends.broker.wires.clear()
        ends.came[1].clear()
        await ends.again(1)
        for _ in range(3):
            for said in record:
                ends.broker.says(*said)
            await asyncio.sleep(2 * BEAT)
        assert ends.came[1] == []
        assert ends.lines[1].connected == frozenset()
        await ends.again(0)
        await ends.until(lambda: ends.lines[1].connected == {0})
        for said in record:
            ends.broker.says(*said)
        await settled()
        assert [frame.kind for _, frame in ends.came[1]] == [HELLO]
        everybody(ends, 0, Frame(STEP, Moment(9, 0)))
        await settled()
        assert ends.steps(1) == [(0, Moment(9, 0))]
        await ends.stop()

    run(work())


def test_an_old_session_does_not_come_back():
    """A member's process begins anew; what the one before said is said again, and does not push the new one out."""

    async def work():
        ends = Ends(2)
        await ends.start()
        await ends.all_connected()
        ends.lines[0].send(1, Frame(STEP, Moment(1, 0), (b"before",)))
        await asyncio.sleep(3 * BEAT)
        record = list(ends.broker.record)
        await ends.lines[0].stop()
        await ends.again(0)
        await ends.all_connected()
        session = ends.posts[1]._meetings[ends.charter.digest]._peers[0].session
        for said in record:
            ends.broker.says(*said)
        await settled()
        assert ends.posts[1]._meetings[ends.charter.digest]._peers[0].session == session
        ends.lines[0].send(1, Frame(STEP, Moment(2, 0)))
        await settled()
        assert ends.steps(1) == [(0, Moment(1, 0)), (0, Moment(2, 0))]
        await ends.stop()

    run(work())


def test_a_broker_cannot_make_the_dead_look_alive():
    """It goes on repeating all that a member said, whatever it held back included."""

    async def work():
        ends = Ends(3)
        await ends.start()
        await ends.all_connected()
        held = []

        def holds(subject, data):
            if Envelopes(ends.charter).opened(data, 1 << 20).sender == 0:
                held.append((subject, data))
                return []
            return [(subject, data)]

        ends.broker.lies = holds
        await ends.until(lambda: len(held) >= 3)
        ends.posts[0].wire.turn(False)  # it is gone
        meeting = ends.posts[1]._meetings[ends.charter.digest]
        asked = set(meeting._challenges)  # what it may have answered; it counts for a few beats
        await ends.until(lambda: 0 not in ends.lines[1].connected and not asked & set(meeting._challenges))
        for said in held + ends.broker.record:
            ends.broker.says(*said)
        await settled()
        assert ends.lines[1].connected == {2}
        ends.lines[1].send(0, Frame(STEP, Moment(1, 0)))
        assert ends.lines[1].traffic[0].dropped == 1
        ends.posts[0].wire.turn(True)
        ends.broker.lies = lambda subject, data: [(subject, data)]
        await ends.all_connected()
        await ends.stop()

    run(work())


def test_a_broker_that_goes_and_comes_back_is_a_link_that_is_down_and_up():
    async def work():
        ends = Ends(4, [2, 2])
        await ends.start()
        await ends.all_connected()
        for post in ends.posts:
            post.wire.turn(False)
        assert all(line.connected == frozenset() for line in ends.lines)
        everybody(ends, 0, Frame(STEP, Moment(1, 0)))
        await asyncio.sleep(3 * BEAT)
        for post in ends.posts:
            post.wire.turn(True)
        await ends.all_connected()
        everybody(ends, 0, Frame(STEP, Moment(2, 0)))
        await settled()
        assert ends.steps(1) == ends.steps(3) == [(0, Moment(2, 0))]
        await ends.stop()

    run(work())


def test_who_hears_but_is_not_heard_is_not_connected():
    async def work():
        ends = Ends(2)
        ends.broker.lies = lambda subject, data: [] if subject.endswith(".to.1") else [(subject, data)]
        await ends.start()
        await asyncio.sleep(6 * BEAT)
        assert ends.lines[0].connected == ends.lines[1].connected == frozenset()
        await ends.stop()

    run(work())


def test_a_flood_of_a_member_takes_no_more_than_its_budget():
    async def work():
        ends = Ends(3, budget=100_000)
        await ends.start()
        await ends.all_connected()
        began = TIME.monotonic()
        for number in range(500):
            ends.lines[0].send(1, Frame(STEP, Moment(number + 1, 0), (bytes(3_000),)))
            await asyncio.sleep(0)
        ends.lines[2].send(1, Frame(STEP, Moment(1, 0)))
        await settled()
        traffic = ends.lines[1].traffic
        assert traffic[0].received < 100_000 * (2.0 + TIME.monotonic() - began)
        assert traffic[0].refused["too much"] > 0
        assert traffic[2].frames == 1
        await ends.stop()

    run(work())


def test_a_version_that_is_not_spoken_here_is_refused():
    async def work():
        ends = Ends(3)
        ends.hellos[2] = ends.hellos[2]._replace(oldest=7, newest=9)
        await ends.start()
        await ends.until(lambda: ends.lines[0].connected == {1} and ends.lines[1].connected == {0})
        await ends.until(lambda: ends.lines[0].traffic[2].refused["speaks none of our versions"])
        assert [sender for sender, _ in ends.came[0]] == [1]
        await ends.stop()

    run(work())
