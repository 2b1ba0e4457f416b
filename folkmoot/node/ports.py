"""Ports for nodes that are all on this machine."""

import random
import socket

PORTS = range(10_000, 32_768)  # below those that a kernel gives to connections: Linux begins there, others later
_TRIES = 1_000


def free_ports(count: int, among: range = PORTS) -> list[int]:
    """Ports in a row at which nobody listens on loopback.

    A connection does not take one while its node is away, since none of them is given to connections.

    Raises:
        ValueError: so many are not to be had.
    """
    dice = random.SystemRandom()
    for _ in range(_TRIES):
        ports = range(first := dice.randrange(among.start, among.stop - count), first + count)
        sockets: list[socket.socket] = []
        try:
            sockets.extend(socket.create_server(("127.0.0.1", port)) for port in ports)
            return list(ports)
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise ValueError(f"{count} free ports in a row, from {among.start} to {among.stop - 1}: none found here")
