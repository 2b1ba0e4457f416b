"""Sockets as a node needs them: how it listens, and what is set on a connection."""

import asyncio
import contextlib
import socket
from typing import Any

BACKLOG = 256  # connections that the kernel holds until they are looked at


async def listen(host: str, port: int) -> list[socket.socket]:
    """One that listens for each address of this host.

    Raises:
        OSError: one cannot.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )  # fmt: skip
    made: list[socket.socket] = []
    try:
        for family, place in sorted({(family, place) for family, _, _, _, place in found}):
            made.append(_listen(family, place))
    except OSError:
        for one in made:
            one.close()
        raise
    return made


def _listen(family: int, place: tuple[Any, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setblocking(False)
        listening.bind(place)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def set_options(writer: asyncio.StreamWriter, idle: float) -> None:
    """Small frames leave at once; what is not acknowledged for long was sent into nothing."""
    found: socket.socket | None = writer.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1_000 * idle))
    writer.transport.set_write_buffer_limits(high=1 << 20)
