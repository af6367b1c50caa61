# Set-up is part of every target: the environment is made on first use and kept.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BOUNCER := .venv-bouncer
VENDORS := .venv-vendors

export RUNTIME__DLTHUB_TELEMETRY := false
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
# Tests start hundreds of processes: what Python compiled once it keeps, whatever is set outside.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test check build sync report chromium vendors fmt clean

help:  ## Show what can be done
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable . --group dev
	@touch $@

demo: $(STAMP)  ## Run the whole loop on a seeded world: no account, no network
	@$(BIN)/cio demo

# One worker more than there are cores: a worker that waits for a disk leaves its core to another.
test: $(STAMP) $(VENDORS)/.installed  ## Run the tests
	@$(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile --no-loadscope-reorder

build: $(STAMP)  ## Build the models from what is loaded, and publish
	@$(BIN)/cio build

sync: $(STAMP)  ## Deliver what changed since last time
	@$(BIN)/cio sync run

report: $(STAMP)  ## Write the report
	@$(BIN)/cio report

check: $(STAMP) $(BOUNCER)/.installed  ## Run every linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/yamllint --strict .
	$(BIN)/codespell
	@mkdir -p target/check
	CIO_HOME=$(CURDIR)/target/check $(BIN)/dbt parse --quiet --no-partial-parse --warn-error --target-path target/check/dbt
	$(BIN)/cio audiences check --manifest target/check/dbt/manifest.json
	$(BOUNCER)/bin/dbt-bouncer run --config-file dbt-bouncer.yml
	CIO_HOME=$(CURDIR)/target/check $(BIN)/sqlfluff lint --disable-progress-bar --processes 2 models tests/data_tests

$(BOUNCER)/.installed: pyproject.toml
	@test -x $(BOUNCER)/bin/python || $(PYTHON) -m venv $(BOUNCER)
	@$(BOUNCER)/bin/python -m pip install -qq --disable-pip-version-check 'dbt-bouncer==4.3.0'
	@touch $@

chromium:  ## Install the browser that tests look at pages with (Debian, Ubuntu, macOS)
	@command -v chromium chromium-browser google-chrome >/dev/null && echo "There is one already." || \
	  { command -v apt-get >/dev/null && $$(command -v sudo) apt-get install --yes chromium; } || \
	  { command -v brew >/dev/null && brew install --cask chromium; } || \
	  { echo "Install Chromium or Chrome and put it on the PATH."; exit 1; }

vendors: $(VENDORS)/.installed  ## Install the vendors' own clients, which tests try on the stand-ins

$(VENDORS)/.installed: pyproject.toml
	@test -x $(VENDORS)/bin/python || $(PYTHON) -m venv $(VENDORS)
	@echo "Installing the vendors' clients into $(VENDORS) (once) …"
	@$(VENDORS)/bin/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(VENDORS)/bin/python -m pip install -qq --disable-pip-version-check --group vendors
	@touch $@

fmt: $(STAMP)  ## Format the Python
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## Remove what was made, but not the warehouse
	rm -rf target logs .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info data/demo
