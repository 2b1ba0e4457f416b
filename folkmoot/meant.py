"""Names that are not known, and which one was meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MOST_COMPARED = 200  # letters: to compare a text of millions takes seconds
_OTHER_WORDS = {  # what others call it
    "ring": ["cycle"], "adversaries": ["corruptions"], "adversary": ["corruption"], "p": ["link_probability", "loss"],
    "c1": ["exploration"], "c": ["exploration", "c1"], "exploration": ["c1"], "rounds": ["horizon"], "t": ["horizon"],
    "runs": ["replicates"], "repetitions": ["replicates"], "graph": ["base", "network"],
    "topology": ["base", "network"],
    "erdosrenyi": ["erdos_renyi"], "er": ["erdos_renyi"], "sbm": ["stochastic_block_model"], "sigma": ["deviation"],
    "arms": ["rewards", "means"], "algorithms": ["algorithm"], "normal": ["gaussian"], "n": ["n_agents"],
}  # fmt: skip


def choices(given: str, allowed: Iterable[str]) -> str:
    """The sentence after an unknown name: the nearest known one, and all of them."""
    names = list(allowed)
    near = _nearest(given, names)
    hint = f"did you mean {near!r}? " if near else ""
    return f"unknown; {hint}allowed are {', '.join(names)}"


def _nearest(given: str, names: Sequence[str]) -> str | None:
    """The name that was meant: another word for it, or a similar one, in whatever case; of a long text none is."""
    if len(given) > MOST_COMPARED:
        return None
    plain = given.lower().replace("-", "_").replace(" ", "_")
    other = next((name for name in _OTHER_WORDS.get(plain, ()) if name in names), None)
    if other is not None:
        return other
    lower = {name.lower(): name for name in names} | {name.lower().replace("_", ""): name for name in names}
    near = get_close_matches(plain, lower, n=1)
    return lower[near[0]] if near else None


def unknown_field(given: Iterable[str], allowed: Iterable[str]) -> str | None:
    """What to say about the first field that is not allowed; None if all are."""
    names = list(allowed)
    for name in given:
        if name not in names:
            return f"field {name!r}: {choices(name, names)}"
    return None
