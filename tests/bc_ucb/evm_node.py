"""A node of an EVM chain that is a function (method, params) -> result: py-evm in memory, one block a transaction.

It signs for its own accounts, as nodes for development do, and it keeps what was asked.
"""

from eth.chains.base import MiningChain
from eth.consensus.applier import ConsensusApplier
from eth.consensus.noproof import NoProofConsensus
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth_keys import keys
from eth_utils import keccak

CHAIN_ID = 1337
KEYS = [keys.PrivateKey(bytes([n]) * 32) for n in (1, 2)]
GAS, GAS_PRICE, RICH = 16_000_000, 10**10, 10**24
VMS = ConsensusApplier(NoProofConsensus).amend_vm_configuration(((0, PragueVM),))
Chain = MiningChain.configure("Chain", vm_configuration=VMS, chain_id=CHAIN_ID)


class Refused(Exception):
    """The node's error."""


class Node:
    def __init__(self, late=0):
        rich = {"balance": RICH, "nonce": 0, "code": b"", "storage": {}}
        state = {key.public_key.to_canonical_address(): rich for key in KEYS}
        self.chain = Chain.from_genesis(AtomicDB(), {"difficulty": 0, "gas_limit": 60_000_000, "timestamp": 1}, state)
        self.keys = {key.public_key.to_address(): key for key in KEYS}
        self.late = late  # how often it says that there is no receipt yet
        self.receipts, self.waiting, self.asked = {}, {}, []
        self.last = None  # what the last transaction has done

    def __call__(self, method, params):
        self.asked.append(method)
        return getattr(self, method)(*params)

    def _transaction(self, fields, sender):
        address = bytes.fromhex(sender[2:])
        return self.chain.create_unsigned_transaction(
            nonce=self.chain.get_vm().state.get_nonce(address), gas_price=GAS_PRICE, gas=GAS, value=0,
            to=bytes.fromhex(fields.get("to", "0x")[2:]), data=bytes.fromhex(fields["data"][2:]),
        )  # fmt: skip

    def _execute(self, tx):
        _, receipt, computation = self.chain.apply_transaction(tx)
        self.chain.mine_block()
        name = "0x" + keccak(tx.encode()).hex()
        self.receipts[name] = {
            "transactionHash": name,
            "status": hex(int(computation.is_success)),
            "gasUsed": hex(receipt.gas_used),
            "contractAddress": None if tx.to else "0x" + computation.msg.storage_address.hex(),
        }
        self.waiting[name] = self.late
        self.last = computation
        return name

    def _dry(self, fields):
        state, sender = self.chain.get_vm().state, fields.get("from", next(iter(self.keys)))
        signed = self._transaction(fields, sender).as_signed_transaction(self.keys[sender], chain_id=CHAIN_ID)
        snapshot = state.snapshot()
        try:
            return state.apply_transaction(signed)
        finally:
            state.revert(snapshot)

    def eth_accounts(self):
        return list(self.keys)

    def eth_chainId(self):  # noqa: N802
        return hex(CHAIN_ID)

    def eth_gasPrice(self):  # noqa: N802
        return hex(GAS_PRICE)

    def eth_getTransactionCount(self, address, block):  # noqa: N802
        return hex(self.chain.get_vm().state.get_nonce(bytes.fromhex(address[2:])))

    def eth_estimateGas(self, fields):  # noqa: N802
        computation = self._dry(fields)
        if computation.is_error:
            raise Refused(reason(computation.output))
        return hex(2 * computation.get_gas_used() + 100_000)

    def eth_call(self, fields, block):
        computation = self._dry(fields)
        if computation.is_error:
            raise Refused(reason(computation.output))
        return "0x" + computation.output.hex()

    def eth_sendTransaction(self, fields):  # noqa: N802
        key = self.keys[fields["from"]]
        return self._execute(self._transaction(fields, fields["from"]).as_signed_transaction(key, chain_id=CHAIN_ID))

    def eth_sendRawTransaction(self, raw):  # noqa: N802
        return self._execute(self.chain.get_vm().get_transaction_builder().decode(bytes.fromhex(raw[2:])))

    def eth_getTransactionReceipt(self, name):  # noqa: N802
        self.waiting[name] -= 1
        return self.receipts[name] if self.waiting[name] < 0 else None


def reason(output):
    """Why a contract has reverted, in its own words."""
    return output[68 : 68 + int.from_bytes(output[36:68], "big")].decode() if len(output) >= 68 else "no reason"


def signer(key):
    """What signs transactions, given their fields, as a wallet does."""

    def sign(fields):
        tx = Chain.get_vm_class_for_block_number(0).create_unsigned_transaction(
            nonce=fields["nonce"], gas_price=fields["gasPrice"], gas=fields["gas"], value=fields["value"],
            to=bytes.fromhex((fields["to"] or "0x")[2:]), data=fields["data"],
        )  # fmt: skip
        return tx.as_signed_transaction(key, chain_id=fields["chainId"]).encode()

    return sign
