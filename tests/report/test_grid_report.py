"""The report of a grid: like is compared with like, both goals, warnings, single agents, a panel for each world."""

from dataclasses import replace

import numpy as np
import pytest
from made_results import GAPS, make

from folkmoot.report import bandits, goals
from folkmoot.report.grid import answer, render_grid
from folkmoot.report.panels import PANELS, plot_worlds
from folkmoot.report.worlds import lowest, worlds_of

TASTES = np.array([[0.75, 0.5, 0.25], [0.75, 0.5, 0.25], [0.75, 0.5, 0.25], [0.25, 0.75, 0.5]])
COMMON = [[1000, 0, 0]] * 4
OWN = [[1000, 0, 0]] * 3 + [[0, 1000, 0]]
POOR = [[0, 0, 1000]] * 4


def met(result, p=0.5, horizon=1_000, **more):
    """The result, of the world whose links have this probability."""
    network = {**result.configuration["network"], "link_probability": p}
    return replace(result, configuration={**result.configuration, "network": network, "horizon": horizon, **more})


def tasted(name, pulls, p, goal="common"):
    """All agents of four replicates pull as told, one replicate a little otherwise, where tastes differ."""
    pulls = np.repeat(np.array(pulls, np.int64)[None], 4, axis=0)
    pulls[0, 0] += [-1, 0, 1] if pulls[0, 0, 0] else [0, 1, -1]
    made = met(make(name, replicates=4, means=TASTES, kind="UCB" if goal == "own" else "GSE"), p, goal=goal)
    return replace(made, pulls=pulls, gaps=TASTES.mean(axis=0).max() - TASTES.mean(axis=0))


def test_a_parameter_of_one_algorithm_makes_no_world():
    """One world: three cells of it are compared with one another, not each with itself."""
    rows = [
        {"exploration": 1.0, "UCB": make("UCB", 0.3)},
        {"exploration": 2.0, "UCB": make("UCB", 0.2)},
        {"GSE": make("GSE", 0.1)},
    ]
    worlds = worlds_of(rows)
    assert [list(world.cells) for world in worlds] == [["UCB, exploration 1", "UCB, exploration 2", "GSE"]]
    assert lowest(worlds[0]) == ["GSE"]
    assert answer(worlds).startswith("GSE has the lowest regret")
    assert "below UCB, exploration 2, the next lowest" in answer(worlds)
    assert render_grid("T", rows).count("<strong>") == 1


def test_worlds_are_counted_not_rows():
    rows = []
    for p, share in ((0.1, 0.202), (0.9, 0.05)):
        rows += [{"p": p, "exploration": e, "UCB": met(make("UCB", 0.1 * (1 + e)), p)} for e in (1.0, 2.0)]
        rows.append({"p": p, "GSE": met(make("GSE", share), p), "Central": met(make(kind="CentralUCB", wrong=0.0), p)})
    worlds = worlds_of(rows)
    assert [world.title for world in worlds] == ["p 0.1", "p 0.9"]
    assert answer(worlds) == (
        "Lowest mean final regret in 2 worlds: UCB, exploration 1 in 1 and GSE in 1; "
        "in 1 of them the next lowest cannot be told apart from it."
    )
    rows = [row for row in rows if row.get("exploration") != 1.0]
    assert answer(worlds_of(rows)) == "GSE has the lowest mean final regret in each of 2 worlds."


def test_regrets_of_unlike_worlds_are_no_contest():
    """Longer games have more regret: what is said is the regret a pull, and where."""
    long = met(make("GSE", 0.1), horizon=10_000)
    long = replace(long, checkpoints=long.checkpoints * 10)
    assert long.horizon == 10_000
    said = answer(worlds_of([{"horizon": 1_000, "GSE": met(make("GSE", 0.1))}, {"horizon": 10_000, "GSE": long}]))
    assert said.startswith("Every cell has a world of its own. There the mean regret a pull is from 0.00")
    assert "(GSE, horizon 10,000) to 0.0" in said
    said = answer(worlds_of([{"p": p, "GSE": met(make("GSE", w), p)} for p, w in ((0.1, 0.3), (0.9, 0.1))]))
    assert "mean final regret is from" in said
    assert "(GSE, p 0.9) to" in said


def test_a_world_with_one_cell_is_left_out_of_the_count():
    rows = [
        {"p": 0.1, "A": met(make("A", 0.1), 0.1), "B": met(make("B", 0.3), 0.1)},
        {"p": 0.9, "A": met(make("A", 0.1), 0.9)},
    ]
    said = answer(worlds_of(rows))
    assert said.endswith("in 1 world: A in 1. 1 more world had no two algorithms to compare.")


def test_both_goals_and_what_cooperating_costs():
    rows = [
        {"p": p, "GSE": tasted("GSE", COMMON, p), "UCB": tasted("UCB", alone, p, "own")}
        for p, alone in ((0.1, OWN), (0.9, POOR))
    ]
    worlds = [world.results for world in worlds_of(rows)]
    first, second = goals.remarks_of_worlds(worlds)
    assert "it pays 0.625 a pull" in first
    assert second == (
        "Cooperating costs the agents in 1 of 2 worlds. With UCB, where each plays for itself, they earn more a pull "
        "than with GSE (1 world); see docs/when-not-to-cooperate.md. Cooperating pays in 1 of 2 worlds: agents earn "
        "more a pull with GSE (1 world) than each for itself."
    )
    page = render_grid("T", rows)
    assert page.count('<p class="warning">') == 2
    assert "<h2>Two goals</h2>" in page
    assert "GSE, p 0.1" in page
    cells = {
        f"{name}, p = {row['p']}": replace(
            row[name], configuration={**row[name].configuration, "cell": {"label": name, "settings": {"p": row["p"]}}}
        )
        for row in rows
        for name in ("GSE", "UCB")
    }
    assert second in bandits.terminal(cells)[2]


def test_worlds_without_two_goals_are_left_out_of_the_table():
    same = np.tile([0.75, 0.5, 0.25], (4, 1))
    rows = [
        {"p": 0.1, "GSE": met(make("GSE", means=same), 0.1)},
        {"p": 0.9, "GSE": tasted("GSE", COMMON, 0.9)},
    ]
    said = goals.remarks_of_worlds([world.results for world in worlds_of(rows)])
    assert "in 1 of 2 worlds" in said[0]
    assert "Add UCB" in said[1]
    table = render_grid("T", rows).partition("<h2>Two goals</h2>")[2].partition("</section>")[0]
    assert "GSE, p 0.9" in table
    assert "GSE, p 0.1" not in table


def test_warnings_stand_at_the_top_with_their_cells():
    rows = [
        {"p": p, "A": met(make("A", 0.1), p, remarks=said), "B": met(make("B", 0.2), p)}
        for p, said in ((0.1, ["A: slow network."]), (0.9, []))
    ]
    page = render_grid("T", rows)
    assert '<p class="warning">A: slow network. (A, p 0.1)</p>' in page
    assert page.index("slow network") < page.index("What was run")
    many = [{"p": p, "A": met(make("A", 0.1), p, remarks=[f"A: warning {n}." for n in range(9)])} for p in (0.1, 0.9)]
    page = render_grid("T", many)
    assert '<p class="warning">A: warning 0.</p>' in page
    assert "5 more warnings; the full configuration at the end has all." in page


def test_single_agents_have_their_table():
    agent_pulls = np.zeros((5, 7, 4, 3), np.int64)
    agent_pulls[:, -1, :, 0] = 1_000
    rows = [
        {"p": p, "A": met(make("A", agent_pulls=agent_pulls, means=np.tile(0.75 - GAPS, (4, 1))), p)} for p in (1, 2)
    ]
    page = render_grid("T", rows)
    assert "<h2>Single agents</h2>" in page
    assert "A, p 2" in page


def test_what_was_run_once_where_it_is_the_same():
    rows = [{"p": p, "A": met(make("A"), p), "B": met(make("B"), p)} for p in (0.1, 0.9)]
    page = render_grid("T", rows)
    assert page.count(">Agents</th>") == 1
    assert "Network: p 0.1" in page


def test_a_panel_for_each_world():
    def drawn(n):
        return plot_worlds(worlds_of([{"p": p, "A": met(make("A"), p), "B": met(make("B"), p)} for p in range(n)]))

    assert len(drawn(1).axes) == 1
    three = drawn(3)
    assert [axes.get_title() for axes in three.axes] == ["p 0", "p 1", "p 2"]
    assert [text.get_text() for text in three.legends[0].get_texts()] == ["A", "B"]
    assert len({axes.get_ylim() for axes in three.axes}) == 1
    many = drawn(PANELS + 3)
    assert sum(axes.get_visible() for axes in many.axes) == PANELS
    with pytest.raises(ValueError, match="at least one"):
        plot_worlds([])


def test_games_of_other_lengths_have_axes_of_their_own():
    long = met(make("A"), horizon=10_000)
    long = replace(long, checkpoints=long.checkpoints * 10, team_pulls=long.team_pulls * 10)
    figure = plot_worlds(worlds_of([{"horizon": 1_000, "A": met(make("A"))}, {"horizon": 10_000, "A": long}]))
    assert len({axes.get_ylim() for axes in figure.axes}) == 2
