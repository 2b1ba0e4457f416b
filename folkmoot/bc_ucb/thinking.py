"""What a participant of a game thinks: the arm it pulls, and what it says of its pulls. Attackers change this."""

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement.voting import Voter
from folkmoot.bc_ucb.algorithm import Params, choose
from folkmoot.bc_ucb.contract import NO_ESTIMATE, ONE, on_grid, rounded
from folkmoot.bc_ucb.genesis import GameSettings
from folkmoot.bc_ucb.kind import GameKind
from folkmoot.bc_ucb.pulls import Pulls
from folkmoot.bc_ucb.records import Claim
from folkmoot.bc_ucb.rules import Rounds
from folkmoot.coins import Coins
from folkmoot.ledger.chain import Chain


class Thinking(GameKind):
    """A participant, but for what it does with the others.

    Attributes:
        params: what it was told to think by.
        coins: for its own random choices.
        pulls: its own.
        voter: what it knows of the next block.
    """

    pulls: Pulls
    voter: Voter

    def __init__(self, rules: Rounds, settings: GameSettings, params: Params, coins: Coins) -> None:
        super().__init__(rules, settings)
        self.params, self.coins = params, coins

    @property
    def index(self) -> int:
        """Its number."""
        return self.voter.index

    @property
    def chain(self) -> Chain:
        """As it stands."""
        return self.voter.chain

    def arm(self, round: int) -> int:
        """The arm to pull in round 1, 2, ..."""
        accounts = self.chain.state.accounts
        known = self.chain.height > 0 or accounts.estimates[0] != NO_ESTIMATE  # of the chain before
        told = accounts.estimates / ONE, bool(known), accounts.levels
        return int(choose(self.params, self.pulls.learnt, *told, self.index, round, self.coins))

    def own_means(self) -> NDArray[np.int64]:
        """What to report: int64 [arms], scaled."""
        resolution = self.chain.state.configuration.terms.resolution
        means = self.pulls.learnt.mean[self.index]
        return np.array([on_grid(rounded(float(mean)), resolution) for mean in means], np.int64)

    def own_counts(self) -> list[int]:
        """The own pulls that were paid: [arms]."""
        counts: list[int] = self.pulls.learnt.pulls[self.index].tolist()
        return counts

    def own_outcome(self, round: int) -> Claim:
        """What to report of this round's pull."""
        return self.pulls.told(round)

    def told_counts(self) -> list[int]:
        """What goes into the answers to others' comparisons: [arms]."""
        return self.own_counts()
