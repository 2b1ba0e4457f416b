"""All models of a consortium as one: scores for every class of the world, and steps of several at once."""

from collections.abc import Hashable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from folkmoot.encoding import Malformed
from folkmoot.errors import OtherSide
from folkmoot.ledger.contents import name_of
from folkmoot.multiparty.models.kinds import is_users
from folkmoot.multiparty.models.model import Floats32, Model, Pace, Stackable
from folkmoot.multiparty.models.small_numbers import kept_small
from folkmoot.multiparty.models.users import blamed


class Move(NamedTuple):
    """One model's score of one class is to be raised (+1) or lowered (-1)."""

    model: int
    label: int
    sign: int


class _Raised(OtherSide):
    """What a user's code raised."""


def _stuck(model: int, said: str) -> Malformed:
    return Malformed(f"model {model} cannot be moved by this sample: {said}")


class Fleet:
    """Models of any kinds. Those of one architecture are evaluated and stepped together.

    The models handed in are not changed: a fleet works on copies.

    Args:
        models: at least one; None in the place of one that is gone: it claims nothing, and its scores are 0.
        n_classes: C, the number of classes in the world.
    """

    def __init__(self, models: Sequence[Model | None], n_classes: int) -> None:
        self.n_classes = n_classes
        self.models = tuple(models)
        self.claims = np.zeros((len(models), n_classes), np.bool_)
        there = {i: model for i, model in enumerate(models) if model is not None}
        for i, model in there.items():
            self.claims[i, list(model.classes)] = True
        self._columns = {i: np.array(model.classes) for i, model in there.items()}
        self._alone = {i: m.from_bytes(m.to_bytes()) for i, m in there.items() if not isinstance(m, Stackable)}
        self._stacks: list[tuple[list[int], Any]] = []  # members, `stacked.Stack`: PyTorch is not loaded without need
        self._place: dict[int, tuple[int, int]] = {}  # model -> stack, position in it
        alike: dict[Hashable, list[int]] = {}
        for i, model in there.items():
            if isinstance(model, Stackable):
                alike.setdefault(model.likeness, []).append(i)
        for members in alike.values():
            first, *others = (models[i] for i in members)
            assert isinstance(first, Stackable)
            self._place.update({i: (len(self._stacks), at) for at, i in enumerate(members)})
            self._stacks.append((members, first.stack(others)))

    def __len__(self) -> int:
        return len(self.models)

    def is_in(self, model: int) -> bool:
        """Is there one, or is it gone?"""
        return self.models[model] is not None

    def copy(self) -> "Fleet":
        """The same models, to be stepped on their own."""
        twin: Fleet = object.__new__(Fleet)
        twin.__dict__.update(self.__dict__)
        twin._alone = {i: model.from_bytes(model.to_bytes()) for i, model in self._alone.items()}
        twin._stacks = [(members, stack.copy()) for members, stack in self._stacks]
        return twin

    def scores(self, x: Floats32) -> Floats32:
        """h_i(x, y): [models, samples, classes], 0 for classes a model does not know.

        NaN where the code of a user's kind of model raises something.
        """
        with kept_small():
            return self._scores(x)

    def _scores(self, x: Floats32) -> Floats32:
        found = np.zeros((len(self.models), len(x), self.n_classes), np.float32)
        for members, stack in self._stacks:
            for i, own in zip(members, stack.scores(x), strict=True):
                found[i][:, self._columns[i]] = own
        for i, model in self._alone.items():
            try:
                with blamed(_Raised) if is_users(model.kind) else nullcontext():
                    found[i][:, self._columns[i]] = model.scores(x)
            except _Raised:  # a model that cannot say anything of these samples does not speak for them
                found[i][:, self._columns[i]] = np.nan
        return found

    def step(self, x: Floats32, moves: Sequence[Move], pace: Pace) -> None:
        """Make moves for one sample [1, ...].

        Of two that concern one model both are taken where it stands before if it is a stackable one; others make them
        one after the other.

        Raises:
            Malformed: the code of a user's kind of model raised something.
        """
        with kept_small():
            self._step(x, moves, pace)

    def _step(self, x: Floats32, moves: Sequence[Move], pace: Pace) -> None:
        grouped: dict[int, list[tuple[int, int, int]]] = {}
        for model, label, sign in moves:
            column = int(np.searchsorted(self._columns[model], label))
            if model in self._place:
                stack, at = self._place[model]
                grouped.setdefault(stack, []).append((at, column, sign))
            else:
                alone = self._alone[model]
                with blamed(partial(_stuck, model)) if is_users(alone.kind) else nullcontext():
                    alone.step(x, column, sign, pace)
        for stack, rows in grouped.items():
            models, columns, signs = (np.array(part) for part in zip(*rows, strict=True))
            self._stacks[stack][1].step(x, models, columns, signs, *pace)

    def parameters(self, model: int) -> bytes:
        """The parameters of a model as they now are."""
        if model in self._alone:
            return self._alone[model].to_bytes()
        stack, at = self._place[model]
        parameters: bytes = self._stacks[stack][1].to_bytes(at)
        return parameters

    def hash(self, model: int) -> bytes:
        """32 bytes that stand for them on the chain: their name among its contents."""
        return name_of(self.parameters(model))

    def model(self, model: int) -> Model:
        """A copy of a model as it now is."""
        found = self._alone.get(model, self.models[model])
        assert found is not None, "a party that is gone has no model"
        return found.from_bytes(self.parameters(model))
