"""What a liar can say with its own keys, beside what an honest member in its place says.

`OTHERS` has, for each kind of message, the ways to make another one of it; each is well-formed and signed by the liar
unless its name says otherwise. A way gets the liar and the honest message (None: there is none; then it is made up).
"""

from functools import wraps

import numpy as np

from folkmoot.agreement.messages import (
    PRECOMMIT,
    PREVOTE,
    PROPOSAL,
    Blocks,
    Certificate,
    Confirmation,
    Proposal,
    Vote,
    Want,
    proposal_words,
    vote_words,
)
from folkmoot.agreement.signed_messages import Chained
from folkmoot.bc_ucb.contract import MOST_REPORT, ONE
from folkmoot.bc_ucb.messages import ReportSent, SetsSent, Shown
from folkmoot.bc_ucb.records import NO_REPORT, NO_REWARD
from folkmoot.ledger.block import Block
from folkmoot.signatures import SIGNATURE_BYTES

FAR = 1 << 40  # a height or round that nobody reaches
NOTHING = bytes(32)
UNSIGNED = bytes(SIGNATURE_BYTES)
LEAST = np.iinfo(np.int64).min


def kind_of(message, me):
    """The word by which rules speak of a message that a member sends."""
    if isinstance(message, Vote):
        return "prevote" if message.phase == PREVOTE else "precommit"
    if isinstance(message, ReportSent):
        return "report" if message.sender == me else "pushed"
    if isinstance(message, SetsSent):
        try:
            inner = Chained.decode(message.content)
        except ValueError:
            return "relay"
        return "sets" if len(inner.signers) == 1 else "relay"
    return type(message).__name__.lower()


# --- Reports -----------------------------------------------------------------------------------------------------


def _window(liar, low):
    """Just inside what trimming lets through, given what the honest have said."""
    f, heard = liar.faulty, liar.heard_means()
    if len(heard) == 0 or f == 0:
        return None
    ordered = np.sort(heard, axis=0)
    return ordered[min(f, len(ordered)) - 1] + 1 if low else ordered[-min(f, len(ordered))] - 1


def _report(change):
    @wraps(change)
    def way(liar, message):
        message = message or liar.made_report()
        changed = None if message is None else change(liar, message)
        return None if changed is None else liar.signed_report(changed)

    return way


def _means(make):
    def change(liar, message):
        means = make(liar, message)
        return None if means is None else message._replace(means=np.asarray(means, np.int64))

    return _report(change)


def _filled(value):
    return _means(lambda liar, message: np.full(len(message.means), value, np.int64))


def _claim(value):
    return _report(lambda liar, message: message._replace(reward=value))


REPORTS = {
    "tampered": _means(lambda liar, message: message.means + np.arange(len(message.means)) + 1),
    "flipped": _means(lambda liar, message: ONE - message.means),
    "low window": _means(lambda liar, message: _window(liar, True)),
    "high window": _means(lambda liar, message: _window(liar, False)),
    "all 0": _filled(0),
    "all 1": _filled(ONE),
    "the largest": _filled(MOST_REPORT),
    "beyond the largest": _filled(MOST_REPORT + 1),
    "the least integer": _filled(LEAST),
    "claims 1": _claim(ONE),
    "claims 0": _claim(0),
    "claims more than 1": _claim(ONE + 1),
    "claims less than 0": _claim(-ONE),
    "no outcome yet": _report(lambda liar, message: message._replace(reward=NO_REWARD, seal=b"", proof=b"")),
    "claims the last round": _report(lambda liar, message: liar.claiming(message, (1,))),
    "claims the last two rounds": _report(lambda liar, message: liar.claiming(message, (2, 1))),
    "claims this round twice": _report(lambda liar, message: liar.claiming(message, (0,))),
    "claims an earlier outcome": _report(lambda liar, message: liar.with_outcome(message, liar.index, 1)),
    "claims an ally's outcome": _report(lambda liar, message: liar.with_outcome(message, liar.allies[0], 0)),
    "claims a victim's outcome": _report(lambda liar, message: liar.with_outcome(message, liar.victim(), 0)),
    "another block before": _report(lambda liar, message: message._replace(previous=NOTHING)),
    "a far height": _report(lambda liar, message: message._replace(height=FAR)),
    "a far round": _report(lambda liar, message: message._replace(round=FAR)),
    "in another's name": _report(lambda liar, message: message._replace(sender=liar.victim())),
    "a second signature": _report(lambda liar, message: message._replace(signature=UNSIGNED)),
}


# --- Sets ----------------------------------------------------------------------------------------------------------


def _sets(change):
    @wraps(change)
    def way(liar, message):
        named = liar.named(message)
        changed = None if named is None else change(liar, named)
        return None if changed is None else liar.sets_message(changed)

    return way


def _renamed(liar, named, new):
    return named._replace(names=tuple(new(m, name) for m, name in enumerate(named.names)))


def _only(liar, named):
    allies = np.array([m in liar.allies for m in range(len(named.names))])
    return named._replace(members=np.repeat(allies[:, None], named.members.shape[1], axis=1))


def _other_report(liar, named):
    names = liar.other_names()
    return _renamed(liar, named, lambda m, old: names.get(m, old)) if names else None


def _all_by_another(liar, named):
    other = _other_report(liar, named)
    return None if other is None else other._replace(members=np.ones_like(named.members))


SETS = {
    "members flipped": _sets(lambda liar, named: named._replace(members=~named.members)),
    "members all": _sets(lambda liar, named: named._replace(members=np.ones_like(named.members))),
    "members none": _sets(lambda liar, named: named._replace(members=np.zeros_like(named.members))),
    "members allies": _sets(_only),
    "names nobody": _sets(lambda liar, named: _renamed(liar, named, lambda m, old: NO_REPORT)),
    "leaves out a victim": _sets(
        lambda liar, named: _renamed(liar, named, lambda m, old: NO_REPORT if m == liar.victim() else old)
    ),
    "a report that nobody has": _sets(
        lambda liar, named: _renamed(liar, named, lambda m, old: b"x" * 32 if m in liar.allies else old)
    ),
    "a victim's report that nobody has": _sets(
        lambda liar, named: _renamed(liar, named, lambda m, old: b"x" * 32 if m == liar.victim() else old)
    ),
    "the liars' other reports": _sets(_other_report),
    "members all, by the liars' other reports": _sets(_all_by_another),
    "a wrong proof": _sets(lambda liar, named: named._replace(proof=bytes(len(named.proof))) if named.proof else None),
    "in a victim's name": lambda liar, message: liar.forged_sets(message),
    "shows forged evidence": _sets(lambda liar, named: named._replace(shown=(liar.forged_evidence(),))),
    "shows junk": _sets(lambda liar, named: named._replace(shown=(b"junk", bytes(1 << 10)))),
    "no value": lambda liar, message: liar.sets_message(b""),
    "a long value": lambda liar, message: liar.sets_message(bytes(1 << 16)),
}


# --- The vote --------------------------------------------------------------------------------------------------------


def _vote(phase, change):
    def way(liar, message):
        vote = message or Vote(phase, liar.height, liar.round, liar.index, NOTHING, UNSIGNED)
        changed = change(liar, vote)
        if changed is None:
            return None
        words = vote_words(liar.origin, phase, changed.height, changed.round, changed.hash)
        return liar.bytes_of(changed._replace(signature=liar.sign(phase, words)))

    return way


def _votes(phase):
    return {
        "for another block": _vote(phase, lambda liar, vote: _with_hash(vote, liar.other_block())),
        "for nothing": _vote(phase, lambda liar, vote: vote._replace(hash=NOTHING)),
        "for the proposal of another": _vote(phase, lambda liar, vote: _hashed(vote, liar.proposed())),
        "for the last block": _vote(phase, lambda liar, vote: vote._replace(hash=liar.tip)),
        "a far height": _vote(phase, lambda liar, vote: vote._replace(height=FAR)),
        "the next height": _vote(phase, lambda liar, vote: vote._replace(height=vote.height + 1)),
        "the round before": _vote(phase, lambda liar, vote: vote._replace(round=vote.round - 1)),
        "the round after": _vote(phase, lambda liar, vote: vote._replace(round=vote.round + 1)),
        "in a victim's name": lambda liar, message: liar.bytes_of(
            Vote(phase, liar.height, liar.round, liar.victim(), NOTHING, UNSIGNED)
        ),
        "unsigned, a far height": lambda liar, message: liar.bytes_of(
            Vote(phase, FAR, liar.round, liar.index, NOTHING, UNSIGNED)
        ),
    }


def _with_hash(message, block):
    return None if block is None else message._replace(hash=block.hash)


def _hashed(message, hash):
    return None if hash is None else message._replace(hash=hash)


def _proposal(change):
    def way(liar, message):
        proposal = message or Proposal(liar.height, liar.round, liar.index, NOTHING, UNSIGNED, b"")
        changed = change(liar, proposal)
        if changed is None:
            return None
        words = proposal_words(liar.origin, changed.height, changed.round, changed.hash)
        return liar.bytes_of(changed._replace(signature=liar.sign(PROPOSAL, words)))

    return way


def _with_block(proposal, block):
    return None if block is None else proposal._replace(hash=block.hash, block=block.to_bytes())


PROPOSALS = {
    "of another block": _proposal(lambda liar, message: _with_block(message, liar.other_block())),
    "that pays itself 1": _proposal(lambda liar, message: _with_block(message, liar.greedy_block())),
    "without the block": _proposal(lambda liar, message: message._replace(block=b"")),
    "of nothing": _proposal(lambda liar, message: message._replace(hash=NOTHING, block=b"")),
    "a block that is none": _proposal(lambda liar, message: message._replace(hash=NOTHING, block=b"\0" * 99)),
    "the last block": _proposal(
        lambda liar, message: message._replace(hash=liar.tip, block=liar.stored(-1)) if liar.stored(-1) else None
    ),
    "a far height": _proposal(lambda liar, message: message._replace(height=FAR)),
    "a large block": _proposal(lambda liar, message: message._replace(block=bytes(1 << 20))),
}


def _confirmation(change):
    def way(liar, message):
        confirmation = message or Confirmation(liar.height, liar.index, NOTHING, UNSIGNED)
        changed = change(liar, confirmation)
        if changed is None:
            return None
        return liar.bytes_of(changed._replace(signature=liar.sign_header(changed.hash)))

    return way


CONFIRMATIONS = {
    "of another block": _confirmation(lambda liar, message: _with_hash(message, liar.other_block())),
    "of nothing": _confirmation(lambda liar, message: message._replace(hash=NOTHING)),
    "a far height": _confirmation(lambda liar, message: message._replace(height=FAR)),
    "the next height": _confirmation(lambda liar, message: message._replace(height=message.height + 1)),
    "the last block again": _confirmation(lambda liar, message: message._replace(hash=liar.tip)),
}


def _certificate(change):
    def way(liar, message):
        message = message or liar.certificate()
        changed = None if message is None else change(liar, message)
        return None if changed is None else liar.bytes_of(changed)

    return way


CERTIFICATES = {
    "of few": _certificate(lambda liar, c: c._replace(voters=c.voters[:-1], signatures=c.signatures[:-1])),
    "another block": _certificate(
        lambda liar, c: c._replace(block=liar.other_block().to_bytes()) if liar.other_block() else None
    ),
    "a later round": _certificate(lambda liar, c: c._replace(round=liar.round)),
    "a far round": _certificate(lambda liar, c: c._replace(round=FAR)),
    "a far height": _certificate(lambda liar, c: c._replace(height=FAR)),
    "as it was": _certificate(lambda liar, c: c),
    "of nobody": lambda liar, message: liar.bytes_of(Certificate(liar.height, liar.round, NOTHING, (), (), b"")),
}


def _blocks(make):
    def way(liar, message):
        blocks = make(liar)
        return None if blocks is None else liar.bytes_of(Blocks(tuple(blocks)))

    return way


def _own_block(liar, signers):
    block = liar.other_block() or liar.own_block()
    return None if block is None else [liar.block_signed(block, signers).to_bytes()]


def _stripped(liar):
    data = liar.stored(-1)
    if not data:
        return None
    block = Block.from_bytes(data)
    return [Block(block.header, block.records, block.signatures[:-1]).to_bytes()]


BLOCKS = {
    "none": _blocks(lambda liar: ()),
    "no block": _blocks(lambda liar: (b"\0" * 99,)),
    "of its own, signed by liars": _blocks(lambda liar: _own_block(liar, liar.allies)),
    "of its own, unsigned": _blocks(lambda liar: _own_block(liar, ())),
    "with a signature less": _blocks(_stripped),
    "the first, eight times": _blocks(lambda liar: (liar.stored(1),) * 8 if liar.stored(1) else None),
    "of an earlier game": _blocks(lambda liar: liar.past_blocks),
    "large": _blocks(lambda liar: (bytes(1 << 20),) * 2),
}

WANTS = {
    "from the first": lambda liar, message: liar.bytes_of(Want(1)),
    "from a far height": lambda liar, message: liar.bytes_of(Want(FAR)),
    "from height 0": lambda liar, message: liar.bytes_of(Want(0)),
}

JUNK = {
    "no bytes": lambda liar, message: b"",
    "random bytes": lambda liar, message: liar.dice().randbytes(200),
    "a cut message": lambda liar, message: liar.heard()[:-1] if liar.heard() else None,
    "a flipped bit": lambda liar, message: _flipped(liar),
    "16 KiB of an inner message": lambda liar, message: liar.inner_of(1 << 14),
    "256 KiB of an inner message": lambda liar, message: liar.inner_of(1 << 18),
    "4 MiB": lambda liar, message: bytes(1 << 22),
}


def _flipped(liar):
    data = bytearray(liar.heard())
    if data:
        place = liar.dice().randrange(8 * len(data))
        data[place // 8] ^= 1 << place % 8
    return bytes(data)


RELAYS = {
    "by an accomplice, at the last moment": lambda liar, message: liar.late_value(),
    "with a wrong signature": lambda liar, message: liar.spoilt_relay(message),
}

OLD = {
    "of an earlier game": lambda liar, message: liar.past_words(),
    "a round ago": lambda liar, message: liar.old_words(),
    "confirmations of the last block, for the next": lambda liar, message: liar.old_confirmations(),
    "what the honest just said": lambda liar, message: liar.echoes(),
}

PASSED = {
    "nothing": lambda liar, message: liar.passed([]),
    "two reports of its own": lambda liar, message: liar.passed(liar.two_reports()),
    "no reports": lambda liar, message: liar.passed([b"", b"\0" * 50]),
    "what the honest just reported": lambda liar, message: liar.passed(liar.heard_reports()),
    "reports of an earlier game": lambda liar, message: liar.passed(liar.past_words()),
    "in large": lambda liar, message: liar.passed([bytes(1 << 19)] * 4),
    "64 KiB": lambda liar, message: liar.passed([bytes(1 << 14)] * 4),
}

SHOWN = {
    "forged": lambda liar, message: liar.bytes_of(Shown(liar.forged_evidence())),
    "junk": lambda liar, message: liar.bytes_of(Shown(b"junk")),
    "in large": lambda liar, message: liar.bytes_of(Shown(bytes(1 << 20))),
}

COMPARED = {
    "in large": lambda liar, message: liar.answer(1 << 21),
    "in small": lambda liar, message: liar.answer(200),
}
OFFERED = {
    "in large": lambda liar, message: liar.offer(1 << 21),
    "in small": lambda liar, message: liar.offer(200),
}

OTHERS = {
    "report": REPORTS,
    "sets": SETS,
    "relay": RELAYS,
    "proposal": PROPOSALS,
    "prevote": _votes(PREVOTE),
    "precommit": _votes(PRECOMMIT),
    "confirmation": CONFIRMATIONS,
    "certificate": CERTIFICATES,
    "want": WANTS,
    "blocks": BLOCKS,
    "junk": JUNK,
    "old": OLD,
    "passed": PASSED,
    "shown": SHOWN,
    "answer": COMPARED,
    "offer": OFFERED,
}
