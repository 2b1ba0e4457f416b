"""How a machine goes on from what is kept, or from a floor if that is lost or may be older than what it has said."""

from folkmoot.machine import NO_FLOOR, Chance, Floor, Machine, Resumes
from folkmoot.node.store import Store

RESTORED = "restored"  # a note in the store: it may be older than what its node has said


def resumed(role: Resumes, store: Store, chance: Chance, there: Floor) -> Machine:
    """The machine; `there`: the round that others are in (0: none that has passed) and their height (-1: no ledger)."""
    unsure = store.position is None or store.noted(RESTORED) is not None
    floor = Floor(there.round + 2, there.height + 1) if unsure and there.round else NO_FLOOR
    machine = role.resume(store.values, store, chance, floor)
    if floor != NO_FLOOR:
        store.forget_note(RESTORED)
    return machine
