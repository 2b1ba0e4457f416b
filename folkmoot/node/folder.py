"""The data folder of a node: what lies in it, and how one is made.

key.json        the secret; see keys.py
card.toml       what others need: name, address, public keys, signed
charter.toml    the same for all members
node.sqlite     what must not be forgotten; see store.py
token           what an application shows to be let in; readable by the owner alone
http            where applications and the operator's page are to be found while the node runs
log.jsonl       what happened, a line an event
restored        there if the folder is from a copy, which may lack amendments that were signed since
lock            held while a process works on the folder
"""

import os
import re
from pathlib import Path
from secrets import token_urlsafe

from folkmoot.errors import DamagedFile
from folkmoot.files import new_folder, or_say, read_plain, write_file
from folkmoot.node import keys
from folkmoot.node.charter import (
    BadCharter,
    Charter,
    card_of,
    card_table,
    read_charter,
    read_toml,
    write_charter,
    write_table,
)
from folkmoot.node.member import Card
from folkmoot.signatures import SigningKey, public_key

CARD, CHARTER, TOKEN, HTTP, LOG = "card.toml", "charter.toml", "token", "http", "log.jsonl"
FROM_COPY = "restored"
TOKEN_LENGTH = 32  # letters, at least
_MOST_LINE = 1 << 10  # letters of a file of one line
_URL = re.compile(r"http://[A-Za-z0-9.:\[\]-]+:[1-9][0-9]{0,4}")


class Folder:
    """A data folder.

    Attributes:
        path: where it is.

    Raises:
        ValueError: there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not (path / keys.FILE).is_file():
            raise ValueError(
                f"{path}: no data folder of a node (there is no {keys.FILE}); make one with: folkmoot node init"
            )

    @classmethod
    def make(cls, path: Path, name: str, where: str, passphrase: str = "", seed: bytes | None = None) -> "Folder":
        """A new folder with a new key.

        Args:
            path: nothing may be there yet, or an empty folder.
            name, where: of the member, and HOST:PORT at which others reach it.
            passphrase: seals the key; empty: none.
            seed: the secret; left out: a new one.

        Raises:
            ValueError: a name or an address that is none, or a folder that cannot be made.
        """
        secret = os.urandom(32) if seed is None else seed
        card = Card.of(secret, name, where)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ValueError(f"{path}: is there already; expected a new or an empty folder")
        with or_say(f"folder {path}"), new_folder(path) as fresh:
            os.chmod(fresh, 0o700)
            keys.write_key(fresh / keys.FILE, secret, passphrase)
            write_table(fresh / CARD, {"member": card_table(card)})
            handle = os.open(fresh / TOKEN, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with open(handle, "w", encoding="ascii") as file:
                file.write(token_urlsafe(24) + "\n")
        return cls(path)

    def seed(self, passphrase: str = "") -> bytes:
        """The secret.

        Raises:
            ValueError, WrongPassphrase, DamagedFile: see `keys.read_key`; or it is not the key of the card.
            BadCharter: the card is none.
        """
        secret, card = keys.read_key(self.path / keys.FILE, passphrase), self.card
        if public_key(SigningKey(secret)) != card.key:
            raise DamagedFile(
                f"{self.path / keys.FILE}: not the key of the card beside it, of {card.name}; "
                "put both files of one member there"
            )
        return secret

    @property
    def needs_passphrase(self) -> bool:
        """Is the key sealed by one?"""
        return keys.needs_passphrase(self.path / keys.FILE)

    @property
    def card(self) -> Card:
        """What others need.

        Raises:
            ValueError, BadCharter: it cannot be read, or is no card.
        """
        return read_card(self.path / CARD)

    @property
    def token(self) -> str:
        """What an application shows.

        Raises:
            ValueError: it cannot be read, or is none: who sent nothing would be let in.
        """
        word = _line(self.path / TOKEN)
        if not is_token(word):
            raise ValueError(
                f"file {self.path / TOKEN}: expected one word of {TOKEN_LENGTH} letters or more; "
                "make a new one: python -c 'import secrets; print(secrets.token_urlsafe(24))'"
            )
        return word

    def charter(self) -> Charter:
        """The charter, signed by all.

        Raises:
            ValueError, BadCharter: there is none, it makes no sense, or somebody has not signed it.
        """
        file = self.path / CHARTER
        if not file.exists():
            raise ValueError(f"{self.path}: has no charter yet; put the signed one there as {CHARTER}")
        charter = read_charter(file)
        charter.check_signed()
        return charter

    def join(self, charter: Charter) -> None:
        """Put a charter there.

        Raises:
            BadCharter: not signed by all.
            ValueError: another one is there, or it cannot be written.
        """
        charter.check_signed()
        file = self.path / CHARTER
        if file.exists() and read_charter(file).digest != charter.digest:
            raise ValueError(f"{file}: holds another charter; a folder is for one")
        write_charter(file, charter)

    def says_where(self, url: str) -> None:
        """Write down where the page is; empty: nowhere any more."""
        with or_say(f"file {self.path / HTTP}"):
            if url:
                write_file(self.path / HTTP, f"{url}\n".encode("ascii"))
            else:
                (self.path / HTTP).unlink(missing_ok=True)

    @property
    def url(self) -> str:
        """Where a running node serves applications.

        Raises:
            ValueError: none runs, or the file that says where is damaged.
        """
        if not (self.path / HTTP).exists():
            raise ValueError(f"{self.path}: no node runs on this folder")
        url = _line(self.path / HTTP)
        if not _URL.fullmatch(url) or int(url.rsplit(":", 1)[1]) >= 1 << 16:
            raise ValueError(f"file {self.path / HTTP}: expected http://HOST:PORT; start the node anew")
        return url


def is_token(word: str) -> bool:
    """Is this one word that nobody guesses?"""
    return TOKEN_LENGTH <= len(word) < _MOST_LINE and all("!" <= letter <= "~" for letter in word)


def _line(path: Path) -> str:
    """The line of a small file that a node has written.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        return read_plain(path, _MOST_LINE).decode("ascii").strip()
    except (OSError, ValueError) as error:
        raise ValueError(f"file {path}: cannot be read ({error})") from None


def read_card(path: Path) -> Card:
    """The card in a file.

    Raises:
        ValueError, BadCharter: it cannot be read, or is no card.
    """
    document = read_toml(path)
    if set(document) != {"member"}:
        raise BadCharter(f"{path}: expected the card of a member")
    try:
        return card_of(document["member"])
    except BadCharter as error:
        raise BadCharter(f"{path}: {error}") from None
