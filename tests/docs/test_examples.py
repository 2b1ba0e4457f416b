"""Every Python and TOML example of the README and the documentation runs as printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[object]:
    found = []
    for page in PAGES:
        texts = re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        found += [pytest.param(text, id=f"{page.name}-{n}") for n, text in enumerate(texts)]
    return found


def test_the_readme_has_one_of_each() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "```python" in text
    assert "```toml" in text


@pytest.mark.parametrize("text", blocks("python"))
def test_python_example(text: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", blocks("toml"))
def test_toml_example(text: str, tmp_path: Path) -> None:
    (tmp_path / "example.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "folkmoot", "run", "example.toml", "--out", "out", "--replicates", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_links_between_pages_lead_somewhere() -> None:
    others = [*(ROOT / "docs" / "decisions").glob("*.md"), *(ROOT / "papers").glob("*/*.md")]
    for page in [*PAGES, *sorted(others)]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
