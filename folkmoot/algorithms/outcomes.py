"""Pulls and outcomes told apart: outcomes that come late or never, for the state of any algorithm.

How it works. `state.pulls` counts the outcomes that came, which is what an estimate stands on. `state.waiting` counts
pulls of an agent whose outcome has not come, and may never come. Their sum is the pulls made, which is what rules
count that choose an arm because it was pulled too little. Where every outcome comes at once nothing waits, and
an algorithm for very many agents can do without that table (`init_at_once`).
"""

from folkmoot.interface import kernel


@kernel
def note_pull(state, seen, i):
    """Take this round's pull of agent i to those that wait, and the outcome that came off them."""
    arm, pulled = seen.arm[i], seen.pulled[i]
    if arm != pulled:
        if pulled >= 0:
            state.waiting[i, pulled] += 1
        if arm >= 0:
            state.waiting[i, arm] -= 1


@kernel
def made(state, i, k):
    """Pulls of arm k that agent i has made."""
    return state.pulls[i, k] + (state.waiting[i, k] if state.waiting.shape[1] > 0 else 0)


@kernel
def untried(outcomes, pulled, i):
    """Of the arms of which agent i knows no outcome the one it pulled least, ties to the lowest; -1: there is none.

    Args:
        outcomes: int64 [n_agents, n_arms], those an agent knows of, be they its own or also others'.
        pulled: int64 [n_agents, n_arms], its own pulls, or those of them that wait.
    """
    best = -1
    for k in range(outcomes.shape[1]):
        if outcomes[i, k] == 0 and (best < 0 or pulled[i, k] < pulled[i, best]):
            best = k
    return best
