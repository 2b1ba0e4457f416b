"""What members have agreed on about exchanges."""

from dataclasses import dataclass, field

from folkmoot.multiparty.exchange.retraining import Retraining


@dataclass(frozen=True)
class Exchanging:
    """What members have agreed on about exchanges.

    Attributes:
        each: samples of a class that a party reveals in one, at most; 0: there are none.
        most: exchanges on the chain; no more are answered.
        seed: of all choices at random.
        guests: parties that may still come, besides the original ones.
        patience: rounds in which whoever has called for one waits for an answer.
        how: parties train.
    """

    each: int = 0
    most: int = 0
    seed: int = 0
    guests: int = 0
    patience: int = 8
    how: Retraining = field(default_factory=Retraining)
