"""Replicates of a game on a chain, in one loop or by state machines on a network, as a result."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from folkmoot.bc_ucb.algorithm import BCUCB
from folkmoot.bc_ucb.attacks import Attack
from folkmoot.bc_ucb.game import ChainGame
from folkmoot.bc_ucb.job import make_chain_job
from folkmoot.bc_ucb.result import ChainResult
from folkmoot.doors import flag, plain, whole
from folkmoot.progress import Progress
from folkmoot.simulation.runner import run_one
from folkmoot.world.rewards import Rewards

if TYPE_CHECKING:
    from folkmoot.simulation.network import Faults


def simulate_chain(
    algorithm: BCUCB,
    rewards: Rewards,
    *,
    horizon: int,
    malicious: Iterable[int] = (),
    attack: Attack | None = None,
    expected_validators: int | None = None,
    fidelity: Literal["ideal", "protocol"] = "ideal",
    faults: "Faults | None" = None,
    private_comparison: Literal["ideal", "pairwise", "mpyc"] = "ideal",
    sortition: Literal["coin", "vrf"] = "coin",
    disclosure: Literal["open", "validators"] = "open",
    ledger: str | Path | None = None,
    evidence: Literal["note", "exclude"] = "note",
    environment: bool = False,
    replicates: int = 1,
    seed: int = 0,
    checkpoints: Sequence[int] | NDArray[np.int64] | None = None,
    engine: Literal["compiled", "interpreted"] = "compiled",
    jobs: int = 1,
    progress: bool = True,
) -> ChainResult:
    """Let participants of whom some lie play a bandit on a chain.

    Same seed, same result, for any `jobs` or `engine`; on a network without faults where at most the algorithm's
    `faulty` participants lie, also for either fidelity.

    Args:
        algorithm: what an honest participant thinks.
        rewards: what arms pay, from 0 to 1, the same means for all M participants.
        horizon, replicates, seed, checkpoints, engine, jobs, progress: as of `simulate`; more rounds than the burn-in.
        malicious: numbers of the participants that lie, at most a third; agreement and trimming tolerate `faulty`.
        attack: how they lie; None: they only count as malicious.
        expected_validators: M_V, units of trust drawn a round, from 1 to 2 M; None is M.
        fidelity: "ideal": one loop in which signatures cannot be forged and messages arrive; "protocol": every
            participant a machine on a network, with real signatures, blocks and votes. Only this one has the next five:
        faults: what that network does; None: nothing bad.
        private_comparison: how pull counts are compared.
        sortition: "coin", a public coin that both fidelities share, or "vrf", verifiable random functions.
        disclosure: who reads reported means and estimates: "open", everybody; "validators", only the participants, of
            whom validators are drawn, and whoever has the seed: all keys follow from it (decision 0028).
        ledger: a new file for the chain of the one replicate; with sortition "coin" it holds the seed, hence all keys.
        evidence: what happens to a participant that is proven to have lied: "note", the chain records it; "exclude",
            it is no member from the next round on. Where an attack chooses who gets its reports (`deliver`), "exclude"
            needs fidelity "protocol".
        environment: does something outside the game, which pays the pulls, sign what each has brought? Without it,
            rewards are what participants claim, and trust = "reward" is refused.

    Returns:
        A result of which regret is that of the honest. Beside what every result has: `paid`, `entered`, `approved`,
        `estimates`, `trust`, `validators`, `signatures`, `included`, `proven`; see ChainResult.

    Raises:
        ValueError: an argument is out of its range, they do not fit together, or an extra is not installed.
        folkmoot.ledger.NotStored: the ledger cannot be made, or the disk is full; the blocks in it stay valid.
    """
    job = make_chain_job(
        algorithm, rewards, horizon=horizon, malicious=malicious, attack=attack,
        expected_validators=expected_validators, seed=plain(seed, "seed"), checkpoints=checkpoints, engine=engine,
    )  # fmt: skip
    replicates, jobs = whole("replicates", replicates), whole("jobs", jobs)
    if ledger is not None and replicates > 1:
        raise ValueError(f"ledger: holds the chain of one replicate, got replicates = {replicates}")
    about = fidelity, faults, private_comparison, sortition, ledger
    game = ChainGame(job, *about, disclosure=disclosure, evidence=evidence, environment=environment)
    with Progress(flag("progress", progress)) as bar:
        line = bar.line(game.label, game.rounds * replicates)
        finished = [one for found in run_one(game, range(replicates), jobs, on_rounds=line) for one in found]
    return game.collect(finished)
