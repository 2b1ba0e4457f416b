"""What a report says of absence and late outcomes."""

from typing import Any

import pytest

import folkmoot as fm
from folkmoot.report.words import feedback_in_words, method, presence_in_words


@pytest.mark.parametrize(
    ("presence", "words"),
    [
        (fm.Presence(probability=0.9), "each present in a round with probability 0.9"),
        (fm.Presence(probability=[0.5, 1.0]), "each present in a round with probability from 0.5 to 1"),
        (
            fm.Presence(absences=[(3, 1, 1_500), (0, 800)]),
            "agent 3 absent from round 1 to 1,500; agent 0 absent from round 800 on",
        ),
        (fm.Presence(recorded=[[True]]), "as recorded over 1 round"),
        (fm.Presence(), "nobody was"),
    ],
)
def test_presence(presence: fm.Presence, words: str) -> None:
    assert presence_in_words(presence.describe()) == words


@pytest.mark.parametrize(
    ("feedback", "words"),
    [
        (fm.Feedback(delay=10, loss=0.05), "10 rounds later; 5.0\N{NARROW NO-BREAK SPACE}% never came"),
        (fm.Feedback(), "in the round of the pull"),
        (fm.Feedback(delay="geometric", mean=2.5), "after a geometric delay of 2.5 rounds on average"),
        (fm.Feedback(delay=[[1], [2]]), "as late as recorded over 2 rounds"),
    ],
)
def test_feedback(feedback: fm.Feedback, words: str) -> None:
    assert feedback_in_words(feedback.describe()) == words


def test_the_method_says_both(tmp_path: Any) -> None:
    import networkx as nx

    world = fm.Bernoulli([0.2, 0.8], n_agents=3), fm.Static(nx.path_graph(3))
    options: dict[str, Any] = {"horizon": 9, "engine": "interpreted", "progress": False}
    told = {"presence": fm.Presence(absences=[(1, 4)]), "feedback": fm.Feedback(delay=3)}
    plain, both = fm.simulate(fm.UCB(), *world, **options), fm.simulate(fm.UCB(), *world, **options, **told)
    assert "absent" not in method({"UCB": plain})
    assert (
        "Agents could be absent: agent 1 absent from round 4 on. An absent agent's regret does not count. "
        "Outcomes of pulls came 3 rounds later." in method({"UCB": both})
    )
    both.save(tmp_path / "saved")
    assert fm.load(tmp_path / "saved").configuration == both.configuration
