"""Docstrings are plain text with `names` in single backticks; for the site they become reStructuredText."""

import re

_CODE = re.compile(r"``.+?``|`[^`]+`")


def as_rst(line: str) -> str:
    """Names as literals, and no other sign with a meaning of its own.

    A name at the beginning that ends in a colon is an entry of a list, which napoleon reads: it stays as it is.
    """
    out, at = [], 0
    for found in _CODE.finditer(line):
        out += [_plain(line[at : found.start()]), f"``{found[0].strip('`')}``"]
        if found.end() < len(line) and line[found.end()].isalnum():  # a literal ends at a blank or a sign
            out.append("\\ ")
        at = found.end()
    return "".join([*out, _plain(line[at:])])


def _plain(text: str) -> str:
    return re.sub(r"(\*|\||(?<=\w)_(?!\w))", r"\\\1", text)
