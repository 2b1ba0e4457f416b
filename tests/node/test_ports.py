"""Ports that are chosen for nodes of one machine stay theirs while a node is away."""

import socket
from pathlib import Path

import pytest

from folkmoot.node.ports import free_ports

GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")  # to connections, by this kernel


def test_they_are_in_a_row_and_free():
    found = free_ports(16)
    assert found == list(range(found[0], found[0] + 16))
    servers = [socket.create_server(("127.0.0.1", port)) for port in found]
    for server in servers:
        server.close()


@pytest.mark.skipif(not GIVEN.exists(), reason="this kernel does not say which ports it gives to connections")
def test_none_is_one_that_the_kernel_gives_to_a_connection():
    least = int(GIVEN.read_text().split()[0])
    assert max(port for _ in range(50) for port in free_ports(8)) < max(least, 32_768)


def test_what_is_taken_is_not_given():
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(ValueError, match="1 free ports in a row"):
        free_ports(1, range(port, port + 2))
