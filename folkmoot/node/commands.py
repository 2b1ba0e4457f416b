"""The commands `folkmoot node` and `folkmoot try`; those of `folkmoot charter` are in charter_commands.py."""

import json
import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

node = typer.Typer(no_args_is_help=True, help="A node: one member of a consortium, as a process of its own.")

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The data folder of a node.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A charter.")]
Before = Annotated[
    list[Path] | None,
    typer.Option("--before", metavar="FILE", help="Of an amendment: the first charter and all amendments up to it."),
]
_PASSPHRASE = "FOLKMOOT_PASSPHRASE"


def needs_extra() -> None:
    """Say which extra to install if something of it is missing.

    Raises:
        ValueError: it is.
    """
    try:
        import cryptography
        import msgspec
        import prometheus_client
        import starlette
        import tomli_w
        import uvicorn
    except ModuleNotFoundError as missing:
        raise ValueError(f"a node needs {missing.name}: pip install 'folkmoot[node]'") from None
    _ = cryptography, msgspec, prometheus_client, starlette, tomli_w, uvicorn


def passphrase_for(new: bool) -> str:
    """From the environment, or asked for where somebody can answer."""
    if _PASSPHRASE in os.environ:
        return os.environ[_PASSPHRASE]
    if not sys.stdin.isatty():
        return ""
    given = getpass("Passphrase (empty: none): " if new else "Passphrase: ")
    if new and given and getpass("Again: ") != given:
        raise ValueError("the two passphrases differ")
    return given


@node.command()
def init(
    folder: Dir,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Small letters, digits and hyphens.")],
    address: Annotated[str, typer.Option("--address", metavar="HOST:PORT", help="At which the others reach it.")],
) -> int:
    """Make a data folder with a new key, and the card that goes to whoever proposes the charter."""
    needs_extra()
    from folkmoot.node.folder import CARD, Folder

    passphrase = passphrase_for(new=True)
    made = Folder.make(folder, name, address, passphrase)
    if not passphrase:
        print(f"{folder}: its key is not sealed by a passphrase ({_PASSPHRASE}): whoever reads key.json has it")
    print(f"{folder}: key {made.card.key.hex()[:16]} of {name}; send {folder / CARD} to whoever proposes the charter")
    return 0


@node.command()
def run(
    folder: Dir,
    http: Annotated[
        str, typer.Option("--http", metavar="HOST:PORT", help="For applications and the page (default: a free port).")
    ] = "127.0.0.1:0",
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Instead of the address in the charter.")
    ] = "",
    stay: Annotated[bool, typer.Option("--stay", help="Go on serving after the last round.")] = False,
    leash: Annotated[bool, typer.Option("--leash", hidden=True, help="End as soon as standard input does.")] = False,
    mischief: Annotated[Path | None, typer.Option("--mischief", hidden=True)] = None,
) -> int:
    """Run a node until its last round, or until it is told to stop."""
    needs_extra()
    from folkmoot.node import process
    from folkmoot.node.folder import Folder
    from folkmoot.node.member import Address

    host, _, port = http.rpartition(":")
    if host not in ("127.0.0.1", "localhost", "[::1]") or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"--http = {http!r}: expected 127.0.0.1:PORT; the page and its data are for this host alone")
    passphrase = passphrase_for(new=False) if Folder(folder).needs_passphrase else ""
    where = Address(host.strip("[]"), int(port))
    if leash:
        process.end_with_input()
    return process.run(folder, passphrase=passphrase, http=where, listen=listen, stay=stay, mischief=mischief)


@node.command()
def host(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Data folders, one a member.")],
    stay: Annotated[bool, typer.Option("--stay", help="Go on serving after the last round.")] = False,
) -> int:
    """Run the nodes of many members in one process; each serves at a free port, which its folder names."""
    needs_extra()
    from folkmoot.node.folder import Folder
    from folkmoot.node.hosting import host as hosted

    sealed = any(Folder(folder).needs_passphrase for folder in folders)
    return hosted(folders, passphrase=passphrase_for(new=False) if sealed else "", stay=stay)


@node.command()
def status(
    folder: Dir,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for programs.")] = False,
) -> int:
    """What a running node is at; exit status 1 if something is wrong."""
    needs_extra()
    from folkmoot.node.client import Client
    from folkmoot.node.folder import Folder
    from folkmoot.node.status_said import known

    with Client.of(Folder(folder)) as client:
        state = client.state()
    if as_json:
        print(json.dumps(state))
        return int(bool(state["troubles"]))
    print(f"{state['member']} of {state['consortium']}: {state['phase']}, round {state['round']} of {state['rounds']}")
    if state["waits_for"]:
        print(state["waits_for"])
    for line in known(state):
        print(line)
    for member in state["members"]:
        print(f"  {member['name']:20} {member['state']:12} {member['address']}")
    for trouble in state["troubles"]:
        print(f"! {trouble}")
    return int(bool(state["troubles"]))


@node.command()
def stop(folder: Dir) -> int:
    """Ask a running node to stop after the step under way, and wait for it."""
    import signal
    import time

    from folkmoot.files import read_plain
    from folkmoot.node.lock import LOCK, InUse, Lock

    try:
        said = read_plain(folder / LOCK, 32).decode("ascii", "replace").strip()
    except OSError:
        raise ValueError(f"{folder}: no node runs on this folder") from None
    holder = int(said) if said.isdecimal() and said.isascii() else 0
    for attempt in range(200):
        try:
            Lock(folder).close()
        except InUse:
            if not 1 < holder < 1 << 31:
                raise ValueError(f"file {folder / LOCK}: expected the number of the process to be ended") from None
            if attempt == 0:
                os.kill(holder, signal.SIGTERM)
            time.sleep(0.1)
        else:
            if attempt == 0:
                raise ValueError(f"{folder}: no node runs on this folder")
            print(f"{folder}: stopped")
            return 0
    raise ValueError(f"{folder}: process {holder} has not stopped within 20 s")


Target = Annotated[Path, typer.Argument(metavar="TARGET", help="A new folder.")]


@node.command()
def backup(folder: Dir, target: Target) -> int:
    """Copy what must survive, also while the node runs."""
    needs_extra()
    from folkmoot.node.care import backup as copied
    from folkmoot.node.folder import Folder

    copied(Folder(folder), target)
    print(f"{target}: a copy of {folder}; it holds the key, so guard it as you guard the folder")
    return 0


@node.command()
def restore(
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="What `folkmoot node backup` made.")], target: Target
) -> int:
    """A data folder from a copy. Its node signs nothing that it may have signed since."""
    needs_extra()
    from folkmoot.node.care import restore as restored

    restored(copy, target)
    print(f"{target}: ready; never run it beside the folder it is a copy of: that is one key in two places")
    return 0


@node.command("check")
def check_folder(folder: Dir) -> int:
    """Is all well with a data folder: key, charter, store and every block? The node must not run. Status 1 if not."""
    needs_extra()
    from folkmoot.node.care import problems
    from folkmoot.node.folder import Folder
    from folkmoot.node.lock import InUse, Lock

    place = Folder(folder)
    try:
        Lock(folder).close()
    except InUse as error:
        raise InUse(f"{error}; stop the node first") from None
    passphrase = passphrase_for(new=False) if place.needs_passphrase else None
    found = list(problems(place, passphrase or None))
    for line in found:
        print(line)
    if not found:
        print(f"{folder}: all is well")
    return int(bool(found))


@node.command()
def carry(folder: Dir, new: Annotated[Path, typer.Argument(metavar="NEW", help="A new data folder.")]) -> int:
    """Take a member's model as it now is, and its samples, into a new folder: for another charter."""
    needs_extra()
    from folkmoot.node.carrying import carried_to
    from folkmoot.node.folder import Folder

    print(carried_to(Folder(folder), Folder(new)))
    return 0


@node.command()
def export(
    folder: Dir,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A new ledger file.")],
    epoch: Annotated[
        int | None, typer.Option("--epoch", metavar="N", help="Of this epoch (default: the last).")
    ] = None,
) -> int:
    """Write the node's chain into a ledger file: for `folkmoot ledger verify`, and for settlement."""
    needs_extra()
    from folkmoot.node.care import export as exported
    from folkmoot.node.folder import Folder

    print(f"{target}: {exported(Folder(folder), target, epoch)} blocks")
    return 0


@node.command()
def settle(
    folder: Dir,
    rpc: Annotated[str, typer.Option("--rpc", metavar="URL", help="Of a node of an EVM chain, which signs for you.")],
    contract: Annotated[
        str | None, typer.Option("--contract", metavar="0x...", help="Instead of the one that is written down.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="0x...", help="Who pays and operates (default: its first one).")
    ] = None,
    epoch: Annotated[
        int | None, typer.Option("--epoch", metavar="N", help="Of this epoch (default: the last).")
    ] = None,
) -> int:
    """Enter the node's rounds into a contract on an EVM chain, and compare the accounts; it may run meanwhile."""
    needs_extra()
    from folkmoot.node.settling import settle_folder

    done = settle_folder(folder, rpc, address=contract, account=account, epoch=epoch)
    spent = f"{sum(done.gas):,} gas for {len(done.gas)} transactions" if done.gas else "nothing was to be entered"
    print(f"{folder}: {done.rounds} rounds are in contract {done.address}; {spent}")
    print("the accounts of the contract are those of the ledger")
    return 0


@node.command("log")
def signed_log(
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR | FILE CHARTER", help="A data folder; with --verify, two files.")
    ],
    first: Annotated[int, typer.Option("--from", metavar="R", help="Rounds from this one on.")] = 1,
    last: Annotated[int | None, typer.Option("--to", metavar="R", help="Rounds up to this one.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a file that can be shown.")] = None,
    epoch: Annotated[
        int | None, typer.Option("--epoch", metavar="N", help="Of this epoch (default: the last).")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Is FILE what a member of CHARTER has signed? Exit status 1 if not.")
    ] = False,
) -> int:
    """The signed log of a member of a bandit: what it played and got, and what it said to whom and heard of whom."""
    needs_extra()
    from folkmoot.node import showing
    from folkmoot.node.folder import Folder
    from folkmoot.node.signed_log import BadLog

    if len(paths) != 1 + verify:
        raise ValueError(f"{len(paths)} paths: expected {'FILE CHARTER' if verify else 'one data folder'}")
    if verify:
        try:
            print(showing.verified(*paths))
        except BadLog as error:
            print(error)
            return 1
        return 0
    if out is not None:
        print(f"{out}: {showing.write(Folder(paths[0]), out, first, last, epoch)} entries")
        return 0
    for line in showing.lines(Folder(paths[0]), first, last, epoch):
        print(line)
    return 0


@node.command("amend")
def take_amendment(folder: Dir, file: File, before: Before = None) -> int:
    """Put an amendment that counts into a data folder; a node that runs takes it in by itself."""
    needs_extra()
    from folkmoot.node.amending import take

    return take(folder, file, before or [])


@node.command("ask")
def ask_for(
    folder: Dir,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="exchange, leave, expel, update or rotate.")],
    each: Annotated[
        int | None, typer.Option("--each", metavar="N", help="Exchange: samples of each class; at least 1.")
    ] = None,
    party: Annotated[str, typer.Option("--party", metavar="NAME", help="Expel: whom.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Expel: why; all who want it say it.")] = "",
) -> int:
    """Ask a running node of a consortium of models for an exchange, or for an act of its member on the chain."""
    needs_extra()
    from folkmoot.node.client import NEEDS, Client
    from folkmoot.node.folder import Folder

    given = {"each": each, "party": party or None, "reason": reason or None}
    for name in NEEDS.get(what, ()):
        if given[name] is None:
            how = " ".join(NEEDS[what].values())
            raise ValueError(f"--{name}: missing; expected such as: folkmoot node ask {folder} {what} {how}")
    with Client.of(Folder(folder)) as client:
        print(client.ask(what, **{name: value for name, value in given.items() if value is not None}))
    return 0


def try_(
    what: Annotated[
        str, typer.Argument(metavar="NAME|TERMS.toml", help="An application among the examples, or a file with terms.")
    ] = "edge_cache",
    members: Annotated[int, typer.Option("--members", metavar="N", help="How many.")] = 5,
    rounds: Annotated[
        int | None, typer.Option("--rounds", metavar="R", help="End after so many (default: those of the terms).")
    ] = None,
    attack: Annotated[str, typer.Option("--attack", metavar="NAME", help="How the last member lies: see above.")] = "",
    kill: Annotated[int, typer.Option("--kill", metavar="EVERY", help="Kill a member every so many rounds.")] = 0,
    loss: Annotated[float, typer.Option("--loss", metavar="P", help="Share of the messages that are lost.")] = 0.0,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Say where the pages are.")] = True,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="For the members' data (default: a temporary folder).")
    ] = None,
) -> int:
    """Run a whole consortium on this machine, with an application and a page: the first thing to try."""
    needs_extra()
    from folkmoot.node.trying import Trial, spare_folder

    trial = Trial(what, members, data or spare_folder(), rounds, attack, kill, loss, page)
    return trial.run(lambda line: print(line, flush=True))
