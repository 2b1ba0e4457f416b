"""How a malicious participant lies: in its reports, its pulls, the counts it claims, and as a validator.

Source of the list: BC-UCB's threat model and the attacks a robust aggregate should face. An attacker knows
everything honest participants have sent in the round before it sends. What it may not do is forge signatures; so
where a validator equivocates, withholds, forges or replays, signed agreement turns its value into the default one.
What each lie is, number by number and receiver by receiver, stands in lies.py.
"""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from folkmoot.bc_ucb.lies import NO_CLAIM, Misbehaviour
from folkmoot.configuration import Configuration, Kinds
from folkmoot.world.means import over_agents
from folkmoot.world.rewards import Rewards

_ONE = 1 << 32  # reports are integer multiples of 2**-32
# The places in these are the numbers in lies.py.
ReportLie = Literal["honest", "constant", "random", "sign_flip", "trim_window", "promote", "drift", "split_window"]
ValidatorLie = Literal["honest", "equivocate", "withhold", "allies", "forge", "replay", "everybody", "mute"]
Delivery = Literal["all", "majority", "one", "all_but_one", "none", "halves", "late"]
Value = Annotated[float, Field(ge=-8, le=8, allow_inf_nan=False)]


class Attack(Configuration):
    """An attack by all malicious participants together; fields that are not set stay honest.

    Attributes:
        report: "constant" value on every arm, "random" on [0, 1], "sign_flip" of the own means, "trim_window": as
            low as trimming lets through for `arm` and as high for the others, "promote": 1 for `arm` and 0 for the
            others, "drift": an honest participant's report plus `value` times the round, "split_window": all liars
            report 0 for `arm` and 1 for the others, but the first one what trimming then lets through.
        value: of "constant" and "drift", between -8 and 8; beyond 4 a report is refused.
        arm: of "trim_window" and "split_window" (None: the best arm), of "promote" (None: the worst).
        pull: an arm to pull always, to congest it; None: as an honest participant.
        inflated: claim counts that pass every comparison.
        validator: "equivocate" (two values for two halves), "withhold", "allies" (names malicious participants only),
            "forge" (a value in an honest validator's name), "replay" (of an old signature), "everybody" (names all it
            has heard, so that what few others name gets in), "mute" (no value, and no block proposed).
        deliver: who gets its report. "all"; "majority": so many validators that it is just named by more than half of
            the sets, each liar others; "one", "all_but_one": of the honest validators, each liar another; "none" of
            them; "halves": a second, different report for half of them (`lies.second_report`); "late": all, once they
            have named. But for "all", liars have each other's reports, pass none of them on, and propose no block.
        claim: the reward that is claimed, in place of the true one; None: that.
    """

    label: ClassVar[str] = "?"
    report: ReportLie = "honest"
    value: Value = 0.0
    arm: int | None = None
    pull: int | None = None
    inflated: bool = False
    validator: ValidatorLie = "honest"
    deliver: Delivery = "all"
    claim: Value | None = None

    def record(self, rewards: Rewards) -> Misbehaviour:
        """What the kernels need, in this world.

        Raises:
            ValueError: an arm that is not there.
        """
        overall = over_agents(rewards.means)
        for name, arm in (("arm", self.arm), ("pull", self.pull)):
            if arm is not None and not 0 <= arm < rewards.n_arms:
                raise ValueError(f"{name} = {arm}: expected an arm from 0 to {rewards.n_arms - 1}")
        demotes = self.report in ("trim_window", "split_window")
        default = int(overall.argmax()) if demotes else int(overall.argmin())
        return Misbehaviour(
            get_args(ReportLie).index(self.report),
            round(self.value * _ONE),
            default if self.arm is None else self.arm,
            -1 if self.pull is None else self.pull,
            self.inflated,
            get_args(ValidatorLie).index(self.validator),
            get_args(Delivery).index(self.deliver),
            NO_CLAIM if self.claim is None else round(self.claim * _ONE),
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
    """Reports random numbers, uniform on [0, 1]."""

    label: ClassVar[str] = "Random"
    report: Literal["random"] = "random"


class TrimWindow(Attack):
    """Reports just inside what trimming lets through, against one arm and for all others."""

    label: ClassVar[str] = "Trim window"
    report: Literal["trim_window"] = "trim_window"


class PromoteArm(Attack):
    """All liars report 1 for the same arm and 0 for the others."""

    label: ClassVar[str] = "Promote an arm"
    report: Literal["promote"] = "promote"


class Drift(Attack):
    """Copies an honest participant's reports and moves them a little more in every round."""

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


class Mute(Attack):
    """As a validator, says nothing and proposes no block."""

    label: ClassVar[str] = "Mute"
    validator: Literal["mute"] = "mute"


class BareMajority(Attack):
    """Each liar sends its report to just over half of the validators, not the same ones: nobody has all reports."""

    label: ClassVar[str] = "Bare majorities"
    deliver: Literal["majority"] = "majority"


class ToOne(Attack):
    """Sends its report to one validator only; each liar chooses another one."""

    label: ClassVar[str] = "To one"
    deliver: Literal["one"] = "one"


class AllButOne(Attack):
    """Sends its report to all validators except one; each liar leaves out another one."""

    label: ClassVar[str] = "To all but one"
    deliver: Literal["all_but_one"] = "all_but_one"


class ToNobody(Attack):
    """Sends its report to its allies only."""

    label: ClassVar[str] = "To nobody"
    deliver: Literal["none"] = "none"


class LateReport(Attack):
    """Sends its report too late: after the validators have said whom they heard."""

    label: ClassVar[str] = "Late"
    deliver: Literal["late"] = "late"


class TwoReports(Attack):
    """Sends two different valid reports to two halves of the validators."""

    label: ClassVar[str] = "Two reports"
    deliver: Literal["halves"] = "halves"


class SplitViews(Attack):
    """Two halves of the validators see two sets of reports, and what either half names gets in by the liars' sets."""

    label: ClassVar[str] = "Split views"
    report: Literal["split_window"] = "split_window"
    deliver: Literal["halves"] = "halves"
    validator: Literal["everybody"] = "everybody"


class FalseClaim(Attack):
    """Claims the largest reward for every pull."""

    label: ClassVar[str] = "False claim"
    claim: Value | None = 1.0


ATTACKS: Kinds[Attack] = Kinds(
    {
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
        "mute": Mute,
        "bare_majority": BareMajority,
        "to_one": ToOne,
        "all_but_one": AllButOne,
        "to_nobody": ToNobody,
        "late_report": LateReport,
        "two_reports": TwoReports,
        "split_views": SplitViews,
        "false_claim": FalseClaim,
    },
    "folkmoot.bc_ucb.attacks:Attack",
)
