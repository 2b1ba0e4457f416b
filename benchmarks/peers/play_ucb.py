"""UCB by a library that is installed here: `python play_ucb.py LIBRARY ROUNDS`. Imports nothing of Folkmoot."""

import json
import sys
import time
import warnings

import numpy as np

N_ARMS = 10


def river(rewards):
    from river import bandit

    policy = bandit.UCB(delta=2.0)
    arms = list(range(N_ARMS))

    def rounds():
        for row in rewards:
            arm = policy.pull(arms)
            policy.update(arm, row[arm])

    return rounds


def mabwiser(rewards):
    from mabwiser.mab import MAB, LearningPolicy

    mab = MAB(list(range(N_ARMS)), LearningPolicy.UCB1(alpha=1.41))
    mab.fit(list(range(N_ARMS)), [rewards[0][arm] for arm in range(N_ARMS)])

    def rounds():
        for row in rewards:
            arm = mab.predict()
            mab.partial_fit([arm], [row[arm]])

    return rounds


def smpybandits(rewards):
    from SMPyBandits.Policies import UCB

    policy = UCB(N_ARMS)
    policy.startGame()

    def rounds():
        for row in rewards:
            arm = policy.choice()
            policy.getReward(arm, row[arm])

    return rounds


def main(library, rounds):
    warnings.simplefilter("ignore")
    means = np.linspace(0.1, 0.9, N_ARMS)
    drawn = (np.random.default_rng(0).uniform(size=(rounds, N_ARMS)) < means).astype(float).tolist()
    play = globals()[library.lower()](drawn)
    begun = time.process_time()
    play()
    print(json.dumps({"steps": rounds, "seconds": time.process_time() - begun}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
