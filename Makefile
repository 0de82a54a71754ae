# What a person does here, each a verb. Needs Python >= 3.11 with venv, git and make.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help install serve test check format bench lock clean

help: ## List the verbs.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

install: .venv/runtime ## Make .venv from the lock file.

.venv/runtime: requirements/build.txt requirements/runtime.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

.venv/dev: .venv/runtime requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

serve: .venv/runtime ## Serve on http://127.0.0.1:3000 with the embedded store. ARGS="--listen … --data …" changes that.
	@exec $(BIN)/phaleron serve $(ARGS)

test: .venv/dev ## Run every test that can run on this machine; what cannot is named at the end. ARGS="tests/unit" runs a part.
	$(BIN)/pytest $(ARGS)

check: .venv/dev ## Formatting, lint, strict types, import rules.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/dev ## Let ruff format and mend.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev ## Measure beside plain Go and nginx, and write bench/RESULTS.md.
	$(BIN)/python -m bench all $(ARGS)

lock: .venv/dev ## Resolve the dependencies anew, with hashes.
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header requirements/build.in -o requirements/build.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --extra dev pyproject.toml -o requirements/dev.txt

clean: ## Remove what the other verbs made.
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
