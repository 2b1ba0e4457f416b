"""Identities: signatures bound to a purpose, registration of VRF keys, and a signer that never equivocates."""

from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from folkmoot.agreement import vrf
from folkmoot.agreement.identity import Identity, Registration, Signer, WouldEquivocate, check_registration
from folkmoot.signatures import check

ALICE, BOB = Identity(b"a" * 32), Identity(b"b" * 32)
DOMAINS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64)
# RFC 8032, section 7.1, test 1: public key of a seed.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

KNOWN = (
    "cc899c59fbf56af5437f387eabd5d36ec525a21c284b7a440f55fc99b5e62784"
    "b20dba646b17f9dd847a9843cd74604bb70e189ca21d7d42cf696490af457d03"
)

# --- Signatures --------------------------------------------------------------------------------------------


def test_the_public_key_is_that_of_the_rfc():
    assert Identity(SEED).public_key == PUBLIC


def test_a_known_signature():
    """Fixed for ever: a change of the prefix, of the order of the parts or of the hash would split a chain."""
    signature = Identity(SEED).sign("block", b"payload")
    assert signature.hex() == KNOWN
    assert signature == Identity(SEED).sign("block", b"payload")


@settings(deadline=None)
@given(domain=DOMAINS, payload=st.binary(max_size=300))
def test_a_signature_holds_for_its_key_domain_and_payload(domain, payload):
    signature = ALICE.sign(domain, payload)
    assert len(signature) == 64
    assert check(ALICE.public_key, domain, payload, signature) is True
    assert check(BOB.public_key, domain, payload, signature) is False
    assert check(ALICE.public_key, domain + "x", payload, signature) is False
    assert check(ALICE.public_key, domain, payload + b"\x00", signature) is False


def test_the_border_between_domain_and_payload_is_signed():
    signature = ALICE.sign("block", b"head")
    assert not check(ALICE.public_key, "blockh", b"ead", signature)
    assert not check(ALICE.public_key, "bloc", b"khead", signature)


@settings(deadline=None)
@given(domain=DOMAINS, payload=st.binary(max_size=40), bit=st.integers(0, 511))
def test_any_flipped_bit_of_a_signature_is_noticed(domain, payload, bit):
    number = int.from_bytes(ALICE.sign(domain, payload), "little") ^ 1 << bit
    assert not check(ALICE.public_key, domain, payload, number.to_bytes(64, "little"))


ANYTHING = st.one_of(st.binary(max_size=100), st.binary(min_size=32, max_size=32), st.none(), st.integers(), st.text())


@settings(max_examples=300, deadline=None)
@given(
    key=ANYTHING, domain=ANYTHING, payload=ANYTHING, signature=st.one_of(ANYTHING, st.binary(min_size=64, max_size=64))
)
def test_check_never_raises(key, domain, payload, signature):
    assert check(key, domain, payload, signature) is False
    assert check(ALICE.public_key, "block", payload, signature) is False
    assert check(key, "block", b"payload", ALICE.sign("block", b"payload")) is False


def test_a_scalar_not_below_the_order_is_refused():
    """Else anybody could make a second signature of a first (RFC 8032, section 5.1.7)."""
    signature = ALICE.sign("block", b"payload")
    order = 2**252 + 27742317777372353535851937790883648493
    second = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not check(ALICE.public_key, "block", b"payload", signature[:32] + second)


def test_a_key_of_small_order_signs_nothing():
    """Under the neutral point (R, s) = (neutral, 0) would be a signature of everything."""
    neutral = (1).to_bytes(32, "little")
    assert not check(neutral, "block", b"payload", neutral + bytes(32))


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33), "s" * 32, None, bytearray(32)])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=r"seed of type .*: expected 32 bytes"):
        Identity(seed)


@pytest.mark.parametrize("domain", ["", "x" * 65, "bl\nock", "café", b"block", None, 7])
def test_bad_domain(domain):
    with pytest.raises(ValueError, match=r"domain = .*: expected 1 to 64 printable ASCII characters"):
        ALICE.sign(domain, b"")
    with pytest.raises(ValueError, match="domain = "):
        Signer(ALICE, domain, lambda slot, digest: None)


@pytest.mark.parametrize("payload", ["text", None, bytearray(3)])
def test_bad_payload(payload):
    with pytest.raises(ValueError, match=r"payload of type .*: expected bytes"):
        ALICE.sign("block", payload)


def test_secrets_are_not_shown():
    assert "61616161" not in repr(ALICE)
    assert ALICE.public_key.hex()[:16] in repr(ALICE)


# --- Registration of VRF keys ------------------------------------------------------------------------------


def test_the_vrf_key_is_another_key():
    assert vrf.valid_key(ALICE.vrf_key)
    assert len({ALICE.vrf_key, ALICE.public_key, BOB.vrf_key}) == 3
    assert ALICE.vrf_key == Identity(b"a" * 32).vrf_key
    assert ALICE.vrf_key != vrf.public_key(b"a" * 32)


def test_a_registration_holds_for_its_owner():
    registration = ALICE.registration()
    assert check_registration(ALICE.public_key, registration) is True
    assert check_registration(BOB.public_key, registration) is False
    assert vrf.verify(registration.vrf_key, b"seed", ALICE.prove(b"seed")) == vrf.output(ALICE.prove(b"seed"))


def test_attack_registering_the_key_of_another():
    """Bob would be drawn whenever Alice is, by copying her proofs; but he cannot show that he holds the key."""
    stolen = ALICE.registration()
    signature = BOB.sign("vrf key", stolen.vrf_key)
    assert check(BOB.public_key, "vrf key", stolen.vrf_key, signature)
    own = BOB.registration()
    assert check_registration(BOB.public_key, own._replace(possession=own.possession))
    for possession in (stolen.possession, own.possession):
        assert not check_registration(BOB.public_key, Registration(stolen.vrf_key, signature, possession))


def test_attack_a_vrf_key_outside_the_group():
    neutral = (1).to_bytes(32, "little")
    signature = ALICE.sign("vrf key", neutral)
    assert not check_registration(ALICE.public_key, Registration(neutral, signature, ALICE.registration().possession))


@settings(deadline=None)
@given(st.one_of(ANYTHING, st.tuples(ANYTHING, ANYTHING, ANYTHING)))
def test_check_registration_never_raises(registration):
    assert check_registration(ALICE.public_key, registration) is False
    if isinstance(registration, tuple):
        assert check_registration(ALICE.public_key, ALICE.registration()._replace(possession=registration[0])) is False


# --- The signer that never equivocates ---------------------------------------------------------------------


def test_the_slot_is_stored_before_the_signature_leaves():
    stored = []

    def persist(slot, digest):
        stored.append((slot, digest))
        raise OSError("disk full")

    signer = Signer(ALICE, "vote", persist)
    with pytest.raises(OSError, match="disk full"):
        signer.sign(3, b"yes")
    with pytest.raises(OSError, match="disk full"):  # nothing was remembered that is not on the disk
        signer.sign(3, b"yes")
    assert [slot for slot, _ in stored] == [3, 3]


def test_a_second_value_for_a_slot_is_refused_also_after_a_restart():
    stored = []
    signer = Signer(ALICE, "vote", lambda *record: stored.append(record))
    signature = signer.sign(3, b"yes")
    assert check(ALICE.public_key, "vote", b"yes", signature)
    for again in (signer, Signer(ALICE, "vote", lambda *record: stored.append(record), last=stored[-1])):
        with pytest.raises(WouldEquivocate, match="slot = 3: another value was signed"):
            again.sign(3, b"no")
        with pytest.raises(WouldEquivocate, match="slot = 2: slot 3 was signed already"):
            again.sign(2, b"yes")
        assert again.sign(3, b"yes") == signature
    assert len(stored) == 1
    assert again.sign(4, b"no") == ALICE.sign("vote", b"no")


def test_at_a_slot_only_the_purpose_is_guarded():
    signer = Signer(ALICE, "vote", lambda *record: None)
    here = signer.at(7)
    assert here.public_key == signer.public_key == ALICE.public_key
    assert here.sign("vote", b"yes") == ALICE.sign("vote", b"yes")
    assert here.sign("chat", b"no") == ALICE.sign("chat", b"no")
    with pytest.raises(WouldEquivocate):
        here.sign("vote", b"no")
    with pytest.raises(WouldEquivocate):
        signer.at(6).sign("vote", b"yes")


@pytest.mark.parametrize("slot", [-1, 2**63, 1.0, True, "1", None])
def test_bad_slot(slot):
    signer = Signer(ALICE, "vote", lambda *record: None)
    for call in (
        lambda: signer.sign(slot, b""),
        lambda: signer.at(slot),
        lambda: Signer(ALICE, "v", print, (slot, b"")),
    ):
        with pytest.raises(ValueError, match=r"slot = .*: expected an integer from 0"):
            call()


@pytest.mark.parametrize("digest", [b"", bytes(31), "x" * 32, None])
def test_bad_memory(digest):
    with pytest.raises(ValueError, match=r"expected \(slot, 32 bytes\)"):
        Signer(ALICE, "vote", print, last=(1, digest))


class CrashError(Exception):
    pass


class CrashingSigner(RuleBasedStateMachine):
    """Signs, crashes before or after the disk was written, restarts from what the disk holds."""

    @initialize()
    def start(self):
        self.disk, self.crash = None, ""
        self.sent = {}
        self.restart()

    @rule()
    def restart(self):
        self.signer = Signer(ALICE, "vote", self.persist, last=self.disk)

    def persist(self, slot, digest):
        if self.crash == "before":
            raise CrashError
        self.disk = slot, digest
        if self.crash == "after":
            raise CrashError

    @rule(
        slot=st.integers(0, 5),
        payload=st.sampled_from([b"yes", b"no", b""]),
        crash=st.sampled_from(["", "", "before", "after"]),
    )
    def sign(self, slot, payload, crash):
        self.crash = crash
        newest = max(self.sent, default=-1)
        try:
            signature = self.signer.sign(slot, payload)
        except WouldEquivocate:
            assert self.disk is not None
            assert slot < self.disk[0] or (slot == self.disk[0] and self.disk[1] != self.digest(payload))
        except CrashError:
            self.restart()
        else:
            assert slot >= newest
            assert check(ALICE.public_key, "vote", payload, signature)
            self.sent.setdefault(slot, set()).add(payload)

    @staticmethod
    def digest(payload):
        return sha256(b"folkmoot/1/\x04vote" + payload).digest()

    @invariant()
    def never_two_values_for_a_slot(self):
        assert all(len(values) == 1 for values in self.sent.values())
        assert not self.sent or self.disk is not None


CrashingSigner.TestCase.settings = settings(
    max_examples=100, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestCrashingSigner = CrashingSigner.TestCase
