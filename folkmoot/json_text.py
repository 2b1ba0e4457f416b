"""JSON that somebody else may have written: how deep it goes is bounded before it is parsed.

Python's parser is recursive. Where some library has raised the limit of recursion, depth alone ends the process.
"""

import json
import re
from typing import Any

MOST_DEPTH = 64  # of lists and objects inside each other
_MARK = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


def parsed(text: str, **options: Any) -> Any:
    """What a text says; `options` are those of `json.loads`.

    Raises:
        json.JSONDecodeError: it is not JSON, or goes too deep.
    """
    depth, quoted = 0, False
    for mark in _MARK.finditer(text):
        if mark[0] == '"':
            quoted = not quoted
        elif not quoted and mark[0] in "[]{}":
            depth += 1 if mark[0] in "[{" else -1
            if depth > MOST_DEPTH:
                said = f"more than {MOST_DEPTH} lists and objects inside each other, nested too deep"
                raise json.JSONDecodeError(said, text, mark.start())
    return json.loads(text, **options)
