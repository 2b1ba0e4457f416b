"""Accounts of links: averaging that loses nothing where a message may come through in one direction only.

Plain gossip moves a part of the difference of two estimates from one end of a link to the other. If one end alone heard
the other, one end alone moves, and the sum of all estimates, which is to be the sum of all own means, is off for ever.

How it works. Of the two ends of a link the one with the lower number is its *owner*. Both hold the account of the link:
all that has ever been moved over it, out of the other end and into the owner. The owner's account is right by
definition; the estimates of both ends contain what their account says. Every message carries its sender's accounts.

- The owner, when it hears the other end, moves. It knows from the other's account what that end still owes, and
  reckons with the estimate that the other will have then.
- The other end, when it hears the owner, takes over the owner's account. It expects that the owner has heard it too,
  and moves by the same numbers, to the same bit. If the owner has not, the next message of the owner says so.

So in a round in which both ends hear each other the link does what plain gossip does, and owes nothing after it.
"""

from folkmoot.algorithms.base import Problem
from folkmoot.interface import kernel

_NUMBER = 8  # bytes


@kernel
def transfer(state, inbox, i, j, k, weight):
    """What agent i's estimate of arm k gains over its link to j, which it has heard; its account is brought up to date.

    Args:
        state: has `account`, float64 [n_agents, n_agents, n_arms].
        inbox: has `gossip`, the estimates at the round's start, and `account`, of agents i and j.
        weight: the part of the difference to be moved; 0 only takes over what the owner says.
    """
    if i < j:  # the owner
        owed = state.account[i, j, k] - inbox.account[j, i, k]
        move = weight * (inbox.gossip[j, k] - owed - inbox.gossip[i, k])
        state.account[i, j, k] += move
        return move
    owed = inbox.account[j, i, k] - state.account[i, j, k]
    move = weight * (inbox.gossip[i, k] - owed - inbox.gossip[j, k])
    state.account[i, j, k] = inbox.account[j, i, k] + move
    return -(owed + move)


@kernel
def publish_accounts(params, state, i, outbox):
    """Write the accounts of agent i's links into its message."""
    for j in range(outbox.account.shape[1]):
        for k in range(params.n_arms):
            outbox.account[i, j, k] = state.account[i, j, k]


@kernel
def bytes_with_accounts(params, slots, n_messages, row_bytes):
    """Size of so many messages: of all accounts in a row, a neighbour needs the one of its link."""
    if slots == 0:
        return n_messages * row_bytes
    return n_messages * (row_bytes - _NUMBER * (slots - 1) * params.n_arms)


def slots(problem: Problem, name: str) -> int:
    """How many accounts an agent keeps: one for each agent if links may be one-sided, else none.

    Raises:
        ValueError: too much memory.
    """
    if not problem.one_sided:
        return 0
    n, k = problem.n_agents, problem.n_arms
    problem.require_memory(16.0 * n * n * k, f"{name} on one-sided links, which keeps an account for every pair,")
    return n
