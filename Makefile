# `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two workers: with three, on two cores, the suite took longer and waits timed out.
WORKERS ?= 2

.DEFAULT_GOAL := help

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.PHONY: help install demo up down test check format bench bench-relevance bench-understanding soak lock client

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

soak: install ## Long: engines and renting at random, races, kill -9, outages, faults at a site
	RIDES_SOAK=1000 $(BIN)/pytest --timeout=3600 tests/bookings/test_state_machine.py
	RIDES_SOAK=200 $(BIN)/pytest --timeout=3600 tests/bookings/test_races_over_http.py
	RIDES_SOAK=1 $(BIN)/pytest --timeout=1800 tests/bookings/test_kill9.py
	RIDES_SOAK=14000 $(BIN)/pytest --timeout=3600 tests/search/test_engines.py
	RIDES_SOAK=4000 $(BIN)/pytest --timeout=3600 tests/search/test_engines_by_text.py
	RIDES_SOAK=3000 $(BIN)/pytest --timeout=3600 tests/search/test_metamorphic.py
	RIDES_SOAK=1 $(BIN)/pytest -s --timeout=1800 tests/search/test_outage.py
	RIDES_SOAK=40 $(BIN)/pytest -s --timeout=1800 tests/indexer/test_faults.py
	$(BIN)/python -m bench outage --vehicles 5000

check: install ## Format, lint, types, rooms, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.check_migrations

format: install ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install ## Measure everything beside its baseline; fails when a promise is broken
	$(BIN)/python -m bench

bench-relevance: install ## Judge the order of results against plain BM25
	$(BIN)/python -m bench relevance

bench-understanding: install ## Precision, recall and time of reading filters out of text
	$(BIN)/python -m bench understanding

client: install ## Renew the TypeScript client from what the API says now
	$(BIN)/rides openapi > clients/typescript/openapi.json
	cd clients/typescript && npm ci && npm run build

lock: ## Pin the newest versions that pyproject.toml allows, with hashes
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal \
	  --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" -o requirements/runtime.txt
	$(VENV)-lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --all-extras \
	  --python-version 3.11 --generate-hashes \
	  -c requirements/runtime.txt --custom-compile-command "make lock" -o requirements/dev.txt
	$(VENV)-lock/bin/uv pip compile requirements/pgsync.in --quiet --upgrade --universal \
	  --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" -o requirements/pgsync.txt
	rm -r $(VENV)-lock
