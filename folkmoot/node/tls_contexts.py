"""What a member shows and trusts in TLS.

Python's ssl takes a private key from a file alone. Where the system has memory that has a name, the key is written
there, and is gone with the process. Elsewhere it is written to a temporary file, sealed with a password that is never
written down and used once. So a node that is killed at any instant leaves no key behind that somebody could use.
"""

import os
import ssl
import tempfile
from base64 import b64encode
from pathlib import Path
from secrets import token_hex

from folkmoot.node.certificate import sealed_key, secret_key
from folkmoot.node.charter import Charter


def contexts(charter: Charter, me: int, seed: bytes) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a member accepts connections with, and what it makes them with."""
    trusted = "".join(ssl.DER_cert_to_PEM_cert(other.certificate) for other in charter.members)
    made = []
    for side in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT):
        context = ssl.SSLContext(side)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=trusted)
        if side is ssl.PROTOCOL_TLS_SERVER:
            context.num_tickets = 0
        show(context, charter.members[me].certificate, seed)
        made.append(context)
    return made[0], made[1]


def show(context: ssl.SSLContext, shown: bytes, seed: bytes) -> None:
    """Let a context show this certificate (DER), whose key is that of the seed."""
    chain = ssl.DER_cert_to_PEM_cert(shown).encode("ascii")
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        handle = os.memfd_create("pair")
        with open(handle, "wb", buffering=0) as memory:
            memory.write(_pem(secret_key(seed)) + chain)
            context.load_cert_chain(f"/proc/self/fd/{handle}")
        return
    password = token_hex(32)
    handle, name = tempfile.mkstemp(prefix="folkmoot-")  # readable by its owner alone
    try:
        with open(handle, "wb") as file:
            file.write(sealed_key(seed, password.encode()) + chain)
        context.load_cert_chain(name, password=password)
    finally:
        os.unlink(name)


def _pem(secret: bytes) -> bytes:
    return b"-----BEGIN PRIVATE KEY-----\n" + b64encode(secret) + b"\n-----END PRIVATE KEY-----\n"
