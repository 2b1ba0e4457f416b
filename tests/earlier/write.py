"""How the files of this folder were made: `python -m tests.earlier.write FOLDER`, by folkmoot 0.1.0, commit c357e35.

Check out that commit, put this folder `tests/earlier` into it, and run the command there: FOLDER gets `files/` and
`expected.json`. With the sources of that commit in a process that imports no others, numbers and hashes are those kept
here; `result.json` also names versions of packages and the platform (shortened by hand in the files kept here), and
seconds differ.

Run with today's sources it writes what they write: to compare, not to replace what is kept. The experiment files
(`files/experiments`) are written by hand and only copied.
"""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

from nacl.signing import SigningKey

from folkmoot import ledger
from folkmoot.multiparty import Consortium

from . import played

TORN = 9  # replicates, of the eighteen of the experiment, that the broken off log holds
KEEP = ("log.jsonl", "result.json", "curves.npz", "summary.csv")  # pictures and pages are drawn anew from these


# --- Ledgers ----------------------------------------------------------------------------------------------------------

KEYS = sorted((SigningKey(bytes([n]) * 32) for n in range(3)), key=lambda key: key.verify_key.encode())


def note(chain, *records):
    """A block with these notes, signed by all three."""
    return ledger.propose(chain, records).signed(*KEYS)


def notes(path, work_bits):
    """A ledger of twelve blocks; two of three keys must sign."""
    keys = tuple(key.verify_key.encode() for key in KEYS)
    with ledger.create(path, ledger.Genesis("notes", (keys, 2), work_bits)) as book:
        for height in range(1, 13):
            records = [b"note %d of block %d" % (n, height) for n in range(height % 4 + 1)]
            block = ledger.propose(book.chain, records)
            if work_bits:
                block = ledger.mined(block, range(1 << 32))
            book.append(block.signed(*KEYS[height % 2 : height % 2 + 2]))


def bema(path):
    """Three ask to join, one is refused for its distance and one because nobody can look; then models are moved."""
    consortium = Consortium([*played.parties(), played.svm()], path, keys="derived", **played.TERMS)
    tally = consortium.calibrate(2, 12, progress=False)
    consortium.close()
    assert tally.accepted > 0


def told(path):
    """Hashes of a ledger: of the genesis, of some blocks, and SHA-256 of all of them."""
    book = ledger.open(path)
    blocks = list(book.blocks())
    all_bytes = hashlib.sha256(b"".join(block.to_bytes() for block in blocks))
    some = sorted({1, 2, len(blocks) // 2, len(blocks) - 1, len(blocks)})
    verdict = book.verify()
    assert verdict.ok, verdict
    return {
        "kind": book.genesis.kind,
        "blocks": verdict.blocks,
        "genesis": book.genesis.hash.hex(),
        "tip": verdict.tip.hex(),
        "hashes": {str(height): blocks[height - 1].hash.hex() for height in some},
        "all": all_bytes.hexdigest(),
    }


def ledgers(files):
    """All of them, and what is expected of each."""
    notes(files / "notes.ledger", 0)
    notes(files / "work.ledger", 6)
    games = {"coin": played.coin_game(files / "coin.ledger"), "vrf": played.vrf_game(files / "vrf.ledger")}
    bema(files / "bema.ledger")
    expected = {path.name: told(path) for path in sorted(files.glob("*.ledger"))}
    once_more = note(ledger.open(files / "notes.ledger").chain, b"one more")
    expected["notes.ledger"]["next"] = once_more.hash.hex()
    for name, game in games.items():
        expected[f"{name}.ledger"]["game"] = played.chain_found(game)
    return expected


# --- Results ----------------------------------------------------------------------------------------------------------


def results(files):
    """One of a bandit, several in one folder, one of a chain."""
    one, chain = played.bandits("gse", "ring"), played.chain("sign_flip", "protocol")
    one.save(files / "result")
    chain.save(files / "chain_result")
    return {
        "result": {"digests": played.digests(one), "configuration": one.configuration},
        "chain_result": {"digests": played.chain_found(chain), "configuration": chain.configuration},
    }


def experiments(files):
    """Every experiment file in a folder of its own; of one the folder is kept, once complete and once broken off."""
    out = files.parent / "runs"
    paths = sorted((files / "experiments").glob("*.toml"))
    played.run(out, *paths)
    expected = {
        path.stem: {name: played.digests(result) for name, result in played.loaded(out / path.stem).items()}
        for path in paths
    }
    (files / "complete").mkdir()
    for name in KEEP:
        shutil.copy(out / "log" / name, files / "complete" / name)
    (files / "torn").mkdir()
    lines = (out / "log" / "log.jsonl").read_bytes().splitlines(keepends=True)
    (files / "torn" / "log.jsonl").write_bytes(b"".join(lines[: TORN + 1]) + lines[TORN + 1][:200])
    shutil.rmtree(out)
    return expected


# --- All of it --------------------------------------------------------------------------------------------------------


def consortium(files):
    """Saved, with what it predicts."""
    made, told = played.calibrated()
    made.save(files / "consortium")
    return told | played.consortium_found(made)


def anew():
    """What every algorithm and every attack comes to in a small world."""
    bandits = {f"{a}, {n}": played.digests(played.bandits(a, n)) for a in played.ALGORITHMS for n in played.NETWORKS}
    chains = {f"{a}, {f}": played.chain_found(played.chain(a, f)) for a in played.ATTACKS for f in played.FIDELITIES}
    variants = {
        name: played.chain_found(played.chain("false_counts", "protocol", **more()))
        for name, more in played.VARIANTS.items()
    }
    return {"bandits": bandits, "chains": chains, "variants": variants}


def main(folder):
    """Write everything into a folder that is not there yet."""
    files = Path(folder) / "files"
    files.mkdir(parents=True)
    shutil.copytree(played.FILES / "experiments", files / "experiments")
    expected = {
        "ledgers": ledgers(files),
        "results": results(files),
        "consortium": consortium(files),
        "experiments": experiments(files),
        **anew(),
    }
    for lock in files.rglob("*.lock"):
        os.remove(lock)
    text = json.dumps(expected, indent=1, allow_nan=False)
    (Path(folder) / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
