"""The accounts of a game's chain as `folkmoot ledger show --accounts` tells them."""

from folkmoot.bc_ucb.contract import ONE
from folkmoot.bc_ucb.state import State

HEADER = ["participant", "earned", "costs", "trust"]
SIGNED = "rewards are signed by the environment"


def accounts(state: State) -> tuple[str, list[str], list[list[str]]]:
    """What is to be said (of claims: nothing here, the kind's remarks say it), the header of a table, and its rows.

    "-" stands for what only participants can compute.
    """
    told, total = state.accounts, int(sum(state.accounts.units.tolist()))
    rows = []
    for m in range(len(state.configuration.keys)):
        columns = (told.earned, told.costs)
        shown = [f"{int(column[m]) / ONE:.6f}" if m < len(column) else "-" for column in columns]
        rows.append([str(m), *shown, f"{int(told.units[m]) / total:.2%}" if m < len(told.units) else "-"])
    return SIGNED if state.configuration.environment else "", HEADER, rows
