"""What nodes and liars import, read once: see nursery.py. Nothing of the compiler is among it."""

import sys

import pytest
import uvicorn
import uvicorn.lifespan.off
import uvicorn.loops.auto
import uvicorn.protocols.http.auto

import folkmoot.bc_ucb.algorithm
import folkmoot.bc_ucb.kind
import folkmoot.comparison.in_rounds
import folkmoot.node.commands
import folkmoot.node.metrics
import folkmoot.node.process
import folkmoot.node.tls
import tests.adversaries.process

assert "numba" not in sys.modules
WARM = (pytest, uvicorn, folkmoot, tests)
