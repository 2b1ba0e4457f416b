"""A process that floods nodes as fast as it can, as a stranger or as a member; for tests.

    python floods.py KIND SECONDS FOLDER NUMBER...

FOLDER: of the member whose key and charter it uses; NUMBER: the members that it floods. At its end it prints what it
has sent as JSON: connections, and bytes.
"""

import contextlib
import json
import os
import random
import socket
import ssl
import sys
import time
from pathlib import Path

from folkmoot.agreement.messages import Want
from folkmoot.bc_ucb.messages import GAME
from folkmoot.machine import Moment
from folkmoot.node.catching_up import RANGE, want
from folkmoot.node.certificate import certificate
from folkmoot.node.folder import Folder
from folkmoot.node.frames import BLOCKS, HELLO_BYTES, LENGTH, OPENING, PING, PROTOCOLS, STEP, Frame, Hello, from_bytes
from folkmoot.node.member import address
from folkmoot.node.shared import Shared
from folkmoot.node.tls_contexts import contexts, show

HELD = 600  # connections that it keeps open
STRANGER = ("silent", "random", "foreign", "half")
MEMBER = ("junk", "stages", "parts", "largest", "blocks", "pings", "wants", "links", "charters", "deaf")


class Flood:
    """What one process sends."""

    def __init__(self, folder, targets, ends):
        self.folder, self.ends = Folder(folder), ends
        self.charter = self.folder.charter()
        self.me = self.charter.number(self.folder.card.key)
        self.places = [address(self.charter.members[n].address) for n in targets]
        _, self.most = Shared()._of(self.charter)
        self.context = contexts(self.charter, self.me, self.folder.seed())[1]
        self.open, self.connections, self.bytes, self.turn = [], 0, 0, 0

    def connect(self):
        """To the next target; None: it does not want."""
        place = self.places[self.turn % len(self.places)]
        self.turn += 1
        try:
            opened = socket.create_connection((place.host, place.port), timeout=2)
        except OSError:
            return None
        self.connections += 1
        return opened

    def send(self, opened, data):
        try:
            opened.sendall(data)
        except OSError:
            return False
        self.bytes += len(data)
        return True

    def hold(self, opened):
        self.open.append(opened)
        if len(self.open) > HELD:
            self.open.pop(0).close()

    def over(self):
        return time.monotonic() > self.ends

    # --- A stranger --------------------------------------------------------------------------------------------------

    def silent(self):
        while not self.over():
            if (opened := self.connect()) is not None:
                self.hold(opened)

    def random(self):
        while not self.over():
            if (opened := self.connect()) is not None:
                while self.send(opened, random.randbytes(16_384)) and not self.over():
                    pass
                opened.close()

    def foreign(self):
        context = foreigner()
        while not self.over():
            if (opened := self.connect()) is not None:
                try:
                    with context.wrap_socket(opened) as inside:
                        inside.settimeout(2)
                        inside.recv(1)
                except OSError:
                    opened.close()

    def half(self):
        """The first words of a handshake, and nothing more."""
        into = ssl.MemoryBIO()
        hello = self.context.wrap_bio(ssl.MemoryBIO(), into)
        with contextlib.suppress(ssl.SSLWantReadError):
            hello.do_handshake()
        words = into.read()
        while not self.over():
            if (opened := self.connect()) is not None:
                self.send(opened, words)
                self.hold(opened)

    # --- A member ----------------------------------------------------------------------------------------------------

    def join(self, charter=None):
        """A connection after its greeting, and the moment its other side is at."""
        opened = self.connect()
        if opened is None:
            return None, None
        try:
            inside = self.context.wrap_socket(opened)
            inside.settimeout(2)
            hello = Hello(*PROTOCOLS, charter or self.charter.identity, "flood", time.time(), 0)
            self.send(inside, hello.frame(Moment(0, 0)).to_bytes())
            (length,) = LENGTH.unpack(_exactly(inside, LENGTH.size))
            moment = from_bytes(_exactly(inside, min(length, HELLO_BYTES))).moment
        except (OSError, ValueError):
            opened.close()
            return None, None
        return inside, moment

    def frames(self, made):
        """Connect again and again, and send what `made` makes of the moment and a number."""
        while not self.over():
            inside, moment = self.join()
            until, number, goes = time.monotonic() + 1.0, 0, inside is not None
            while goes and time.monotonic() < until:
                goes = self.send(inside, made(moment, number))
                number += 1
            if inside is not None:
                inside.close()

    def junk(self):
        self.frames(lambda moment, number: LENGTH.pack(500) + random.randbytes(500))

    def stages(self):
        """Of stages that there are, and of many more."""
        part = random.randbytes(2_000)
        self.frames(lambda moment, n: Frame(STEP, Moment(moment.round + n % 2, n // 2 % 65_536), (part,)).to_bytes())

    def parts(self):
        many = (b"",) * 16_000
        self.frames(lambda moment, n: Frame(STEP, Moment(moment.round + n % 2, n // 2 % 12), many).to_bytes())

    def largest(self):
        whole = random.randbytes(self.most - 100)
        self.frames(lambda moment, n: Frame(STEP, Moment(moment.round + n % 2, n // 2 % 12), (whole,)).to_bytes())

    def blocks(self):
        whole = random.randbytes(self.most - 100)
        self.frames(lambda moment, n: Frame((BLOCKS, OPENING)[n % 2], moment, (whole,)).to_bytes())

    def pings(self):
        self.frames(lambda moment, n: Frame(PING, moment, (bytes(8),)).to_bytes() * 50)

    def wants(self):
        """Old blocks, in every stage."""
        words = tuple(GAME.to_bytes(Want(height)) for height in (1, 1, 2, 3, 5, 8))
        outside = want(1, RANGE).to_bytes()
        self.frames(
            lambda moment, n: Frame(STEP, Moment(moment.round + n // 12 % 2, n % 12), words).to_bytes() + outside
        )

    def links(self):
        while not self.over():
            if (inside := self.join()[0]) is not None:
                self.hold(inside)

    def charters(self):
        while not self.over():
            if (inside := self.join(os.urandom(32))[0]) is not None:
                self.hold(inside)

    def deaf(self):
        """It asks, and never reads."""
        held = [inside for inside, _ in (self.join() for _ in self.places) if inside is not None]
        ping = Frame(PING, Moment(0, 0), (bytes(8),)).to_bytes() * 50
        while not self.over():
            for inside in held:
                inside.settimeout(0.05)
                self.send(inside, ping)


def foreigner():
    """What somebody connects with whose key nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    seed = os.urandom(32)
    show(context, certificate(seed, "stranger"), seed)
    return context


def _exactly(inside, size):
    found = b""
    while len(found) < size:
        more = inside.recv(size - len(found))
        if not more:
            raise OSError("it has ended")
        found += more
    return found


def main():
    kind, seconds, folder, *targets = sys.argv[1:]
    flood = Flood(Path(folder), list(map(int, targets)), time.monotonic() + float(seconds))
    getattr(flood, kind)()
    print(json.dumps({"connections": flood.connections, "bytes": flood.bytes}))


if __name__ == "__main__":
    main()
