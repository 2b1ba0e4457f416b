"""What members of a charter let others know, in plain sentences; docs/what-is-revealed.md has all of it."""

_REQUESTS = "Requests, how many and whose, stay with the member; of a round others learn the mean over them at most."


def of_bandit(algorithm: str, others: int) -> list[str]:
    """Where there is no chain; `algorithm`: its name, `others`: how many members beside oneself."""
    return [
        f"{algorithm}: in every round each member tells the {others} others what the algorithm exchanges: means and "
        "counts of its own pulls, or sums of them, by arm. Who keeps them sees how others' rewards change.",
        "Arms are chosen by rules and public coins: who knows the numbers can work out what is pulled next.",
        _REQUESTS,
    ]


def of_chain(sealed: bool, compared: bool, signed: bool = False) -> list[str]:
    """On a chain: are reports sealed for members, pull counts compared in private, and rewards signed?"""
    readers = "all members" if sealed else "everybody who holds a copy of the ledger"
    return [
        f"In every round a member reports its mean of each arm: {readers} can read it.",
        "What each round brought a member, and what it is paid, can be read by whoever has a copy of the ledger.",
        "Rewards count with the signature of an environment whose keys the charter names."
        if signed
        else "Rewards are what members claim: nobody signs them.",
        "Pull counts are compared in private: a validator learns one bit about each member it compares with."
        if compared
        else "Pull counts are not compared; how many of each arm follows from the reports.",
        "Blocks, and who approved them, are on every member's disk for good.",
        _REQUESTS,
    ]


def over_broker(broker: str, sealed: bool) -> str:
    """Where members meet at a broker."""
    reads = "who is there and how much is said" if sealed else "all that they say"
    return (
        f"Members reach each other over a broker, {broker}. Whoever runs it, or is let in by it, can read {reads}. It "
        "can delay or lose it; it can change, forge or repeat nothing. The addresses below are not used."
    )


def of_models(wanted: int, each: int = 0, exchanges: int = 0) -> list[str]:
    """Members with models of their own; `wanted`: samples that each sends in a round; `each`: of each class in an
    exchange.
    """
    sent = (
        f"A member sends up to {wanted} of its own samples in a round, with their classes: those that the models are "
        "wrong about. All members keep them."
        if wanted
        else "No samples are sent: wanted = 0."
    )
    return [
        "All members get the parameters of all models, and keep them: what can be read from a model about the samples "
        "it was trained on, they can read.",
        sent,
        *(
            [
                f"In an exchange a member reveals up to {each} of its own samples of each of its classes, at random. "
                f"All members keep them. Each party may ask for one; there are {exchanges} at most. Those that come to "
                "nothing count too, and there may be as many of these again.",
                "Of check sets the others learn a digest, how many samples of each class there are, and how often "
                "models are right about them.",
            ]
            if each and exchanges
            else []
        ),
        "Samples that an application asks about stay with the member; so does its check set.",
    ]
