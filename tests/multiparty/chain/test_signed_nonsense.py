"""Well signed nonsense of one member, as sheets and as answers: nobody ends, and whoever has called goes on."""

from contextlib import suppress

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_machines import MEMBERS, call, machine, party, played, until, whats

from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import encode
from folkmoot.errors import OtherSide
from folkmoot.ledger.contents import name_of
from folkmoot.multiparty.chain.exchanged import (
    BallotNote,
    Candidate,
    Committed,
    RecallNote,
    ShownNote,
    said_of_ballot,
    said_of_candidate,
    said_of_checks,
    said_of_recalls,
    said_of_shown,
)
from folkmoot.multiparty.chain.records import COMMIT, EXCHANGE
from folkmoot.multiparty.chain.sheets import TRAIN, VOTE, Answer, Sheet, read_records, to_bytes
from folkmoot.multiparty.chain.signing import ANSWER, BALLOT, CANDIDATE, CHECKS, RECALLS, SHEET, SHOWN
from folkmoot.multiparty.chain.talk import CONSORTIUM, ExchangeTold, Given
from folkmoot.multiparty.exchange.bench import Commitment

LIAR = 3
NUMBERS = (0, 1, 2, 3, 4, 5, 63, 1023, 4095, 1 << 20)


class Nonsense:
    """What a liar says, drawn and signed; `own` is its machine."""

    def __init__(self, own, seed):
        self.own, self.chance = own, np.random.default_rng(seed)
        self.answering = own.answering
        self.contents = {}

    def pick(self, *of):
        return of[int(self.chance.integers(len(of)))]

    def number(self):
        return self.pick(0, 1, 2, LIAR, LIAR, LIAR, LIAR, LIAR, *NUMBERS[:9])

    def content(self):
        model = self.own.chain.state.committee.fleet.model(LIAR)
        found = self.pick(
            encode(self.chance.normal(size=6).astype(np.float32)),
            encode(self.chance.normal(size=6).astype(np.float32)),
            encode(np.full(6, 3e38, np.float32)),
            encode(self.chance.normal(size=(6, 2)).astype(np.float32)),
            encode(np.arange(6)),
            encode("text"),
            b"",
            model.to_bytes(),
            model.to_bytes(),
            model.moved_to(model.weights.astype(float) * 1e30, model.intercepts.astype(float)).to_bytes(),
            model.to_bytes()[:-3],
        )
        name = name_of(found)
        if self.chance.random() < 0.9:
            self.contents[name] = found
        return name

    def rows(self, width):
        return tuple(
            tuple(int(self.pick(*NUMBERS)) for _ in range(width)) for _ in range(int(self.chance.integers(0, 5)))
        )

    def honest_rows(self):
        state = self.own.chain.state
        counts = dict(state.checks[LIAR].counts)
        claims = state.committee.fleet.claims
        return tuple(
            (m, c, int(self.chance.integers(0, n + 1)), n)
            for m in range(MEMBERS)
            for c, n in sorted(counts.items())
            if m != LIAR and claims[m, c]
        )

    def signed(self, purpose, said):
        return self.answering._signed(purpose, said)

    def shown(self, previous):
        note = ShownNote(self.number(), self.content(), self.number(), self.pick(-1, -1, -1, 2), b"", "")
        return note._replace(signature=self.signed(SHOWN, said_of_shown(previous, note)))

    def candidate(self, previous):
        model = self.own.chain.state.committee.fleet.model(LIAR)
        settings = self.pick(
            encode(model.settings()), encode(model.settings()), b"", encode(("x",)), encode((9, (), ()))
        )
        one = Candidate(self.number(), settings, self.content(), b"")
        return one._replace(signature=self.signed(CANDIDATE, said_of_candidate(previous, one)))

    def recall(self, previous, candidates, after):
        rows = self.pick(self.honest_rows(), self.honest_rows(), self.rows(4))
        note = RecallNote(self.number(), self.pick(after, after, not after), rows, b"")
        return note._replace(signature=self.signed(RECALLS, said_of_recalls(previous, candidates, note)))

    def ballot(self, previous, candidates, recalls, asked):
        counts = self.own.chain.state.checks[LIAR].counts
        rows = self.pick(tuple((c, 0, n, n) for c, n in counts), tuple((c, n, 0, n) for c, n in counts), self.rows(4))
        note = BallotNote(self.number(), self.pick(*asked, (), (LIAR,), (0, 1)), rows, b"")
        return note._replace(signature=self.signed(BALLOT, said_of_ballot(previous, candidates, recalls, note)))

    def some(self, make, most):
        return [make() for _ in range(int(self.chance.integers(0, most + 1)))]

    def records(self, phase, previous, candidates=(), recalls=(), asked=((),)):
        found = []
        if phase != VOTE or self.chance.random() < 0.2:
            found += self.some(lambda: self.shown(previous), 3)
        if phase in (TRAIN, VOTE) and self.chance.random() < 0.8:
            found += [self.candidate(previous)]
        more = [one for one in found if isinstance(one, Candidate)]
        found += self.some(lambda: self.recall(previous, candidates or more, phase == VOTE), 1)
        before = [*recalls, *(one for one in found if isinstance(one, RecallNote))]
        if phase == VOTE:
            found += self.some(lambda: self.ballot(previous, candidates or more, before, asked), 2)
        return tuple(one.to_bytes() for one in found)

    def commitment(self):
        state = self.own.chain.state
        counts = self.pick(state.checks[LIAR].counts, ((0, 3),), ((LIAR, 1 << 20),))
        said = Commitment(bytes(self.chance.integers(0, 256, 32).astype(np.uint8)), counts)
        words = said_of_checks(LIAR, said, state.life.acts_of(LIAR, CHECKS) + self.pick(0, 0, 1))
        return (Committed(LIAR, said, self.signed(CHECKS, words)).to_bytes(),)

    def sheet(self):
        phase, previous = int(self.chance.integers(4)), self.own.chain.tip
        asked = self.pick((), ((),), ((), (LIAR,)), ((0,), (1,)), ((4095 >> 4,),))
        one = Sheet(LIAR, previous, phase, self.pick(0, 1, 3), self.records(phase, previous), asked, b"")
        return one._replace(signature=self.signed(SHEET, one.said()))

    def answer(self, sheet):
        if sheet.phase == 0:
            records = self.pick((), self.commitment())
        else:
            asked = read_records(sheet.each, sheet.records)
            records = self.records(sheet.phase, sheet.previous, asked.candidates, asked.recalls, sheet.asked or ((),))
        contents = tuple(self.contents.values())[-self.pick(0, 2, 8) :]
        one = Answer(LIAR, sheet.digest, records, contents, b"")
        return one._replace(signature=self.signed(ANSWER, one.said()))


def sent(told):
    try:
        return [CONSORTIUM.to_bytes(ExchangeTold(to_bytes(told)))]
    except ValueError:  # of its own making: more than a message holds
        return []


@pytest.mark.parametrize("seed", range(6))
def test_signed_nonsense_ends_nobody_and_others_exchange_all_the_same(seed):
    play = played([party(n) for n in range(MEMBERS)], seed=seed).play(1)
    call(play)
    until(play, 1)
    says = Nonsense(machine(play, LIAR), seed)
    count = 0

    def tampered(moment, sender, receiver, data):
        return None if sender == LIAR else data

    play._tampered = tampered
    while EXCHANGE not in whats(play) and play.round < 40:
        for number in range(MEMBERS - 1):
            own = machine(play, number)
            inbox = []
            sheet = machine(play, 0).convening._sheet
            for _ in range(4):
                if says.chance.random() < 0.3:
                    inbox += sent(says.sheet())
                elif sheet is not None:
                    inbox += sent(says.answer(sheet))
            for data in [CONSORTIUM.to_bytes(Given(tuple(says.contents.values())[-4:])), *inbox]:
                message = CONSORTIUM.from_bytes(data, (MEMBERS,))
                count += 1
                with suppress(OtherSide, Rejected):
                    own._take(message, LIAR, own.aside)
        play.play(1)
    assert count > 50
    assert whats(play)[:1] == [COMMIT]
    assert EXCHANGE in whats(play)
