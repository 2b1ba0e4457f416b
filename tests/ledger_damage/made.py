"""The ledgers that are damaged: those of version 0.1.0, and some that are made now."""

from pathlib import Path
from tempfile import TemporaryDirectory

from earlier import played, write

import folkmoot as fm

from . import left_behind, subject

EARLIER = ("notes", "work", "coin", "vrf", "bema")


def game(path):
    """A game on a chain, of four with a liar among them."""
    rewards = fm.Bernoulli([0.9, 0.3], n_agents=4)
    settings = {"horizon": 30, "malicious": [3], "attack": fm.SignFlip(), "seed": 1, "progress": False}
    fm.simulate_chain(fm.BCUCB(), rewards, **settings, fidelity="protocol", ledger=path)


def consortium(path):
    """Learning together, with votes on blocks."""
    from folkmoot.multiparty import Consortium

    one = Consortium([*played.parties(), played.svm()], path, **played.TERMS, voted=True, keys="derived")
    one.calibrate(2, 6, progress=False)
    one.close()


def subjects():
    """All of them."""
    found = [subject(f"{name} of 0.1.0", played.FILES / f"{name}.ledger") for name in EARLIER]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "left").mkdir()
        for title, make in (("bc_ucb", game), ("bema", consortium), ("notes", lambda path: write.notes(path, 0))):
            make(folder / f"{title}.ledger")
            found.append(subject(title, folder / f"{title}.ledger"))
        for title, stored in (("bc_ucb", 4), ("notes", 1)):
            found.append(left_behind(f"{title}, left behind", folder / f"{title}.ledger", stored, folder / "left"))
    return found
