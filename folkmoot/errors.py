"""Whose fault: every error of this package belongs to one of four families, and no `except` takes two for one.

- The caller's: `ValueError`. An argument, a configuration or a file that the caller wrote is not what is allowed.
- The other side's: `OtherSide`, never a ValueError. Bytes, messages, blocks, proofs or stored files that somebody else
  made are not what they should be. Who reads them says which subclass in "Raises".
- The machine's: Python's own `OSError`, `MemoryError`, `ImportError`. A full disk, too little memory, a library that
  is not installed.
- Ours: `AssertionError`, or whatever else a mistake in this package raises. Nothing here catches it.

How it works. Whoever judges others (a rule of a chain, a participant that takes messages, an original party that looks
at a newcomer) catches `OtherSide` and nothing wider. So a mistake of ours surfaces: it never becomes a refusal that we
sign, nor a message counted as rejected.
"""

_SHOWN = 80  # characters of a wrong value that an error repeats


def brief(value: object) -> str:
    """A value as an error repeats it: on one line, whatever it is, and cut when long."""
    return " ".join(repr(value).split())[:_SHOWN]


def kind(value: object) -> str:
    """What a value is, for an error about its type; a class is not one of its instances."""
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def require(name: str, value: object, wanted: type | tuple[type, ...]) -> None:
    """Refuse what is of another type, before anything is done with it: a quick look, for what is called often.

    Raises:
        ValueError: it is of none of these types.
    """
    if not isinstance(value, wanted):
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        raise ValueError(f"{name} = {brief(value)}: expected {' or '.join(kind.__name__ for kind in kinds)}")


class OtherSide(Exception):
    """Something that another party made is not what it should be."""


class DamagedFile(OtherSide):
    """A stored file that is damaged, cut short, or of another kind or version than it should be."""
