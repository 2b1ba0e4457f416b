"""BC-UCB with every participant a machine of its own on a network in memory, told the same world as the compiled loop.

The driver keeps the duties at the head of folkmoot/machine.py; a machine that crashes comes back from its store alone.
Inboxes are not sorted: here the order of messages is one of the things that may go wrong.
Without faults and with public coins for the sortition, pulls and estimates are those of ideal.py to the last unit.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import shake_256
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from folkmoot import ledger
from folkmoot.agreement.forms import START
from folkmoot.agreement.identity import Identity
from folkmoot.agreement.sealed import Channels, channel_key
from folkmoot.agreement.sealing import Said, Sealing, SealingRole
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.attackers import Attacker, AttackerRole
from folkmoot.bc_ucb.contract import Terms, rounded
from folkmoot.bc_ucb.costs import DISCLOSED, Disclosure
from folkmoot.bc_ucb.earnings import EARNED, earned_words, seal_of
from folkmoot.bc_ucb.genesis import DISCLOSURES, OPEN, VALIDATORS, configuration
from folkmoot.bc_ucb.invariants import Watch
from folkmoot.bc_ucb.lies import Misbehaviour
from folkmoot.bc_ucb.messages import GAME, ReportSent, Shown
from folkmoot.bc_ucb.participant import Role
from folkmoot.bc_ucb.records import NO_REWARD, RoundRecord
from folkmoot.bc_ucb.round import in_burn_in, is_paid
from folkmoot.bc_ucb.rules import KIND, SharedRounds
from folkmoot.bc_ucb.stages import ANSWERING, PULLING, REPORTING, stages
from folkmoot.bc_ucb.tally import GameTally, blank_tally, close_checkpoint, close_game, count_block, count_pulls
from folkmoot.coins import replicate_coins, seed_words
from folkmoot.comparison.compare import check_installed
from folkmoot.comparison.in_rounds import Comparing, Pairwise, TrustedMachine, Trusting
from folkmoot.comparison.ristretto import RandomBytes
from folkmoot.encoding import Value, digest
from folkmoot.errors import brief
from folkmoot.interface import pay, scene, set_scene
from folkmoot.ledger.chain import Chain, Genesis, begin
from folkmoot.machine import Effects, Moment, Outcome, Received
from folkmoot.signatures import remembering
from folkmoot.simulation.host import Host
from folkmoot.simulation.network import Address, Faults, Network


@dataclass(frozen=True)
class Game:
    """Everything but the replicate. Twins are two honest machines with one key; count them malicious.

    Attributes:
        params, terms, rewards, attack: records of the participants, the contract, the reward law, the attack.
        malicious: bool [participants].
        seed: from 0 to 2**64 - 1.
        checkpoints: int64, increasing rounds at which to record; the last is the horizon.
        faults: of the network; None: none.
        private_comparison: how pull counts are compared.
        sortition: by public coins, the same as the compiled loop's, or by verifiable random functions.
        disclosure: who reads the numbers of the game: everybody, or the participants, of whom validators are drawn.
        ledger_path: a new file to which an honest participant's blocks are appended; None: the chain stays in memory.
        twins: numbers of participants that are run twice.
        evidence: what becomes of proven liars.
        watched: check all invariants on every message too, not on commits alone?
        environment: does it sign the rewards?
    """

    params: Params
    terms: Terms
    rewards: Any
    attack: Misbehaviour
    malicious: NDArray[np.bool_]
    seed: int
    checkpoints: NDArray[np.int64]
    faults: Faults | None = None
    private_comparison: Literal["ideal", "pairwise", "mpyc"] = "ideal"
    sortition: Literal["coin", "vrf"] = "coin"
    ledger_path: str | os.PathLike[str] | None = None
    disclosure: Literal["open", "validators"] = "open"
    twins: tuple[int, ...] = ()
    watched: bool = False
    evidence: Literal["note", "exclude"] = "note"
    environment: bool = False


@dataclass(frozen=True)
class Played:
    """What came of it.

    Attributes:
        tally: with one row, counted on the longest chain of an honest participant; see `GameTally`.
        signatures: checked by all participants together.
        messages, bytes: sent, each receiver counted.
        chain: that chain at the end.
    """

    tally: GameTally
    signatures: int
    messages: int
    bytes: int
    chain: Chain


def play(
    game: Game,
    replicate: int,
    stop: NDArray[np.bool_] | None = None,
    tell: Callable[[int], object] = lambda rounds: None,
) -> Played:
    """Play a replicate of a game.

    `stop`, bool [1], is looked at before every round: True ends the game early. `tell` is called after each with the
    number of rounds done.

    Raises:
        ValueError: an unknown comparison or sortition, a comparison whose extra is not installed, a file that is there
            already, or more than the chain can hold.
        NotStored: the file cannot be made, or the disk is full; the blocks that are in it are valid.
        Broken: an invariant does not hold, which would be an error of this library.
    """
    with remembering(), Table(game, replicate) as table:
        for t in range(1, int(game.checkpoints[-1]) + 1):
            if stop is not None and stop[0]:
                break
            table.play_round(t)
            tell(t)
        return table.played()


class Table:
    """The participants of one game around one network.

    Attributes:
        watch: checks the invariants.
        environment: who signs rewards; None: nobody.
        hosts: of each address, the participant and its store.
        honest: addresses of honest participants.
        noticed: what participants noticed of others, by address and reason.
    """

    def __init__(self, game: Game, replicate: int) -> None:
        compared = f"private_comparison = {brief(game.private_comparison)}"
        if game.private_comparison not in ("ideal", "pairwise", "mpyc"):
            raise ValueError(f"{compared}: expected ideal, pairwise or mpyc")
        for name, allowed in (("sortition", ("coin", "vrf")), ("disclosure", DISCLOSURES)):
            if getattr(game, name) not in allowed:
                raise ValueError(f"{name} = {brief(getattr(game, name))}: expected {' or '.join(allowed)}")
        try:
            check_installed(game.private_comparison)
        except ValueError as error:
            raise ValueError(f"{compared}: {error}") from None
        self.game, m, words = game, game.terms.n_participants, seed_words(game.seed)
        self._seeds = [digest("participant", (game.seed, int(replicate), number)) for number in range(m)]
        self._coins, self._nature = replicate_coins(*words, replicate), scene(game.rewards)
        self._identities = [Identity(seed) for seed in self._seeds]
        self._keys = tuple(identity.public_key for identity in self._identities)
        environment = self.environment = _environment(game, int(replicate))
        coins = (*words, int(replicate)) if game.sortition == "coin" else None
        registrations = () if coins else tuple(identity.registration() for identity in self._identities)
        settings = configuration(
            game.terms, self._keys, int(game.params.burn_in), coins, registrations, salt=_salt(game, int(replicate)),
            environment=() if environment is None else (environment.public_key,), evidence=game.evidence,
            disclosure=self._disclosure(),
        )  # fmt: skip
        self.genesis = Genesis(KIND, settings)
        self.first = begin(self.genesis)
        about = self.first.state.configuration.channel_keys, self.first.state.origin, START
        self._channels = [Channels(seed, number, *about) for number, seed in enumerate(self._seeds)]
        self._kappa = Fraction(int(game.params.kappa), int(game.params.kappa_parts))
        self._bits = int(game.checkpoints[-1]).bit_length()
        self._machine = TrustedMachine(m, self._kappa, self._bits, game.private_comparison)
        # A pull takes no time on the network: it is in the same moment there as what is said after it.
        self._stages = stages(game.terms.faulty).total - REPORTING
        first_round = int(game.params.burn_in) + 1
        addresses = [Address(number, copy) for number in range(m) for copy in range(1 + (number in game.twins))]
        self.network = Network(addresses, game.faults, self._coins, self._stages, first_round)
        self.honest = [a for a in addresses if not game.malicious[a.participant] and a.participant not in game.twins]
        self._well, self._others = frozenset(self.honest), [a for a in addresses if a not in self.honest]
        rules = SharedRounds()
        self.hosts = {a: Host(self._role(a, rules), chance=self._dice(a), sorts=False) for a in addresses}
        self.noticed = {a: Counter[str]() for a in addresses}
        self._outcomes: dict[Address, list[Outcome]] = {a: [] for a in addresses}
        self._reward = np.zeros((m, 1))
        good = np.array([Address(number, 0) in self.honest for number in range(m)])
        self.watch = Watch(self.first, good, game.params.trimming, rules.call)
        self._arms = np.full((int(game.checkpoints[-1]) + 1, m), -1, np.int64)
        self._checked, self._drawn = 0, 0
        self._file = None if game.ledger_path is None else ledger.create(game.ledger_path, self.genesis)

    def __enter__(self) -> "Table":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def _sealed(self) -> bool:
        return self.game.disclosure == VALIDATORS

    def _disclosure(self) -> Value:
        if not self._sealed:
            return (OPEN, ())
        return (VALIDATORS, tuple(tuple(channel_key(*one)) for one in zip(self._seeds, self._identities)))

    def machine(self, address: Address) -> Any:
        """The participant itself, as it runs now."""
        machine = self.hosts[address].machine
        return machine.inner if isinstance(machine, Sealing) else machine

    def _role(self, address: Address, rules: SharedRounds) -> Role | SealingRole:
        game, me = self.game, address.participant
        about = me, self._seeds[me], self.first, game.params, self._comparing(me), self._coins, rules
        if game.malicious[me] and me not in game.twins:
            role: Role = AttackerRole(*about, attack=game.attack, allies=game.malicious)
        else:
            role = Role(*about)
        return SealingRole(role, me, self._channels[me]) if self._sealed else role

    def _comparing(self, me: int) -> Comparing:
        def pairwise(random: RandomBytes) -> Pairwise:
            return Pairwise(me, self._keys, self._kappa, self._bits, random)

        def trusting(random: RandomBytes) -> Trusting:
            return Trusting(self._machine, me)

        return pairwise if self.game.private_comparison == "pairwise" else trusting

    def _dice(self, address: Address) -> RandomBytes:
        return _bytes_from(digest("simulated dice", (self._seeds[address.participant], address.copy)))

    def play_round(self, t: int) -> None:
        """All stages of a round; one of the burn-in is nothing but pulls."""
        set_scene(self.game.rewards, t, self._coins, self._nature)
        for address in self.hosts:
            if not self.network.is_down(t * self._stages, address):
                self._step(Moment(t, PULLING), address)
        if not in_burn_in(self.game.params, t):
            for stage in range(REPORTING, REPORTING + self._stages):
                self._play_stage(Moment(t, stage))

    def _play_stage(self, moment: Moment) -> None:
        """The honest first; the others have then read what these send."""
        now, fails = moment.round * self._stages + moment.stage - REPORTING, self.game.faults is not None
        arrived, said, overheard = self.network.deliver(now), list[Said](), moment.stage == REPORTING
        for address in (*self.honest, *self._others):
            if fails and self.network.crashes(now, address):
                self.hosts[address].restart()
            if fails and self.network.is_down(now, address):
                continue
            if overheard and isinstance(machine := self.machine(address), Attacker):  # all it looks at are reports
                machine.overhear(one.data for one in self._heard(address.participant, said))
            told = self._disclosed(moment, address.participant) if self.environment is not None else ()
            inbox = [*arrived.get(address, ()), *told]
            effects = self._step(moment, address, inbox)
            if address in self._well and (overheard or effects.committed or self.game.watched):
                said += [Said(address.participant, to, data) for to, data in effects.send] if overheard else ()
                self._check(address, moment.stage, effects)

    def _step(self, moment: Moment, address: Address, inbox: Sequence[Received] = ()) -> Effects:
        """One step of a machine, by the duties of a driver; it may be told what its pull brought in the next one."""
        outcomes, self._outcomes[address] = self._outcomes[address], []
        effects = self.hosts[address].step(moment, inbox, outcomes)
        for receiver, data in effects.send:  # a pull takes no time
            self.network.send(moment.round * self._stages + max(0, moment.stage - REPORTING), address, receiver, data)
        if effects.counts:
            self._checked += effects.counts["signatures"]
            self._drawn += effects.counts["drawn"] if address.copy == 0 else 0
        if effects.noticed:
            self.noticed[address].update(notice.reason for notice in effects.noticed)
        if effects.pull is not None:
            self._pull(address, moment.round, effects.pull)
        return effects

    def _pull(self, address: Address, t: int, arm: int) -> None:
        """The environment answers one arm a round of each participant, or a liar would claim the best of all."""
        m = address.participant
        if self._arms[t, m] in (-1, arm):
            self._arms[t, m] = arm
            pay(self.game.rewards, self._nature, m, arm, t, self._coins, self._reward)
            self._outcomes[address].append(self._outcome(m, t, arm))

    def _disclosed(self, moment: Moment, me: int) -> list[Received]:
        """In the last round the environment tells everybody who is malicious, if this costs anything."""
        environment, last = self.environment, int(self.game.checkpoints[-1])
        if environment is None or self.game.terms.cost == 0 or moment != (last, ANSWERING):
            return []
        said = Disclosure.of(last, self.game.malicious)
        said = said._replace(signature=environment.sign(DISCLOSED, said.words(self.first.state.origin)))
        data, other = GAME.to_bytes(Shown(said.to_bytes())), (me + 1) % len(self._seeds)
        return [Received(other, self._channels[other].seal(me, data) if self._sealed else data)]

    def _outcome(self, m: int, t: int, arm: int) -> Outcome:
        """What a pull has brought, signed by the environment if there is one."""
        reward = float(self._reward[m, 0])
        if self.environment is None:
            return Outcome(t, reward)
        blinding = digest("blinding of an arm", (self._seeds[m], t))
        words = earned_words(self.first.state.origin, t, m, rounded(reward), seal_of(arm, blinding))
        return Outcome(t, reward, proof=blinding + self.environment.sign(EARNED, words))

    def _heard(self, me: int, said: list[Said]) -> list[Said]:
        """What one may read of what others have said; in an open game it listens to everybody."""
        if not self._sealed:
            return said
        return [one._replace(data=self._opened(one)) for one in said if one.receiver == me]

    def _opened(self, one: Said) -> bytes:
        if not self._sealed:
            return one.data
        assert one.receiver is not None, "what is sealed has one receiver"
        return self._channels[one.receiver].open(one.sender, one.data, len(one.data))

    def _check(self, address: Address, stage: int, effects: Effects) -> None:
        """The invariants; and what is new goes to the file."""
        if self.game.watched or stage == REPORTING:
            said = (self._opened(Said(address.participant, to, data)) for to, data in effects.send)
            for data in dict.fromkeys(said):
                if self.game.watched or GAME.kind_of(data) == GAME.name(ReportSent):  # which it must be told
                    self.watch.sent(address.participant, data)
        for final in effects.committed:
            new = final.chain.height == len(self.watch.chains)
            self.watch.committed(address.participant, final)
            if new and self._file is not None:
                self._file.append(final.block)

    def played(self) -> Played:
        """The result so far."""
        return Played(self._tally(), self._checked, self.network.messages, self.network.bytes, self.watch.chains[-1])

    def _tally(self) -> GameTally:
        """Counted on the chain: a pull is paid if a block holds the participant's report with its reward."""
        game, chains = self.game, self.watch.chains
        tally, c = blank_tally(1, len(game.malicious), game.terms.n_arms, len(game.checkpoints)), 0
        states = {chain.state.last.round: chain.state for chain in chains[1:]}
        told = _paid(chain.state.last for chain in chains[1:])
        accounts = chains[0].state.accounts
        for t in range(1, len(self._arms)):
            state = states.get(t)
            paid = np.array([is_paid(game.params, t, (t, m) in told) for m in range(len(game.malicious))])
            count_pulls(tally, 0, c, self._arms[t], game.malicious, paid)
            if state is not None:
                count_block(tally, 0, c, game.malicious, state.members)
                accounts = state.accounts
            if t == game.checkpoints[c]:
                c = close_checkpoint(tally, 0, c, accounts.estimates)
        proven = dict(chains[-1].state.faults)
        close_game(tally, 0, self._drawn, accounts.units, [m in proven for m in range(len(game.malicious))])
        return tally


def _paid(records: Iterable[RoundRecord]) -> set[tuple[int, int]]:
    """Rounds and participants whose pulls the blocks pay, then or later."""
    found: set[tuple[int, int]] = set()
    for record in records:
        for report in record.reports:
            rounds = [claim.round for claim in report.earlier]
            if report.reward != NO_REWARD:
                rounds.append(record.round)
            found.update((round, report.participant) for round in rounds)
    return found


def _environment(game: Game, replicate: int) -> Identity | None:
    return Identity(digest("environment", (game.seed, replicate))) if game.environment else None


def _salt(game: Game, replicate: int) -> bytes:
    """Of everything that defines what happens in the run: no signature of another one counts in it.

    How counts are compared changes nothing that is said of them in a block.
    """
    records = (game.params, game.terms, game.rewards, game.attack, game.malicious, game.checkpoints)
    faults = None if game.faults is None else repr(game.faults)
    how = (game.sortition, game.evidence, game.environment, game.twins, faults)
    return digest("salt of a simulated game", (game.seed, replicate, how, *map(_plain, records)))


def _plain(value: Any) -> Value:
    """A record of numbers, arrays and records as a value that has an encoding."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def _bytes_from(seed: bytes) -> Callable[[int], bytes]:
    """Bytes that repeat with the seed: a simulation's stand-in for os.urandom."""
    drawn = 0

    def more(n: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return shake_256(seed + drawn.to_bytes(8, "big")).digest(n)

    return more
