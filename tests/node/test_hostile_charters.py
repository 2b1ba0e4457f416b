"""Charters that are drawn at random from what is wrong, odd or huge: each is refused in one line, or can be played."""

import math
import random

import pytest
from consortium import seeds_of

from folkmoot.algorithms import ALGORITHMS
from folkmoot.bc_ucb.algorithm import BCUCB
from folkmoot.errors import OtherSide
from folkmoot.node.amendment import amend
from folkmoot.node.charter import BadCharter, propose, read_charter, terms_of, write_charter
from folkmoot.node.member import Card
from folkmoot.node.systems import system_of
from folkmoot.node.tickets import Tickets
from folkmoot.node.words import words
from folkmoot.world import NETWORKS

GOOD = {
    "name": "a test", "system": "bandit", "arms": ["a", "b", "c"], "low": 0.0, "high": 1.0, "rounds": 1_000,
    "start": "2027-01-01T00:00:00Z", "period": 0.0, "play": 1.0, "stage": 1.0, "faults": 1, "window": 8,
    "evidence": "note", "transport": "tls", "settings": {},
}  # fmt: skip
ODD = [
    0, 1, 2, 3, 7, -1, 10**9, 2**31, 2**62, 2**63, 2**64, -(2**63), 10**30, 0.0, -0.0, 0.5, 1.0, 1.5, 1e-300, 5e-324,
    1e16, 1e308, -1e308, math.inf, -math.inf, math.nan, True, False, "", " ", "x", "note", "exclude", "open",
    "pairwise", "none", "two\nlines", "\x1b[2J", "\u202e", "a" * 70, "a" * 5_000, "2027-01-01",
    "9998-12-31T23:59:59Z", "1969-01-01T00:00:00Z", "nats://127.0.0.1:4222", "00" * 32, "zz" * 32, [], ["a"],
    ["a", "a"], ["a", "b\n"], [0, 1, 0, 1], [[0, 1], [1, 0]], [0.5, math.nan], ["00" * 32] * 17, {},
    {"type": "gse"}, {"a": 1}, {"two\nlines": 1}, {"a" * 500: 1}, [[[[[]]]]],
]  # fmt: skip
MILD = [0, 1, 2, 3, 5, 10, 0.1, 0.5, 0.9, 1.0, 1.5, 2.0, True, False, [0, 1, 0, 1], [0, 0, 1, 1], "complete", "ring"]
NUMBERS = [float(number) for number in ODD if type(number) is float or type(number) is int]
MEMBERS = {
    n: [Card.of(seed, f"site-{i}", f"127.0.0.1:{9000 + i}") for i, seed in enumerate(seeds_of(n))] for n in (2, 4, 7)
}


def fields_of(kind):
    return [name for name in kind.model_fields if name not in ("type", "kind")]


def value(chance):
    return chance.choice(ODD if chance.random() < 0.4 else MILD)


def drawn_table(kinds, chance, best):
    name = chance.choice([*kinds, "nothing"]) if chance.random() < 0.6 else chance.choice(best)
    table = {"type": name}
    fields = fields_of(kinds[name]) if name in kinds else []
    for field in chance.sample(fields, min(len(fields), chance.randrange(3))):
        table[field] = value(chance)
    if chance.random() < 0.1:
        table[chance.choice(["base", "labels", "speed"])] = chance.choice(ODD)
    return table


def drawn(chance, members):
    """Terms for so many members, mostly with one or two things that are odd."""
    terms = {**GOOD, "faults": (members - 1) // 3, "system": chance.choice(["bandit", "bc_ucb"])}
    settings = {}
    if terms["system"] == "bandit":
        if chance.random() < 0.7:
            settings["algorithm"] = drawn_table(
                ALGORITHMS, chance, ["flood_se", "gse", "drfed_ucb", "s3_cert", "gossip_ucb"]
            )
        if chance.random() < 0.5:
            settings["network"] = drawn_table(NETWORKS, chance, ["erdos_renyi", "stochastic_block_model"])
    else:
        if chance.random() < 0.7:
            names = chance.sample(fields_of(BCUCB), chance.randrange(1, 4))
            settings["algorithm"] = {name: value(chance) for name in names}
        for name in ("validators", "comparison", "every", "disclosure", "environment"):
            if chance.random() < 0.2:
                settings[name] = value(chance)
    if chance.random() < 0.1:
        settings[chance.choice(["certain", "algorithm", "network", "speed", "two\nlines"])] = chance.choice(ODD)
    terms["settings"] = settings
    for name in chance.sample([*GOOD, "broker", "seed", "speed"], chance.choice([0, 0, 0, 0, 1, 2])):
        terms[name] = chance.choice(ODD)
    if chance.random() < 0.1:
        terms |= {name: chance.choice(NUMBERS) for name in ("low", "high")}
    if chance.random() < 0.1:
        terms |= {"start": "9998-12-31T23:59:59Z", "period": chance.choice([60.0, 86_400.0])}
    return terms


def one_line(text):
    return text and "\n" not in text and "\x1b" not in text and "\u202e" not in text and len(text) < 1_500


def played(terms, members, file):
    """What becomes of it: empty if it can be played, else why it is refused."""
    try:
        charter = propose(terms_of(terms), MEMBERS[members])
        system = system_of(charter)
    except (ValueError, OtherSide) as error:
        return str(error)
    for line in words(charter):
        assert one_line(line), line
    machine = system.role(0, bytes(32)).resume({}, _Nothing(), bytes)
    assert machine.stages
    tickets = Tickets(charter.terms.arms, charter.terms.low, charter.terms.high, charter.terms.window)
    tickets.open(1, 0)
    for reward, scaled in ((charter.terms.low, 0.0), (charter.terms.high, 1.0)):
        assert tickets.outcome(tickets.decide().ticket, reward)[2] == scaled
    write_charter(file, charter)
    assert read_charter(file).digest == charter.digest
    return amended(charter)


def amended(charter):
    """Why nothing can follow its first round; empty: something can."""
    try:
        amend(charter, 1)
    except (ValueError, OtherSide) as error:
        return str(error)
    return ""


class _Nothing:
    height = 0

    def block(self, height):
        raise IndexError(height)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(4))
def test_every_charter_is_refused_in_one_line_or_can_be_played(part, tmp_path):
    chance, fine = random.Random(f"charter {part}"), 0
    for _ in range(100):
        members = chance.choice([2, 4, 7])
        terms = drawn(chance, members)
        said = played(terms, members, tmp_path / "charter.toml")
        assert not said or one_line(said), (terms, said)
        fine += not said
    assert 5 <= fine <= 70  # else what is drawn shows nothing


def test_a_scale_whose_length_is_not_finite_is_refused():
    """Each end is finite; what is between them is not, and every reward would be 0 or no number."""
    with pytest.raises(ValueError, match=r"low = -1e\+308, high = 1e\+308: expected a difference that is finite"):
        terms_of({**GOOD, "low": -1e308, "high": 1e308})


def test_an_epoch_beyond_the_calendar_is_refused():
    charter = propose(terms_of({**GOOD, "rounds": 10**9, "period": 2_000_000.0}), MEMBERS[4])
    with pytest.raises(BadCharter, match=r"after = 900000000: that is beyond the year 9999; give new terms"):
        amend(charter, 900_000_000)


@pytest.mark.parametrize(
    "settings",
    [
        {"algorithm": {"type": "somebody_s_own:Algorithm"}},
        {"network": {"type": "somebody_s_own:Network"}},
        {"network": {"type": "static", "base": "file:edges.txt"}},
        {"network": {"type": "static", "base": "file:/etc/passwd"}},
        {"network": {"type": "somebody_s_own:Network", "inner": [{"type": "somebody_s_own:Law"}]}},
    ],
)
def test_a_charter_imports_nothing_and_reads_no_file(settings, tmp_path, monkeypatch):
    """Whoever looks at a charter of somebody else runs none of that one's choice of code."""
    (tmp_path / "somebody_s_own.py").write_text("import pathlib\npathlib.Path('ran').touch()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    charter = propose(terms_of({**GOOD, "settings": settings}), MEMBERS[4])
    with pytest.raises(BadCharter, match=r"^terms\.settings\.(algorithm|network)\S* = .*: a (class|file)"):
        system_of(charter)
    assert not (tmp_path / "ran").exists()
