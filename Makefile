# Every target makes its own .venv; Python 3.11 to 3.13 and make are all that is needed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PROTOS := $(wildcard proto/nbo/v1/*.proto)

.PHONY: help demo test slow lint check bench proto clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: $(READY) ## Play the simulated telecom end to end: one call, then thousands
	@$(BIN)/nbo demo telco

test: $(READY) ## Run the tests (a few minutes)
	@$(BIN)/python -m pytest --cov --cov-report=term:skip-covered -m "not slow"

slow: $(READY) ## Run the slow tests: both demos from start to end
	@$(BIN)/python -m pytest -m slow

lint: $(READY) ## Style, types, import direction, generated code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python proto/generate.py --check

check: test lint slow ## Everything CI runs

bench: $(READY) ## Measure speed beside a yardstick; prints tables
	@$(BIN)/python tests/bench/run.py

proto: $(READY) ## Generate nbo/v1 from proto/nbo/v1
	@$(BIN)/python proto/generate.py

clean: ## Remove the environment and all state
	rm -rf $(VENV) .nbo

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); \
	  sys.exit(0 if ok else "nbo needs Python 3.11 to 3.13; this is %d.%d. Try: make PYTHON=python3.12 demo" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv 2>/dev/null || true
	@{ test -x $(BIN)/uv && $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev,all]'; } \
	  || $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,all]'
	@touch $@
