"""A charter in plain words, for whoever is to sign it."""

from folkmoot.node.charter import Charter
from folkmoot.node.member import Card
from folkmoot.node.revealing import over_broker
from folkmoot.node.systems import system_of
from folkmoot.node.terms import Terms

_WHAT = {
    "bandit": "Members learn together which choice is best on average over all of them. There is no chain.",
    "bc_ucb": "Members learn together which choice is best, on a chain: a quorum signs each block, and all keep it.",
    "bema": "Members predict together, each with a model of its own. What moves a model is on a chain that all keep.",
}

_LIES = {
    "bandit": "Up to {} of them may say a false round; means of a liar count, but for `faulty` of FloodSE",
    "bc_ucb": "Up to {} of them may lie or be silent",
    "bema": "Up to {} of them may lie or be silent",
}


def _seconds(seconds: float) -> str:
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = f"{seconds / size:.3g}"
            return f"{count} {word}{'' if count == '1' else 's'}"
    return f"{seconds:g} s"


def _transport(terms: Terms, sealed: bool) -> str:
    if terms.transport == "tls":
        return "Members reach each other at the addresses below; nobody else reads what they say."
    assert terms.broker is not None
    return over_broker(terms.broker, sealed)


def _signed(charter: Charter, card: Card) -> str:
    there = charter.signatures
    return "" if card.name in there or card.key.hex() in there else "  (not signed)"


def words(charter: Charter) -> list[str]:
    """Lines of text.

    Raises:
        BadCharter: its settings make no sense.
    """
    terms, n, system = charter.terms, charter.n_members, system_of(charter)
    pace = (
        f"A round begins every {_seconds(terms.period).removeprefix('1 ')}, the first at {terms.start}; "
        f"{terms.rounds:,} rounds take {_seconds(terms.rounds * terms.period)}."
        if terms.period
        else f"The first round begins as soon as {charter.quorum} members are there, each other one when the one "
        f"before has ended; there are {terms.rounds:,}. As period is 0, nobody waits for start = {terms.start}."
    )
    lies = _LIES[terms.system].format(terms.faults) if terms.faults else "None of them may lie"
    consequence = {"note": "is recorded, and has no other consequence", "exclude": "ends the membership of who lied"}
    chain = (
        f"What is proven of a liar {consequence[terms.evidence]}." if system.has_ledger and not system.learns else ""
    )
    amends = charter.amends
    if amends is None:
        head = f"{terms.name} (charter {charter.digest.hex()[:16]})"
    else:
        head = (
            f"{terms.name}, epoch {amends.epoch} (amendment {charter.digest.hex()[:16]} of charter "
            f"{amends.before.hex()[:16]}), after round {amends.after} of the epoch before"
        )
    stage = f"a stage lasts {_seconds(terms.stage)} at most."
    choices = f"Choices: {', '.join(terms.arms)}. Rewards from {terms.low:g} to {terms.high:g}."
    late = f"An outcome may come {terms.window} rounds late."
    return [
        head,
        _WHAT[terms.system],
        *([] if system.learns else [choices]),
        pace,
        stage.capitalize() if system.learns else f"Applications play {_seconds(terms.play)} of a round; {stage} {late}",
        _transport(terms, system.sealed),
        f"{n} members. {lies}; a quorum for a round is {charter.quorum}. {chain}".strip(),
        *(f"  {card.name:20} {card.address:24} key {card.key.hex()[:16]}"
          f"{_signed(charter, card)}" for card in charter.members),
        *system.endures(),
        *system.costs(),
        "What is revealed:",
        *(f"  {line}" for line in system.reveals()),
    ]  # fmt: skip
