"""BC-UCB: the figures of `folkmoot reproduce bc_ucb/...`; README.md says what came of them."""

from .growth import defences, growth, shares

FIGURES = {"growth": growth, "shares": shares, "defences": defences}
