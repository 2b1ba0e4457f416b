"""What a game on a chain came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.simulation.result import Result

_OF_AGENTS = ("own_", "settled_", "agreed_")  # in a summary: participants have the same means and never settle


@dataclass(frozen=True, eq=False, repr=False)
class ChainResult(Result):
    """A Result of participants on a chain; regret is that of the honest ones.

    `blocks` are the rounds after the burn-in, each of which could become a block; `approved` of them did. `messages`
    and `bytes` count each receiver; both are 0 where the loop takes agreement for granted (fidelity "ideal").

    Attributes:
        team_pulls: int64 [replicates, c, n_arms], pulls so far of all honest participants together.
        paid: int64 [replicates, c, n_arms], those of them in rounds that were paid.
        entered: int64 [replicates, c], blocks so far whose average a malicious estimate has entered.
        approved_so_far: int64 [replicates, c], approved blocks after the burn-in.
        estimates: float64 [replicates, c, n_arms], validated, of the last approved block; NaN before the first.
        trust: float64 [replicates, n_agents], shares of the trust units at the horizon; 0 for those excluded.
        validators: int64 [replicates], validators over all rounds.
        signatures: int64 [replicates], how many were checked; 0 where the loop takes agreement for granted.
        included: int64 [replicates, n_agents], over approved blocks and arms, how often a participant's report was in
            the validated set; None in results of version 0.1.0.
        proven: int64 [replicates, n_agents], 1 if the chain holds evidence that a participant has lied, 0 if not, -1
            where the loop cannot tell, as it depends on who passes what on; None in results of version 0.1.0.
        best_mean: the mean of the best arm.
        honest: int, how many participants are.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = (
        *Result.ARRAYS, "paid", "entered", "approved_so_far", "estimates", "trust", "validators", "signatures",
        "included", "proven",
    )  # fmt: skip
    LATER: ClassVar[tuple[str, ...]] = (*Result.LATER, "included", "proven")
    FORMS: ClassVar[Mapping[str, str]] = {
        **Result.FORMS,
        "paid": "int64 [r, c, k] from 0",
        **dict.fromkeys(("entered", "approved_so_far"), "int64 [r, c] from 0"),
        "estimates": "float64 [r, c, k], may be NaN",
        "trust": "float64 [r, n] from 0",
        **dict.fromkeys(("validators", "signatures"), "int64 [r] from 0"),
        "included": "int64 [r, n] from 0",
        "proven": "int64 [r, n] from -1",
    }
    KIND: ClassVar[str] = "chain"

    paid: NDArray[np.int64] = None  # type: ignore[assignment]
    entered: NDArray[np.int64] = None  # type: ignore[assignment]
    approved_so_far: NDArray[np.int64] = None  # type: ignore[assignment]
    estimates: NDArray[np.float64] = None  # type: ignore[assignment]
    trust: NDArray[np.float64] = None  # type: ignore[assignment]
    validators: NDArray[np.int64] = None  # type: ignore[assignment]
    signatures: NDArray[np.int64] = None  # type: ignore[assignment]
    included: NDArray[np.int64] | None = None
    proven: NDArray[np.int64] | None = None

    @property
    def approved(self) -> NDArray[np.int64]:
        """int64 [replicates]: approved blocks after the burn-in."""
        return np.asarray(self.approved_so_far[:, -1])

    @property
    def blocks(self) -> NDArray[np.int64]:
        """int64 [replicates]: rounds after the burn-in, each of which could have become a block."""
        return np.full(self.replicates, self.horizon - int(self.configuration["burn_in"]), np.int64)

    @property
    def included_share(self) -> NDArray[np.float64] | None:
        """float64 [replicates, n_agents]: in how many of all approved blocks and arms a report counted."""
        if self.included is None:
            return None
        return np.asarray(self.included / np.maximum(self.approved * self.n_arms, 1)[:, None])

    @property
    def regret(self) -> NDArray[np.float64]:
        """float64 [replicates, c]: cumulative expected regret, summed over honest participants.

        A round costs a participant the best mean minus the mean of the arm it was paid for, or all of the best mean if
        it was not paid; and the cost c in each block whose average a malicious estimate has entered.
        """
        total = np.zeros(self.paid.shape[:2])
        best = float(self.configuration["best_mean"])
        for k in range(self.n_arms):  # in the order of the arms, so that the last bit never depends on a library
            total += self.paid[:, :, k] * self.gaps[k] + (self.team_pulls[:, :, k] - self.paid[:, :, k]) * best
        cost = float(self.configuration["algorithm"]["cost"]) * int(self.configuration["honest"])
        return np.asarray(total + self.entered * cost)

    @property
    def regret_per_agent(self) -> NDArray[np.float64]:
        """float64 [replicates, c]: `regret` divided by the number of honest participants."""
        return self.regret / int(self.configuration["honest"])

    def summary(self) -> dict[str, Any]:
        """As of every result, and the share of approved rounds, validators and signatures a round."""
        rounds = self.blocks
        more = {
            "approved_share": float((self.approved / np.maximum(rounds, 1)).mean()),
            "entered_share": float((self.entered[:, -1] / np.maximum(self.approved, 1)).mean()),
            "validators_per_round": float((self.validators / np.maximum(rounds, 1)).mean()),
            "signatures_per_round": float((self.signatures / np.maximum(rounds, 1)).mean()),
        }
        own = {name: value for name, value in super().summary().items() if not name.startswith(_OF_AGENTS)}
        return {**own, **more}
