"""How a machine goes on from what is kept, or from a floor if that is lost or may be older than what it has said.

What is kept is of one member in one epoch. With another one's a node would tell that one's means as its own, and sign
what it may have signed otherwise. So a store names whose it is from its first use on.
"""

from pathlib import Path

from folkmoot.errors import DamagedFile
from folkmoot.machine import NO_FLOOR, Chance, Floor, Machine, Resumes
from folkmoot.node.charter import Charter
from folkmoot.node.store import Store

RESTORED = "restored"  # a note in the store: it may be older than what its node has said

_WHOSE = "whose"  # a note in the store: the charter of its epoch, and the key of its member


def check_whose(store: Store, charter: Charter, key: bytes) -> None:
    """Is this the store of the member with this key, in the epoch of this charter? One without a name is nobody's.

    Raises:
        DamagedFile: it is of another member, charter or epoch.
    """
    if store.noted(_WHOSE) not in (None, charter.digest + key):
        raise DamagedFile(
            "the store of another member, charter or epoch; put this member's own there, or move the file away"
        )


def take_over(store: Store, path: Path, charter: Charter, key: bytes) -> None:
    """From now on it is the store of this member in this epoch.

    Raises:
        DamagedFile: it is another one's; see `check_whose`.
        Full: the disk is full.
    """
    try:
        check_whose(store, charter, key)
    except DamagedFile as error:
        raise DamagedFile(f"{path}: {error}") from None
    if store.noted(_WHOSE) is None:
        store.note(_WHOSE, charter.digest + key)


def resumed(role: Resumes, store: Store, chance: Chance, there: Floor) -> Machine:
    """The machine; `there`: the round that others are in (0: none that has passed) and their height (-1: no ledger)."""
    unsure = store.position is None or store.noted(RESTORED) is not None
    floor = Floor(there.round + 2, there.height + 1) if unsure and there.round else NO_FLOOR
    machine = role.resume(store.values, store, chance, floor)
    if floor != NO_FLOOR:
        store.forget_note(RESTORED)
    return machine
