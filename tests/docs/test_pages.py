"""Every block of code in the documentation runs as it stands there; `pages.py` says how."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages

ROOT = Path(__file__).resolve().parents[2]
PLACES = ["*.md", "docs/**/*.md", "[!.]*/README.md", "papers/*/README.md"]
FILES = sorted({path for place in PLACES for path in ROOT.glob(place)})
NEEDS = {  # what is imported on a page and not in the core
    "docs/multiparty.md": ["torch", "sklearn", "safetensors"],
    "docs/life-of-a-consortium.md": ["sklearn", "safetensors"],
    "docs/add-a-model-kind.md": ["torch", "sklearn", "safetensors"],
    "docs/experiment-files.md": ["sklearn", "safetensors"],
    "docs/other-libraries.md": ["gymnasium", "pettingzoo"],
    "docs/private-comparison.md": ["rbcl"],
}
NOT_RUN = {
    ("docs/a-papers-number.md", "takes minutes"): 1,
    ("docs/five-clinics.md", "it ends when it is interrupted"): 3,
    ("docs/on-a-cluster.md", "it starts processes of its own"): 1,
    ("docs/on-a-cluster.md", "needs Slurm"): 1,
    ("README.md", "takes minutes"): 1,
    ("README.md", "it ends when it is interrupted"): 1,
    ("docs/contract.md", "needs a node of an EVM chain"): 2,
    ("docs/multiparty.md", "it ends when it is interrupted"): 1,
    ("docs/life-of-a-consortium.md", "needs a node"): 1,
    ("docs/multiparty.md", "needs a node"): 2,
    ("docs/run-a-consortium.md", "it ends when it is interrupted"): 2,
    ("docs/run-a-consortium.md", "it ends with the last round"): 2,
    ("docs/run-a-consortium.md", "it needs the ledgers of two epochs"): 1,
    ("docs/run-a-consortium.md", "needs a node"): 2,
    ("docs/write-an-application.md", "it ends when it is interrupted"): 2,
    ("docs/write-an-application.md", "needs a node"): 3,
    ("docs/write-an-application.md", "takes minutes"): 1,
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


WITH_CODE = [path for path in FILES if "```" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_a_page_does_what_it_says(path, tmp_path):
    for module in NEEDS.get(name_of(path), []):
        pytest.importorskip(module)
    environment = {**os.environ, "MPLBACKEND": "agg", "NO_COLOR": "1"}
    command = [sys.executable, str(Path(pages.__file__)), str(path)]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, f"{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}"


@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_every_block_says_its_language(path):
    for block in pages.blocks(path.read_text(encoding="utf-8")):
        assert block.language in {pages.PYTHON, pages.TOML, pages.SHELL, pages.TEXT}, f"line {block.line}"


def test_what_is_not_run_is_counted():
    found = Counter(
        (name_of(path), block.reason)
        for path in WITH_CODE
        for block in pages.blocks(path.read_text(encoding="utf-8"))
        if block.reason
    )
    assert found == NOT_RUN
