"""[presence] and [feedback] of an experiment file."""

from pathlib import Path
from typing import Any

import pytest

import folkmoot as fm
from folkmoot.experiments.bandits import plan_bandits

DOCUMENT: dict[str, Any] = {
    "name": "late",
    "horizon": 20,
    "rewards": {"type": "bernoulli", "means": [0.1, 0.9], "n_agents": 3},
    "network": {"type": "static", "base": "cycle"},
    "algorithm": [{"type": "ucb"}],
    "presence": {"probability": 0.5, "absences": [[0, 1, 4], [2, 9]]},
    "feedback": {"delay": "geometric", "mean": {"grid": [1.0, 2.0]}, "loss": 0.1},
}


def test_a_file_plays_what_python_plays(tmp_path: Path) -> None:
    cells = plan_bandits(DOCUMENT, tmp_path).cells
    assert [cell.settings for cell in cells] == [{"mean": 1.0}, {"mean": 2.0}]
    for cell, mean in zip(cells, (1.0, 2.0), strict=True):
        assert cell.job.presence == fm.Presence(probability=0.5, absences=[(0, 1, 4), (2, 9)])
        assert cell.job.feedback == fm.Feedback(delay="geometric", mean=mean, loss=0.1)
    assert cells[0].job.key() != cells[1].job.key()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"presence": {"probability": 2}}, r"presence: probability = 2.0: expected a probability in \(0, 1\].*"),
        ({"presence": {"absent": []}}, r"presence: field 'absent': unknown; did you mean 'absences'\? .*"),
        ({"presence": {"absences": [[3, 1]]}}, r"presence: absence \(3, 1, None\): expected an agent from 0 to 2"),
        ({"feedback": {"delay": "x"}}, r"feedback.delay = 'x': .*'geometric'.*"),
        ({"feedback": {"delay": [[1, 2]]}}, r"feedback: delay recorded for 2 agents: expected 3"),
        ({"feedback": 5}, r"feedback = 5: expected a table"),
    ],
)
def test_what_is_wrong_is_one_line(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        plan_bandits({**DOCUMENT, **change}, tmp_path)
