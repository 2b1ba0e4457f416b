"""How a malicious participant lies: in its reports, its pulls, the counts it claims, and as a validator.

Source of the list: BC-UCB's threat model and the attacks a robust aggregate should face. An attacker knows
everything honest participants have sent in the round before it sends. What it may not do is forge signatures; so
where a validator equivocates, withholds, forges or replays, signed agreement turns its value into the default one.
"""

from typing import Annotated, ClassVar, Literal, NamedTuple, get_args

from pydantic import Field

from folkmoot.coins import MALICE, below, uniform
from folkmoot.configuration import Configuration
from folkmoot.interface import kernel
from folkmoot.world.rewards import Rewards

_ONE = 1 << 32  # reports are integer multiples of 2**-32
ReportLie = Literal["honest", "constant", "random", "sign_flip", "trim_window", "promote", "drift"]
ValidatorLie = Literal["honest", "equivocate", "withhold", "allies", "forge", "replay"]
Value = Annotated[float, Field(ge=-8, le=8, allow_inf_nan=False)]
HONEST = 0
CONSTANT, RANDOM, SIGN_FLIP, TRIM_WINDOW, PROMOTE, DRIFT = range(1, 7)
EQUIVOCATE, WITHHOLD, ALLIES, FORGE, REPLAY = range(1, 6)


class Misbehaviour(NamedTuple):
    """What the kernels need to know of an attack."""

    report: int
    value: int  # scaled; of "constant", and the drift a round of "drift"
    arm: int  # made to look bad by "trim_window", good by "promote"
    pull: int  # the arm always pulled; -1: as an honest participant would
    inflated: bool  # does it claim pull counts that pass every comparison?
    validator: int


class Attack(Configuration):
    """An attack by all malicious participants together; fields that are not set stay honest.

    Attributes:
        report: "constant" value on every arm, "random" on [0, 1], "sign_flip" of the own means, "trim_window": as
            low as trimming lets through for `arm` and as high for the others, "promote": 1 for `arm` and 0 for the
            others, "drift": an honest participant's report plus `value` times the round.
        value: of "constant" and "drift", between -8 and 8; beyond 4 a report is refused.
        arm: of "trim_window" (None: the best arm) and "promote" (None: the worst).
        pull: an arm to pull always, to congest it; None: as an honest participant.
        inflated: claim counts that pass every comparison.
        validator: "equivocate" (two values for two halves), "withhold", "allies" (names malicious participants only),
            "forge" (a value in an honest validator's name), "replay" (of an old signature).
    """

    label: ClassVar[str] = "?"
    report: ReportLie = "honest"
    value: Value = 0.0
    arm: int | None = None
    pull: int | None = None
    inflated: bool = False
    validator: ValidatorLie = "honest"

    def record(self, rewards: Rewards) -> Misbehaviour:
        """What the kernels need, in this world.

        Raises:
            ValueError: an arm that is not there.
        """
        overall = rewards.means.mean(axis=0)
        for name, arm in (("arm", self.arm), ("pull", self.pull)):
            if arm is not None and not 0 <= arm < rewards.n_arms:
                raise ValueError(f"{name} = {arm}: expected an arm from 0 to {rewards.n_arms - 1}")
        default = int(overall.argmax()) if self.report == "trim_window" else int(overall.argmin())
        return Misbehaviour(
            get_args(ReportLie).index(self.report),
            round(self.value * _ONE),
            default if self.arm is None else self.arm,
            -1 if self.pull is None else self.pull,
            self.inflated,
            get_args(ValidatorLie).index(self.validator),
        )


class SignFlip(Attack):
    """Reports the negative of its means."""

    label: ClassVar[str] = "Sign flip"
    report: Literal["sign_flip"] = "sign_flip"


class ConstantReport(Attack):
    """Reports one value on every arm."""

    label: ClassVar[str] = "Constant"
    report: Literal["constant"] = "constant"
    value: Value = 1.0


class RandomReport(Attack):
    """Reports coins, uniform on [0, 1]."""

    label: ClassVar[str] = "Random"
    report: Literal["random"] = "random"


class TrimWindow(Attack):
    """Reports just inside what trimming lets through, against one arm and for all others."""

    label: ClassVar[str] = "Trim window"
    report: Literal["trim_window"] = "trim_window"


class PromoteArm(Attack):
    """Colludes to report 1 for one arm and 0 for the others."""

    label: ClassVar[str] = "Promote an arm"
    report: Literal["promote"] = "promote"


class Drift(Attack):
    """Copies an honest participant's reports and lets them drift."""

    label: ClassVar[str] = "Drift"
    report: Literal["drift"] = "drift"
    value: Value = -1e-4


class Congest(Attack):
    """Pulls one arm always."""

    label: ClassVar[str] = "Congestion"
    pull: int | None = 0


class FalseCounts(Attack):
    """Claims pull counts that pass every comparison, and reports the negative of its means."""

    label: ClassVar[str] = "False counts"
    report: ReportLie = "sign_flip"
    inflated: bool = True


class Equivocate(Attack):
    """As a validator, tells two halves of the others two different sets."""

    label: ClassVar[str] = "Equivocation"
    validator: Literal["equivocate"] = "equivocate"


class Withhold(Attack):
    """As a validator, says nothing."""

    label: ClassVar[str] = "Withholding"
    validator: Literal["withhold"] = "withhold"


class AlliesOnly(Attack):
    """As a validator, names malicious participants only; they flip the signs of their reports."""

    label: ClassVar[str] = "Allies only"
    report: ReportLie = "sign_flip"
    validator: Literal["allies"] = "allies"


class Forge(Attack):
    """As a validator, sends a value in an honest one's name."""

    label: ClassVar[str] = "Forgery"
    validator: Literal["forge"] = "forge"


class ReplayOld(Attack):
    """As a validator, sends an old signed value again."""

    label: ClassVar[str] = "Replay"
    validator: Literal["replay"] = "replay"


ATTACKS: dict[str, type[Attack]] = {
    "attack": Attack,
    "sign_flip": SignFlip,
    "constant": ConstantReport,
    "random": RandomReport,
    "trim_window": TrimWindow,
    "promote_arm": PromoteArm,
    "drift": Drift,
    "congest": Congest,
    "false_counts": FalseCounts,
    "equivocate": Equivocate,
    "withhold": Withhold,
    "allies_only": AlliesOnly,
    "forge": Forge,
    "replay_old": ReplayOld,
}


@kernel
def ranked_honest(reports, malicious, arm, rank, high):
    """The report of an arm that has `rank` honest ones strictly before it, from below or (high) from above."""
    for m in range(len(malicious)):
        if not malicious[m]:
            before = 0
            for j in range(len(malicious)):
                if not malicious[j]:
                    one, other = reports[j, arm], reports[m, arm]
                    earlier = one > other if high else one < other
                    if earlier or (one == other and j < m):
                        before += 1
            if before == rank:
                return reports[m, arm]
    return 0


@kernel
def lie(attack, m, t, own, reports, malicious, faulty, coins):
    """Fill row m of the scaled reports with the lies of malicious participant m in round t.

    Args:
        own: int64 [n_participants, n_arms], the scaled means an honest participant in its place would report.
        reports: int64 [n_participants, n_arms]; those of honest participants are filled in.
        malicious: bool [n_participants].
        faulty: f, how many the honest trim on either side.
    """
    for k in range(reports.shape[1]):
        value = own[m, k]
        if attack.report == CONSTANT:
            value = attack.value
        elif attack.report == RANDOM:
            value = int(uniform(coins, MALICE, t, m, k) * 4294967296.0)
        elif attack.report == SIGN_FLIP:
            value = -value
        elif attack.report == TRIM_WINDOW:
            if faulty == 0:
                value = 0 if k == attack.arm else _ONE
            elif k == attack.arm:
                value = ranked_honest(reports, malicious, k, faulty - 1, False) + 1
            else:
                value = ranked_honest(reports, malicious, k, faulty - 1, True) - 1
        elif attack.report == PROMOTE:
            value = _ONE if k == attack.arm else 0
        elif attack.report == DRIFT:
            value = _copied(reports, malicious, t, m, k, coins) + attack.value * t
        reports[m, k] = value


@kernel
def _copied(reports, malicious, t, m, arm, coins):
    """The report of an honest participant, the same one in every round."""
    honest = 0
    for j in range(len(malicious)):
        if not malicious[j]:
            honest += 1
    wanted = below(coins, honest, MALICE, 0, m, 1 << 20)
    for j in range(len(malicious)):
        if not malicious[j]:
            if wanted == 0:
                return reports[j, arm]
            wanted -= 1
    return 0
