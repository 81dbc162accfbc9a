# 公数 Gongshu. `make` shows what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PYTHONPATH := $(CURDIR)
SETUP := /usr/bin/env -u PYTHONHOME $(shell test -x /usr/bin/python3 && echo /usr/bin/python3 || echo python3) -m deploy.embedded
HOUSE := .venv/bin/python -m deploy.embedded
export GONGSHU_PORT

.PHONY: help demo stop test test-unit check bench setup setup-tests

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: setup ## set up, start every part, carry the whole journey, stay up (FRESH=1 starts over)
	@.venv/bin/python -m demo $(if $(FRESH),--fresh)

stop: ## stop every part that this checkout started, nothing else; the state is kept
	@if [ -x .venv/bin/python ]; then $(HOUSE) stop; else echo "Nothing of this checkout was running."; fi

test: setup-tests ## set up what is missing, then all tests
	@.venv/bin/python -m pytest tests

test-unit: setup-tests ## the tests that need no servers, in under a minute
	@.venv/bin/python -m pytest tests/unit tests/architecture

check: setup-tests ## format, lint, types, import contract, Rego, docs
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.tools/bin/opa fmt --fail --list policies
	@.tools/bin/opa check --bundle --strict policies
	@.tools/bin/opa test --bundle policies

bench: setup-tests ## the benchmarks, each a ratio against its plain counterpart
	@.venv/bin/python -m bench
	@.venv/bin/python -m bench.spawn

setup: ## fetch what is missing, nothing else
	@$(SETUP) setup

setup-tests:
	@$(SETUP) setup --tests
