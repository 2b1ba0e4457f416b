"""Errors of code that a user entered: a model of its kind is at fault then, not the library, and not the other side."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from folkmoot.errors import OtherSide
from folkmoot.ledger.place import plain


@contextmanager
def blamed(error: Callable[[str], Exception]) -> Iterator[None]:
    """Inside, whatever a user's code raises becomes this error; what it was meant to raise and the machine's stay.

    Args:
        error: from one line, what was raised.
    """
    try:
        yield
    except (OtherSide, OSError, MemoryError, ImportError):
        raise
    except Exception as raised:
        raise error(told(raised)) from None


def told(error: BaseException) -> str:
    """An error of a user's code in one line: its name and what it says."""
    try:
        says = str(error)
    except BaseException:  # its own code too
        says = "it cannot say what"
    return plain(": ".join(filter(None, [type(error).__name__, says[:200]])))
