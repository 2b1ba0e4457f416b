"""What an algorithm is, what a world is, and how one text serves the interpreter and the compiler.

An algorithm, a reward law or a network is a few functions registered for the type of a record:

    @implements(Params)
    def select(params, state, i, t, coins): ...

The loop calls the generic functions below. In Python they look the implementation up by the type of their first
argument; compiled, numba picks the same function by the same type, so that one text has a signature that is cached.

How functions are registered and found is in `folkmoot.generics`; its names are here too.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from folkmoot.generics import GENERICS as GENERICS
from folkmoot.generics import IMPLEMENTATIONS as IMPLEMENTATIONS
from folkmoot.generics import PLACE as PLACE
from folkmoot.generics import Recorded as Recorded
from folkmoot.generics import generic as generic
from folkmoot.generics import implementation as implementation
from folkmoot.generics import implements as implements
from folkmoot.generics import inlined as inlined
from folkmoot.generics import kernel as kernel
from folkmoot.generics import tell as tell

Index: TypeAlias = int | np.int64  # compiled, they are one


class Seen(NamedTuple):
    """What each agent observed in this round.

    Where outcomes come at once and nobody is ever absent, `pulled` is the same array as `arm`.
    """

    arm: NDArray[np.int64]  # [n_agents]  whose outcome has come: this round's pull, an earlier one, or -1: none
    reward: NDArray[np.float64]  # [n_agents, n_objectives]  that outcome, as it was reported: clean if verified
    verified: NDArray[np.bool_]  # [n_agents]  was it?
    pulled: NDArray[np.int64]  # [n_agents]  in this round; -1: the agent is absent


class Reported(NamedTuple):
    """What everybody may know of all rewards reported so far, this round's earlier agents included."""

    pulls: NDArray[np.int64]  # [n_arms]
    mean: NDArray[np.float64]  # [n_arms, n_objectives]


class Links(NamedTuple):
    """Who can talk to whom in this round; agent i's neighbours, without i, are
    `neighbours[start[i] : start[i] + count[i]]` in increasing order.
    """

    start: NDArray[np.int64]  # [n_agents]
    count: NDArray[np.int64]  # type: ignore[assignment]  # [n_agents]; a tuple's count() is not missed here
    neighbours: NDArray[np.int32]  # [capacity]


class Silence(NamedTuple):
    """The message of an algorithm that says nothing."""

    nothing: NDArray[np.int8]  # [n_agents, 0]


class Scalar(NamedTuple):
    """The scalarisation of rewards that have one objective only: the objective itself."""

    n_objectives: int


class Honest(NamedTuple):
    """The adversary of a world without one."""

    budget: float


class Everybody(NamedTuple):
    """The presence of a world in which nobody is ever absent."""

    n_agents: int


class Immediate(NamedTuple):
    """The feedback of a world in which every outcome comes in the round of its pull."""

    n_agents: int


class Honesty(NamedTuple):
    """The liars of a world without any: everybody tells what the algorithm says."""

    n_agents: int


@kernel
def nothing_seen(n_agents: int, n_objectives: int = 1) -> Seen:
    """A Seen for so many agents, before the first round."""
    arm = np.zeros(n_agents, np.int64)
    return Seen(arm, np.zeros((n_agents, n_objectives), np.float64), np.zeros(n_agents, np.bool_), arm)


# --- An algorithm ---------------------------------------------------------------------------------


@generic
def init(params: Any) -> Any:
    """A fresh State for `params.n_agents` agents. Every algorithm defines it."""
    raise TypeError("this record type is no algorithm: it does not implement init")


@generic
def init_at_once(params: Any) -> Any:
    """As init, for a game in which every outcome comes at once: room for pulls that wait may be left out."""
    return init(params)


@generic
def outbox(params: Any) -> Any:
    """Room for one Message per agent."""
    return Silence(np.zeros((params.n_agents, 0), np.int8))


@generic
def late_outbox(params: Any) -> Any:
    """Room for one message per agent in the second exchange of a round."""
    return Silence(np.zeros((params.n_agents, 0), np.int8))


@generic
def oversee(params: Any, state: Any, t: int, seen: Seen, spent: NDArray[np.float64]) -> None:
    """Once a round, with sight of all agents and of what was spent on each arm (float64 [n_arms]): for oracles only."""


@generic
def select(params: Any, state: Any, i: Index, t: int, coins: Any) -> int:
    """The arm agent i pulls in round t = 1, 2, ... Every algorithm defines it; reads row i of the state."""
    return 0


@generic
def verify(params: Any, state: Any, i: Index, t: int, arm: int, coins: Any) -> bool:
    """Does agent i ask for a verified observation (`seen.verified[i]`) of the arm it has selected, budget allowing?"""
    return False


@generic
def publish(params: Any, state: Any, i: Index, t: int, seen: Seen, outbox: Any) -> None:
    """Write what agent i tells its neighbours into row i of the outbox; the state is the round's first."""


@generic
def update(params: Any, state: Any, i: Index, t: int, seen: Seen, inbox: Any, neighbours: Any, coins: Any) -> None:
    """Learn from row i of `seen` and rows `neighbours` of the inbox; writes row i of the state."""


@generic
def publish_late(params: Any, state: Any, i: Index, t: int, outbox: Any) -> None:
    """As publish, in the second exchange: after everybody's update."""


@generic
def update_late(params: Any, state: Any, i: Index, t: int, inbox: Any, neighbours: Any) -> None:
    """As update, in the second exchange."""


@generic
def possible(message: Any, params: Any, j: int, t: int) -> bool:
    """Can row j of these messages of round t be what an agent sent that keeps to the algorithm?

    It dispatches on the record of messages, and compiled loops never call it: it is asked of what came from somebody
    who may lie, before `update` sees it. Types and shapes are right then and floats are finite. What is left to say:
    an index must be in its range, and a count of somebody's own pulls is from 0 to t.
    """
    return True


@generic
def said(message: Any, params: Any, i: Index, values: NDArray[np.float64]) -> None:
    """Write what row i of these messages conveys of each arm into `values`, float64 [n_arms], in the unit of rewards: 1
    and 0 for arms recommended (or in play) and not, 0 for arms not spoken of. Dispatches on the messages' record.
    """


@generic
def say(message: Any, params: Any, i: Index, values: NDArray[np.float64]) -> None:
    """Overwrite the estimates of row i by these: a liar's words. Without it nobody can lie in these messages."""


@generic
def claim(message: Any, params: Any, i: Index, t: int) -> None:
    """Make the counts of pulls in row i as large as they can be after round t; `say` comes after it."""


@generic
def decision(params: Any, state: Any, i: Index) -> int:
    """The arm that agent i has settled on for good; -1 while it has not, or never will."""
    return -1


@generic
def messages(params: Any, state: Any, i: Index, t: int, seen: Seen, n_neighbours: int) -> int:
    """How many messages agent i sends in one exchange of round t: one to each neighbour."""
    return n_neighbours


@generic
def message_bytes(params: Any, state: Any, i: Index, t: int, seen: Seen, n_messages: int, row_bytes: int) -> int:
    """Their size over all exchanges of the round; `row_bytes` is a row of every outbox together."""
    return n_messages * row_bytes


@generic
def traffic(
    params: Any, state: Any, i: Index, t: int, seen: Seen, neighbours: Any, inbox: Any, row_bytes: int, n_messages: int
) -> int:
    """The bytes agent i sends in all exchanges of round t, by what neighbours lack; asked right before any `update`."""
    return message_bytes(params, state, i, t, seen, n_messages, row_bytes)


# --- A reward law -----------------------------------------------------------------------------------


@generic
def scene(rewards: Any) -> Any:
    """Scratch space for what nature decides once a round."""
    return np.zeros(0, np.bool_)


@generic
def set_scene(rewards: Any, t: int, coins: Any, scene: NDArray[np.bool_]) -> None:
    """Decide it, for round t."""


@generic
def objectives(rewards: Any) -> int:
    """Length of a reward vector."""
    return 1


@generic
def pay(
    rewards: Any, scene: NDArray[np.bool_], i: int, arm: int, t: int, coins: Any, reward: NDArray[np.float64]
) -> None:
    """Write agent i's reward for this arm in round t into `reward[i, :]`. It depends on these coordinates alone."""


@generic
def varies(rewards: Any) -> bool:
    """Do the means move from round to round? A constant of the record type."""
    return False


@generic
def gap(rewards: Any, scene: Any, t: int, arm: int, coins: Any) -> float:
    """How far this arm's mean over all agents is below the best one's in round t; asked where the means vary."""
    return 0.0


# --- A scalarisation: what a vector of rewards is worth -----------------------------------------------


@generic
def scalarise(scalarisation: Any, values: NDArray[np.float64], row: int) -> float:
    """The worth of `values[row, :]`; nondecreasing and 1-Lipschitz in every coordinate's largest change."""
    first: float = values[row, 0]
    return first


# --- An adversary -------------------------------------------------------------------------------------


@generic
def budget(adversary: Any) -> float:
    """What it may spend in a replicate: the sum over pulls of the largest change in a coordinate."""
    return 0.0


@generic
def corrupt(adversary: Any, i: Index, t: int, seen: Seen, left: float, reported: Reported, coins: Any) -> None:
    """Overwrite `seen.reward[i, :]`, the clean reward of agent i's pull, by what the agent is to see.

    The loop clips it to [0, 1] and charges what has changed, which must be at most `left`.
    """


# --- Presence: who is there -----------------------------------------------------------------------------


@generic
def draw_presence(presence: Any, t: int, coins: Any, present: NDArray[np.bool_]) -> None:
    """Write who is there in round t into `present` (bool [n_agents]), which begins as all true."""


@generic
def here(presence: Any, present: NDArray[np.bool_], i: Index) -> bool:
    """Is agent i there in this round? Who is not neither pulls nor sends nor hears nor learns."""
    return True


@generic
def spare_links(presence: Any, active: Links) -> Links:
    """Room for the links among those who are there; the network's own where `meet` has nothing to do."""
    return active


@generic
def meet(presence: Any, present: NDArray[np.bool_], active: Links, heard: Links) -> None:
    """Write the links of this round among those who are there into `heard`; where everybody is, it is `active`."""


# --- Feedback: when outcomes come -----------------------------------------------------------------------


@generic
def fresh_seen(feedback: Any, n_agents: int, n_objectives: int) -> Seen:
    """A Seen of a world with such feedback, before the first round."""
    return nothing_seen(n_agents, n_objectives)


@generic
def calendar(feedback: Any, n_agents: int, n_objectives: int) -> Any:
    """Room for the outcomes that are under way, before the first round."""
    return np.zeros(0, np.int64)


@generic
def post(feedback: Any, calendar: Any, i: Index, t: int, coins: Any, seen: Seen) -> None:
    """Put the outcome of agent i's pull of this round (`seen.pulled[i]` and row i of `seen`) on the calendar."""


@generic
def fetch(feedback: Any, calendar: Any, i: Index, t: int, seen: Seen) -> None:
    """Take at most one outcome that is due from the calendar into row i of `seen`; without one, `seen.arm[i]` is -1."""


# --- Liars: what is told in place of what was published -------------------------------------------------


@generic
def lies(liars: Any, i: Index) -> bool:
    """Is agent i a liar? Its pulls do not count in the regret."""
    return False


@generic
def second_box(liars: Any, params: Any) -> Any:
    """Room for the other messages of liars, which may tell different neighbours different things."""
    return np.zeros(0, np.bool_)


@generic
def second_late_box(liars: Any, params: Any) -> Any:
    """The same for the second exchange."""
    return np.zeros(0, np.bool_)


@generic
def mislead(
    liars: Any, law: Any, params: Any, state: Any, t: int, coins: Any, seen: Seen, box: Any, second: Any, heard: Links,
    words: NDArray[np.float64],
) -> None:  # fmt: skip
    """After everybody's `publish`: let liars learn from the truth, then put lies into their rows of `box` and `second`;
    `words` is scratch.
    """


@generic
def mislead_late(
    liars: Any, law: Any, params: Any, state: Any, t: int, coins: Any, seen: Seen, box: Any, second: Any, heard: Links,
    words: NDArray[np.float64],
) -> None:  # fmt: skip
    """The same after everybody's `publish_late`."""


@generic
def hear(liars: Any, i: Index, box: Any, second: Any) -> Any:
    """The box that agent i reads, if it does not lie: `box` or `second`."""
    return box


@generic
def lie(law: Any, i: Index, t: int, side: int, values: NDArray[np.float64], coins: Any) -> None:
    """Overwrite the estimates that liar i would tell, [n_arms], by what it tells even (side 0) or odd receivers (1)."""


# --- A network --------------------------------------------------------------------------------------


@generic
def links(network: Any) -> Links:
    """A Links record with room for a round of this network."""
    raise TypeError("this record type is no network: it does not implement links")


@generic
def draw_links(network: Any, t: int, coins: Any, links: Links) -> None:
    """Fill the record with the links of round t."""
