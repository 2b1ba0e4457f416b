# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
TORCH ?= 2.13.0
DATA := $(firstword $(wildcard $(FOLKMOOT_DATA) ../shared/data))
ifneq ($(DATA),)
export FOLKMOOT_DATA := $(abspath $(DATA))
endif

.PHONY: help venv demo test lint bench clean

help:
	@echo "make demo   install into .venv and run 20 MovieLens users over an unreliable network"
	@echo "make test   run the whole test suite"
	@echo "make lint   ruff and mypy"
	@echo "make bench  ratios of speed, measured in one run"

.venv/core: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "folkmoot needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: .venv/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==$(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[clusters,dask,evm,multiparty,private,tables,dev]'
	@touch $@

venv: .venv/dev

demo: .venv/core
	$(BIN)/folkmoot run demo --out results/demo --jobs 2

test: .venv/dev
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv results
