"""UCB-SBM: every figure that `folkmoot reproduce ucb_sbm/...` knows; README.md says what each showed."""

from .clusters import clusters, table1
from .comparison import fig1a, fig1b
from .detection import detection
from .errors import e16, e17, e20, e21, e27
from .sweeps import fig1c, fig1d, fig1e, fig1f

FIGURES = {
    "fig1a": fig1a,
    "fig1b": fig1b,
    "fig1c": fig1c,
    "fig1d": fig1d,
    "fig1e": fig1e,
    "fig1f": fig1f,
    "detection": detection,
    "e16": e16,
    "e17": e17,
    "e20": e20,
    "e21": e21,
    "e27": e27,
    "table1": table1,
    "clusters": clusters,
}
