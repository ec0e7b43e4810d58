# Every target sets up .venv itself (with the exact versions of constraints.txt) and says what it does.
# Nothing but Python >= 3.10 and make is needed. Without make: see CONTRIBUTING.md.
#   make demo ARGS="--drift blur --seed 3"    passes arguments on
#   make test PYTHON=python3.12               takes another Python for a new .venv

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lab bench bench-peers drills lint export

PYTHON ?= python3
ARGS ?=
VENV := .venv
PEER_VENVS := .venv-peers
PY := $(VENV)/bin/python
INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
BENCHMARKS := $(sort $(wildcard benchmarks/bench_*.py))
PEERS := $(patsubst benchmarks/peers/%.py,%,$(filter-out benchmarks/peers/_%,$(sort $(wildcard benchmarks/peers/*.py))))

help:
	@echo "make demo         train, watch, drift, retrain and promote a model on real digits, in a minute"
	@echo "make test         run every test a contributor needs, in groups, with their times"
	@echo "make lint         check style (ruff) and types (mypy)"
	@echo "make lab          open the course notebooks in Jupyter Lab"
	@echo "make export       write the lesson.py files from the notebooks"
	@echo "make bench        time the library against its peers in one environment (installs torch)"
	@echo "make bench-peers  time it against peers that need an environment each"
	@echo "make drills       run the full-size tests (long) and compare the exports of nbdev 3 and 2"

demo: $(VENV)/.ready-plots
	@echo "demo: a model on real digits is trained, watched, sees drift, is retrained and promoted"
	@$(PY) -m tinytorch.cli demo $(ARGS)

test: $(VENV)/.ready-dev
	@echo "test: all tests in groups (core, stats, lessons, adapters, rest), full-size drills left out"
	@$(PY) .ci/groups.py $(ARGS)

lint: $(VENV)/.ready-dev
	@echo "lint: ruff on .py and .ipynb, then mypy"
	@$(PY) -m ruff check .
	@$(PY) -m mypy

lab: $(VENV)/.ready-dev
	@$(PY) -m tinytorch.cli lab $(ARGS)

export: $(VENV)/.ready-dev
	@echo "export: notebooks -> tinytorch/mlops/*/lesson.py and tinytorch/_modidx.py"
	@$(PY) tests/notebook_export.py

drills: $(VENV)/.ready-dev
	@echo "drills: the full-size tests, and the exports of nbdev 3 and nbdev 2 side by side (long)"
	@$(PY) -m pytest -m drill $(ARGS)

bench: $(VENV)/.ready-bench
	@echo "bench: $(or $(BENCHMARKS),no benchmarks/bench_*.py yet: nothing to time)"
	@set -e; for script in $(BENCHMARKS); do echo "== $$script"; $(PY) $$script $(ARGS); done

# A peer is a script benchmarks/peers/NAME.py and, beside it, NAME.txt with the exact requirements of its environment.
bench-peers: $(PEERS:%=run-peer-%)
	@echo "bench-peers: $(or $(PEERS:%=timed %),no script in benchmarks/peers yet: no peer was timed)"

run-peer-%: $(PEER_VENVS)/%/.ready
	@echo "== benchmarks/peers/$*.py, in $(PEER_VENVS)/$*"
	@$(PEER_VENVS)/$*/bin/python benchmarks/peers/$*.py $(ARGS)

$(PEER_VENVS)/%/.ready: benchmarks/peers/%.txt pyproject.toml
	@echo "Setting up $(PEER_VENVS)/$*"
	@$(PYTHON) -m venv $(PEER_VENVS)/$*
	@$(PEER_VENVS)/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $< -e .
	@touch $@

# setuptools comes first and pinned, and builds without isolation: no unpinned tool takes part.
$(VENV)/.ready-base: constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'Python 3.10 or newer is needed; name one: make PYTHON=python3.11')"
	@echo "Setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) $(INSTALL) setuptools wheel
	@touch $@

# The bench extra installs torch. On Linux the plain package index serves the build with CUDA (gigabytes); where a
# folder or an index with the CPU build is at hand, name it in PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL.
$(VENV)/.ready-bench: $(VENV)/.ready-dev

$(VENV)/.ready-%: $(VENV)/.ready-base pyproject.toml constraints.txt
	@echo "Installing tinytorch-mlops[$*] into $(VENV) (some minutes the first time)"
	@$(PY) $(INSTALL) --no-build-isolation -e '.[$*]'
	@touch $@
