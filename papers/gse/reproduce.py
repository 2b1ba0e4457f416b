"""GSE: every figure and claim that `folkmoot reproduce gse/...` knows; README.md says what each showed."""

from .as_code import fig1ab_code, fig1cd_code
from .bounds import bounds
from .constant import constant
from .e22 import e22
from .errors import e1, e2, e4, e6b, e6c
from .estimate import estimate
from .figures import fig1a, fig1b, fig1cd, link_slope
from .flood import PARTS, flood
from .table1 import table1
from .tastes import tastes

FIGURES = {
    "table1": table1,
    "fig1a": fig1a,
    "fig1b": fig1b,
    "fig1cd": fig1cd,
    "fig1cd_code": fig1cd_code,
    "fig1ab_code": fig1ab_code,
    "estimate": estimate,
    "tastes": tastes,
    "bounds": bounds,
    "link_slope": link_slope,
    "constant": constant,
    "e1": e1,
    "e2": e2,
    "e3": table1,
    "e4": e4,
    "e5": link_slope,
    "e6b": e6b,
    "e6c": e6c,
    "e22": e22,
    "flood": flood,
    **PARTS,
}
