"""What a release says of itself: one version everywhere, how to report a weakness, how to run on a cluster."""

import re
import tomllib
from pathlib import Path

import pytest

import folkmoot as fm

ROOT = Path(__file__).resolve().parents[2]


def text(*name):
    return ROOT.joinpath(*name).read_text(encoding="utf-8")


def test_one_version_everywhere():
    project = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    cited = re.search(r"^version: (\S+)$", text("CITATION.cff"), re.MULTILINE)[1]
    changed = re.search(r"^## (\S+)", text("CHANGELOG.md"), re.MULTILINE)[1]
    assert {project, cited, changed} == {fm.__version__}


@pytest.mark.parametrize("word", ["Report a vulnerability", "What is promised", "Which versions are corrected"])
def test_security_says_how_to_report_and_what_is_promised(word):
    assert word in text("SECURITY.md")


@pytest.mark.parametrize("part", ["llvmlite and numba", "SciPy", "NumPy", "matplotlib"])
def test_the_core_install_is_measured_and_its_largest_parts_are_named(part):
    page = text("docs", "install.md")
    assert re.search(r"Core install: [\d.]+ GB on disk, \d+ packages", page)
    assert re.search(rf"^\| {part}[^|]*\| \d+ \|", page, re.MULTILINE)


def test_a_recipe_for_slurm():
    assert "from dask_jobqueue import SLURMCluster" in text("docs", "on-a-cluster.md")


def test_ray_has_a_command_of_its_own():
    assert re.search(r"^test-ray:.*\n\t.*-m pytest -m ray tests/simulate/test_ray.py$", text("Makefile"), re.MULTILINE)
