"""Predictions that stand on the chain, and what the parties have earned there."""

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import guarded, guarded_but
from folkmoot.encoding import Malformed, decode, encode
from folkmoot.errors import DamagedFile, brief
from folkmoot.json_text import parsed
from folkmoot.ledger.contents import name_of
from folkmoot.multiparty.chain.acts import Prediction, read_act
from folkmoot.multiparty.chain.changes import models_of
from folkmoot.multiparty.chain.entries import with_parameters
from folkmoot.multiparty.chain.kind import BEMA
from folkmoot.multiparty.chain.records import PREDICT, read_head
from folkmoot.multiparty.chain.signing import PREDICTION
from folkmoot.multiparty.changing import Changing
from folkmoot.multiparty.entrance import checked_samples
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.predictors import Predictor
from folkmoot.multiparty.written_predictors import from_told
from folkmoot.multiparty.written_predictors import told as told_of


class Recorded(NamedTuple):
    """A prediction on record.

    Attributes:
        height: of its block.
        by: name of the party that put it there.
        input: digest of the samples, 32 bytes.
        predictor: how the models were put together; None: by a predictor that is not known here.
        answers: the number of the class of each sample, as it is signed; -1: no model spoke.
        names: of the classes 0, 1, ...; empty: they have none.
    """

    height: int
    by: str
    input: bytes
    predictor: Predictor | None
    answers: tuple[int, ...]
    names: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...] | tuple[int, ...]:
        """The answers as `predict` gives them: names, where classes have names; "": no model spoke."""
        return tuple(self.names[one] if one >= 0 else "" for one in self.answers) if self.names else self.answers

    def __repr__(self) -> str:
        """With the labels, where classes have names."""
        told = f"height={self.height}, by={self.by!r}, input={self.input.hex()}, predictor={self.predictor!r}"
        labels = f", labels={self.labels!r}" if self.names else ""
        return f"Recorded({told}, answers={self.answers!r}{labels})"


class OnRecord(Changing):
    """What `Consortium` can do with predictions and accounts."""

    @guarded_but("predictor")
    def predict_on_record(
        self, x: NDArray[np.floating], by: str, predictor: str | Predictor | None = None, *, reveal: bool = False
    ) -> NDArray[Any]:
        """As `predict`, and it stands on the chain: digests of the samples and of all models, the answers, a signature.

        Args:
            x: samples [samples, *shape], at most 2,048 and some fewer where answers and models take much room.
            by: name of the party that signs.
            predictor: another one than the consortium's.
            reveal: put the samples among the contents, so that everybody can see them and predict again.

        Raises:
            ValueError: see `predict`; no such party, more than a record can hold, or terms of an earlier version.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        number, state = self._number(by), self._chain.state
        given, chosen = encode(np.ascontiguousarray(checked_samples(x, self.terms))), self._chosen(predictor)
        found = chosen.predict(state.committee.fleet.scores(checked_samples(x, self.terms)), self.group.fleet.claims)
        act = Prediction(
            number,
            state.life.acts_of(number, PREDICT),
            self._until,
            name_of(given),
            models_of(state),
            json.dumps(told_of(chosen), sort_keys=True),
            tuple(map(int, found)),
            b"",
        )
        self._act(act._replace(signature=self._sign(number, PREDICTION, act.said())))
        if reveal:
            state.contents.put(given)
        return np.array([*self.terms.labels, ""])[found] if self.terms.labels else found

    def recorded(self) -> list[Recorded]:
        """The predictions on record, in their order.

        Raises:
            ValueError: no ledger here.
        """
        return [
            Recorded(height, names[act.number], act.input, _predictor(act), act.answers, self.terms.labels)
            for height, act, names in self._predictions()
        ]

    def _predictions(self) -> list[tuple[int, Prediction, list[str]]]:
        if self._ledger is None:
            raise ValueError("predictions on record: this consortium has no ledger")
        names = [party.name for party in self._parties]
        return [
            (block.header.height, act, names)
            for block in self._ledger.blocks()
            if read_head(block.records[0]).what == PREDICT and isinstance(act := read_act(block.records[1]), Prediction)
        ]

    @guarded
    def predicted_alike(self, height: int, x: NDArray[np.floating] | None = None) -> bool:
        """Do the models of a prediction on record give these answers? They are made anew from their parameters.

        A prediction by a predictor that is not known here, or that was made for other models, has no answers: no.

        Args:
            height: of its block.
            x: the samples; None: they are among the contents.

        Raises:
            ValueError: no prediction at this height, or other samples than those it was of.
            MissingContent, TamperedContent: samples or parameters that are not among the contents.
        """
        act = next((act for at, act, _ in self._predictions() if at == height), None)
        if act is None or self._ledger is None:
            raise ValueError(f"height = {brief(height)}: no prediction is on record there")
        contents, terms = self._ledger.contents, self.terms
        if x is None:
            samples = _decoded(contents.get(act.input), terms.shape)
        else:
            samples = checked_samples(x, terms)
        if name_of(encode(np.ascontiguousarray(samples))) != act.input:
            raise ValueError(f"x: not the samples of the prediction at height {height}")
        reader = BEMA.reader(self._chain.genesis.configuration, contents)
        for block in self._ledger.blocks(1, height):
            reader.follow(block)
        names = dict(act.models)
        models = [
            with_parameters(known, terms, contents.get(names[number])) if number in names else None
            for number, known in enumerate(reader.entries)
        ]
        fleet = Fleet(models, terms.n_classes)
        predictor = _predictor(act)
        if predictor is None:
            return False
        try:
            with np.errstate(all="ignore"):  # its numbers are another party's
                found = predictor.predict(fleet.scores(samples), fleet.claims)
        except (ValueError, IndexError):  # told of by another party: made for other models or classes
            return False
        return tuple(map(int, found)) == act.answers

    @guarded
    def rewards(self, sample: float = 1.0, block: float = 1.0) -> dict[str, float]:
        """What the paper rewards: so much for each sample that moved models, and for each block that was made.

        Anybody can add it up from the records of the ledger, see docs/life-of-a-consortium.md.

        Returns:
            By the name of the party; of a miner that is none, by its key in hexadecimal.
        """
        life = self._chain.state.life
        names = [*dict.fromkeys([*(party.name for party in self._parties), *sorted(life.made)])]
        return {name: sample * life.taught.get(name, 0) + block * life.made.get(name, 0) for name in names}


def _predictor(act: Prediction) -> Predictor | None:
    try:
        return from_told(parsed(act.predictor))
    except DamagedFile:
        return None


def _decoded(data: bytes, shape: tuple[int, ...]) -> Floats32:
    x = decode(data)
    if type(x) is not np.ndarray or x.dtype != np.float32 or x.shape[1:] != shape or not np.isfinite(x).all():
        raise Malformed(f"samples of a prediction: expected finite float32 [samples, {', '.join(map(str, shape))}]")
    return x
