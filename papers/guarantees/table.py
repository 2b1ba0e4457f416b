"""The reproduction: plays every cell, writes the table and the picture, and says which claims hold."""

from math import inf
from pathlib import Path

from folkmoot.reproductions.cells import PaperCell, play_all
from folkmoot.reproductions.claims import Claims

from .algorithms import ALONE, DIFFERENT, FLOOD, LYING, MIXING, ORACLE, PARTS, TOLD
from .cells import Cell
from .picture import draw
from .worlds import TWO, WORLDS, far_apart, gap
from .written import Found, as_csv, in_order, rows, shown

_TITLES = {
    "different": "Tastes differ",
    "alike": "All agents have the same means",
}


def table(out: Path, jobs: int, progress: bool) -> bool:
    """Every algorithm in ten worlds: final regret as a share of that of uniform play."""
    claims = Claims("guarantees/table", out)
    home = Path(__file__).resolve().parent
    cells = [PaperCell(home, "cells", "cell", {"part": p, "algorithm": n, "world": w}, out) for p, n, w in in_order()]
    told = play_all(cells, out, jobs, progress)
    found: dict[tuple[str, str, str], Cell | str] = {
        name: one["refuses"] if "refuses" in one else Cell(**one)
        for name, one in zip(in_order(), told, strict=True)
    }  # fmt: skip
    for part, title in _TITLES.items():
        claims.table(
            f"{title}: regret in % of uniform play's, 95 % interval; L: linear; †: told that "
            "two may be missing; o: outside what its source promises",
            ["algorithm", *WORLDS], rows(found, part),
        )  # fmt: skip
    claims.write("guarantees.csv", as_csv(found).encode())
    claims.picture("guarantees.png", draw(found))
    for statement, holds in statements(found):
        claims.claim(statement, holds)
    return claims.all_hold


def linear(found: Found, part: str, name: str) -> list[str]:
    """The worlds in which an algorithm does not learn: linear, or refused."""
    return [world for world in WORLDS if (part, name, world) in found and not _learns(found[part, name, world])]


def statements(found: Found) -> list[tuple[str, bool]]:
    """What the page says of the table, and whether it is so."""
    flood = linear(found, "different", FLOOD)
    told = found["different", TOLD, LYING]
    told_gap, tells = gap(far_apart()), 6 * len(TWO) / len(far_apart())
    out = [
        (
            "FloodSE, told in '10 % leave' that two may be missing, tastes differ: linear only beside liars that it is "
            f"not told of: {_list(flood)}",
            flood == [LYING],
        ),
        (
            f"FloodSE, told of {len(TWO)} liars, learns beside them: {shown(found, ('different', TOLD, LYING))}; "
            f"the gap is {told_gap:.2f}, with as many lying it tells gaps above (4 f + 2 m) / N = {tells:.2f}",
            _learns(told) and told_gap > tells,
        ),
    ]
    for part, named in PARTS.items():
        for name, row in named.items():
            if row.recommended:
                wrong = [world for world in linear(found, part, name) if world in row.recommended]
                out.append((f"{name}, {_TITLES[part].lower()}: linear where recommended: {_list(wrong)}", not wrong))
    return out + _beside(found)


def _beside(found: Found) -> list[tuple[str, bool]]:
    """What stands beside the recommended: UCB alone, the oracle, and all others."""
    alone, oracle = linear(found, "different", ALONE), linear(found, "different", ORACLE)
    same = linear(found, "alike", ALONE)
    sound = [name for name in DIFFERENT if name != TOLD and set(linear(found, "different", name)) <= {LYING}]
    dearer = [_share(found, MIXING, world) / _share(found, FLOOD, world) for world in WORLDS if world != LYING]
    broken = [w for w in linear(found, "different", "GSE") if w in DIFFERENT["GSE"].promised]
    return [
        (
            f"UCB alone, tastes differ: linear everywhere, for it has another goal: {_list(alone)}",
            alone == list(WORLDS),
        ),
        ("yet there a pull earns its agent more alone than with FloodSE, in every world", _earns_more(found)),
        _earns_most(found),
        (f"UCB alone, same means: linear nowhere: {_list(same)}", not same),
        (f"the oracle: linear nowhere: {_list(oracle)}", not oracle),
        (
            f"tastes differ, nobody lies: {_list(sound)} are linear nowhere, and no others",
            sound == [ORACLE, FLOOD, MIXING],
        ),
        (
            f"there {MIXING} has {min(dearer):.1f} to {max(dearer):.0f} times the regret of {FLOOD}",
            min(dearer) > 1.0,
        ),
        (f"GSE is linear where its source promises that it is not (E-22): {_list(broken)}", bool(broken)),
    ]


def _share(found: Found, name: str, world: str) -> float:
    cell = found["different", name, world]
    return cell.share if isinstance(cell, Cell) else inf


def _earns_more(found: Found) -> bool:
    """Does a pull earn the agent that makes it more alone than with FloodSE, wherever tastes differ?"""
    pairs = [(found["different", ALONE, world], found["different", FLOOD, world]) for world in WORLDS]
    return all(isinstance(a, Cell) and isinstance(b, Cell) and a.reward > b.reward for a, b in pairs)


def _earns_most(found: Found) -> tuple[str, bool]:
    """Which rule earns the most for the agent that pulls, world by world, and by how much more than UCB alone."""
    first, ahead = [], 0.0
    for world in WORLDS:
        earned = {n: c.reward for n in DIFFERENT if isinstance(c := found.get(("different", n, world)), Cell)}
        first.append(max(earned, key=lambda name: earned[name]))
        ahead = max(ahead, earned[first[-1]] - earned[ALONE])
    counts = {name: first.count(name) for name in DIFFERENT if name in first}
    said = ", ".join(f"{name} in {count}" for name, count in counts.items())
    return (
        f"it is first there in 3 worlds, and less than .0025 behind the first in the others ({ahead:.4f}): {said}",
        counts == {"S3": 5, "Byzantine UCB": 2, ALONE: 3} and ahead < 0.0025,
    )


def _learns(cell: Cell | str) -> bool:
    return isinstance(cell, Cell) and not cell.is_linear


def _list(names: list[str]) -> str:
    return ", ".join(names) or "nowhere"
