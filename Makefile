# Only python3 with venv, and make, are assumed.  Everything lands in .venv, demo/ and .dagster_home/.
VENV     := .venv
BIN      := $(VENV)/bin
PIP      := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PLATFORM ?= config/platform.yaml
PORT     ?= 3000

.PHONY: setup demo dev test lint format bench clean

setup: $(VENV)/.setup

$(VENV)/bin/python:
	python3 -m venv $(VENV)

$(VENV)/.setup: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[demo]'
	$(BIN)/relight models fetch
	@touch $@

$(VENV)/.setup-dev: $(VENV)/.setup
	$(PIP) -e '.[demo,dev]'
	@touch $@

demo: $(VENV)/.setup  ## sample portraits through all five assets, for three splits
	$(BIN)/relight demo

dev: $(VENV)/.setup  ## the Dagster UI and daemon; PLATFORM=demo/platform.yaml shows the demo
	$(BIN)/relight --platform $(PLATFORM) dev --port $(PORT)

test: $(VENV)/.setup-dev
	$(BIN)/python -m pytest

lint: $(VENV)/.setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

format: $(VENV)/.setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.setup  ## CPU, rates, memory, overheads, beside a plain script; ARGS="--json bench.json"
	$(BIN)/relight bench $(ARGS)

clean:
	rm -rf $(VENV) demo .dagster_home build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
