"""Numbers and sentences of a report: rounding, units, the answer in one sentence."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, isnan, nan
from typing import Any

from folkmoot import theory
from folkmoot.plurals import plural as plural
from folkmoot.report.tables import Difference, FinalRow, final_table, is_oracle, paired_difference, same_world
from folkmoot.simulation.result import Result
from folkmoot.ties import TIE

NO_VALUE = "\N{EN DASH}"  # no value
PERCENT = "\N{NARROW NO-BREAK SPACE}%"
_NAMED = 12  # liars
_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float, decimals: int | None = None) -> str:
    """A number with a comma every three digits and, unless told, about three significant digits."""
    if not isfinite(value):
        return NO_VALUE if isnan(value) else "\N{INFINITY}"
    places = places_for([value]) if decimals is None else decimals
    text = f"{value:,.{places}f}"
    if text.strip("-0.,") == "":
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def places_for(values: Iterable[float]) -> int:
    """Decimals that give the smallest of these numbers, 0 apart, about three significant digits (at most 4)."""
    sizes = [abs(value) for value in values if isfinite(value) and value != 0.0]
    return max(0, min(4, 2 - _exponent(min(sizes)))) if sizes else 0


def places_by_error(means: Sequence[float], halves: Sequence[float]) -> int:
    """Decimals at which the smallest half-width, 0 apart, has two significant digits (at most 4).

    Without any half-width, those of the largest mean.
    """
    largest = max((abs(mean) for mean in means if isfinite(mean)), default=0.0)
    known = [half for half in halves if isfinite(half) and half > 1e-9 * largest]
    return max(0, min(4, 1 - _exponent(min(known)))) if known else places_for([largest])


def _exponent(size: float) -> int:
    """The power of ten of a positive number rounded to three digits: that of 9.999 is 1."""
    return int(f"{size:.2e}".partition("e")[2])


def interval(low: float, high: float, decimals: int) -> str:
    """Two ends joined by "to"; a dash where there is no interval."""
    return NO_VALUE if isnan(low) else f"{number(low, decimals)} to {number(high, decimals)}"


def percent(share: float, decimals: int = 1) -> str:
    """A share in [0, 1] as a percentage; a dash for one that is not known."""
    if share != share:
        return NO_VALUE
    return f"{number(100.0 * share, decimals)}{PERCENT}"


def scaled(value: float, unit: str = "") -> str:
    """A count with a decimal prefix, three significant digits: 12.3 MB."""
    for size, prefix in _SCALES:
        if abs(value) >= size * 0.9995:
            return f"{number(value / size)}\N{NO-BREAK SPACE}{prefix}{unit}"
    return f"{number(value, 0)}\N{NO-BREAK SPACE}{unit}" if unit else number(value, 0)


def short(value: float) -> str:
    """A number for the terminal."""
    return f"{value:,.1f}" if abs(value) < 1_000 else f"{value:,.0f}"


def joined(names: Sequence[str]) -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def headline(results: Mapping[str, Result]) -> str:
    """The answer in a sentence or two: which algorithm has the least regret, by how much, how surely.

    Oracles are left out of the contest. Of results from different worlds no winner is named.
    """
    rows = {row.name: row for row in final_table(results)}
    first = next(iter(results.values()))
    if not all(same_world(first, result) for result in results.values()):
        return "The algorithms met different worlds, so their regrets cannot be compared with one another."
    fair = sorted((name for name in results if not is_oracle(results[name])), key=lambda n: rows[n].regret_mean)
    names = fair or sorted(results, key=lambda n: rows[n].regret_mean)
    best = rows[names[0]]
    rounds = f"after {plural(best.horizon, 'round')}"
    regret = "regret against the common arm" if two_goals(first) else "regret"
    places = places_by_error([best.regret_mean], [best.regret_high - best.regret_mean])
    said = f"{number(best.regret_mean, places)}{_in_brackets(best, places)}"
    if len(names) == 1:
        return f"{best.name}: {regret} {rounds} is {said}."
    second = rows[names[1]]
    difference = _difference(results, best.name, second.name)
    if best.regret_mean == second.regret_mean:
        return f"{best.name} and {second.name} have the same mean {regret} {rounds}: {said}."
    if difference is not None and difference.significant is False:
        return (
            f"{best.name} has the lowest mean {regret} {rounds}, {said}, but {second.name}, "
            f"at {number(second.regret_mean, places)}, cannot be told apart from it: {_paired(difference)}."
        )
    less = 1.0 - best.regret_mean / second.regret_mean
    margin = percent(less, 1 if less > 0.99 else 0) if less >= 0.01 else f"less than {percent(0.01, 0)}"
    sure = f" ({_paired(difference)})" if difference is not None and difference.significant else ""
    return (
        f"{best.name} has the lowest {regret}: {said} {rounds}, {margin} below {second.name}, "
        f"the next lowest at {number(second.regret_mean, places)}{sure}."
    )


def ceilings(result: Result) -> tuple[float, float]:
    """Mean reward of a pull if every agent always pulled the best common arm, and if each pulled its own best.

    NaN where the means are not known.
    """
    if result.means is None:
        return nan, nan
    return float(result.means.mean(axis=-2).max(axis=-1).mean()), float(result.means.max(axis=-1).mean())


def two_goals(result: Result) -> bool:
    """Is no arm best for every agent, as far as the means are known?"""
    common, own = ceilings(result)
    return own - common > TIE


def _difference(results: Mapping[str, Result], name: str, reference: str) -> Difference | None:
    """The paired difference; None if the two, cut short, have no replicate in common."""
    try:
        return paired_difference(results, name, reference)
    except ValueError:
        return None


def _in_brackets(row: FinalRow, places: int) -> str:
    if isnan(row.regret_low):
        return " (one replicate, so no interval)"
    return f" (95{PERCENT} interval {interval(row.regret_low, row.regret_high, places)})"


def _paired(difference: Difference) -> str:
    places = places_by_error([difference.mean], [difference.high - difference.mean])
    ends = interval(difference.low, difference.high, places)
    return f"paired difference {number(difference.mean, places)}, 95{PERCENT} interval {ends}"


def oracles(results: Mapping[str, Result]) -> str:
    """A sentence on the oracles among the results; empty if there are none, or nothing but oracles."""
    rows = [row for row in final_table(results) if is_oracle(results[row.name])]
    if not rows or len(rows) == len(results):
        return ""
    said = [f"{row.name} reaches {number(row.regret_mean)}" for row in rows]
    return f"{joined(said)}; it sees all rewards of all agents at once, which no network could deliver."


def method(results: Mapping[str, Result]) -> str:
    """What was run, in a few sentences."""
    first = next(iter(results.values()))
    algorithms = joined(list(results))
    if not all(same_world(first, result) for result in results.values()):
        return f"{algorithms} played in different worlds; the configuration of each stands at the end."
    game = (
        f"{plural(first.n_agents, 'agent')} with {plural(first.n_arms, 'arm')} played {plural(first.horizon, 'round')} "
        f"with {rewards_in_words(first.configuration.get('rewards', {}))}, "
        f"over {network_in_words(first.configuration.get('network', {}))}."
    )
    against, pulls = first.configuration.get("corruption"), first.configuration.get("verification", 0)
    if against:
        game += f" An adversary altered what they saw: {corruption_in_words(against)}."
    lying = first.configuration.get("liars")
    if lying:
        game += f" {liars_in_words(lying)}. Regret is that of the honest agents."
    away, late = first.configuration.get("presence"), first.configuration.get("feedback")
    if away:
        game += f" Agents could be absent: {presence_in_words(away)}. An absent agent's regret does not count."
    if late:
        game += f" Outcomes of pulls came {feedback_in_words(late)}."
    before = ", before the adversary's changes, the same" if against else ""
    if pulls:
        game += f" Up to {plural(pulls, 'pull')} could be verified, that is seen unaltered."
    fewest, most = (bound(result.replicates for result in results.values()) for bound in (min, max))
    times = "once" if most == 1 else f"{most:,} times" if fewest == most else f"{fewest:,} to {most:,} times"
    if len(results) == 1:
        return f"{game} {algorithms} was run {times}."
    return (
        f"{game} This was run {times} for each of {algorithms}; "
        f"in each replicate all of them met the same links and{before} rewards."
    )


def rewards_in_words(rewards: Mapping[str, Any]) -> str:
    """Such as "rewards replayed from movielens"."""
    kind = str(rewards.get("type", "unknown"))
    if kind == "Replay":
        return f"rewards replayed from {rewards.get('dataset') or 'a table of observations'}"
    if kind == "HalfActive":
        return (
            f"{rewards_in_words(rewards.get('inner', {}))} (in each round a random half of the agents is paid nothing)"
        )
    if kind == "VectorBernoulli":
        worth = scalarisation_in_words(rewards.get("scalarisation", {}))
        return f"vectors of {plural(int(rewards.get('n_objectives', 0)), 'Bernoulli reward')}, worth {worth}"
    return f"{kind} rewards"


def scalarisation_in_words(scalarisation: Mapping[str, Any]) -> str:
    """Such as "the smallest of them"."""
    kind, weights = scalarisation.get("type"), scalarisation.get("weights")
    if kind == "Linear" and weights:
        equal = max(weights) - min(weights) < 1e-9
        return "their mean" if equal else f"their mean weighted by {joined([f'{w:.3g}' for w in weights])}"
    if kind == "Chebyshev":
        return "the smallest of them"
    if kind == "LogSumExp":
        return f"their log-sum-exp with beta {scalarisation.get('beta', 0.0):g}"
    return f"their {kind} scalarisation"


def corruption_in_words(corruption: Mapping[str, Any]) -> str:
    """Such as "Suppress with a budget of 100, front loaded, target best"."""
    rest = dict(corruption)
    kind, budget, spending = rest.pop("type", "unknown"), rest.pop("budget", None), rest.pop("spending", None)
    said = [f"{kind} with a budget of {_plain(budget)}" if budget is not None else str(kind)]
    said += [_plain(spending)] if spending is not None else []
    return ", ".join([*said, *(f"{_plain(key)} {_plain(value)}" for key, value in rest.items() if value is not None)])


def liars_in_words(liars: Mapping[str, Any]) -> str:
    """Such as "Agents 3 and 7 lied in their messages: PromotingLie, arm worst"."""
    law = dict(liars.get("law", {}))
    who = [str(agent) for agent in liars.get("agents", [])]
    shown = who if len(who) <= _NAMED else [*who[: _NAMED - 1], f"{len(who) - _NAMED + 1} more"]
    how = [str(law.pop("type", "unknown")), *(f"{_plain(key)} {_plain(value)}" for key, value in law.items())]
    if liars.get("counts") == "most":
        how.append("claiming the most pulls there can be")
    whose = ("Agent", "its") if len(who) == 1 else ("Agents", "their")
    return f"{whose[0]} {joined(shown)} lied in {whose[1]} messages: {', '.join(how)}"


def presence_in_words(presence: Mapping[str, Any]) -> str:
    """Such as "each present in a round with probability 0.9; agent 3 absent from round 800 on"."""
    said, p = [], presence.get("probability")
    if p is not None:
        each = f"from {min(p):g} to {max(p):g}" if isinstance(p, list) else f"{p:g}"
        said.append(f"each present in a round with probability {each}")
    absences = presence.get("absences", [])
    for agent, first, last in absences[:_NAMED]:
        said.append(f"agent {agent} absent from round {first:,} " + ("on" if last is None else f"to {last:,}"))
    if len(absences) > _NAMED:
        said.append(f"{len(absences) - _NAMED} more absences")
    if "recorded_rounds" in presence:
        said.append(f"as recorded over {plural(int(presence['recorded_rounds']), 'round')}")
    return "; ".join(said) or "nobody was"


def feedback_in_words(feedback: Mapping[str, Any]) -> str:
    """Such as "10 rounds later; 5 % never came"."""
    delay, loss = feedback.get("delay"), float(feedback.get("loss", 0.0))
    if "recorded_rounds" in feedback:
        said = f"as late as recorded over {plural(int(feedback['recorded_rounds']), 'round')}"
    elif delay == "geometric":
        said = f"after a geometric delay of {_rounds(float(feedback['mean']))} on average"
    else:
        said = f"{plural(int(delay or 0), 'round')} later" if delay else "in the round of the pull"
    return f"{said}; {percent(loss)} never came" if loss else said


def _rounds(rounds: float) -> str:
    """Such as "1 round" or "2.5 rounds"."""
    return f"{rounds:,.6g} round{'' if rounds == 1.0 else 's'}"


def _plain(value: object) -> str:
    return f"{value:,.10g}" if isinstance(value, float) else str(value).replace("_", " ")


def certificates(results: Mapping[str, Result]) -> list[str]:
    """For each S3Cert among the results a sentence: can its budget of verified pulls suffice, and did it?"""
    said = []
    for name, result in results.items():
        gaps = result.gaps[~result.best] - result.gaps.min()
        if result.configuration.get("algorithm", {}).get("type") == "S3Cert" and len(gaps):
            said.append(f"{name}: {_certificate(result, float(gaps.min()))}")
    return said


def _certificate(result: Result, gap: float) -> str:
    """Theorem 3 has eps = gap / 4 (c = 8) where gap / 2 (c = 2) may do; if arms drop out, for the last two alone."""
    settings = result.configuration
    budget, pulls = int(settings.get("verification", 0)), result.n_agents * result.horizon
    needed = theory.verification_needed(
        gap,
        result.n_arms,
        int(settings.get("rewards", {}).get("n_objectives", 1)),
        result.n_agents,
        result.horizon,
        settings["algorithm"].get("delta"),
    )
    drops = settings["algorithm"].get("verify") == "elimination"
    least = needed / 4.0 * (min(1.0, 2.0 / result.n_arms) if drops else 1.0)
    verdict = "cannot be expected" if budget < least else "can be expected" if budget >= needed else "are possible"
    digits = 1 - _exponent(needed)
    return (
        f"certifying a gap of {gap:.3g} needs about {round(needed, digits):,.0f} verified pulls; the budget is "
        f"{budget:,}, the whole run has {pulls:,}: certificates {verdict}. "
        f"{float((result.decisions[:, result.staying] >= 0).mean()):.1%} of the agents settled on an arm."
    )


def network_in_words(network: Mapping[str, Any]) -> str:
    """Such as "a network of 120 possible links (all pairs), each up with probability 0.9 in a round"."""
    n, edges = int(network.get("n_agents", 0)), int(network.get("edges", 0))
    pairs = " between all pairs" if n > 1 and edges == n * (n - 1) // 2 else ""
    kind, probability = network.get("type"), network.get("link_probability")
    if kind == "OneSided":
        return f"{network_in_words(network['network'])}; each direction of a link may be lost on its own"
    if kind == "Static" or probability == 1.0:
        return f"a network of {plural(edges, 'link')}{pairs}, always up"
    if any(key.startswith("link_probabilities") for key in network):
        return f"a network of {plural(edges, 'possible link')}{pairs}, each with a link probability of its own"
    if kind == "Markov":
        return (
            f"a network of {plural(edges, 'possible link')}{pairs} with memory: a link comes up with probability "
            f"{network['up']:g} and goes down with probability {network['down']:g}"
        )
    if kind == "BConnected":
        return f"a network of {plural(edges, 'possible link')}{pairs}, each up once in {network['rounds']} rounds"
    if probability is not None:
        return (
            f"a network of {plural(edges, 'possible link')}{pairs}, each up with probability {probability:g} in a round"
        )
    if "recorded_rounds" in network:
        return f"a network recorded over {plural(int(network['recorded_rounds']), 'round')}"
    return f"a {kind} network of {plural(edges, 'possible link')}{pairs}"


def remarks(results: Mapping[str, Result]) -> list[str]:
    """What the algorithms say of the worlds they were played in, each sentence once."""
    found: list[str] = []
    for result in results.values():
        found += [said for said in result.configuration.get("remarks", []) if said not in found]
    return found
