"""`folkmoot ledger`: verify a ledger file, or show what is in it."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot.cli.terminal import path, print_table
from folkmoot.errors import OtherSide

if TYPE_CHECKING:
    from folkmoot.ledger import Ledger, Verification

ledger = typer.Typer(no_args_is_help=True, help="Ledger files: verify one, or show what is in it.")
LedgerFile = Annotated[Path, typer.Argument(metavar="FILE", parser=path, help="A ledger file; it is not changed.")]


@ledger.command()
def verify(
    file: LedgerFile,
    models: Annotated[
        Path | None,
        typer.Option(
            "--models", metavar="FILE.py", help="Run this Python file first: it enters models or kinds of ledgers."
        ),
    ] = None,
    before: Annotated[
        Path | None,
        typer.Option(
            "--before", metavar="FILE", parser=path, help="The ledger that this one goes on from; it is verified too."
        ),
    ] = None,
) -> int:
    """Check every block from the genesis on; status 1 and the first bad block if there is one."""
    from folkmoot import ledger as chains
    from folkmoot.ledger.rules import remarks

    opened = chains.open(file)
    try:
        verdict = _verified(opened, []) if models is None else _verified_with(models, opened)
    except KeyboardInterrupt:
        print(f"folkmoot: interrupted; {opened.name} is not verified", file=sys.stderr)
        return 130
    if verdict.bad is not None:
        print(f"folkmoot: failed: {opened.name}: block {verdict.bad}: {verdict.reason}", file=sys.stderr)
        return 1
    settled: tuple[str, ...] = ()
    if before is not None:
        try:
            settled = _goes_on(opened, before)
        except OtherSide as error:
            print(f"folkmoot: failed: {opened.name}: {error}", file=sys.stderr)
            return 1
    left = [remark for remark in verdict.remarks if remark not in settled]
    good = "nothing wrong in what a reader can check" if left else "all good"
    print(f"{opened.name}: {verdict.blocks} blocks, {good}, tip {verdict.tip.hex()}")
    if before is not None:
        print(f"it goes on from {before}, with the accounts that it ends with")
    _print_notes(left)
    with suppress(OtherSide):  # a kind that only the file of --models knows
        about = opened.genesis.kind, opened.genesis.configuration
        _print_notes(remark for remark in remarks(*about, False) if remark not in verdict.remarks)
    return 0


def _goes_on(opened: "Ledger", before: Path) -> tuple[str, ...]:
    """Remarks on a ledger that are settled by the ledger before it.

    Raises:
        OtherSide: it does not go on from that, or that is damaged.
    """
    from folkmoot import ledger as chains
    from folkmoot.ledger.rules import goes_on

    return goes_on(opened.genesis.kind, opened.genesis.configuration, chains.open(before).chain)


def _verified(opened: "Ledger", done: list[int]) -> "Verification":
    """What was found; `done` ends with the number of good blocks in any case."""
    from folkmoot.ledger.replay import DamagedLedger
    from folkmoot.progress import Progress

    with Progress(wanted=True) as progress:
        try:
            total = opened.height
        except DamagedLedger:
            total = 0  # verify says what is wrong
        line = progress.line(f"verify {opened.path.name}", max(total, 1))

        def said(blocks: int) -> None:
            done.append(blocks)
            line(blocks)

        return opened.verify(said)


def _verified_with(models: Path, opened: "Ledger") -> "Verification":
    """Code of the user's runs here: it may end in an error, but not in a status that looks like a good ledger's."""
    from folkmoot.multiparty.models.kinds import enter_from
    from folkmoot.multiparty.models.users import told
    from folkmoot.plurals import plural

    try:
        enter_from(models)
    except ValueError as error:
        raise ValueError(f"{error}; {opened.name} is not verified") from None
    done = [0]
    try:
        return _verified(opened, done)
    except (OtherSide, OSError, MemoryError, KeyboardInterrupt):
        raise
    except BaseException as error:
        what = f"what {models} entered ended in {told(error)}, after {plural(done[-1], 'good block')}"
        raise ValueError(f"{opened.name}: {what}") from None


@ledger.command()
def show(
    file: LedgerFile,
    blocks: Annotated[int, typer.Option("--blocks", metavar="N", help="How many of the last blocks.")] = 10,
    accounts: Annotated[bool, typer.Option("--accounts", help="Verify it, then show the accounts too.")] = False,
    block: Annotated[int | None, typer.Option("--block", metavar="HEIGHT", help="All records of this block.")] = None,
    party: Annotated[
        str | None, typer.Option("--party", metavar="NAME", help="All records that this party has a part in.")
    ] = None,
    moved: Annotated[
        bool, typer.Option("--moved", help="Compute the models again, and say which of them each sample moved.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, with all records.")] = False,
) -> int:
    """Show the last blocks as they are stored; only --accounts and --moved check them first."""
    if blocks < 0:
        raise ValueError(f"--blocks = {blocks}: expected an integer of at least 0")
    from folkmoot import ledger as chains
    from folkmoot.cli.shown import as_json, as_text, looked_at
    from folkmoot.ledger.rules import remarks

    opened = chains.open(file)
    found = looked_at(opened, blocks, block, party, moved)
    if json:
        print(as_json(opened, found))
        return 0
    rows = []
    for one in found.blocks:
        size = sum(map(len, one.block.records))
        numbers = (one.block.header.height, len(one.block.records), size, len(one.block.signatures))
        first, *others = [f"{number:,}" for number in numbers]
        rows.append([first, one.block.hash.hex()[:16], *others])
    genesis, height = opened.genesis, opened.height
    print(f"{opened.name}: {height:,} blocks of kind {genesis.kind}, genesis {genesis.hash.hex()}")
    if rows:
        print_table(["height", "hash begins", "records", "bytes", "signatures"], rows)
    with suppress(OtherSide):  # a kind that is not known here is shown all the same
        _print_notes(remarks(genesis.kind, genesis.configuration, False))
    for line in as_text(found, party, all_records=block is not None or party is not None or moved):
        print(line)
    if accounts:
        sentence, header, rows = chains.accounts(opened.chain)
        _print_notes([sentence] if sentence else [])
        print_table(header, rows)
    return 0


def _print_notes(remarks: Iterable[str]) -> None:
    for remark in remarks:
        print(f"note: {remark}")
