"""A party's part in an exchange that somebody has called for: it answers sheets (sheets.py) from its own data.

Every choice at random is drawn by the chain's height and the party's number, so an answer is the same after a restart,
and in one program. A party reveals only so much as the members have agreed on, in so many exchanges, and the same
samples however often it is asked about the same block. What a sheet names and is not here is asked for by its digest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import Limits, Value, decode, digest, encode
from folkmoot.errors import OtherSide
from folkmoot.ledger.contents import name_of
from folkmoot.machine import Effects, Noticed, Put
from folkmoot.multiparty.chain.answers import require_sheet
from folkmoot.multiparty.chain.desk import Desk
from folkmoot.multiparty.chain.entries import typed, with_parameters
from folkmoot.multiparty.chain.exchange_rules import (
    entry_of,
    judges_of,
    reports_in,
    require_signatures,
    settings_of,
)
from folkmoot.multiparty.chain.exchanged import (
    BallotNote,
    Candidate,
    Committed,
    ExchangeBlock,
    RecallNote,
    ShownNote,
    rows_of,
    said_of_ballot,
    said_of_candidate,
    said_of_checks,
    said_of_recalls,
    said_of_shown,
)
from folkmoot.multiparty.chain.records import read_x
from folkmoot.multiparty.chain.sheets import CHECKS, REVEAL, TRAIN, Answer, Sheet, read_records
from folkmoot.multiparty.chain.signing import (
    ANSWER,
    BALLOT,
    CANDIDATE,
    RECALLS,
    SHEET,
    SHOWN,
    is_signed,
    signature_of,
)
from folkmoot.multiparty.chain.signing import CHECKS as CHECKS_SAID
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.exchange import exchanging
from folkmoot.multiparty.exchange.ballots import Judging
from folkmoot.multiparty.exchange.bench import Commitment, commitment
from folkmoot.multiparty.exchange.exchanging import EXCHANGED, foreign_to, taught
from folkmoot.multiparty.exchange.gate import listened
from folkmoot.multiparty.exchange.revealing import Shown, verdicts
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.party import Party, as_float32
from folkmoot.multiparty.rules.margin import Bools
from folkmoot.signatures import SigningKey

MOST_SHEETS = 3  # of a caller for one phase, about one block, that are answered; while votes are counted more
MOST_VOTES = 64
MOST_SLATES = 2  # sets of candidates that are voted on about one block: once more for who was killed and calls anew
MOST_CALLS = 16  # blocks for which somebody may call for an exchange before there is one
REVEALED = "revealed"  # the key under which is kept what was revealed
_LIMITS = Limits(size=1 << 16, depth=3, items=1 << 12, int_size=8)


def salted(party: Party, key: SigningKey) -> Commitment:
    """A party's commitment, with a salt that only it can work out."""
    return commitment(party, digest("multiparty/salt", (bytes(key), party.name)))


class Answering:
    """See the top of the file.

    Attributes:
        contents: samples and parameters of the exchange under way, by name.
    """

    def __init__(self, own: Desk, kept: Mapping[str, bytes]) -> None:
        self._own = own
        self._tip, self._revealed = _revealed(kept.get(REVEALED))  # for which block last, and how often to whom
        self._calls, self._exchanges = Counter[int](), 0  # blocks for which each has called, since so many exchanges
        self.clear()

    def clear(self) -> None:
        """There is another block."""
        self.contents: dict[bytes, bytes] = {}
        self._said: dict[bytes, Answer] = {}  # by the digest of the sheet
        self._asked = Counter[tuple[int, int]]()  # by whom, for which phase
        self._brought = set[tuple[int, bytes]]()  # whose contents to which sheet are here
        self._waits: dict[int, tuple[Sheet, int]] = {}  # by the caller: what waits for contents, and who sent it
        self._judging: tuple[bytes, Judging] | None = None
        self._slates: dict[bytes, set[tuple[int, ...]]] = {}  # candidates, and which sets of them were asked about
        self._recalled = b""  # what it has said of the models as they are
        self._known: dict[bytes, int] = {}  # phases of sheets by their digests

    @property
    def busy(self) -> bool:
        """Is an exchange under way, as far as this party knows?"""
        return bool(self._asked)

    def take(self, sheet: Sheet, sender: int, effects: Effects) -> None:
        """Answer a sheet.

        Raises:
            Rejected: it counts for nothing.
            OtherSide: something in it is not of its form, or not signed.
        """
        chain, agreed = self._own.chain, self._own.role.exchanging
        state: State = chain.state
        if sheet.previous != chain.tip:
            raise Rejected("old height")
        if not state.is_in(sheet.number) or sheet.each > agreed.each or self._own.exchanges >= agreed.most:
            raise Rejected("exchange")
        if not is_signed(state.parties[sheet.number].key, SHEET, chain.genesis.hash, sheet.said(), sheet.signature):
            raise Rejected("signature")
        self._waits.pop(sheet.number, None)
        if sheet.digest not in self._known:
            self._count(sheet)
            self._known[sheet.digest] = sheet.phase
        self._answer(sheet, sender, effects)

    def _count(self, sheet: Sheet) -> None:
        """Another sheet.

        Raises:
            Rejected: the caller has sent enough of them.
        """
        number, phase = sheet.number, sheet.phase
        if self._exchanges != self._own.exchanges:
            self._exchanges, self._calls = self._own.exchanges, Counter()
        if not any(caller == number for caller, _ in self._asked):
            if self._calls[number] >= MOST_CALLS:
                raise Rejected("asked too often")
            self._calls[number] += 1
        if self._asked[number, phase] >= (MOST_SHEETS if phase <= TRAIN else MOST_VOTES):
            raise Rejected("asked too often")
        self._asked[number, phase] += 1

    def _answer(self, sheet: Sheet, sender: int, effects: Effects) -> None:
        again = self._said.get(sheet.digest)
        answer = again or self.answer(sheet, effects)
        if answer is None:
            self._waits[sheet.number] = sheet, sender
            return
        self._said[sheet.digest] = answer
        if sender >= 0:
            self._own.tell(answer, effects, sender if again or not answer.contents else None)

    def go_on(self, effects: Effects) -> None:
        """Answer what waits, as far as all is there that it takes."""
        waiting, self._waits = self._waits, {}
        for sheet, sender in waiting.values():
            try:
                self._answer(sheet, sender, effects)
            except (Rejected, OtherSide):
                effects.noticed.append(Noticed(sender, "exchange"))

    def answered(self, sheet: Sheet) -> Answer | None:
        """What this party has said to a sheet; None: nothing yet."""
        return self._said.get(sheet.digest)

    def bring(self, answer: Answer, block: ExchangeBlock) -> None:
        """Keep the contents of somebody's answer, to a sheet that is known here, that its records name."""
        if (answer.number, answer.about) in self._brought or self._known.get(answer.about) not in (REVEAL, TRAIN):
            return
        self._brought.add((answer.number, answer.about))
        named = {note.name for note in block.shown} | {one.parameters for one in block.candidates}
        found = {name_of(content): content for content in answer.contents}
        self.contents.update({name: content for name, content in found.items() if name in named})

    def answer(self, sheet: Sheet, effects: Effects) -> Answer | None:
        """What this party says; None: something is missing that was asked for.

        Raises:
            Rejected, OtherSide: see `take`.
        """
        own, number = self._own, self._own.party
        party = own.data
        if number < 0 or party is None:
            return None
        state: State = own.chain.state
        block = read_records(sheet.each, sheet.records)
        require_sheet(state, sheet, block)
        require_signatures(state, sheet.previous, block)
        if sheet.phase != CHECKS:
            self._allow(sheet, effects)
        records: Sequence[bytes] = ()
        contents: Sequence[bytes] = ()
        if sheet.phase == CHECKS:
            records = self._commits(state, party, number)
        elif sheet.phase == REVEAL:
            records, contents = self._reveals(state, party, sheet, number)
        elif not self._all_here(sheet, block):
            return None
        elif sheet.phase == TRAIN:
            records, contents = self._trains(state, party, sheet, block, number)
        else:
            records = self._votes(state, party, sheet, block, number)
        said = Answer(number, sheet.digest, tuple(records), tuple(contents), b"")
        self.contents.update({name_of(content): content for content in contents})
        return said._replace(signature=self._signed(ANSWER, said.said()))

    def _all_here(self, sheet: Sheet, block: ExchangeBlock) -> bool:
        """Is all there that the sheet names? What is not is asked for."""
        names = [note.name for note in block.shown] if sheet.phase == TRAIN else []
        names += [one.parameters for one in block.candidates]
        for name in names:
            if name not in self.contents and (content := self._own.find(name)) is not None:
                self.contents[name] = content
        lacking = [name for name in names if name not in self.contents]
        self._own.seek(lacking)
        return not lacking

    def _signed(self, purpose: str, said: Value) -> bytes:
        return signature_of(self._own.key, purpose, self._own.chain.genesis.hash, said)

    def _chance(self, what: int, number: int) -> np.random.Generator:
        seed = self._own.role.exchanging.seed
        return np.random.default_rng([seed, self._own.chain.height, EXCHANGED, what, number])

    def _commits(self, state: State, party: Party, number: int) -> list[bytes]:
        if party.check is None:
            return []
        said = salted(party, self._own.key)
        if state.checks.get(number) == said:
            return []
        words = said_of_checks(number, said, state.life.acts_of(number, CHECKS_SAID))
        return [Committed(number, said, self._signed(CHECKS_SAID, words)).to_bytes()]

    def _judges(self, state: State, party: Party, number: int) -> bool:
        """Has it committed to the check set that it has?"""
        return party.check is not None and state.checks.get(number) == salted(party, self._own.key)

    def _allow(self, sheet: Sheet, effects: Effects) -> None:
        """Is this still within what is revealed at most, also by votes? It is kept that it was.

        Raises:
            Rejected: it is not.
        """
        if sheet.previous == self._tip:
            return  # the same samples once more
        most = self._own.role.exchanging.most
        if self._revealed[sheet.number] >= most or self._revealed.total() >= 2 * most:
            raise Rejected("exchange")
        self._tip = sheet.previous
        self._revealed[sheet.number] += 1
        effects.keep.append(Put(REVEALED, encode((self._tip, tuple(sorted(self._revealed.items()))))))

    def _reveals(self, state: State, party: Party, sheet: Sheet, number: int) -> tuple[list[bytes], list[bytes]]:
        fleet, previous = state.committee.fleet, sheet.previous
        chance = self._chance(exchanging.REVEAL, number)
        records, contents = [], []
        for x, label in party.reveal(state.committee, sheet.each, chance)[: sheet.each * len(party.model.classes)]:
            content = encode(np.ascontiguousarray(as_float32(np.asarray(x), "revealed"), np.float32))
            note = ShownNote(number, name_of(content), int(label), -1, b"", "")
            note = note._replace(signature=self._signed(SHOWN, said_of_shown(previous, note)))
            records.append(note.to_bytes())
            contents.append(content)
        if self._judges(state, party, number) and party.check is not None:
            before = fleet.scores(party.check[0])
            rows = party.recalled(Judging(number, party.check[1], before, before, fleet.claims).recalls())
            told = RecallNote(number, False, rows_of(rows), b"")
            told = told._replace(signature=self._signed(RECALLS, said_of_recalls(previous, (), told)))
            self._recalled = told.to_bytes()
            records.append(self._recalled)
        return records, contents

    def _trains(
        self, state: State, party: Party, sheet: Sheet, block: ExchangeBlock, number: int
    ) -> tuple[list[bytes], list[bytes]]:
        fleet, shape = state.committee.fleet, state.terms.shape
        shown = shown_of(block.shown, self.contents, shape)
        said = judged(shown, fleet, kept_by(state, block), sheet.each)
        foreign = foreign_to(number, shown, said, fleet, shape)
        how, chance = self._own.role.exchanging.how, self._chance(exchanging.TRAIN, number)
        try:
            pupil = taught(party, number, shown, said, fleet)
            model = pupil.retrained(fleet.model(number), foreign, how, chance)
            settings = b"" if model is None else settings_of(model)
        except ValueError:  # a kind of model that cannot be trained in this way
            model = None
        parameters = b"" if model is None else model.to_bytes()
        if not parameters or len(parameters) > self._own.role.room:
            return [], []
        one = Candidate(number, settings, name_of(parameters), b"")
        one = one._replace(signature=self._signed(CANDIDATE, said_of_candidate(sheet.previous, one)))
        return [one.to_bytes()], [parameters]

    def _count_votes(self, sheet: Sheet, block: ExchangeBlock) -> bytes:
        """Each vote tells something of the check set, so it says no more than a gate needs; what the candidates are.

        Raises:
            Rejected: it has voted on others, or on as many sets of these, or the sheet leaves out what it has said.
        """
        changed = len(block.candidates)
        slate = digest("multiparty/slate", tuple(tuple(one) for one in (*block.candidates, *block.recalls)))
        if self._recalled and self._recalled not in sheet.records:
            raise Rejected("late")
        asked = self._slates.get(slate, set()) | set(sheet.asked)
        if len(asked) > 1 + changed * (changed + 1) // 2 or len({*self._slates, slate}) > MOST_SLATES:
            raise Rejected("asked too often")
        self._slates[slate] = asked
        return slate

    def _votes(self, state: State, party: Party, sheet: Sheet, block: ExchangeBlock, number: int) -> list[bytes]:
        if not self._judges(state, party, number) or party.check is None:
            return []
        slate = self._count_votes(sheet, block)
        if self._judging is None or self._judging[0] != slate:
            x, y = party.check
            fleet = state.committee.fleet
            after = with_candidates(state, block.candidates, self.contents)
            self._judging = slate, Judging(number, y, fleet.scores(x), after.scores(x), fleet.claims)
        judging, candidates = self._judging[1], block.candidates
        told = RecallNote(number, True, rows_of(party.recalled(judging.recalls(True))), b"")
        said = said_of_recalls(sheet.previous, candidates, told)
        records = [told._replace(signature=self._signed(RECALLS, said)).to_bytes()]
        kept = kept_by(state, block)
        for reverted in sheet.asked:
            ballot = party.voted(judging.ballot(reverted, kept))
            if ballot is not None and ballot.reverted == reverted:
                vote = BallotNote(number, reverted, rows_of(ballot.counts), b"")
                signature = self._signed(BALLOT, said_of_ballot(sheet.previous, candidates, block.recalls, vote))
                records.append(vote._replace(signature=signature).to_bytes())
        return records


def _revealed(kept: bytes | None) -> tuple[bytes, Counter[int]]:
    """What was kept of what was revealed: the block before the last exchange, and in how many of whose.

    Raises:
        Malformed: bytes that are none.
    """
    if kept is None:
        return b"", Counter()
    tip, rows = typed(decode(kept, _LIMITS), (bytes, tuple), "what was revealed")
    return tip, Counter(dict(typed(row, (int, int), "what was revealed") for row in rows))


def kept_by(state: State, block: ExchangeBlock) -> Bools:
    """Which models are listened to, by what judges say of them as they are."""
    judges, claims = judges_of(state), state.committee.fleet.claims
    return listened(reports_in(block, judges, claims, False), judges, claims)


def shown_of(notes: Iterable[ShownNote], contents: dict[bytes, bytes], shape: tuple[int, ...]) -> list[Shown]:
    """Samples that were revealed.

    Raises:
        Malformed: a content that is none.
    """
    return [Shown(note.sender, read_x(contents[note.name], shape)[0], note.label) for note in notes]


def judged(shown: Sequence[Shown], fleet: Fleet, kept: Bools, each: int) -> list[str]:
    """What becomes of each sample, see `revealing.verdicts`."""
    if not shown:
        return []
    x: Floats32 = np.stack([one.x for one in shown])
    return verdicts(shown, fleet.scores(x), fleet.claims, kept, each)


def with_candidates(state: State, candidates: Iterable[Candidate], contents: dict[bytes, bytes]) -> Fleet:
    """All models, candidates in the place of those they are for.

    Raises:
        UnknownRules, UnusableModel: a candidate that is no model.
    """
    fleet = state.committee.fleet
    models = [fleet.model(number) if fleet.is_in(number) else None for number in range(len(fleet))]
    for one in candidates:
        models[one.party] = with_parameters(entry_of(state, one), state.terms, contents[one.parameters])
    return Fleet(models, fleet.n_classes)
