"""Pages that list ways to lie have all of them, in the words of the help."""

from pathlib import Path

import pytest

from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.multiparty.games import LIARS
from folkmoot.node.attacks_said import BANDIT, CHAIN, MODELS
from folkmoot.world.lies import LIES

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(("known", "words"), [(ATTACKS, CHAIN), (LIARS, MODELS)], ids=["attacks", "liars"])
def test_experiment_files_say_what_each_attack_does(known, words):
    page = (DOCS / "experiment-files.md").read_text(encoding="utf-8")
    assert [name for name in known if name != "attack" and f"| `{name}` | {words[name]} |" not in page] == []


def test_every_law_of_lies_has_a_row():
    page = (DOCS / "lying-agents.md").read_text(encoding="utf-8")
    assert set(LIES) == set(BANDIT)
    assert [name for name in LIES if f'| `"{name}"`' not in page] == []


def test_words_of_nodes_are_explained_where_they_first_stand():
    """*Mark*, *epoch* and *quorum* on the page of operators before they are used, and in the glossary."""
    page = (DOCS / "run-a-consortium.md").read_text(encoding="utf-8")
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8")
    for word in ("mark", "epoch", "quorum"):
        assert f"*{word}*" in page
        assert word not in page[: page.index("**Words on this page.**")].replace("benchmark", "")
        assert f"\n| {word} | " in glossary
    for field in ("accuracy", "exchange", "exchanges", "waiting"):
        assert f"`{field}`" in (DOCS / "write-an-application.md").read_text(encoding="utf-8")
