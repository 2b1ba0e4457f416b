"""A liar: an honest machine whose words are overruled, and all that it can sign and say in their place."""

from hashlib import sha512
from random import Random

import numpy as np
from nacl.bindings import (
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)
from nacl.signing import SigningKey

from folkmoot.agreement.evidence import two_votes
from folkmoot.agreement.messages import PREVOTE, Certificate, Confirmation, Vote
from folkmoot.agreement.signed_messages import Chained
from folkmoot.agreement.signed_messages import verify as verify_chain
from folkmoot.bc_ucb.contract import ONE, rounded
from folkmoot.bc_ucb.earnings import seal_of
from folkmoot.bc_ucb.messages import COMPARISON, GAME, Answer, Offer, Passed, ReportSent, SetsSent, comparison_words
from folkmoot.bc_ucb.records import REPORT, SEAL_BYTES, Claim, Named, RoundRecord, report_words
from folkmoot.bc_ucb.rules import Unfinished, conclude
from folkmoot.bc_ucb.stages import SCREENING
from folkmoot.bc_ucb.validators import asked
from folkmoot.encoding import Malformed
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import propose
from folkmoot.signatures import in_domain, sign_header

from .boards import BURN_IN
from .words import OTHERS, UNSIGNED


class Liar:
    """One liar: its honest machine inside, and what it needs to say something else. See words.py.

    Attributes:
        index: its number.
        allies: all liars.
        to: to whom it is about to speak.
    """

    def __init__(self, coalition, index):
        self._coalition, self.index, self.to = coalition, index, index
        arena = coalition.arena
        self._opened, self.allies = arena.opened, arena.draw.liars
        self.faulty = arena.opened.board.faulty
        self._identity = arena.opened.identities[index]
        self._made, self._names = {}, {}

    # --- Where it stands -----------------------------------------------------------------------------------------

    @property
    def machine(self):
        return self._coalition.arena.hosts[self.index].machine

    @property
    def work(self):
        return self.machine._work

    @property
    def round(self):
        return self._coalition.arena.now.round

    @property
    def height(self):
        return self.machine.voter.height

    @property
    def tip(self):
        return self.machine.chain.tip

    @property
    def origin(self):
        return self.machine.origin(self.machine.chain)

    @property
    def past_blocks(self):
        return self._opened.past.blocks[:8] or None

    def begin(self):
        """Of a stage: what was made before is forgotten."""
        self._made = {}

    def make(self, kind, way, message, number=0):
        """Messages made in this way; each is made once a stage for all receivers."""
        key = kind, way, number, self.to if kind == "answer" else None
        if key not in self._made:
            made = OTHERS[kind][way](self, message)
            self._made[key] = made if isinstance(made, list) else [] if made is None else [made]
        return self._made[key] if number == 0 else [bytes(bytearray(word)) for word in self._made[key]]

    def read(self, data):
        shape = self.machine.shape(self.machine.chain.state)
        return self.machine.rules.call(GAME.from_bytes, data, shape)

    def dice(self):
        return Random(f"{self._coalition.arena.draw.seed} {self._coalition.arena.now} {self.index}")

    def heard(self):
        """Something that an honest one has just said."""
        spoken = self._coalition.spoken
        return self.dice().choice(spoken) if spoken else b""

    def victim(self):
        """The honest one that it has it in for."""
        honest = self._coalition.arena.honest
        return honest[self._coalition.arena.draw.seed % len(honest)]

    def stored(self, height):
        kept = self._coalition.arena.hosts[self.index].kept
        height = kept.height if height < 0 else height
        return kept.block(height) if 1 <= height <= kept.height else b""

    # --- What it signs -------------------------------------------------------------------------------------------

    @property
    def public_key(self):
        return self._identity.public_key

    def sign(self, purpose, words):
        return self._identity.sign(purpose, words)

    def sign_header(self, hash):
        return sign_header(SigningKey(self._opened.seeds[self.index]), hash)

    def bytes_of(self, message):
        return GAME.to_bytes(message)

    # --- Reports -------------------------------------------------------------------------------------------------

    def heard_means(self):
        """Of the honest, as they were just reported: int64 [reports, arms]."""
        messages = [self.read(data) for data in self._coalition.spoken]
        return np.array([message.means for message in messages if isinstance(message, ReportSent)])

    def made_report(self):
        chain, machine = self.machine.chain, self.machine
        return ReportSent(chain.height, chain.tip, self.round, self.index, machine.own_means(), 0, b"", b"", (), b"")

    def _claim(self, member, back):
        """What a pull brought, so many rounds ago, as it is claimed; None: there was none."""
        round = self.round - back
        arm, outcome = self._coalition.arena.earned.get((round, member), (0, None))
        if outcome is None or round <= BURN_IN:
            return None
        seal = seal_of(arm, outcome.proof[:SEAL_BYTES]) if outcome.proof else b""
        return Claim(round, rounded(outcome.reward), seal, outcome.proof[SEAL_BYTES:])

    def claiming(self, message, back):
        """Outcomes of earlier rounds, paid or not."""
        claims = [claim for number in back if (claim := self._claim(self.index, number)) is not None]
        return message._replace(earlier=tuple(map(tuple, claims))) if claims else None

    def with_outcome(self, message, member, back):
        """Another outcome as this round's."""
        claim = self._claim(member, back)
        return None if claim is None else message._replace(reward=claim.reward, seal=claim.seal, proof=claim.proof)

    def signed_report(self, message):
        about = self.origin, message.previous, message.round, message.sender
        words = report_words(*about, message.report.body)
        if message.signature == UNSIGNED:
            signature = self._second_signature(in_domain(REPORT, words))
        else:
            signature = self.sign(REPORT, words)
        message = message._replace(signature=signature)
        self._names[self.round] = message
        return self.bytes_of(message)

    def _second_signature(self, words):
        """As good as the first one: the nonce of Ed25519 is the signer's to choose."""
        secret = bytearray(sha512(self._opened.seeds[self.index]).digest()[:32])
        secret[0] &= 248
        secret[31] = secret[31] & 127 | 64
        scalar = crypto_core_ed25519_scalar_reduce(bytes(secret) + bytes(32))
        nonce = crypto_core_ed25519_scalar_reduce(sha512(b"another" + words).digest())
        point = crypto_scalarmult_ed25519_base_noclamp(nonce)
        challenge = crypto_core_ed25519_scalar_reduce(sha512(point + self.public_key + words).digest())
        return point + crypto_core_ed25519_scalar_add(nonce, crypto_core_ed25519_scalar_mul(challenge, scalar))

    def other_names(self):
        """Of the reports that liars have told somebody instead of their first ones, by their numbers."""
        told = {m: self._coalition.liars[m]._names.get(self.round) for m in self.allies}
        return {m: message.report.name for m, message in told.items() if message is not None}

    # --- Sets ----------------------------------------------------------------------------------------------------

    def named(self, message):
        """What its machine names, or would name."""
        work = self.work
        if work is None or self.index not in work.members():
            return None
        if message is not None:
            proven = self._opened.board.sortition == "vrf"
            try:
                value = Chained.decode(message.content).value
                return Named.from_bytes(value, *self.machine.chain.state.members.shape, proven)
            except Malformed:
                return None
        named = _naming(work)
        if self._opened.board.sortition == "vrf" and not named.proof:
            settings = self.machine.chain.state.configuration
            named = named._replace(proof=self._identity.prove(asked(settings, work.previous, self.round)))
        return named

    def sets_message(self, named):
        """The message by which a validator would broadcast this (or these bytes)."""
        chained = self._value(named)
        return None if chained is None else self.bytes_of(SetsSent(self.round, chained.encode()))

    def _value(self, named):
        work = self.work
        if work is None or self.index not in work.members():
            return None
        value = named if isinstance(named, bytes) else work.signed(named, _Freely(self)).to_bytes()
        ((_, content),) = work.agreement(value, _Freely(self)).step(0, [])
        return Chained.decode(content)

    def late_value(self):
        """Its value (turned round), signed on by so many accomplices that it counts when it arrives."""
        work, stage = self.work, self._coalition.arena.now.stage
        signers = stage + 1 - SCREENING
        named = self.named(None)
        if named is None or not 1 <= signers <= len(self.allies):
            return None
        chained, members = self._value(named._replace(members=~named.members)), work.members()
        keys = [self._opened.keys[m] for m in members]
        helpers = [m for m in self.allies if m != self.index and m in members]
        if chained is None or signers - 1 > len(helpers):
            return None
        for helper in helpers[: signers - 1]:
            mouth = self._coalition.liars[helper]
            chained = verify_chain(chained, keys, chained.session).signed_on(members.index(helper), mouth)
        return self.bytes_of(SetsSent(self.round, chained.encode()))

    def forged_sets(self, message):
        """Its own value as that of a victim."""
        named = self.named(message)
        chained = None if named is None else self._value(named)
        if chained is None or self.victim() not in self.work.members():
            return None
        place = self.work.members().index(self.victim())
        forged = chained._replace(general=place, signers=(place,))
        return self.bytes_of(SetsSent(self.round, forged.encode()))

    def spoilt_relay(self, message):
        if message is None:
            return None
        chained = Chained.decode(message.content)
        return self.bytes_of(
            message._replace(content=chained._replace(signatures=(*chained.signatures[:-1], UNSIGNED)).encode())
        )

    def passed(self, reports):
        """Reports by its hand."""
        return self.bytes_of(Passed(self.round, tuple(reports[: self._opened.board.members])))

    def heard_reports(self):
        """Of the honest, as they were just sent."""
        return [data for data in self._coalition.spoken if isinstance(self.read(data), ReportSent)]

    def two_reports(self):
        """Of its own, both signed."""
        made = self.made_report()
        return [self.signed_report(made._replace(reward=reward)) for reward in (1, 2)]

    def inner_of(self, size):
        """An inner message of this size that is none."""
        self._made_up = getattr(self, "_made_up", 0) + 1
        return self.bytes_of(SetsSent(self.round, self._made_up.to_bytes(8, "big") + bytes(size - 8)))

    # --- Blocks and votes ----------------------------------------------------------------------------------------

    def own_block(self):
        work = self.work
        return None if work is None or work.previous != self.tip else work.candidate()

    def other_block(self):
        """One that follows from the agreed values without one of them: on the chain's rules it is as good."""
        work = self.work
        if work is None or work.values is None or work.previous != self.tip:
            return None
        said = [v for v, value in work.values.items() if value is not None]
        for left_out in [v for v in said if v not in self.allies]:
            values = {v: value for v, value in work.values.items() if v != left_out}
            try:
                record, _ = conclude(self.machine.chain.state, work.previous, self.round, values, work.held)
            except Unfinished:
                continue
            return propose(self.machine.chain, [record.to_bytes()])
        return None

    def greedy_block(self):
        """The round's block, but for what it says is paid."""
        block = self.own_block()
        if block is None:
            return None
        record = RoundRecord.from_bytes(block.records[0], *self.machine.chain.state.members.shape)
        paid = record.paid.copy()
        paid[self.index] = ONE
        return propose(self.machine.chain, [record._replace(paid=paid).to_bytes()])

    def proposed(self):
        """The hash that another one has proposed."""
        own = self.machine.voter.proposals.get(self.index)
        others = sorted(hash for hash in set(self.machine.voter.proposals.values()) if hash != own)
        return others[0] if others else own

    def certificate(self):
        """The last one it has known."""
        best = self.machine.voter.best
        if isinstance(best, Certificate):
            self._certificate = best
        return getattr(self, "_certificate", None)

    def forged_evidence(self):
        """That a victim has voted twice; nobody signed it."""
        votes = [Vote(PREVOTE, self.height, self.round, self.victim(), bytes([n]) * 32, UNSIGNED) for n in (1, 2)]
        return two_votes(*votes)

    def block_signed(self, block, signers):
        return block.signed(*(SigningKey(self._opened.seeds[m]) for m in signers))

    def answer(self, size):
        """To an offer of the one it speaks to, of this size."""
        answer = Answer(self.tip, self.round, self.index, self.to, bytes(size), b"")
        return self.bytes_of(answer._replace(signature=self._compares(answer)))

    def offer(self, size):
        drawn = self.work.proof if self.work is not None else b""
        offer = Offer(self.tip, self.round, self.index, drawn, bytes(size), b"")
        return self.bytes_of(offer._replace(signature=self._compares(offer)))

    def _compares(self, message):
        return self.sign(COMPARISON, comparison_words(self.origin, message))

    # --- What was said before ------------------------------------------------------------------------------------

    def past_words(self):
        return list(self._opened.past.words.get(self._coalition.arena.now, ()))

    def old_words(self):
        return self._coalition.old_words()

    def old_confirmations(self):
        """Signatures on the last block, as its block holds them, with the next height beside them."""
        data = self.stored(-1)
        signed = Block.from_bytes(data).signatures if data else ()
        numbers = {key: number for number, key in enumerate(self._opened.keys)}
        return [self.bytes_of(Confirmation(self.height, numbers[key], self.tip, sign)) for key, sign in signed]

    def echoes(self):
        return list(self._coalition.spoken)


class _Freely:
    """The keys of a liar without a guard: it may sign what it likes."""

    def __init__(self, liar):
        self._liar = liar

    def sign(self, purpose, round, words):
        return self._liar.sign(purpose, words)

    def general(self, round):
        return self._liar


def _naming(work):
    """What an honest machine would name, without a signature of its guarded hand."""
    hand, work._hand = work._hand, _Unsigned()
    try:
        return work.naming()
    finally:
        work._hand = hand


class _Unsigned:
    def sign(self, purpose, round, words):
        return bytes(64)
