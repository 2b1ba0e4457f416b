"""Learning together: all networks of a consortium scored and moved as one, against plain PyTorch, one after the other.

Both run in one thread on untrained networks and random images; what they compute is checked to agree.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks.measure import Contender, interleave, table
from folkmoot.multiparty import LeNet4, LeNet5, TorchModel, TwoHiddenLayers
from folkmoot.multiparty.models import Pace
from folkmoot.multiparty.models.fleet import Fleet, Move

CLASSES, KNOWN, LABEL = 10, 4, 3  # in the world, of a party, and the one that is moved
PACE = Pace(1e-6, 1.0, log_probability=True)
Modules = Sequence[tuple[nn.Module, tuple[int, ...]]]


def networks(parties: int) -> list[tuple[nn.Module, tuple[int, ...]]]:
    """Of ten parties three have LeNet-5, three LeNet-4, four two hidden layers (BEMA); each knows four classes."""
    torch.manual_seed(0)
    builds = [LeNet5] * 3 + [LeNet4] * 3 + [TwoHiddenLayers] * 4
    each = parties // len(builds)
    found = []
    for i, build in enumerate(build for build in builds for _ in range(each)):
        classes = tuple(sorted((i // each + k) % CLASSES for k in range(KNOWN)))
        found.append((build(KNOWN + 1).eval(), classes))  # with a reserved class
    return found


def plain_scores(modules: Modules, x: np.ndarray) -> np.ndarray:
    """[models, samples, classes], as whoever has a list of modules would do it."""
    found = np.zeros((len(modules), len(x), CLASSES), np.float32)
    with torch.inference_mode():
        given = torch.from_numpy(x)
        for own, (module, classes) in zip(found, modules, strict=True):
            own[:, list(classes)] = torch.softmax(module(given), 1)[:, :KNOWN].numpy()
    return found


def plain_step(modules: Modules, x: np.ndarray, pace: Pace) -> None:
    """Every model that knows the class is enhanced (eq. 11), with PyTorch's own clipping."""
    given = torch.from_numpy(x)
    for module, classes in modules:
        if LABEL in classes:
            module.zero_grad()
            torch.log_softmax(module(given)[0], 0)[classes.index(LABEL)].backward()
            nn.utils.clip_grad_norm_(module.parameters(), pace.cap)
            with torch.no_grad():
                for parameter in module.parameters():
                    parameter += pace.eta * parameter.grad


def agree(parties: int) -> None:
    """Both compute the same.

    Raises:
        AssertionError: they do not.
    """
    modules, x = networks(parties), _images(3)
    fleet, far = _fleet(modules), PACE._replace(eta=0.1)  # a step that shows in the scores
    for _ in range(2):
        for samples in (x, x[:1]):
            np.testing.assert_allclose(fleet.scores(samples), plain_scores(modules, samples), atol=1e-6)
        plain_step(modules, x[:1], far)
        fleet.step(x[:1], _moves(modules), far)


def part(quick: bool, repetitions: int) -> tuple[list[str], dict[str, float]]:
    """All of it as Markdown, and how many times quicker than plain PyTorch each is."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        agree(10)
        lines, gains = [], {}
        for parties in (10,) if quick else (10, 20, 50):
            for name, runs, samples, both in _contests(parties, 1 if quick else 40):
                contenders: list[Contender] = [("", partial(_again, runs, each), runs * samples) for each in both]
                for each in both:
                    each()  # ours is recorded
                mine, theirs = interleave(contenders, repetitions)
                gains[f"{name}, {parties} parties"] = theirs.ratio(mine)
                lines.append([f"{parties}", name, f"{mine.median / 1e3:,.0f}", f"{theirs.median / 1e3:,.0f}",
                              f"{theirs.ratio(mine):.2f}"])  # fmt: skip
    finally:
        torch.set_num_threads(threads)
    text = table(["parties", "", "ours, us a sample", "plain PyTorch, us a sample", "times quicker"], lines)
    return [f"### Learning: all networks scored and moved\n\n{text}\n"], gains


def _contests(parties: int, runs: int) -> list[tuple[str, int, int, list[Callable[[], object]]]]:
    modules, many = networks(parties), _images(128)
    fleet, one, moves = _fleet(modules), many[:1], _moves(modules)
    moved = f"{len(moves)} models moved by one sample"
    return [
        ("one sample scored", runs, 1, [partial(fleet.scores, one), partial(plain_scores, modules, one)]),
        (moved, runs, 1, [partial(fleet.step, one, moves, PACE), partial(plain_step, modules, one, PACE)]),
        ("a batch of 128 scored", 2, len(many), [partial(fleet.scores, many), partial(plain_scores, modules, many)]),
    ]


def _again(times: int, function: Callable[[], object]) -> None:
    for _ in range(times):
        function()


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 1, 28, 28), np.float32)


def _fleet(modules: Modules) -> Fleet:
    return Fleet([TorchModel(module, classes, reserved=True) for module, classes in modules], CLASSES)


def _moves(modules: Modules) -> list[Move]:
    return [Move(i, LABEL, 1) for i, (_, classes) in enumerate(modules) if LABEL in classes]
