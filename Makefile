# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every command: `make help`. tools/bootstrap makes what they need, and is quick when it is there.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
PY := PYTHONPATH=tools:tests .venv/bin/python

.PHONY: help demo test lint unit sanity molecule soak bench collection testbed-up testbed-down clean ready ready-testbed

help: ## these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

ready:
	@tools/bootstrap

ready-testbed:
	@tools/bootstrap --testbed

demo: ready-testbed ## starts the testbed, runs the main job end to end and says what happened
	@tools/demo

test: ## everything that CI runs; ends with a line "N passed, N failed"
	@tools/test

lint: ready ## style, types, docs and metadata
	@$(PY) -m gates lint

unit: ready ## the unit tests, on the host's oldest Python too where there is one
	@$(PY) -m gates unit

sanity: ready ## ansible-test sanity
	@$(PY) -m gates sanity

molecule: ready-testbed ## the scenarios; S=NAME runs one
	@tools/molecule $(S)

soak: ready-testbed ## the long matrices of kills and faults; S=NAME, SEED=N
	@tools/soak $(if $(S),--scenario $(S)) $(if $(SEED),--seed $(SEED))

bench: ready-testbed ## the benchmark, into build/bench.json; CASES=NAME,NAME runs a part
	@$(PY) -m bench $(if $(CASES),--cases $(CASES))

collection: ready ## the collection as users get it, under build/installed
	@$(PY) -m gates collection

testbed-up: ready-testbed ## hosts, left running to play with; HOSTS=N, SERVERS=N
	@$(PY) -m testbed up $(if $(HOSTS),--hosts $(HOSTS)) $(if $(SERVERS),--servers $(SERVERS))

testbed-down: ready ## stops them
	@$(PY) -m testbed down

clean: ## stops the testbed and removes what was built (.venv stays)
	@tools/clean
