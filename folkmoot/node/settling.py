"""Settlement through a node of an EVM chain that is reached by its URL."""

from collections.abc import Callable, Iterable

from folkmoot.bc_ucb import settlement
from folkmoot.bc_ucb.contract import Terms
from folkmoot.bc_ucb.settled import SettledRound
from folkmoot.bc_ucb.settlement import Endpoint, Settlement, Sign
from folkmoot.ledger.store import Ledger
from folkmoot.node.json_rpc import Client


def settle(
    rounds: Ledger | Iterable[SettledRound],
    endpoint: str | Endpoint,
    *,
    terms: Terms | None = None,
    address: str | None = None,
    account: str | None = None,
    sign: Sign | None = None,
    pause: Callable[[], None] | None = None,
) -> Settlement:
    """Enter rounds into the contract on an EVM chain, those it has not seen yet, and compare the accounts.

    Args:
        rounds, terms, address, account, sign: as of `folkmoot.bc_ucb.settlement.settle`.
        endpoint: the URL of a node, or a function (method, params) -> result.
        pause: called between two questions for a receipt; given a URL, half a second's sleep.

    Raises:
        ValueError, NotSettled: as `folkmoot.bc_ucb.settlement.settle`.
        NodeError: (folkmoot.node.json_rpc, given a URL) the node does not answer.
    """
    if isinstance(endpoint, str):
        client = Client(endpoint)
        endpoint, pause = client, pause or client.pause
    return settlement.settle(rounds, endpoint, terms=terms, address=address, account=account, sign=sign, pause=pause)
