"""A chain that goes on from another one: its beginning for those who play it, and the check by the chain before."""

from dataclasses import replace

from folkmoot.bc_ucb.contract import Terms
from folkmoot.bc_ucb.genesis import GameSettings, checked_configuration
from folkmoot.bc_ucb.opening import Opening, opening
from folkmoot.bc_ucb.state import State
from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.chain import Chain


def carried(chain: Chain, sources: tuple[int, ...], terms: Terms, same_arms: bool) -> Opening:
    """What goes on from this chain, which has at least one block; the arguments are as of `opening`."""
    state: State = chain.state
    assert state.last is not None, "a chain without a block has nothing to go on"
    about = (chain.height, chain.tip), state.accounts, state.excluded, state.last.blinding
    return opening(*about, sources, terms, same_arms)


def with_accounts(first: Chain, told: Opening) -> Chain:
    """The chain before its first block as its participants know it, of whom alone its genesis may tell all.

    Raises:
        Malformed: what is told is not what the genesis stands for.
    """
    settings: GameSettings = first.state.configuration
    if settings.opening != (told.sealed() if settings.sealed else told.plain()):
        raise Malformed("opening: not what the genesis says of it")
    return replace(first, state=first.state._replace(accounts=told.accounts(settings.terms)))


def check_goes_on(configuration: Value, before: Chain) -> None:
    """Does a chain go on from this one, as far as its genesis can be checked by it? A reader need not see all.

    Raises:
        Malformed: no; it says why.
    """
    settings = checked_configuration(configuration)
    told, state = settings.opening, before.state
    if told is None:
        raise Malformed("its genesis goes on from no other chain")
    if not isinstance(state, State) or (told.height, told.tip) != (before.height, before.tip):
        raise Malformed(
            f"its genesis goes on from block {told.height}, {told.tip.hex()}; the chain before ends with block "
            f"{before.height}, {before.tip.hex()}"
        )
    if max(told.sources) >= len(state.configuration.keys):
        raise Malformed(f"its genesis names participant {max(told.sources)} of the chain before, which has none such")
    accounts = state.accounts
    if seen := bool(len(accounts.exponent)):
        found = [carried(before, told.sources, settings.terms, same) for same in (True, False)]
        fitting = [one for one in found if len(one.estimates) == settings.terms.n_arms]
        expected = [one.sealed() if settings.sealed else one.plain() for one in fitting]
        if told in expected:
            return
    earned = tuple(0 if s < 0 else int(accounts.earned[s]) for s in told.sources)
    excluded = tuple(m for m, s in enumerate(told.sources) if s in state.excluded)
    if seen or earned != told.earned or excluded != told.excluded:
        raise Malformed("its genesis begins with other accounts than the chain before ends with")
