"""Reports that are passed on by others than those who made them, so that no one link and no liar can keep them back.

Before naming: whoever has noticed that messages get lost sends what it heard to the validators.

After it: an agreed value says what its validator lacks. Whoever accepts another validator's value sends that validator
the reports that its own value names and the other's does not. They come too late to be named. A validator holds one if
a value that it has accepted names exactly this one, to make the block that follows from the agreed values.
Why that is enough stands in docs/decisions/0025-progress.md.
"""

from collections.abc import Iterable

from folkmoot.agreement.messages import Verified
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.bc_ucb.messages import ReportSent, verify_early
from folkmoot.bc_ucb.records import NO_REPORT, Named


class Late:
    """Reports of a round that came too late to be named.

    Attributes:
        wanted: names of reports in the values that were accepted.
    """

    __slots__ = ("_most", "_waiting", "wanted")

    def __init__(self, most: int) -> None:
        """`most`: reports of one sender that wait for a value that names them."""
        self.wanted: set[bytes] = set()
        self._most = most
        self._waiting: dict[int, dict[bytes, ReportSent]] = {}  # by who sent them, and by their names

    def take(self, sender: int, message: ReportSent, name: bytes) -> None:
        """A report that was passed on; nothing is known of it but its form.

        Raises:
            Rejected: this sender has passed on too many.
        """
        waiting = self._waiting.setdefault(sender, {})
        if len(waiting) >= self._most:
            raise Rejected("passed on too many")
        waiting[name] = message

    def found(self, held: Iterable[bytes], keys: tuple[bytes, ...], origin: bytes) -> list[Verified[ReportSent]]:
        """Of those that wait, the signed ones that are wanted and not yet held."""
        if not self._waiting:
            return []
        missing, found = self.wanted.difference(held), list[Verified[ReportSent]]()
        for waiting in self._waiting.values():
            for name in [name for name in waiting if name in missing]:
                try:
                    found.append(verify_early(waiting.pop(name), keys, origin))
                except Rejected:
                    continue
                missing.discard(name)
        return found


def lacking(own: Named, other: Named) -> list[bytes]:
    """Names of the reports that the own value names and the other one does not."""
    return [name for name, theirs in zip(own.names, other.names) if name not in (NO_REPORT, theirs)]
