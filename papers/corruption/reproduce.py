"""Corruption, sharing, verification: what `folkmoot reproduce corruption/...` runs; README.md says what came of it."""

from .budgets import fig1, fig2, separation
from .errors import e9, e10, e11, e23, e24
from .filtering import filtering
from .high import high, regimes
from .lower_bound import spending
from .messages import messages
from .multiplicity import multiplicities
from .tolerance import tolerance
from .verification import fig3

FIGURES = {
    "fig1": fig1,
    "fig2": fig2,
    "fig3": fig3,
    "filtering": filtering,
    "high": high,
    "messages": messages,
    "multiplicity": multiplicities,
    "regimes": regimes,
    "separation": separation,
    "spending": spending,
    "tolerance": tolerance,
    "e7": separation,
    "e8": spending,
    "e9": e9,
    "e10": e10,
    "e11": e11,
    "e23": e23,
    "e24": e24,
}
