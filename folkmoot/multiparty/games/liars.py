"""Which parties lie, and how; by name, for experiment files."""

from typing import ClassVar

from pydantic import Field

from folkmoot.configuration import Configuration
from folkmoot.multiparty import attacks
from folkmoot.multiparty.party import Party


class Liars(Configuration):
    """Parties that lie.

    Attributes:
        parties: their numbers, from 0; None: all, each with its share of messages.
        share: of their messages, bogus ones.
    """

    attack: ClassVar[type]
    parties: tuple[int, ...] | None = None
    share: float = Field(1.0, ge=0, le=1, allow_inf_nan=False)

    def numbers(self, n: int) -> tuple[int, ...]:
        """Who lies, of n parties.

        Raises:
            ValueError: a number that is not there, or given twice.
        """
        chosen = tuple(range(n)) if self.parties is None else self.parties
        for number in chosen:
            if not 0 <= number < n:
                raise ValueError(f"attack: party {number}: expected numbers from 0 to {n - 1}")
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"attack: parties = {list(chosen)}: one is given twice")
        return chosen

    def corrupted(self, parties: list[Party]) -> list[Party]:
        """The parties, with those that lie in the place of honest ones."""
        chosen = self.numbers(len(parties))
        return [
            attacks.lying(party, self.attack, self.share) if i in chosen else party for i, party in enumerate(parties)
        ]


class SwapLabels(Liars):
    """Sends samples the models are right about with label and wrong label exchanged."""

    attack: ClassVar[type] = attacks.SwappedLabels


class SwapWithin(Liars):
    """The same, with a false label that is one of the liar's own classes."""

    attack: ClassVar[type] = attacks.SwappedWithin


class LabelAtRandom(Liars):
    """Sends samples with a label drawn at random."""

    attack: ClassVar[type] = attacks.RandomLabels


class Poison(Liars):
    """Sends noise instead of samples."""

    attack: ClassVar[type] = attacks.PoisonedSamples


class Duplicate(Liars):
    """Sends one good sample again and again."""

    attack: ClassVar[type] = attacks.Duplicates
