"""The accounts of a game's chain as `folkmoot ledger show --accounts` tells them."""

from folkmoot.bc_ucb.contract import ONE
from folkmoot.bc_ucb.state import State

HEADER = ["participant", "earned", "costs", "trust", "faults"]
SIGNED = "rewards are signed by the environment"


def accounts(state: State) -> tuple[str, list[str], list[list[str]]]:
    """What is to be said (of claims: nothing here, the kind's remarks say it), the header of a table, and its rows.

    Trust is the share among those not excluded. "-" stands for what only participants can compute, and for no proven
    fault.
    """
    told, weights, proven = state.accounts, state.accounts.units.tolist(), dict(state.faults)
    weights = [0 if m in state.excluded else units for m, units in enumerate(weights)]
    rows = []
    for m in range(len(state.configuration.keys)):
        columns = (told.earned, told.costs)
        shown = [f"{int(column[m]) / ONE:.6f}" if m < len(column) else "-" for column in columns]
        shown.append(f"{weights[m] / sum(weights):.2%}" if m < len(weights) else "-")
        rows.append([str(m), *shown, "excluded" if m in state.excluded else "noted" if m in proven else "-"])
    return SIGNED if state.configuration.environment else "", HEADER, rows
