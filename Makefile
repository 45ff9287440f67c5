# Everything the project does for a person. With Python 3.11 and make only, `make run` and `make test` do all their own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV := .venv
BIN := $(VENV)/bin
# On the user's own files: make run LANDING=/data/landing AS_OF=2026-10-01
LANDING ?=
AS_OF ?=
EDITION ?=
ICB ?=
PORT ?= 3000
NIGHT_OPTIONS := $(if $(LANDING),--landing '$(LANDING)') $(if $(AS_OF),--as-of '$(AS_OF)') $(if $(EDITION),--edition '$(EDITION)') $(if $(ICB),--icb '$(ICB)')
export DAGSTER_REDACT_USER_CODE_ERRORS := 1
# Nothing is written outside the project: the plotting library keeps its list of fonts here.
export MPLCONFIGDIR := $(CURDIR)/var/cache/matplotlib

.PHONY: help run night test test-spark test-faults test-nights ui check fix bench lock clean

help:  ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.runtime  ## Run the night: on LANDING=folder (AS_OF=date), else on var/landing, filled with a make-believe place if empty
	@$(BIN)/fuller refresh --synthetic-if-empty $(NIGHT_OPTIONS)

ui: $(VENV)/.runtime  ## Open the Dagster page on this machine only (PORT=3000)
	@echo "The Dagster page: http://127.0.0.1:$(PORT) (stop with Ctrl-C)"
	@$(BIN)/dagster dev --host 127.0.0.1 --port $(PORT)

test: $(VENV)/.dev  ## Run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_OPTIONS)

test-spark: $(VENV)/.spark  ## Compare every fact and feature on Spark with DuckDB, cell by cell (needs Java 17)
	@$(BIN)/python -m pytest -m spark tests/engine $(PYTEST_OPTIONS)

test-faults: $(VENV)/.dev  ## Kill loads, releases and whole nights at random points, fill disks, lock databases, move clocks, and look what stands (half an hour)
	@$(BIN)/python -m pytest -m faults -n 0 tests/faults tests/people $(PYTEST_OPTIONS)

test-nights: $(VENV)/.dev  ## Thirty nights in a row with late, broken and returned files; an independent script looks every morning (NIGHTS=30; 45 minutes)
	@FULLER_NIGHTS=$(or $(NIGHTS),30) $(BIN)/python -m pytest -m nights -n 0 tests/nights $(PYTEST_OPTIONS)

check: $(VENV)/.dev  ## Lint, types, import laws, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate

fix: $(VENV)/.dev  ## Format, mend what the linter can, regenerate what is generated
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m fuller_popheath.contracts

bench: $(VENV)/.dev  ## Measure on this machine and print the figures of BENCHMARKS.md (SCALE=ics: 1.8 million make-believe people, half an hour)
	@$(BIN)/python -m bench.$(if $(filter ics,$(SCALE)),ics --date $$(date +%F),england_core20)

night: $(VENV)/.dev  ## Measure a whole night as Dagster runs it, a tenth of the practices changed (SCALE=ics: 1.8 million make-believe people; NIGHT_PEOPLE=30000)
	@$(BIN)/python -m bench.night --people $(if $(filter ics,$(SCALE)),1800000,$(or $(NIGHT_PEOPLE),30000)) --date $$(date +%F)

lock: $(VENV)/.setup  ## Resolve the dependencies anew
	$(BIN)/uv pip compile pyproject.toml --group dev $(LOCK_OPTIONS) -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml -c requirements-dev.lock $(LOCK_OPTIONS) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra spark -c requirements-dev.lock $(LOCK_OPTIONS) -o requirements-spark.lock
LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-annotate --no-header -q

clean:  ## Remove the environment and everything that was made, the landing folder excepted
	rm -rf $(VENV) var/dagster var/store var/products var/releases var/quarantine var/vault var/spill var/bench var/logs

# uv is quick, pip obeys a site's own pip settings: the second is tried where the first cannot reach its packages.
INSTALL = $(BIN)/uv pip install --python $(BIN)/python --require-hashes --compile-bytecode -q

$(VENV)/.setup: requirements-setup.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; say which: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up: environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-setup.lock
	@touch $@

$(VENV)/.runtime: $(VENV)/.setup requirements.lock pyproject.toml
	@echo "Setting up: packages of requirements.lock"
	@$(INSTALL) -r requirements.lock 2>$(VENV)/uv.log || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Setting up: packages of requirements-dev.lock"
	@$(INSTALL) -r requirements-dev.lock 2>$(VENV)/uv.log || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.spark: $(VENV)/.dev requirements-spark.lock
	@command -v java >/dev/null || { echo "Spark needs Java 17 or later (Debian: apt-get install default-jre-headless)"; exit 2; }
	@echo "Setting up: Spark from requirements-spark.lock"
	@$(INSTALL) -r requirements-spark.lock 2>$(VENV)/uv.log || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-spark.lock
	@touch $@
