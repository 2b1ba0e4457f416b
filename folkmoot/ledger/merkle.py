"""One digest for a list of byte strings, and short proofs that a string is in the list.

The tree is that of RFC 9162, section 2.1: leaves and inner nodes are hashed in domains of their own, so that
no inner node passes for a leaf; a node without a partner rises unchanged, so that no list has the root of a
longer one with its end repeated. The root also covers the number of leaves: without it, the last of three
leaves would be provable as the second of two.
"""

from collections.abc import Sequence
from typing import NamedTuple

from folkmoot.encoding import digest, encode

LEAF, NODE, ROOT = "merkle/leaf", "merkle/node", "merkle/root"
MOST_LEAVES = 1 << 32


class Proof(NamedTuple):
    """That a leaf is at a place, from 0, in a list of so many: the digests beside its way to the top, lowest first."""

    place: int
    leaves: int
    path: tuple[bytes, ...]


def root(leaves: Sequence[bytes]) -> bytes:
    """The root (32 bytes) of a list of byte strings; the empty list has one too.

    Raises:
        ValueError: a leaf that is not bytes.
    """
    level = _lowest(leaves)
    while len(level) > 1:
        level = _above(level)
    return _seal(len(leaves), level[0] if level else b"")


def prove(leaves: Sequence[bytes], index: int) -> Proof:
    """A proof that leaves[index] is where it is: at most 32 bytes for each doubling of the list.

    Raises:
        ValueError: there is no such leaf, or one that is not bytes.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"index = {index}: expected 0 to {len(leaves) - 1}, the list has {len(leaves)} leaves")
    level, at, path = _lowest(leaves), index, []
    while len(level) > 1:
        if at ^ 1 < len(level):
            path.append(level[at ^ 1])
        level, at = _above(level), at >> 1
    return Proof(index, len(leaves), tuple(path))


def check(expected: bytes, leaf: bytes, proof: Proof) -> bool:
    """Is this leaf in the list with this root, at the place the proof names? False for any malformed proof."""
    if not isinstance(proof, tuple) or len(proof) != 3 or type(leaf) is not bytes:
        return False
    index, count, path = proof
    if type(index) is not int or type(count) is not int or not 0 <= index < count <= MOST_LEAVES:
        return False
    if type(path) is not tuple or not all(type(beside) is bytes and len(beside) == 32 for beside in path):
        return False
    node, at, last, used = digest(LEAF, leaf), index, count - 1, 0
    while last > 0:
        if at ^ 1 <= last:
            if used == len(path):
                return False
            beside = path[used]
            node = digest(NODE, beside + node if at & 1 else node + beside)
            used += 1
        at, last = at >> 1, last >> 1
    return used == len(path) and _seal(count, node) == expected


def _lowest(leaves: Sequence[bytes]) -> list[bytes]:
    for number, leaf in enumerate(leaves):
        if type(leaf) is not bytes:
            raise ValueError(f"leaf {number} is {type(leaf).__name__}: expected bytes")
    return [digest(LEAF, leaf) for leaf in leaves]


def _above(level: list[bytes]) -> list[bytes]:
    """The next level: pairs joined, an odd one at the end left as it is."""
    pairs = len(level) // 2
    return [digest(NODE, level[2 * n] + level[2 * n + 1]) for n in range(pairs)] + level[2 * pairs :]


def _seal(count: int, top: bytes) -> bytes:
    return digest(ROOT, encode((count, top)))
