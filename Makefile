# `make run` and `make test` need Python 3.11 or later, with venv, and nothing else.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
UV := UV_SYSTEM_CERTS=1 $(BIN)/uv
LOCKS := requirements.lock $(wildcard requirements-data.lock)

.PHONY: run test lint types contracts prove bench screenshots docs lock clean

run: $(READY)
	@exec $(BIN)/tradesense up

# Without a browser its tests say what is missing: the others need none.
test: $(READY)
	@$(BIN)/python -m tests.browser.chromium || true
	$(BIN)/pytest -n 2

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/squawk infrastructure/migrations/*.sql

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

# The same tests with the full counts of the published guarantees; takes long. What the
# proofs have counted and measured stands in prove.log, under "figures".
prove: $(READY)
	@$(BIN)/pytest -n 2 --full > prove.log 2>&1; \
	status=$$?; tail -n 40 prove.log; exit $$status

# `make bench NAME=journal` measures what begins so; without a name, everything.
bench: $(READY)
	$(BIN)/python -m benchmarks $(NAME)

# Pictures of what `make run` shows, for docs/images.
screenshots: $(READY)
	$(BIN)/python -m tests.browser.screenshots

# What is written from the code; a test fails while it says something else.
docs: $(READY)
	$(BIN)/python -m tests.docs.events_page
	$(BIN)/python -m tests.docs.commands_page

lock: $(READY)
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-header -q -o requirements.lock

# Everything that can be made again, and the data of development with it.
define DISCARD
from pathlib import Path
from infrastructure.embedded.servers import discard
discard(Path(".tradesense"))
endef
export DISCARD

clean:
	@if [ -d .tradesense ] && [ -x $(BIN)/python ]; then $(BIN)/python -c "$$DISCARD"; fi
	rm -rf .tradesense .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		build dist logs prove.log *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs in seconds; where it does not run, pip does the same more slowly.
$(READY): $(LOCKS) pyproject.toml
	@test -n "$(PYTHON)" || { echo "TradeSense needs Python 3.11 or later, with venv."; exit 1; }
	$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.lock || true
	@if $(UV) --version > /dev/null 2>&1; \
	then install="$(UV) pip install -q --python $(BIN)/python"; \
	else install="$(BIN)/pip install -q --disable-pip-version-check"; fi; \
	set -e; for lock in $(LOCKS); do \
		env $$install --no-deps --require-hashes -r $$lock; done; \
	env $$install --no-deps -e .
	@touch $@
