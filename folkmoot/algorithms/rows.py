"""Rows of numbers, one number an arm, put together over the neighbours of an agent.

How it works. For each arm the terms are added in the order of the neighbours, as a loop over the neighbours inside one
over the arms would do: the bits are the same. The compiler makes vectors of a loop over arms that is innermost, and of
nothing else. So rows of four neighbours are taken at a time, for a row of results is then read and written once for
four. Entering such a loop costs as much as some additions: sums of few arms have the neighbours inside, and four arms
go along together, each with a variable of its own.
"""

from folkmoot.interface import kernel

_FEW = 8  # arms in play, of which each by itself is faster
_MANY = 32  # arms, from which on rows are faster than four arms together


@kernel
def average(own, i, heard, neighbours, n_arms, divisor):
    """own[i, k] + (sum over the neighbours of heard[j, k] - own[i, k]) / divisor, of all arms; own[i] is heard[i]."""
    degree, k = len(neighbours), 0
    if n_arms >= _MANY:
        for k in range(n_arms):
            own[i, k] = 0.0
        add_rows(own, i, heard, neighbours, n_arms)
        for k in range(n_arms):
            own[i, k] = heard[i, k] + (own[i, k] - degree * heard[i, k]) / divisor
        return
    while k + 8 <= n_arms:
        a = b = c = d = e = f = g = h = 0.0
        for j in neighbours:
            a += heard[j, k]
            b += heard[j, k + 1]
            c += heard[j, k + 2]
            d += heard[j, k + 3]
            e += heard[j, k + 4]
            f += heard[j, k + 5]
            g += heard[j, k + 6]
            h += heard[j, k + 7]
        a = own[i, k] + (a - degree * own[i, k]) / divisor
        b = own[i, k + 1] + (b - degree * own[i, k + 1]) / divisor
        c = own[i, k + 2] + (c - degree * own[i, k + 2]) / divisor
        d = own[i, k + 3] + (d - degree * own[i, k + 3]) / divisor
        e = own[i, k + 4] + (e - degree * own[i, k + 4]) / divisor
        f = own[i, k + 5] + (f - degree * own[i, k + 5]) / divisor
        g = own[i, k + 6] + (g - degree * own[i, k + 6]) / divisor
        h = own[i, k + 7] + (h - degree * own[i, k + 7]) / divisor
        own[i, k] = a
        own[i, k + 1] = b
        own[i, k + 2] = c
        own[i, k + 3] = d
        own[i, k + 4] = e
        own[i, k + 5] = f
        own[i, k + 6] = g
        own[i, k + 7] = h
        k += 8
    while k + 4 <= n_arms:
        a = b = c = d = 0.0
        for j in neighbours:
            a += heard[j, k]
            b += heard[j, k + 1]
            c += heard[j, k + 2]
            d += heard[j, k + 3]
        a = own[i, k] + (a - degree * own[i, k]) / divisor
        b = own[i, k + 1] + (b - degree * own[i, k + 1]) / divisor
        c = own[i, k + 2] + (c - degree * own[i, k + 2]) / divisor
        d = own[i, k + 3] + (d - degree * own[i, k + 3]) / divisor
        own[i, k] = a
        own[i, k + 1] = b
        own[i, k + 2] = c
        own[i, k + 3] = d
        k += 4
    while k + 1 <= n_arms:
        a = 0.0
        for j in neighbours:
            a += heard[j, k]
        a = own[i, k] + (a - degree * own[i, k]) / divisor
        own[i, k] = a
        k += 1


@kernel
def add_rows(own, i, heard, neighbours, n_arms):
    """Add heard[j, k] of each neighbour to own[i, k], of all arms."""
    degree, e = len(neighbours), 0
    while e + 4 <= degree:
        a, b, c, d = neighbours[e], neighbours[e + 1], neighbours[e + 2], neighbours[e + 3]
        for k in range(n_arms):
            own[i, k] = own[i, k] + heard[a, k] + heard[b, k] + heard[c, k] + heard[d, k]
        e += 4
    while e < degree:
        j = neighbours[e]
        for k in range(n_arms):
            own[i, k] += heard[j, k]
        e += 1


@kernel
def intersect(own, i, heard, neighbours, n_arms):
    """Strike from own[i] the arms that a neighbour does not have; how many are left."""
    degree, e, count = len(neighbours), 0, 0
    for k in range(n_arms):
        count += own[i, k]
    if count <= _FEW:
        for k in range(n_arms):
            if own[i, k]:
                for j in neighbours:
                    if not heard[j, k]:
                        own[i, k] = False
                        count -= 1
                        break
        return count
    while e + 4 <= degree:
        a, b, c, d = neighbours[e], neighbours[e + 1], neighbours[e + 2], neighbours[e + 3]
        for k in range(n_arms):
            own[i, k] = own[i, k] & heard[a, k] & heard[b, k] & heard[c, k] & heard[d, k]
        e += 4
    while e < degree:
        j = neighbours[e]
        for k in range(n_arms):
            own[i, k] = own[i, k] & heard[j, k]
        e += 1
    count = 0
    for k in range(n_arms):
        count += own[i, k]
    return count


@kernel
def raise_to(own, i, heard, neighbours, n_arms):
    """Raise own[i, k] to the largest heard[j, k] of the neighbours, of all arms."""
    degree, e = len(neighbours), 0
    while e + 4 <= degree:
        a, b, c, d = neighbours[e], neighbours[e + 1], neighbours[e + 2], neighbours[e + 3]
        for k in range(n_arms):
            own[i, k] = max(max(max(max(own[i, k], heard[a, k]), heard[b, k]), heard[c, k]), heard[d, k])
        e += 4
    while e < degree:
        j = neighbours[e]
        for k in range(n_arms):
            own[i, k] = max(own[i, k], heard[j, k])
        e += 1
