"""What talks to the world outside: the only room that opens sockets or reads a clock.

`Client` and `AsyncClient` are what an application needs of a node; `Environment` signs rewards. `settle` carries what a
chain has agreed on to a contract on an EVM chain. `bring` and `lend` put models into data folders. All else is the node
itself; `process.py` puts it together.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from folkmoot.node.brought import bring as bring
    from folkmoot.node.brought import lend as lend
    from folkmoot.node.brought import renew as renew
    from folkmoot.node.client import AsyncClient as AsyncClient
    from folkmoot.node.client import Client as Client
    from folkmoot.node.client import NodeSays as NodeSays
    from folkmoot.node.client import NotNow as NotNow
    from folkmoot.node.client import Predicted as Predicted
    from folkmoot.node.client import Refused as Refused
    from folkmoot.node.proofs import Environment as Environment
    from folkmoot.node.settling import settle as settle

_PLACES = {
    "settle": "settling", "Client": "client", "AsyncClient": "client", "NodeSays": "client", "NotNow": "client",
    "Refused": "client", "Predicted": "client", "Environment": "proofs", "bring": "brought", "lend": "brought",
    "renew": "brought",
}  # fmt: skip

__all__ = [
    "AsyncClient", "Client", "Environment", "NodeSays", "NotNow", "Predicted", "Refused", "bring", "lend", "renew",
    "settle",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _PLACES:  # each loads more than a user of the others needs
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
