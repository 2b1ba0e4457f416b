"""The ledger of a node's data folder is settled on an EVM chain, through a URL."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from consortium import InFolders, charter_of, folders_of, seeds_of
from evm_rounds import equal, missing, on_evm

import folkmoot as fm
from folkmoot.cli import main
from folkmoot.node import epochs
from folkmoot.node.settling import SETTLED, settle_folder
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of

if missing is None:
    from evm_node import Node

ROUNDS = 9


def played(path, disclosure):
    """Four members that have played to the end: their charter, and their folders."""
    seeds = seeds_of(4)
    settings = {"disclosure": disclosure, "algorithm": {"burn_in": 3}}
    charter = charter_of(4, rounds=ROUNDS, system="bc_ucb", settings=settings)
    folders = folders_of(path, seeds, charter)
    consortium = InFolders(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), folders, seeds)
    consortium.play()
    for player in consortium.players:
        player._store.close()
    return charter, folders


class _Asked(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": self.server.node(asked["method"], asked["params"])}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def rpc():
    """A node of an EVM chain, and its URL."""
    server = HTTPServer(("127.0.0.1", 0), _Asked)
    server.node = Node()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.node, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@on_evm
def test_the_ledger_of_a_data_folder_is_settled_and_again_later(code, rpc, tmp_path, capsys):
    charter, folders = played(tmp_path, "open")
    node, url = rpc
    path = folders[0].path
    assert main(["node", "settle", str(path), "--rpc", url]) == 0
    said = capsys.readouterr().out
    store, system = Store(path / FILE), system_of(charter)
    *_, (chain, _) = system.chains(store)
    store.close()
    assert chain.height == ROUNDS - 3
    assert f"{chain.height} rounds are in contract 0x" in said
    assert "the accounts of the contract are those of the ledger" in said
    again = settle_folder(path, node)
    assert (again.rounds, again.gas) == (chain.height, ())
    assert again.address in said
    assert equal(again.accounts, chain.state.accounts)
    assert again.address in (epochs.place(folders[0], 1) / SETTLED).read_text()


@on_evm
def test_a_settlement_that_is_cut_off_goes_on_with_its_contract(code, tmp_path):
    _, folders = played(tmp_path, "open")
    node, path = Node(), folders[1].path

    def failing(method, params):
        if len(node.receipts) == 3:
            raise KeyboardInterrupt
        return node(method, params)

    with pytest.raises(KeyboardInterrupt):
        settle_folder(path, failing)
    done = settle_folder(path, node)
    assert (done.rounds, len(done.gas)) == (ROUNDS - 3, ROUNDS - 3 - 2)


def test_what_only_members_read_is_not_settled(tmp_path):
    _, folders = played(tmp_path, "validators")
    with pytest.raises(ValueError, match="reports are not on the chain"):
        settle_folder(folders[0].path, lambda method, params: None)
