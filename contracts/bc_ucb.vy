# pragma version ~=0.4.3
"""
@title The contract of BC-UCB
@notice The twin of folkmoot/bc_ucb/contract.py: from agreed sets to estimates, approval, trust, pull levels and payments.
@dev Real numbers are integer multiples of 2**-32. Participants and arms are numbered from 0. A set of participants is
    a word whose byte m, counted from the lowest, is 1 if participant m is in it and 0 if not: sets are then added up
    for all participants at once. Tables are flat, row after row: entry (m, i) is at m * n_arms + i.
    Whoever deploys the contract is its operator, the only one who may enter rounds. The contract computes; it cannot
    check the participants' Ed25519 signatures. Anyone who holds the ledger can check that the operator told the truth.
"""

MOST_PARTICIPANTS: constant(uint256) = 32  # the bytes of a word
MOST_ARMS: constant(uint256) = 16
MOST_CELLS: constant(uint256) = MOST_PARTICIPANTS * MOST_ARMS
CELLS_PER_WORD: constant(uint256) = 4
MOST_WORDS: constant(uint256) = MOST_CELLS // CELLS_PER_WORD

ONE: constant(int256) = 2**32
MOST_REPORT: constant(int256) = 4 * ONE
APPROVAL_BOUND: constant(int256) = 2 * ONE
MOST_SPAN: constant(int256) = 64 * ONE
MOST_PAID: constant(int256) = 64 * ONE  # of a round, with the outcomes of earlier ones that are claimed in it
MOST_EXPECTED: constant(uint256) = 512
LEAST_RESOLUTION: constant(uint256) = 4
MOST_RESOLUTION: constant(uint256) = 32
MOST_WINDOW: constant(uint256) = 62
MOST_CHARGED: constant(uint256) = 2**32
UNITS: constant(uint256) = 2**20
NO_ESTIMATE: constant(int256) = -(2**40)  # an estimate that is not there

MAJORITY: constant(uint256) = 0
UNION: constant(uint256) = 1
DISTANCE: constant(uint256) = 0
REWARD: constant(uint256) = 1

# A cell is 64 bits: the last report of a participant for an arm, plus 4, below; the times it has changed above.
REPORT_BITS: constant(uint256) = 36
CELL_BITS: constant(uint256) = 64
REPORT_MASK: constant(uint256) = 2**REPORT_BITS - 1
CELL_MASK: constant(uint256) = 2**CELL_BITS - 1
MOST_CHANGES: constant(uint256) = 2**(CELL_BITS - REPORT_BITS) - 1

# A purse is a word: the set of rounds whose outcomes are due, below; then what was earned and what was charged, signed.
DUE_BITS: constant(uint256) = 64
SUM_BITS: constant(uint256) = 96
DUE_MASK: constant(uint256) = 2**DUE_BITS - 1
SUM_MASK: constant(uint256) = 2**SUM_BITS - 1
COSTS_AT: constant(uint256) = DUE_BITS + SUM_BITS
BELOW_COSTS: constant(uint256) = 2**COSTS_AT - 1
SUMS: constant(int256) = 2**96  # of SUM_BITS bits

UNIT_BITS: constant(uint256) = 30  # fixed point of exponentials: 1.0 is 2**30
NOTHING_LEFT: constant(uint256) = 22 * 2**32  # exp(-22) < 2**-30
POSITIONS: constant(uint256) = 37
# floor(2**30 exp(-2**(j - 32))) for j = 0, 1, ...
POWERS: constant(uint256[POSITIONS]) = [
    1073741823, 1073741823, 1073741823, 1073741822, 1073741820, 1073741816, 1073741808, 1073741792,
    1073741760, 1073741696, 1073741568, 1073741312, 1073740800, 1073739776, 1073737728, 1073733632,
    1073725440, 1073709056, 1073676289, 1073610759, 1073479711, 1073217663, 1072693759, 1071646718,
    1069555701, 1065385898, 1057094999, 1040706261, 1008687095, 947573833, 836230973, 651257336,
    395007542, 145315153, 19666267, 360200, 120,
]

# The terms.
N_PARTICIPANTS: immutable(uint256)  # M
N_ARMS: immutable(uint256)  # K
FAULTY: immutable(uint256)  # f, reporters that may lie
EXPECTED_VALIDATORS: immutable(uint256)  # M_V
COMBINATION: immutable(uint256)  # MAJORITY or UNION
TRUST: immutable(uint256)  # DISTANCE or REWARD
DELTA: immutable(int256)  # what trust gains in a block at distance 0
SPAN: immutable(int256)  # the log of the largest ratio of two trust weights
SILENCE: immutable(int256)  # what trust loses in a block in which nothing of a participant is
RESOLUTION: immutable(uint256)  # bits: reports are multiples of 2**-RESOLUTION
WINDOW: immutable(uint256)  # rounds after which an outcome can still be claimed
COST: immutable(int256)  # c, for each block with a malicious participant in a validated set

OPERATOR: immutable(address)
EVERYBODY: immutable(uint256)  # the set of all participants
WORDS: immutable(uint256)  # words of cells for each participant

# The accounts.
rounds: public(uint256)  # entered so far, approved or not
estimates: public(int256[MOST_ARMS])  # of the last approved block; NO_ESTIMATE before the first
exponent: public(int256[MOST_PARTICIPANTS])  # log of the trust weight, the largest weight being 1
units: public(uint256[MOST_PARTICIPANTS])  # the trust weights as whole numbers
levels: public(uint256[MOST_ARMS])  # N_i, the (FAULTY + 1)-th largest number of changes of the arm
reported: public(uint256)  # the set of those who have reported in an approved block
cells: uint256[MOST_WORDS]
purses: uint256[MOST_PARTICIPANTS]

# A round has been entered.
event Round:
    number: indexed(uint256)
    approved: bool
    estimates: DynArray[int256, MOST_ARMS]
    members: DynArray[uint256, MOST_ARMS]  # the validated set of each arm


@deploy
def __init__(
    n_participants: uint256,
    n_arms: uint256,
    faulty: uint256,
    expected_validators: uint256,
    combination: uint256,
    trust: uint256,
    delta: int256,
    span: int256,
    silence: int256,
    resolution: uint256,
    window: uint256,
    cost: int256,
):
    assert 1 <= n_participants and n_participants <= MOST_PARTICIPANTS, "n_participants"
    assert 1 <= n_arms and n_arms <= MOST_ARMS, "n_arms"
    assert faulty < n_participants, "faulty"
    assert 1 <= expected_validators and expected_validators <= MOST_EXPECTED, "expected_validators"
    assert combination <= UNION, "combination"
    assert trust <= REWARD, "trust"
    assert 0 <= delta and delta <= ONE, "delta"
    assert 0 <= span and span <= MOST_SPAN, "span"
    assert 0 <= silence and silence <= ONE, "silence"
    assert LEAST_RESOLUTION <= resolution and resolution <= MOST_RESOLUTION, "resolution"
    assert window <= MOST_WINDOW, "window"
    assert 0 <= cost and cost <= ONE, "cost"
    N_PARTICIPANTS = n_participants
    N_ARMS = n_arms
    FAULTY = faulty
    EXPECTED_VALIDATORS = expected_validators
    COMBINATION = combination
    TRUST = trust
    DELTA = delta
    SPAN = span
    SILENCE = silence
    RESOLUTION = resolution
    WINDOW = window
    COST = cost
    OPERATOR = msg.sender
    WORDS = (n_arms + CELLS_PER_WORD - 1) // CELLS_PER_WORD
    everybody: uint256 = 0
    for m: uint256 in range(n_participants, bound=MOST_PARTICIPANTS):
        everybody |= 1 << (8 * m)
        self.units[m] = UNITS // n_participants
    EVERYBODY = everybody
    for i: uint256 in range(n_arms, bound=MOST_ARMS):
        self.estimates[i] = NO_ESTIMATE


@external
def round(
    number: uint256,
    reports: DynArray[int256, MOST_CELLS],
    present: uint256,
    sets: DynArray[uint256, MOST_CELLS],
    n_sets: uint256,
    paid: DynArray[int256, MOST_PARTICIPANTS],
    silent: uint256,
    awaits: uint256,
    claimed: DynArray[uint256, MOST_PARTICIPANTS],
    elapsed: uint256,
    malicious: uint256,
    charged: uint256,
) -> bool:
    """
    @notice Enter a round; the accounts change if its block is approved.
    @param number How many rounds have been entered before: no round can be entered twice.
    @param reports Table of participants and arms; 0, or anything within +-4, for whoever has not reported.
    @param present The set of those who have reported.
    @param sets The agreed sets, n_sets times n_arms: whom each validator has named for each arm, of those present.
    @param paid The rewards of the participants, those of earlier rounds that are claimed now among them.
    @param silent The set of those of whom nothing came, which costs them less trust than a report that is refused.
    @param awaits The set of those who say that no outcome of this round has come.
    @param claimed Of each participant the rounds whose outcomes are claimed now; bit j: j rounds before the last block.
    @param elapsed Rounds since the last block.
    @param malicious The set of those whom the environment has disclosed in this round.
    @param charged The blocks that are charged for it; 0: nothing was disclosed.
    @return Is the block approved?
    """
    assert msg.sender == OPERATOR, "not the operator"
    assert number == self.rounds, "not the next round"
    assert len(reports) == N_PARTICIPANTS * N_ARMS, "size of reports"
    assert len(paid) == N_PARTICIPANTS, "size of paid"
    assert n_sets <= N_PARTICIPANTS and len(sets) == n_sets * N_ARMS, "size of sets"
    assert len(claimed) == N_PARTICIPANTS, "size of claimed"
    assert present & ~EVERYBODY == 0, "present"
    assert silent & ~EVERYBODY == 0, "silent"
    assert awaits & ~EVERYBODY == 0, "awaits"
    assert malicious & ~EVERYBODY == 0, "malicious"
    assert 1 <= elapsed, "elapsed"
    assert charged <= MOST_CHARGED, "charged"
    step: int256 = convert(1 << (MOST_RESOLUTION - RESOLUTION), int256)
    for report: int256 in reports:
        assert -MOST_REPORT <= report and report <= MOST_REPORT, "report out of range"
        assert report % step == 0, "report off the grid"
    for reward: int256 in paid:
        assert -MOST_PAID <= reward and reward <= MOST_PAID, "reward out of range"
    for rounds: uint256 in claimed:
        assert rounds >> WINDOW == 0, "claimed"
    for named: uint256 in sets:
        assert named & ~present == 0, "a set names who has not reported"
    approved: bool = True
    estimates: DynArray[int256, MOST_ARMS] = []
    members: DynArray[uint256, MOST_ARMS] = []
    for i: uint256 in range(N_ARMS, bound=MOST_ARMS):
        counts: uint256 = 0  # byte m: how many sets name participant m; at most 32, no byte overflows
        for v: uint256 in range(n_sets, bound=MOST_PARTICIPANTS):
            counts = unsafe_add(counts, sets[v * N_ARMS + i])
        member: uint256 = self._combined(counts, n_sets)
        total: int256 = 0
        size: int256 = 0
        for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
            if self._within(m, member):
                total += reports[m * N_ARMS + i]
                size += 1
        estimate: int256 = self._quotient(total, size) if size > 0 else NO_ESTIMATE
        if size == 0 or estimate > APPROVAL_BOUND:
            approved = False
        estimates.append(estimate)
        members.append(member)
    self.rounds = number + 1
    log Round(number=number, approved=approved, estimates=estimates, members=members)
    if approved:
        self._book(reports, present, estimates, paid, silent)
        self._pay(paid, awaits, claimed, elapsed)
        if charged > 0:
            self._charge(malicious, COST * convert(charged, int256))
    return approved


@view
@internal
def _combined(counts: uint256, n_sets: uint256) -> uint256:
    """
    @dev The validated set of an arm: whoever is named by more than half of the sets, or by one.
    """
    need: uint256 = 1 if COMBINATION == UNION else n_sets // 2 + 1
    members: uint256 = 0
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        if (counts >> (8 * m)) & 255 >= need:
            members |= 1 << (8 * m)
    return members


@pure
@internal
def _within(m: uint256, participants: uint256) -> bool:
    return (participants >> (8 * m)) & 1 == 1


@pure
@internal
def _quotient(total: int256, size: int256) -> int256:
    """
    @dev Rounded down, as Python's //; Vyper's rounds towards zero.
    """
    quotient: int256 = total // size
    if total < 0 and quotient * size != total:
        quotient -= 1
    return quotient


@internal
def _book(
    reports: DynArray[int256, MOST_CELLS],
    present: uint256,
    estimates: DynArray[int256, MOST_ARMS],
    paid: DynArray[int256, MOST_PARTICIPANTS],
    silent: uint256,
):
    """
    @dev Enter an approved block into estimates, trust and levels.
    """
    exponent: int256[MOST_PARTICIPANTS] = empty(int256[MOST_PARTICIPANTS])
    top: int256 = min_value(int256)
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        gain: int256 = DELTA - ONE
        if TRUST == REWARD:
            gain = paid[m]
        elif self._within(m, present):
            largest: int256 = 0
            for i: uint256 in range(N_ARMS, bound=MOST_ARMS):
                largest = max(largest, abs(reports[m * N_ARMS + i] - estimates[i]))
            gain = DELTA - largest
        elif self._within(m, silent):
            gain = DELTA - SILENCE
        exponent[m] = self.exponent[m] + gain
        top = max(top, exponent[m])
    self._weigh(exponent, top)
    self._remember(reports, present)
    for i: uint256 in range(N_ARMS, bound=MOST_ARMS):
        self.estimates[i] = estimates[i]


@internal
def _pay(
    paid: DynArray[int256, MOST_PARTICIPANTS],
    awaits: uint256,
    claimed: DynArray[uint256, MOST_PARTICIPANTS],
    elapsed: uint256,
):
    """
    @dev Enter what was paid, and whose outcomes are due then.
    """
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        purse: uint256 = self.purses[m]
        due: uint256 = 0
        if elapsed <= MOST_WINDOW:
            due = (purse & DUE_MASK & ~claimed[m]) << elapsed
        if self._within(m, awaits):
            due |= 1
        due &= (1 << WINDOW) - 1
        earned: uint256 = self._added((purse >> DUE_BITS) & SUM_MASK, paid[m])
        costs: uint256 = purse >> COSTS_AT
        self.purses[m] = (costs << COSTS_AT) | (earned << DUE_BITS) | due


@internal
def _charge(malicious: uint256, amount: int256):
    """
    @dev Each honest participant pays the amount, each malicious one is paid it.
    """
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        purse: uint256 = self.purses[m]
        costs: uint256 = self._added(purse >> COSTS_AT, -amount if self._within(m, malicious) else amount)
        self.purses[m] = (costs << COSTS_AT) | (purse & BELOW_COSTS)


@pure
@internal
def _signed(field: uint256) -> int256:
    """
    @dev The sum that a purse holds as SUM_BITS bits.
    """
    total: int256 = convert(field, int256)
    return total if total < SUMS // 2 else total - SUMS


@pure
@internal
def _added(field: uint256, amount: int256) -> uint256:
    """
    @dev A sum of a purse and an amount, as a purse holds it.
    """
    total: int256 = self._signed(field) + amount
    assert abs(total) < SUMS // 2, "sum out of range"
    return convert(total if total >= 0 else total + SUMS, uint256)


@internal
def _weigh(exponents: int256[MOST_PARTICIPANTS], top: int256):
    """
    @dev Clip the exponents, whose largest is `top`, and turn them into units.
    """
    weights: uint256[MOST_PARTICIPANTS] = empty(uint256[MOST_PARTICIPANTS])
    total: uint256 = 0
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        exponent: int256 = max(exponents[m] - top, -SPAN)
        self.exponent[m] = exponent
        weights[m] = self._shrunk(convert(-exponent, uint256))
        total += weights[m]
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        self.units[m] = max(1, weights[m] * UNITS // total)


@pure
@internal
def _shrunk(x: uint256) -> uint256:
    """
    @dev Floor-wise 2**30 exp(-x / 2**32), by one multiplication for each bit set in x.
    """
    if x >= NOTHING_LEFT:
        return 0
    powers: uint256[POSITIONS] = POWERS
    result: uint256 = 2**UNIT_BITS
    rest: uint256 = x
    for j: uint256 in range(POSITIONS):
        if rest == 0:
            break
        if rest & 1 == 1:
            result = result * powers[j] >> UNIT_BITS
        rest >>= 1
    return result


@internal
def _remember(reports: DynArray[int256, MOST_CELLS], present: uint256):
    """
    @dev Keep the reports of those present, count the changes since their last ones, and rank the counts.
    """
    changes: uint256[MOST_CELLS] = empty(uint256[MOST_CELLS])
    reported: uint256 = self.reported
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        here: bool = self._within(m, present)
        again: bool = self._within(m, reported)
        for w: uint256 in range(WORDS, bound=MOST_ARMS // CELLS_PER_WORD):
            old: uint256 = self.cells[m * WORDS + w]
            new: uint256 = 0
            first: uint256 = w * CELLS_PER_WORD
            for j: uint256 in range(min(CELLS_PER_WORD, N_ARMS - first), bound=CELLS_PER_WORD):
                entry: uint256 = m * N_ARMS + first + j
                cell: uint256 = (old >> (CELL_BITS * j)) & CELL_MASK
                report: uint256 = convert(reports[entry] + MOST_REPORT, uint256)
                count: uint256 = cell >> REPORT_BITS
                if here and again and report != cell & REPORT_MASK:
                    count += 1
                    assert count <= MOST_CHANGES, "too many changes"
                changes[entry] = count
                new |= (count << REPORT_BITS | report) << (CELL_BITS * j)
            if here:
                self.cells[m * WORDS + w] = new
    self.reported = reported | present
    for i: uint256 in range(N_ARMS, bound=MOST_ARMS):
        self.levels[i] = self._ranked(changes, i)


@view
@internal
def _ranked(changes: uint256[MOST_CELLS], arm: uint256) -> uint256:
    """
    @dev The (FAULTY + 1)-th largest number of changes of an arm: the largest ones in descending order, and the last.
    """
    largest: uint256[MOST_PARTICIPANTS] = empty(uint256[MOST_PARTICIPANTS])
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        count: uint256 = changes[m * N_ARMS + arm]
        if count > largest[FAULTY]:
            place: uint256 = FAULTY
            for _: uint256 in range(MOST_PARTICIPANTS):
                if place == 0 or largest[place - 1] >= count:
                    break
                largest[place] = largest[place - 1]
                place -= 1
            largest[place] = count
    return largest[FAULTY]


@view
@external
def unlucky(participant: uint256) -> uint256:
    """
    @return 2**30 times the chance that none of a participant's units is drawn in the next sortition.
    """
    assert participant < N_PARTICIPANTS, "no such participant"
    total: uint256 = 0
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        total += self.units[m]
    first: uint256 = (self.units[participant] * EXPECTED_VALIDATORS << 32) // total
    second: uint256 = first * EXPECTED_VALIDATORS // (2 * total)
    return self._shrunk(first + second)


@view
@external
def terms() -> (
    uint256, uint256, uint256, uint256, uint256, uint256, int256, int256, int256, uint256, uint256, int256
):
    """
    @return What the constructor was given.
    """
    return (
        N_PARTICIPANTS, N_ARMS, FAULTY, EXPECTED_VALIDATORS, COMBINATION, TRUST, DELTA, SPAN, SILENCE, RESOLUTION,
        WINDOW, COST
    )


@view
@external
def operator() -> address:
    """
    @return Who may enter rounds.
    """
    return OPERATOR


@view
@external
def accounts() -> (
    DynArray[int256, MOST_ARMS],
    DynArray[int256, MOST_PARTICIPANTS],
    DynArray[uint256, MOST_PARTICIPANTS],
    DynArray[int256, MOST_CELLS],
    uint256,
    DynArray[uint256, MOST_CELLS],
    DynArray[uint256, MOST_ARMS],
    DynArray[int256, MOST_PARTICIPANTS],
    DynArray[int256, MOST_PARTICIPANTS],
    DynArray[uint256, MOST_PARTICIPANTS],
):
    """
    @return estimates, exponent, units, reports (table), reported (set), changes (table), levels, earned, costs,
        waiting (of each participant the rounds whose outcomes are due)
    """
    estimates: DynArray[int256, MOST_ARMS] = []
    levels: DynArray[uint256, MOST_ARMS] = []
    exponent: DynArray[int256, MOST_PARTICIPANTS] = []
    units: DynArray[uint256, MOST_PARTICIPANTS] = []
    reports: DynArray[int256, MOST_CELLS] = []
    changes: DynArray[uint256, MOST_CELLS] = []
    earned: DynArray[int256, MOST_PARTICIPANTS] = []
    costs: DynArray[int256, MOST_PARTICIPANTS] = []
    waiting: DynArray[uint256, MOST_PARTICIPANTS] = []
    reported: uint256 = self.reported
    for i: uint256 in range(N_ARMS, bound=MOST_ARMS):
        estimates.append(self.estimates[i])
        levels.append(self.levels[i])
    for m: uint256 in range(N_PARTICIPANTS, bound=MOST_PARTICIPANTS):
        exponent.append(self.exponent[m])
        units.append(self.units[m])
        purse: uint256 = self.purses[m]
        waiting.append(purse & DUE_MASK)
        earned.append(self._signed((purse >> DUE_BITS) & SUM_MASK))
        costs.append(self._signed(purse >> COSTS_AT))
        for i: uint256 in range(N_ARMS, bound=MOST_ARMS):
            word: uint256 = self.cells[m * WORDS + i // CELLS_PER_WORD]
            cell: uint256 = (word >> (CELL_BITS * (i % CELLS_PER_WORD))) & CELL_MASK
            report: int256 = convert(cell & REPORT_MASK, int256) - MOST_REPORT
            reports.append(report if self._within(m, reported) else 0)
            changes.append(cell >> REPORT_BITS)
    return estimates, exponent, units, reports, reported, changes, levels, earned, costs, waiting
