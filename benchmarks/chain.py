"""The chain: games played by state machines and in one loop, ledgers verified, counts compared in private.

What a signature costs is libsodium's matter, so verifying a ledger is held against bare checks of its own signatures,
in turn and in the same process.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import NamedTuple

from nacl.bindings import crypto_sign_open
from nacl.signing import SigningKey

from benchmarks.measure import Contender, Row, interleave, table
from benchmarks.shares import by_share
from folkmoot import ledger
from folkmoot.bc_ucb.algorithm import BCUCB
from folkmoot.bc_ucb.attacks import SignFlip
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.bc_ucb.result import ChainResult
from folkmoot.bc_ucb.rules import KIND
from folkmoot.bc_ucb.simulate import simulate_chain
from folkmoot.comparison.pairwise import pairwise_cost
from folkmoot.ledger import notes
from folkmoot.signatures import ON_HEADER
from folkmoot.world.rewards import Bernoulli

SIGNERS = 7  # of each block of notes, and participants of the game whose ledger is verified
BLOCKS = 5_000  # of notes
_ARMS, _BURN_IN = 2, 10
_MOST_BARE = 35_000  # different signatures that are kept in memory to be checked bare


def game(participants: int, horizon: int, **more: object) -> ChainResult:
    """Two arms; as many liars as the protocol stands report the opposite."""
    given: dict[str, object] = {"malicious": range((participants - 1) // 3), "attack": SignFlip(), "progress": False}
    rewards = Bernoulli((0.4, 0.6), n_agents=participants)
    return simulate_chain(BCUCB(), rewards, horizon=horizon, **{**given, **more})  # type: ignore[arg-type]


def protocol(sizes: Sequence[int], blocks: int, repetitions: int) -> str:
    """Blocks a second where each participant is a state machine, all of them in one thread; what a block takes."""
    played = {n: game(n, _BURN_IN + blocks, fidelity="protocol") for n in sizes}

    def play(participants: int) -> None:
        game(participants, _BURN_IN + blocks, fidelity="protocol")

    contenders: list[Contender] = [(str(n), partial(play, n), int(played[n].approved[0])) for n in sizes]
    lines = []
    for row in interleave(contenders, repetitions):
        result = played[int(row.name)]
        made = int(result.approved[0])
        signatures, messages, sent = (
            int(column[0]) / made for column in (result.signatures, result.messages, result.bytes)
        )
        validators = f"{int(result.validators[0]) / int(result.blocks[0]):.1f}"
        shown = [f"{signatures:,.0f}", f"{messages:,.0f}", f"{sent / 1e3:,.0f} kB"]
        lines.append([row.name, validators, f"{1e9 / row.median:,.1f}", *shown])
    return table(["participants", "validators a round", "blocks/s", "signatures checked", "messages", "sent"], lines)


def loop(sizes: Sequence[int], steps: int, repetitions: int) -> str:
    """Agent-steps a second of the loop that takes agreement for granted."""
    contenders: list[Contender] = []
    for participants in sizes:
        horizon = _BURN_IN + max(10, steps // participants)
        game(participants, _BURN_IN + 10, checkpoints=[_BURN_IN + 10])  # compiles
        run = partial(game, participants, horizon, checkpoints=[horizon])
        contenders.append((str(participants), run, participants * horizon))
    rows = interleave(contenders, repetitions)
    lines = [[row.name, f"{row.median:,.0f}", f"{1e3 / row.median:,.2f}"] for row in rows]
    return table(["participants", "ns per agent-step", "million agent-steps/s"], lines)


class File(NamedTuple):
    """A ledger that is to be verified."""

    name: str
    book: ledger.Ledger
    blocks: int
    signatures: int  # in all of its blocks and records
    bare: Sequence[tuple[bytes, bytes]]  # signature and message, key: of as many headers as it takes


def write_notes(path: Path, blocks: int) -> None:
    """Blocks with seven signatures each."""
    keys = [SigningKey(bytes([number + 1]) * 32) for number in range(SIGNERS)]
    public = tuple(key.verify_key.encode() for key in keys)
    with ledger.create(path, ledger.Genesis("notes", notes.configuration(public))) as book:
        for height in range(1, blocks + 1):
            book.append(ledger.propose(book.chain, [b"note %d" % height]).signed(*keys))
            if height == 1 and book._writer is not None:
                book._writer.execute("PRAGMA synchronous = OFF")  # reading is what is measured


def opened(name: str, path: Path) -> File:
    """A file and the signatures in it."""
    book, count, bare = ledger.open(path), 0, list[tuple[bytes, bytes]]()
    game_of = len(book.chain.state.configuration.keys) if book.genesis.kind == KIND else 0
    for block in book.blocks():
        count += len(block.signatures)
        if game_of:
            record = RoundRecord.from_bytes(block.records[0], game_of, _ARMS)
            count += len(record.reports) + len(record.sets)
        if len(bare) < _MOST_BARE:
            bare += [(signature + ON_HEADER + block.hash, key) for key, signature in block.signatures]
    return File(name, book, book.height, count, bare)


def _verify(file: File) -> None:
    assert file.book.verify().ok


def _check_bare(file: File) -> None:
    for message, key in islice(cycle(file.bare), file.signatures):
        crypto_sign_open(message, key)


def verification(blocks: int, rounds_played: int, repetitions: int) -> tuple[str, dict[str, float]]:
    """Ledgers verified, and bare checks of as many signatures: a table, and the ratio of each."""
    with TemporaryDirectory() as folder:
        of_notes, of_a_game = Path(folder) / "notes.ledger", Path(folder) / "game.ledger"
        write_notes(of_notes, blocks)
        game(SIGNERS, _BURN_IN + rounds_played, fidelity="protocol", ledger=of_a_game)
        files = [opened(f"notes, {SIGNERS} signers", of_notes), opened(f"game of {SIGNERS}", of_a_game)]
        contenders: list[Contender] = []
        for file in files:
            contenders += [
                (file.name, partial(_verify, file), file.blocks),
                ("", partial(_check_bare, file), file.blocks),
            ]
        rows: list[Row] = interleave(contenders, repetitions)
    lines, ratios = [], {}
    for file, ours, bare in zip(files, rows[::2], rows[1::2], strict=True):
        ratios[file.name] = ours.ratio(bare)
        speed = [f"{1e9 / row.median:,.0f}" for row in (ours, bare)]
        lines.append(
            [file.name, f"{file.blocks:,}", f"{file.signatures / file.blocks:.1f}", *speed, f"{ratios[file.name]:.2f}"]
        )
    head = ["ledger", "blocks", "signatures a block", "blocks/s", "bare checks, blocks/s", "times bare"]
    return table(head, lines), ratios


def comparison(sizes: Sequence[tuple[int, int]], repetitions: int) -> str:
    """What a private comparison takes, for (bits of a count, arms)."""
    lines = []
    for bits, arms in sizes:
        costs = [pairwise_cost(bits, arms, os.urandom, process_time) for _ in range(repetitions)]
        times = [median(getattr(c, name) for c in costs) for name in ("offer_ms", "answer_ms", "reading_ms")]
        sizes_of = [f"{size / 1e3:.1f} kB" for size in (costs[0].offer_bytes, costs[0].answer_bytes)]
        lines.append([f"{bits}, {arms}", *(f"{time:.1f} ms" for time in times), *sizes_of])
    head = ["bits, arms", "offer: validator, once", "answer: participant", "reading: validator", "offer", "answer"]
    return table(head, lines)


def part(quick: bool, repetitions: int, blocks: int) -> tuple[list[str], dict[str, float]]:
    """All of it as Markdown, and the ratios of verification to bare checks."""
    sizes, made = ((4,), 3) if quick else ((4, 7, 10, 16), 20)
    texts: list[tuple[str, Callable[[], str]]] = [
        (
            f"Chain: {made} rounds by state machines, 2 arms; signatures, messages and bytes are a block's",
            lambda: protocol(sizes, made, repetitions),
        ),
        (
            "Chain: the protocol by share, ms of processor time a block, all participants together",
            lambda: by_share(sizes, made, 1 if quick else 5),
        ),
        (
            "Chain: the loop that takes agreement for granted, 2 arms",
            lambda: loop(sizes if quick else (4, 7, 10, 16, 64), 100 if quick else 200_000, repetitions),
        ),
    ]
    found = [f"### {title}\n\n{measured()}\n" for title, measured in texts]
    turns = repetitions if blocks <= 4 * BLOCKS else min(repetitions, 3)
    text, ratios = verification(20 if quick else blocks, 3 if quick else 100, turns)
    found.append(f"### Chain: ledgers verified\n\n{text}\n")
    if find_spec("rbcl") is not None:
        text = comparison([(20, 1)] if quick else [(20, 1), (20, 5), (32, 5)], repetitions)
        found.append(f"### Chain: one private comparison, processor time and bytes\n\n{text}\n")
    return found, ratios
