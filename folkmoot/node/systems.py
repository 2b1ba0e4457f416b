"""What members of a charter do together: from its settings to the machine that a node plays."""

from collections.abc import Callable

from folkmoot.node.bandit import Bandit
from folkmoot.node.bema import Bema
from folkmoot.node.chained import BCUCBChain
from folkmoot.node.charter import Charter
from folkmoot.node.system import System

_SYSTEMS: dict[str, Callable[[Charter], System]] = {"bandit": Bandit, "bc_ucb": BCUCBChain, "bema": Bema}


def system_of(charter: Charter) -> System:
    """The system of a charter.

    Raises:
        BadCharter: its settings make no sense.
    """
    return _SYSTEMS[charter.terms.system](charter)
