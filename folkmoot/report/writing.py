"""Names in figures: literal, short enough, and legible in any script.

How it works. Matplotlib's own font has Latin, Greek, Cyrillic and more. For other characters a font of this machine is
looked for that has them. What no font has is written in Latin letters, by the names that Unicode gives the characters,
and a note says so: "[4E2D]" for a Chinese character, "ka" for a letter of Devanagari.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from folkmoot.report.shorter import printable as printable

_PLAIN = 0x180  # characters below are in every font of matplotlib
_LETTER = re.compile(r"(?:LETTER|SYLLABLE|SIGN|VOWEL|LIGATURE) (?:.* )?([A-Z0-9-]+)$")
_CODE = re.compile(r"-([0-9A-F]{4,6})$")


def write(text: Any, words: str) -> None:
    """Let a text of matplotlib show these words as they are: no mathematics, fonts that have the characters."""
    said, families = legible(words)
    text.set_parse_math(False)
    text.set_text(said or " ")
    if families:
        text.set_fontfamily(["DejaVu Sans", *families])


def legible(words: str) -> tuple[str, list[str]]:
    """Words as a figure writes them, and the fonts it needs beside matplotlib's own."""
    out, families = [], []
    for c in words:
        home = "" if ord(c) < _PLAIN else _font_of(c)
        out.append(_in_latin(c) if home is None else c)
        families += [home] if home and home not in families else []
    return "".join(out), families


def notes(names: Iterable[str]) -> list[str]:
    """A sentence if figures write some of these names in other letters."""
    changed = {name: said for name in names if (said := legible(printable(name))[0]) != printable(name)}
    shown = "; ".join(f"{name} as {said}" for name, said in changed.items())
    return (
        [f"No font of the machine that drew the figures has all characters: there they show {shown}."]
        if changed
        else []
    )


@cache
def _font_of(c: str) -> str | None:
    """The family of a font that has the character, "" for matplotlib's own; None if there is none."""
    from matplotlib import font_manager

    if font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_char_index(ord(c)):
        return ""
    for family, file in _fonts():
        try:
            if font_manager.get_font(file).get_char_index(ord(c)):
                return family
        except (OSError, RuntimeError):  # a font that cannot be read
            continue
    return None


@cache
def _fonts() -> list[tuple[str, str]]:
    """Upright fonts of this machine by family, those with most scripts first."""
    from matplotlib.font_manager import fontManager, weight_dict

    upright = [font for font in fontManager.ttflist if font.style == "normal" and "Last" not in font.name]
    weights = [  # a bold font may have fewer characters
        font.weight if isinstance(font.weight, int) else weight_dict.get(font.weight, 0) for font in upright
    ]
    by_weight = sorted(zip(upright, weights), key=lambda one: (-abs(one[1] - weight_dict["normal"]), one[0].fname))
    found = {font.name: font.fname for font, _ in by_weight}  # the last of a family is the nearest to normal
    return sorted(found.items(), key=lambda font: (not font[0].startswith("Noto Sans"), font[0]))


def _in_latin(c: str) -> str:
    """A character in Latin letters, by the name that Unicode gives it."""
    plain = "".join(part for part in unicodedata.normalize("NFKD", c) if not unicodedata.combining(part))
    if all(ord(part) < _PLAIN for part in plain):  # nothing is left of a mark that stands above a letter
        return plain
    name = unicodedata.name(c, f"U-{ord(c):04X}")
    code, letter = _CODE.search(name), _LETTER.search(name)
    if code:
        return f"[{code[1]}]"
    if letter:
        word = letter[1].lower()
        return word.capitalize() if "CAPITAL" in name else word
    return f"[{name.lower()}]"


def write_ticks(axis: Any, places: Sequence[float], words: Sequence[str]) -> None:
    """Words at these places of an axis. (Its labels are set anew whenever it is drawn, so `write` does not do.)"""
    said = [legible(word) for word in words]
    axis.set_ticks(list(places), labels=[text or " " for text, _ in said])
    for label, (_, families) in zip(axis.get_ticklabels(), said, strict=True):
        label.set_parse_math(False)
        if families:
            label.set_fontfamily(["DejaVu Sans", *families])
