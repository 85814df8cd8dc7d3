# `make help` lists what can be made. PYTHON picks the interpreter: make test PYTHON=python3.12

PYTHON ?= python3
PYTEST_FLAGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
DECLARED := pyproject.toml constraints.txt

.PHONY: help demo test clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   install into .venv, train and attack models on embedded digits, write runs/demo/report.html"
	@echo "make test   install into .venv, run every check and the whole test suite"
	@echo "make clean  remove .venv, runs, build outputs and caches"
	@echo "PYTHON=...  the interpreter that makes .venv (3.11 or newer; now: $(PYTHON))"

demo: $(VENV)/.installed
	$(BIN)/manyheads study demo --jobs 2
	@echo "The report is at $(CURDIR)/runs/demo/report.html"

test: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_FLAGS)

clean:
	rm -rf $(VENV) runs build dist src/*.egg-info
	rm -rf .pytest_cache .hypothesis .ruff_cache .import_linter_cache
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
		|| { echo "manyheads needs Python 3.11 or newer, $(PYTHON) is older or absent; try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(DECLARED) | $(BIN)/python
	@echo "Installing into $(VENV); the first time, this fetches PyTorch and takes some minutes"
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: $(DECLARED) | $(BIN)/python
	@echo "Installing into $(VENV), with what the checks need; the first time, this takes some minutes"
	$(INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/.installed
