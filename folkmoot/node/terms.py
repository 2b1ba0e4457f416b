"""What members agree on before they sign: everything in a charter but the members themselves."""

from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from folkmoot.configuration import Configuration
from folkmoot.node.member import address

MOST_ARMS = 4_096
_MOST_SECONDS = 31 * 86_400.0


def _named(text: str) -> str:
    if not text.strip() or len(text) > 64 or not text.isprintable():
        raise ValueError("expected 1 to 64 printable characters")
    return text


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise ValueError(f"{twice!r} stands there twice; expected different names")
    return names


def moment_of(text: str) -> datetime:
    """A time with its zone, as in 2027-01-04T08:00:00Z.

    Raises:
        ValueError: something else.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min
    if found.tzinfo is None or not 1970 <= found.year < 9999:
        raise ValueError("expected a time with its zone, as in 2027-01-04T08:00:00Z; in new terms also 'in 2 minutes'")
    return found.astimezone(UTC)


def _time(text: str) -> str:
    moment_of(text)
    return text


def broker_of(text: str) -> str:
    """Where a broker is: nats://HOST:PORT, or tls://HOST:PORT.

    Raises:
        ValueError: something else.
    """
    scheme, found, where = text.partition("://")
    if scheme not in ("nats", "tls") or not found:
        raise ValueError("expected nats://HOST:PORT or tls://HOST:PORT")
    address(where)
    return text


Name = Annotated[str, AfterValidator(_named)]


class Terms(Configuration):
    """The terms of a charter.

    Attributes:
        name: of the consortium, for people.
        system: what members do together: "bandit" (no chain), "bc_ucb" (a chain that liars cannot stop), "bema" (they
            predict together, each with a model of its own).
        arms: what there is to choose from, by name; with "bema" nothing.
        low, high: the scale of rewards in the application; a node turns it into 0 to 1.
        rounds: how many, in all.
        start: when the first round begins, with its zone.
        period: seconds from the start of a round to that of the next one; 0: as soon as the round before has ended.
        play: seconds of a round in which applications play its arm, before members speak of it.
        stage: seconds that a stage of a round lasts at most.
        faults: f, members that may lie, or be silent; at most (members - 1) // 3.
        window: rounds after a pull in which its outcome still counts.
        evidence: what a proven lie leads to, where there is a chain: "note", or "exclude".
        transport: how members reach each other: "tls", each one the others; "nats", all of them over a broker.
        broker: where that is: nats://HOST:PORT, or tls://HOST:PORT with a certificate that this host trusts.
        settings: of the system, see `folkmoot.node.systems`.
        seed: of public coins, for comparison with the simulator only; left out: chance that nobody can choose.
    """

    says_its_name: ClassVar[bool] = False

    name: Name
    system: Literal["bandit", "bc_ucb", "bema"]
    arms: Annotated[tuple[Name, ...], Field((), max_length=MOST_ARMS), AfterValidator(_different)]
    low: float = Field(0.0, allow_inf_nan=False)
    high: float = Field(1.0, allow_inf_nan=False)
    rounds: int = Field(ge=1, le=10**9)
    start: Annotated[str, AfterValidator(_time)]
    period: float = Field(ge=0, le=_MOST_SECONDS)
    play: float = Field(ge=0, le=_MOST_SECONDS)
    stage: float = Field(gt=0.001, le=3600)
    faults: int = Field(ge=0, le=512)
    window: int = Field(8, ge=1, le=62)
    evidence: Literal["note", "exclude"] = "note"
    transport: Literal["tls", "nats"] = "tls"
    broker: Annotated[str, AfterValidator(broker_of)] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = Field(None, ge=0, lt=1 << 64)

    @model_validator(mode="after")
    def _fits(self) -> "Terms":
        if not self.low < self.high:
            raise ValueError(f"low = {self.low:g}, high = {self.high:g}: expected low < high")
        if not isfinite(self.high - self.low):
            raise ValueError(f"low = {self.low:g}, high = {self.high:g}: expected a difference that is finite")
        if self.system == "bema" and self.arms:
            raise ValueError(f'arms: {len(self.arms)} given: expected none with "bema", whose members choose nothing')
        if self.system != "bema" and len(self.arms) < 2:
            raise ValueError("arms: expected at least 2 of them")
        if self.rounds < len(self.arms):
            raise ValueError(f"rounds = {self.rounds}: expected at least one for each of {len(self.arms)} arms")
        if (self.transport == "nats") != (self.broker is not None):
            raise ValueError(
                f'transport = {self.transport!r}, broker = {self.broker!r}: expected a broker with "nats", '
                'and none with "tls"'
            )
        least = self.play + (self.faults + 9) * self.stage
        if self.period and self.period < least:
            raise ValueError(
                f"period = {self.period:g}: expected 0, or at least play + (faults + 9) stages = {least:g} s, "
                "so that a round ends before the next one begins"
            )
        return self

    @property
    def starts(self) -> float:
        """When the first round begins, in seconds since 1970."""
        return moment_of(self.start).timestamp()
