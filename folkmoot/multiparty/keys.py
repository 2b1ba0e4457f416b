"""Keys of the parties that one program plays: at random, in files, or, where that is asked for, worked out.

A key that is worked out from a seed and a name is no secret: both are small or public. Such keys make a simulation's
files the same every time, and are worth nothing where anybody has a reason to sign in the name of others.
"""

import os
import secrets
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from folkmoot.doors import guarded
from folkmoot.encoding import digest
from folkmoot.errors import DamagedFile, brief
from folkmoot.files import new_file, or_say, read_plain
from folkmoot.signatures import SEED_BYTES, SigningKey, public_key

RANDOM, DERIVED = "random", "derived"
ENDING = ".keys"  # of the folder beside a ledger file
Draw = Callable[[str], bytes]  # name of a party -> 32 secret bytes


@guarded
def key_file(path: str | os.PathLike[str]) -> bytes:
    """The secret in a file, 32 bytes; drawn at random, and kept there for its owner alone, if there is none yet.

    Raises:
        ValueError: it cannot be read or written, or others than its owner may read it.
        DamagedFile: it holds something else.
    """
    file = Path(path)
    if not os.path.lexists(file):
        with or_say(f"file {file}"):
            new_file(file, f"{secrets.token_hex(SEED_BYTES)}\n".encode("ascii"), 0o600)
    try:
        shared = os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077
        content = read_plain(file, 2 * SEED_BYTES + 2)
    except OSError as error:
        raise ValueError(f"file {file}: cannot be read ({error.strerror})") from None
    if shared:
        raise ValueError(f"file {file}: others than its owner may read it; expected the permissions 600")
    try:
        seed = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise DamagedFile(f"file {file}: no key; expected {2 * SEED_BYTES} hexadecimal digits")
    return seed


def draw_of(keys: str | os.PathLike[str], seed: int, beside: Path | None, new: bool = True) -> Draw:
    """How parties that bring no key of their own come to one.

    Args:
        keys: "random", "derived", or a folder with a file for each party.
        seed: of the consortium; "derived" uses it.
        beside: a ledger file; "random" keeps keys in the folder FILE.keys then.
        new: may a key be made that is not there yet?

    Raises:
        ValueError: something else.
    """
    if not isinstance(keys, str | os.PathLike) or not os.fspath(keys):
        raise ValueError(f"keys = {brief(keys)}: expected 'random', 'derived' or a folder")
    if keys == DERIVED:
        return lambda name: digest("multiparty/key", f"{seed}/{name}".encode())
    if keys != RANDOM:
        return _in_folder(Path(keys), new)
    if beside is None:
        return lambda name: secrets.token_bytes(SEED_BYTES)
    return _in_folder(Path(f"{beside}{ENDING}"), new)


def copy_keys(keys: str | os.PathLike[str], old: Path, new: Path) -> None:
    """Copy the keys beside a ledger file to the folder of another one, where "random" keeps them; as they are.

    Those that are there already, as after a disk that was full in the middle of it, stay.

    Raises:
        ValueError: one cannot be read or written, or another key has its place.
    """
    source, target = Path(f"{old}{ENDING}"), Path(f"{new}{ENDING}")
    if keys != RANDOM or not source.is_dir():
        return
    with or_say(f"folder {target}"):
        target.mkdir(mode=0o700, exist_ok=True)
        for file in sorted(source.glob("*.key")):
            content, place = read_plain(file, 2 * SEED_BYTES + 2), target / file.name
            try:
                new_file(place, content, 0o600)
            except FileExistsError:
                if read_plain(place, 2 * SEED_BYTES + 2) != content:
                    raise ValueError(f"file {place}: holds another key than {file}") from None


def _in_folder(folder: Path, new: bool) -> Draw:
    def draw(name: str) -> bytes:
        if not new and not os.path.lexists(folder / f"{name}.key"):
            raise ValueError(f"file {folder / name}.key: there is none, and party {name} has brought no key")
        with or_say(f"folder {folder}"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return key_file(folder / f"{name}.key")

    return draw


def signers(secrets: Sequence[bytes]) -> list[SigningKey]:
    """Keys of those who only make blocks, in the order of their turns.

    Raises:
        ValueError: a secret that is not 32 bytes, or one twice.
    """
    if any(type(one) is not bytes or len(one) != SEED_BYTES for one in secrets) or len({*secrets}) < len(secrets):
        raise ValueError(f"miners: expected secrets of {SEED_BYTES} bytes, each once")
    return sorted(map(SigningKey, secrets), key=public_key)
