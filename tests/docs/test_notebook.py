"""The notebook runs from top to bottom, and a run in a kernel can be interrupted."""

import json
import os
import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "first-hour-notebook.ipynb"
LONG = """
import networkx as nx
import folkmoot as fm
print("begun", flush=True)
fm.simulate(fm.UCB(), fm.Bernoulli([0.2, 0.8], n_agents=2), fm.Static(nx.path_graph(2)), horizon=5_000_000,
            engine="interpreted")
"""
SHORT = """
fm.simulate(fm.UCB(), fm.Bernoulli([0.2, 0.8], n_agents=2), fm.Static(nx.path_graph(2)), horizon=20,
            engine="interpreted").horizon
"""


def test_every_cell_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []  # they are made by the build
            exec(compile(cell["source"], NOTEBOOK.name, "exec"), names)
    assert set(names["results"]) == {"FloodSE", "Dist_UCB", "alone"}


def test_a_figure_is_shown_as_an_image():
    from folkmoot.report.plots import Chart

    assert Chart()._repr_png_().startswith(b"\x89PNG")


def said(client, wanted):
    """The messages of the kernel until one of this kind, or of this state."""
    found = []
    while True:
        message = client.get_iopub_msg(timeout=600)
        found.append(message)
        if wanted in (message["msg_type"], message["content"].get("execution_state")):
            return found


def test_an_interrupt_ends_a_run_and_the_kernel_goes_on():
    pytest.importorskip("ipykernel", reason="no kernel is installed: the extra 'docs'")
    manager = pytest.importorskip("jupyter_client", reason="the extra 'docs' is not installed").KernelManager()
    manager.start_kernel(env={**os.environ, "PYTHONPATH": str(NOTEBOOK.parents[1])})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=600)
        client.execute(LONG)
        # Until it is in the middle of it, on a fast machine, too; what is printed may come in pieces.
        while not re.search(r"folkmoot: \d% after", said(client, "stream")[-1]["content"]["text"]):
            pass
        manager.interrupt_kernel()
        # Until it is idle again: cells that are sent before are dropped by the kernel, as always after an error.
        errors = [message["content"]["ename"] for message in said(client, "idle") if message["msg_type"] == "error"]
        assert errors == ["KeyboardInterrupt"]
        client.execute(SHORT)
        results = said(client, "execute_result")[-1]["content"]["data"]
        assert results["text/plain"] == "20"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
