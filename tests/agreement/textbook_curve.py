"""The verifiable random function in Python's integers, straight from RFC 8032 and RFC 9381: slow and simple.

A point is (x, y) modulo P. Nothing here is shared with folkmoot.agreement.vrf, not even a constant.
"""

from hashlib import sha512

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
NOBODY = (0, 1)  # the neutral point


def add(one, two):
    """The complete addition law of -x^2 + y^2 = 1 + d x^2 y^2."""
    (x1, y1), (x2, y2) = one, two
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def times(scalar, point):
    result = NOBODY
    for bit in f"{scalar:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def negative(point):
    return -point[0] % P, point[1]


def to_bytes(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def from_bytes(data):
    """The point of 32 bytes, or None (RFC 8032, section 5.1.3)."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else -x % P), y


BASE = from_bytes((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
TORSION = from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))  # order 8


def expanded(secret_key):
    digest = sha512(secret_key).digest()
    scalar = int.from_bytes(digest[:32], "little") & ~7 & (2**254 - 1) | 2**254
    return scalar, digest[32:]


def public_key(secret_key):
    return to_bytes(times(expanded(secret_key)[0], BASE))


def on_the_curve(salt, alpha):
    """H: try and increment."""
    for counter in range(256):
        digest = sha512(b"\x03\x01" + salt + alpha + bytes([counter, 0])).digest()
        point = from_bytes(digest[:32])
        if point is not None and times(8, point) != NOBODY:
            return times(8, point)
    raise AssertionError


def challenge(*points):
    return int.from_bytes(sha512(b"\x03\x02" + b"".join(map(to_bytes, points)) + b"\x00").digest()[:16], "little")


def steps(secret_key, alpha):
    """H, Gamma, U, V as points and c, s as integers."""
    scalar, prefix = expanded(secret_key)
    key = times(scalar, BASE)
    point = on_the_curve(to_bytes(key), alpha)
    gamma = times(scalar, point)
    nonce = int.from_bytes(sha512(prefix + to_bytes(point)).digest(), "little") % Q
    u, v = times(nonce, BASE), times(nonce, point)
    c = challenge(key, point, gamma, u, v)
    return point, gamma, u, v, c, (nonce + c * scalar) % Q


def proof_of(gamma, c, s):
    return to_bytes(gamma) + c.to_bytes(16, "little") + s.to_bytes(32, "little")


def prove(secret_key, alpha):
    _, gamma, _, _, c, s = steps(secret_key, alpha)
    return proof_of(gamma, c, s)


def output_of(gamma):
    return sha512(b"\x03\x03" + to_bytes(times(8, gamma)) + b"\x00").digest()


def verify(key_bytes, alpha, proof):
    """The output, or None: the RFC's rule, which lets points outside the prime-order subgroup pass."""
    key, gamma = from_bytes(key_bytes), from_bytes(proof[:32])
    c, s = int.from_bytes(proof[32:48], "little"), int.from_bytes(proof[48:], "little")
    if key is None or gamma is None or s >= Q or times(8, key) == NOBODY:
        return None
    point = on_the_curve(key_bytes, alpha)
    u = add(times(s, BASE), negative(times(c, key)))
    v = add(times(s, point), negative(times(c, gamma)))
    return output_of(gamma) if c == challenge(key, point, gamma, u, v) else None
