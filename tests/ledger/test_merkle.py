"""The Merkle tree against a recursive twin, its proofs, and the known ways to forge one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.encoding import digest, encode
from folkmoot.ledger import merkle
from folkmoot.ledger.merkle import Proof

lists = st.lists(st.binary(max_size=5), max_size=40)
different = st.lists(st.binary(max_size=5), min_size=1, max_size=40, unique=True)


def twin(leaves):
    """RFC 9162, section 2.1.1, as it is written there: split at the largest power of two below the length."""

    def top(part):
        if len(part) == 1:
            return digest("merkle/leaf", part[0])
        split = 1
        while split * 2 < len(part):
            split *= 2
        return digest("merkle/node", top(part[:split]) + top(part[split:]))

    return digest("merkle/root", encode((len(leaves), top(leaves) if leaves else b"")))


def numbered(n):
    return [b"%d" % k for k in range(n)]


@given(lists)
def test_root_equals_the_recursive_twin(leaves):
    assert merkle.root(leaves) == twin(leaves)


@pytest.mark.parametrize("n", range(70))
def test_root_and_every_proof_of_every_small_length(n):
    leaves = numbered(n)
    root = merkle.root(leaves)
    assert root == twin(leaves)
    for index in range(n):
        proof = merkle.prove(leaves, index)
        assert proof.place == index
        assert proof.leaves == n
        assert len(proof.path) <= (n - 1).bit_length()
        assert merkle.check(root, leaves[index], proof)


def test_roots_of_all_small_lists_differ():
    lists = [[]] + [list(word) for n in range(1, 6) for word in _words(n)]
    assert len({merkle.root(word) for word in lists}) == len(lists)


def _words(n):
    return [[]] if n == 0 else [[*word, letter] for word in _words(n - 1) for letter in (b"a", b"b")]


def test_a_repeated_last_leaf_changes_the_root():
    """Duplicating an odd node would give lists of 3 and 4 one root (CVE-2012-2459)."""
    assert merkle.root(numbered(3)) != merkle.root([*numbered(3), b"2"])
    assert merkle.root(numbered(6)) != merkle.root([*numbered(6), b"4", b"5"])


def test_an_inner_node_is_no_leaf():
    leaves = numbered(4)
    pairs = [digest("merkle/leaf", a) + digest("merkle/leaf", b) for a, b in (leaves[:2], leaves[2:])]
    assert merkle.root(pairs) != merkle.root(leaves)
    whole = merkle.prove(leaves, 0)
    assert not merkle.check(merkle.root(leaves), pairs[0], Proof(0, 2, whole.path[1:]))


def test_the_last_of_three_is_not_the_second_of_two():
    leaves = numbered(3)
    path = merkle.prove(leaves, 2).path
    assert merkle.check(merkle.root(leaves), leaves[2], Proof(2, 3, path))
    assert not merkle.check(merkle.root(leaves), leaves[2], Proof(1, 2, path))


@given(different, st.data())
def test_a_proof_proves_nothing_else(leaves, data):
    root = merkle.root(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle.prove(leaves, index)
    other = data.draw(st.binary(max_size=5).filter(lambda leaf: leaf != leaves[index]))
    assert not merkle.check(root, other, proof)
    claimed = data.draw(st.tuples(st.integers(-1, 50), st.integers(-1, 50)).filter(lambda c: c != proof[:2]))
    assert not merkle.check(root, leaves[index], Proof(*claimed, proof.path))


@given(different, st.data())
def test_a_changed_path_proves_nothing(leaves, data):
    root = merkle.root(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle.prove(leaves, index)
    dice = random.Random(data.draw(st.integers(0, 1000)))
    path = [*proof.path, dice.randbytes(32)]
    assert not merkle.check(root, leaves[index], proof._replace(path=tuple(path)))
    for n in range(len(proof.path)):
        flipped = bytearray(proof.path[n])
        flipped[dice.randrange(32)] ^= 1 << dice.randrange(8)
        changed = (*proof.path[:n], bytes(flipped), *proof.path[n + 1 :])
        assert not merkle.check(root, leaves[index], proof._replace(path=changed))
        shorter = (*proof.path[:n], *proof.path[n + 1 :])
        assert not merkle.check(root, leaves[index], proof._replace(path=shorter))


PATH = merkle.prove(numbered(5), 1).path
HOSTILE = [
    None,
    (),
    (1, 5),
    (1, 5, PATH, 0),
    (True, 5, PATH),
    (1.0, 5, PATH),
    ("1", 5, PATH),
    (-4, 5, PATH),
    (5, 5, PATH),
    (1, 10**30, PATH),
    (1, 5, list(PATH)),
    (1, 5, None),
    (1, 5, (*PATH[:-1], PATH[-1] + b"x")),
    (1, 5, (*PATH[:-1], "x" * 32)),
    (1, 5, PATH * 10_000),
]


@pytest.mark.parametrize("proof", HOSTILE)
def test_a_hostile_proof_is_refused(proof):
    assert merkle.check(merkle.root(numbered(5)), b"1", (1, 5, PATH))
    assert not merkle.check(merkle.root(numbered(5)), b"1", proof)


@pytest.mark.parametrize("index", [-1, 3])
def test_no_proof_of_a_leaf_that_is_not_there(index):
    with pytest.raises(ValueError, match=f"index = {index}"):
        merkle.prove(numbered(3), index)


def test_leaves_are_bytes():
    with pytest.raises(ValueError, match="leaf 1 is str"):
        merkle.root([b"x", "y"])
    assert not merkle.check(merkle.root([b"x"]), "x", merkle.prove([b"x"], 0))
