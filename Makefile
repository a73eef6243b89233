# What can be done here. Every target makes .venv ready first: nothing has to be installed by hand.

.DEFAULT_GOAL := help
.PHONY: help demo test bench differential explore check lint-fix proto lock clean runtime dev
MAKEFLAGS += --no-print-directory

PYTHON_HERE := .venv/bin/python

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r target words; do \
		printf '  make %-13s %s\n' "$$target" "$$words"; done

demo: runtime ## the guided tour: three simulated Docker hosts on this machine
	@.venv/bin/shoal demo

test: dev ## all tests; some of them: make test ARGS="tests/wire -k vxlan"
	@$(PYTHON_HERE) -m pytest $(ARGS)

bench: dev ## measure; one measurement: make bench ONLY=datapath; into docs/: make bench DOCS=1
	@$(PYTHON_HERE) -m tests.bench $(ONLY) $(if $(DOCS),--docs)

differential: dev ## compare with a real Docker engine, as root; one script: make differential ONLY=ports
	@$(PYTHON_HERE) -m tests.differential $(ONLY) $(ARGS)

explore: dev ## plant defects, and play seeds until the invariants find each; one: make explore ONLY=reply-lost
	@$(PYTHON_HERE) -m tests.defects $(if $(ONLY),--only $(ONLY)) $(ARGS)

check: dev ## lint, format, types, the floor plan, and that generated code is current
	@echo "ruff check";        $(PYTHON_HERE) -m ruff check --quiet .
	@echo "ruff format";       $(PYTHON_HERE) -m ruff format --quiet --diff .
	@echo "mypy --strict";     $(PYTHON_HERE) -m mypy --no-error-summary
	@echo "import-linter";     .venv/bin/lint-imports --no-logo
	@echo "generated code";    $(PYTHON_HERE) proto/generate.py --check

lint-fix: dev ## let ruff format, and correct what it can
	@$(PYTHON_HERE) -m ruff check --fix .
	@$(PYTHON_HERE) -m ruff format .

proto: dev ## generate node/rpc from proto/
	@$(PYTHON_HERE) proto/generate.py

lock: ## lock what pyproject.toml asks for; newer versions of all: make lock ARGS=--upgrade
	@sh requirements/compile.sh $(ARGS)

clean: ## remove .venv and everything that was made
	@rm -rf .venv build dist bench-results *.egg-info .*_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@sh requirements/setup.sh runtime

dev:
	@sh requirements/setup.sh dev
