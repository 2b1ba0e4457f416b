"""An error that knows the answer says it."""

import pytest

from folkmoot.cli import main

FILE = """
name = "a"
horizon = {horizon}
{more}
[rewards]
type = "bernoulli"
means = [[0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]
[network]
type = "{network}"
{base}
{algorithm}
"""
PLAIN = {
    "horizon": "20", "more": "", "network": "static", "base": 'base = "complete"',
    "algorithm": '[[algorithm]]\ntype = "ucb"',
}  # fmt: skip
CASES = {
    "an algorithm in capitals": ({"algorithm": '[[algorithm]]\ntype = "GSE"'}, "did you mean 'gse'?"),
    "an algorithm as its class": ({"algorithm": '[[algorithm]]\ntype = "FloodSE"'}, "did you mean 'flood_se'?"),
    "a ring": ({"base": 'base = "ring"'}, "did you mean 'cycle'?"),
    "one bracket, twice": (
        {"algorithm": '[algorithm]\ntype = "ucb"\n[algorithm]\ntype = "gse"'},
        "write [[algorithm]], with two brackets",
    ),
    "one bracket": ({"algorithm": '[algorithm]\ntype = "ucb"'}, "write [[algorithm]], with two brackets"),
    "p": ({"network": "erdos_renyi", "base": 'base = "complete"\np = 0.5'}, "did you mean 'link_probability'?"),
    "a float for rounds": ({"horizon": "1e4"}, "expected a whole number; write 10000"),
    "c1": ({"algorithm": '[[algorithm]]\ntype = "ucb"\nc1 = 2.0'}, "did you mean 'exploration'?"),
    "exploration": ({"algorithm": '[[algorithm]]\ntype = "dist_ucb"\nexploration = 2.0'}, "did you mean 'c1'?"),
    "two equal names": (
        {"algorithm": '[[algorithm]]\ntype = "ucb"\n[[algorithm]]\ntype = "ucb"\nexploration = 1.0'},
        "two are called 'UCB (alone)'; give one of them another name, such as name = \"UCB (alone) 2\"",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_line_says_what_was_meant(case, tmp_path, capsys):
    changed, said = CASES[case]
    (tmp_path / "a.toml").write_text(FILE.format(**PLAIN | changed), encoding="utf-8")
    assert main(["run", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


def test_adversaries_are_corruptions(capsys):
    assert main(["list", "adversaries"]) == 2
    assert "did you mean 'corruptions'?" in capsys.readouterr().err
