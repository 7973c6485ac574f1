# `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two workers: the suite is made to pass in under 12 minutes on two cores.
WORKERS ?= 2

.DEFAULT_GOAL := help

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.PHONY: help install demo up down test check types format bench bench-relevance lock bench-understanding soak

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## Create the environment

demo: install ## From clone to a running marketplace; Ctrl-C stops everything
	@exec $(BIN)/rides demo

up: install ## Start the servers and leave them running for the daily loop
	@$(BIN)/rides up

down: install ## Stop what `make up` started
	@$(BIN)/rides down

test: check ## All checks, then all tests on real servers
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

check: install ## Format, lint, types, rooms, migrations
soak: install ## The random comparison of both search engines, ten times as long
	RIDES_SOAK=14000 $(BIN)/pytest --timeout=3600 tests/search/test_engines.py
	RIDES_SOAK=4000 $(BIN)/pytest --timeout=3600 tests/search/test_engines_by_text.py

check: install ## Format, lint, types, rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.check_migrations

format: install ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install ## Measure search and reindexing side by side with their baselines
	$(BIN)/python -m bench

bench-relevance: install ## Judge the order of results against plain BM25
	$(BIN)/python -m bench relevance
bench-understanding: install ## Precision, recall and time of reading filters out of text
	$(BIN)/python -m bench understanding

lock: ## Pin the newest versions that pyproject.toml allows, with hashes
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal \
	  --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" -o requirements/runtime.txt
	$(VENV)-lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --all-extras \
	  --python-version 3.11 --generate-hashes \
	  -c requirements/runtime.txt --custom-compile-command "make lock" -o requirements/dev.txt
	rm -r $(VENV)-lock
