"""Rows of numbers, one number an arm, put together over the neighbours of an agent.

How it works. For each arm the terms are added in the order of the neighbours, as a loop over the neighbours inside one
over the arms would do: the bits are the same. Here eight arms go along together, each with a variable of its own, so
that the sums stay in registers, and the compiler makes vectors of them.
"""

from folkmoot.interface import kernel

_FEW = 8  # arms in play, of which each by itself is faster


@kernel
def average(own, i, heard, neighbours, n_arms, divisor):
    """own[i, k] + (sum over the neighbours of heard[j, k] - own[i, k]) / divisor, of all arms."""
    degree, k = len(neighbours), 0
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
def intersect(own, i, heard, neighbours, n_arms):
    """Strike from own[i] the arms that a neighbour does not have; how many are left."""
    count = 0
    for k in range(n_arms):
        count += own[i, k]
    if count > _FEW:
        for j in neighbours:
            for k in range(n_arms):
                own[i, k] = own[i, k] & heard[j, k]
    else:
        for k in range(n_arms):
            if own[i, k]:
                for j in neighbours:
                    if not heard[j, k]:
                        own[i, k] = False
                        break
    count = 0
    for k in range(n_arms):
        count += own[i, k]
    return count


@kernel
def raise_to(own, i, heard, neighbours, n_arms):
    """Raise own[i, k] to the largest heard[j, k] of the neighbours, of all arms."""
    k = 0
    while k + 4 <= n_arms:
        a = own[i, k]
        b = own[i, k + 1]
        c = own[i, k + 2]
        d = own[i, k + 3]
        for j in neighbours:
            a = max(a, heard[j, k])
            b = max(b, heard[j, k + 1])
            c = max(c, heard[j, k + 2])
            d = max(d, heard[j, k + 3])
        own[i, k] = a
        own[i, k + 1] = b
        own[i, k + 2] = c
        own[i, k + 3] = d
        k += 4
    while k + 1 <= n_arms:
        a = own[i, k]
        for j in neighbours:
            a = max(a, heard[j, k])
        own[i, k] = a
        k += 1
