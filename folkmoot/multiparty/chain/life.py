"""What a chain remembers of its parties besides models: who is gone, how many acts each has done, what it earned."""

from typing import NamedTuple

VACANT = b""  # in the place of the key of a member that is gone: no signature is of it


class Life(NamedTuple):
    """Nothing in it is changed, only replaced.

    Attributes:
        gone: numbers of parties that left or were expelled.
        counts: (number of a party, sort of act) -> acts of this sort that stand on the chain.
        retired: keys that were a party's once. None is anybody's again.
        taught: name of a party -> samples of its that moved models.
        made: name of a party, or the key of a miner that is none (hexadecimal) -> blocks it has made.
    """

    gone: frozenset[int] = frozenset()
    counts: dict[tuple[int, str], int] = {}  # noqa: RUF012
    retired: frozenset[bytes] = frozenset()
    taught: dict[str, int] = {}  # noqa: RUF012
    made: dict[str, int] = {}  # noqa: RUF012

    def acts_of(self, number: int, what: str) -> int:
        """How many acts of this sort the party has on the chain."""
        return self.counts.get((number, what), 0)

    def done(self, number: int, what: str) -> "Life":
        """One act more."""
        return self._replace(counts={**self.counts, (number, what): self.acts_of(number, what) + 1})

    def with_block(self, maker: str) -> "Life":
        """One block more of this maker."""
        return self._replace(made={**self.made, maker: self.made.get(maker, 0) + 1})

    def with_samples(self, senders: list[str]) -> "Life":
        """One sample more, that has moved models, of each of these."""
        taught = dict(self.taught)
        for name in senders:
            taught[name] = taught.get(name, 0) + 1
        return self._replace(taught=taught)
