"""What a row of messages says of the arms, read and overwritten: for the `said`, `say` and `claim` of algorithms."""

from folkmoot.interface import kernel


@kernel
def read_row(column, i, values):
    """Estimates as they stand in row i of a column [n_agents, n_arms]."""
    for k in range(len(values)):
        values[k] = column[i, k]


@kernel
def write_row(column, i, values):
    """Put these into row i."""
    for k in range(len(values)):
        column[i, k] = values[k]


@kernel
def read_means(pulls, total, i, values):
    """The means of a row of counts and sums; 0 where nothing was pulled."""
    for k in range(len(values)):
        values[k] = total[i, k] / pulls[i, k] if pulls[i, k] > 0 else 0.0


@kernel
def write_means(pulls, total, i, values):
    """The sums that have these means, with the counts that stand there."""
    for k in range(len(values)):
        total[i, k] = values[k] * pulls[i, k]


@kernel
def fill_counts(column, i, t):
    """All counts of row i as large as anybody's can be after round t."""
    for k in range(column.shape[1]):
        column[i, k] = t


@kernel
def read_arm(arm, values):
    """1 for an arm that is recommended, 0 for all others."""
    for k in range(len(values)):
        values[k] = 1.0 if k == arm else 0.0


@kernel
def best_of(values):
    """The arm with the largest value; ties to the lowest index."""
    best = 0
    for k in range(1, len(values)):
        if values[k] > values[best]:
            best = k
    return best


@kernel
def read_sample(arm, rewards, i, values):
    """The mean over the objectives of a sample of this arm, in row i of rewards; 0 for all other arms.

    With an arm of -1 there is no sample.
    """
    for k in range(len(values)):
        values[k] = 0.0
    if arm >= 0:
        for j in range(rewards.shape[1]):
            values[arm] += rewards[i, j] / rewards.shape[1]


@kernel
def write_sample(arm, rewards, i, values):
    """A sample of this arm whose every objective is what is to be said of it; nothing where there is no sample."""
    if arm >= 0:
        for j in range(rewards.shape[1]):
            rewards[i, j] = values[arm]
