"""What the chain itself does and costs: who is excluded and when, sizes of blocks, messages, signatures."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import folkmoot as fm
from folkmoot.reproductions.claims import Claims

from . import settings as s

ROUNDS = 10_000  # in which exclusion is looked for
LATE = ROUNDS // 10  # the last rounds; a lie in one of them: not excluded
SIZES = (4, 7, 10)  # participants, of whom (M - 1) // 3 flip signs
BURN_IN = 5 * s.K
PLAIN, REAL = 75, 5  # rounds played with trusted comparisons and public coins, and with what strangers need


def chain(out: Path, jobs: int, progress: bool) -> bool:
    """Approved blocks, rounds until liars are out, and what the real protocol sends, signs and stores."""
    claims = Claims("bc_ucb/chain", out)
    _exclusion(claims, jobs, progress)
    rows = []
    for m in SIZES:
        for real in (False, True):
            rows.append(_cost(claims, m, real, progress))
    heads = ["participants, how", "validators", "messages", "kB sent", "signatures checked", "bytes of a block", "s"]
    claims.table("The protocol, a round", heads, rows, "chain-cost.csv")
    return claims.all_hold


def _exclusion(claims: Claims, jobs: int, progress: bool) -> None:
    """When the last lie enters a block, of 2 liars in 10."""
    rows, rounds = [], np.arange(1, ROUNDS + 1)
    for name, attack in {**s.REPORT_ATTACKS, "allies only": s.VALIDATOR_ATTACKS["allies only"]}.items():
        result = s.play(fm.BCUCB(), 2, attack, jobs, progress, checkpoints=rounds)
        lied = np.diff(result.entered, axis=1, prepend=0) > 0
        last = np.where(lied.any(axis=1), ROUNDS - lied[:, ::-1].argmax(axis=1), 0)
        late, share = float(lied[:, -LATE:].mean()), 100.0 * float(lied[:, BURN_IN:].mean())
        when = "never" if late > 0.0 else f"{np.median(last):.0f} ({last.min()} to {last.max()})"
        if not last.any():
            when = "at once"
        trust = float(result.trust[:, -2:].sum(axis=1).mean())
        approved = 100.0 * float((result.approved / result.blocks).mean())
        rows.append([name, f"{approved:.2f} %", f"{share:.2f} %", f"{100 * late:.1f} %", when, f"{100 * trust:.1f} %"])
        claims.claim(f"{name}: {approved:.2f} % of blocks are approved (>= 99.9 %)", approved >= 99.9)
        if name == "trim window":
            claims.claim("trim window: liars are in every block to the end", late == 1.0)
    title = f"2 liars of 10, {ROUNDS:,} rounds, {s.REPLICATES} replicates"
    heads = ["attack", "approved", "a lie entered", f"in the last {LATE:,}", "last in round", "liars' trust"]
    claims.table(title, heads, rows, "chain-exclusion.csv")


def _cost(claims: Claims, m: int, real: bool, progress: bool) -> list[str]:
    """One game of m participants, every one a node of its own."""
    rounds, liars = REAL if real else PLAIN, (m - 1) // 3
    points = np.array([BURN_IN + 1, BURN_IN + rounds])
    game = {
        "horizon": int(points[-1]), "malicious": range(m - liars, m), "attack": fm.SignFlip(), "checkpoints": points,
        "expected_validators": 2 * m, "seed": s.SEED, "progress": progress,
    }  # fmt: skip
    rewards = fm.Bernoulli(s.MEANS, n_agents=m)
    strangers = {"private_comparison": "pairwise", "sortition": "vrf"} if real else {}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "game.ledger"
        result = fm.simulate_chain(fm.BCUCB(), rewards, fidelity="protocol", ledger=file, **strangers, **game)
        stored = fm.ledger.open(file)
        sizes, verdict = [len(block.to_bytes()) for block in stored.blocks()], stored.verify()
    how = "pairwise comparison, VRF" if real else "trusted comparison, coins"
    good = verdict.ok and verdict.blocks == result.approved[0] == rounds
    claims.claim(f"{m} participants, {how}: all of {rounds} rounds are blocks of a chain that verifies", bool(good))
    if not real:
        loop = fm.simulate_chain(fm.BCUCB(), rewards, **game)
        same = bool((loop.pulls == result.pulls).all() and (loop.estimates == result.estimates).all())
        claims.claim(f"{m} participants: pulls and estimates are those of the loop to the last unit", same)
    return [
        f"{m}, {how}",
        f"{result.validators[0] / rounds:.1f}",
        f"{result.messages[0] / rounds:,.0f}",
        f"{result.bytes[0] / rounds / 1000:,.1f}",
        f"{result.signatures[0] / rounds:,.0f}",
        f"{np.mean(sizes):,.0f} ({min(sizes):,} to {max(sizes):,})",
        f"{result.seconds[0] / rounds:.2g}",
    ]
