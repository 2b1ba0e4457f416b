"""The command `folkmoot`. Bad input is one line on standard error and exit status 2.

Exit status: 0 done; 1 something failed while running, or a stated tolerance is missed; 2 bad input;
130 interrupted. What a command needs is imported when it runs, so that help is there at once.
"""

import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot.errors import OtherSide

if TYPE_CHECKING:
    from folkmoot.ledger import Ledger, Verification
    from folkmoot.simulation.saved import Saved
    from folkmoot.simulation.sweep import Swept

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Deciding and learning together among parties who need not trust each other.",
)
data = typer.Typer(no_args_is_help=True, help="Data sets: fetch one, or say where it is read from.")
app.add_typer(data, name="data")
ledger = typer.Typer(no_args_is_help=True, help="Ledger files: verify one, or show what is in it.")
app.add_typer(ledger, name="ledger")


def _path(given: str) -> Path:
    """A path; an empty text, which Python takes for the folder one is in, is none."""
    if not given:
        raise typer.BadParameter("'': expected the name of a file or folder")
    return Path(given)


LedgerFile = Annotated[Path, typer.Argument(metavar="FILE", parser=_path, help="A ledger file; it is not changed.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="N", help="Replicates run in parallel (default: all processors).")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", parser=_path, help="Folder for the results (default: results/NAME)."),
]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _jobs(given: int | None) -> int:
    if given is not None and given < 1:
        raise ValueError(f"--jobs = {given}: expected an integer of at least 1")
    return _processors() if given is None else given


def _version(wanted: bool) -> None:
    if wanted:
        from folkmoot import __version__

        print(f"folkmoot {__version__}")
        raise typer.Exit


@app.callback()
def _folkmoot(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as it must be; plain text where there is no terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=1_000)
    table = Table(box=None, pad_edge=False, show_header=any(header))
    for number, title in enumerate(header):
        table.add_column(title, justify="left" if number == 0 or not title else "right", overflow="fold")
    for row in rows:
        table.add_row(*(word.replace("[", "\\[") for word in row))
    console.print(table)


def _print_results(results: "Mapping[str, Saved]") -> None:
    """A table, as results of their kind have it."""
    from folkmoot.report.files import report_of

    header, rows, sentences = report_of(results).terminal(results)
    _print_table(header, rows)
    for sentence in sentences:
        print(sentence)


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(metavar="FILE.toml|NAME", help="An experiment file or a built-in one.")],
    out: Out = None,
    jobs: Jobs = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="S", help="Instead of the experiment's seed.")] = None,
    replicates: Annotated[
        int | None, typer.Option("--replicates", metavar="N", help="Instead of the experiment's number.")
    ] = None,
) -> int:
    """Run an experiment. Run it again to resume after a break: finished replicates are kept."""
    workers = _jobs(jobs)
    from folkmoot.experiments import files
    from folkmoot.experiments.outputs import LOG, REPORT
    from folkmoot.experiments.outputs import run as run_plan
    from folkmoot.experiments.plan import plan
    from folkmoot.plurals import plural

    path = files.find(experiment)
    given = {"seed": seed, "replicates": replicates}
    try:
        document = files.read(path) | {name: value for name, value in given.items() if value is not None}
        what = plan(document, path.parent)
    except ValueError as error:
        raise ValueError(f"{experiment}: {error}") from None
    folder = out or Path("results") / what.name
    kind = "cell" if any(cell.settings for cell in what.cells) else "algorithm"
    games = f"{plural(len(what.cells), kind)}, {plural(what.replicates, 'replicate')} each"
    print(f"{what.name}: {games}, into {folder}", flush=True)
    try:
        swept = run_plan(what, folder, workers, begun=_say_what_is_there)
    except KeyboardInterrupt:
        kept = f"what is finished is kept in {folder / LOG}" if (folder / LOG).exists() else "nothing was finished"
        print(f"folkmoot: interrupted; {kept}; run the same command again to resume", file=sys.stderr)
        return 130
    return _say(swept, folder / REPORT)


def _say_what_is_there(resumed: int, foreign: int) -> None:
    """Before anything is played: what the log holds, and what of it does not count."""
    from folkmoot.plurals import plural

    if foreign:
        rows = plural(foreign, "row")
        alone = "is left alone" if foreign == 1 else "are left alone"
        print(f"log: {rows} of other settings or another version of folkmoot {alone}", file=sys.stderr, flush=True)
    if resumed:
        there = "was there already" if resumed == 1 else "were there already"
        print(f"resumed: {plural(resumed, 'replicate')} {there}", file=sys.stderr, flush=True)


def _say(swept: "Swept", report: Path) -> int:
    """What came of a run; the exit status."""
    if swept.results:
        _print_results(swept.results)
        print(f"report: {report}")
    for name, error in swept.failures.items():
        print(f"folkmoot: failed: {name}: {error}", file=sys.stderr)
    return 1 if swept.failures else 0


@app.command("list")
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="Only these: algorithms, rewards, scalarisations, networks, corruptions, attacks, data, divisions, "
            "models, liars or experiments.",
        ),
    ] = None,
) -> int:
    """List what an experiment file can name, and the built-in experiments."""
    from folkmoot.experiments.catalogue import KINDS, catalogue
    from folkmoot.experiments.problems import choices

    if kind is not None and kind not in KINDS:
        raise ValueError(f"list {kind!r}: {choices(kind, KINDS)}")
    for number, one in enumerate([kind] if kind else KINDS):
        if not kind:
            print(f"{chr(10) if number else ''}{one}")
        _print_table(["", ""], [[f"{'' if kind else '  '}{name}", text] for name, text in catalogue(one)])
    return 0


@app.command()
def reproduce(
    what: Annotated[
        str | None, typer.Argument(metavar="PAPER/FIGURE", help="What to reproduce; without it, all are listed.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", parser=_path, help="Folder for the results (default: results/PAPER/FIGURE)."
        ),
    ] = None,
    jobs: Jobs = None,
) -> int:
    """Run a paper's experiment and print the paper's number beside ours; status 1 if a tolerance is missed."""
    workers = _jobs(jobs)
    from folkmoot.reproductions import papers

    folder = papers.papers_folder()
    if what is None:
        _print_table(["", ""], papers.catalogue(folder))
        return 0
    figure = papers.figure(folder, what)
    target = out or Path("results") / what
    from folkmoot.experiments.outputs import make_folder

    make_folder(target)
    return 0 if figure(target, workers, True) else 1


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", parser=_path, help="A folder that `folkmoot run` wrote.")],
) -> int:
    """Build tables, figures and the report anew from DIR/result.json and DIR/curves.npz."""
    from folkmoot.experiments.outputs import REPORT, rebuild

    _print_results(rebuild(folder))
    print(f"report: {folder / REPORT}")
    return 0


@app.command()
def table(
    folder: Annotated[Path, typer.Argument(metavar="DIR", parser=_path, help="A folder that `folkmoot run` wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=_path, help="FILE.csv or FILE.parquet.")],
    by: Annotated[str, typer.Option("--by", metavar="WHAT", help="team, agent, arm or observed.")] = "team",
) -> int:
    """Write the results of a folder, every replicate of them, as a long table for other programs."""
    from folkmoot.simulation.frames import write_table
    from folkmoot.simulation.saved import load_all

    print(f"table: {write_table(load_all(folder), file, by)}")
    return 0


@data.command()
def fetch(name: Annotated[str, typer.Argument(metavar="NAME", help="Such as movielens or mnist.")]) -> int:
    """Download a data set, check it, and print its folder."""
    from folkmoot.node import fetch as fetching

    print(fetching.fetch(name))
    return 0


@data.command()
def where(name: Annotated[str, typer.Argument(metavar="NAME", help="Such as movielens or mnist.")]) -> int:
    """Print where a data set is read from."""
    from folkmoot.world import datasets

    print(datasets.where(name))
    return 0


@ledger.command()
def verify(
    file: LedgerFile,
    models: Annotated[
        Path | None,
        typer.Option(
            "--models", metavar="FILE.py", help="Run this Python file first: it enters models or kinds of ledgers."
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
    good = "nothing wrong in what a reader can check" if verdict.remarks else "all good"
    print(f"{opened.name}: {verdict.blocks} blocks, {good}, tip {verdict.tip.hex()}")
    _print_notes(verdict.remarks)
    with suppress(OtherSide):  # a kind that only the file of --models knows
        about = opened.genesis.kind, opened.genesis.configuration
        _print_notes(remark for remark in remarks(*about, False) if remark not in verdict.remarks)
    return 0


def _verified(opened: "Ledger", done: list[int]) -> "Verification":
    """What was found; `done` ends with the number of good blocks in any case."""
    from folkmoot.ledger.replay import DamagedLedger
    from folkmoot.simulation.progress import Progress

    with Progress(wanted=sys.stderr.isatty()) as progress:
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
    from folkmoot.multiparty.models.kinds import enter_from, told
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
) -> int:
    """Show the last blocks as they are stored; only --accounts checks them first."""
    if blocks < 0:
        raise ValueError(f"--blocks = {blocks}: expected an integer of at least 0")
    from folkmoot import ledger as chains
    from folkmoot.ledger.rules import remarks

    opened = chains.open(file)
    genesis, height = opened.genesis, opened.height
    rows = []
    for block in opened.blocks(first=height - blocks + 1, last=height) if blocks else ():
        size = sum(map(len, block.records))
        numbers = (block.header.height, len(block.records), size, len(block.signatures))
        first, *others = [f"{number:,}" for number in numbers]
        rows.append([first, block.hash.hex()[:16], *others])
    print(f"{opened.name}: {height:,} blocks of kind {genesis.kind}, genesis {genesis.hash.hex()}")
    if rows:
        _print_table(["height", "hash begins", "records", "bytes", "signatures"], rows)
    with suppress(OtherSide):  # a kind that is not known here is shown all the same
        _print_notes(remarks(genesis.kind, genesis.configuration, False))
    if accounts:
        sentence, header, rows = chains.accounts(opened.chain)
        _print_notes([sentence] if sentence else [])
        _print_table(header, rows)
    return 0


def _print_notes(remarks: Iterable[str]) -> None:
    for remark in remarks:
        print(f"note: {remark}")


def _complain(text: str) -> int:
    print(f"folkmoot: error: {' '.join(text.split())}", file=sys.stderr)
    return 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status: Any = app(args=given, prog_name="folkmoot", standalone_mode=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OtherSide, OSError, MemoryError) as error:
        return _complain(str(error) or type(error).__name__)
    except KeyboardInterrupt:
        print("folkmoot: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a group without a command: its help is the message
            print(str(error))
            return 2
        if hasattr(error, "format_message"):  # of the command line itself; typer's name for these has moved
            return _complain(error.format_message())
        raise
    return status if isinstance(status, int) else 0
