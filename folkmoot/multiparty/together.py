"""What BEMA and HMR have in common: parties, a search for samples, their use, and a joint prediction."""

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from folkmoot.multiparty import saved
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.party import ORIGINAL, Party
from folkmoot.multiparty.rules.committee import Judgement
from folkmoot.multiparty.rules.margin import Integers, Margins
from folkmoot.multiparty.rules.sample import Proposal, Sample
from folkmoot.multiparty.rules.terms import Terms

CHECKED = 256  # samples of a party on which its model's scores are looked at when it joins


class Group(Protocol):
    """All models under a set of rules: `committee.Committee` or `hmr.Server`."""

    fleet: Fleet
    terms: Terms

    @property
    def spent(self) -> frozenset[bytes]: ...
    def take(self, sample: Sample) -> Judgement: ...
    def with_model(self, model: Model) -> Self: ...
    def margins(self, x: Floats32, labels: Integers) -> Margins: ...
    def class_scores(self, x: Floats32) -> Floats32: ...
    def predict(self, x: Floats32) -> Integers: ...
    def protection(self) -> Integers: ...


class Tally(NamedTuple):
    """What became of the samples of some iterations.

    Attributes:
        accepted: samples that moved models.
        refused: reason -> how many were refused for it.
        by_sender: name of a party -> "" for those of its samples that moved models, or the reason -> how many.
    """

    accepted: int
    refused: dict[str, int]
    by_sender: dict[str, dict[str, int]] = {}  # noqa: RUF012


def checked(party: Party, terms: Terms) -> Party:
    """The party, if its model and data fit the terms.

    Raises:
        ValueError: a class outside of 0 to C - 1, samples of another shape, scores of another shape, not finite or
            outside [0, 1].
    """
    classes = party.model.classes
    foreign = [c for c in classes if c >= terms.n_classes]
    if foreign:
        raise ValueError(f"party {party.name}: class {foreign[0]}: the classes are 0 to {terms.n_classes - 1}")
    if party.x.shape[1:] != terms.shape:
        raise ValueError(f"party {party.name}: samples of shape {party.x.shape[1:]}: expected {terms.shape}")
    if len(party.x):
        try:
            scores = np.asarray(party.model.scores(party.x[:CHECKED]))
        except RuntimeError as error:  # PyTorch's, for shapes that do not fit
            raise ValueError(f"party {party.name}: {' '.join(str(error).split())[:200]}") from None
        wanted = (min(len(party.x), CHECKED), len(classes))
        if scores.shape != wanted:
            raise ValueError(f"party {party.name}: scores of shape {scores.shape}: expected {wanted}")
        if not np.isfinite(scores).all():
            raise ValueError(f"party {party.name}: the model gives scores that are not finite")
        if scores.min() < 0.0 or scores.max() > 1.0 + 1e-6:
            raise ValueError(f"party {party.name}: scores from {scores.min():g} to {scores.max():g}: expected 0 to 1")
    return party


def terms_of(parties: Sequence[Party], n_classes: int | None, settings: Mapping[str, object]) -> Terms:
    """Terms for these parties; C is one more than the largest class if it is not given.

    Raises:
        ValueError: no parties, two of one name, or settings out of range.
    """
    if not parties or not all(isinstance(party, Party) for party in parties):
        raise ValueError("parties: expected at least one folkmoot.multiparty.Party")
    names = [party.name for party in parties]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"parties: two are named {twice[0]}, each needs a name of its own")
    if n_classes is None:
        n_classes = 1 + max(max(party.model.classes) for party in parties)
    allowed = [field.name for field in fields(Terms) if field.name not in ("n_classes", "shape")]
    for name in settings:
        if name not in allowed:
            raise ValueError(f"{name}: unknown; the settings are {', '.join(allowed)}")
    given = {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in settings.items()}
    return Terms(n_classes, tuple(int(n) for n in parties[0].x.shape[1:]), **given)  # type: ignore[arg-type]


def checked_samples(x: NDArray[np.floating], terms: Terms) -> Floats32:
    """Samples as the models take them.

    Raises:
        ValueError: another shape than [samples, *shape], or numbers that are not finite.
    """
    found = np.asarray(x)
    if found.shape[1:] != terms.shape or found.dtype.kind not in "fiub":
        raise ValueError(f"x of shape {found.shape}: expected [samples, {', '.join(map(str, terms.shape))}]")
    found = np.ascontiguousarray(found, np.float32)
    if not np.isfinite(found).all():
        raise ValueError("x has numbers that are not finite")
    return found


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

    def __init__(self, terms: Terms, seed: int) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
            raise ValueError(f"seed = {seed!r:.80}: expected an integer from 0 to 2**63 - 1")
        self.terms, self.seed = terms, seed
        self.iterations = 0
        self._parties: list[Party] = []

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

    def model(self, name: str) -> Model:
        """A party's model as it now is.

        Raises:
            ValueError: no such party.
        """
        names = [party.name for party in self._parties]
        if name not in names:
            raise ValueError(f"party {name!r:.80}: unknown; there are {', '.join(names)}")
        return self.group.fleet.model(names.index(name))

    def _check_newcomer(self, party: Party) -> None:
        """Does the party fit the terms, and is its name its own?

        Raises:
            ValueError: no.
        """
        checked(party, self.terms)
        if party.name in [other.name for other in self._parties]:
            raise ValueError(f"party {party.name}: there is one of that name already")

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """What was saved: it predicts, and has no ledger and no data to mine in.

        Raises:
            ValueError: not such a folder, or models of a kind that is not known here.
        """
        terms, seed, iterations, parties = saved.read(folder)
        settings = asdict(terms) | {"seed": seed}
        del settings["shape"]
        # Nobody is to be registered anew: they begin as original parties, and are then what they were.
        begun = cls([replace(party, kind=ORIGINAL) for party in parties], **settings)  # type: ignore[arg-type]
        begun._parties, begun.iterations = parties, iterations
        return begun

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write terms and models, as they now are, into a new folder; the parties' data stay out of it.

        Raises:
            ValueError: there is such a folder already, or it cannot be written.
        """
        parties = [replace(party, model=self.model(party.name)) for party in self._parties]
        return saved.write(folder, self.terms, self.seed, self.iterations, parties)

    def calibrate(
        self, iterations: int, samples_per_iteration: int = 200, progress: bool = True, *, searches: int = 4
    ) -> Tally:
        """Let all parties mine and all models be calibrated.

        An iteration ends when so many samples have moved models, or when `searches` searches of all parties have not
        brought as many; samples that are refused do not count. In a search a party looks at four of its own samples
        for each it is asked for, against the models as they then are.

        Args:
            iterations: at least 1.
            samples_per_iteration: at least 1, at most 4,096.
            progress: show a bar.
            searches: most searches in an iteration, at least 1, at most 64; with a ledger, each is a block.

        Returns:
            What became of the samples.

        Raises:
            ValueError: an argument out of range, or no party has data.
        """
        asked = {
            "iterations": (iterations, 1 << 31),
            "samples_per_iteration": (samples_per_iteration, 4096),
            "searches": (searches, 64),
        }
        for name, (value, most) in asked.items():
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise ValueError(f"{name} = {value!r:.80}: expected an integer from 1 to {most}")
        if not any(len(party.x) for party in self._parties):
            raise ValueError("no party has data to mine in; a consortium that was loaded can predict only")
        accepted, refused, senders = 0, Counter[str](), Counter[tuple[int, str]]()
        with Progress(disable=not progress, transient=True) as bar:
            task = bar.add_task("calibrating", total=iterations * samples_per_iteration)
            for _ in range(iterations):
                missing = samples_per_iteration
                for attempt in range(searches):
                    coordinates = (self.seed, self.iterations, attempt)
                    proposals = search(self._parties, self.group, missing, coordinates)
                    if not proposals:
                        break
                    verdicts = [(number, verdict.refused or "") for number, verdict in self._use(proposals)]
                    senders.update(verdicts)
                    reasons = Counter(reason for _, reason in verdicts)
                    done = reasons.pop("", 0)
                    accepted, missing = accepted + done, missing - done
                    refused.update(reasons)
                    bar.advance(task, done)
                    if missing == 0:
                        break
                self.iterations += 1
                bar.update(task, completed=self.iterations * samples_per_iteration)
        return Tally(accepted, dict(refused), self._by_sender(senders))

    def _by_sender(self, counts: Mapping[tuple[int, str], int]) -> dict[str, dict[str, int]]:
        told: dict[str, dict[str, int]] = {party.name: {} for party in self._parties}
        for (number, reason), count in sorted(counts.items()):
            told[self._parties[number].name][reason] = count
        return told

    def scores(self, x: NDArray[np.floating]) -> Floats32:
        """What the models together give each class, [samples, C], of samples [samples, *shape].

        Raises:
            ValueError: samples of another shape, or not finite.
        """
        return self.group.class_scores(checked_samples(x, self.terms))

    def predict(self, x: NDArray[np.floating]) -> Integers:
        """The class of each sample, [samples].

        Raises:
            ValueError: samples of another shape, or not finite.
        """
        return self.group.predict(checked_samples(x, self.terms))

    def protection(self) -> dict[int, int]:
        """For each class, how many lying models among those that claim it are tolerated (2 f < m < K, Theorem 2)."""
        return {label: int(liars) for label, liars in enumerate(self.group.protection())}
