"""One participant's way through one round, from the reports to a candidate for the next block."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement import vrf
from folkmoot.agreement.hand import Hand
from folkmoot.agreement.links import Links
from folkmoot.agreement.messages import Verified
from folkmoot.agreement.shared import by_first
from folkmoot.agreement.signed_messages import Agreement, Rejected
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.bounds import inner_bytes, inner_messages
from folkmoot.bc_ucb.earnings import due_for
from folkmoot.bc_ucb.evidence import false_offer, false_proof, session_id, two_reports, two_sets, two_values
from folkmoot.bc_ucb.kind import made
from folkmoot.bc_ucb.messages import GAME, Answer, Early, Offer, Passed, ReportSent, verify_early
from folkmoot.bc_ucb.passing import Late, lacking
from folkmoot.bc_ucb.records import NO_REPORT, REPORT, SETS, Named, Report, RoundRecord, named_words
from folkmoot.bc_ucb.round import hear, named, usable
from folkmoot.bc_ucb.rules import Rounds, Unfinished, counted
from folkmoot.bc_ucb.state import State
from folkmoot.bc_ucb.validators import asked, drawn_by_coins, has_proof, is_drawn, proven_output
from folkmoot.comparison.in_rounds import Comparison
from folkmoot.encoding import Malformed
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain
from folkmoot.machine import Effects, Noticed
from folkmoot.signatures import check

TWO_REPORTS, TWO_SETS, NO_VALIDATOR, NO_PROOF = "two reports", "two sets", "no validator", "no proof"  # what is noticed


class Deliberation:
    """See participant.py for the order of calls.

    Attributes:
        previous: hash of the block that the round's block is to follow.
        origin: what stands for this game in every signature.
        validators: their numbers where coins are public, else None.
        proof: of the own verifiable random function, empty where coins are public.
        drawn: am I a validator?
        held: reports by their names.
        offered: validators whose offers were taken.
        named: what was named here, once it was.
        late: reports that come too late to be named.
        answers: to the own offer of a comparison, by participant.
        values: of each general the agreed value (or None) once the agreement is over.
    """

    __slots__ = (
        "_agreeing", "_agreement", "_blinding_bytes", "_call", "_chain", "_comparison", "_first", "_hand", "_inner",
        "_latest", "_me", "_members", "_most_inner", "_most_relayed", "_params", "_relayed", "_rules", "_sets",
        "_state", "_step_number", "_taking_part", "_told", "_told_beside", "answers", "drawn", "held", "late", "named",
        "offered", "origin", "previous", "proof", "round", "validators", "values",
    )  # fmt: skip

    def __init__(
        self, me: int, hand: Hand, chain: Chain, round: int, params: Params, comparison: Comparison, rules: Rounds
    ) -> None:
        self._rules, self._call, self._latest = rules, rules.call, rules.latest
        self._me, self._hand, self._chain, self._params, self._comparison = me, hand, chain, params, comparison
        self.round, self.previous = round, chain.tip
        self._state: State = chain.state
        self.origin = self._state.origin
        self.validators: tuple[int, ...] | None = None
        self.proof = b""
        self.held: dict[bytes, Report] = {}
        self.named: Named | None = None
        self._told: dict[int, ReportSent] = {}  # the first in time of each
        self._told_beside: dict[int, ReportSent] = {}  # and a second one of whom has said two: what proves that it lies
        self._first: dict[int, ReportSent] = {}  # that was seen of each, in time or late
        self.answers: dict[int, bytes] = {}
        self.offered: set[int] = set()
        self._agreement: Agreement | None = None
        self._agreeing = False
        self._inner: list[bytes] = []
        self._relayed: dict[int, int] = {}  # how many of these each has sent in this stage
        self.values: dict[int, bytes | None] | None = None
        self._sets: dict[int, Named] | None = None  # those of the values that count
        self._step_number = 0
        state, settings = self._state, self._state.configuration
        self._most_inner = self._call(inner_bytes, settings)  # bytes of one
        self._blinding_bytes = settings.blinding_bytes
        self.late = Late(settings.terms.n_participants)
        if settings.coins is not None:
            self.validators = self._members = drawn_by_coins(settings, state.weights, round, self._call)
            self.drawn = me in self.validators
        else:
            proof = hand.identity.prove(asked(settings, self.previous, round))
            self.drawn = is_drawn(settings, state.weights, me, vrf.output(proof))
            self.proof = proof if self.drawn else b""
            self._members = tuple(m for m in range(len(state.members)) if m not in state.excluded)
        self._most_relayed, self._taking_part = inner_messages(len(self._members)), frozenset(self._members)

    def tell(self, effects: Effects) -> None:
        """What the agreement, which is over, took and brought to light."""
        agreement = self._agreement
        if agreement is not None:
            effects.counts["signatures"] += agreement.checked
            effects.noticed += [Noticed(-1, reason) for reason in agreement.rejected.elements()]
            for fault in agreement.proofs_of_fault():
                who = self.members()[fault.general]
                shown = two_values(who, self.round, self.previous, agreement, fault)
                effects.noticed.append(Noticed(who, TWO_SETS, shown))
            if self.validators is None:
                for who, value in (self.values or {}).items():
                    effects.noticed += self._without_proof(who, value)

    def _without_proof(self, who: int, value: bytes | None) -> list[Noticed]:
        """Evidence, if an agreed value is signed but its proof shows nothing."""
        named = None if value is None else self._read(value)
        if named is None or self._proven(who, named.proof) is not None:
            return []
        words = named_words(self.origin, self.previous, self.round, who, named)
        if not check(self._state.keys[who], SETS, words, named.signature):
            return []
        return [Noticed(who, NO_PROOF, false_proof(who, self.round, self.previous, named))]

    def contradicting(self, record: RoundRecord | None) -> list[Noticed]:
        """Evidence, if a record that would follow holds other sets of somebody than were agreed on here."""
        if self.values is None or record is None or record.round != self.round:
            return []
        other = {v: value for v, value in record.sets if self.values.get(v) not in (None, value)}
        state, found = self._state, list[Noticed]()
        mine, theirs = (
            counted(state, self.previous, self.round, {v: values[v] for v in other}, self._call) if other else {}
            for values in (self.values, other)
        )
        for who in mine.keys() & theirs.keys():
            found.append(Noticed(who, TWO_SETS, two_sets(who, self.round, self.previous, mine[who], theirs[who])))
        return found

    def _proven(self, participant: int, proof: bytes) -> bytes | None:
        """What a proof shows of the participant's random function."""
        settings = self._state.configuration
        return proven_output(settings, self.previous, self.round, participant, proof, self._call)

    def is_validator(self, participant: int, proof: bytes) -> bool:
        """Is another one a validator, by coins or by this proof?"""
        if self.validators is not None:
            return participant in self.validators
        state = self._state
        about = self.previous, self.round, participant, proof
        return has_proof(state.configuration, state.weights, *about, self._call)

    def matters(self, message: Early) -> bool:
        """Would this message, if it is verified, change anything?"""
        if isinstance(message, ReportSent):
            return message.sender not in self._told_beside
        if isinstance(message, Answer):
            return message.validator == self._me and message.sender not in self.answers
        return message.sender not in self.offered

    def take_report(self, verified: Verified[ReportSent]) -> list[Noticed]:
        """Hold a report for this round after this block; two of one participant are evidence."""
        message = verified.message
        report = message.report
        if len(report.blinding) != self._blinding_bytes:
            raise Rejected("disclosure")
        sender, name = message.sender, report.name
        if name in self.held or sender in self._told_beside:
            return []
        first = self._told.setdefault(sender, message)
        self._first.setdefault(sender, message)
        self.held[name] = report
        if first is message:
            return []
        self._told_beside[sender] = message
        return [Noticed(sender, TWO_REPORTS, two_reports(first, message))]

    def pass_on(self, links: Links) -> list[tuple[int, Passed]]:
        """Before sets are named: what came in time, to each who may name, if messages get lost.

        Whoever did it always would pay for it always.
        """
        links.heard(REPORT, self.round, self._told)
        if not links.bad(self.round):
            return []
        told = [GAME.to_bytes(message) for m in sorted(self._told) for message in self._all_told(m)]
        message = Passed(self.round, tuple(told[: self._state.configuration.terms.n_participants]))
        return [(m, message) for m in self.members() if m != self._me]

    def _all_told(self, participant: int) -> list[ReportSent]:
        """Its reports, in the order in which they came."""
        return [told[participant] for told in (self._told, self._told_beside) if participant in told]

    def take_passed(self, message: Passed, sender: int, in_time: bool, effects: Effects) -> None:
        """Reports by the hand of another one: as if from whose they are until sets are named, then for the block alone.

        Raises:
            Malformed, Rejected: it is not what it should be; what came before that is taken.
        """
        reading = by_first(self._call, GAME.from_bytes, self._state.members.shape)
        for data in message.reports:
            report = reading.known.get(data) or reading.learn(data)
            if not isinstance(report, ReportSent) or (report.previous, report.round) != (self.previous, self.round):
                raise Rejected("passed on something else")
            name = report.report.name
            if name in self.held:
                continue
            if not in_time:
                self.late.take(sender, report, name)
            elif self.matters(report):
                verified = verify_early(report, self._state.keys, self.origin, self._call)
                effects.counts["signatures"] += 1
                effects.noticed += self.take_report(verified)

    def take_answer(self, verified: Verified[Answer]) -> None:
        """An answer to the own offer."""
        self.answers[verified.message.sender] = verified.message.content

    def take_offer(self, verified: Verified[Offer]) -> list[Noticed]:
        """A validator offers to compare; `offered` has it then. Who is none has shown it."""
        offer = verified.message
        if self.is_validator(offer.sender, offer.drawn):
            self.offered.add(offer.sender)
            return []
        if self.validators is None and self._proven(offer.sender, offer.drawn) is None:
            return [Noticed(offer.sender, NO_PROOF, false_offer(offer))]
        return [Noticed(offer.sender, NO_VALIDATOR)]  # who is drawn depends on more than the genesis says

    def naming(self, shown: tuple[bytes, ...] = ()) -> Named:
        """What a validator names, and of which reports, beside what it shows; signed."""
        state = self._state
        (m, k), terms = state.members.shape, state.configuration.terms  # Python's numbers are quicker here
        reports = {m: said.report for m, said in self._told.items() if m not in self._told_beside}
        rows, names = [(0,) * k] * m, [NO_REPORT] * m  # who says two things says nothing
        for sender, report in reports.items():
            names[sender], rows[sender] = report.name, tuple(report.means.tolist())
        table, present = np.array(rows, np.object_), np.zeros(m, np.bool_)
        for sender, report in reports.items():
            present[sender] = due_for(state, self.round, report).refused is None and usable(terms, table, sender)
        heard, params = present.copy(), self._params
        if params.faulty != state.faulty:
            params = params._replace(faulty=state.faulty)
        if params.screening:
            heard &= self._comparison.passed(self.answers)
        hear(params, present, self.round - state.round > 1, heard)
        sets = self._call(_members_named, params, tuple(heard.tolist()), tuple(rows))
        self.named = self.signed(Named(self.proof, sets, tuple(names), shown, b"", self.blinding(SETS)))
        return self.named

    def blinding(self, purpose: str) -> bytes:
        """What makes commitments of the own report or set; empty where everybody may read them."""
        hidden = self._state.configuration.sealed
        return self._hand.blinding(purpose, self.origin, self.round) if hidden else b""

    def signed(self, named: Named, hand: Hand | None = None) -> Named:
        """With the signature that belongs into the value; `hand` as in `agreement`."""
        words = named_words(self.origin, self.previous, self.round, self._me, named)
        signature = (hand or self._hand).sign(SETS, self.round, words)
        return Named(*named[:4], signature, named.blinding)

    def members(self) -> tuple[int, ...]:
        """Who takes part in the agreement: the validators, or everybody where only proofs tell who they are."""
        return self._members

    def agreement(self, value: bytes | None, hand: Hand | None = None) -> Agreement:
        """The own part in the agreement, with this value, signed by `hand` (None: the own, which signs one value)."""
        settings, members = self._state.configuration, self.members()
        keys = [settings.keys[m] for m in members]
        faulty = min(settings.terms.faulty, len(members) - 1)
        signs = (hand or self._hand).general(self.round)
        return Agreement(keys, signs, faulty, session_id(self.origin, self.previous, self.round), value, self._call)

    def start(self, value: bytes | None) -> list[bytes]:
        """Begin to agree; what to send to all. None: nothing is said, but relayed."""
        if self._me not in self.members():
            return []
        self._agreement, self._agreeing = self.agreement(value), True
        return self._step([])

    def take_inner(self, content: bytes, sender: int) -> None:
        """A message of the agreement; it waits for the relay round, unverified, so there is room for few of each.

        Raises:
            Rejected: it is too large, from nobody who takes part, or one too many. Who goes by another last block takes
                part in another session, maybe with more others: only what is too much for any session is a fault.
        """
        if not self._agreeing:
            return
        if sender not in self._taking_part:
            raise Rejected("session")
        if len(content) > self._most_inner:
            raise Rejected("too large")
        sent = self._relayed[sender] = self._relayed.get(sender, 0) + 1
        if sent > self._most_relayed:
            raise Rejected("too many" if sent > inner_messages(len(self._state.members)) else "session")
        self._inner.append(content)

    def relay(self) -> list[bytes]:
        """The next relay round; what to send to all."""
        received, self._inner = self._inner, []
        self._relayed.clear()
        return self._step(received) if self._agreeing else []

    def pushed(self) -> list[tuple[int, Passed]]:
        """To each validator whose value was accepted in the last step: what it lacks.

        What the value names is wanted here from now on.
        """
        if self._agreement is None:
            return []
        members, found = self.members(), []
        for general, value in self._agreement.fresh:
            other = self._read(value)
            if other is not None:
                self.late.wanted.update(other.names)
                own = self.named if self.drawn else None
                names = [] if own is None or own.names == other.names else lacking(own, other)
                if names and members[general] != self._me:
                    sent = tuple(self._as_sent(self.held[name]) for name in names)
                    found.append((members[general], Passed(self.round, sent)))
        return found

    def _read(self, value: bytes) -> Named | None:
        try:
            m, k = self._state.members.shape
            return Named.from_bytes(value, m, k, self.validators is None)
        except Malformed:
            return None

    def _as_sent(self, report: Report) -> bytes:
        told = self._all_told(report.participant)
        return GAME.to_bytes(next(message for message in told if message.signature == report.signature))

    def hold_late(self, effects: Effects) -> None:
        """Hold what came late and is wanted; another one than the first of its sender is evidence."""
        found = self.late.found(self.held, self._state.keys, self.origin)
        for verified in found:
            message = verified.message
            self.held[message.report.name] = message.report
            first = self._first.setdefault(message.sender, message)
            if first.report.name != message.report.name:
                effects.noticed.append(Noticed(message.sender, TWO_REPORTS, two_reports(first, message)))
        effects.counts["signatures"] += len(found)

    def _step(self, received: list[bytes]) -> list[bytes]:
        agreement = self._agreement
        assert agreement is not None
        outgoing = agreement.step(self._step_number, received)
        self._step_number += 1
        if agreement.finished:
            self._agreeing = False
            self.values = dict(zip(self.members(), agreement.result()))
        return [content for _, content in outgoing]

    def candidate(self) -> Block | None:
        """The block that follows from the agreed values; None: there is none, or not all it needs is at hand."""
        if self.values is None:
            return None
        values, state = self.values, self._state  # a report's name is a digest of all that it says
        name = (state.origin, self.previous, state.digest, self.round, tuple(values.items()), frozenset(self.held))
        candidate: Block | None = self._latest(name, partial(self._concluded, values))
        return candidate

    def _concluded(self, values: dict[int, bytes | None]) -> Block | None:
        try:
            return made(self._rules, self._chain, self.round, values, self.held)
        except Unfinished:
            return None

    def agrees(self, record: RoundRecord | None) -> bool:
        """Is this record made of the values that were agreed on here?"""
        if self.values is None or record is None or record.round != self.round:
            return False
        if self._sets is None:
            self._sets = counted(self._state, self.previous, self.round, self.values, self._call)
        return dict(record.sets) == {v: self.values[v] for v in self._sets}


def _members_named(params: Params, heard: tuple[bool, ...], reports: tuple[tuple[int, ...], ...]) -> NDArray[np.bool_]:
    """[participants, arms], whom `named` names; who has heard the same names the same."""
    sets: NDArray[np.bool_] = np.zeros((1, len(reports), params.n_arms), np.bool_)
    named(params, heard, np.array(reports, np.object_), sets, 0)
    sets.setflags(write=False)
    members: NDArray[np.bool_] = sets[0]
    return members
