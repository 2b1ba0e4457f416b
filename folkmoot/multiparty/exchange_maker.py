"""What parties sign of an exchange, and the records of its block; for a program that plays all parties."""

from collections.abc import Callable, Sequence

import numpy as np

from folkmoot.encoding import Value, encode
from folkmoot.ledger.contents import name_of
from folkmoot.multiparty.chain.answering import salted
from folkmoot.multiparty.chain.exchange_rules import settings_of
from folkmoot.multiparty.chain.exchanged import (
    BallotNote,
    Candidate,
    Committed,
    ExchangeBlock,
    Gate,
    RecallNote,
    ShownNote,
    rows_of,
    said_of_ballot,
    said_of_candidate,
    said_of_checks,
    said_of_recalls,
    said_of_shown,
)
from folkmoot.multiparty.chain.signing import BALLOT, CANDIDATE, CHECKS, RECALLS, SHOWN, signature_of
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.exchange.exchanging import Held
from folkmoot.multiparty.party import Party
from folkmoot.signatures import SigningKey

Keys = Callable[[Party], SigningKey]


def commitments(parties: Sequence[Party], state: State, origin: bytes, keys: Keys) -> list[bytes]:
    """Records for check sets that are not on the chain as they are; none: nothing has to be said."""
    found = []
    for number, party in enumerate(parties):
        if party.check is None:
            continue
        said = salted(party, keys(party))
        if state.checks.get(number) != said:
            signature = signature_of(
                keys(party), CHECKS, origin, said_of_checks(number, said, state.life.acts_of(number, CHECKS))
            )
            found.append(Committed(number, said, signature).to_bytes())
    return found


def records_of(
    held: Held, parties: Sequence[Party], state: State, origin: bytes, previous: bytes, keys: Keys
) -> list[bytes]:
    """The records of an exchange, signed; samples and accepted parameters are put into the contents.

    Args:
        held: the exchange.
        parties: in the order of their numbers.
        state: of the chain before it.
        origin: hash of the genesis.
        previous: hash of the block before.
        keys: of each party.

    Raises:
        ValueError: records that are too long for a block.
        NotStored: see `Contents.put`.
    """
    decision = held.votes.decision
    gate = Gate(held.mode, held.each, decision.accepted, decision.reverted, decision.gain)

    def signed(number: int, purpose: str, said: Value) -> bytes:
        return signature_of(keys(parties[number]), purpose, origin, said)

    shown = []
    for one, wrong, verdict in zip(held.shown, held.wrong, held.verdicts, strict=True):
        name = state.contents.put(encode(np.ascontiguousarray(one.x, np.float32)))
        note = ShownNote(one.sender, name, one.label, wrong, b"", verdict)
        shown.append(note._replace(signature=signed(one.sender, SHOWN, said_of_shown(previous, note))))
    candidates = []
    for number, model in sorted(held.candidates.items()):
        taken = decision.accepted and number not in decision.reverted
        parameters = model.to_bytes()
        name = state.contents.put(parameters) if taken else name_of(parameters)
        one_of = Candidate(number, settings_of(model), name, b"")
        candidates.append(one_of._replace(signature=signed(number, CANDIDATE, said_of_candidate(previous, one_of))))
    recalls = []
    for after, reports in ((False, held.bench.reports), (True, held.votes.reports)):
        for judge, rows in sorted(reports.items()):
            told = RecallNote(judge, after, rows_of(rows), b"")
            said = said_of_recalls(previous, candidates, told)
            recalls.append(told._replace(signature=signed(judge, RECALLS, said)))
    ballots = []
    for reverted, by_judge in held.votes.ballots.items():
        for judge, ballot in sorted(by_judge.items()):
            vote = BallotNote(judge, reverted, rows_of(ballot.counts), b"")
            said = said_of_ballot(previous, candidates, recalls, vote)
            ballots.append(vote._replace(signature=signed(judge, BALLOT, said)))
    return ExchangeBlock(gate, tuple(shown), tuple(candidates), tuple(recalls), tuple(ballots)).to_records()
