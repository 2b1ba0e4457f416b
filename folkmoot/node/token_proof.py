"""How a node shows a client that it knows the token, before the client sends it.

A node that was killed leaves its address behind, and another program may listen there next. So a client first asks with
a number that is new each time, and goes on only if the answer is a digest of it with the token as the key.

Whoever listens there could pass the question on to the node, which may be back at another port or at the same one, and
the answer back. So both ends of the connection are in the digest: what the node shows on one connection is worth
nothing on any other. Where something honest stands between the two, as a tunnel does, their ends differ as well. A
client that is told so (`forwarded`) takes a digest of the number alone.
"""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

PATH = "/proof"
_NONCE = re.compile(rb"nonce=([0-9a-f]{32})")
_MAPPED = "::ffff:"  # how a socket of IPv6 writes an address of IPv4


def query(nonce: str) -> str:
    """What a client asks for; `nonce`: 32 hexadecimal digits."""
    return f"{PATH}?nonce={nonce}"


def nonce_in(text: bytes) -> str | None:
    """The number in the query of a request; None: there is none."""
    found = _NONCE.fullmatch(text)
    return None if found is None else found[1].decode()


def ends(client: Sequence[Any], node: Sequence[Any]) -> str:
    """A connection in words: host and port of the client's end, then of the node's, as a socket names them."""
    return " ".join(f"{str(end[0]).removeprefix(_MAPPED)} {end[1]}" for end in (client, node))


def token_proof(token: bytes, nonce: str, connection: str = "") -> str:
    """The answer, which only who knows the token can give: HMAC-SHA256, 64 hexadecimal digits.

    `connection`: its two ends, see `ends`; empty: wherever it is asked for.
    """
    return hmac.digest(token, f"folkmoot node {nonce} {connection}".strip().encode(), sha256).hex()
