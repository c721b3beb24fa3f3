# The verbs of this repository. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
AXE := node_modules/axe-core/axe.min.js

.DEFAULT_GOAL := help
.PHONY: help setup demo test fast lint types format env env-seed bench pictures exports-full docs site wheel clean axe

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

setup: $(READY) ## make the virtual environment .venv with convertkit in it

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "convertkit needs Python 3.10 or later; say make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing; on Debian: apt install python3-venv"; exit 1; }
	@echo "installing convertkit and its dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.ready-dev: $(READY)
	@echo "installing the development tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@# ncnn asks for opencv-python, which would stand beside the headless one; a test is skipped where it is absent
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps ncnn || echo "no ncnn for this platform"
	@touch $@

demo: setup ## build the embedded model for the CPU, measure it, print the ladder of accuracies
	@VENV="$(VENV)" PATH="$(abspath $(BIN)):$$PATH" sh bench/demo.sh

test: $(VENV)/.ready-dev lint types env axe ## set up and run everything, the slow tier and the export environments included
	@$(BIN)/convertkit env build models/maskrcnn --env seed || echo "no environment seed: its tests are skipped"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

axe: $(AXE) ## fetch axe-core, by npm, for the tests of HTML pages

$(AXE): # for the tests of HTML pages, which are skipped without it
	@npm install --prefix . --no-save --no-package-lock --no-audit --no-fund --silent --fetch-retries 1 axe-core@4.14.1 \
	  || echo "no axe-core: npm is not here, or does not get it"

fast: $(VENV)/.ready-dev ## the tests that take less than a third of a second each, on all cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not export" -n auto --maxprocesses 8 --dist worksteal

lint: $(VENV)/.ready-dev ## style, import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: $(VENV)/.ready-dev ## the strict type checker
	$(BIN)/mypy

format: $(VENV)/.ready-dev ## rewrite the sources in the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

env: setup ## build the export environment (torch, mmcv-full, mmdet: about 15 minutes, once per machine)
	$(BIN)/convertkit env build models/maskrcnn

env-seed: setup ## build the ModelZoo guide's own stack (Python 3.7, mmdet 2.8.0: about 15 minutes, 3 GB)
	$(BIN)/convertkit env build models/maskrcnn --env seed

bench: $(VENV)/.ready-dev env ## every benchmark beside its peer, into bench/results.md: a quarter of an hour
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m bench.all

exports-full: $(VENV)/.ready-dev env ## exporters at their real size, in docs/exports.md; FULL=DIRECTORY takes 6 GB
	@test -n "$(FULL)" || { echo "make exports-full FULL=DIRECTORY: name a directory for the environment and the files" >&2; exit 2; }
	$(BIN)/python -m bench.exports --full "$(FULL)"

pictures: setup ## draw the README's picture anew
	$(BIN)/python -m bench.pictures

docs: setup ## make the tables in docs/ anew
	$(BIN)/python -m tests.ascend.page
	$(BIN)/python -m bench.accuracy
	$(BIN)/python -m bench.yolox
	$(BIN)/python -m bench.exports

site: $(VENV)/.ready-dev ## build the documentation as a site, build/site/README.html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q -b html -c docs/site docs build/site

wheel: $(VENV)/.ready-dev ## build the distribution, dist/*.whl, which pip installs
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove what was built here (not the user's cache)
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
