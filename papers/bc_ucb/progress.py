"""How many rounds have a block: with liars that tell some what they do not tell others, and with losses."""

from collections.abc import Callable
from math import sqrt
from pathlib import Path

import numpy as np

from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.contract import ONE, Terms
from folkmoot.bc_ucb.protocol import Game
from folkmoot.bc_ucb.scripted import SELECTIVE, LiarsTable, Script, silent_towards_some
from folkmoot.bc_ucb.stages import REPORTING
from folkmoot.progress import Progress
from folkmoot.reproductions.claims import Claims
from folkmoot.signatures import remembering
from folkmoot.simulation.network import Faults
from folkmoot.world.rewards import Bernoulli

from . import settings as s
from .arrivals import fair, with_losses

PARTICIPANTS = (4, 7, 10, 13)
LOSING, LOSSES = (4, 7, 13), (0.05, 0.1, 0.25)
BURN_IN, SEEDS = 20, 3
ROUNDS = {4: 30, 7: 12, 10: 8, 13: 5}  # of each seed
LATER = 2  # rounds that are played after those, since a block may be final in the round after its own
MODELLED = 1_000
SURE = 4.0  # standard errors; with 60 cells, one in 200 such tables is off by chance


def progress(out: Path, jobs: int, progress: bool) -> bool:
    """Blocks of rounds, each beside what is derived."""
    claims = Claims("bc_ucb/progress", out)
    with Progress(progress) as bar:
        scripts: dict[str, Script] = {
            **SELECTIVE,
            "silent towards half from reports on": silent_towards_some(REPORTING, 99),
            "silent towards half after reports": silent_towards_some(REPORTING + 1, 99),
        }
        total = (len(scripts) * sum(ROUNDS.values()) + len(LOSSES) * sum(ROUNDS[m] for m in LOSING)) * SEEDS
        line = bar.line("progress", total)
        _liars(claims, scripts, line)
        _losses(claims, line)
    return claims.all_hold


def _game(m: int, seed: int, liars: int, faults: Faults | None = None) -> Game:
    rewards, faulty = Bernoulli((0.3, 0.8), n_agents=m), (m - 1) // 3
    params = Params(m, 2, BURN_IN, 2.0, 1500, 1000, faulty, True, True)
    terms = Terms(m, 2, faulty, 2 * m, 0, 0, ONE // 10, int(np.log(2) * ONE))
    points, attack = np.array([BURN_IN + ROUNDS[m] + LATER]), ATTACKS["attack"]().record(rewards)
    return Game(params, terms, rewards.record(), attack, np.arange(m) >= m - liars, seed, points, faults)


def _played(game: Game, script: Script, line: Callable[[int], object]) -> LiarsTable:
    with remembering(), LiarsTable(game, script) as table:
        table.play()
    line(int(game.checkpoints[-1]) - BURN_IN - LATER)
    return table


def _blocks(table: LiarsTable, m: int) -> set[int]:
    """The rounds that have a block, be it final a little later."""
    return {record.round for record in table.records if record.round <= BURN_IN + ROUNDS[m]}


def _liars(claims: Claims, scripts: dict[str, Script], line: Callable[[int], object]) -> None:
    rows, missed, off = [], 0, []
    derived = {m: fair(m, (m - 1) // 3, 2 * m) for m in PARTICIPANTS}
    for name, script in scripts.items():
        row = [name]
        for m in PARTICIPANTS:
            blocks, rounds = 0, ROUNDS[m] * SEEDS
            for seed in range(SEEDS):
                table = _played(_game(m, s.SEED + seed, (m - 1) // 3), script, line)
                found, fair_ones = _blocks(table, m), {t for t in table.fair_rounds() if t <= BURN_IN + ROUNDS[m]}
                blocks += len(found)
                missed += len(fair_ones - found)
            row.append(f"{blocks} of {rounds}")
            off += [_off(blocks, rounds, derived[m])]
        rows.append(row)
    rows.append(["derived", *(f"{100 * derived[m]:.1f} %" for m in PARTICIPANTS)])
    heavy = [fair(m, (m - 1) // 3, 2 * m, 2.0) for m in PARTICIPANTS]
    rows.append(["derived, liars with twice the trust", *(f"{100 * share:.1f} %" for share in heavy)])
    heads = ["(M - 1) // 3 liars report to", *(f"M = {m}" for m in PARTICIPANTS)]
    claims.table("Rounds with a block, M_V = 2 M, nothing lost", heads, rows, "progress-liars.csv")
    claims.claim(f"rounds without a block though most of the drawn are honest: {missed} (none)", missed == 0)
    claims.claim(f"with equal trust at least {100 * min(derived.values()):.1f} % (95 %)", min(derived.values()) >= 0.95)
    claims.claim(
        f"measured and derived are at most {max(off):.1f} standard errors apart ({SURE:.0f})", max(off) <= SURE
    )


def _losses(claims: Claims, line: Callable[[int], object]) -> None:
    rows = []
    for p in LOSSES:
        row = [f"p = {p}"]
        for m in LOSING:
            blocks, messages, rounds = 0, 0, ROUNDS[m] * SEEDS
            for seed in range(SEEDS):
                table = _played(_game(m, s.SEED + seed, 0, Faults(drop=p)), SELECTIVE["none"], line)
                blocks += len(_blocks(table, m))
                messages += table.network.messages
            share = 100 * with_losses(m, p, MODELLED, s.SEED)
            row += [
                f"{blocks} of {rounds}",
                f"{100 * blocks / rounds:.0f} %",
                f"{share:.0f} %",
                f"{messages / rounds:.0f}",
            ]
        rows.append(row)
    heads = ["lost", *(f"M = {m}{what}" for m in LOSING for what in ("", ", share", ", derived", ", messages a round"))]
    claims.table("Rounds with a block, M_V = 2 M, nobody lies", heads, rows, "progress-losses.csv")


def _off(blocks: int, rounds: int, share: float) -> float:
    """How many standard errors blocks are away from what is derived."""
    return abs(blocks - share * rounds) / sqrt(rounds * share * (1.0 - share))
