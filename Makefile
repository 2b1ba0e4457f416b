# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
TORCH ?= 2.13.0
DATA := $(firstword $(wildcard $(FOLKMOOT_DATA) ../shared/data))
ifneq ($(DATA),)
export FOLKMOOT_DATA := $(abspath $(DATA))
endif

.PHONY: help venv demo test test-ray soak lint docs wheel bench bench-nodes clean

help:
	@echo "make demo   install into .venv and run 20 MovieLens users over an unreliable network"
	@echo "make test   run the whole test suite"
	@echo "make test-ray  what needs a cluster of Ray, on this machine"
	@echo "make soak   nodes that are killed at random (SECONDS=600 SEED=1), then 72 games of nodes against liars"
	@echo "make lint   ruff and mypy"
	@echo "make docs   the documentation as a site with an API reference: docs/_build/html/index.html"
	@echo "make wheel  the package: built, checked, installed and tried with every Python of this machine (QUICK=1: no demo)"
	@echo "make bench  ratios of speed, measured in one run"
	@echo "make bench-nodes  nodes as processes: rounds a second, processor time, memory, catching up"

.venv/core: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "folkmoot needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: .venv/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==$(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[clusters,dask,evm,gym,multiparty,nats,node,private,tables,dev]'
	@touch $@

venv: .venv/dev

demo: .venv/core
	$(BIN)/folkmoot run demo --out results/demo --jobs 2
	@echo "To use the command folkmoot in this terminal: . $(BIN)/activate"

test: .venv/dev
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

.venv/ray: .venv/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pytest>=8.2' --editable '.[ray]'
	@touch $@

test-ray: .venv/ray
	$(BIN)/python -m pytest -m ray tests/simulate/test_ray.py

SECONDS ?= 600
SEED ?= 1
soak: .venv/dev
	FOLKMOOT_SOAK_SECONDS=$(SECONDS) FOLKMOOT_SOAK_SEED=$(SEED) $(BIN)/python -m pytest -m soak -s tests/node/soak

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/docs: .venv/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

docs: .venv/docs
	$(BIN)/sphinx-build -W --keep-going -q -c docs/site -b html . docs/_build/html
	@echo "docs/_build/html/index.html"

QUICK ?=
wheel: .venv/dev
	$(BIN)/python -m release.wheel $(if $(QUICK),--quick)

bench: .venv/dev
	$(BIN)/python -m benchmarks

bench-nodes: .venv/dev
	$(BIN)/python -m benchmarks --only nodes

clean:
	rm -rf .venv results dist docs/_build
