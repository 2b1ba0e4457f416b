"""Keys, chains and ledger files of kind "notes" for the tests, and a child process that appends to one."""

import os
import sys
from pathlib import Path

from nacl.signing import SigningKey

from folkmoot import ledger
from folkmoot.ledger import notes

KEYS = sorted((SigningKey(bytes([n]) * 32) for n in range(7)), key=lambda key: key.verify_key.encode())
PUBLIC = tuple(key.verify_key.encode() for key in KEYS)


def genesis(keys=3, quorum=None, work_bits=0):
    return ledger.Genesis("notes", notes.configuration(PUBLIC[:keys], quorum), work_bits)


def signed(chain, records=(b"a note",), keys=3):
    return ledger.propose(chain, records).signed(*KEYS[:keys])


def made(path, blocks, keys=1):
    """A ledger file of so many blocks; each block is signed by all keys, any one of them would do."""
    with ledger.create(path, genesis(keys, quorum=1)) as book:
        book.append(signed(book.chain, keys=keys))
        book._writer.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug while a test prepares
        for height in range(2, blocks + 1):
            book.append(signed(book.chain, [b"note %d" % height], keys))
    return path


def appending(path: Path, size: int) -> None:
    """Run in a child: append until killed or refused; a line on standard output for each block that is stored."""
    with ledger.open(path) as book:
        while True:
            try:
                height = book.append(signed(book.chain, [os.urandom(size)], 1)).height
            except ledger.NotStored as error:
                os.write(1, f"refused {error}\n".encode())
                return
            os.write(1, b"%d\n" % height)


if __name__ == "__main__":
    appending(Path(sys.argv[1]), int(sys.argv[2]))
