"""How the last member of `folkmoot try` may lie, and what each lie does, for the help: read without what it needs."""

from collections.abc import Mapping

BANDIT: Mapping[str, str] = {
    "constant": "says the same number of every choice, in every round",
    "sign_flip": "says the opposite of what it saw",
    "promote": "says that one choice pays the most, all others the least",
    "random": "says random numbers",
    "drift": "says what it saw, moved a little more in every round",
    "split": "praises one choice to some members, another to the rest",
}
CHAIN: Mapping[str, str] = {
    "sign_flip": "reports the negative of its means",
    "constant": "reports the same number of every choice",
    "random": "reports random numbers",
    "trim_window": "lies by just as much as trimming does not notice",
    "promote_arm": "reports 1 of one choice, 0 of all others",
    "drift": "copies an honest report, and moves it more and more",
    "congest": "always plays the same choice",
    "false_counts": "reports false counts, and the negative of its means",
    "equivocate": "as a validator, tells two halves different things",
    "withhold": "as a validator, says nothing of what it has heard",
    "allies_only": "as a validator, names liars only",
    "forge": "as a validator, speaks in another one's name",
    "replay_old": "as a validator, sends an old signed word again",
    "mute": "as a validator, says nothing and proposes no block",
    "bare_majority": "sends its report to just more than half of the validators",
    "to_one": "sends its report to one validator only",
    "all_but_one": "sends its report to all validators but one",
    "to_nobody": "sends its report to nobody",
    "late_report": "sends its report too late",
    "two_reports": "sends two different reports to two halves",
    "split_views": "two reports to two halves, and stands by both",
    "false_claim": "claims the largest reward for every play",
}
MODELS: Mapping[str, str] = {
    "swapped_labels": "sends samples whose right and wrong label are exchanged",
    "swapped_within": "the same, with a false label among its own classes",
    "random_labels": "sends samples with random labels",
    "poisoned_samples": "sends noise instead of samples",
    "duplicates": "sends one good sample again and again",
    "unknown_images": "looks at the models, and sends what they do not know",
    "dosed": "lies in exchanges as much as passes, and in its votes",
}
BY_SYSTEM: Mapping[str, Mapping[str, str]] = {"bandit": BANDIT, "bc_ucb": CHAIN, "bema": MODELS}
_HEADS = {
    "bandit": "Where members choose (bandit, such as edge_cache):",
    "bc_ucb": "On a chain (bc_ucb):",
    "bema": "With models (bema, such as digits):",
}
ABOUT_TRY = """Run a whole consortium on this machine, with an application and a page: the first thing to try.

Ctrl-C ends all. A shell lets what it starts in the background ignore Ctrl-C; there, `kill PID` (SIGTERM) ends all.

What --attack may be depends on the system:"""


def help_of_try() -> str:
    """The help of the command, with every attack."""
    parts = [ABOUT_TRY]
    for system, known in BY_SYSTEM.items():
        parts.append("\b\n" + "\n".join([_HEADS[system], *(f"  {name:17} {what}" for name, what in known.items())]))
    return "\n\n".join(parts)
