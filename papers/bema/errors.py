"""What does not hold as the paper prints it, each worked out on numbers that fit on a page; no model is trained."""

from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.multiparty.models import blank
from folkmoot.multiparty.rules import margin
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.reproductions.claims import Claims


def _star(values: list[float], m: int) -> float:
    """The star of one class that so many models know, m of them averaged."""
    group = margin.claimants_of(np.ones((len(values), 1), np.bool_), m / len(values))
    return float(margin.stars(np.array(values)[:, None, None], group).value[0, 0])


def e28(out: Path, jobs: int, progress: bool) -> bool:
    """E-28: of a convex score, impairing takes at most what Theorem 1 says it takes at least."""
    claims = Claims("bema/e28", out)
    rows = []
    for theta, eta in ((1.0, 0.5), (1.0, 0.1), (3.0, 0.25)):
        gradient = 2.0 * theta
        fallen = theta**2 - (theta - eta * gradient) ** 2
        rows.append([theta, eta, fallen, eta * gradient**2])
    claims.table(
        "h(theta) = theta^2, one step down its gradient", ["theta", "eta", "h falls by", "at least, it says"], rows
    )
    claims.claim("h falls by less than the stated least, in each row", all(row[2] < row[3] for row in rows))
    return claims.all_hold


def e29(out: Path, jobs: int, progress: bool) -> bool:
    """E-29: every enhanced model rises and the star of y falls: other models stand behind it then."""
    claims = Claims("bema/e29", out)
    before, after = [0.500, 0.600, 0.620], [0.597, 0.605, 0.620]
    stars = [_star(values, 2) for values in (before, after)]
    rows = [["before", *before, f"{stars[0]:.3f}"], ["after", *after, f"{stars[1]:.3f}"]]
    claims.table("Scores of y, m = 2 of three models", ["", "model 1", "model 2", "model 3", "star"], rows)
    claims.claim("the models below the star are raised, the other stays", after[2] == before[2] and min(after) > 0.5)
    claims.claim("the star falls, and the margin with it", stars[1] < stars[0])
    return claims.all_hold


def e30(out: Path, jobs: int, progress: bool) -> bool:
    """E-30: y- by the least Krum score, as eq. 7 prints it, is a class that nobody takes the sample for."""
    claims = Claims("bema/e30", out)
    scores = np.array([[0.30, 0.70, 0.0], [0.35, 0.65, 0.0], [0.25, 0.75, 0.0]])[:, None, :]
    group = margin.claimants_of(np.ones((3, 3), np.bool_), 0.75)
    printed = margin.printed_margin(scores, group, np.array([0]))
    meant = margin.secure_margin(margin.stars(scores, group), np.array([0]))
    rows = [
        [name, int(found.wrong[0]), f"{found.value[0]:.2f}"]
        for name, found in (("eq. 7", printed), ("largest star", meant))
    ]
    claims.table("A sample of class 0 that three models take for class 1", ["y- by", "y-", "margin"], rows)
    claims.claim("by eq. 7 the margin is positive: nobody sends the sample", printed.value[0] > 0.0)
    claims.claim("by the largest star it is not", meant.value[0] <= 0.0)
    return claims.all_hold


def e31(out: Path, jobs: int, progress: bool) -> bool:
    """E-31: Theorem 2's inequality is not strict: where all honest models agree, the star is the bound."""
    claims = Claims("bema/e31", out)
    star = _star([0.5, 0.5, 0.5, 0.5], 3)
    claims.table("Four honest models of score 0.5, m = 3", ["star", "bounds"], [[star, "0.5 and 0.5"]])
    claims.claim("the star is not strictly between the bounds", star == 0.5)
    return claims.all_hold


def e32(out: Path, jobs: int, progress: bool) -> bool:
    """E-32: one sample is used, and its sender paid, again and again; with the check for duplicates, once."""
    claims = Claims("bema/e32", out)
    x, rows = np.array([[1.0, 0.2]], np.float32), []
    for rules in ("printed", "hardened"):
        terms = Terms(2, (2,), delta=0.2, sigma=0.9, eta=0.001, rules=rules)
        group = Committee([_softmax(0.30), _softmax(0.35), _softmax(0.25)], terms)
        took = [group.take(Sample(x, 1, 0, 0, bytes(32))).refused for _ in range(100)]
        rows.append([rules, took.count(None)])
    claims.table("The same sample, sent 100 times", ["rules", "times it is used"], rows)
    claims.claim("by eqs. 8-10 alone it is used each time", rows[0][1] == 100)
    claims.claim("by our rules, which ask who knows both classes first, not more than once", rows[1][1] <= 1)
    return claims.all_hold


def _softmax(weight: float) -> Any:
    """A model of two classes that takes samples for class 0, the more the larger its first number is."""
    found: Any = blank("linear/softmax", (0, 1), (2, (), ()))
    found.weights = np.array([[weight, 0.0], [0.0, 0.0]], np.float32)
    return found
