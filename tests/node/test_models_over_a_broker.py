"""A consortium of models as processes over a real nats-server, which takes too small messages first."""

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("safetensors")
pytest.importorskip("nats", reason="nats-py is not installed (extra `nats`)")

from hosts import SERVER, Server
from models_in_processes import Offices, digits

RULES = {**digits.TERMS["settings"]["rules"], "approvals": 1}


@pytest.mark.skipif(SERVER is None, reason="nats-server is not installed (Debian: apt install it)")
def test_models_that_are_larger_than_the_broker_takes_are_a_trouble_and_get_around_once_it_takes_them(tmp_path):
    """Nodes waited for each other's models, and nobody was told why. Then: acts, and an exchange."""
    config, server = tmp_path / "nats.conf", Server()
    config.write_text("max_payload: 1500\n", encoding="utf-8")
    server.start(config)
    try:
        told = {"each": 2, "exchanges": 2, "patience": 1 << 20}
        with Offices(tmp_path, 4, stage=2.0, play=0.05, rules=RULES, broker=server.url, **told) as offices:
            words = "The broker takes no messages as large as some of ours"
            offices.until(lambda: any(words in " ".join(m.state().get("troubles", ())) for m in offices.members), 240)
            assert offices.height(range(4)) == 0
            server.kill()
            server.start()
            offices.until(lambda: offices.height(range(4)) >= 1, 240)
            with offices.members[0].client() as client:
                client.ask("exchange", each=2)
            offices.until(lambda: all(m.learning().get("exchanges") for m in offices.members), 240)
            with offices.members[3].client() as client:
                client.ask("leave")
            models = lambda: offices.members[0].learning()["models"]  # noqa: E731
            offices.until(lambda: any(one.get("gone") for one in models()), 240)
            troubles = [one for member in offices.members for one in member.state()["troubles"]]
            assert not [one for one in troubles if words in one]
            assert offices.stop() == [0] * 4
    finally:
        server.kill()
