"""SHA-256 from FIPS 180-4 in plain Python: the dumb twin of what the ledger hashes with."""

from math import isqrt

WORD = 0xFFFFFFFF


def _primes(count):
    found = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def _cube_root(n):
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= n else (low, middle - 1)
    return low


ROUND = [_cube_root(p << 96) & WORD for p in _primes(64)]  # first 32 bits of the fractions of cube roots
START = [isqrt(p << 64) & WORD for p in _primes(8)]  # and of square roots


def _turn(x, n):
    return (x >> n | x << (32 - n)) & WORD


def sha256(message):
    padded = message + b"\x80" + bytes(-(len(message) + 9) % 64) + (8 * len(message)).to_bytes(8, "big")
    state = list(START)
    for at in range(0, len(padded), 64):
        w = [int.from_bytes(padded[at + 4 * n : at + 4 * n + 4], "big") for n in range(16)]
        for n in range(16, 64):
            s0 = _turn(w[n - 15], 7) ^ _turn(w[n - 15], 18) ^ w[n - 15] >> 3
            s1 = _turn(w[n - 2], 17) ^ _turn(w[n - 2], 19) ^ w[n - 2] >> 10
            w.append((w[n - 16] + s0 + w[n - 7] + s1) & WORD)
        a, b, c, d, e, f, g, h = state
        for n in range(64):
            choice = (e & f) ^ (~e & g)
            t1 = h + (_turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)) + choice + ROUND[n] + w[n]
            t2 = (_turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
            a, b, c, d, e, f, g, h = (t1 + t2) & WORD, a, b, c, (d + t1) & WORD, e, f, g
        state = [(x + y) & WORD for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in state)
