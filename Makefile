# Every command a contributor needs. `make` alone lists them.

PYTHON ?= python3
SERVER ?= embedded
WORKERS ?= auto
ARGS ?=

venv := .venv
bin := $(venv)/bin
stamp := $(venv)/.ready

# Each worker takes its share of the tests in their order, and then half of what another has left.
pytest = PGWALLET_TEST_SERVER='$(SERVER)' $(bin)/python -m pytest
parallel := -n '$(WORKERS)' --dist worksteal
# A run of everything leaves whole systems to CI and to test-all; asked for by name they run.
some := $(if $(CI)$(findstring tests/,$(ARGS)),,-m 'not whole')

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The tests start hundreds of Pythons, all quicker with their caches.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-cluster test test-all test-sql test-cluster test-deep test-faults mutants bench bench-quick docs reference diagrams lint format currencies schema dist clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  PYTHON=python3.13       the Python that .venv is made from'
	@echo '  SERVER=system           the PostgreSQL that tests use: embedded, embedded-16, system,'
	@echo '                          testcontainers:IMAGE or a connection string'
	@echo '  WORKERS=4               how many processes share the tests, each with a server of its own;'
	@echo '                          auto: one for each core; 0: none but pytest itself, as for --pdb'
	@echo '  ARGS="-k pledge -x"     more arguments for pytest'

setup: $(stamp) ## make .venv with everything needed (the targets below do it themselves)

demo: $(stamp) ## run the main job on an embedded server and show what happens
	@$(bin)/pgwallet demo

demo-cluster: $(stamp) ## show four shards and a router, on an installed PostgreSQL with PL/Proxy
	@$(bin)/python examples/cluster_demo.py

test: $(stamp) ## run the tests on SERVER, PostgreSQL 18 by default (5 minutes on two cores)
	@$(if $(some),echo 'Those of whole systems are left out: make test-all runs them too.')
	@$(pytest) $(parallel) $(some) $(ARGS)

test-all: $(stamp) ## run these and those of whole systems: clusters, wheels, sites (9 minutes)
	@$(pytest) $(parallel) $(ARGS)

test-sql: $(stamp) ## run only the tests of what the database promises, on SERVER
	@$(pytest) $(parallel) -m sql $(ARGS)

test-cluster: $(stamp) ## run the same tests through a router over four shards: what it promises (15 minutes)
	@PGWALLET_TEST_SERVER=cluster $(bin)/python -m pytest $(parallel) $(ARGS)

test-deep: $(stamp) ## hold the ledger against its model in 2,000 examples (20 minutes)
	@PGWALLET_MODEL_EXAMPLES=2000 $(pytest) tests/model -rP --show-capture=stdout $(ARGS)

test-faults: $(stamp) ## crash servers, clients and connections 100 times each, a cluster 200 times (half an hour)
	@PGWALLET_FAULTS=100 PGWALLET_CLUSTER_FAULTS=200 PGWALLET_CLUSTER_CUTS=1000 \
	  PGWALLET_CLUSTER_STORM=60 $(pytest) $(parallel) tests/faults \
	  tests/cluster/test_killed.py tests/cluster/test_cut_off.py \
	  tests/cluster/test_storm_of_crashes.py $(ARGS)

mutants: $(stamp) ## break the functions one by one and see that a test notices (an hour)
	@PGWALLET_TEST_SERVER='$(SERVER)' $(bin)/python -m tests.mutants.run $(ARGS)

bench: $(stamp) ## measure everything and write it into docs/performance (half an hour)
	@$(bin)/python -m bench --into docs/performance $(ARGS)

bench-quick: $(stamp) ## measure less of it, and write nothing (2 minutes)
	@$(bin)/python -m bench --quick $(ARGS)

docs: $(stamp) ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(bin)/python -m mkdocs build --strict

reference: $(stamp) ## write the references again, from the catalog and the commands' help
	$(bin)/python -m docs.generating.sql_reference > reference.tmp
	mv reference.tmp docs/reference/sql.md
	$(bin)/python -m docs.generating.command_line > reference.tmp
	mv reference.tmp docs/reference/command-line.md
	$(bin)/python -m docs.generating.states > reference.tmp
	mv reference.tmp docs/concepts/states.md

# Only who changes a diagram needs this: npm, and a chromium.
diagrams: $(stamp) ## draw docs/diagrams/*.svg again from the .mmd beside them
	@npm install --silent --no-save --prefix $(venv)/diagrams mermaid@11.17.2
	@$(bin)/python -m docs.generating.diagrams $(venv)/diagrams/node_modules/mermaid/dist/mermaid.min.js

lint: $(stamp) ## check format, code, types and SQL
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/sqlfluff lint db/cluster db/migrations db/procedures

format: $(stamp) ## format the Python and sort its imports
	$(bin)/ruff check --select I --fix .
	$(bin)/ruff format .

currencies: $(stamp) ## write the migration of ISO 4217 currencies again
	$(bin)/python db/generate_currencies.py > currencies.tmp
	mv currencies.tmp db/migrations/0001_currencies.sql

schema: $(stamp) ## write db/schema.sql and .json again, what an installation has now
	$(bin)/python db/generate_schema.py

dist: $(stamp) ## build the sdist and the wheel into dist/
	$(bin)/python -m build

clean: ## remove .venv and everything built or cached
	rm -rf $(venv) dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# pip is upgraded first because dependency groups need 25.1.
$(stamp): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("pgwallet needs Python 3.11 or newer; try make PYTHON=python3.13" if sys.version_info < (3, 11) else 0)'
	@echo 'Setting up $(venv); the first time takes about a minute.'
	@$(PYTHON) -m venv $(venv)
	@$(bin)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(bin)/python -m pip install --quiet --editable '.[all]' --group dev
	@touch $(stamp)
