"""Numbers and arrays from outside: what is of another kind is refused by name, at the moment it is handed over."""

import datetime
from decimal import Decimal

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot import doors, theory
from folkmoot.simulation.simulate import make_job

MASKED = np.ma.array([0.2, 0.8], mask=[False, True])
NO_NUMBERS = {
    "true and false": [True, False],
    "an array of true and false": np.array([True, False]),
    "one true": [0.2, True],
    "complex": [0.2 + 0j, 0.8],
    "an array of complex": np.array([0.2, 0.8], np.complex128),
    "masked": MASKED,
    "texts": ["0.2", "0.8"],
    "an array of texts": np.array(["0.2", "0.8"]),
    "bytes": [b"0.2", b"0.8"],
    "dates": np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"),
    "dates of Python": [datetime.date(2024, 1, 1)] * 2,
    "times": np.array([1, 2], "timedelta64[s]"),
    "nothing": [None, 0.8],
    "decimals": [Decimal("0.2"), Decimal("0.8")],
    "a table": {0: 0.2, 1: 0.8},
    "a set": {0.2, 0.8},
    "text": "ab",
    "more digits": np.array([0.2, 0.8], np.longdouble) / 3,
    "records": np.array([(1, 2)], "i4,i4"),
    "objects": np.array([0.2, "a"], object),
    "huge": [10**400, 0.8],
    "inexact": [2**53 + 1, 0.8],
    "ragged": [[0.2], [0.2, 0.8]],
}


@pytest.mark.parametrize("given", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_is_refused_by_every_door(given):
    """Each says in one line what it is about."""
    cycle = nx.path_graph(3)
    takers = {
        "means": lambda: fm.Bernoulli(given, n_agents=2),
        "means ": lambda: fm.Gaussian([given]),
        "probabilities": lambda: fm.StochasticBlockModel([0, 1], probabilities=[given, given]),
        "link_probability": lambda: fm.ErdosRenyi(cycle, given),
        "loss": lambda: fm.OneSided(fm.Static(nx.path_graph(2)), loss=given),
        "weights": lambda: fm.Linear(given),
        "replay table": lambda: fm.Replay([[given]]),
        "probability": lambda: fm.Presence(probability=given),
        "delay": lambda: fm.Feedback(delay=[given, given]),
        "gaps": lambda: theory.checks.checked_gaps(given),
        "Liars": lambda: fm.Liars(given, "promote"),
        "label": lambda: fm.StochasticBlockModel(given, 0.5, 0.1),
        "recorded": lambda: fm.Recorded([[given, given]]),
    }
    for name, take in takers.items():
        with pytest.raises(ValueError, match=rf"^[^\n]*{name.strip()}[^\n]*\Z"):
            take()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[0.2, True]], r"x\[0\]\[1\] = True: expected numbers"),
        (np.array([1j]), "x: complex numbers: expected numbers"),
        (MASKED, "x: a masked array: expected numbers"),
        (["a"], r"x\[0\] = 'a': expected numbers"),
        ([2**53 + 1], r"x\[0\] = 9007199254740993, which 64 bits cannot hold exactly: expected numbers"),
        (np.array(["2024-01-01"], "datetime64[D]"), "x: dates: expected numbers"),
    ],
)
def test_the_line_names_the_entry_or_the_kind(given, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        doors.array("x", given, "numbers")


def test_a_list_inside_itself_is_refused():
    given: list = []
    given.append(given)
    with pytest.raises(ValueError, match="too many lists inside each other"):
        doors.array("x", given, "numbers")


@pytest.mark.parametrize(
    ("given", "kind", "numbers"),
    [
        ([[1, 2.5]], "number", [[1.0, 2.5]]),
        ([np.array([1, 2]), [3, 4]], "number", [[1.0, 2.0], [3.0, 4.0]]),
        (np.array([0.5, 0.25], np.float32), "number", [0.5, 0.25]),
        (np.array([1, 2.5], object), "number", [1.0, 2.5]),
        (range(3), "whole", [0, 1, 2]),
        (np.array([1, 2], np.uint64), "whole", [1, 2]),
        ([True, np.True_], "flag", [True, True]),
        (2**53, "number", float(2**53)),
    ],
)
def test_what_is_of_the_kind_comes_through_as_it_is(given, kind, numbers):
    found = doors.array("x", given, "numbers", kind)
    assert found.tolist() == numbers
    assert found.dtype == {"number": np.float64, "whole": np.int64, "flag": np.bool_}[kind]


@pytest.mark.parametrize("given", [True, np.True_, "1", b"1", 1j, None, [1.0], np.array([1.0]), np.ma.masked, 10**400])
def test_what_is_no_single_number_is_in_no_range(given):
    assert np.isnan(doors.number(given))
    with pytest.raises(ValueError, match=r"^x = [^\n]*: expected an integer of at least 1 and below 2\*\*32$"):
        doors.whole("x", given)


@pytest.mark.parametrize("field", ["loss", "mean"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_is_not_said_to_be_too_large(field, value):
    with pytest.raises(ValueError, match=rf"{field} = (nan|inf): expected a finite number$"):
        fm.Feedback(**{field: value, **({"delay": "geometric"} if field == "mean" else {})})


BAD_WHEN_MADE = [
    (lambda: fm.Liars([1, 1], "promote"), "Liars: agents = .*: 1 is named twice; expected each agent once"),
    (lambda: fm.Liars([-1], "promote"), "Liars: agents = .*: -1: expected numbers from 0 on"),
    (lambda: fm.Liars([True], "promote"), r"Liars: agents\[0\] = True: expected a list of agent numbers"),
    (lambda: fm.ConstantLie(values=float("nan")), "ConstantLie: values = nan: expected a finite number"),
    (
        lambda: fm.ConstantLie(values=(0.5, float("inf"))),
        r"ConstantLie: values = \(0.5, inf\): expected a finite number",
    ),
    (lambda: fm.PromotingLie(arm=-1), "PromotingLie: arm = -1: expected at least 0"),
    (lambda: fm.SplitLie(odd=-1), "SplitLie: odd = -1: expected at least 0"),
    (lambda: fm.FloodSE(anytime=True, aggregate="tree"), "FloodSE: anytime = true: delta = 1/T needs a horizon"),
    (lambda: fm.FloodSE(faulty=1, aggregate="tree"), "FloodSE: faulty = 1: whom a tree adds up cannot be checked"),
    (lambda: fm.GSE(link_probability=1.5), "GSE: link_probability = 1.5: expected at most 1"),
    (lambda: fm.GSE(link_probability=float("nan")), "GSE: link_probability = nan: expected a finite number"),
    (lambda: fm.S2(radius="naive", budget=3), "S2: budget = 3.0: only radius = 'aware' has a budget"),
    (lambda: fm.UCBSBM(clusters=[0, True]), r"UCBSBM clusters\[1\] = True: expected whole numbers"),
    (lambda: fm.Recorded([[(0, 10**12)]]), "n_agents = 1000000000001: expected at most 2147483647"),
    (lambda: fm.Recorded([[(0, 2 * 10**9)]] * 2), "recorded rounds: 2 of 2000000001 agents would need 30 GiB"),
    (lambda: fm.Recorded([[(0, True)]]), r"recorded rounds\[0\]\[0\]\[1\] = True: expected lists of pairs"),
    (lambda: fm.Presence(recorded=[[False, False]]), "recorded: nobody is there in any round"),
    (lambda: fm.Replay([[[0.5]]], arm_names=np.array(3)), r"arm_names = array\(3\): expected a list of names"),
]


@pytest.mark.parametrize(("make", "said"), BAD_WHEN_MADE)
def test_what_cannot_be_is_refused_when_it_is_made(make, said):
    with pytest.raises(ValueError, match=rf"^[^\n]*{said}[^\n]*\Z"):
        make()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"observe": None}, "observe = None: expected a list of names"),
        ({"observe": ["pulls", "pulls"]}, "observe = 'pulls': named twice; expected each name once"),
        ({"observe": 3}, "observe = 3: expected a list of names"),
        ({"checkpoints": [True, 20]}, r"checkpoints\[0\] = True: expected increasing rounds"),
        ({"checkpoints": True}, "checkpoints = True: expected increasing rounds"),
        ({"checkpoints": np.ma.array([1, 20], mask=[1, 0])}, "checkpoints: a masked array: expected increasing"),
        ({"checkpoints": "ab"}, "checkpoints = 'ab': expected increasing rounds"),
        ({"checkpoints": [20.0]}, r"checkpoints\[0\] = 20.0: expected increasing rounds"),
        ({"per_agent": 1}, "per_agent = 1: expected true or false"),
    ],
)
def test_what_a_simulation_is_asked_for_is_looked_at_first(asked, said):
    world = fm.Bernoulli([0.2, 0.8], n_agents=2), fm.Static(nx.path_graph(2))
    with pytest.raises(ValueError, match=rf"^{said}"):
        make_job(fm.CooperativeUCB(), *world, horizon=20, **asked)


@pytest.mark.parametrize("given", [Decimal("2"), np.array([(1, 2)], "i4,i4"), np.array(2), 2.0, b"2", [2], {2}])
def test_one_of_a_list_of_values_is_not_what_equals_it(given):
    with pytest.raises(ValueError, match=r"^UCBSBM: rule = [^\n]*: allowed are 1, 2$|^UCBSBM: rule[^\n]*whole"):
        fm.UCBSBM(rule=given)
    with pytest.raises(ValueError, match=r"^[^\n]*order = [^\n]*: allowed are 'drawn', 'time', 'rejection'$"):
        fm.Replay([[[0.5]]], order=given)


@pytest.mark.parametrize("given", [np.array(0), 3, "ab", np.array([(1, 2)], "i4,i4")])
def test_absences_that_are_no_list(given):
    with pytest.raises(ValueError, match=r"^Presence: absences = [^\n]*: expected a list of \(agent, first, last\)$"):
        fm.Presence(absences=given)


def test_verification_of_another_kind_is_one_line():
    world = fm.Bernoulli([0.2, 0.8], n_agents=2), fm.Static(nx.path_graph(2))
    with pytest.raises(ValueError, match=r"^verification = [^\n]*: expected a number of pulls[^\n]*\Z"):
        make_job(fm.S3(), *world, horizon=20, verification=MASKED)


class Tenfold(int):
    """Says that it is ten times as large once it is converted."""

    def __int__(self):
        return 10 * super().__int__()

    __index__ = __int__


def test_a_number_is_converted_before_it_is_compared():
    with pytest.raises(ValueError, match=r"^x = 3: expected an integer of at least 1 and at most 9$"):
        doors.whole("x", Tenfold(3), high=9)
    assert doors.whole("x", Tenfold(3)) == 30
    problem = fm.Problem.on(fm.Static(nx.path_graph(3)), n_arms=2, horizon=20)
    with pytest.raises(ValueError, match=r"^agent = 1: expected a number from 0 to 2$"):
        fm.agent(fm.UCB(), problem, Tenfold(1))


def test_a_word_of_a_game_on_a_chain_is_a_text():
    with pytest.raises(ValueError, match=r"^fidelity = [^\n]*: allowed are 'ideal' and 'protocol'$"):
        fm.simulate_chain(
            fm.BCUCB(), fm.Bernoulli([0.2, 0.8], n_agents=4), horizon=30, fidelity=np.array([(1, 2)], "i4,i4")
        )


def test_an_engine_is_a_text():
    given, law = np.array([(1, 2)], "i4,i4"), fm.Bernoulli([0.2, 0.8], n_agents=4)
    with pytest.raises(ValueError, match=r"^engine = [^\n]*: allowed are 'compiled' and 'interpreted'$"):
        fm.simulate(fm.UCB(), law, fm.Static(nx.path_graph(4)), horizon=30, engine=given)
    with pytest.raises(ValueError, match=r"^engine = [^\n]*: allowed are 'compiled' and 'interpreted'$"):
        fm.simulate_chain(fm.BCUCB(), law, horizon=30, engine=given)


def test_an_error_does_not_repeat_a_long_name():
    world = fm.Bernoulli([0.2, 0.8], n_agents=2), fm.Static(nx.path_graph(2))
    result = fm.simulate(fm.UCB(), *world, horizon=20, engine="interpreted")
    with pytest.raises(ValueError, match=r"^'x+[^\n]{,300}\Z"):
        fm.coverage(result, estimate="x" * 5_000)


def test_a_seed_of_time_is_refused():
    from folkmoot.coins import seed_words

    for seed in (np.timedelta64(1, "s"), Tenfold(2**61)):
        with pytest.raises(ValueError, match=r"^seed = [^\n]*: expected an integer from 0 to 2\*\*64 - 1$"):
            seed_words(seed)


@pytest.mark.parametrize("p", [2e-307, 5e-324])
def test_links_of_next_to_no_probability_bound_nothing(p):
    assert theory.gse_regret([0.0, 0.5], 2, p, 1.0, 100) == 2 * 0.5 * 100


FLAGS = [0, np.True_, 1], [0, True, 1]


@pytest.mark.parametrize("given", FLAGS)
def test_a_truth_value_is_no_class_and_no_label(given):
    torch = pytest.importorskip("torch", reason="the extra 'multiparty' is not installed")
    from folkmoot.multiparty import Party, TorchModel

    with pytest.raises(ValueError, match=r"^classes[^\n]*True[^\n]*: expected whole numbers or names$"):
        TorchModel(torch.nn.Linear(2, 3), given)
    model = TorchModel(torch.nn.Linear(2, 2), [0, 1])
    with pytest.raises(ValueError, match=r"^party ada: y[^\n]*: expected [^\n]*\Z"):
        Party("ada", model, np.zeros((3, 2), np.float32), given)


def test_learners_of_fewer_classes_than_they_have():
    pytest.importorskip("torch", reason="the extra 'multiparty' is not installed")
    from folkmoot.multiparty import HMR

    class Learner:
        classes = (0, 2)

        def retrain(self, *given):
            """Nothing."""

    data = np.zeros((2, 3), np.float32), np.array([0, 2])
    with pytest.raises(ValueError, match=r"^n_classes = 2: expected at least 3, as learners have such classes$"):
        HMR([Learner()], [data], n_classes=2)
    assert HMR((one for one in [Learner()]), (one for one in [data])).n_classes == 3


def test_keys_that_are_no_folder():
    from folkmoot.multiparty.keys import draw_of

    with pytest.raises(ValueError, match=r"^keys = [^\n]*: expected 'random', 'derived' or a folder$"):
        draw_of(np.array([(1, 2)], "i4,i4"), 0, None)


def test_a_probability_of_next_to_nothing_has_rounds_or_one_line():
    assert 3_000 < theory.flood_rounds(10, 3, 0.9, 1_000, 2.6e-318) < 3_500
    with pytest.raises(ValueError, match=r"^link_probability = 5e-324: too small for any number of rounds$"):
        theory.flood_rounds(10, 3, 5e-324, 1_000, 0.1)
