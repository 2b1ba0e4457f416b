"""The rules of acts (acts.py): what a chain becomes by a block in which somebody leaves, is expelled, or changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.multiparty.chain.acts import (
    Admitted,
    Approval,
    Checkpoint,
    Expelled,
    Forged,
    Late,
    Left,
    Prediction,
    Repeated,
    Rotated,
    TooFew,
    Updated,
    read_act,
    require_approved,
    what_of,
)
from folkmoot.multiparty.chain.checkpoints import snapshot_name
from folkmoot.multiparty.chain.entries import MOST_PARTIES, Entry, load
from folkmoot.multiparty.chain.records import PREDICT, ROTATE, UPDATE
from folkmoot.multiparty.chain.signing import (
    APPLICATION,
    CHANGE,
    EXPULSION,
    LEAVING,
    PREDICTION,
    REVIEW,
    ROTATION,
    is_signed,
)
from folkmoot.multiparty.chain.standing import State, replaced
from folkmoot.multiparty.chain.voting import quorum
from folkmoot.multiparty.exchange.bench import Commitment


def changed(state: State, what: str, height: int, data: bytes) -> State:
    """The state after an act.

    Args:
        state: before it, with the block's maker and round entered.
        what: the head says the block is.
        height: of the block.
        data: the record.

    Raises:
        RefusedRecord, Malformed: the rules refuse it; a subclass says how: `Forged`, `Repeated`, `Late`, `TooFew`.
        UnknownRules: a model of a kind that is not known here.
    """
    act = read_act(data)
    if what_of(act) != what:
        raise Malformed(f"{what_of(act)!r} in a block of {what!r}")
    if not state.terms.approvals:
        raise RefusedRecord(f"{what!r}: by these terms nobody leaves, and no model or key changes")
    return _RULES[type(act)](state, act, height)._replace(ahead={})


def _named(state: State, number: int, until: int, height: int) -> Entry:
    """The party that an act is about, which must be in; and the act in time."""
    if number >= len(state.parties):
        raise RefusedRecord(f"there is no party {number}")
    party = state.parties[number]
    if number in state.life.gone:
        raise Late(f"{party.name} is gone already")
    if height > until:
        raise Late(f"said of {party.name} for blocks up to {until}, this is block {height}")
    return party


def _in_order(state: State, number: int, what: str, before: int) -> None:
    wanted, name = state.life.acts_of(number, what), state.parties[number].name
    if before < wanted:
        raise Repeated(f"{what!r} of {name} after {before} others: {wanted} stand on the chain already")
    if before > wanted:
        raise RefusedRecord(f"{what!r} of {name} after {before} others: {wanted} stand on the chain")


def _require_signed(state: State, number: int, purpose: str, said: Value, signature: bytes) -> None:
    party = state.parties[number]
    if not is_signed(party.key, purpose, state.origin, said, signature):
        raise Forged(f"the {purpose} is not signed by {party.name}")


def _without(state: State, number: int) -> State:
    life = state.life._replace(gone=state.life.gone | {number})
    return state._replace(committee=replaced(state.committee, {number: None}), life=life)


def _left(state: State, act: Left, height: int) -> State:
    party = _named(state, act.number, act.until, height)
    _require_signed(state, act.number, LEAVING, act.said(), act.signature)
    if state.trusted == (act.number,):
        raise RefusedRecord(f"{party.name} is the last original party: it cannot leave")
    return _without(state, act.number)


def _expelled(state: State, act: Expelled, height: int) -> State:
    party = _named(state, act.number, act.until, height)
    trusted = state.trusted
    for number, signature in act.signatures:
        if number not in trusted or number == act.number:
            raise RefusedRecord(f"party {number} has no say in whether {party.name} is expelled")
        _require_signed(state, number, EXPULSION, act.said(), signature)
    if len(act.signatures) < quorum(len(trusted)):
        raise TooFew(f"{len(act.signatures)} of {len(trusted)} original parties expel {party.name}: "
                     f"{quorum(len(trusted))} must")  # fmt: skip
    return _without(state, act.number)


def _require_approved(
    state: State, about: Value, party: Entry, approvals: Sequence[Approval], number: int = -1
) -> None:
    """As many original parties approve a model as must; `number`: of the party whose it is, -1: a newcomer's."""
    judges, terms = state.judges(party.classes, number), state.terms
    for approval in approvals:
        if approval.approver not in judges:
            raise RefusedRecord(f"party {approval.approver} is none whose approval of {party.name} counts")
        _require_signed(state, approval.approver, REVIEW, approval.said(about), approval.signature)
        for what, away, most in (("", approval.distance, terms.omega), ("outside ", approval.outside, terms.outside)):
            if not away <= most:
                raise RefusedRecord(f"{what}distance of {party.name} = {away:g}: at most {most:g} is admitted")
    if len(approvals) < state.needed(judges, number):
        raise TooFew(f"{len(approvals)} approve {party.name}: {state.needed(judges, number)} must")
    elsewhere = [judge for judge in judges if set(state.parties[judge].classes) - set(party.classes)]
    if terms.outside < 1.0 and elsewhere and not any(approval.approver in elsewhere for approval in approvals):
        raise TooFew(
            f"none of those who approve {party.name} knows a class that it does not claim; {len(elsewhere)} do"
        )


def _updated(state: State, act: Updated, height: int) -> State:
    party, before = act.party, _named(state, act.number, act.until, height)
    _in_order(state, act.number, UPDATE, act.before)
    if (party.name, party.key) != (before.name, before.key):
        raise RefusedRecord(f"another model of {before.name}: it has the name or key of somebody else")
    if act.number < state.originals and party.classes != before.classes:
        raise RefusedRecord(f"another model of {before.name}, an original party: expected the same classes")
    _require_signed(state, act.number, CHANGE, act.said(), act.consent)
    _require_approved(state, act.about(), party, act.approvals, act.number)
    model = load(party, state.terms, state.contents)
    parties = (*state.parties[: act.number], party, *state.parties[act.number + 1 :])
    return state._replace(
        parties=parties,
        committee=replaced(state.committee, {act.number: model}),
        life=state.life.done(act.number, UPDATE),
        checks=_checks_left(state, act.number, party.classes),
        turned_away=0,
    )


def _checks_left(state: State, number: int, classes: Sequence[int]) -> Mapping[int, Commitment]:
    """Commitments to check sets; that of a party holds no longer if it has samples of classes that it now does not."""
    said = state.checks.get(number)
    if said is None or {label for label, _ in said.counts} <= set(classes):
        return state.checks
    return {other: one for other, one in state.checks.items() if other != number}


def _admitted(state: State, act: Admitted, height: int) -> State:
    party, terms = act.party, state.terms
    require_approved(party.name, act.until, height)
    if terms.approvals == 1 and terms.outside == 1.0:
        raise RefusedRecord(f"{party.name}: by these terms a newcomer is registered by the one who approves it")
    if state.is_taken(party.name, party.key):
        raise RefusedRecord(f"the name or the key of {party.name} is that of a party already")
    if not is_signed(party.key, APPLICATION, state.origin, tuple(party), act.consent):
        raise Forged(f"the application is not signed by {party.name}")
    _require_approved(state, act.about(), party, act.approvals)
    if len(state.parties) >= MOST_PARTIES:
        raise RefusedRecord(f"{party.name} would be party {MOST_PARTIES}: no more are allowed")
    committee = state.committee.with_model(load(party, terms, state.contents))
    return state._replace(parties=(*state.parties, party), committee=committee, turned_away=0)


def _rotated(state: State, act: Rotated, height: int) -> State:
    party = _named(state, act.number, act.until, height)
    _in_order(state, act.number, ROTATE, act.before)
    if state.is_taken("", act.key) or act.key in state.miners:
        raise RefusedRecord(f"another key of {party.name}: it is or was somebody's already")
    _require_signed(state, act.number, ROTATION, act.said(), act.old)
    if not is_signed(act.key, ROTATION, state.origin, act.said(), act.new):
        raise Forged(f"the {ROTATION} of {party.name} is not signed by its new key")
    parties = (*state.parties[: act.number], party._replace(key=act.key), *state.parties[act.number + 1 :])
    life = state.life.done(act.number, ROTATE)
    return state._replace(parties=parties, life=life._replace(retired=life.retired | {party.key}))


def _checkpoint(state: State, act: Checkpoint, height: int) -> State:
    name = snapshot_name(state)
    if act.snapshot != name:
        raise RefusedRecord(f"the state hashes to {name.hex()}, the block says {act.snapshot.hex()}")
    return state


def _predicted(state: State, act: Prediction, height: int) -> State:
    party = _named(state, act.number, act.until, height)
    _in_order(state, act.number, PREDICT, act.before)
    _require_signed(state, act.number, PREDICTION, act.said(), act.signature)
    if act.models != models_of(state):
        raise Late(f"the prediction of {party.name} is by other models than those that are in now")
    if max(act.answers) >= state.terms.n_classes:
        raise RefusedRecord(f"answer {max(act.answers)}: the classes are 0 to {state.terms.n_classes - 1}")
    return state._replace(life=state.life.done(act.number, PREDICT))


def models_of(state: State) -> tuple[tuple[int, bytes], ...]:
    """The number of each party that is in, and the name of its model's parameters as they now are."""
    fleet = state.committee.fleet
    return tuple((number, fleet.hash(number)) for number in range(len(state.parties)) if state.is_in(number))


_RULES: dict[type[Any], Callable[[State, Any, int], State]] = {
    Left: _left,
    Expelled: _expelled,
    Updated: _updated,
    Admitted: _admitted,
    Rotated: _rotated,
    Checkpoint: _checkpoint,
    Prediction: _predicted,
}
