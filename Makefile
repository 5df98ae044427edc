# Every target sets up what it needs by itself; `make help` lists them.
.DEFAULT_GOAL := help
READY := .venv/.anchorwatch-ready
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): pyproject.toml uv.lock deploy/dev/setup
	@deploy/dev/setup

.PHONY: setup
setup: $(READY) ## Make .venv with the anchorwatch command in it

.PHONY: demo
demo: setup ## Watch three databases drift and heal on this machine
	@.venv/bin/anchorwatch demo

.PHONY: lint
lint: setup ## Check style, formatting and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

.PHONY: format
format: setup ## Rewrite the code as the formatter wants it
	.venv/bin/ruff check --fix-only -q .
	.venv/bin/ruff format .

.PHONY: docs
docs: setup ## Write the pages that are made from the code
	.venv/bin/python docs/build.py

.PHONY: test
test: lint ## Run what continuous integration runs
	.venv/bin/pytest -m "not long" -n 2 --dist loadscope

.PHONY: test-long
test-long: setup ## Run the campaigns too, on every PostgreSQL major
	.venv/bin/pytest -m long --timeout 1800

.PHONY: bench
bench: setup ## Print our snapshot beside pg_dump, reflection and alembic, as ratios
	.venv/bin/python bench/snapshot.py
