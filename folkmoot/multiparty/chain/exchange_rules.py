"""What a block of an exchange must be: each signature, what became of each sample, the votes, the decision.

All of it is computed again but one thing: how a party came to its candidate. It trained on data that nobody else has;
the chain shows which samples of others it could have used, and what the judges say of the result. Candidates that
samples have calibrated are computed again too.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from folkmoot.encoding import encode
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.multiparty.chain.entries import SETTINGS, Entry, with_parameters
from folkmoot.multiparty.chain.exchanged import (
    Candidate,
    Committed,
    ExchangeBlock,
    ballot_in,
    read_committed,
    read_exchange,
    recalls_in,
    said_of_ballot,
    said_of_candidate,
    said_of_checks,
    said_of_recalls,
    said_of_shown,
)
from folkmoot.multiparty.chain.records import read_x
from folkmoot.multiparty.chain.signing import BALLOT, CANDIDATE, CHECKS, RECALLS, SHOWN, is_signed
from folkmoot.multiparty.chain.standing import State, replaced
from folkmoot.multiparty.exchange.ballots import Ballot, Recalled
from folkmoot.multiparty.exchange.bench import sound_ballot, sound_recalls
from folkmoot.multiparty.exchange.exchanging import EXCHANGE
from folkmoot.multiparty.exchange.gate import Judge, decide, listened, suspects
from folkmoot.multiparty.exchange.revealing import Shown, verdicts
from folkmoot.multiparty.models.labels import named
from folkmoot.multiparty.models.model import Model
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.margin import Bools
from folkmoot.multiparty.rules.sample import Sample

JUDGED = "judged"  # exchanges in which a party has voted
MOST_COMMITS = 4  # of a party, more than that


def committed(state: State, records: Sequence[bytes]) -> State:
    """The state after parties have committed to their check sets, each anew if it has done so before.

    Raises:
        RefusedRecord, Malformed: something is not as it should be.
    """
    checks = dict(state.checks)
    if not records:
        raise RefusedRecord("no commitment")
    for number, data in enumerate(records, 1):
        one = read_committed(data)
        party = _party(state, one.party, number)
        if not checks_signed(state, one):
            raise RefusedRecord(f"record {number}: the commitment of {party.name} is not signed by it, or an old one")
        if checks.get(one.party) == one.said:
            raise RefusedRecord(f"record {number}: the commitment of {party.name} stands on the chain already")
        if state.life.acts_of(one.party, CHECKS) - state.life.acts_of(one.party, JUDGED) >= MOST_COMMITS:
            raise RefusedRecord(f"record {number}: {party.name} has committed too often without judging anything")
        foreign = [label for label, _ in one.said.counts if label not in party.classes]
        if foreign:
            label = named(foreign[:1], state.terms.labels)
            raise RefusedRecord(f"record {number}: check samples of class {label}, which {party.name} has not")
        checks[one.party] = one.said
        state = state._replace(life=state.life.done(one.party, CHECKS))
    return state._replace(checks=checks, ahead={})


def checks_signed(state: State, one: Committed) -> bool:
    """Is it signed by whose it is, and the next one of its?"""
    said = said_of_checks(one.party, one.said, state.life.acts_of(one.party, CHECKS))
    return is_signed(state.parties[one.party].key, CHECKS, state.origin, said, one.signature)


def judges_of(state: State) -> tuple[Judge, ...]:
    """Who has committed to a check set."""
    rows = sorted(state.checks.items())
    return tuple(Judge(n, n < state.originals, said.counts) for n, said in rows if state.is_in(n))


def exchanged(state: State, previous: bytes, records: Sequence[bytes]) -> State:
    """The state after an exchange.

    Args:
        state: before it.
        previous: hash of the block before.
        records: of the block, without its head.

    Raises:
        RefusedRecord, Malformed: something is not as it should be; `MissingContent`, `TamperedContent` are such.
    """
    block = read_exchange(records)
    require_signatures(state, previous, block)
    judges, claims = judges_of(state), state.committee.fleet.claims
    reports, later = (reports_in(block, judges, claims, after) for after in (False, True))
    kept = listened(reports, judges, claims)
    if block.gate.mode == EXCHANGE:
        _require_verdicts(state, block, kept)
    else:
        _require_calibrated(state, block)
    votes = _votes(block, judges, later)
    asked = set[tuple[int, ...]]()

    def ask(reverted: tuple[int, ...]) -> Mapping[int, Ballot]:
        if reverted not in votes:
            raise RefusedRecord(f"no ballot on the candidates without those of {list(reverted)}")
        asked.add(reverted)
        return votes[reverted]

    changed = [one.party for one in block.candidates]
    found = decide(ask, changed, judges, claims, suspects(reports, later, judges, claims, changed))
    if set(votes) != asked:
        raise RefusedRecord("ballots that the gate does not ask for")
    told = (block.gate.accepted, block.gate.reverted, block.gate.gain)
    if (found.accepted, found.reverted, found.gain) != told:
        raise RefusedRecord(f"the gate says {tuple(found[:3])}, the block says {told}")
    for judge in sorted({note.judge for note in block.ballots}):
        state = state._replace(life=state.life.done(judge, JUDGED))
    return _replaced(state, block) if found.accepted else state._replace(ahead={})


def _party(state: State, number: int, record: int) -> Entry:
    if number >= len(state.parties) or not state.is_in(number):
        raise RefusedRecord(f"record {record}: party {number}: there is none")
    return state.parties[number]


def require_signatures(state: State, previous: bytes, block: ExchangeBlock) -> None:
    """All records are signed by whose they are.

    Args:
        state: before the exchange.
        previous: hash of the last block.
        block: the records, or some of them.

    Raises:
        RefusedRecord: one is not.
    """
    said = [
        *((note.sender, SHOWN, said_of_shown(previous, note), note.signature) for note in block.shown),
        *((one.party, CANDIDATE, said_of_candidate(previous, one), one.signature) for one in block.candidates),
        *(
            (note.judge, RECALLS, said_of_recalls(previous, block.candidates, note), note.signature)
            for note in block.recalls
        ),
        *(
            (note.judge, BALLOT, said_of_ballot(previous, block.candidates, block.recalls, note), note.signature)
            for note in block.ballots
        ),
    ]
    for number, (who, purpose, what, signature) in enumerate(said, 2):
        party = _party(state, who, number)
        if not is_signed(party.key, purpose, state.origin, what, signature):
            raise RefusedRecord(f"record {number}: not signed by party {who} ({party.name})")


def reports_in(
    block: ExchangeBlock, judges: Sequence[Judge], claims: Bools, after: bool
) -> dict[int, tuple[Recalled, ...]]:
    """What judges say of the models as they are, or of candidates, by the number of the judge.

    Raises:
        RefusedRecord: one cannot have counted that.
    """
    numbered, found = {judge.number: judge for judge in judges}, {}
    for note in block.recalls:
        if note.after != after:
            continue
        rows = recalls_in(note)
        if note.judge not in numbered or not sound_recalls(rows, numbered[note.judge], claims):
            raise RefusedRecord(f"recalls of party {note.judge}: not of the check set it has committed to")
        found[note.judge] = rows
    return found


def _votes(
    block: ExchangeBlock, judges: Sequence[Judge], later: Mapping[int, tuple[Recalled, ...]]
) -> dict[tuple[int, ...], dict[int, Ballot]]:
    """Ballots; who votes also says how often candidates are right, so nobody can leave out that alone."""
    numbered = {judge.number: judge for judge in judges}
    found: dict[tuple[int, ...], dict[int, Ballot]] = {}
    for note in block.ballots:
        ballot = ballot_in(note)
        if note.judge not in numbered or not sound_ballot(ballot, numbered[note.judge]):
            raise RefusedRecord(f"ballot of party {note.judge}: not of the check set it has committed to")
        if note.judge not in later:
            raise RefusedRecord(f"ballot of party {note.judge}: without how often the candidates are right")
        found.setdefault(note.reverted, {})[note.judge] = ballot
    return found


def _require_verdicts(state: State, block: ExchangeBlock, kept: Bools) -> None:
    fleet, shown = state.committee.fleet, []
    for note in block.shown:
        if note.wrong != -1 or note.label >= state.terms.n_classes:
            both = named((note.label, note.wrong), state.terms.labels)
            raise RefusedRecord(f"sample of party {note.sender}: classes {both}")
        x = read_x(state.contents.get(note.name), state.terms.shape)
        shown.append(Shown(note.sender, x[0], note.label))
    if not shown:
        return
    scores = fleet.scores(np.stack([one.x for one in shown]))
    found = verdicts(shown, scores, fleet.claims, kept, block.gate.each)
    for note, verdict in zip(block.shown, found, strict=True):
        if note.verdict != verdict:
            told, ours = (text or "used" for text in (note.verdict, verdict))
            raise RefusedRecord(f"sample of party {note.sender}: {ours}, the block says {told}")


def _require_calibrated(state: State, block: ExchangeBlock) -> None:
    committee = compared(state.committee)
    with np.errstate(all="ignore"):
        for note in block.shown:
            if not (state.claimed(note.label) and note.wrong >= 0 and state.claimed(note.wrong)):
                both = named((note.label, note.wrong), state.terms.labels)
                raise RefusedRecord(f"sample of party {note.sender}: classes {both}")
            x = read_x(state.contents.get(note.name), state.terms.shape)
            verdict = committee.take(Sample(x, note.label, note.wrong, note.sender, note.name)).refused
            if verdict or note.verdict:
                raise RefusedRecord(
                    f"sample of party {note.sender}: {verdict or note.verdict}, expected one that counts"
                )
    before, after = state.committee.fleet, committee.fleet
    moved = [i for i in range(len(state.parties)) if state.is_in(i) and after.hash(i) != before.hash(i)]
    if [one.party for one in block.candidates] != moved:
        raise RefusedRecord(f"candidates of others than of {moved}, which these samples move")
    for one in block.candidates:
        if one.parameters != committee.fleet.hash(one.party):
            raise RefusedRecord(f"candidate of party {one.party}: these samples give other parameters")
        if one.settings != state.parties[one.party].settings:
            raise RefusedRecord(f"candidate of party {one.party}: samples change no settings")


def compared(committee: Committee) -> Committee:
    """A copy of a committee that also compares y- with what it finds itself."""
    twin = committee.copy()
    twin.comparing = True
    return twin


def _replaced(state: State, block: ExchangeBlock) -> State:
    """The state with the candidates that were accepted."""
    parties, models = list(state.parties), dict[int, Model]()
    for one in block.candidates:
        if one.party not in block.gate.reverted:
            parties[one.party] = entry_of(state, one)
            models[one.party] = with_parameters(parties[one.party], state.terms, state.contents.get(one.parameters))
    committee = replaced(state.committee, models)
    if block.gate.mode != EXCHANGE:
        committee.used |= {note.name for note in block.shown}
    life = state.life.with_samples([state.parties[note.sender].name for note in block.shown if not note.verdict])
    return state._replace(parties=tuple(parties), committee=committee, ahead={}, turned_away=0, life=life)


def entry_of(state: State, one: Candidate) -> Entry:
    """The party as it is once its candidate is accepted."""
    return state.parties[one.party]._replace(settings=one.settings, parameters=one.parameters)


def settings_of(model: Model) -> bytes:
    """As the chain has them.

    Raises:
        ValueError: a model that no chain can have.
    """
    return encode(model.settings(), SETTINGS)
