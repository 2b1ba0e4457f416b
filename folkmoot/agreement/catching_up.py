"""How a member that is behind gets the blocks that it lacks, whatever fewer than a third of the others do.

What others say of their heights is not verified: it is a hint whom to ask, and nothing else. All who claim to have more
are asked, one in each stage, in turn; nobody twice in a round, since nobody answers twice. So one who answers is found
after at most as many stages as there are liars, and a height that nobody has costs one request a round to the liar.
What comes is verified as a block with the signatures of a quorum. See docs/decisions/0025-progress.md.
"""

from collections.abc import Callable, Iterable, Sequence

from folkmoot.agreement.forms import HEAD
from folkmoot.machine import Received

MOST_BLOCKS = 8  # in one answer
_AHEAD = ("blocks", "state given", "given")  # kinds of messages that bring who is behind further
ANSWER_BYTES = 1 << 20  # of the blocks in an answer, unless its first block is larger


class Others:
    """What other members say of their heights, and who is to be asked next."""

    def __init__(self, own: int) -> None:
        self._own = own
        self._claims: dict[int, int] = {}  # the largest height each has claimed
        self._asked: set[int] = set()  # in this round
        self._last = -1  # who was asked last

    def enter(self) -> None:
        """A new round begins: all may be asked again."""
        self._asked.clear()

    def claim(self, member: int, height: int) -> None:
        """A member says, or seems to say, that it has so many blocks."""
        if member != self._own:
            self._claims[member] = max(height, self._claims.get(member, 0))

    def ahead(self, height: int) -> list[int]:
        """Who claims to have more than so many blocks, in ascending order; what the others claimed is forgotten."""
        self._claims = {member: claimed for member, claimed in self._claims.items() if claimed > height}
        return sorted(self._claims)

    @property
    def any(self) -> bool:
        """Has anybody claimed to have more, as far as was known when somebody was last asked for?"""
        return bool(self._claims)

    def certain(self, faulty: int) -> int:
        """The height that somebody honest claims at least, if so many are faulty; 0: that may be nobody."""
        claims = sorted(self._claims.values(), reverse=True)
        return claims[faulty] if len(claims) > faulty else 0

    def ask(self, height: int, members: int, faulty: int) -> int | None:
        """Whom to ask for the block after this height; None: nobody in this stage.

        If all who claim to have it were asked, and one of them at least is honest, all others are asked as well.
        """
        if not self._claims:
            return None
        ahead = self.ahead(height)
        open = [member for member in ahead if member not in self._asked]
        if not open and len(ahead) > faulty:
            open = [member for member in range(members) if member != self._own and member not in self._asked]
        if not open:
            return None
        self._last = next((member for member in open if member > self._last), open[0])
        self._asked.add(self._last)
        return self._last


def packed(heights: Iterable[int], block: Callable[[int], bytes | None]) -> tuple[bytes, ...]:
    """The blocks of these heights, as far as they are kept and fit into one answer; a first one always fits."""
    blocks: list[bytes] = []
    room = ANSWER_BYTES
    for height in heights:
        data = block(height)
        if data is None:
            break
        room -= len(data) + HEAD
        if blocks and room < 0:
            break
        blocks.append(data)
    return tuple(blocks)


def blocks_first(inbox: Sequence[Received], kind_of: Callable[[bytes], str]) -> list[Received]:
    """An inbox with what brings its receiver further ahead of the rest, which may be about the heights after that."""
    return sorted(inbox, key=lambda received: kind_of(received.data) not in _AHEAD)
