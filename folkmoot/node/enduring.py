"""What a charter has its members play, and what it costs if some of them are gone for good, in plain sentences."""

from collections.abc import Mapping, Sequence

from folkmoot.algorithms.base import Algorithm
from folkmoot.algorithms.flood_se import FloodSE
from folkmoot.configuration import Configuration, shown
from folkmoot.plurals import plural


def _changed(settings: Configuration, *but: str) -> str:
    """Fields that are not the defaults, each after a comma."""
    fields = {name: field for name, field in type(settings).model_fields.items() if name not in but}
    values = {name: getattr(settings, name) for name in fields}
    return "".join(
        f", {name} = {shown(values[name])}"
        for name, field in fields.items()
        if values[name] != field.get_default(call_default_factory=True)
    )


def of_bandit(algorithm: Algorithm, members: int) -> list[str]:
    """Where there is no chain: the algorithm, with its settings that are not the defaults, and whom it waits for."""
    said = [f"Algorithm: {type(algorithm).__name__}{_changed(algorithm)}."]
    if isinstance(algorithm, FloodSE):
        if algorithm.missing == 0:
            said.append(
                "If one member leaves for good, no choice is ruled out any more; those left are played in turn. "
                "`missing` in settings.algorithm allows for members that leave."
            )
        else:
            gone = plural(algorithm.missing, "member")
            said.append(f"It goes on without {gone} for good. If more leave, no choice is ruled out any more.")
    elif type(algorithm).__module__.startswith("folkmoot."):
        said.append(f"It goes on without {plural(members - 1, 'member')} for good: it waits for nobody's numbers.")
    return said


def of_chain(settings: Configuration, fields: Mapping[str, object], members: int, quorum: int) -> list[str]:
    """On a chain, where so many sign a block; `fields`: those of BCUCB that the charter sets."""
    told = "".join(f", {name} = {shown(value)}" for name, value in fields.items())
    return [
        f"Algorithm: BCUCB{told}{_changed(settings, 'algorithm')}.",
        f"{_blocks(members, quorum)} With fewer there is none until some are back.",
    ]


def _blocks(members: int, signers: int) -> str:
    if signers == members:
        return f"All {members} members sign a block: while one is away there is none."
    away = members - signers
    gone = "1 member is" if away == 1 else f"up to {away} members are"
    return f"Blocks go on while {gone} away: {signers} sign one."


def of_models(
    models: Sequence[tuple[str, str, Sequence[int]]], names: Sequence[str], shape: Sequence[int], wanted: int,
    rules: str, members: int, quorum: int,
) -> list[str]:  # fmt: skip
    """Models, each with its member, kind and classes; what moves them.

    `names`: of all classes, their numbers where they have none; `rules`: those that the charter sets.
    """
    numbers = list(names) == [str(number) for number in range(len(names))]
    classes = f"{len(names)} classes" if numbers else f"{len(names)} classes: {', '.join(names)}"
    exchanges = "exchanges that a member asks for"
    moved = f"up to {plural(wanted, 'sample')} of each member in a round, and {exchanges}" if wanted else exchanges
    return [
        f"Samples of shape {list(shape)}, in {classes}. What moves the models: {moved}{rules}.",
        *(f"  {member:20} {kind}, knows {', '.join(names[one] for one in known)}" for member, kind, known in models),
        f"{_blocks(members, quorum)} Predictions go on with any number.",
    ]


def of_others(miners: Sequence[str], guests: Sequence[str]) -> list[str]:
    """Members that are no original parties."""
    said = [f"Only these make blocks, and they have no models: {', '.join(miners)}."] if miners else []
    return said + ([f"These may ask to be admitted with a model, later: {', '.join(guests)}."] if guests else [])
