"""The network in memory: each fault does what it says, by coins of the seed, and stops when the network heals."""

from collections import Counter

import pytest

from folkmoot.coins import replicate_coins
from folkmoot.simulation.network import Address, Faults, Network

STAGES = 10
FOUR = [Address(number, 0) for number in range(4)]


def network(faults=None, addresses=FOUR, seed=1):
    return Network(addresses, faults, replicate_coins(seed, 0, 0), STAGES, 1)


def sent_and_got(net, rounds, until=60):
    """Everybody broadcasts in stage 0 of each of these rounds; {time: number of messages that arrive}."""
    got = Counter()
    for now in range(until * STAGES):
        for inbox in net.deliver(now).values():
            got[now] += len(inbox)
        if now % STAGES == 0 and now // STAGES in rounds:
            for address in net.addresses:
                net.send(now, address, None, b"%d" % now)
    return got


def test_without_faults_everything_arrives_in_the_next_stage_in_the_order_of_senders():
    net = network()
    for address in FOUR:
        net.send(0, address, None, b"to all %d" % address.participant)
    net.send(0, FOUR[3], 1, b"to one")
    assert net.deliver(0) == {}
    inboxes = net.deliver(1)
    assert inboxes[FOUR[1]] == [(0, b"to all 0"), (2, b"to all 2"), (3, b"to all 3"), (3, b"to one")]
    assert [sender for sender, _ in inboxes[FOUR[0]]] == [1, 2, 3]
    assert (net.messages, net.bytes) == (13, 12 * 8 + 6)
    assert net.deliver(1) == {}


def test_dropped_messages_are_lost_about_as_often_as_asked():
    """1,200 messages, each lost with probability 0.3: 360 on average, deviation 16; five of them either way."""
    got = sent_and_got(network(Faults(drop=0.3)), range(100), 101)
    assert abs(1_200 - sum(got.values()) - 360) < 80
    assert sum(sent_and_got(network(Faults(drop=1.0)), range(3)).values()) == 0


def test_late_messages_arrive_within_the_longest_delay():
    got = sent_and_got(network(Faults(delay=1.0, longest_delay=3)), [5])
    assert sum(got.values()) == 12
    assert set(got) <= {52, 53, 54}
    assert len(got) > 1


def test_repeated_messages_arrive_twice():
    got = sent_and_got(network(Faults(duplicate=1.0)), [5])
    assert sum(got.values()) == 24
    assert set(got) <= {51, 52, 53}


def test_reordered_messages_are_the_same_in_another_order():
    orders = []
    for faults in (None, Faults(reorder=1.0)):
        net = network(faults, [Address(number, 0) for number in range(12)])
        for address in net.addresses:
            net.send(10, address, None, b"x")
        orders.append([sender for sender, _ in net.deliver(11)[Address(0, 0)]])
    assert orders[0] != orders[1]
    assert orders[0] == sorted(orders[1])


def test_a_split_network_has_two_sides_that_hear_nothing_of_each_other():
    net = network(Faults(partition=1.0), [Address(number, 0) for number in range(12)])
    heard = {}
    for address in net.addresses:
        net.send(10, address, None, b"x")
    for address, inbox in net.deliver(11).items():
        heard[address.participant] = frozenset(sender for sender, _ in inbox) | {address.participant}
    sides = set(heard.values())
    assert len(sides) == 2
    assert frozenset.union(*sides) == frozenset(range(12))


def test_a_crashed_participant_is_down_for_at_most_a_round_and_comes_back():
    net = network(Faults(crash=1.0, heal_at=5))
    for address in FOUR:
        down = [now for now in range(7 * STAGES) if net.is_down(now, address)]
        begins = [now for now in range(7 * STAGES) if net.crashes(now, address)]
        assert [now // STAGES for now in begins] == [1, 2, 3, 4]
        assert set(begins) <= set(down)
        assert max(down) < 5 * STAGES
        assert min(down) >= STAGES
        assert len(down) < 4 * STAGES
    assert not any(network().is_down(now, FOUR[0]) for now in range(50))


@pytest.mark.parametrize("fault", ["drop", "delay", "duplicate", "partition"])
def test_after_the_healing_the_network_is_good(fault):
    got = sent_and_got(network(Faults(**{fault: 1.0}, heal_at=6)), [5, 6])
    assert got[61] == 12
    assert got[51] != 12


def test_the_same_seed_gives_the_same_faults():
    faults = Faults(drop=0.5, delay=0.5, duplicate=0.5)
    runs = [sent_and_got(network(faults, seed=seed), range(20)) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_each_of_the_others_hears_one_of_two_twins():
    net = network(None, [*FOUR, Address(0, 1)])
    for copy in (0, 1):
        net.send(10, Address(0, copy), None, b"%d" % copy)
    net.send(10, Address(1, 0), 0, b"hello")
    inboxes = net.deliver(11)
    assert all(len(inboxes[address]) == 1 for address in FOUR[1:])
    assert inboxes[Address(0, 0)] == inboxes[Address(0, 1)] == [(1, b"hello")]
    heard = {
        inboxes[address][0][1]
        for t in range(1, 9)
        for net in [network(None, [*FOUR, Address(0, 1)])]
        for _ in [[net.send(10 * t, Address(0, copy), None, b"%d" % copy) for copy in (0, 1)]]
        for inboxes in [net.deliver(10 * t + 1)]
        for address in FOUR[1:]
    }
    assert heard == {b"0", b"1"}


@pytest.mark.parametrize(
    "wrong",
    [{"drop": 1.5}, {"delay": -0.1}, {"crash": float("nan")}, {"longest_delay": 0}, {"heal_at": 0}, {"rain": 0.5}],
)
def test_faults_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=f"^Faults: .*{next(iter(wrong))}") as caught:
        Faults(**wrong)
    assert "\n" not in str(caught.value)
