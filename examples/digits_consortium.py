"""Ten parties learn handwritten digits together: models of three kinds, no server, three of them lying.

Each party has 80 of scikit-learn's 8x8 digits, of three of the ten classes, and a model of its own: a softmax
regression, a linear SVM or a small PyTorch network. None of them could name all ten digits alone. Together they predict
by the mean of the models that know a digit, or by the mean of those that check sets leave in. That needs no chain. Then
they put their models on one and exchange: each reveals a few digits, and the others learn that they are none of theirs.
The new models are taken only if those who kept check samples back find that it helps. Then three of them lie: they look
at the models first, and send digits that are as false as they can be unnoticed. No data to fetch; under a minute.

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
from folkmoot.multiparty import Consortium, Party, SklearnModel, TorchModel, exchange_liar, register_architecture

PARTIES, CLASSES, SAMPLES, KEPT_BACK = 10, 3, 80, 40


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
    """Party i knows the digits i to i + 2, mod 10."""
    parties = []
    for i in range(PARTIES):
        classes = sorted((i + k) % 10 for k in range(CLASSES))
        known = np.flatnonzero(np.isin(y, classes))[i % 3 :: 3]
        mine, kept_back = known[:SAMPLES], known[SAMPLES : SAMPLES + KEPT_BACK]
        if i % 3 == 0:
            model = SklearnModel(LogisticRegression(max_iter=300).fit(x[mine], y[mine]), classes)
        elif i % 3 == 1:
            svm = CalibratedClassifierCV(LinearSVC(random_state=0), method="sigmoid", ensemble=False)
            model = SklearnModel(svm.fit(x[mine], y[mine]), classes)
        else:
            model = train_net(x[mine], y[mine], classes)
        parties.append(Party(f"clinic {i + 1}", model, x[mine], y[mine], check=(x[kept_back], y[kept_back])))
    return parties


def main(folder: Path) -> None:
    """Play it honestly, then with liars, and verify the chain."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    images, labels = (images[order] / 16).astype(np.float32), labels[order]
    train, test = slice(0, 1300), slice(1300, None)
    parties = make_parties(images[train], labels[train])

    def accuracy(consortium: Consortium) -> str:
        predictors = {"mean": "mean", "screened mean": consortium.screening().predictor}
        right = {name: consortium.predict(images[test], one) == labels[test] for name, one in predictors.items()}
        return ", ".join(f"{name} {share.mean():.1%}" for name, share in right.items())

    liars = [exchange_liar(party, shows="dosed") if i in (0, 3, 6) else party for i, party in enumerate(parties)]
    for name, members in {"honest": parties, "three lie": liars}.items():
        ledger = folder / f"{name.replace(' ', '-')}.ledger"
        consortium = Consortium(members, ledger=ledger)
        print(f"{name:9} before: {accuracy(consortium)}")
        found = consortium.exchange(each=5)
        consortium.close()
        print(f"          after:  {accuracy(consortium)}; {found.decision}")
        verdict = fm.ledger.open(ledger).verify()
        print(f"          {ledger}: {verdict.blocks} blocks, {'all verified' if verdict.ok else verdict.reason}")
    print("What Theorem 2 guarantees, of another predictor (the star) among so few models:")
    print(f"          {consortium.protection(predictor='star')}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="folkmoot-")))
