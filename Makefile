# Every target sets up what it needs by itself; `make help` lists them.
.DEFAULT_GOAL := help
READY := .venv/.anchorwatch-ready
MAJORS := 14 15 16 17 18
# What a server's version may change; tests of pure values are the same on every one.
COMPARISON := tests/checks tests/cli/test_at_once.py \
	$(addprefix tests/sources/test_,$(addsuffix .py,cases catalog catalog_scope catalog_texts expected \
	extensions lookalikes models oracle owners pgbouncer reading rebuild scope scoped_cases selftest shadow standby)) \
	tests/watch/test_inspection.py tests/watch/test_migrating.py tests/watch/test_waivers.py
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Tests start hundreds of interpreters: what they import is compiled once, whatever the machine says.
unexport PYTHONDONTWRITEBYTECODE

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

.PHONY: observe
observe: setup ## Watch the demonstration with a real Prometheus and Alertmanager
	@.venv/bin/python deploy/dev/observe.py

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
docs: setup ## Write the pages and the dashboards that are made from the code
	.venv/bin/python docs/build.py
	.venv/bin/python grafana/build.py

# Three at a time on two processors: many tests wait for a server or a clock. In the order they are
# shuffled into: sorted by their number, the slowest modules would come last, and one by one.
.PHONY: test
test: lint ## Run what continuous integration runs
	.venv/bin/pytest -m "not long" -n 3 --dist loadscope --no-loadscope-reorder

.PHONY: test-long
test-long: majors ## Run the comparison on every PostgreSQL major, the laws with new examples, and the campaigns
	@for major in $(MAJORS); do \
	  echo "comparison on PostgreSQL $$major"; \
	  ANCHORWATCH_TEST_POSTGRES=$$major .venv/bin/pytest -q -n 2 --dist loadscope -m "not long" $(COMPARISON) || exit 1; \
	done
	.venv/bin/pytest -q -n 2 --dist loadscope -m "not long" --hypothesis-profile campaign --timeout 3600 tests/core tests/config
	.venv/bin/pytest -m long --timeout 3600

.PHONY: majors
majors: setup ## Install the programs of every PostgreSQL major for tests
	@for major in $(MAJORS); do .venv/bin/anchorwatch doctor --install-postgres $$major >/dev/null; done

.PHONY: bench
bench: setup ## Print our snapshot, count of orphans and scrape beside their peers, as ratios
	.venv/bin/python bench/snapshot.py
	.venv/bin/python bench/orphans.py
	.venv/bin/python bench/scrape.py
