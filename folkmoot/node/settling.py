"""Settlement through a node of an EVM chain that is reached by its URL."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from folkmoot.bc_ucb import settlement
from folkmoot.bc_ucb.contract import Terms
from folkmoot.bc_ucb.settled import SettledRound
from folkmoot.bc_ucb.settlement import Endpoint, Settlement, Sign
from folkmoot.doors import guarded
from folkmoot.ledger.store import Ledger
from folkmoot.node.json_rpc import EvmClient

SETTLED = "settled.toml"  # in the place of an epoch: where its contract is


@guarded
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
        client = EvmClient(endpoint)
        endpoint, pause = client, pause or client.pause
    return settlement.settle(rounds, endpoint, terms=terms, address=address, account=account, sign=sign, pause=pause)


def settle_folder(
    path: Path,
    endpoint: str | Endpoint,
    *,
    address: str | None = None,
    account: str | None = None,
    epoch: int | None = None,
    sign: Sign | None = None,
) -> Settlement:
    """Settle the ledger of a node, which may run; each epoch has a contract of its own.

    Its address is written down as soon as it is there, so settling again goes on with it.

    Args:
        path: the data folder of the node.
        endpoint, account, sign: as of `settle`.
        address: of a contract that is not written down here.
        epoch: None: the last that has begun.

    Raises:
        ValueError: there is no chain, not all of it is here, or its reports are not on it.
        NotSettled, NodeError: as of `settle`.
        OtherSide: what is stored is damaged.
    """
    from folkmoot import ledger
    from folkmoot.bc_ucb.settled import settled_rounds
    from folkmoot.node import epochs
    from folkmoot.node.care import export
    from folkmoot.node.charter import write_table
    from folkmoot.node.folder import Folder

    folder = Folder(path)
    with tempfile.TemporaryDirectory(prefix="folkmoot-settle-") as spare:
        file = Path(spare) / "chain.ledger"
        export(folder, file, epoch)
        charters = epochs.lineage(folder)
        noted = epochs.place(folder, epochs.current(charters).epoch if epoch is None else epoch) / SETTLED
        book = ledger.open(file)
        terms, _ = settled_rounds(book)
        address, spent = address or _noted(noted), tuple[int, ...]()
        if address is None:
            address, _, spent, _ = settle([], endpoint, terms=terms, account=account, sign=sign)
        write_table(noted, {"contract": address})
        done = settle(book, endpoint, address=address, account=account, sign=sign)
        return done._replace(gas=spent + done.gas)


def _noted(file: Path) -> str | None:
    """The address that was written down; None: none was.

    Raises:
        ValueError: something else stands there.
    """
    from folkmoot.node.charter import read_toml

    if not file.exists():
        return None
    address = read_toml(file).get("contract")
    if not isinstance(address, str):
        raise ValueError(f"{file}: expected the address of a contract")
    return address
