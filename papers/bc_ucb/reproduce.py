"""BC-UCB: the figures of `folkmoot reproduce bc_ucb/...`; README.md says what came of them."""

from .chain import chain
from .defences import defences
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
}
