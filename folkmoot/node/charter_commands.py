"""The commands `folkmoot charter`."""

from pathlib import Path
from typing import Annotated

import typer

from folkmoot.node.commands import Before, File, needs_extra, passphrase_for

charter = typer.Typer(
    no_args_is_help=True, help="Charters: what the members of a consortium sign before the first round."
)


@charter.command()
def propose(
    terms: Annotated[Path, typer.Argument(metavar="TERMS.toml", help="The terms; see docs/run-a-consortium.md.")],
    cards: Annotated[
        list[Path], typer.Argument(metavar="CARD.toml...", help="Of all members, in the order of their numbers.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The new charter.")] = Path("charter.toml"),
) -> int:
    """Make a charter of terms and cards; it counts once all members have signed it."""
    needs_extra()
    from folkmoot.node.charter import propose as proposed
    from folkmoot.node.charter import read_toml, terms_of, write_charter
    from folkmoot.node.folder import read_card
    from folkmoot.node.starting import remarks, resolved
    from folkmoot.node.systems import system_of

    made = proposed(terms_of(resolved(read_toml(terms))), [read_card(card) for card in cards])
    system_of(made)
    if out.exists():
        raise ValueError(f"{out}: is there already; a charter is never replaced")
    for line in remarks(made.terms):
        print(line)
    write_charter(out, made)
    print(
        f"{out}: charter {made.digest.hex()[:16]}; its {made.n_members} members sign: folkmoot charter sign {out} DIR"
    )
    return 0


@charter.command()
def sign(
    file: File,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The data folder of the member who signs.")],
    copies: Annotated[
        list[Path] | None, typer.Option("--with", metavar="FILE", help="A copy that others signed; repeatable.")
    ] = None,
    before: Before = None,
    signed_no_other: Annotated[
        bool,
        typer.Option("--signed-no-other", help="Of a folder from a copy: it has signed no other amendment since."),
    ] = False,
) -> int:
    """Sign a charter, after having read it (`folkmoot charter show`); once all have, the folder has it."""
    needs_extra()
    from folkmoot.node.charter import read_charter, write_charter
    from folkmoot.node.folder import Folder
    from folkmoot.node.starting import remarks

    place = Folder(folder)
    merged = read_charter(file).merged([read_charter(copy) for copy in copies or ()])
    seed = place.seed(passphrase_for(new=False) if place.needs_passphrase else "")
    if merged.amends is not None:
        from folkmoot.node.amending import sign as sign_amendment

        return sign_amendment(file, merged, place, seed, before or [], signed_no_other)
    signed = merged.signed(seed)
    write_charter(file, signed)
    for line in remarks(signed.terms):
        print(f"{file}: {line}")
    if signed.unsigned:
        print(f"{file}: signed; still to sign: {', '.join(signed.unsigned)}")
    else:
        place.join(signed)
        print(f"{file}: signed by all {signed.n_members} members; {folder} has it")
    return 0


@charter.command()
def check(
    file: File,
    copies: Annotated[
        list[Path] | None, typer.Option("--with", metavar="FILE", help="A copy that others signed; repeatable.")
    ] = None,
    before: Before = None,
) -> int:
    """Does a charter make sense, and who has signed it? Exit status 1 as long as somebody has not."""
    needs_extra()
    from folkmoot.node.charter import read_charter, write_charter
    from folkmoot.node.systems import system_of

    read = read_charter(file)
    merged = read.merged([read_charter(copy) for copy in copies or ()])
    system = system_of(merged)
    if merged.signatures != read.signatures:
        write_charter(file, merged)
    print(f"{file}: charter {merged.digest.hex()[:16]}, {merged.n_members} members, quorum {merged.quorum}")
    for line in system.costs():
        print(line)
    if merged.amends is not None:
        from folkmoot.node.amending import check as check_amendment

        return check_amendment(merged, before or [])
    print(f"not signed by: {', '.join(merged.unsigned)}" if merged.unsigned else "signed by all")
    return int(bool(merged.unsigned))


@charter.command()
def show(file: File, before: Before = None) -> int:
    """A charter in plain words: what is played, by whom, at what pace, and what is revealed to whom."""
    needs_extra()
    from folkmoot.node.charter import read_charter
    from folkmoot.node.words import words

    read = read_charter(file)
    if before and read.amends is not None:
        from folkmoot.node.amendment import changes

        for line in changes(read, read_charter(before[-1])):
            print(line)
    for line in words(read):
        print(line)
    return 0


@charter.command()
def amend(
    before: Annotated[Path, typer.Argument(metavar="CHARTER", help="The charter, or the last amendment of it.")],
    after: Annotated[int, typer.Option("--after", metavar="ROUND", help="The last round of the epoch before.")],
    terms: Annotated[
        Path | None,
        typer.Option("--terms", metavar="TERMS.toml", help="Of the next epoch, all of them (default: as now)."),
    ] = None,
    admit: Annotated[
        list[Path] | None, typer.Option("--admit", metavar="CARD.toml", help="Of who joins; repeatable.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="NAME", help="Who leaves; repeatable.")
    ] = None,
    change: Annotated[
        list[Path] | None,
        typer.Option("--change", metavar="CARD.toml", help="Of a member with a new key or address; repeatable."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The new amendment.")] = Path("amendment.toml"),
) -> int:
    """Propose an amendment: members come, go, change keys, terms change; a quorum signs it."""
    needs_extra()
    from folkmoot.node.amending import propose as propose_amendment

    return propose_amendment(before, after, out, terms, admit or [], remove or [], change or [])
