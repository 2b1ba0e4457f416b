"""Consortia of models whose members ask for exchanges and acts while they play, on a network in memory."""

import asyncio

from models_brought import RULES, Learners, brought_by, charter_of_models, folders_in, party_of

from folkmoot.ledger.block import Block
from folkmoot.multiparty.chain.records import read_head

MEMBERS = 5
ACTS = {**RULES, "approvals": 1}


class Asking(Learners):
    """`asks`: one after the other, (member, what it asks, what is on the chain when it is done)."""

    def __init__(self, charter, folders, asks, lies=None):
        self.asks, self.said = asks, []
        super().__init__(charter, folders, lies)

    async def _play(self):
        running = [asyncio.create_task(player.run()) for player in self.players]

        async def until(holds):
            while not holds():
                assert not any(task.done() for task in running)
                await asyncio.sleep(0.01)

        try:
            for member, wanted, height in self.asks:
                player = self.players[member]
                await until(lambda player=player: player.phase == "playing" and player.machine.participant is not None)
                if wanted is not None:
                    self.said.append(await player.between_steps(player.machine.ask, wanted))
                await until(lambda height=height: self.is_done(height))
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for player in self.players:
                await player.stop()

    def is_done(self, wanted):
        """Have all so many blocks, or, of text, such a block?"""
        if isinstance(wanted, str):
            return all(wanted in self.whats(number) for number in range(len(self.players)))
        return min(player.height for player in self.players) >= wanted

    def whats(self, number=0):
        store = self.players[number]._store
        blocks = [Block.from_bytes(store.block(height)) for height in range(1, store.height + 1)]
        return [read_head(block.records[0]).what for block in blocks]

    def models(self, number=0):
        fleet = self.players[number].machine.participant.chain.state.committee.fleet
        return [fleet.hash(n) if fleet.is_in(n) else None for n in range(len(fleet))]


def made_asking(path, members=MEMBERS, **settings):
    folders = folders_in(path, members)
    tables = brought_by(folders, [party_of(number) for number in range(members)])
    told = {"wanted": 0, "each": 3, "exchanges": 2, "rules": ACTS, **settings}
    return charter_of_models(folders, tables, rounds=1_000, settings=told), folders
