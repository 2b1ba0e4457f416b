"""UCB-SBM: every figure that `folkmoot reproduce ucb_sbm/...` knows; README.md says what each showed."""

from .comparison import fig1a, fig1b
from .detection import detection
from .sweeps import fig1c, fig1d, fig1e, fig1f

FIGURES = {
    "fig1a": fig1a,
    "fig1b": fig1b,
    "fig1c": fig1c,
    "fig1d": fig1d,
    "fig1e": fig1e,
    "fig1f": fig1f,
    "detection": detection,
}
