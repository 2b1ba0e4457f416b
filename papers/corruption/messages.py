"""What the protocols send, against what the paper says they send."""

from math import floor, log2
from pathlib import Path

import folkmoot as fm
from folkmoot.reproductions.claims import Claims

from . import settings as s

HORIZONS = (1_000, 10_000)
VERIFIED = 500
_NUMBER = 8  # bytes


def epochs(horizon: int) -> int:
    """Epochs of K, 2 K, 4 K, ... rounds that end within the horizon: floor(log2(T / K + 1))."""
    return floor(log2(horizon / s.N_ARMS + 1))


def promised(n: int, horizon: int) -> dict[str, tuple[fm.Algorithm, int, int]]:
    """For each protocol: broadcasts of the team, and the numbers in all of them, by the message it is said to send."""
    k, d, steps = s.N_ARMS, s.N_OBJECTIVES, n * horizon
    picks = n * epochs(horizon)
    return {
        "S1": (fm.S1(), steps, steps * (d + 2)),
        "S2": (fm.S2(), steps, steps * k * (2 * d + 2)),
        "S3": (fm.S3(), picks, picks),
        "S3Cert": (fm.S3Cert(), picks + VERIFIED, picks + VERIFIED * (1 + d)),
    }


def messages(out: Path, jobs: int, progress: bool) -> bool:
    """Messages: S1 sends a sample a round, S2 all statistics, S3 O(N log T) arms; counted, nobody lies."""
    claims = Claims("corruption/messages", out)
    rows, exact, sent = [], True, {}
    for n in s.TEAMS:
        rewards = s.with_gap(s.SCALARISATIONS["linear"], n, 0)
        for horizon in HORIZONS:
            for name, (algorithm, broadcasts, numbers) in promised(n, horizon).items():
                result = fm.simulate(
                    algorithm, rewards, s.network(n), horizon=horizon, replicates=1, seed=s.SEED,
                    checkpoints=[horizon], verification=VERIFIED if "Cert" in name else 0, jobs=jobs, progress=progress,
                )  # fmt: skip
                # Every broadcast goes over n - 1 links.
                told = int(result.messages[0]) // (n - 1), int(result.bytes[0]) // (_NUMBER * (n - 1))
                exact &= told == (broadcasts, numbers)
                sent[name, n, horizon] = told
                rows.append([n, f"{horizon:,}", name, f"{told[0]:,}", f"{told[1]:,}", f"{numbers:,}"])
    claims.table(
        f"Broadcasts of the team; nobody lies; {VERIFIED} verified pulls for S3Cert",
        ["N", "T", "protocol", "broadcasts", "numbers in them", "numbers expected"], rows, "messages.csv",
    )  # fmt: skip
    claims.claim("every count is the one that follows from the text", exact)
    long, short = HORIZONS[-1], HORIZONS[0]
    for n in s.TEAMS:
        picks = sent["S3", n, long][0]
        claims.claim(
            f"N = {n}: S3 sends {picks} arms, N times the {epochs(long)} epochs; 10 times the rounds add "
            f"{picks - sent['S3', n, short][0]}, N log2(10) at most, rounded up",
            picks == n * epochs(long) and picks - sent["S3", n, short][0] <= n * (floor(log2(long / short)) + 1),
        )
    ratio = sent["S2", 5, long][1] / sent["S1", 5, long][1]
    claims.claim(
        f"statistics (S2) are {ratio:.0f} times as many numbers as the samples in them (S1), K (2 d + 2) over d + 2",
        abs(ratio - s.N_ARMS * (2 * s.N_OBJECTIVES + 2) / (s.N_OBJECTIVES + 2)) < 1e-9,
    )
    claims.say("The paper compares S3 with both; that S2 sends more than S1 for the same pulls (E-7) it does not say.")
    return claims.all_hold
