"""One participant checks each signature that it meets once, however often it meets it, and none of others' checks."""

from collections import Counter

import pytest
from small_game import small_game

from folkmoot import signatures
from folkmoot.bc_ucb.protocol import Table
from folkmoot.bc_ucb.rules import SharedRounds
from folkmoot.simulation.host import Host


@pytest.mark.parametrize("sortition", ["coin", "vrf"])
def test_each_participant_checks_each_signature_once(sortition, monkeypatch):
    game = small_game("attack", 4, horizon=13, sortition=sortition)
    opened, now = Counter(), []

    def counted(message, key, real=signatures.crypto_sign_open):
        opened[now[0], key, message] += 1
        return real(message, key)

    with Table(game, 0) as table:
        table.hosts = {
            a: Host(table._role(a, SharedRounds(8)), chance=table._dice(a), sorts=False) for a in table.hosts
        }
        monkeypatch.setattr(signatures, "crypto_sign_open", counted)
        for address, host in table.hosts.items():

            def step(*given, address=address, real=host.step):
                now[:] = [address]
                return real(*given)

            monkeypatch.setattr(host, "step", step)
        for t in range(1, 14):
            table.play_round(t)
        played = table.played()
    assert played.chain.height >= 2
    assert set(opened.values()) == {1}
    by_each = Counter(address for address, _, _ in opened)
    least = played.chain.height * (len(table.hosts) - 1) * 4  # reports, prevotes, precommits, confirmations of others
    assert len(by_each) == len(table.hosts)
    assert min(by_each.values()) >= least
