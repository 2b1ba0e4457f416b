"""Comparing an integer whose bits are encrypted with one that is known, without decrypting.

After Damgard, Geisler and Kroigaard 2007 ("Efficient and secure comparison for on-line auctions"). x has encrypted
bits, y is known, both of the same width. For position i

    c_i = x_i - y_i + 1 + (number of positions above i where x and y differ)

is a sum of terms that are never negative, and it is zero only where x has 0, y has 1, and all above agrees: at one
position if y > x, nowhere otherwise. (Their factor 3 on the last sum serves a variant with the sign -1 as well.)
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from folkmoot.comparison import elgamal, ristretto
from folkmoot.comparison.elgamal import Ciphertext
from folkmoot.comparison.ristretto import RandomBytes

Number = TypeVar("Number")


class Arithmetic(Protocol[Number]):
    """The four things done with numbers that may be encrypted; `elgamal` is one, plain integers another."""

    @property
    def ZERO(self) -> Number: ...  # noqa: N802

    def add(self, a: Number, b: Number, /) -> Number: ...

    def add_bit(self, a: Number, bit: int, /) -> Number: ...

    def one_minus(self, a: Number, /) -> Number: ...


def comparison_terms(bits: Sequence[Number], known: int, arithmetic: Arithmetic[Number]) -> list[Number]:
    """The terms c_i, highest position first; the same operations in the same order whatever `known` is.

    bits: those of x, least significant first; `known` is y, 0 <= y < 2**len(bits).
    """
    terms = []
    differences = arithmetic.ZERO
    for position in reversed(range(len(bits))):
        x, y = bits[position], known >> position & 1
        terms.append(arithmetic.add(arithmetic.add_bit(x, 1 - y), differences))
        differs = (x, arithmetic.one_minus(x))[y]
        differences = arithmetic.add(differences, differs)
    return terms


def blinded_terms(bits: Sequence[Ciphertext], known: int, public: bytes, random_bytes: RandomBytes) -> list[Ciphertext]:
    """The terms as their owner may see them: one zero if known > x, else none, and otherwise only randomness.

    A random factor turns every term but zero into a uniform element. A fresh mask is needed as well: the owner of
    the key knows the masks it made, and could compare the ratio of mask and body with that of any guess of `known`.
    The shuffle hides at which position the zero was.
    """
    blinded = []
    for term in comparison_terms(bits, known, elgamal):
        hidden = elgamal.multiply(term, ristretto.random_scalar(random_bytes))
        blinded.append(elgamal.rerandomise(hidden, public, random_bytes))
    return [blinded[i] for i in permutation(len(blinded), random_bytes)]


def permutation(size: int, random_bytes: RandomBytes) -> list[int]:
    """A uniform order of 0, ..., size - 1 (Fisher and Yates; bias below size**2 * 2**-128)."""
    order = list(range(size))
    for last in range(size - 1, 0, -1):
        other = ristretto.random_integer(random_bytes, 16) % (last + 1)
        order[last], order[other] = order[other], order[last]
    return order
