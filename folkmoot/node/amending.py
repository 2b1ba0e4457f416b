"""What the commands do about amendments, and what they say."""

from collections.abc import Sequence
from pathlib import Path

from folkmoot.node import amendment as amendments
from folkmoot.node import epochs
from folkmoot.node.charter import BadCharter, Charter, read_charter, read_toml, terms_of, write_charter
from folkmoot.node.folder import CHARTER, Folder, read_card
from folkmoot.node.starting import hurry, resolved
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of


def propose(
    before: Path,
    after: int,
    out: Path,
    terms: Path | None,
    admit: Sequence[Path],
    remove: Sequence[str],
    change: Sequence[Path],
) -> int:
    """A new amendment of the charter in a file; the exit status.

    Raises:
        ValueError, BadCharter: it makes no sense, or something is there already.
    """
    first = read_charter(before)
    given = None if terms is None else terms_of(resolved(read_toml(terms)))
    made = amendments.amend(
        first, after, given, admit=[read_card(card) for card in admit],
        remove=remove, change=[read_card(card) for card in change],
    )  # fmt: skip
    system_of(made)
    if out.exists():
        raise ValueError(f"{out}: is there already; an amendment is never replaced")
    write_charter(out, made)
    for line in (*amendments.changes(made, first), *_faults(made), *hurry(first.terms, after)):
        print(line)
    print(f"{out}: amendment {made.digest.hex()[:16]}; to be signed: folkmoot charter sign {out} DIR")
    return 0


def _faults(made: Charter) -> list[str]:
    """That more members may be faulty than the terms allow for."""
    most, allowed = (made.n_members - 1) // 3, made.terms.faults
    return [f"faults: stays {allowed}; {made.n_members} members allow for {most}, by --terms"] if allowed < most else []


def _before(amendment: Charter, folder: Folder | None, files: Sequence[Path]) -> Charter:
    """The charter that an amendment follows: of these files, or of a data folder."""
    assert amendment.amends is not None
    found = [read_charter(file) for file in files]
    if folder is not None and (folder.path / CHARTER).exists():
        found += epochs.lineage(folder)
    for one in found:
        if one.digest == amendment.amends.before:
            return one
    raise BadCharter(f"amendment of charter {amendment.amends.before.hex()[:16]}: show that one with --before FILE")


def sign(file: Path, amendment: Charter, folder: Folder, seed: bytes, files: Sequence[Path], no_other: bool) -> int:
    """A member signs; the exit status. `no_other`: see `epochs.sign`.

    Raises:
        ValueError, BadCharter: it cannot.
    """
    before = _before(amendment, folder, files)
    signed = epochs.sign(folder, amendment, before, seed, no_other)
    write_charter(file, signed)
    _say(file, signed, before)
    return 0


def check(amendment: Charter, files: Sequence[Path]) -> int:
    """Does an amendment count? The exit status: 1 as long as it does not.

    Raises:
        BadCharter: it makes no sense.
    """
    before = _before(amendment, None, files)
    amendments.check_fits(amendment, before)
    missing = amendments.lacking(amendment, before)
    assert amendment.amends is not None
    for line in (*(missing or ["signed by all who must: it counts"]), *hurry(before.terms, amendment.amends.after)):
        print(line)
    return int(bool(missing))


def _say(file: Path, amendment: Charter, before: Charter) -> None:
    missing = amendments.lacking(amendment, before)
    print(f"{file}: signed")
    assert amendment.amends is not None
    for line in (*missing, *hurry(before.terms, amendment.amends.after)):
        print(line)
    if not missing:
        print(f"it counts; each member puts it into its folder: folkmoot node amend DIR {file}")


def take(path: Path, file: Path, files: Sequence[Path]) -> int:
    """Put an amendment into a data folder; the exit status.

    Raises:
        ValueError, BadCharter: it does not count, or does not follow.
    """
    amendment = read_charter(file)
    if amendment.amends is None:
        raise BadCharter(f"{file}: is no amendment; a first charter is put there by folkmoot charter sign")
    folder, after = Folder(path), amendment.amends.after
    _check_is_for(folder, amendment, files)
    epochs.give(folder, amendment, [read_charter(one) for one in files])
    print(f"{path}: epoch {amendment.epoch} follows after round {after}")
    round = _round(epochs.place(folder, amendment.epoch - 1) / FILE)
    if round > after:
        print(f"{path}: is in round {round} already; what came after round {after} will not count")
    return 0


def _check_is_for(folder: Folder, amendment: Charter, files: Sequence[Path]) -> None:
    """Is the key of this folder a member's, before or after, and is what comes before the amendment known?

    Raises:
        ValueError: no.
    """
    key, there = folder.card.key, (folder.path / CHARTER).exists()
    known = epochs.lineage(folder) if there else [read_charter(one) for one in files]
    if not there and not files:
        raise ValueError(
            f"{folder.path}: has no charter yet; give the first one and all amendments before this one with --before"
        )
    if all(key not in {card.key for card in one.members} for one in (*known, amendment)):
        raise ValueError(
            f"{folder.path}: key {key.hex()[:16]} is no member's, before or after this amendment; expected the folder "
            "of a member"
        )


def _round(path: Path) -> int:
    """In which the node of this store is; 0: in none."""
    if not path.exists():
        return 0
    store = Store(path)
    try:
        return 0 if store.position is None else store.position.round
    finally:
        store.close()
