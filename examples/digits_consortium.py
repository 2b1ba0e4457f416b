"""Ten parties learn handwritten digits together: models of three kinds, no server, one of them lying.

Each party has 120 of scikit-learn's 8x8 digits, of five of the ten classes, and a model of its own: a softmax
regression, a linear SVM or a small PyTorch network. None of them could name all ten digits alone. They put their
models on a chain, look through their own data for digits the models disagree about, and calibrate. No data to fetch;
under a minute.

    python examples/digits_consortium.py [FOLDER]
    folkmoot ledger verify --models examples/digits_consortium.py FOLDER/honest.ledger
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from torch import nn

import folkmoot as fm
from folkmoot.multiparty import Consortium, Party, SklearnModel, SwappedLabels, TorchModel, lying, register_architecture

PARTIES, CLASSES, SAMPLES = 10, 5, 120


def small_net(n_outputs: int) -> nn.Module:
    """Any module will do, if it gives a logit for each class."""
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, n_outputs))


register_architecture("small-net", small_net)


def train_net(x: np.ndarray, y: np.ndarray, classes: list[int]) -> TorchModel:
    """Train it however you like; this is Adam on the cross-entropy."""
    torch.manual_seed(0)
    net = small_net(len(classes))
    inputs, targets = torch.from_numpy(x), torch.from_numpy(np.searchsorted(classes, y))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(inputs), targets).backward()
        optimiser.step()
    return TorchModel(net, classes, architecture="small-net")


def make_parties(x: np.ndarray, y: np.ndarray) -> list[Party]:
    """Party i knows the digits i to i + 4, mod 10."""
    parties = []
    for i in range(PARTIES):
        classes = sorted((i + k) % 10 for k in range(CLASSES))
        mine = np.flatnonzero(np.isin(y, classes))[i % 4 :: 4][:SAMPLES]
        if i % 3 == 0:
            model = SklearnModel(LogisticRegression(max_iter=300).fit(x[mine], y[mine]), classes)
        elif i % 3 == 1:
            svm = CalibratedClassifierCV(LinearSVC(random_state=0), method="sigmoid", ensemble=False)
            model = SklearnModel(svm.fit(x[mine], y[mine]), classes)
        else:
            model = train_net(x[mine], y[mine], classes)
        parties.append(Party(f"clinic {i + 1}", model, x[mine], y[mine]))
    return parties


def main(folder: Path) -> None:
    """Play it honestly, then with a liar, and verify the chain."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    images, labels = (images[order] / 16).astype(np.float32), labels[order]
    train, test = slice(0, 1200), slice(1200, None)
    parties = make_parties(images[train], labels[train])

    def accuracy(consortium: Consortium) -> str:
        return f"{(consortium.predict(images[test]) == labels[test]).mean():.1%}"

    for name, members in {
        "honest": parties,
        "one-lies": [*parties[:-1], lying(parties[-1], SwappedLabels)],
    }.items():
        ledger = folder / f"{name}.ledger"
        consortium = Consortium(members, ledger=ledger, delta=0.4, sigma=0.3, eta=0.05)
        before = accuracy(consortium)
        tally = consortium.calibrate(iterations=4, samples_per_iteration=50)
        consortium.close()
        print(
            f"{name:9} {before} before, {accuracy(consortium)} after {tally.accepted} samples, refused: {tally.refused}"
        )
        verdict = fm.ledger.open(ledger).verify()
        print(f"          {ledger}: {verdict.blocks} blocks, {'every one follows' if verdict.ok else verdict.reason}")
    print("liars tolerated per class:", consortium.protection())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="folkmoot-")))
