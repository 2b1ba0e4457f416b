"""What talks to the world outside: the only room that opens sockets or reads a clock."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot.node.settling import settle as settle

__all__ = ["settle"]


def __getattr__(name: str) -> object:
    if name == "settle":  # the contract's arithmetic loads more than a client of a node needs
        from folkmoot.node.settling import settle

        return settle
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
