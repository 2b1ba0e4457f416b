"""A key that is missing in the terms of a charter: the line says what is allowed there."""

import re

import pytest

from folkmoot.node.bema import BemaSettings
from folkmoot.node.charter import BadCharter, terms_of
from folkmoot.node.folder import read_card
from folkmoot.node.system import settings_of

_TERMS = {
    "name": "x", "system": "bandit", "arms": ["a", "b"], "rounds": 9, "start": "2027-01-04T08:00:00Z", "period": 0.0,
    "play": 0.0, "stage": 1.0, "faults": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("faults", "expected a whole number, at least 0 and at most 512"),
        ("period", "expected a number, at least 0 and at most 2678400"),
        ("stage", "expected a number, more than 0.001 and at most 3600"),
        ("system", "allowed are 'bandit', 'bc_ucb', 'bema'"),
        ("name", "expected 1 to 64 printable characters"),
        ("start", "expected a time with its zone, as in 2027-01-04T08:00:00Z; in new terms also 'in 2 minutes'"),
    ],
)
def test_of_a_term_that_is_missing_it_is_said_what_is_allowed(key, allowed):
    terms_of(_TERMS)
    with pytest.raises(ValueError, match=f"^{re.escape(f'terms.{key}: missing; {allowed}')}$"):
        terms_of({name: value for name, value in _TERMS.items() if name != key})


def test_of_many_terms_that_are_missing_the_first_one_is_explained():
    said = r"^terms\.period: missing; expected a number, .* \(and 3 more: terms\.play, terms\.stage, terms\.faults\)$"
    with pytest.raises(ValueError, match=said):
        terms_of({name: _TERMS[name] for name in ("name", "system", "arms", "rounds", "start")})


def test_of_a_setting_that_is_missing_it_is_said_what_is_allowed():
    model = {"member": "m", "kind": "linear/softmax", "classes": [0, 1], "settings": "", "parameters": "00" * 32}
    for given, said in (
        ({"shape": [3], "models": []}, "classes: missing; expected a whole number, at least 2 and at most 4096"),
        ({"classes": 2, "models": []}, "shape: missing; expected a list"),
        (
            {"classes": 2, "shape": [3], "models": [model]},
            r"models\[0\].size: missing; expected a whole number, at ",
        ),
    ):
        with pytest.raises(BadCharter, match=f"^terms.settings.{said}"):
            settings_of(BemaSettings, given)


def test_a_card_that_is_none_is_named(tmp_path):
    (tmp_path / "card.toml").write_text('[member]\nname = "x"\n')
    with pytest.raises(BadCharter, match=r"card\.toml: member: expected a table with name, address, "):
        read_card(tmp_path / "card.toml")
