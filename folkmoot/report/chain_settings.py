"""What was played, row by row, in the report on games on a chain."""

from typing import Any

from folkmoot.bc_ucb.attacks import ATTACKS, Attack
from folkmoot.bc_ucb.result import ChainResult
from folkmoot.report.shared import Rows, fields
from folkmoot.report.words import NO_VALUE, joined

_KINDS = {kind.__name__: kind for kind in ATTACKS.values()}
_FIDELITY = {
    "ideal": "ideal: one loop in which signatures cannot be forged and messages arrive",
    "protocol": "protocol: every participant a machine on a network, with signatures, blocks and votes",
}
_READERS = {"open": "everybody", "validators": "participants only, of whom validators are drawn"}


def liars(result: ChainResult) -> list[int]:
    """Numbers of the participants that lie."""
    return [int(m) for m in result.configuration.get("malicious", [])]


def rows(result: ChainResult) -> Rows:
    """Names and values."""
    told = result.configuration
    wrong = liars(result)
    signed = "signed by an environment" if told.get("environment") else "what participants claim"
    drawn = f"{told['expected_validators']} units of trust drawn a round, by {told.get('sortition', 'coin')}"
    out = [
        ("Participants", f"{result.n_agents:,}"),
        ("Of these lying", f"{len(wrong)}: {joined([str(m) for m in wrong])}" if wrong else "none"),
        ("Attack", attack(told.get("attack", {})) if wrong else "none"),
        ("Arms", f"{result.n_arms}; the best pays {told['best_mean']:g} on average"),
        ("Rewards", str(told["rewards"].get("type", NO_VALUE))),
        ("Rewards in blocks", signed),
        ("Rounds", f"{result.horizon:,}, the first {told['burn_in']:,} of them burn-in"),
        ("Algorithm", f"BC-UCB, {fields(told['algorithm'])}"),
        ("Validators", drawn),
        ("Proven liars", proven(result)),
        ("Fidelity", _FIDELITY.get(str(told.get("fidelity")), NO_VALUE)),
        ("Replicates", f"{result.replicates:,}"),
        ("Seed", str(told.get("seed", NO_VALUE))),
    ]
    if told.get("fidelity") == "protocol":
        happens = {key: value for key, value in (told.get("faults") or {}).items() if value not in (None, 0.0)}
        happens = {} if set(happens) <= {"longest_delay"} else happens
        out.append(("Faults of the network", fields(happens) or "none"))
        out.append(("Comparison of pull counts", str(told.get("private_comparison", NO_VALUE))))
        out.append(("Who reads the numbers", _READERS.get(str(told.get("disclosure", "open")), NO_VALUE)))
    return out


def attack(told: dict[str, Any]) -> str:
    """Its name, and the fields that this attack does not have by itself."""
    kind = _KINDS.get(str(told.get("type")), Attack)
    usual = {name: field.default for name, field in kind.model_fields.items()}
    chosen = {key: value for key, value in told.items() if key != "type" and value != usual.get(key)}
    if kind is not Attack:
        return f"{told['type']}: {fields(chosen)}" if chosen else str(told["type"])
    return fields(chosen) or "none: they play fair"


def proven(result: ChainResult) -> str:
    """Against whom the chain holds evidence, and what became of them."""
    excludes = result.configuration.get("evidence") == "exclude"
    if result.proven is None:
        return "excluded" if excludes else "noted"
    if (result.proven < 0).any():
        return 'not known: with this attack only fidelity "protocol" finds evidence'
    counts = (result.proven == 1).sum(axis=0)
    if not counts.any():
        return f"none; the chain would have {'excluded' if excludes else 'noted'} them"
    names = []
    for m, count in enumerate(counts.tolist()):
        if count:
            some = "" if count == result.replicates else f" (in {count} of {result.replicates} replicates)"
            names.append(f"{m}{some}")
    return f"{joined(names)}, {'excluded' if excludes else 'noted'}"
