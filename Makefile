# Targets for developers and operators. `make` without a target lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first working interpreter that is new enough; the pinned requirements are tested on 3.11.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BOX_VENV := .venv-sandbox
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check
IMAGE := hqg-backtester
SANDBOX_IMAGE ?= hqg-backtester-sandbox
# Tests of one file and one backend stay on one worker, slow ones first: see tests/prerequisites.py. Half the time they
# wait for their servers and boxes, so three workers suit two processors; those of `make quick` keep a processor busy.
GROUPED := --dist loadgroup --no-loadscope-reorder
WORKERS ?= -n 3 $(GROUPED)

# The tests start hundreds of Python processes, and each would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE
NPM = command -v npm >/dev/null || $(PIP) install --quiet --require-hashes -r requirements-web.txt

.PHONY: help
help: ## Show this list
	@echo "HQG Backtester: post a strategy, get an honest backtest back."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ---- set up: each step writes a stamp and is skipped while its requirements file is older ----

SERVICE_READY := $(VENV)/.service-ready
DEV_READY := $(VENV)/.dev-ready
BOX_READY := $(BOX_VENV)/.ready

.PHONY: setup
setup: $(SERVICE_READY) $(DEV_READY) $(BOX_READY) ## Set everything up: .venv, .venv-sandbox, bubblewrap if no box can be built yet
	@$(RUN) -m scripts.box
	@echo "Ready. Next: make run, or make test."

$(RUN):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found. Install it, or say where it is: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing. On Debian and Ubuntu, as root: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(SERVICE_READY): requirements.txt | $(RUN)
	$(PIP) install --quiet --require-hashes -r requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt $(SERVICE_READY)
	$(PIP) install --quiet -r requirements-dev.txt
	@touch $@

# The packages that user code may import have their own environment, without an installer. The service never imports them.
$(BOX_READY): requirements-sandbox.txt | $(RUN)
	$(RUN) -m venv --clear --without-pip $(BOX_VENV)
	$(PIP) --python $(BOX_VENV)/bin/python install --quiet --require-hashes -r requirements-sandbox.txt
	@touch $@

# ---- use it ----

.PHONY: run
run: $(SERVICE_READY) $(BOX_READY) ## Set up, start the service, backtest examples/request.json, keep serving until Ctrl-C
	@$(RUN) -m scripts.run

.PHONY: serve
serve: $(SERVICE_READY) $(BOX_READY) ## Start the service in the foreground with your settings (environment or .env)
	@$(RUN) -m src.api

.PHONY: images
images: ## Build both Docker images: the service and the box
	docker build --network=host -f Dockerfile.sandbox -t $(SANDBOX_IMAGE) .
	docker build --network=host -f Dockerfile -t $(IMAGE) .

.PHONY: assets
assets: $(RUN) ## Fetch from npm what the studio, /docs and /redoc load (without it they are plain pages)
	@$(NPM)
	@$(RUN) -m scripts.web_assets --with-tests

# ---- work on it ----

.PHONY: test
test: setup ## Set up and run all tests (ARGS="-k audit" for some of them, WORKERS= for one after another)
	$(RUN) -m pytest $(WORKERS) $(ARGS)

.PHONY: quick
quick: WORKERS = -n logical --maxprocesses 4 $(GROUPED)
quick: $(DEV_READY) ## Run the tests that need no box, server, browser or other process
	$(RUN) -m pytest -m "not integration" $(WORKERS) $(ARGS)

.PHONY: lint
lint: $(DEV_READY) ## Formatting, style, types and the direction of imports; types and style of the JavaScript
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(RUN) -c 'import sys; from importlinter.cli import lint_imports_command as check; sys.exit(check())'
	@$(NPM)
	$(RUN) -m scripts.web_lint

.PHONY: check
check: lint test ## Everything that must pass before a change is merged: lint and test

.PHONY: format
format: $(DEV_READY) ## Format the code
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

.PHONY: bench
bench: setup ## Run the benchmarks and print their tables
	@for file in $$(grep -l '^if __name__' bench/*.py); do \
		$(RUN) -m "$$(echo "$${file%.py}" | tr / .)" || exit 1; done

.PHONY: picture
picture: setup assets ## Make docs/studio.png again: the studio with a result on synthetic prices, in Chromium
	@$(RUN) -m scripts.studio_picture

LOCK := $(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --custom-compile-command "make lock"

.PHONY: lock
lock: $(DEV_READY) ## Compile requirements*.in to requirements*.txt (UPGRADE=--upgrade for newer versions)
	$(LOCK) $(UPGRADE) --generate-hashes requirements.in -o requirements.txt
	$(LOCK) $(UPGRADE) --generate-hashes requirements-sandbox.in -o requirements-sandbox.txt
	$(LOCK) $(UPGRADE) --generate-hashes requirements-web.in -o requirements-web.txt
	$(LOCK) $(UPGRADE) requirements-dev.in -o requirements-dev.txt

.PHONY: clean
clean: ## Remove generated files: both virtual environments, the packages from npm and all caches
	rm -rf $(VENV) $(BOX_VENV) node_modules .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find src hqg_backtester tests scripts bench examples -name __pycache__ -prune -exec rm -rf {} +
