"""An original party: it looks at the models of newcomers and approves or refuses them by its own data."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.chain import Chain
from folkmoot.ledger.contents import Lent
from folkmoot.multiparty.chain.acts import WITHIN, Approval
from folkmoot.multiparty.chain.entries import Entry, UnusableModel, load, scores_of
from folkmoot.multiparty.chain.messages import Application, read_application
from folkmoot.multiparty.chain.records import (
    DISTANCE,
    NO_APPROVER,
    UNCOVERED,
    UNMEASURED,
    UNUSABLE,
    Refused,
    Registered,
)
from folkmoot.multiparty.chain.signing import APPLICATION, APPROVAL, REFUSAL, REVIEW, is_signed, signature_of
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.rules.margin import Integers
from folkmoot.signatures import SigningKey, public_key

OUTSIDE = "outside"  # its scores on samples of classes that it does not claim are further away than the terms allow


class Objection(NamedTuple):
    """Why an original party does not approve a model."""

    reason: str
    distance: float | None  # where it was measured


class OriginalParty:
    """Its key and its data.

    Args:
        key: its Ed25519 key, the public half of which stands in the genesis.
        x: its samples, float32 [samples, *shape].
        labels: their classes, [samples].

    Raises:
        ValueError: not as many labels as samples.
    """

    def __init__(self, key: SigningKey, x: Floats32, labels: NDArray[np.integer]) -> None:
        if len(x) != len(labels):
            raise ValueError(f"{len(x)} samples and {len(labels)} labels: expected as many")
        self.key = key
        self.x = x
        self.labels: Integers = np.asarray(labels, np.int64)

    def assess(self, chain: Chain, data: bytes, parameters: bytes | None = None) -> bytes | None:
        """The record that a miner puts on the chain: Registered or Refused; None if others know the classes better.

        Measured is the mean of |h_j(x, y) - h_i(x, y)| over its samples with y in Y_j, each at its own label (eq. 2,
        there a sum), with h_i its own model as it now is on the chain. Under hardened terms it is the largest of that
        and, for each class c in Y_j, the mean of |h_j(x, c) - h_i(x, c)| over the same samples: a model that is sure
        of every class is right at each label. None: it does not know all classes of the newcomer, another original
        party does. Where none does, the refusal is not signed: the rules see it.

        Args:
            chain: as it stands.
            data: the application.
            parameters: of the newcomer's model; None: they are in the chain's contents. They are not put there.

        Raises:
            Malformed: no application to this chain, not signed, or the name or key of a party.
            MissingContent, TamperedContent: the parameters are not in the chain's contents.
            UnknownRules: models of the newcomer's kind are not known here, which is nobody's fault: nothing is signed.
        """
        state: State = chain.state
        asked = read_application(data)
        party = asked.party
        if not is_signed(party.key, APPLICATION, chain.genesis.hash, tuple(party), asked.signature):
            raise Malformed(f"the application of {party.name} to this chain is not signed by its key")
        if state.is_taken(party.name, party.key):
            raise Malformed(f"the name or the key of {party.name} is that of a party already")
        own = public_key(self.key)
        number = next((i for i in state.trusted if state.parties[i].key == own), state.originals)
        if not any(state.covers(original, party.classes) for original in range(state.originals)):
            return Refused(party, asked.signature, NO_APPROVER, UNCOVERED, None, b"").to_bytes()
        if not state.covers(number, party.classes):
            return None
        contents = state.contents if parameters is None else Lent(state.contents, parameters)
        try:  # by name: a fault of ours is no ground to refuse anybody
            model = load(party, state.terms, contents)
            hardened = state.terms.rules == "hardened"
            distance = self.distance(model, state.committee.fleet.model(number), hardened)
        except UnusableModel:
            return self._refused(chain, asked, number, UNUSABLE, None)
        if distance is None:
            return self._refused(chain, asked, number, UNMEASURED, None)
        if not distance <= state.terms.omega:
            return self._refused(chain, asked, number, DISTANCE, distance)
        until = chain.height + WITHIN if state.terms.approvals else None
        record = Registered(party, asked.signature, number, distance, b"", until)
        signature = signature_of(self.key, APPROVAL, chain.genesis.hash, record.said())
        return record._replace(signature=signature).to_bytes()

    def review(
        self, chain: Chain, about: Value, party: Entry, parameters: bytes, number: int = -1
    ) -> Approval | Objection:
        """As `assess`, of a model that several approve, or another one of a party; also outside the classes it claims.

        Args:
            chain: as it stands.
            about: the act that is approved, see `Updated.about`, `Admitted.about`.
            party: the entry with the model.
            parameters: of it. They are not put into the contents.
            number: of the party; -1: a newcomer.

        Raises:
            ValueError: the chain does not count on the approval of this party.
            UnknownRules: models of this kind are not known here.
        """
        state: State = chain.state
        own = state.number_of(public_key(self.key))
        if own not in state.judges(party.classes, number):
            raise ValueError(f"party {own}: its approval of {party.name} does not count")
        try:
            model = load(party, state.terms, Lent(state.contents, parameters))
            within, outside = self.apart(model, state.committee.fleet.model(own), state.terms.rules == "hardened")
        except UnusableModel:
            return Objection(UNUSABLE, None)
        if within is None:
            return Objection(UNMEASURED, None)
        if not within <= state.terms.omega:
            return Objection(DISTANCE, within)
        if not outside <= state.terms.outside:
            return Objection(OUTSIDE, outside)
        said = Approval(own, within, outside, b"")
        return said._replace(signature=signature_of(self.key, REVIEW, chain.genesis.hash, said.said(about)))

    def apart(self, newcomer: Model, own: Model, hardened: bool) -> tuple[float | None, float]:
        """How far a model's scores are from those of one's own, in classes that both know.

        Returns:
            The distance, see `assess`, on own samples of these classes (None: there are none), and the largest mean
            distance of a class on own samples of classes that the newcomer does not claim (0: there are none).

        Raises:
            UnusableModel: the newcomer's scores are not numbers from 0 to 1.
        """
        shared = np.intersect1d(newcomer.classes, own.classes)
        if not len(shared) or not len(self.x):
            return None, 0.0
        theirs = scores_of(newcomer, self.x, "the newcomer")[:, np.searchsorted(newcomer.classes, shared)]
        ours = own.scores(self.x)[:, np.searchsorted(own.classes, shared)]
        away = np.abs(theirs.astype(np.float64) - ours.astype(np.float64))
        inside = np.isin(self.labels, shared)
        elsewhere = ~np.isin(self.labels, newcomer.classes)
        outside = float(away[elsewhere].mean(axis=0).max()) if elsewhere.any() else 0.0
        if not inside.any():
            return None, outside
        at_label = float(away[inside, np.searchsorted(shared, self.labels[inside])].mean())
        return max(at_label, float(away[inside].mean(axis=0).max())) if hardened else at_label, outside

    def distance(self, newcomer: Model, own: Model, hardened: bool = False) -> float | None:
        """What `assess` measures; None without a sample of the newcomer's classes.

        Raises:
            UnusableModel: the newcomer's scores are not numbers from 0 to 1.
        """
        chosen = np.flatnonzero(np.isin(self.labels, newcomer.classes))
        if not len(chosen):
            return None
        x, labels = self.x[chosen], self.labels[chosen]
        theirs = scores_of(newcomer, x, "the newcomer")
        ours = own.scores(x)[:, np.searchsorted(own.classes, newcomer.classes)]
        away = np.abs(theirs.astype(np.float64) - ours.astype(np.float64))
        at_label = float(away[np.arange(len(x)), np.searchsorted(newcomer.classes, labels)].mean())
        return max(at_label, float(away.mean(axis=0).max())) if hardened else at_label

    def _refused(self, chain: Chain, asked: Application, number: int, reason: str, distance: float | None) -> bytes:
        record = Refused(asked.party, asked.signature, number, reason, distance, b"")
        signature = signature_of(self.key, REFUSAL, chain.genesis.hash, record.said())
        return record._replace(signature=signature).to_bytes()
