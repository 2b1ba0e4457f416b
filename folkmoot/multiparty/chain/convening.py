"""Whoever calls for an exchange: it asks all parties, phase after phase, and hands what comes of it in for a block.

    checks   what judges commit to, if that is not on the chain as it is; it comes to a block before all else
    reveal   samples, and what judges say of the models as they are
    train    candidates
    vote     what judges say of candidates, and ballots on those sets of them that the gate asks for, level by level

A phase is over when all have answered, or after so many rounds as the members have agreed on: whoever is away has then
said nothing, and is not waited for a second time. Who has not answered is asked again in every round, and gets all that
it takes: so one that was killed and comes back is heard. If another block comes between, it begins anew.

The caller is trusted with nothing: all that comes in a block is signed by whose it is, and checked by all. It can leave
answers out. Silence is a no, so it can stop an exchange and cannot push one through.
"""

from collections.abc import Mapping
from typing import Any

from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.machine import Delete, Effects, Put
from folkmoot.multiparty.chain.answering import Answering, judged, kept_by, shown_of
from folkmoot.multiparty.chain.answers import checked, require_contents
from folkmoot.multiparty.chain.desk import Desk
from folkmoot.multiparty.chain.entries import typed
from folkmoot.multiparty.chain.exchange_rules import judges_of, reports_in
from folkmoot.multiparty.chain.exchanged import (
    BallotNote,
    ExchangeBlock,
    Gate,
    ballot_in,
)
from folkmoot.multiparty.chain.records import COMMIT, EXCHANGE, LIMITS
from folkmoot.multiparty.chain.sheets import CHECKS, MOST_SETS, REVEAL, TRAIN, VOTE, Answer, Sheet, read_records
from folkmoot.multiparty.chain.signing import ANSWER, SHEET, is_signed, signature_of
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.weighing import is_heard
from folkmoot.multiparty.exchange.ballots import Ballot
from folkmoot.multiparty.exchange.exchanging import EXCHANGE as MODE
from folkmoot.multiparty.exchange.gate import decide, suspects
from folkmoot.multiparty.models.labels import named

CALLED = "exchange"  # the key under which is kept what was called for
MOST_TRIES = 8  # times that it begins, for other blocks come between
WRITTEN = VOTE + 1  # the phase in which its block is waited for
NAMES = ("asking for check sets", "asking for samples", "waiting for new models", "asking for votes", "writing it down")


_LIMITS = Limits(size=64, depth=1, items=4, int_size=8)


class Convening:
    """See the top of the file.

    Attributes:
        each: samples of a class that a party is asked to reveal; 0: it has called for nothing.
        said: what it is at, or what came of the last one; empty: it has called for none.
    """

    def __init__(self, own: Desk, answering: Answering, kept: Mapping[str, bytes]) -> None:
        self._own, self._answering = own, answering
        self.each, self._before = _called(kept.get(CALLED))
        self.said, self._tries = "", 0
        self._silent = set[int]()  # who was waited for in vain: not again, but it is heard if it speaks
        self._begin()

    def _begin(self) -> None:
        self._previous, self._phase, self._since = b"", CHECKS, 0
        self._sheet: Sheet | None = None
        self._answers: dict[int, ExchangeBlock] = {}
        self._records: dict[int, dict[int, tuple[bytes, ...]]] = {phase: {} for phase in range(WRITTEN)}
        self._votes: dict[tuple[int, ...], dict[int, BallotNote]] = {}
        self._used: list[tuple[int, ...]] = []  # by the gate
        self._unasked: list[tuple[int, ...]] = []
        self._written: tuple[bytes, ...] = ()

    def call(self, each: int, effects: Effects) -> None:
        """Call for an exchange; it is called for again after a restart, until there is a block of it.

        Raises:
            ValueError: more samples than the members have agreed on, as many exchanges as there may be, one under way.
        """
        agreed = self._own.role.exchanging
        if not 1 <= each <= agreed.each:
            what = f"1 to {agreed.each}" if agreed.each else "none, by the agreement of the members"
            raise ValueError(f"each = {each}: expected {what}")
        if self._own.exchanges >= agreed.most:
            raise ValueError(f"{agreed.most} exchanges are on the chain: the members have agreed on no more")
        if self.each:
            raise ValueError(f"an exchange is under way: {self.said}")
        if self._own.party < 0:
            raise ValueError("this member is no party, or has left")
        self.each, self._tries, self.said, self._before = each, 0, "called for", self._own.exchanges
        self._silent = set()
        effects.keep.append(Put(CALLED, encode((each, self._before))))
        self._begin()

    def _end(self, said: str, effects: Effects) -> None:
        self.each, self.said = 0, said
        effects.keep.append(Delete(CALLED))
        self._begin()

    # --- A step ------------------------------------------------------------------------------------------------------

    def act(self, asks: bool, effects: Effects) -> None:
        """Go on as far as can be; `asks`: those who have not answered are asked again now."""
        if not self.each:
            return None
        own, round = self._own, self._own.voter.round
        if own.party < 0:
            return self._end("this member is no party any more", effects)
        if own.exchanges != self._before:
            return self._end("there was one meanwhile", effects)
        if self._previous != own.chain.tip:
            self._tries += 1
            if self._tries > MOST_TRIES:
                return self._end("refused: other blocks came between, time and again", effects)
            self._begin()
            self._previous, self._since = own.chain.tip, round
        over = round - self._since > own.role.exchanging.patience
        if self._phase == WRITTEN:
            if over:
                self._end("refused: no block was made of it", effects)
            return None
        if self._sheet is None:
            self._open((), (), effects)
        elif asks:
            self._ask(self._lacking(), effects)
        self._hear_own()
        lacking = set(self._lacking())
        if over or lacking <= self._silent:
            self._silent |= lacking
            self._advance(effects)
        return None

    def _lacking(self) -> list[int]:
        state: State = self._own.chain.state
        return [n for n in range(len(state.parties)) if state.is_in(n) and n not in self._answers]

    def _open(self, records: tuple[bytes, ...], asked: tuple[tuple[int, ...], ...], effects: Effects) -> None:
        own = self._own
        sheet = Sheet(own.party, self._previous, self._phase, self.each, records, asked, b"")
        signature = signature_of(own.key, SHEET, own.chain.genesis.hash, sheet.said())
        self._sheet, self._answers, self._since = sheet._replace(signature=signature), {}, own.voter.round
        self.said = NAMES[self._phase]
        own.tell(self._sheet, effects, None)
        self._answering.take(self._sheet, -1, effects)
        self._hear_own()

    def _ask(self, numbers: list[int], effects: Effects) -> None:
        """Once more; all of them where it is not known who is at which end of the line."""
        assert self._sheet is not None
        others = [number for number in numbers if number != self._own.party]
        known = [to for number in others if (to := self._own.place_of(number)) is not None]
        for to in known if len(known) == len(others) else [None]:
            self._own.tell(self._sheet, effects, to)

    def _hear_own(self) -> None:
        sheet, number = self._sheet, self._own.party
        if sheet is not None and number not in self._answers:
            answer = self._answering.answered(sheet)
            if answer is not None:
                self._hear(answer, self._checked(answer))
            elif self._own.data is None:
                self._answers[number] = read_records(self.each, ())

    # --- What comes in -----------------------------------------------------------------------------------------------

    def take(self, answer: Answer) -> None:
        """Take in an answer.

        Raises:
            OtherSide: something in it is not of its form, not signed, or not what was asked for.
        """
        state: State = self._own.chain.state
        if not state.is_in(answer.number):
            raise Malformed("answer: no party")
        key = state.parties[answer.number].key
        if not is_signed(key, ANSWER, self._own.chain.genesis.hash, answer.said(), answer.signature):
            raise Malformed("answer: not signed")
        sheet = self._sheet
        asked = sheet is not None and answer.about == sheet.digest and sheet.phase == self._phase  # and not written yet
        if asked and answer.number not in self._answers:
            block = self._checked(answer)
            require_contents(state, answer, block)
            self._answering.bring(answer, block)
            self._hear(answer, block)
        elif answer.contents:
            self._answering.bring(answer, read_records(self._own.role.exchanging.each, answer.records))

    def _hear(self, answer: Answer, block: ExchangeBlock) -> None:
        number, known = answer.number, self._records[self._phase]
        self._answers[number] = block
        known[number] = known.get(number) or answer.records
        for vote in block.ballots:
            self._votes.setdefault(vote.reverted, {})[number] = vote

    def _checked(self, answer: Answer) -> ExchangeBlock:
        """The records of an answer to the sheet.

        Raises:
            OtherSide: they are not what may be said to it.
        """
        assert self._sheet is not None
        return checked(self._own.chain.state, self._own.chain.genesis.hash, self._sheet, answer)

    # --- From phase to phase -----------------------------------------------------------------------------------------

    def _told(self, phase: int, kind: str) -> list[bytes]:
        """All records of a kind that were said in a phase, in the order of the parties."""
        found = []
        for _, records in sorted(self._records[phase].items()):
            found += [data for data in records if _kind(data) == kind]
        return found

    def _advance(self, effects: Effects) -> None:
        phase = self._phase
        if phase == CHECKS:
            self._commit(effects)
        elif phase == REVEAL:
            self._phase = TRAIN
            self._open((*self._told(REVEAL, "shown"), *self._told(REVEAL, "recalls")), (), effects)
        elif phase == TRAIN:
            if not self._told(TRAIN, "candidate"):
                return self._end("refused: nobody has a new model", effects)
            self._phase = VOTE
            self._vote(((),), effects)
        else:
            for asked in self._sheet.asked if self._sheet is not None else ():
                self._votes.setdefault(asked, {})
            self._count(effects)
        return None

    def _commit(self, effects: Effects) -> None:
        state: State = self._own.chain.state
        records = [data for _, said in sorted(self._records[CHECKS].items()) for data in said]
        if records:
            self._own.wishes.hand_in(COMMIT, tuple(records), effects)
            self._phase, self._since = WRITTEN, self._own.voter.round
            return
        judged_of = {label for judge in judges_of(state) for label, _ in judge.counts}
        claims = state.committee.fleet.claims
        lacking = [label for label in range(state.terms.n_classes) if claims[:, label].any() and label not in judged_of]
        if lacking:
            self._end(f"refused: nobody has check samples of class {named(lacking[:1], state.terms.labels)}", effects)
            return
        self._phase = REVEAL
        self._open((), (), effects)

    def _vote(self, asked: tuple[tuple[int, ...], ...], effects: Effects) -> None:
        records = (*self._told(TRAIN, "candidate"), *self._told(REVEAL, "recalls"))
        self._open(records, asked, effects)

    def _count(self, effects: Effects) -> None:
        """What the gate says; or more ballots that it asks for."""
        state: State = self._own.chain.state
        recalls = [*self._told(REVEAL, "recalls"), *self._told(VOTE, "recalls")]
        block = read_records(self.each, [*self._told(TRAIN, "candidate"), *recalls])
        judges, claims = judges_of(state), state.committee.fleet.claims
        before, after = (reports_in(block, judges, claims, which) for which in (False, True))
        changed = [one.party for one in block.candidates]
        self._used, self._unasked = [], []
        found = decide(self._ballots, changed, judges, claims, suspects(before, after, judges, claims, changed))
        if self._unasked:
            self._vote(self._level(), effects)
            return
        shown = read_records(self.each, self._told(REVEAL, "shown")).shown
        samples = shown_of(shown, self._answering.contents, state.terms.shape)
        said = judged(samples, state.committee.fleet, kept_by(state, block), self.each)
        notes = tuple(note._replace(verdict=verdict) for note, verdict in zip(shown, said, strict=True))
        ballots = tuple(note for which in self._used for _, note in sorted(self._votes[which].items()))
        gate = Gate(MODE, self.each, found.accepted, found.reverted, found.gain)
        whole = ExchangeBlock(gate, notes, block.candidates, block.recalls, ballots)
        if not is_heard(state, whole):
            self._end("refused: half of the judges or more have said nothing", effects)
            return
        self._written = tuple(whole.to_records())
        said_of = found._replace(labels=state.terms.labels)
        self._phase, self._since, self.said = WRITTEN, self._own.voter.round, f"{NAMES[WRITTEN]}; {said_of}"
        self._own.wishes.hand_in(EXCHANGE, self._written, effects)

    def _ballots(self, reverted: tuple[int, ...]) -> dict[int, Ballot]:
        if reverted not in self._votes:
            self._unasked.append(reverted)  # what is decided without these is not what counts
            return {}
        if reverted not in self._used:
            self._used.append(reverted)
        return {judge: ballot_in(note) for judge, note in self._votes[reverted].items()}

    def _level(self) -> tuple[tuple[int, ...], ...]:
        """What the gate asks about next: all sets of as many candidates taken back as in the first that it lacks."""
        size = len(self._unasked[0])
        return tuple(dict.fromkeys(which for which in self._unasked if len(which) == size))[:MOST_SETS]

    def follow(self, records: tuple[bytes, ...], effects: Effects) -> None:
        """There is another block; is it the one that was waited for?"""
        if self.each and self._written and records[1:] == self._written:
            self._end(self.said.partition("; ")[2], effects)


def _called(kept: bytes | None) -> tuple[int, int]:
    """What was called for: samples of each class, and exchanges that stood on the chain then.

    Raises:
        Malformed: bytes that are none.
    """
    if kept is None:
        return 0, 0
    each, count = typed(decode(kept, _LIMITS), (int, int), "exchange that was called for")
    return each, count


def _kind(data: bytes) -> str:
    """Of a record that was read already."""
    value: Any = decode(data, LIMITS)
    return str(value[0])
