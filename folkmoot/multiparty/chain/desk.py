"""What acts, exchanges and newcomers ask of the participant that they belong to."""

from collections.abc import Iterable
from typing import Any

from folkmoot.agreement.voting import Voter
from folkmoot.ledger.chain import Chain
from folkmoot.machine import ALL, Effects, Put
from folkmoot.multiparty.chain.role import KEYS, Told, keeping
from folkmoot.multiparty.chain.sheets import Answer, Sheet, to_bytes
from folkmoot.multiparty.chain.talk import ExchangeTold
from folkmoot.multiparty.chain.voted import VotedKind
from folkmoot.multiparty.party import Party
from folkmoot.signatures import SigningKey


class Desk(VotedKind):
    """A participant, as far as these know it.

    Attributes:
        role: what it was told.
        index: its number among the members; -1: it has no vote.
        voter: what it knows of the next block.
        key, own: with which it signs now, and the public half.
        exchanges: that stand on the chain.
        aside: what is to be kept and sent with the next step, for what was asked of it between two.
        newcomers, wishes: see their modules.
    """

    role: Told
    index: int
    voter: Voter
    key: SigningKey
    own: bytes
    exchanges: int
    aside: Effects
    newcomers: Any
    wishes: Any
    _secrets: tuple[bytes, ...]

    @property
    def chain(self) -> Chain:
        """As it stands."""
        return self.voter.chain

    @property
    def party(self) -> int:
        """Its number among the parties of the chain; -1: it is none."""
        return int(self.chain.state.number_of(self.own))

    @property
    def data(self) -> Party | None:
        """Its model and samples; None: it has none."""
        return self.role.party()

    def send(self, effects: Effects, message: Any, to: int | None = ALL) -> None:
        """A message, to one or to all."""
        effects.send.append((to, self.forms.to_bytes(message)))

    def renews(self, secret: bytes, nonce: bytes, effects: Effects) -> None:
        """Keep another secret, with which it signs as soon as the chain knows it by that; hidden by its first one."""
        self._secrets = (secret, bytes(self.key), self.role.seed)
        effects.keep.append(Put(KEYS, keeping(self._secrets, nonce)))

    def tell(self, told: Sheet | Answer, effects: Effects, to: int | None) -> None:
        """Of an exchange, to one or to all."""
        self.send(effects, ExchangeTold(to_bytes(told)), to)

    def place_of(self, party: int) -> int | None:
        """Where messages to a party go; None: to all, for it is no member."""
        return party if party < self.chain.state.originals else None

    def find(self, name: bytes) -> bytes | None:
        """A content that is at hand."""
        return self.shelf.loose(name) or next(self.shelf.give([name]), None)

    def seek(self, names: Iterable[bytes]) -> None:
        """Ask for contents in this step; they come as others that are asked for do."""
        for name in names:
            self.shelf.missing.setdefault(name, False)
