"""The command `folkmoot`. Bad input is one line on standard error and exit status 2.

Exit status: 0 done; 1 something failed while running, or a stated tolerance is missed; 2 bad input;
130 interrupted. What a command needs is imported when it runs, so that help is there at once.
"""

import gc
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot.cli.completion import completion, experiments, kinds, prepare
from folkmoot.cli.doctor import doctor, licences
from folkmoot.cli.ledger import ledger
from folkmoot.cli.terminal import path, print_table
from folkmoot.errors import OtherSide
from folkmoot.node.attacks_said import ABOUT_TRY, help_of_try
from folkmoot.node.charter_commands import charter
from folkmoot.node.commands import node, try_

if TYPE_CHECKING:
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
app.add_typer(ledger, name="ledger")
app.add_typer(node, name="node")
app.add_typer(charter, name="charter")
app.command("try", help=help_of_try(), short_help=ABOUT_TRY.partition("\n")[0])(try_)
app.command()(doctor)
app.command()(licences)
app.command()(completion)


Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="N", help="Replicates run in parallel (default: all processors).")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", parser=path, help="Folder for the results (default: results/NAME)."),
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


def _print_results(results: "Mapping[str, Saved]") -> None:
    """A table, as results of their kind have it."""
    from folkmoot.report.files import report_of

    header, rows, sentences = report_of(results).terminal(results)
    print_table(header, rows)
    for sentence in sentences:
        print(sentence)


@app.command()
def run(
    experiment: Annotated[
        str,
        typer.Argument(
            metavar="FILE.toml|NAME", help="An experiment file or a built-in one.", autocompletion=experiments
        ),
    ],
    out: Out = None,
    jobs: Jobs = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="S", help="Instead of the experiment's seed.")] = None,
    replicates: Annotated[
        int | None, typer.Option("--replicates", metavar="N", help="Instead of the experiment's number.")
    ] = None,
) -> int:
    """Run an experiment. Run it again to resume after a break: finished replicates are kept.

    `folkmoot list` says what a file may name and what each does. Ways to lie: `folkmoot list lies` of agents,
    `attacks` on a chain, `liars` among parties with models; `corruptions` alter rewards.
    """
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
        swept = run_plan(what, folder, workers, begun=_say_what_is_there, aside=_say_where_it_is)
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


def _say_where_it_is(folder: Path) -> None:
    print(f"the report that was there is of other settings: it is now in {folder}", file=sys.stderr, flush=True)


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
            autocompletion=kinds,
        ),
    ] = None,
) -> int:
    """List what an experiment file can name, and the built-in experiments."""
    from folkmoot.experiments import listed

    if kind is not None and kind not in listed.kinds():
        from folkmoot.experiments.problems import choices

        raise ValueError(f"list {kind!r}: {choices(kind, listed.kinds())}")
    for number, one in enumerate([kind] if kind else listed.kinds()):
        if not kind:
            print(f"{chr(10) if number else ''}{one}")
        print_table(["", ""], [[f"{'' if kind else '  '}{name}", text] for name, text in listed.entries(one)])
    return 0


@app.command()
def reproduce(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="PAPER/FIGURE",
            help="What to reproduce; without it, all are listed with the time they take and what they need.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", parser=path, help="Folder for the results (default: results/PAPER/FIGURE)."
        ),
    ] = None,
    jobs: Jobs = None,
) -> int:
    """Run a paper's experiment and print the paper's number beside ours; status 1 if a tolerance is missed."""
    workers = _jobs(jobs)
    from folkmoot.reproductions import papers

    folder = papers.papers_folder()
    if what is None:
        print_table(["figure", "time", "needs", "what"], papers.catalogue(folder), words=True)
        print("time: of one processor, measured once; --jobs 2 takes about half of it")
        return 0
    figure = papers.figure(folder, what)
    target = out or Path("results") / what
    from folkmoot.experiments.outputs import make_folder

    make_folder(target)
    return 0 if figure(target, workers, True) else 1


@app.command()
def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", parser=path, help="Folders that `folkmoot run` wrote: one or several."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", parser=path, help="Of several: where to (default: results/A-and-B)."),
    ] = None,
) -> int:
    """Build tables, figures and the report of DIR anew; of several, one report of all of them."""
    from folkmoot.experiments.comparing import compare
    from folkmoot.experiments.outputs import REPORT, rebuild

    if len(folders) == 1 and out is None:
        _print_results(rebuild(folders[0]))
        print(f"report: {folders[0] / REPORT}")
        return 0
    results, target, differences = compare(folders, out)
    _print_results(results)
    for sentence in differences:
        print(sentence)
    print(f"report: {target / REPORT}")
    return 0


@app.command()
def table(
    folder: Annotated[Path, typer.Argument(metavar="DIR", parser=path, help="A folder that `folkmoot run` wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=path, help="FILE.csv or FILE.parquet.")],
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


def _complain(text: str) -> int:
    print(f"folkmoot: error: {' '.join(text.split())}", file=sys.stderr)
    return 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    prepare()
    gc.set_threshold(300_000, 20, 20)  # most of what a short command makes is never garbage: looking for it costs 5 %
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
    if arguments is None:  # the process ends here: to look through all there is for garbage first takes 0.15 s
        gc.freeze()
    return status if isinstance(status, int) else 0
