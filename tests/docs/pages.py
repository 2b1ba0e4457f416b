"""The blocks of a page of documentation, played in order as a reader would.

    python tests/docs/pages.py docs/quickstart.md        # in an empty folder: files are written into it

- Python blocks of a page share one namespace. A block that begins with the comment `# NAME.py` is a file of that name.
- A TOML block that begins with the comment `# NAME.toml` is a file of that name.
- Any other TOML block is an experiment: it is written to `name.toml` and played by `folkmoot run`, two replicates of
  it. One without a `name` is a part: its tables and values take the place of those of the experiment before it.
- In blocks of `sh`, the lines that begin with `folkmoot` are run. All others (make, pip, git) are for the reader.
- Blocks of `text` are no code. Every other block needs one of these languages.

A comment in Markdown above a block, which readers of the page do not see, is a mark:

- `<!-- run: horizon = 200, replicates = 1 -->` plays with smaller values than the page shows: in TOML those at the top
  of the file, in Python arguments by name (`horizon=5_000` becomes `horizon=200`, and likewise text in quotes).
- `<!-- not run: needs a node -->` says why a block is not run. `test_pages.py` counts these.
"""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

PYTHON, TOML, SHELL, TEXT = "python", "toml", "sh", "text"
_FENCE = re.compile(r"^( *)```(\S*)\s*$")
_MARK = re.compile(r"^\s*<!-- (run|not run): (.+) -->\s*$")
_FILE = re.compile(r"# (\w+\.(?:py|toml))\n")
_TABLE = re.compile(r"^\[\[?([A-Za-z_]+)", re.MULTILINE)

_ELSEWHERE = "import sys; sys.path.remove(''); from folkmoot.cli import main; sys.exit(main())"


class Block(NamedTuple):
    """A fenced block."""

    line: int  # of its first line of text, from 1
    language: str
    text: str
    smaller: dict[str, str]  # of the mark `run`
    reason: str  # of the mark `not run`; empty: it is run


def blocks(page: str) -> list[Block]:
    """The blocks of a page in order; a mark stands on the line before a block.

    Raises:
        ValueError: a block that does not end, or a mark above no block.
    """
    lines, found, at = page.splitlines(), [], 0
    while at < len(lines):
        mark = _MARK.match(lines[at])
        at += mark is not None
        fence = _FENCE.match(lines[at]) if at < len(lines) else None
        if fence is None:
            if mark is not None:
                raise ValueError(f"line {at}: a mark, and no block on the next line")
            at += 1
            continue
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == "```"), None)
        if end is None:
            raise ValueError(f"line {at + 1}: a block without an end")
        text = "".join(f"{line.removeprefix(fence[1])}\n" for line in lines[at + 1 : end])
        kind, said = (mark[1], mark[2]) if mark else ("", "")
        smaller = dict(tuple(part.split(" = ")) for part in said.split(", ")) if kind == "run" else {}
        found.append(Block(at + 2, fence[2], text, smaller, said if kind == "not run" else ""))
        at = end + 1
    return found


def with_values(toml: str, values: dict[str, str]) -> str:
    """An experiment file in which these stand at the top instead of what stood there under their names."""
    at = _TABLE.search(toml)
    head, tables = (toml, "") if at is None else (toml[: at.start()], toml[at.start() :])
    kept = [line for line in head.splitlines() if line.split("=")[0].strip() not in values]
    return "\n".join([*kept, *(f"{name} = {value}" for name, value in values.items())]) + "\n\n" + tables


def amended(whole: str, part: str) -> str:
    """A file in which the tables and values of the part take the place of its own."""
    at = _TABLE.search(part)
    head, tables = (part, "") if at is None else (part[: at.start()], part[at.start() :])
    pieces = re.split(r"(?m)^(?=\[)", whole)
    kept = [piece for piece in pieces if not (name := _TABLE.match(piece)) or name[1] not in set(_TABLE.findall(part))]
    values = dict(line.split(" = ", 1) for line in head.splitlines() if " = " in line)
    return with_values("".join(kept), values) + "\n" + tables


class Reader:
    """Plays the blocks of one page in the current folder."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.experiment = ""

    def read(self) -> None:
        """All blocks, in order; the first that fails ends it."""
        for block in blocks(self.page.read_text(encoding="utf-8")):
            if block.reason or block.language == TEXT:
                continue
            print(f"--- {self.page.name}, line {block.line}", flush=True)
            {PYTHON: self.python, TOML: self.toml, SHELL: self.shell}[block.language](block)

    def python(self, block: Block) -> None:
        if file := _FILE.match(block.text):
            Path(file[1]).write_text(block.text, encoding="utf-8")
            return
        text = block.text
        for name, value in block.smaller.items():
            text, found = re.subn(rf'\b{name}=([\d_]+|"\w*")', f"{name}={value}", text)
            assert found, f"line {block.line}: the mark names {name}, the block does not"
        lined_up = "\n" * (block.line - 1) + text  # so that a traceback shows lines of the page
        exec(compile(lined_up, str(self.page), "exec"), self.names)

    def toml(self, block: Block) -> None:
        if file := _FILE.match(block.text):
            Path(file[1]).write_text(block.text, encoding="utf-8")
            return
        text = block.text if "name" in tomllib.loads(block.text) else amended(self.experiment, block.text)
        self.experiment = text
        name = tomllib.loads(text)["name"]
        file = Path(f"{name}.toml")
        file.write_text(with_values(text, {"replicates": "2", **block.smaller}), encoding="utf-8")
        self.command(["run", str(file), "--out", f"results/{name}-{block.line}"])

    def shell(self, block: Block) -> None:
        for line in block.text.replace("\\\n", " ").splitlines():
            if (words := shlex.split(line, comments=True)) and words[0] == "folkmoot":
                self.command(words[1:])

    def command(self, words: list[str]) -> None:
        """In this process, which spares loading the package for each; as the installed script, it finds no files here.

        Not with models of one's own: the page has entered them in this process, and a name is entered once.
        """
        print("$ folkmoot", *words, flush=True)
        if "--models" in words:
            subprocess.run([sys.executable, "-c", _ELSEWHERE, *words], check=True)
            return
        from folkmoot.cli import main

        paths = sys.path[:]
        sys.path[:] = [path for path in paths if path]
        try:
            assert main(words) == 0
        finally:
            sys.path[:] = paths


if __name__ == "__main__":
    sys.path.insert(0, "")  # files of the page are found here
    Reader(Path(sys.argv[1]).resolve()).read()
