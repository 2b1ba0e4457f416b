"""A member's secret: one file with 32 bytes, from which all its keys follow, readable by its owner alone.

How it works. The file is JSON: the format, the public key, how the secret is sealed, and the secret. Without a
passphrase it is sealed by nothing but the permissions of the file (0600). With one it is in a secretbox
(XSalsa20-Poly1305) whose key is the passphrase through argon2id; its cost stands in the file (0.5 s and 256 MiB with
what libsodium calls moderate), so that later versions can ask for more.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.utils import random

from folkmoot.agreement.identity import Identity
from folkmoot.errors import DamagedFile, brief
from folkmoot.files import or_say, read_plain
from folkmoot.json_text import parsed
from folkmoot.signatures import SEED_BYTES

FILE = "key.json"
_FORMAT = "folkmoot key 1"
_MOST = 4_096  # bytes of a file of a key
_OPEN, _SEALED = "nothing", "argon2id"
_MOST_OPS, _MOST_MEMORY = 16, 1 << 31  # of what a file may ask for: a stranger's file is not to stop the machine


class WrongPassphrase(ValueError):
    """The passphrase does not open this file, or there is none and it needs one."""


def write_key(path: Path, seed: bytes, passphrase: str = "") -> None:
    """A new file with this secret; empty passphrase: none.

    Raises:
        ValueError: there is a file of that name, or it cannot be written.
    """
    public = Identity(seed).public_key
    content: dict[str, Any] = {"format": _FORMAT, "public": public.hex(), "sealed by": _OPEN, "secret": seed.hex()}
    if passphrase:
        salt, ops, memory = random(argon2id.SALTBYTES), argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE
        sealed = bytes(SecretBox(_stretched(passphrase, salt, ops, memory)).encrypt(seed))
        cost = {"operations": ops, "memory": memory}
        content |= {"sealed by": _SEALED, "cost": cost, "salt": salt.hex(), "secret": sealed.hex()}
    with or_say(f"file {path}"):
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            raise ValueError(f"file {path}: is there already; a key is never replaced") from None
        with open(handle, "w", encoding="ascii") as file:
            json.dump(content, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())


def needs_passphrase(path: Path) -> bool:
    """Is this key sealed by a passphrase?

    Raises:
        ValueError, DamagedFile: see `read_key`.
    """
    return bool(_content(path)["sealed by"] == _SEALED)


def read_key(path: Path, passphrase: str = "") -> bytes:
    """The secret in a file, 32 bytes.

    Raises:
        ValueError: it cannot be read, or others than its owner may read it.
        WrongPassphrase: it does not open the file.
        DamagedFile: it is no file of a key.
    """
    content = _content(path)
    try:
        secret, public = bytes.fromhex(content["secret"]), bytes.fromhex(content["public"])
        if content["sealed by"] == _SEALED:
            cost, salt = content["cost"], bytes.fromhex(content["salt"])
            ops, memory = cost["operations"], cost["memory"]
            if type(ops) is not int or type(memory) is not int or ops > _MOST_OPS or memory > _MOST_MEMORY:
                raise DamagedFile(f"{path}: asks for more than {_MOST_OPS} passes or {_MOST_MEMORY >> 20} MiB")
            if not passphrase:
                raise WrongPassphrase(f"{path}: is sealed by a passphrase, and none was given")
            try:
                secret = SecretBox(_stretched(passphrase, salt, ops, memory)).decrypt(secret)
            except CryptoError:
                raise WrongPassphrase(f"{path}: this passphrase does not open it") from None
        if len(secret) != SEED_BYTES or Identity(secret).public_key != public:
            raise DamagedFile(f"{path}: its secret and its public key do not belong together")
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, WrongPassphrase):
            raise
        raise DamagedFile(f"{path}: not a file of a key ({brief(str(error))})") from None
    return secret


def _stretched(passphrase: str, salt: bytes, ops: int, memory: int) -> bytes:
    return bytes(argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, opslimit=ops, memlimit=memory))


def _content(path: Path) -> dict[str, Any]:
    try:
        mode = path.stat().st_mode
        data = read_plain(path, _MOST + 1)
    except OSError as error:
        raise ValueError(f"file {path}: cannot be read ({error.strerror})") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ValueError(
            f"file {path}: others may read it (mode {stat.S_IMODE(mode):04o}); expected 0600: chmod 600 it"
        )
    try:
        content = parsed(data.decode("ascii")) if len(data) <= _MOST else None
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DamagedFile(f"{path}: not a file of a key, or of another version")
    if content.get("sealed by") not in (_OPEN, _SEALED):
        raise DamagedFile(
            f"{path}: sealed by {brief(content.get('sealed by'))}: only {_OPEN} or {_SEALED} is understood"
        )
    return content
