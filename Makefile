# make demo       a company of its own in .demo/, planned from ledger to drafted orders; needs Python and make only
# make test       linters, types, import contracts and every test that needs no bench
# make test-site  the tests that need a site: BENCH=~/frappe-bench SITE=test.localhost (the app must be installed there)

PYTHON ?= python3
BENCH  ?= $(HOME)/frappe-bench
SITE   ?= test.localhost
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint types contracts pytest test-site clean
.DELETE_ON_ERROR:

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[embedded]'
	touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/installed-demo

demo: $(VENV)/installed-demo
	rm -rf .demo && mkdir -p .demo
	$(BIN)/erp-forecast --db .demo/demo.sqlite demo create
	$(BIN)/erp-forecast --db .demo/demo.sqlite run
	$(BIN)/erp-forecast --db .demo/demo.sqlite report --html .demo/report.html

test: lint types contracts pytest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

contracts: $(VENV)/installed-dev
	$(BIN)/lint-imports

# A process per core, files kept whole for their fixtures; the trees of boosting then need no threads of their own.
pytest: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile

test-site:
	$(PYTHON) tests/run_site_tests.py --bench $(BENCH) --site $(SITE)

clean:
	rm -rf $(VENV) .demo .cache dist build .mypy_cache .ruff_cache
