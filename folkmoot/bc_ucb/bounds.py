"""How large what participants of a game send can be, by its terms: bytes of blocks and messages, and how many of each.

What is larger than the largest legal one is refused before it is decoded or kept. See docs/decisions/0027-bounds.md.
"""

from folkmoot.agreement.forms import HEAD
from folkmoot.agreement.messages import StateGiven, WantState
from folkmoot.agreement.shares import TWICE, signed_bytes
from folkmoot.agreement.signed_messages import Chained
from folkmoot.bc_ucb.contract import open_accounts
from folkmoot.bc_ucb.costs import MOST_ENTERED
from folkmoot.bc_ucb.genesis import GameSettings, carried_bytes
from folkmoot.bc_ucb.messages import GAME, MOST_COMPARISON, Answer, Offer, Passed, ReportSent, SetsSent, Shown
from folkmoot.bc_ucb.records import CLAIM_BYTES, MOST_SHOWN, MOST_STATEMENT, value_bytes
from folkmoot.ledger.block import MOST_HEIGHT, VERSION, Block, Header
from folkmoot.machine import Share
from folkmoot.signatures import SIGNATURE_BYTES


def block_bytes(settings: GameSettings) -> int:
    """Bytes of a block without signatures as participants hand it on, at most."""
    root = bytes(32)
    header = Header(VERSION, "bc_ucb", MOST_HEIGHT, root, root, 0, 0)
    return len(Block(header, (b"",)).to_bytes()) + carried_bytes(settings.terms, settings.edition)


def inner_bytes(settings: GameSettings) -> int:
    """Bytes of a message of the agreement at most: a value and its chain of signatures."""
    terms = settings.terms
    signers = tuple(range(terms.n_participants - 1, -1, -1))[: terms.faulty + 1]
    value = bytes(value_bytes(terms.n_participants, terms.n_arms))
    signatures = (bytes(SIGNATURE_BYTES),) * len(signers)
    return len(Chained(bytes(32), signers[0], value, signers, signatures).encode())


def inner_messages(members: int) -> int:
    """How many of them each member sends in one stage at most: two values of each general."""
    return TWICE * members


def report_shares(settings: GameSettings) -> dict[str, Share]:
    """A report, and a second one, which proves a fault."""
    means = 2 + 8 * settings.terms.n_arms  # an array's head is by so much larger than that of bytes
    sizes = {"means": means, "earlier": CLAIM_BYTES * settings.terms.window}
    return {GAME.name(ReportSent): Share(TWICE, GAME.largest(ReportSent, sizes))}


def passed_shares(settings: GameSettings) -> dict[str, Share]:
    """Reports passed on, as many as there are participants, before naming and after it; each maybe late, or twice."""
    ((_, report),) = report_shares(settings).values()
    reports = settings.terms.n_participants * (HEAD + report)
    return {GAME.name(Passed): Share(TWICE * TWICE, GAME.largest(Passed, {"reports": reports}))}


def state_shares(settings: GameSettings) -> dict[str, Share]:
    """Who wants a state, and a state with the block that names it.

    It holds the accounts, a record, faults with proofs, and what is kept to book costs by.
    """
    terms, block = settings.terms, signed_bytes(block_bytes(settings), settings.terms.n_participants)
    accounts = sum(array.nbytes + 64 for array in open_accounts(terms))
    state = accounts + terms.n_participants * (terms.n_arms + MOST_STATEMENT + 64) + block + 1024
    if settings.environment and terms.cost > 0:
        state += MOST_ENTERED
    given = GAME.largest(StateGiven, {"state": state, "block": block})
    return {GAME.name(WantState): Share(TWICE, GAME.largest(WantState, {})), GAME.name(StateGiven): Share(1, given)}


def shown_shares() -> dict[str, Share]:
    """Evidence; twice as much, should the first come late."""
    return {GAME.name(Shown): Share(TWICE * MOST_SHOWN, GAME.largest(Shown, {"statement": MOST_STATEMENT}))}


def comparison_shares(settings: GameSettings, offer: int, answer: int) -> dict[str, Share]:
    """A validator's offer, and an answer to the receiver's; each once more, should a second one prove a fault.

    Raises:
        ValueError: offers that are too large to be sent.
    """
    if offer == 0:
        return {}
    most = max(offer, answer)
    if most > MOST_COMPARISON:
        arms = settings.terms.n_arms
        raise ValueError(f"private comparison of {arms} arms: messages of {most} bytes, at most {MOST_COMPARISON} go")
    return {
        GAME.name(Offer): Share(TWICE, GAME.largest(Offer, {"content": offer})),
        GAME.name(Answer): Share(TWICE, GAME.largest(Answer, {"content": answer})),
    }


def agreement_shares(settings: GameSettings) -> dict[str, Share]:
    """Two values of each general."""
    size = GAME.largest(SetsSent, {"content": inner_bytes(settings)})
    return {GAME.name(SetsSent): Share(inner_messages(settings.terms.n_participants), size)}
