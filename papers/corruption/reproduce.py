"""Corruption, sharing, verification: what `folkmoot reproduce corruption/...` runs; README.md says what came of it."""

from .budgets import fig1, fig2, separation
from .lower_bound import spending
from .tolerance import tolerance
from .verification import fig3

FIGURES = {
    "fig1": fig1,
    "fig2": fig2,
    "fig3": fig3,
    "separation": separation,
    "spending": spending,
    "tolerance": tolerance,
}
