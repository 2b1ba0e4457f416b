"""BC-UCB: the figures of `folkmoot reproduce bc_ucb/...`; README.md says what came of them."""

from .chain import chain
from .defences import defences
from .growth import growth, shares
from .influence import influence
from .progress import progress

FIGURES = {
    "growth": growth,
    "influence": influence,
    "shares": shares,
    "defences": defences,
    "chain": chain,
    "progress": progress,
}
