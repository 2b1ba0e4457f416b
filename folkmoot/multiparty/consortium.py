"""A consortium: parties with models of their own that calibrate them on a chain and predict as one (BEMA)."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from folkmoot.ledger import Block, Chain, Genesis, Ledger, create, digest
from folkmoot.ledger.chain import apply_block, begin
from folkmoot.ledger.contents import Contents, MemoryContents, beside
from folkmoot.ledger.store import file_name
from folkmoot.multiparty.chain.entries import Entry, entry
from folkmoot.multiparty.chain.kind import KIND
from folkmoot.multiparty.chain.messages import application, sample_message
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.pool import KNOWN
from folkmoot.multiparty.chain.records import (
    REFUSE,
    UNCOVERED,
    read_calibration,
    read_head,
    read_refused,
    read_registered,
)
from folkmoot.multiparty.chain.standing import configuration
from folkmoot.multiparty.chain.voting import Voting
from folkmoot.multiparty.party import ORIGINAL, Party
from folkmoot.multiparty.rules.committee import Committee, Judgement
from folkmoot.multiparty.rules.sample import Proposal
from folkmoot.multiparty.together import Together, checked, terms_of
from folkmoot.signatures import SigningKey, public_key


class Registration(NamedTuple):
    """What became of a regular party that wanted to join.

    Attributes:
        name: of the party.
        admitted: is it in?
        reason: why not: "uncovered", "distance", "unusable" or "unmeasured"; empty if it is.
        distance: mean distance of its scores from the original party's that looked at it; None if not measured.
        by: name of that original party; None where none knows all of its classes.
    """

    name: str
    admitted: bool
    reason: str
    distance: float | None
    by: str | None


class Consortium(Together):
    """All parties of a BEMA chain, played by one program.

    Every message is signed and every block checked, as it would be among parties on different machines; what each
    of them would do is in `Miner`, `LocalParty` and `OriginalParty`. Without a ledger the same samples are used in
    the same order, and nothing is signed or kept.

    Args:
        parties: at least one original one. Regular ones are registered in their order; `registrations` tells which
            of them were admitted.
        ledger: file for a new chain; samples and parameters are put into the folder FILE.contents beside it.
        n_classes: C; one more than the largest class of a party if None.
        alpha, delta, sigma, omega, eta, cap, score_gradient, rules, tolerance, without: see `Terms`.
        work_bits: leading zero bits of every block's hash.
        voted: does a block need the signatures of more than two thirds of the original parties? If not, as in earlier
            versions, one makes it alone, which is safe as long as one program plays them all. On a chain that is to be
            carried on by machines of their own it should be so: see `chain.participant`.
        seed: of all choices at random, and of the keys of parties that have none.
        clock: milliseconds since 1970 for each block; blocks are stamped with their height if None, so that the same
            seed makes the same file.

    Raises:
        ValueError: parties that do not fit the terms or each other, a setting out of range, a ledger that exists.
        NotStored: the ledger cannot be written.
    """

    def __init__(
        self,
        parties: Sequence[Party],
        ledger: str | os.PathLike[str] | None = None,
        *,
        n_classes: int | None = None,
        work_bits: int = 0,
        voted: bool = False,
        seed: int = 0,
        clock: Callable[[], int] | None = None,
        **settings: Any,
    ) -> None:
        terms = terms_of(parties, n_classes, settings)
        super().__init__(terms, seed)
        self._clock = clock
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
        genesis = Genesis(KIND, configuration(terms, entries, voting=Voting() if voted else None), work_bits)
        if ledger is None:
            self._chain = begin(genesis, contents)
        else:
            self._ledger = create(ledger, genesis)
            self._chain = self._ledger.chain
        self._parties = list(originals)
        for party in parties:
            if party.kind != ORIGINAL:
                self.register(party)

    def _key(self, party: Party) -> SigningKey:
        if party.name not in self._keys:
            seed = party.key or digest("multiparty/key", f"{self.seed}/{party.name}".encode())
            self._keys[party.name] = SigningKey(seed)
        return self._keys[party.name]

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
        return [self._key(party) for party in self._parties if party.kind == ORIGINAL]

    @property
    def _round(self) -> int | None:
        """Of a vote: a height takes one."""
        return None if self._chain.state.voting is None else self._chain.height + 1

    def _miner(self) -> Miner:
        """The original parties make blocks by turns."""
        originals, turn = self._originals(), self._chain.height if self._round is None else self._round
        return Miner(originals[turn % len(originals)], self._chain)

    def _now(self) -> int:
        return self._chain.height + 1 if self._clock is None else int(self._clock())

    def _append(self, block: Block) -> Block:
        if self._round is not None:
            block = block.signed(*self._originals())  # all of them have seen how it came about
        self._chain = apply_block(self._chain, block) if self._ledger is None else self._ledger.append(block)
        return block

    def register(self, party: Party) -> Registration:
        """Let a regular party ask to join: an original party that knows all of its classes looks at its model.

        The answer, whatever it is, is signed and stands on the chain.

        Raises:
            ValueError: a party that does not fit the terms, is no regular one, or has the name of another.
            NotStored: the ledger cannot be written.
        """
        if party.kind == ORIGINAL:
            raise ValueError(f"party {party.name}: original parties begin a chain, expected a regular one")
        self._check_newcomer(party)
        contents = self._chain.state.contents
        asked = application(self._key(party), self._chain.genesis.hash, self._entry(party, contents))
        answers = (
            OriginalParty(self._key(original), original.x, original.y).assess(self._chain, asked)
            for original in self._parties
            if original.kind == ORIGINAL
        )
        answer = next(found for found in answers if found is not None)  # the first that knows the classes
        made = self._miner().admission(answer, self._now(), round=self._round)
        assert made is not None  # nobody stops a miner here
        block = self._append(made)
        found = self._registration(block)
        self.registrations.append(found)
        if found.admitted:
            self._parties.append(party)
        return found

    def _registration(self, block: Block) -> Registration:
        names = [party.name for party in self._parties]
        if read_head(block.records[0]).what == REFUSE:
            refused = read_refused(block.records[1])
            by = None if refused.reason == UNCOVERED else names[refused.approver]
            return Registration(refused.party.name, False, refused.reason, refused.distance, by)
        done = read_registered(block.records[1])
        return Registration(done.party.name, True, "", done.distance, names[done.approver])

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
            seen.add(said)
        self._chain = replace(self._chain, state=self._chain.state._replace(committee=committee, ahead={}))
        return verdicts

    def close(self) -> None:
        """Let go of the ledger file."""
        if self._ledger is not None:
            self._ledger.close()
