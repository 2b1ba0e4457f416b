"""The games that adversaries are tried on: small ones, each opened once and played again and again.

A board is a game before its first round: keys, terms, sortition, rewards. What does not depend on who lies is computed
once for all draws: the genesis, the lots of an honest game, and what was said in an earlier game with the same keys.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.attacks import Attack
from folkmoot.bc_ucb.contract import ONE, Terms
from folkmoot.bc_ucb.protocol import Game, Table
from folkmoot.bc_ucb.rules import SharedRounds
from folkmoot.comparison.in_rounds import TrustedMachine, Trusting
from folkmoot.interface import pay, set_scene
from folkmoot.simulation.network import Address
from folkmoot.world.rewards import Bernoulli

MEANS = (0.3, 0.8)
BURN_IN = 6  # rounds, three pulls of each arm
KAPPA = 1_900  # thousandths: a few lost rounds never fail a comparison of counts
WINDOW = 4  # rounds in which a late outcome can be claimed
MOST_ROUNDS = 6  # after the burn-in
DELTA = ONE // 10  # what trust gains at distance 0


@dataclass(frozen=True)
class Board:
    """What a game is played with; see `Terms` and `Params`.

    Attributes:
        members: M; as many lie as the protocol stands, (M - 1) // 3.
        validators: M_V.
        sortition: "coin" or "vrf".
        screening: are pull counts compared?
        seed: of keys and rewards.
        evidence: what becomes of proven liars.
        environment: are rewards signed?
    """

    members: int
    validators: int
    sortition: str = "coin"
    screening: bool = False
    seed: int = 0
    evidence: str = "note"
    environment: bool = False

    @property
    def faulty(self):
        """f."""
        return (self.members - 1) // 3

    def __str__(self):
        extra = ", counts compared" if self.screening else ""
        extra += ", signed rewards" if self.environment else ""
        extra += ", proven liars are excluded" if self.evidence == "exclude" else ""
        return f"M = {self.members}, M_V = {self.validators}, sortition by {self.sortition}{extra}"


BOARDS = (
    Board(4, 8, environment=True),
    Board(4, 8, seed=1, evidence="exclude"),
    Board(4, 8, screening=True, seed=2),
    Board(4, 4, seed=3, evidence="exclude", environment=True),
    Board(4, 8, "vrf", seed=4),
    Board(4, 4, "vrf", seed=5, evidence="exclude"),
    Board(7, 14, seed=6, evidence="exclude"),
    Board(7, 14, "vrf", seed=7, environment=True),
    Board(7, 7, screening=True, seed=8),
    Board(7, 14, "vrf", seed=9),
    Board(7, 14, "vrf", seed=10, evidence="exclude"),
)
SEARCHED = range(9)  # where the search plays
NODES = (9, 10)  # where the same programs play against nodes; see process.py


class Opened:
    """A board with everything that all plays of it share.

    Attributes:
        first: the chain before its first block.
        keys, seeds, identities, roles: of the participants, by number.
        past: an honest game that was played before, with the same keys; see `Past`.
        lots: the proofs of an honest game, by round and participant.
        honest_bytes: what a member holds in an honest game at most.
    """

    def __init__(self, board, past=False):
        self.board = board
        self.shift = 1_000 * past  # other rewards
        self.past, self.past_tips, self.lots, self.honest_bytes = None, frozenset(), {}, 1 << 40
        m, f = board.members, board.faulty
        rewards = Bernoulli(MEANS, n_agents=m)
        self.params = Params(m, len(MEANS), BURN_IN, 2.0, KAPPA, 1_000, f, board.screening, True)
        self.terms = Terms(m, len(MEANS), f, board.validators, 0, 0, DELTA, int(np.log(2) * ONE), DELTA, window=WINDOW)
        game = Game(
            self.params,
            self.terms,
            rewards.record(),
            Attack().record(rewards),
            np.zeros(m, np.bool_),
            board.seed,
            np.array([BURN_IN + MOST_ROUNDS + past]),  # another salt
            sortition=board.sortition,
            evidence=board.evidence,
            environment=board.environment,
        )
        table = Table(game, 0)
        self.first, self.keys, self.seeds = table.first, table._keys, table._seeds
        self.identities = table._identities
        self._table, self._game, self._coins, self._nature = table, game, table._coins, table._nature
        rules = SharedRounds(256)
        self.roles = [table._role(Address(number, 0), rules) for number in range(m)]

    def fresh_roles(self):
        """Of all participants, with a trusted machine of their own."""
        machine = TrustedMachine(self.board.members, Fraction(KAPPA, 1_000), 8)
        return [replace(role, comparing=_trusting(machine, role.index)) for role in self.roles]

    def outcomes(self, round, arms):
        """What each participant's pull brings in this round, as the driver is told; None: it has not pulled."""
        nature = round + self.shift
        set_scene(self._game.rewards, nature, self._coins, self._nature)
        found = []
        for m, arm in enumerate(arms):
            if arm is not None:
                pay(self._game.rewards, self._nature, m, arm, nature, self._coins, self._table._reward)
            found.append(None if arm is None else self._table._outcome(m, round, arm))
        return found


def _trusting(machine, index):
    return lambda chance: Trusting(machine, index)
