"""The system "bc_ucb": from a charter to the game on a chain that its members play."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from folkmoot.algorithms.base import Problem
from folkmoot.coins import seed_words
from folkmoot.configuration import Configuration
from folkmoot.machine import Chain as Stored
from folkmoot.machine import Machine, Resumes
from folkmoot.node import enduring, revealing
from folkmoot.node.amendment import same_game
from folkmoot.node.charter import BadCharter, Charter
from folkmoot.node.epoch import Opening
from folkmoot.node.proofs import PROOF_BYTES, Proves
from folkmoot.node.system import coins_of, settings_of

if TYPE_CHECKING:
    from folkmoot.bc_ucb.kind import GameKind
    from folkmoot.ledger.block import Block
    from folkmoot.ledger.chain import Chain


class ChainSettings(Configuration):
    """Settings of the system "bc_ucb".

    Attributes:
        algorithm: fields of `folkmoot.BCUCB`.
        validators: how many members are expected to be drawn in a round; left out: twice as many as there are.
        comparison: of pull counts: "pairwise" in private (needs the extra `private`), or "none": no screening.
        every: rounds from one comparison to the next; in the others all who reported are heard.
        disclosure: who reads reports: "validators", members alone; or "open", whoever holds a copy of the ledger.
        environment: public keys (hex) that sign rewards; left out: rewards are what members claim.
    """

    says_its_name = False

    algorithm: dict[str, Any] = Field(default_factory=dict)
    validators: int | None = Field(None, ge=1)
    comparison: Literal["pairwise", "none"] = "none"
    every: int = Field(1, ge=1, le=10**6)
    disclosure: Literal["open", "validators"] = "validators"
    environment: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Facts:
    """What follows from a charter of BC-UCB."""

    params: Any
    terms: Any
    first: Any


class Price(NamedTuple):
    """What a comparison of counts costs a member.

    Attributes:
        seconds: of processor in all.
        longest: of these, in one step of a round.
        bytes: that it sends.
    """

    seconds: float
    longest: float
    bytes: float


def _time(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


class BCUCBChain:
    """BC-UCB: a bandit on a chain that a third of its members cannot stop, rob or steer."""

    has_ledger = True
    learns = asks_in_rounds = False

    def __init__(self, charter: Charter) -> None:
        self._charter = charter
        self.settings: ChainSettings = settings_of(ChainSettings, charter.terms.settings)
        self._coins = coins_of(charter)
        self.facts = self._facts()

    def _facts(self) -> _Facts:
        from folkmoot.agreement.sealed import ChannelKey
        from folkmoot.bc_ucb.algorithm import BCUCB
        from folkmoot.bc_ucb.contract import DISTANCE, MAJORITY, ONE, REWARD, UNION, Terms, scaled
        from folkmoot.bc_ucb.genesis import OPEN, VALIDATORS, configuration
        from folkmoot.bc_ucb.goes_on import with_accounts
        from folkmoot.bc_ucb.opening import from_bytes
        from folkmoot.bc_ucb.rules import KIND
        from folkmoot.comparison.compare import check_installed
        from folkmoot.encoding import Malformed
        from folkmoot.ledger.chain import Genesis, begin

        charter, terms, settings = self._charter, self._charter.terms, self.settings
        n, k = charter.n_members, len(terms.arms)
        fields = {"faulty": terms.faults, "window": terms.window, **settings.algorithm}
        fields["screening"] = settings.comparison != "none"
        chosen: BCUCB = settings_of(BCUCB, fields)
        if chosen.cost:
            raise BadCharter(
                f"terms.settings.algorithm.cost = {chosen.cost:g}: expected 0; it is booked when the environment of a "
                "simulation says who lied, and nobody can know that here"
            )
        try:
            if settings.comparison == "pairwise":
                check_installed("pairwise")
            params = chosen.params(Problem(n, k, terms.rounds, None, None, 0.5))
            keys = tuple(card.key for card in charter.members)
            expected = 2 * n if settings.validators is None else settings.validators
            contract = Terms(
                n, k, params.faulty, expected,
                MAJORITY if chosen.combination == "majority" else UNION,
                DISTANCE if chosen.trust == "distance" else REWARD,
                scaled(chosen.delta), int(log(chosen.trust_ratio) * ONE), scaled(chosen.delta),
                chosen.resolution, chosen.window, scaled(chosen.cost),
            )  # fmt: skip
            public = None if terms.seed is None else (*seed_words(terms.seed), 0)
            registrations = () if public else tuple(card.registration for card in charter.members)
            sealed = settings.disclosure == VALIDATORS
            carried = b"" if charter.opening is None else charter.opening.carried
            before = from_bytes(carried) if carried else None
            channels = tuple(tuple(ChannelKey(*card.channel)) for card in charter.members) if sealed else ()
            said = configuration(
                contract, keys, int(params.burn_in), public, registrations, salt=charter.identity,
                environment=tuple(map(bytes.fromhex, settings.environment)), evidence=terms.evidence,
                disclosure=(VALIDATORS, channels) if sealed else (OPEN, ()), opening=before,
            )  # fmt: skip
            first = begin(Genesis(KIND, said))
            return _Facts(params, contract, first if before is None else with_accounts(first, before))
        except (ValueError, Malformed) as error:
            raise BadCharter(f"terms.settings: {error}") from None

    def role(
        self, me: int, seed: bytes, kind: Callable[..., Resumes] | None = None, *, folder: Path | None = None
    ) -> Resumes:
        """See `System`; `kind`: of the participant, an honest one if left out."""
        from folkmoot.agreement.forms import START
        from folkmoot.agreement.sealed import Channels
        from folkmoot.agreement.sealing import SealingRole
        from folkmoot.bc_ucb.participant import Role
        from folkmoot.comparison.in_rounds import Pairwise, TrustedMachine, Trusting

        facts = self.facts
        keys = tuple(card.key for card in self._charter.members)
        kappa = Fraction(int(facts.params.kappa), int(facts.params.kappa_parts))
        bits = self._bits

        def comparing(random: Any) -> Any:
            if self.settings.comparison == "pairwise":
                return Pairwise(me, keys, kappa, bits, random)
            return Trusting(TrustedMachine(len(keys), kappa, bits, "ideal"), me)  # never asked: there is no screening

        inner: Resumes = (kind or Role)(
            me, seed, facts.first, facts.params, comparing, self._coins, every=self.settings.every
        )
        if not self.sealed:
            return inner
        state = facts.first.state
        sealed: Resumes = SealingRole(
            inner, me, Channels(seed, me, state.configuration.channel_keys, state.origin, START)
        )
        return sealed

    @property
    def sealed(self) -> bool:
        """See `System`."""
        return self.settings.disclosure == "validators"

    @property
    def _bits(self) -> int:
        """Of a count that is compared."""
        return self._charter.terms.rounds.bit_length()

    def costs(self) -> list[str]:
        """See `System`: the comparison, measured here for one arm and bit after bit of a count."""
        if self.settings.comparison == "none":
            return []
        found = self.price()
        every = "every round" if self.settings.every == 1 else f"one round in {self.settings.every:,}"
        said = [
            f"Counts are compared in {every}. That takes a member about {_time(found.seconds)} of processor (measured "
            f"on this machine just now), and {found.bytes / 1000:,.0f} kB that it sends."
        ]
        stage = self._charter.terms.stage
        if found.longest > stage / 4:
            said.append(
                f"The longest step of it takes {_time(found.longest)}, and a stage lasts {stage:g} s: on a machine "
                "that is busy it comes too late. Expected a longer stage, or fewer arms, or validators; `every` does "
                "not help here."
            )
        return said

    def price(self) -> "Price":
        """What a comparison costs a member that is drawn, where so many are drawn as are expected."""
        import os
        import time

        from folkmoot.comparison.pairwise import pairwise_cost

        n, k = self._charter.n_members, len(self._charter.terms.arms)
        cost = pairwise_cost(self._bits, 1, os.urandom, time.perf_counter)
        drawn = min(n - 1.0, (n - 1) * (1.0 - exp(-self.facts.terms.expected_validators / n)))
        answers, reads = k * drawn * cost.answer_ms / 1000, k * (n - 1) * cost.reading_ms / 1000
        sent = k * ((n - 1) * cost.offer_bytes + drawn * cost.answer_bytes)
        return Price(k * cost.offer_ms / 1000 + answers + reads, max(answers, reads), sent)

    def chains(self, stored: Stored) -> "Iterator[tuple[Chain, Block]]":
        """Each stored block, looked at as if it came from a stranger, and the chain after it.

        Raises:
            OtherSide: one does not follow.
            IndexError: they do not begin with the first, since the chain went on from a state.
        """
        chain, kind = self.facts.first, self._kind
        for height in range(1, stored.height + 1):
            block = kind.received(stored.block(height))
            chain = kind.append(chain, block)
            yield chain, block

    def stages_in(self, round: int) -> int | None:
        """See `System`: a round of the burn-in is a pull and nothing else."""
        return 1 if round <= self.facts.params.burn_in else None

    def silent(self, machine: Machine, stage: int) -> bool:
        """See `System`: none is."""
        return False

    def seen(self, machine: Any) -> Mapping[str, Any]:
        """See `System`; nothing is decided for good."""
        from folkmoot.bc_ucb.contract import NO_ESTIMATE, ONE

        inner = getattr(machine, "inner", machine)
        chain = inner.chain
        estimates = [None if e == NO_ESTIMATE else e / ONE for e in chain.state.accounts.estimates.tolist()]
        return {
            "estimates": estimates,
            "height": chain.height,
            "earned": [v / ONE for v in chain.state.accounts.earned.tolist()],
            "units": chain.state.accounts.units.tolist(),
            "excluded": sorted(chain.state.excluded),
        }

    def reveals(self) -> list[str]:
        """See `System`."""
        return revealing.of_chain(self.sealed, self.settings.comparison == "pairwise", bool(self.settings.environment))

    def endures(self) -> list[str]:
        """See `System`."""
        charter = self._charter
        return enduring.of_chain(self.settings, self.settings.algorithm, charter.n_members, charter.signers)

    def last_block(self, stored: Stored, after: int) -> Opening | None:
        """See `System`; the blocks are those of the own ledger."""
        found, height = None, stored.height
        with contextlib.suppress(IndexError):  # those before were not kept
            while height > 0 and (block := self._block(stored, height))[0] >= after:
                found, height = Opening(height, block[1]), height - 1
        return found

    def opened(self, kept: Mapping[str, bytes], stored: Stored, opening: Opening, follows: Charter) -> Opening | None:
        """See `System`: the accounts after that block, by names of members."""
        from folkmoot.bc_ucb.goes_on import carried

        if follows.terms.system != self._charter.terms.system:
            return opening
        chain = self._chain_at(kept, stored, opening.height)
        if chain is None:
            return None
        before = {card.name: number for number, card in enumerate(self._charter.members)}
        sources = tuple(before.get(card.name, -1) for card in follows.members)
        new = BCUCBChain(replace(follows, opening=None))
        found = carried(chain, sources, new.facts.terms, same_game(self._charter, follows))
        told = found if new.sealed else found.plain()
        return opening._replace(carried=told.to_bytes())

    def _chain_at(self, kept: Mapping[str, bytes], stored: Stored, height: int) -> "Chain | None":
        """The chain at this height: as it was kept, or from the blocks, should it have grown beyond that."""
        from folkmoot.bc_ucb.participant import CHAIN
        from folkmoot.bc_ucb.snapshot import stored_chain

        chain = stored_chain(self._kind, kept.get(CHAIN), stored, self.facts.first)
        if chain.height == height:
            return chain
        with contextlib.suppress(IndexError):  # those before were not kept
            return next((chain for chain, _ in self.chains(stored) if chain.height == height), None)
        return None

    def signing(self, me: int) -> Mapping[str, Any] | None:
        """See `System`."""
        if not self.settings.environment:
            return None
        terms = self._charter.terms
        return {"origin": self.facts.first.state.origin.hex(), "participant": me, "scale": [terms.low, terms.high]}

    def proves(self, me: int) -> Proves | None:
        """See `System`."""
        from folkmoot.bc_ucb.earnings import is_signed
        from folkmoot.bc_ucb.pulls import Pull

        state = self.facts.first.state

        def proven(round: int, arm: int, reward: float, proof: bytes) -> bool:
            if len(proof) != PROOF_BYTES:
                return False
            claim = Pull(arm, reward, proof).claim(round)
            return is_signed(state.configuration, state.origin, me, claim)

        return proven if self.settings.environment else None

    def _block(self, stored: Stored, height: int) -> tuple[int, bytes]:
        """Round and hash of a block."""
        from folkmoot.bc_ucb.records import RECORD_LIMITS
        from folkmoot.encoding import decode

        block: Any = self._kind.received(stored.block(height))
        return int(decode(block.records[0], RECORD_LIMITS)[0]), block.hash

    @property
    def _kind(self) -> "GameKind":
        from folkmoot.bc_ucb.kind import GameKind
        from folkmoot.bc_ucb.rules import Rounds

        return GameKind(Rounds(), self.facts.first.state.configuration)

    def received(self, data: bytes) -> Any:
        """See `System`."""
        return self._kind.received(data)

    def carries(self) -> tuple[str, ...]:
        """See `System`: own pulls and their means, unless they are compared, with counts that begin anew."""
        from folkmoot.bc_ucb.pulls import LEARNT

        return () if self.settings.comparison == "pairwise" else (LEARNT,)
