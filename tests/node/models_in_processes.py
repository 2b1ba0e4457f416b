"""Nodes of a consortium of models as real processes, with the offices of `examples/digits.py`."""

from cluster import Cluster, Member, free_ports

from folkmoot.node.charter import propose
from folkmoot.node.client import Client
from folkmoot.node.terms import Terms
from folkmoot.node.trying import _loaded

digits = _loaded("digits")


class Office(Member):
    """A node; nobody asks it what to play."""

    def plays(self):
        pass

    def client(self):
        return Client.of(self.folder, timeout=60)

    def learning(self):
        return self.state().get("learning") or {}


class Offices(Cluster):
    """Five of them, as many others as wanted. `absent`: those that do not start with the others; `more`: settings."""

    def __init__(
        self,
        folder,
        members=5,
        *,
        wanted=2,
        absent=(),
        quick=True,
        stage=1.0,
        play=0.02,
        rounds=100_000,
        broker="",
        **more,
    ):
        ports = free_ports(members)
        self.members = [Office(folder, f"site-{n}", port, None, n) for n, port in enumerate(ports)]
        self.absent = absent
        tables = []
        for member in self.members:
            member.quick = quick
            tables.append(digits.bring(member.folder.path, member.number, members))
        over = {"transport": "nats", "broker": broker} if broker else {}
        settings = {**digits.TERMS["settings"], "models": tables, "wanted": wanted, **more}
        terms = Terms(
            name="digits", system="bema", rounds=rounds, start="2026-01-01T00:00:00Z", period=0.0, play=play,
            stage=stage, faults=(members - 1) // 3, settings=settings, **over,
        )  # fmt: skip
        self.charter = propose(terms, [member.folder.card for member in self.members])
        for member in self.members:
            self.charter = self.charter.signed(member.folder.seed())
        for member in self.members:
            member.folder.join(self.charter)

    def __enter__(self):
        try:
            here = [member for member in self.members if member.number not in self.absent]
            for member in here:
                member.start()
            for member in here:
                member.wait_until_there()
        except BaseException:
            self.__exit__()
            raise
        return self

    def height(self, members):
        return min(self.members[number].state().get("height", 0) for number in members)
