"""Why a block does not follow: one name for each way. `Malformed`, for bytes that are no block, is in encoding."""

from folkmoot.errors import OtherSide


class InvalidBlock(OtherSide):
    """A block that does not follow on the chain it was offered to."""

    @property
    def reason(self) -> str:
        """The name of the error and its one line."""
        return f"{type(self).__name__}: {self}"


class WrongVersion(InvalidBlock):
    """Written by other rules of this library than the chain began with."""


class WrongKind(InvalidBlock):
    """A block of another kind of chain."""


class WrongHeight(InvalidBlock):
    """Not the next block."""


class WrongParent(InvalidBlock):
    """The next block of another chain."""


class WrongRoot(InvalidBlock):
    """The header does not cover these records."""


class LowWork(InvalidBlock):
    """Too little proof of work, promised or done."""


class UnknownSigner(InvalidBlock):
    """Signed by a key that has no say in this block."""


class MissingSignature(InvalidBlock):
    """Fewer signatures than the chain demands."""


class BadSignature(InvalidBlock):
    """A signature that is not that of its key on this header."""


class RefusedRecord(InvalidBlock):
    """The rules of the chain refuse what a record says."""
