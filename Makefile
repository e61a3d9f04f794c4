# The few commands of this project. Each works in a fresh clone of it, on Debian or its kin.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
PYTHON := $(BIN)/python

.PHONY: help setup demo test lint bench bench-delivery lock clean distclean

help:  ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: .venv/.apt .venv/.python  ## install everything the project needs: apt, Python, toolchain
	@$(PYTHON) -m skerry.toolchain setup
	@$(PYTHON) -m compileall -q src  # so that a start never compiles, even under PYTHONDONTWRITEBYTECODE

# The first two stamps live in .venv, so that removing it starts over.
.venv/.apt: tools/apt-packages.txt tools/setup_apt
	@tools/setup_apt
	@[ -x $(BIN)/pip ] || python3 -m venv --clear .venv
	@touch $@

.venv/.python: pyproject.toml requirements.lock | .venv/.apt
	@echo "setup: installing Python packages into .venv" >&2
	@$(PYTHON) -c 'import sys; sys.exit("Skerry needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## build what it needs, show a pipeline and a build, then open a shell
	@tools/demo

test: setup  ## lint, build the ports, run every test; stops at the first stage that fails
	@$(MAKE) --no-print-directory lint
	@$(BIN)/skerry ports build
	@$(PYTHON) -m pytest

lint: .venv/.python  ## ruff, mypy, the layers between rooms, file sizes
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(PYTHON) tools/sizes.py

bench: setup  ## measure skerry beside native Linux, in the same run
	@$(BIN)/skerry ports build
	@$(PYTHON) -m bench

bench-delivery: setup  ## measure lazy starts of an image beside whole pulls, over a simulated link
	@$(PYTHON) bench/delivery.py

lock:  ## write requirements.lock from what .venv holds of our dependencies
	@$(PYTHON) tools/lock.py >requirements.lock.new && mv requirements.lock.new requirements.lock

clean:  ## remove what tests and tools left in the tree
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist requirements.lock.new
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove .venv and the cache of built programs
	@if [ -x $(PYTHON) ]; then \
	    cache=$$($(PYTHON) -c 'from skerry.toolchain.cache import cache_dir; print(cache_dir())'); \
	    rm -rf -- "$$cache"; \
	fi
	@rm -rf .venv
