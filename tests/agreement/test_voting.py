"""Voting on a chain of notes, which is neither a game nor a consortium: what a kind says is one argument."""

from collections import namedtuple
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from nacl.signing import SigningKey
from votes_alone import VOTING

from folkmoot.agreement.carried import AsItStands
from folkmoot.agreement.evidence import culprit, kinds_of
from folkmoot.agreement.hand import Hand
from folkmoot.agreement.identity import Identity, WouldEquivocate
from folkmoot.agreement.known import LOCK
from folkmoot.agreement.messages import PREVOTE, Blocks, Certificate, Confirmation, Want
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.agreement.voting import Voter
from folkmoot.encoding import Malformed, decode, encode
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Genesis, apply_block, begin, propose
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.machine import Append, Effects, Floor, Kept, Moment, Noticed, Put
from folkmoot.signatures import sign_header

SEEDS = [bytes([n]) * 32 for n in range(1, 5)]
KEYS = tuple(Identity(seed).public_key for seed in SEEDS)
QUORUM = 3
Ground = namedtuple("Ground", ("origin", "keys"))


class Notes(AsItStands):
    """Four members write notes; the proposer of a round is its number modulo four."""

    forms = VOTING

    def __init__(self):
        self.learnt = []

    def shape(self, state):
        return (len(KEYS),)

    def origin(self, chain):
        return chain.genesis.hash

    def keys(self, state):
        return KEYS

    def quorum(self, state):
        return QUORUM

    def follow(self, chain, block):
        if block.records == (b"no",) or propose(chain, block.records).header != block.header:
            raise RefusedRecord("it does not follow")
        return chain.state

    def append(self, chain, block):
        return apply_block(chain, block)

    def proposed(self, chain, note):
        return propose(chain, [note])

    def candidate(self, voter):
        proposed = voter.proposals.get(voter.round % len(KEYS))
        return proposed if proposed in voter.states else None

    def committed(self, final, effects):
        self.learnt.append(final.block.records)


def first():
    keys = tuple(sorted(KEYS))
    return begin(Genesis("notes", (keys, QUORUM)))


class Member:
    def __init__(self, index, floor=Floor(), kind=Notes):  # noqa: B008
        self.index, self.store, self.kind = index, Kept(), kind()
        self.born(floor)

    def born(self, floor=Floor()):  # noqa: B008
        self.waiting, chain = [], first()
        for height in range(1, self.store.height + 1):
            chain = self.kind.append(chain, self.kind.received(self.store.block(height)))
        hand = Hand(SEEDS[self.index], (), self.store.values, self.waiting.append, floor)
        self.voter = Voter(self.index, hand, self.kind, chain, self.store)
        self.voter.resume(self.store.values)

    def keep(self, moment, effects):
        self.store.store(moment, [*self.waiting, *effects.keep])
        self.waiting.clear()


@dataclass(frozen=True)
class Annotated(Block):
    """A note with a word that only members see."""

    word: bytes = b""


class AnnotatedNotes(Notes):
    """Nothing follows without its word, which is the note read backwards."""

    def carried(self, block):
        return encode((block.to_bytes(), block.word))

    def received(self, data):
        plain, word = decode(data)
        block = Block.from_bytes(plain)
        return Annotated(block.header, block.records, block.signatures, word)

    def proposed(self, chain, note):
        block = propose(chain, [note])
        return Annotated(block.header, block.records, (), note[::-1])

    def follow(self, chain, block):
        if block.word != block.records[0][::-1]:
            raise RefusedRecord("another word")
        return super().follow(chain, block)

    def append(self, chain, block):
        self.follow(chain, replace(block, signatures=()))
        return super().append(chain, block)


PROPOSE, VOTE = 0, 1  # stages; the prevote is in stage 1


def played(members, t, note=b"note", lose=lambda stage, message: False, sent=None):
    """A round; what was sent is added to `sent`."""
    sent, inbox = [] if sent is None else sent, [[] for _ in members]
    for stage in range(5):
        arrived, inbox = inbox, [[] for _ in members]
        for m, member in enumerate(members):
            effects, voter = Effects(), member.voter
            if stage == PROPOSE:
                voter.enter(t)
            for sender, message in arrived[m]:
                voter.take(message, sender, effects)
            if stage == PROPOSE and not voter.show_lock(effects) and t % len(KEYS) == m:
                block = member.kind.proposed(voter.chain, note)
                if voter.consider(block, effects):
                    voter.propose(block.hash, effects)
            if stage >= VOTE:
                voter.vote(stage - VOTE, effects)
            voter.close(effects)
            member.keep(Moment(t, stage), effects)
            for receiver, data in effects.send:
                message = VOTING.from_bytes(data, (len(KEYS),))
                sent.append((stage, m, message))
                for to in range(len(members)):
                    if to != m and receiver in (None, to) and not lose(stage, message):
                        inbox[to].append((m, message))
    return sent


def test_a_note_that_is_proposed_is_final_in_its_round_and_learnt_from():
    members = [Member(m) for m in range(4)]
    played(members, 1, b"one")
    played(members, 2, b"two")
    assert [member.kind.learnt for member in members] == [[(b"one",), (b"two",)]] * 4
    assert len({member.voter.chain.tip for member in members}) == 1
    assert [member.store.height for member in members] == [2] * 4


def test_what_does_not_follow_is_not_proposed_nor_voted_for():
    members = [Member(m) for m in range(4)]
    assert played(members, 1, b"no") == []
    assert members[0].voter.chain.height == 0


def test_a_lock_that_was_kept_is_shown_and_becomes_the_block():
    members = [Member(m) for m in range(4)]
    played(members, 1, b"one", lambda stage, message: stage == VOTE + 1)
    for member in members:
        assert LOCK in member.store.values
        member.born()
    sent = played(members, 2, b"two")
    assert {type(message) for stage, _, message in sent if stage == PROPOSE} == {Certificate}
    assert [member.kind.learnt for member in members] == [[(b"one",)]] * 4
    assert LOCK not in members[0].store.values


def test_everything_signed_is_kept_before_it_leaves_and_not_signed_otherwise_after():
    member = Member(0)
    hand = member.voter.hand
    hand.sign(PREVOTE, 7, b"words")
    hand.confirm(3, b"h" * 32)
    assert all(isinstance(item, Put) for item in member.waiting)
    member.keep(Moment(7, 0), Effects())
    member.born()
    again = member.voter.hand
    again.sign(PREVOTE, 7, b"words")
    for late in (lambda: again.sign(PREVOTE, 7, b"other"), lambda: again.sign(PREVOTE, 6, b"words")):
        with pytest.raises(WouldEquivocate):
            late()
    with pytest.raises(WouldEquivocate):
        again.confirm(3, b"g" * 32)


def test_below_its_floor_a_hand_signs_nothing():
    hand = Member(0, Floor(5, 3)).voter.hand
    for round in (0, 3, 4):
        with pytest.raises(WouldEquivocate):
            hand.sign(PREVOTE, round, b"words")
    for height in (1, 2):
        with pytest.raises(WouldEquivocate):
            hand.confirm(height, b"h" * 32)
    hand.sign(PREVOTE, 5, b"words")
    hand.confirm(3, b"h" * 32)


def test_blocks_that_are_asked_for_come_from_the_store():
    members = [Member(m) for m in range(4)]
    for t in (1, 2, 3):
        played(members, t, b"%d" % t)
    late, effects, answer = Member(0), Effects(), Effects()
    late.voter.enter(4)
    late.voter.take(Confirmation(4, 1, b"h" * 32, bytes(64)), 1, effects)
    late.voter.close(effects)
    ((to, data),) = effects.send
    want = VOTING.from_bytes(data, (4,))
    assert (to, want, effects.behind) == (1, Want(1), [1])
    members[1].voter.take(want, 0, answer)
    with pytest.raises(Rejected):
        members[1].voter.take(want, 0, answer)  # once a round
    effects = Effects()
    late.voter.take(VOTING.from_bytes(answer.send[0][1], (4,)), 1, effects)
    assert [item.height for item in effects.keep if isinstance(item, Append)] == [1, 2, 3]
    assert late.voter.chain == members[0].voter.chain


def test_attack_of_an_old_confirmation_in_anothers_name_takes_nobodys_place():
    """A header's signature names no height: whoever has an old one could pass it off as that of the next block."""
    members, said = [Member(index) for index in range(4)], []
    played(members, 1, sent=said)
    old = [message._replace(height=2) for _, _, message in said if isinstance(message, Confirmation)]
    assert {message.sender for message in old} == {0, 1, 2, 3}
    for victim in members[:3]:
        for message in old:
            if message.sender != 3:
                with suppress(Rejected):
                    victim.voter.take(message, 3, Effects())
    played(members, 2)
    assert [member.voter.chain.height for member in members[:3]] == [2, 2, 2]


def test_members_hand_on_and_keep_more_than_the_chain_holds():
    """In proposals, certificates, answers and the own store; what is signed, and final, is the block of the chain."""
    members = [Member(m, kind=AnnotatedNotes) for m in range(4)]
    played(members, 1, b"one")
    played(members, 2, b"two", lambda stage, message: stage == VOTE + 1)  # a lock
    for member in members:
        member.born()
    sent = played(members, 3, b"three")
    assert Certificate in {type(message) for _, _, message in sent}
    late, effects, answer = Member(0, kind=AnnotatedNotes), Effects(), Effects()
    late.voter.enter(4)
    members[1].voter.take(Want(1), 0, answer)
    late.voter.take(VOTING.from_bytes(answer.send[0][1], (4,)), 1, effects)
    for member in (*members, late):
        assert member.kind.learnt == [(b"one",), (b"two",)][-len(member.kind.learnt) :]
        assert (member.voter.chain.height, member.voter.chain.tip) == (2, members[0].voter.chain.tip)
    chain = first()
    for height in (1, 2):
        block = members[0].kind.received(members[0].store.block(height))
        chain = apply_block(chain, Block.from_bytes(block.to_bytes()))
    assert chain.tip == late.voter.chain.tip


def test_a_block_without_what_only_members_see_is_not_voted_for():
    members = [Member(m, kind=AnnotatedNotes) for m in range(4)]
    members[1].kind.carried = lambda block: encode((block.to_bytes(), b"nothing"))
    played(members, 1, b"one")
    assert [member.store.height for member in members] == [0] * 4


@pytest.mark.parametrize("by_block", [False, True])
def test_attack_of_two_confirmations_of_one_height_is_evidence(by_block):
    """It confirms one block to us; the other one it confirms later, or it is among the signers of what comes."""
    voter, effects = Member(0).voter, Effects()
    voter.enter(1)
    one, other = (propose(voter.chain, [note]) for note in (b"one", b"other"))
    for block in (one, other):
        voter.consider(block, effects)
    told = [Confirmation(1, 2, b.hash, sign_header(SigningKey(SEEDS[2]), b.hash)) for b in (one, other)]
    voter.take(told[0], 2, effects)
    voter.take(told[0], 2, effects)
    assert effects.noticed == []
    signed = other.signed(*(SigningKey(SEEDS[m]) for m in (1, 2, 3)))
    voter.take(Blocks((signed.to_bytes(),)) if by_block else told[1], 2, effects)
    ((who, reason, data),) = effects.noticed
    assert (who, reason) == (2, "two values")
    assert culprit(kinds_of("notes"), data, Ground(voter.chain.genesis.hash, KEYS)) == 2


def test_bytes_that_are_no_lock_are_refused():
    member = Member(0)
    member.store.store(Moment(1, 0), [Put(LOCK, VOTING.to_bytes(Want(1)))])
    with pytest.raises(Malformed, match="lock"):
        member.born()


def test_the_keys_of_the_members_are_those_of_the_chain():
    assert {bytes(SigningKey(seed).verify_key) for seed in SEEDS} == set(KEYS)


def test_a_block_whose_parent_is_not_here_yet_is_no_fault_of_its_sender():
    """Pushed, in an answer after one that got lost, or come too late: it is out of step."""
    members = [Member(m) for m in range(4)]
    for t in (1, 2, 3):
        played(members, t, b"%d" % t)
    late, blocks = Member(0).voter, [members[1].kind.received(members[1].store.block(h)) for h in (1, 2, 3)]
    late.enter(4)
    said = []
    for block in blocks[:0:-1]:
        effects = Effects()
        late.append(block, effects, 1)
        late.consider(replace(block, signatures=()), effects, 2)
        said += effects.noticed
        with pytest.raises(Rejected, match="other block"):
            late.take(Blocks((block.to_bytes(),)), 1, effects)
        assert (late.chain.height, effects.committed) == (0, [])
    assert {(one.sender, one.reason) for one in said} == {(1, "other block"), (2, "other block")}
    effects = Effects()
    late.take(Blocks(tuple(block.to_bytes() for block in blocks)), 1, effects)
    assert (late.chain.height, effects.noticed) == (3, [])
    late.append(blocks[1], effects, 1)
    assert [one.reason for one in effects.noticed] == ["old height"]


def test_attack_of_a_block_that_says_it_follows_the_last_one_and_does_not_is_a_fault():
    members = [Member(m) for m in range(4)]
    played(members, 1, b"one")
    voter, effects = members[0].voter, Effects()
    voter.enter(2)
    block = propose(voter.chain, [b"two"])
    false = replace(block, records=(b"three",))
    unsigned = block.signed(*(SigningKey(SEEDS[m]) for m in (1, 2)))
    voter.consider(false, effects, 3)
    voter.take(Blocks((unsigned.to_bytes(),)), 2, effects)
    assert effects.noticed == [Noticed(3, "block"), Noticed(2, "block")]
