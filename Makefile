# Two commands do everything: `make demo` starts the product with the simulated company,
# `make test` runs every test. Both set up what they need in .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MARK := .make
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
CONSOLE_SOURCES := $(shell find console -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
PYTEST := $(BIN)/python -m pytest
WORKSPACE ?= ./tilth-demo

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint bench lock console openapi clean

help:
	@echo "make demo    set up, simulate a company, import it and serve the console"
	@echo "make test    set up and run every test (lint, types, Python, console, browser)"
	@echo "make bench   measure against named peers on the same data in the same run"
	@echo "make lint    format check, lint, types and the layer order"

# -- set-up ---------------------------------------------------------------------------------------

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Tilth needs Python 3.11 or newer, found " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(MARK)/base: requirements.lock pyproject.toml | $(BIN)/python
	@mkdir -p $(MARK)
	$(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(MARK)/dev: requirements-dev.lock $(MARK)/base
	$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	@touch $@

# Node of the machine when it is new enough, else the one from the Python package index.
$(MARK)/node: requirements-node.lock | $(BIN)/python
	@mkdir -p $(MARK)
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null && npm --version >/dev/null 2>&1 \
	  || $(BIN)/python -m pip install -q --require-hashes -r requirements-node.lock
	@touch $@

$(MARK)/npm: console/package-lock.json $(MARK)/node
	cd console && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(MARK)/console: $(CONSOLE_SOURCES) $(MARK)/npm
	cd console && npm run --silent build
	@touch $@

console: $(MARK)/console

# Playwright can fetch a browser of its own where there is none; where it cannot, the browser tests
# are skipped by name and say why.
$(MARK)/browser: $(MARK)/dev
	@$(BIN)/python -m tests.browser.chromium || $(BIN)/python -m playwright install chromium >/dev/null 2>&1 \
	  || echo "no Chromium found and none could be fetched: browser tests will be skipped"
	@touch $@

# -- the product ----------------------------------------------------------------------------------

demo: $(MARK)/base $(MARK)/console
	$(BIN)/tilth demo --workspace $(WORKSPACE)

# -- checks ---------------------------------------------------------------------------------------

lint: $(MARK)/dev $(MARK)/npm
	$(BIN)/ruff format --check src tests bench hatch_build.py
	$(BIN)/ruff check src tests bench hatch_build.py
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd console && npm run --silent typecheck && npm run --silent lint

test: lint $(MARK)/console $(MARK)/browser
	cd console && npm run --silent test
	$(PYTEST) -m "not slow" -n 2 --dist loadfile

test-slow: $(MARK)/dev $(MARK)/console
	$(PYTEST) -m slow

bench: $(MARK)/dev
	$(BIN)/python -m bench

# -- upkeep ---------------------------------------------------------------------------------------

# The OpenAPI document and the console's types made from it.
openapi: $(MARK)/base $(MARK)/npm
	$(BIN)/python -m tilth.server.openapi > console/src/api/openapi.json
	cd console && npm run --silent api

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q
lock:
	$(LOCK) pyproject.toml --extra build -o requirements.lock
	$(LOCK) pyproject.toml --extra build --extra dev --extra bench --extra sdks -c requirements.lock -o requirements-dev.lock
	$(LOCK) requirements-node.in -o requirements-node.lock

clean:
	rm -rf $(VENV) $(MARK) console/node_modules src/tilth/server/static tilth-demo
