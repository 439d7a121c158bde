# SPDX-License-Identifier: Apache-2.0
# Everything a newcomer needs. Each target sets up what it needs first.

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests build demo demo-check bench test test-python format format-check clean

help: ## Shows this list.
	@echo "Reparto. Targets:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## Checks for Swift, libpq and PostgreSQL, and installs the last two where they are missing (Debian, Ubuntu).
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh --tests

build: setup ## Builds dispatcherd and agentsim in release mode.
	swift build -c release

# Before the build, which takes minutes.
demo-check:
	@scripts/demo.sh --check

demo: demo-check build ## Runs one month of 200,000 accounts, from the cut to the statements.
	@scripts/demo.sh

bench: build ## Measures against what others do; BENCH=name picks one case, BENCH_FLAGS='--quick --json' (docs/performance.md).
	@scripts/bench.sh

test: setup-tests ## Builds and runs all tests against a throwaway PostgreSQL of their own, and the Python client's against the protocol's document.
	@scripts/test.sh
	@REPARTO_BIN=$(CURDIR)/.build/debug clients/python/test.sh test_connection test_document test_events test_link test_proof test_state test_wire

test-python: build ## All tests of the Python client, those against a running daemon included.
	@clients/python/test.sh

format: ## Formats the sources in place.
	swift format --in-place --recursive --parallel Sources Tests Package.swift

format-check: ## Checks the format of the sources.
	@scripts/format-check.sh

clean: ## Stops what was started from here, and removes everything but the sources.
	@scripts/clean.sh
