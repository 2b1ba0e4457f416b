"""Newcomers: a participant asks to be admitted, looks at others as an original party, puts answers into blocks.

Answers of original parties wait for a block; those that the terms do not record are seen by everybody and go nowhere.
"""

from folkmoot.agreement.signed_messages import Rejected
from folkmoot.ledger.block import Block
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.ledger.rules import UnknownRules
from folkmoot.machine import Effects
from folkmoot.multiparty.chain.acts import WITHIN, Admitted
from folkmoot.multiparty.chain.bounds import MOST_ANSWERS
from folkmoot.multiparty.chain.desk import Desk
from folkmoot.multiparty.chain.messages import application, read_application
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.records import UNCOVERED, Refused, Registered, answer_in
from folkmoot.multiparty.chain.signing import APPLICATION, is_signed
from folkmoot.multiparty.chain.talk import Answered, Applied
from folkmoot.multiparty.chain.voted import is_vouched

TURN_OF_REFUSALS = 4  # every so many rounds, a refusal goes before samples


class Newcomers:
    """See the top of the file.

    Attributes:
        judged: by the application: what this original party says.
        refused: is this participant one whom the chain has refused?
    """

    def __init__(self, own: Desk) -> None:
        self._own = own
        self._answers: dict[bytes, tuple[int, bytes]] = {}  # by the newcomer's key: from whom, the record
        self.judged: dict[bytes, bytes] = {}
        self.refused = False

    @property
    def judge(self) -> OriginalParty | None:
        """Itself as one that looks at models; None: it is no original party, or has no samples."""
        own, told, data = self._own, self._own.role.judge, self._own.data
        if told is not None:
            return OriginalParty(own.key, told.x, told.labels)
        trusted = data is not None and len(data.x) and own.party in own.chain.state.trusted
        return OriginalParty(own.key, data.x, data.y) if data is not None and trusted else None

    def apply(self, effects: Effects) -> None:
        """Again in every round, until the chain says what became of it."""
        asks, state = self._own.role.asks, self._own.chain.state
        covered = asks is None or any(state.covers(original, asks.classes) for original in range(state.originals))
        if not covered and state.terms.refusals:
            return
        if asks is None or self._own.party >= 0 or self.refused or state.is_taken(asks.name, self._own.own):
            return
        asked = application(self._own.key, self._own.chain.genesis.hash, asks)
        if state.terms.approvals > 1 or state.terms.outside < 1.0:  # several look at it
            if not self._own.wishes.asks_for(self._own.own):
                until = self._own.chain.height + WITHIN
                self._own.wishes.want(Admitted(asks, read_application(asked).signature, until, ()), effects)
        else:
            self._own.send(effects, Applied(asked, self._own.role.first.state.contents.get(asks.parameters)))

    def admission(self, miner: Miner, effects: Effects) -> Block | None:
        """A block of the first answer that the rules take; those they refuse are forgotten."""
        for key, (sender, record) in self._answers_in_turn():
            block = miner.admission(record, self._own.role.clock(), round=self._own.voter.round)
            if block is not None and self._own.voter.consider(block, effects, sender):
                return block
            del self._answers[key]
        return None

    def _answers_in_turn(self) -> list[tuple[bytes, tuple[int, bytes]]]:
        """Those that a block may be of; where the terms bound refusals, these do not hold up samples for long."""
        waiting = sorted(self._answers.items())
        bounded, round = self._own.chain.state.terms.refusals, self._own.voter.round
        if not bounded or not len(self._own.pool) or round % TURN_OF_REFUSALS == 0:
            return waiting
        return [row for row in waiting if not isinstance(answer_in(row[1][1]), Refused)]

    def take_application(self, message: Applied, sender: int, effects: Effects) -> None:
        """Somebody asks to be admitted: an original party says what it thinks of its model.

        Raises:
            Rejected: it counts for nothing.
        """
        asked = read_application(message.content)
        origin = self._own.chain.genesis.hash
        if not is_signed(asked.party.key, APPLICATION, origin, tuple(asked.party), asked.signature):
            raise Rejected("signature")
        self._own.shelf.lay(message.parameters, sender, len(self._own.chain.state.members))
        judge = self.judge
        if judge is None or asked.party.key in self._answers:
            return
        if message.content not in self.judged:
            if len(self.judged) >= MOST_ANSWERS:
                raise Rejected("full")
            try:
                record = judge.assess(self._own.chain, message.content, message.parameters)
            except (RefusedRecord, UnknownRules) as error:  # parameters that are not there, a kind not known here
                raise Rejected(type(error).__name__) from None
            self.judged[message.content] = record or b""
            if record and isinstance(answer_in(record), Registered):
                self._own.role.first.state.contents.put(message.parameters)  # what is refused is not kept
        if self.judged[message.content]:
            self.take_answer(self.judged[message.content], self._own.index)
            self._own.send(effects, Answered(self.judged[message.content]))

    def take_answer(self, record: bytes, sender: int) -> None:
        """It waits for a block; of two answers to one newcomer that of the original party with the lower number."""
        said, bounded = answer_in(record), self._own.chain.state.terms.refusals
        if bounded and isinstance(said, Refused) and said.reason == UNCOVERED:
            return  # nobody records it; a newcomer sees it for itself
        waiting = self._answers.get(said.party.key)
        if waiting is not None and answer_in(waiting[1]).approver <= said.approver:
            return
        if not is_vouched(self._own.chain.state, self._own.chain.genesis.hash, said):
            raise Rejected("signature")
        if waiting is None and len(self._answers) >= MOST_ANSWERS:
            raise Rejected("full")
        self._answers[said.party.key] = (sender, record)

    def follow(self) -> None:
        """There is another block: models may have moved, and approvals be over, or of an old key."""
        self.judged.clear()
        chain = self._own.chain
        for key, (_, record) in list(self._answers.items()):
            said = answer_in(record)
            over = isinstance(said, Registered) and said.until is not None and said.until <= chain.height
            if over or not is_vouched(chain.state, chain.genesis.hash, said):
                del self._answers[key]

    def settle(self, block: Block) -> None:
        """What became of a newcomer is on the chain."""
        said = answer_in(block.records[1])
        self._answers.pop(said.party.key, None)
        self.refused |= isinstance(said, Refused) and said.party.key == self._own.own
