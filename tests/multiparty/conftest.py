"""Its place makes `made_digits` importable in the folders of the rooms."""

import importlib

import pytest

from folkmoot.reproductions.papers import figures, papers_folder


@pytest.fixture(scope="module")
def paper():
    """The modules of the paper's folder, by name."""
    figures(papers_folder(), "bema")
    return lambda module: importlib.import_module(f"folkmoot_papers_bema.{module}")
