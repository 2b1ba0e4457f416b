"""Links between pages lead somewhere, and files that a page names are there."""

import re
import string
from pathlib import Path

import pytest
from test_pages import FILES, ROOT, name_of

PACKAGE = ROOT / "folkmoot"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:folkmoot|papers|contracts|docs|tests|benchmarks|examples)/[\w./-]+)`")
_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """Of the headings of a page, as forges make them: small letters, no punctuation, hyphens for blanks."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", _FENCED.sub("", page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = "".join(c for c in text if c not in set(string.punctuation) - {"-", "_"}).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    return {anchor if n == 0 else f"{anchor}-{n}" for anchor, most in found.items() for n in range(most + 1)}


def astray(path: Path, text: str) -> list[str]:
    """Links and names of files on a page that lead nowhere."""
    text = _FENCED.sub("", text)
    wrong = []
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            wrong.append(link)
    return wrong + [name for name in _PATH.findall(text) if "your_" not in name and not (ROOT / name).exists()]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_links_lead_somewhere(path):
    assert astray(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "[a page](no-such-page.md)",
        "[a heading](docs/glossary.md#no-such-heading)",
        "[a heading of this page](#no-such-heading)",
        "in `folkmoot/agreement/node.py`",
    ],
)
def test_what_leads_nowhere_is_noticed(text):
    assert len(astray(ROOT / "README.md", f"# A page\n\n{text}\n")) == 1


def test_anchors_are_those_of_forges():
    page = "# What `verify` notices, and what\n\n## [The file](x.md)\n\n## The file\n\n```sh\n# no heading\n```\n"
    assert anchors(page) == {"what-verify-notices-and-what", "the-file", "the-file-1"}


def test_the_index_has_every_page():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in (ROOT / "docs").glob("*.md") if f"]({path.name})" not in index]
    assert missing == ["README.md"]


def test_the_map_of_the_house_has_every_room():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = [f"{path.name}/" for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()]
    files = [path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")]
    assert [name for name in rooms + files if f"`{name}`" not in page] == []


def test_decisions_are_listed():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = [path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")]
    assert [name for name in pages if f"]({name})" not in index] == []
    assert len({name[:4] for name in pages}) == len(pages), "two decisions have one number"
