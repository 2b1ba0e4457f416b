"""BC-UCB: the figures of `folkmoot reproduce bc_ucb/...`; README.md says what came of them."""

from .chain import chain
from .defences import defences
from .errors import e12, e13, e14, e15, e25, e26
from .growth import growth, shares
from .influence import influence
from .liars import liars
from .privacy import privacy
from .progress import progress
from .worst import worst

FIGURES = {
    "growth": growth,
    "influence": influence,
    "shares": shares,
    "liars": liars,
    "defences": defences,
    "chain": chain,
    "progress": progress,
    "worst": worst,
    "privacy": privacy,
    "e12": e12,
    "e13": e13,
    "e14": e14,
    "e15": e15,
    "e25": e25,
    "e26": e26,
}
