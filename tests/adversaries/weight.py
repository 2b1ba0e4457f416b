"""How many bytes a machine holds on to, whatever it keeps them in."""

from functools import lru_cache
from types import FunctionType, MethodType, ModuleType

from folkmoot.agreement.shared import ByFirst, Shared
from folkmoot.bc_ucb.participant import Role
from folkmoot.bc_ucb.rules import Rounds
from folkmoot.comparison.in_rounds import TrustedMachine
from folkmoot.ledger.chain import Chain
from folkmoot.machine import Kept

# What members of one program share, what is stored, and what is verified: none of it is held for what somebody sends.
_CHECKS = type(lru_cache(len))  # a function with its memory, see `Remembered`
_ELSEWHERE = (ModuleType, FunctionType, type, Role, Rounds, Shared, ByFirst, _CHECKS, TrustedMachine, Kept, Chain)


def held_bytes(machine):
    """The lengths of all bytes that can be reached from a machine, each object once."""
    total, seen, todo = 0, set(), [machine]
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, _ELSEWHERE):
            continue
        seen.add(id(thing))
        if isinstance(thing, bytes | bytearray):
            total += len(thing)
        elif isinstance(thing, MethodType):
            todo.append(thing.__self__)
        elif isinstance(thing, dict):
            todo += thing.keys()
            todo += thing.values()
        elif isinstance(thing, list | tuple | set | frozenset):
            todo += thing
        else:
            if hasattr(thing, "nbytes"):
                total += thing.nbytes
            todo += vars(thing).values() if hasattr(thing, "__dict__") else ()
            todo += (getattr(thing, name) for name in getattr(thing, "__slots__", ()) if hasattr(thing, name))
    return total
