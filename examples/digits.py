"""Offices read handwritten digits together, each with a model of its own: an application of Folkmoot nodes.

Each office knows six of the ten digits and has a softmax regression that it trained on 60 of scikit-learn's 8x8 images.
Letters with any digit come in. An office asks the node beside it what all models together say. A clerk reads the digit
later; where it is one that the office knows, the office keeps the image among its own. The nodes look there for images
that the models are wrong about, send a few in each round, and move the models by those that pass the checks. Once, if
somebody asks for it, they do better: each reveals three images of each of its digits, the others learn from them what
they do not know, and all vote on the new models.

    folkmoot try digits --members 5             # five nodes and five offices on this machine, and a page
    python examples/digits.py DIR [DIR ...]     # offices for nodes that run already, given their data folders
    python examples/digits.py --alone           # what it is compared with: each model alone, and no chain
"""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from folkmoot.multiparty import Party

TERMS = {
    "name": "reading digits",
    "system": "bema",
    "rounds": 300,
    "play": 0.5,  # seconds, for this machine
    "settings": {
        "classes": 10,
        "shape": [64],
        "wanted": 2,
        "most": 16,
        "each": 3,
        "exchanges": 1,
        "rules": {"delta": 0.4, "sigma": 0.3, "eta": 0.02},
    },
}
READ: dict[int, list[int]] = {}  # of each office, letters that were read right, and all
KNOWN, TRAINED, CHECKED = 6, 60, 60  # digits that an office knows; images that it trains on, and keeps back
AT_ONCE, PAUSE = 8, 0.4  # letters that come together, and seconds between


def images() -> tuple[np.ndarray, np.ndarray]:
    """The images, as numbers from 0 to 1, and their digits; in a fixed mixed order."""
    from folkmoot.multiparty.games.data import SmallDigits

    found = SmallDigits().load(np.random.default_rng(0))
    return np.concatenate([found.x, found.test_x]), np.concatenate([found.y, found.test_y])


def classes_of(number: int, offices: int) -> list[int]:
    """The digits that an office knows: so that all ten are known, as evenly as can be."""
    first = 10 * number // offices
    return sorted((first + k) % 10 for k in range(KNOWN))


def office(number: int, offices: int) -> "Party":
    """One office, with what it begins with."""
    from sklearn.linear_model import LogisticRegression

    from folkmoot.multiparty import Party, SklearnModel

    x, y = images()
    classes = classes_of(number, offices)
    own = np.flatnonzero(np.isin(y[:1_000], classes))
    own = np.random.default_rng(number).permutation(own)[: TRAINED + CHECKED]
    mine, kept = own[:TRAINED], own[TRAINED:]
    model = SklearnModel(LogisticRegression(max_iter=300).fit(x[mine], y[mine]), classes)
    return Party(f"office {number + 1}", model, x[mine], y[mine], check=(x[kept], y[kept]))


def bring(folder: Path, number: int, offices: int) -> dict[str, Any]:
    """Put what an office has into the data folder of its node; what the charter says of its model."""
    from folkmoot.node import bring as put

    return put(folder, office(number, offices))


def unknown(number: int, offices: int) -> np.ndarray:
    """Images of digits that an office does not know: for one that lies, `--attack unknown_images`."""
    x, y = images()
    return x[:1_000][~np.isin(y[:1_000], classes_of(number, offices))]


def letters(number: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Images that come in, some at a time, and what a clerk reads; none that an office was trained on."""
    x, y = images()
    chance = np.random.default_rng(1_000 + number)
    while True:
        chosen = 1_000 + chance.choice(len(y) - 1_000, AT_ONCE, replace=False)
        yield x[chosen], y[chosen]


def read(folder: Path, number: int, offices: int, ends: threading.Event) -> None:
    """An office, for as long as its node runs."""
    from folkmoot.errors import OtherSide
    from folkmoot.node import Client
    from folkmoot.node.folder import Folder

    client, known = None, classes_of(number, offices)
    for x, y in letters(number):
        if ends.wait(PAUSE):
            return
        try:
            client = client or Client.of(Folder(folder))
            said, count = client.predict(x), READ.setdefault(number, [0, 0])
            count[0] += int((np.array(said.classes) == y).sum())
            count[1] += len(y)
            own = np.isin(y, known)
            if own.any():
                client.samples(x[own], y[own])
        except (OtherSide, ValueError):  # models are still to be fetched, or the node is away: it asks the next time
            time.sleep(0.1)


def told(number: int) -> str:
    """What came of an office's letters."""
    right, letters = READ.get(number, (0, 0))
    return f"read {right / letters:.1%} of {letters} letters" if letters else "read nothing"


def play(folders: list[Path], ends: threading.Event) -> None:
    """An office for each node."""
    n = len(folders)
    threads = [threading.Thread(target=read, args=(one, k, n, ends), daemon=True) for k, one in enumerate(folders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def compare(offices: int) -> None:
    """Print what each model reads alone, and what all read together as they came."""
    from folkmoot.multiparty import Consortium

    x, y = images()
    x, y = x[1_000:], y[1_000:]
    parties = [office(number, offices) for number in range(offices)]
    for party in parties:
        right = np.array(party.model.classes)[party.model.scores(x).argmax(axis=1)] == y
        print(f"{party.name} alone reads {right.mean():.1%} of all digits")
    print(f"the mean of all models reads {(Consortium(parties).predict(x) == y).mean():.1%}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    if sys.argv[1] == "--alone":
        compare(5)
    else:
        play([Path(folder) for folder in sys.argv[1:]], threading.Event())
