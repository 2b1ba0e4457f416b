"""A consortium: parties with models of their own that calibrate them on a chain and predict as one (BEMA)."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np

from folkmoot.doors import guarded, guarded_but, whole
from folkmoot.errors import brief
from folkmoot.ledger import Block, Chain, Genesis, Ledger, create
from folkmoot.ledger.chain import apply_block, begin
from folkmoot.ledger.contents import Contents, MemoryContents, beside
from folkmoot.ledger.store import file_name, open_ledger
from folkmoot.multiparty.agreed import terms_of
from folkmoot.multiparty.chain.entries import Entry, entry
from folkmoot.multiparty.chain.kind import KIND
from folkmoot.multiparty.chain.local_party import LocalParty
from folkmoot.multiparty.chain.messages import application, sample_message
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.pool import KNOWN, Pool
from folkmoot.multiparty.chain.records import (
    REFUSE,
    REGISTER,
    UNCOVERED,
    Refused,
    Registered,
    answer_in,
    read_calibration,
    read_head,
)
from folkmoot.multiparty.chain.standing import State, configuration
from folkmoot.multiparty.chain.voting import Voting, in_turn
from folkmoot.multiparty.changing import Registration
from folkmoot.multiparty.entrance import checked
from folkmoot.multiparty.gated import Gated
from folkmoot.multiparty.gone import absent
from folkmoot.multiparty.keys import RANDOM, draw_of, signers
from folkmoot.multiparty.models.labels import named
from folkmoot.multiparty.party import ORIGINAL, Party
from folkmoot.multiparty.predictors import Predictor
from folkmoot.multiparty.rules.committee import Committee, Judgement
from folkmoot.multiparty.rules.sample import Proposal
from folkmoot.multiparty.together import SampleTally, Together
from folkmoot.multiparty.told import advice_on
from folkmoot.signatures import SigningKey, public_key

REFUSALS = 8  # of a sender in a block, where blocks are voted on


class Consortium(Gated):
    """All parties of a BEMA chain, played by one program.

    With a ledger, samples and registrations are signed and blocks are checked by the rules of the chain; what each
    party would do is in `Miner`, `LocalParty` and `OriginalParty`. But one program holds all keys and makes all
    blocks: who runs it is trusted. Without a ledger the same samples are used in the same order, and only
    registrations are signed.

    Args:
        parties: at least one original one. Regular ones are registered in their order; `registrations` tells which
            of them were admitted.
        ledger: file for a new chain; samples and parameters are put into the folder FILE.contents beside it.
        n_classes: C; one more than the largest class of a party if None.
        predictor: "mean", "screened", "median", "star", "krum" (the paper's), "max" or one that was fitted; if None,
            the mean, and the screened mean as soon as a party has a check set. "screened" is the mean of the models
            that the check sets left in. It stands on no chain: who predicts, chooses.
        alpha, delta, sigma, omega, eta, cap, score_gradient, rules, tolerance, without: see `Terms`.
        edition, labels: see `Terms`; 2, and the names that the models give their classes.
        refusals: see `Terms`; 8 where blocks are voted on, and else 0, if it is not given.
        work_bits: leading zero bits of every block's hash.
        voted: does a block need the signatures of more than two thirds of the original parties? If not, as in earlier
            versions, one makes it alone, which is safe as long as one program plays them all. On a chain that is to be
            carried on by machines of their own it should be so: see `chain.participant`.
        seed: of all choices at random.
        miners: secrets (32 bytes each) of those who have no model and no samples, and only make blocks; where blocks
            are voted on, they vote too, and nobody else makes one. None: the original parties make blocks.
        keys: of parties that bring none: "random", kept in the folder FILE.keys beside a ledger, which is for its
            owner alone; a folder, with a file NAME.key for each, made where there is none; or "derived", worked out
            from seed and names: for simulations, whose files are to be the same every time. Such a key is no secret.
        clock: milliseconds since 1970 for each block; blocks are stamped with their height if None, so that the same
            seed makes the same file.

    Raises:
        ValueError: parties that do not fit the terms or each other, a setting out of range, a ledger that exists.
        NotStored: the ledger cannot be written.
    """

    _waiting: Pool | None = None  # samples, between two calls of `calibrate_in_rounds`
    _last_round = 0

    @guarded_but("keys", "predictor")
    def __init__(
        self,
        parties: Sequence[Party],
        ledger: str | os.PathLike[str] | None = None,
        *,
        n_classes: int | None = None,
        work_bits: int = 0,
        voted: bool = False,
        seed: int = 0,
        keys: str | os.PathLike[str] = RANDOM,
        clock: Callable[[], int] | None = None,
        predictor: str | Predictor | None = None,
        miners: Sequence[bytes] = (),
        **settings: Any,
    ) -> None:
        terms = terms_of(parties, n_classes, {"refusals": REFUSALS} | settings if voted else settings)
        super().__init__(terms, seed, predictor)
        self._clock, self._keys_from, self._miners = clock, keys, signers(miners)
        self._draw = draw_of(keys, seed, None if ledger is None else file_name(ledger))
        for party in parties:
            checked(party, terms)
        originals = [party for party in parties if party.kind == ORIGINAL]
        if not originals:
            raise ValueError("parties: none is of kind 'original'; a chain begins with at least one")
        if ledger is not None and file_name(ledger).exists():  # before anything is put beside it
            raise ValueError(f"{ledger}: there is a file already, a new ledger needs a name of its own")
        self._keys: dict[str, SigningKey] = {}
        self._ledger: Ledger | None = None
        self.registrations: list[Registration] = []
        contents: Contents = MemoryContents() if ledger is None else beside(ledger)
        entries = [self._entry(party, contents) for party in originals]
        told = configuration(terms, entries, [public_key(key) for key in self._miners], Voting() if voted else None)
        genesis = Genesis(KIND, told, work_bits)
        if ledger is None:
            self._chain = begin(genesis, contents)
        else:
            self._ledger = create(ledger, genesis)
            self._chain = self._ledger.chain
        self._parties = list(originals)
        for party in parties:
            if party.kind != ORIGINAL:
                self.register(party)

    @classmethod
    @guarded_but("keys", "predictor")
    def open(
        cls,
        ledger: str | os.PathLike[str],
        parties: Sequence[Party] = (),
        *,
        seed: int = 0,
        keys: str | os.PathLike[str] = RANDOM,
        clock: Callable[[], int] | None = None,
        predictor: str | Predictor | None = None,
        miners: Sequence[bytes] = (),
    ) -> Self:
        """Go on with a chain that is there, also where the program was killed in the middle of a block.

        The whole chain is computed again. Terms, models and who is a party come from it.

        Args:
            ledger: the file; its contents are beside it.
            parties: those whose data are at hand, with the kinds, classes and keys that the chain has for them. The
                others mine nothing. Of their models those on the chain are used.
            seed, clock: as before. Choices at random are others than they would have been without a break.
            predictor, miners: see above.
            keys: where keys are, see above; none is made anew for who is a party already.

        Raises:
            ValueError: a ledger of another kind, parties that are not those of the chain, a key that is missing.
            OtherSide: no such file, or the file or its contents are damaged, see `folkmoot.ledger.open`.
        """
        book = open_ledger(ledger)
        if book.genesis.kind != KIND:
            raise ValueError(f"{ledger}: a ledger of kind {brief(book.genesis.kind)}, expected {brief(KIND)}")
        state = book.chain.state
        one = cls.__new__(cls)
        Together.__init__(one, state.terms, seed, predictor)
        one._clock, one._draw = clock, draw_of(keys, seed, file_name(ledger), new=False)
        one._miners = signers(miners)
        if {public_key(key) for key in one._miners} != state.miners:
            raise ValueError(f"miners: {len(miners)} secrets: expected those of the {len(state.miners)} of this chain")
        one._keys, one._ledger, one._chain, one._keys_from = {}, book, book.chain, keys
        parties = list(parties)
        one._parties = members(state, parties)
        one.iterations = book.height
        given = {party.name for party in parties}
        for number, (party, known) in enumerate(zip(one._parties, state.parties, strict=True)):
            ours = state.is_in(number) and (party.kind == ORIGINAL or party.name in given)
            if ours and public_key(one._key(party)) != known.key:
                raise ValueError(f"party {party.name}: its key is not the one it has on the chain")
        one._draw = draw_of(keys, seed, file_name(ledger))  # newcomers have none yet
        heads = ((read_head(block.records[0]).what, block) for block in book.blocks())
        said = [answer_in(block.records[1]) for what, block in heads if what in (REGISTER, REFUSE)]
        one.registrations = [one._registration(answer) for answer in said]
        return one

    def _entry(self, party: Party, contents: Contents) -> Entry:
        return entry(party.name, public_key(self._key(party)), party.model, contents)

    @property
    def chain(self) -> Chain:
        """The chain as it now is. Without a ledger it has the registrations and the models, and no samples."""
        return self._chain

    @property
    def group(self) -> Committee:
        """All models as they now are."""
        found: Committee = self._chain.state.committee
        return found

    def _originals(self) -> list[SigningKey]:
        return [self._key(self._parties[number]) for number in self._chain.state.trusted]

    def _voters(self) -> list[SigningKey]:
        """Keys of all who vote on blocks."""
        return self._originals() + self._miners

    @property
    def _round(self) -> int | None:
        """Of a vote: a height takes one."""
        return None if self._chain.state.voting is None else self._chain.height + 1

    def _miner(self) -> Miner:
        """Those who make blocks do so by turns: the original parties, if there are no others."""
        makers = self._miners or self._originals()
        turn = self._chain.height if self._round is None else self._round
        return Miner(makers[turn % len(makers)], self._chain)

    def _now(self) -> int:
        return self._chain.height + 1 if self._clock is None else int(self._clock())

    def _append(self, block: Block) -> Block:
        if self._round is not None:
            block = block.signed(*self._voters())  # all of them have seen how it came about
        self._chain = apply_block(self._chain, block) if self._ledger is None else self._ledger.append(block)
        return block

    @guarded
    def register(self, party: Party) -> Registration:
        """Let a regular party ask to join: an original party that knows all of its classes looks at its model.

        The answer, whatever it is, is signed and stands on the chain.

        Raises:
            ValueError: a party that does not fit the terms, is no regular one, or has the name of another.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        if party.kind == ORIGINAL:
            raise ValueError(f"party {party.name}: original parties begin a chain, expected a regular one")
        self._check_newcomer(party)
        lent, state = MemoryContents(), self._chain.state
        asks = self._entry(party, lent)
        asked, parameters = application(self._key(party), self._chain.genesis.hash, asks), lent.get(asks.parameters)
        if state.terms.approvals > 1 or state.terms.outside < 1.0:
            return self._admit(party, asks, parameters)
        answers = (judge.assess(self._chain, asked, parameters) for judge in self._judges().values())
        answer = next(found for found in answers if found is not None)  # the first that knows the classes
        said = answer_in(answer)
        if isinstance(said, Registered):
            state.contents.put(parameters)  # what is refused is not kept
        elif state.terms.refusals and (said.reason == UNCOVERED or state.turned_away >= state.terms.refusals):
            found = self._refused(said)  # these terms do not record it
            self.registrations.append(found)
            return found
        made = self._miner().admission(answer, self._now(), round=self._round)
        assert made is not None  # nobody stops a miner here
        block = self._append(made)
        found = self._registration(answer_in(block.records[1]))
        self.registrations.append(found)
        if found.admitted:
            self._parties.append(party)
        return found

    def _registration(self, said: Registered | Refused) -> Registration:
        if isinstance(said, Refused):
            return self._refused(said)
        return Registration(said.party.name, True, "", said.distance, self._parties[said.approver].name)

    def _refused(self, said: Refused) -> Registration:
        by = None if said.reason == UNCOVERED else self._parties[said.approver].name
        return Registration(said.party.name, False, said.reason, said.distance, by, self._bound(said.reason))

    def _use(self, proposals: Sequence[tuple[int, Proposal]]) -> list[tuple[int, Judgement]]:
        if self._ledger is None:
            return self._use_directly(proposals)
        miner, origin = self._miner(), self._chain.genesis.hash
        verdicts = []
        for number, proposal in proposals:
            party = self._parties[number]
            reason = miner.receive(sample_message(self._key(party), origin, number, *proposal))
            if reason is not None:
                verdicts.append((number, Judgement(reason)))
        made = miner.block(self._now(), miner.waiting, round=self._round) if miner.waiting else None
        verdicts += [(sender, Judgement(verdict)) for sender, verdict in miner.left_out]
        if made is not None:
            block = self._append(made)
            notes = read_calibration(block.records[1:])[0]
            verdicts += [(note.sender, Judgement(note.verdict or None)) for note in notes]
        return verdicts

    def _use_directly(self, proposals: Sequence[tuple[int, Proposal]]) -> list[tuple[int, Judgement]]:
        committee = self.group.copy()  # a state is never changed: the chain gets another one
        seen, verdicts = set(), []
        for number, proposal in proposals:
            given = proposal.of(number)
            said = (number, given.name, given.label, given.wrong)
            verdicts.append((number, Judgement(KNOWN) if said in seen else committee.take(given)))
            if verdicts[-1][1].refused is None and committee.comparing:
                self._taken.append((number, proposal))
            seen.add(said)
        senders = [self._parties[number].name for number, verdict in verdicts if verdict.refused is None]
        state = self._chain.state._replace(committee=committee, ahead={})
        self._chain = replace(self._chain, state=state._replace(life=state.life.with_samples(senders)))
        return verdicts

    def calibrate_in_rounds(self, rounds: int, wanted: int = 8, most: int = 200) -> SampleTally:
        """Calibrate as machines of their own do, on nodes too: the models come out the same to the last bit there, if
        nobody is late and no message is lost.

        In each round every party looks once through its data for samples against the models as they are, and those
        that wait come to one block, in the order of the senders.

        Args:
            rounds: at least 1; they go on from that of the last block.
            wanted: samples that a party sends in a round, 1 to 64.
            most: samples in a block, 1 to 4,096.

        Returns:
            What became of the samples.

        Raises:
            ValueError: an argument out of range, or a chain whose blocks are not voted on.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        rounds, wanted = whole("rounds", rounds, 1, 1 << 31), whole("wanted", wanted, 1, 64)
        most = whole("most", most, 1, 4096)
        if self._chain.state.voting is None:
            raise ValueError("rounds: blocks of this chain are not voted on (Consortium(..., voted=True))")
        if self._waiting is None:
            self._waiting = Pool(self._chain)
        self._waiting.follow(self._chain)
        said = Counter[tuple[int, str]]()
        for _ in range(rounds):
            self._last_round = max(self._last_round, self._chain.state.round) + 1
            said.update(self._played(self._waiting, self._last_round, wanted, most))
        refused = Counter[str]()
        for (_, verdict), count in said.items():
            refused[verdict] += count
        accepted = refused.pop("", 0)
        advice = "" if accepted else advice_on(refused, self.group.fleet.claims)
        return SampleTally(accepted, dict(refused), self._by_sender(said), advice)

    def _played(self, pool: Pool, round: int, wanted: int, most: int) -> list[tuple[int, str]]:
        """A round of machines: sender and verdict of each sample that is in its block, or may be in none."""
        state, origin = self._chain.state, self._chain.genesis.hash
        for number, party in enumerate(self._parties):
            if state.is_in(number) and len(party.x):
                order = np.random.default_rng([round, number])
                for data in LocalParty(self._key(party), origin, number, party, order).mine(state.committee, wanted):
                    pool.receive(data)
        makers = {public_key(key): key for key in self._voters()}
        (turn,) = in_turn(Voting(), state.makers, round)
        miner = Miner(makers[turn], self._chain, pool=pool)
        block = miner.block(self._now(), most, round=round)
        verdicts = list(miner.left_out)
        if block is not None:
            block = self._append(block)
            pool.follow(self._chain, [block])
            verdicts += [(note.sender, note.verdict) for note in read_calibration(block.records[1:])[0]]
        return verdicts


def members(state: State, parties: Sequence[Party]) -> list[Party]:
    """The parties of a chain, with the data of those that are given, and the models as the chain has them now.

    Raises:
        ValueError: one that is given is not as it stands on the chain.
    """
    if not all(isinstance(party, Party) for party in parties):
        raise ValueError("parties: expected such as folkmoot.multiparty.Party")
    given = {party.name: party for party in parties}
    names = [known.name for known in state.parties]
    for name in given:
        if name not in names:
            raise ValueError(f"party {name}: not on this chain; there are {', '.join(names)}")
    found = []
    for number, known in enumerate(state.parties):
        kind: Literal["original", "regular"] = "original" if number < state.originals else "regular"
        if not state.is_in(number):
            if known.name in given:
                raise ValueError(f"party {known.name}: it has left the chain, or was expelled")
            found.append(absent(known.name, known.classes, kind, state.terms))
            continue
        model = state.committee.fleet.model(number)
        empty = np.zeros((0, *state.terms.shape), np.float32)
        party = given.get(known.name, Party(known.name, model, empty, np.zeros(0, np.int64), kind))
        if (party.kind, tuple(party.model.classes)) != (kind, known.classes):
            classes = named(known.classes, state.terms.labels)
            raise ValueError(f"party {known.name}: on the chain it is {kind}, with the classes {classes}")
        found.append(checked(replace(party, model=model), state.terms))
    return found
