"""The proven errors of the paper and of its published code, each measured."""

from math import log
from pathlib import Path

import networkx as nx
import numpy as np

import folkmoot as fm
from folkmoot.reproductions.claims import Claims
from folkmoot.theory import link_threshold
from folkmoot.world.graphs import as_base_graph

from . import settings as s


def e1(out: Path, jobs: int, progress: bool) -> bool:
    """E-1: the published code removes an edge with probability p, so links are up with probability 1 - p."""
    claims = Claims("gse/e1", out)
    draws = np.random.default_rng(s.SEED).random(100_000)
    rows = []
    for p in (0.9, 0.2):
        kept = 1.0 - float((draws < p).mean())  # the code removes the edges whose draw is below p
        rows.append([f"{p:g}", f"{p:g}", f"{kept:.3f}"])
        claims.claim(
            f"p = {p:g}: a share of {kept:.3f} of the links is up, 1 - p and not p", abs(kept - (1 - p)) < 0.01
        )
    claims.table("100,000 edges under the rule of the code", ["p", "up by Assumption 3.1", "up by the code"], rows)
    claims.say("Which of the two the printed numbers come from is decided by gse/table1: 1 - p = 0.1.")
    return claims.all_hold


def e2(out: Path, jobs: int, progress: bool) -> bool:
    """E-2: two of Table 1's algebraic connectivities are not those of the circulant graphs it names."""
    claims = Claims("gse/e2", out)
    rows = []
    for degree, printed in zip(s.DEGREES, s.PRINTED_LAMBDA, strict=True):
        true = as_base_graph(s.circulant(degree)).algebraic_connectivity
        offsets = np.arange(1, degree // 2 + 1)
        closed = float(degree - 2 * np.cos(2 * np.pi * offsets / s.N_AGENTS).sum())
        rows.append([degree, f"{printed:g}", f"{true:.4f}", f"{closed:.4f}"])
        if degree in (2, 4):
            claims.claim(f"degree {degree}: printed {printed:g}, true {true:.4f}", abs(printed - true) > 0.01)
    claims.table("Second smallest Laplacian eigenvalue, N = 16", ["degree", "printed", "computed", "closed form"], rows)
    other = as_base_graph(nx.circulant_graph(16, [1, 3])).algebraic_connectivity
    claims.claim(f"1.39 belongs to the circulant graph with offsets 1 and 3 ({other:.4f})", abs(other - 1.39) < 0.01)
    return claims.all_hold


def e4(out: Path, jobs: int, progress: bool) -> bool:
    """E-4: Table 1 prints averages over agents, not the global (summed) regret that the paper defines."""
    claims = Claims("gse/e4", out)
    result = fm.simulate(
        fm.GSE(link_probability=0.9), s.half_active(), fm.ErdosRenyi(s.circulant(14), 0.1),
        horizon=s.HORIZON, replicates=s.REPLICATES, checkpoints=[s.LAST_RECORDED, s.HORIZON],
        jobs=jobs, progress=progress,
    )  # fmt: skip
    total, each = float(result.regret[:, 0].mean()), float(result.regret_per_agent[:, 0].mean())
    claims.table(
        "Degree 14, round 9801",
        ["", "regret"],
        [["printed", "112.47"], ["per agent", f"{each:.2f}"], ["summed over agents (eq. 2)", f"{total:.0f}"]],
    )
    claims.claim(
        "the printed number is the average over agents", abs(each / 112.47 - 1) < 0.02 < abs(total / 112.47 - 1)
    )
    return claims.all_hold


def e6b(out: Path, jobs: int, progress: bool) -> bool:
    """E-6b: DrFed-UCB's least link probability c falls with the number of agents; it rises only with T."""
    claims = Claims("gse/e6b", out)
    sizes = (16, 34, 100, 1000)
    rows = [
        [f"T = 10^{int(np.log10(T))}", *(f"{link_threshold(n, T):.3f}" for n in sizes)] for T in (10**4, 10**6, 10**8)
    ]
    claims.table(
        "c = 1/2 + 1/2 sqrt(1 - (eps / (N T))^(2 / (N - 1))), eps = 0.01", ["", *(f"N = {n}" for n in sizes)], rows
    )
    claims.claim("c falls with N at T = 10,000", bool((np.diff([link_threshold(n, 10**4) for n in sizes]) < 0).all()))
    claims.claim("c rises with T at N = 16", link_threshold(16, 10**8) > link_threshold(16, 10**4))
    return claims.all_hold


def e6c(out: Path, jobs: int, progress: bool) -> bool:
    """E-6c: with L* = K ln T / p no arm goes before L* pulls, so every agent pays K times the stated order."""
    claims = Claims("gse/e6c", out)
    rows, ratios = [], []
    for n_arms in (5, 10, 20):
        gap, p, horizon = 0.5, 0.1, 100_000
        means = np.full(n_arms, 0.9 - gap)
        means[0] = 0.9
        result = fm.simulate(
            fm.GSE(), fm.Bernoulli(means, n_agents=16), fm.ErdosRenyi(nx.complete_graph(16), p),
            horizon=horizon, replicates=5, jobs=jobs, progress=progress,
        )  # fmt: skip
        per_agent = float(result.regret_per_agent[:, -1].mean())
        floor = n_arms * log(horizon) / p * (n_arms - 1) * gap
        stated = n_arms * log(horizon) / p
        least = int(result.pulls[:, :, 1:].min())
        rows.append([n_arms, f"{per_agent:.0f}", f"{floor:.0f}", f"{stated:.0f}", f"{per_agent / stated:.1f}", least])
        ratios.append(per_agent / stated)
        claims.claim(
            f"K = {n_arms}: nobody drops an arm before {n_arms * log(horizon) / p:.0f} pulls (least seen: {least})",
            least >= int(n_arms * log(horizon) / p),
        )
    claims.table(
        "Regret per agent, equal gaps of 0.5, p = 0.1, T = 100,000",
        ["K", "measured", "L* times the gaps", "K ln T / p", "measured / (K ln T / p)", "fewest pulls of a bad arm"],
        rows,
    )
    claims.claim("the ratio to the stated order grows about as K", ratios[2] / ratios[0] > 0.6 * 20 / 5)
    return claims.all_hold
