"""What BEMA and HMR have in common: parties, a search for samples, their use, and a joint prediction."""

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import guarded, guarded_but, whole
from folkmoot.errors import brief
from folkmoot.multiparty import saved
from folkmoot.multiparty.entrance import checked, checked_labels_of, checked_samples
from folkmoot.multiparty.exchange.gate import Decision
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.party import ORIGINAL, Party
from folkmoot.multiparty.predictors import Predictor, Screened, fit_stacked, fit_tempered, of_some, resolved
from folkmoot.multiparty.rules.committee import Judgement
from folkmoot.multiparty.rules.margin import Integers, Margins, by_speakers
from folkmoot.multiparty.rules.sample import Proposal, Sample
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.multiparty.screening import Check, Screening, screen
from folkmoot.multiparty.told import Protection, advice_on
from folkmoot.progress import Progress


class Group(Protocol):
    """All models under a set of rules: `committee.Committee` or `one_step_hmr.Server`."""

    fleet: Fleet
    terms: Terms

    @property
    def spent(self) -> frozenset[bytes]: ...
    def take(self, sample: Sample) -> Judgement: ...
    def with_model(self, model: Model) -> Self: ...
    def margins(self, x: Floats32, labels: Integers) -> Margins: ...


class SampleTally(NamedTuple):
    """What became of the samples of some iterations.

    Attributes:
        accepted: samples that moved models.
        refused: reason -> how many were refused for it.
        by_sender: name of a party -> "" for those of its samples that moved models, or the reason -> how many.
        advice: where nothing was accepted, why, and what to do instead; empty otherwise.
        gate: with `gated`, what the gate said of the calibrated models.
    """

    accepted: int
    refused: dict[str, int]
    by_sender: dict[str, dict[str, int]] = {}  # noqa: RUF012
    advice: str = ""
    gate: Decision | None = None


def search(
    parties: Sequence[Party], group: Group, missing: int, coordinates: Sequence[int]
) -> list[tuple[int, Proposal]]:
    """What is used of one search of all parties, in a random order: at most `missing` (number of the sender, proposal).

    Each is asked for its part of what is missing.
    """
    each = -(-missing // len(parties))
    found: list[tuple[int, Proposal]] = []
    for number, party in enumerate(parties):
        generator = np.random.default_rng([*coordinates, number])
        found += [(number, proposal) for proposal in party.mine(group, each, generator)]
    order = np.random.default_rng([*coordinates, len(parties)]).permutation(len(found))
    return [found[i] for i in order[:missing]]


class Together(ABC):
    """Parties, their models under a set of rules, and what has been done so far."""

    DEFAULT: ClassVar[str] = "mean"  # its predictor, where there are no check sets
    FIRST: ClassVar[str] = "krum"  # that of saved consortia which name none

    def __init__(self, terms: Terms, seed: int, predictor: str | Predictor | None = None) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
            raise ValueError(f"seed = {brief(seed)}: expected an integer from 0 to 2**63 - 1")
        self.terms, self.seed = terms, seed
        self.iterations = 0
        self._parties: list[Party] = []
        self._asked_for = self._looked_at(predictor)
        self._screening: tuple[object, int, Screening] | None = None

    @property
    def parties(self) -> tuple[Party, ...]:
        """Those admitted, in the order of admission; with the models they came with."""
        return tuple(self._parties)

    @property
    @abstractmethod
    def group(self) -> Group:
        """All models as they now are."""

    @abstractmethod
    def _use(self, proposals: Sequence[tuple[int, Proposal]]) -> list[tuple[int, Judgement]]:
        """Take these proposals, in their order; what became of each, with the number of its sender."""

    @guarded
    def model(self, name: str) -> Model:
        """A party's model as it now is.

        Raises:
            ValueError: no such party.
        """
        names = [party.name for party in self.parties]
        if name not in names:
            raise ValueError(f"party {brief(name)}: unknown; there are {', '.join(names)}")
        return self.group.fleet.model([party.name for party in self._parties].index(name))

    def _check_newcomer(self, party: Party) -> None:
        """Does the party fit the terms, and is its name its own?

        Raises:
            ValueError: no.
        """
        checked(party, self.terms)
        if party.name in [other.name for other in self._parties]:
            raise ValueError(f"party {party.name}: there is one of that name already")

    @classmethod
    @guarded
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """What was saved: it predicts, and has no ledger and no data to mine in.

        Raises:
            ValueError: not such a folder, or models of a kind that is not known here.
        """
        terms, seed, iterations, parties, predictor = saved.read(folder)
        settings = asdict(terms) | {"seed": seed, "predictor": predictor or cls.FIRST}
        del settings["shape"]
        # Nobody is to be registered anew: they begin as original parties, and are then what they were.
        begun = cls([replace(party, kind=ORIGINAL) for party in parties], **settings)  # type: ignore[arg-type]
        begun._parties, begun.iterations = parties, iterations
        return begun

    @guarded
    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write terms and models, as they now are, into a new folder; the parties' data stay out of it.

        Raises:
            ValueError: there is such a folder already, or it cannot be written.
        """
        parties = [replace(party, model=self.model(party.name)) for party in self.parties]
        names = {party.name for party in self.parties}
        there = [number for number, party in enumerate(self._parties) if party.name in names]
        chosen = of_some(self.predictor, there)
        predictor = None if chosen == self._resolved(self.FIRST) else chosen
        return saved.write(folder, self.terms, self.seed, self.iterations, parties, predictor)

    @guarded_but("iterations", "samples_per_iteration", "searches")
    def calibrate(
        self, iterations: int, samples_per_iteration: int = 200, progress: bool = True, *, searches: int = 4
    ) -> SampleTally:
        """Let all parties mine and all models be calibrated.

        An iteration ends when so many samples have moved models, or when `searches` searches of all parties have not
        brought as many; samples that are refused do not count. In a search a party looks at four of its own samples
        for each it is asked for, against the models as they then are.

        Args:
            iterations: at least 1.
            samples_per_iteration: at least 1, at most 4,096.
            progress: show on standard error how far it is.
            searches: most searches in an iteration, at least 1, at most 64; with a ledger, each is a block.

        Returns:
            What became of the samples.

        Raises:
            ValueError: an argument out of range, or no party has data.
        """
        iterations = whole("iterations", iterations, 1, 1 << 31)
        samples_per_iteration = whole("samples_per_iteration", samples_per_iteration, 1, 4096)
        searches = whole("searches", searches, 1, 64)
        if not any(len(party.x) for party in self._parties):
            raise ValueError("no party has data to mine in; a consortium that was loaded can predict only")
        accepted, refused, senders = 0, Counter[str](), Counter[tuple[int, str]]()
        with Progress(progress) as bar:
            line = bar.line("calibrating", iterations * samples_per_iteration)
            for number in range(iterations):
                missing = samples_per_iteration
                for attempt in range(searches):
                    coordinates = (self.seed, self.iterations, attempt)
                    proposals = search(self._parties, self.group, missing, coordinates)
                    if not proposals:
                        break
                    verdicts = [(sender, verdict.refused or "") for sender, verdict in self._use(proposals)]
                    senders.update(verdicts)
                    reasons = Counter(reason for _, reason in verdicts)
                    done = reasons.pop("", 0)
                    accepted, missing = accepted + done, missing - done
                    refused.update(reasons)
                    line((number + 1) * samples_per_iteration - missing)
                    if missing == 0:
                        break
                self.iterations += 1
                line((number + 1) * samples_per_iteration)
        advice = "" if accepted else advice_on(refused, self.group.fleet.claims)
        return SampleTally(accepted, dict(refused), self._by_sender(senders), advice)

    def _by_sender(self, counts: Mapping[tuple[int, str], int]) -> dict[str, dict[str, int]]:
        told: dict[str, dict[str, int]] = {party.name: {} for party in self._parties}
        for (number, reason), count in sorted(counts.items()):
            told[self._parties[number].name][reason] = count
        return told

    def _looked_at(self, predictor: str | Predictor | None) -> Predictor | Literal["screened"] | None:
        """As it is kept; what "screened" comes to depends on the models at the time."""
        if predictor is None or (isinstance(predictor, str) and predictor == Screened.name):
            return None if predictor is None else "screened"
        return resolved(predictor, self.terms.alpha, (Screened.name,))

    def _resolved(self, predictor: str | Predictor) -> Predictor:
        found = self._looked_at(predictor)
        return found if isinstance(found, Predictor) else self.screening().predictor

    @property
    def predictor(self) -> Predictor:
        """How the models are put together: what was asked for; else the screened mean if a party has a check set, else
        the mean (HMR: the largest score).
        """
        if self._asked_for is not None:
            return self._resolved(self._asked_for)
        if self.DEFAULT == "mean" and any(party.check is not None for party in self._parties):
            return self.screening().predictor
        return self._resolved(self.DEFAULT)

    @predictor.setter
    def predictor(self, wanted: str | Predictor | None) -> None:
        self._asked_for = self._looked_at(wanted)

    def screening(self) -> Screening:
        """What the parties' check sets say of the models as they now are (`screening.screen`).

        Raises:
            ValueError: no party has a check set.
        """
        group = self.group
        if self._screening is None or self._screening[0] is not group or self._screening[1] != self.iterations:
            checks = [
                Check(number, party.kind == ORIGINAL, group.fleet.scores(party.check[0]), party.check[1])
                for number, party in enumerate(self._parties)
                if party.check is not None
            ]
            if not checks:
                raise ValueError("screening: no party has a check set (Party(..., check=(x, y)))")
            found, names = screen(checks, group.fleet.claims), tuple(party.name for party in self._parties)
            self._screening = (group, self.iterations, found._replace(names=names))
        return self._screening[2]

    def _public(self, x: NDArray[np.floating], y: NDArray[Any]) -> tuple[Floats32, Integers]:
        samples = checked_samples(x, self.terms)
        return self.group.fleet.scores(samples), checked_labels_of(y, len(samples), self.terms)

    def tempered(self, x: NDArray[np.floating], y: NDArray[Any]) -> Predictor:
        """The mean after each model's scores were made as sure as it is right on public samples.

        Args:
            x, y: samples [samples, *shape] that all may see, and their labels.

        Raises:
            ValueError: samples of another shape, or labels out of range.
        """
        scores, labels = self._public(x, y)
        return fit_tempered(scores, self.group.fleet.claims, labels)

    def stacked(self, x: NDArray[np.floating], y: NDArray[Any]) -> Predictor:
        """A model on top of all models, fitted on public samples. Compare it with a model of these samples alone.

        Raises:
            ValueError: samples of another shape, labels out of range, or of one class only.
        """
        scores, labels = self._public(x, y)
        return fit_stacked(scores, self.group.fleet.claims, labels, names=self.terms.labels)

    def scores(self, x: NDArray[np.floating], predictor: str | Predictor | None = None) -> Floats32:
        """What the models together give each class, [samples, C], of samples [samples, *shape].

        Args:
            x: the samples.
            predictor: another one than the consortium's.

        Raises:
            ValueError: samples of another shape, or not finite; a predictor that there is not.
        """
        chosen, fleet = self._chosen(predictor), self.group.fleet
        return chosen.class_scores(fleet.scores(checked_samples(x, self.terms)), fleet.claims)

    def predict(self, x: NDArray[np.floating], predictor: str | Predictor | None = None) -> NDArray[Any]:
        """The class of each sample, [samples]: its number, or its name if the classes have names.

        A sample for which no model speaks (all give scores that are no numbers from 0 to 1) is told -1, or "".

        Args:
            x: samples [samples, *shape].
            predictor: another one than the consortium's.

        Raises:
            ValueError: samples of another shape, or not finite; a predictor that there is not.
        """
        chosen, fleet = self._chosen(predictor), self.group.fleet
        found = chosen.predict(fleet.scores(checked_samples(x, self.terms)), fleet.claims)
        return np.array([*self.terms.labels, ""])[found] if self.terms.labels else found

    def _chosen(self, predictor: str | Predictor | None) -> Predictor:
        return self.predictor if predictor is None else self._resolved(predictor)

    def protection(self, x: NDArray[np.floating] | None = None, predictor: str | Predictor | None = None) -> Protection:
        """For each class, how many lying models among those that know it the predictor tolerates: their scores cannot
        push that of the class outside of what honest models give it.

        That is a theorem for "median", "star" and "krum"; for a mean, screened or not, it is 0 whatever it withstands
        in practice.

        Args:
            x: samples: the least for any of them, since models that do not speak for a sample are no help there.
            predictor: another one than the consortium's.

        Raises:
            ValueError: samples of another shape, or not finite; a predictor that there is not.
        """
        chosen, claims = self._chosen(predictor), self.group.fleet.claims
        counts = claims.sum(axis=0)
        samples = None if x is None else checked_samples(x, self.terms)
        if samples is not None and len(samples):
            scores = self.group.fleet.scores(samples)
            counts = np.min([those.sum(axis=0) for _, _, those in by_speakers(scores, claims)], axis=0)
        return Protection(chosen.tolerated(counts), counts, chosen.name, self.terms.labels)
