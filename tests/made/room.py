"""A room of members that agree: some run the code, the others are an adversary who sees all and speaks last.

The adversary holds the faulty members' keys, reads every message of the honest before it sends its own for the same
round, and chooses what each honest member gets. It cannot stop or change what the honest send each other.
"""

from functools import cache

from folkmoot.agreement.identity import Identity
from folkmoot.agreement.signed_messages import (
    ALL,
    RELAY,
    VALUE,
    Agreement,
    Chained,
    _first,
    digest,
    members_digest,
    session_digest,
)

SESSION_ID = b"tip 41, round 42"


@cache
def identity(index):
    return Identity(index.to_bytes(32, "big"))


def own_value(index):
    return b"value of %d" % index


class Room:
    def __init__(self, n, f, faulty=(), session_id=SESSION_ID):
        self.n, self.f, self.faulty = n, f, frozenset(faulty)
        self.identities = [identity(index) for index in range(n)]
        self.keys = [who.public_key for who in self.identities]
        self.session = session_digest(session_id, members_digest(self.keys), f)
        self.honest = {
            index: Agreement(self.keys, self.identities[index], f, session_id, own_value(index))
            for index in range(n)
            if index not in self.faulty
        }
        self.round = 0
        self.seen = []  # every message of the honest so far, decoded
        self.inbox = {index: [] for index in self.honest}
        self.step()

    def step(self):
        """The honest take in their inboxes; what they send lies in the next inboxes."""
        sent = {index: member.step(self.round, self.inbox[index]) for index, member in self.honest.items()}
        assert self.round <= self.f or not any(sent.values()), "sent in the last round, when nobody listens"
        self.round += 1
        self.inbox = {index: [] for index in self.honest}
        for sender, messages in sent.items():
            for destination, data in messages:
                assert destination is ALL
                self.seen.append(Chained.decode(data))
                for index in self.inbox:
                    if index != sender:
                        self.inbox[index].append(data)

    def send(self, message, targets=None):
        """The adversary delivers a message in the coming relay round, to honest `targets` (None: all of them)."""
        data = message if isinstance(message, bytes) else message.encode()
        for index in self.honest if targets is None else targets:
            self.inbox[index].append(data)

    def finish(self):
        while self.round <= self.f + 1:
            self.step()
        return self.results()

    def results(self):
        return [member.result() for member in self.honest.values()]

    def check(self):
        """Agreement, validity, and that fault is proved of the faulty only."""
        results = self.results()
        assert len(set(results)) == 1, "the honest disagree"
        for index, member in self.honest.items():
            assert results[0][index] == own_value(index)
            for fault in member.proofs_of_fault():
                assert fault.general in self.faulty
                assert fault.proves(self.keys[fault.general])
                assert fault.session == self.session
                assert results[0][fault.general] is None

    # --- What the adversary can make ---------------------------------------------------------------------

    def signed(self, general, value, signer=None):
        """A first message for `general`, signed by `signer` (itself by default)."""
        key = self.identities[general if signer is None else signer]
        signature = key.sign(VALUE, _first(self.session, general, value))
        return Chained(self.session, general, value, (general,), (signature,))

    def extended(self, message, *signers):
        """The message with the right signatures of more members."""
        tip = _first(message.session, message.general, message.value)
        for index, signature in zip(message.signers, message.signatures, strict=True):
            tip = digest("agreement link", (tip, index, signature))
        for index in signers:
            signature = self.identities[index].sign(RELAY, tip)
            tip = digest("agreement link", (tip, index, signature))
            message = message._replace(signers=(*message.signers, index), signatures=(*message.signatures, signature))
        return message


def truncated(message, length):
    return message._replace(signers=message.signers[:length], signatures=message.signatures[:length])
