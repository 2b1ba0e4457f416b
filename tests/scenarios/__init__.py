"""Games on a bad network, each drawn from a seed: everything that may go wrong, checked by the invariants.

A scenario is a short game of 4 or 7 participants, a third of whom attack in one of the ways of bc_ucb/attacks.py or
are twins: two honest machines with one key, each heard by about half of the others (after Bano, Sonnino, Chursin,
Perelman, Malkhi 2022, "Twins: BFT systems made robust"). The network loses, delays, repeats and reorders messages,
falls apart and lets participants crash, until it heals. After that, blocks must be approved again.
"""

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest.mock import patch

import numpy as np

from folkmoot.agreement.finality import Finality
from folkmoot.agreement.known import LOCK
from folkmoot.agreement.messages import PREVOTE
from folkmoot.bc_ucb import deliberation
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.contract import ONE, Terms
from folkmoot.bc_ucb.invariants import Broken
from folkmoot.bc_ucb.protocol import Game, Table
from folkmoot.bc_ucb.state import State
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import apply_block, start
from folkmoot.machine import Kept
from folkmoot.simulation.network import Faults
from folkmoot.world.rewards import Bernoulli

MEANS = (0.3, 0.7)
BURN_IN = 40  # rounds; 20 pulls of each arm, so that a few lost rounds never fail a comparison of counts
BAD_ROUNDS = 6
# From the healing on, a round gives no block if the committee is empty or its liars outvote it. Each participant is
# drawn with probability 1 - 1/e; of 4, one liar has at least half of the committee with probability
# 0.63 (0.37**3 + 3 * 0.63 * 0.37**2) = 0.20, and there is none with 0.02. Two rounds go to catching up and to blocks
# that somebody is locked on; then 0.22**8 < 6e-6, or about 1 % in 2,000 seeds. Of 7, with two liars, it is less.
GOOD_ROUNDS = 10
LAST_BAD = BURN_IN + BAD_ROUNDS
ROUNDS = LAST_BAD + GOOD_ROUNDS


def drawn_faults(dice):
    """Each fault is there in half of the scenarios."""
    most = {"drop": 0.3, "delay": 0.4, "reorder": 1.0, "duplicate": 0.4, "partition": 0.7, "crash": 0.8}
    chosen = {name: float(dice.uniform(0, high)) for name, high in most.items() if dice.random() < 0.5}
    return Faults(**chosen, heal_at=LAST_BAD + 1)


def drawn_game(seed):
    dice = np.random.default_rng(seed)
    m = int(dice.choice([4, 4, 4, 7]))
    rewards = Bernoulli(MEANS, n_agents=m)
    faulty = (m - 1) // 3
    params = Params(m, len(MEANS), BURN_IN, 2.0, 1500, 1000, faulty, True, True)
    terms = Terms(m, len(MEANS), faulty, m, 0, int(dice.integers(2)), ONE // 10, int(np.log(2) * ONE))
    malicious = np.zeros(m, np.bool_)
    malicious[dice.choice(m, faulty, replace=False)] = True
    kind = str(dice.choice([*ATTACKS, "twins", "twins", "twins"]))
    twins = tuple(int(number) for number in np.flatnonzero(malicious)) if kind == "twins" else ()
    attack = ATTACKS["attack" if twins else kind]().record(rewards)
    sortition = "vrf" if dice.random() < 0.15 else "coin"
    horizon = np.array([ROUNDS])
    game = Game(params, terms, rewards.record(), attack, malicious, seed, horizon, drawn_faults(dice))
    evidence = "exclude" if dice.random() < 0.3 else "note"
    about = {"twins": twins, "sortition": sortition, "evidence": evidence, "environment": bool(terms.trust)}
    return kind, replace(game, **about, watched=True)


def run(seed):
    """Play the scenario of a seed.

    Raises:
        Broken: an invariant does not hold.
    """
    _, game = drawn_game(seed)
    with Table(game, 0) as table:
        for t in range(1, ROUNDS + 1):
            table.play_round(t)
            if last_round(table) > LAST_BAD and t > last_round(table) + 1:
                break  # one more round was played since, for those who are behind
        check_end(table)
    return table


def last_round(table):
    """The round of the last block; 0 before the first."""
    return table.watch.chains[-1].state.last.round if len(table.watch.chains) > 1 else 0


def verify_again(genesis, blocks, tip):
    """Every block from the genesis on.

    Raises:
        Broken: one does not follow, or another tip comes out.
    """
    chain = start(genesis)
    for block in blocks:
        try:
            chain = apply_block(chain, Block.from_bytes(block.to_bytes()))
        except Exception as error:
            raise Broken(f"verification: block {chain.height + 1}: {error}") from error
    if chain.tip != tip:
        raise Broken("verification: another tip comes out")


def check_end(table):
    """The chains verify from the genesis, and there are new blocks since the network has healed."""
    hosts = [host for address, host in table.hosts.items() if address in table.honest]
    chains = [host.machine.chain for host in hosts]
    longest = max(chains, key=lambda chain: chain.height)
    stored = [[Block.from_bytes(host.kept.block(h + 1)) for h in range(host.kept.height)] for host in hosts]
    verify_again(table.genesis, stored[chains.index(longest)], longest.tip)
    for blocks in stored:
        tips = [block.hash for block in blocks]
        if tips != [chain.tip for chain in table.watch.chains[1 : len(tips) + 1]]:
            raise Broken("agreement: an honest participant ends with another chain")
    if last_round(table) <= LAST_BAD:
        raise Broken(f"progress: no block since round {last_round(table)}, the network healed after {LAST_BAD}")
    behind = [chain.height for chain in chains if chain.height < longest.height - 1]
    if behind:
        raise Broken(f"progress: honest participants are at heights {behind}, others at {longest.height}")


# --- Rules broken on purpose: a suite that does not notice is worth nothing --------------------------------------


def _forgetful_choice(self, candidate):
    return candidate if candidate is not None or self.best is None else self.best.hash


def _hasty(self):
    return self._agreed(PREVOTE)


def _added_up(self, round):
    self._round = round


def _named_untrimmed(params, heard, reports, sets, row):
    sets[row] = np.asarray(heard)[:, None]


BROKEN = {
    "quorum": lambda: patch.object(State, "quorum", property(lambda self: len(self.keys) // 2)),
    "lock": lambda: patch.object(Finality, "choice", _forgetful_choice),
    "precommit": lambda: patch.object(Finality, "decided", _hasty),
    "rounds": lambda: patch.object(Finality, "enter", _added_up),
    "trimming": lambda: patch.object(deliberation, "named", _named_untrimmed),
    "memory": lambda: patch.object(Kept, "values", property(_forgotten)),
}


def _forgotten(kept):
    return {key: data for key, data in _values(kept).items() if key != LOCK and not key.startswith("slot/")}


_values = Kept.values.fget


@contextmanager
def broken(name):
    """Everything inside runs with this rule broken; None: with none."""
    with ExitStack() as stack:
        if name is not None:
            stack.enter_context(BROKEN[name]())
        yield
