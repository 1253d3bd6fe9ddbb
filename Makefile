.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

help: ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'

run: $(VENV)/app ## install what the app needs and open it
	$(BIN)/streamlit run app.py

test: $(VENV)/dev chromium postgresql ## install what the tests need, Chromium and PostgreSQL included, and run them all
	$(PYTEST) $(TESTS)

slow: $(VENV)/dev chromium postgresql ## run only the tests that take longer
	$(PYTEST) -m check $(TESTS)

check: test slow ## run all tests, those that take longer too

live: $(VENV)/dev chromium ## a whole lesson with a teacher and three phones; needs a machine that does nothing else
	$(BIN)/python -m pytest -m live tests/test_classroom.py

bench: $(VENV)/dev chromium postgresql ## measure the budgets; prints a table, writes build/bench.json
	$(BIN)/python -m tests.bench

pictures: $(VENV)/dev chromium ## make the pictures of terms that have changed, in static/pictures
	$(BIN)/python -m edition.pictures

numbers: $(VENV)/app ## compute the numbers of examples and tables that have changed, in static/numbers.json
	$(BIN)/python -m edition.numbers

lint: $(VENV)/dev ## check the form and the types of Python and JavaScript, and mend what can be mended
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest --durations=0 tests/test_javascript.py

new: ## make a playground from the template: make new NAME=label_smoothing
	@$(PYTHON) -m templates.new "$(NAME)"

clean: ## remove everything that was made
	rm -rf $(VENV) build static/made/* .pytest_cache .ruff_cache .mypy_cache .hypothesis tests/javascript/node_modules

postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q postgresql; } \
	  || echo "PostgreSQL is missing and cannot be installed here: rooms are tested against SQLite alone."

chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -q && apt-get install -y -q chromium; } \
	  || echo "Chromium is missing and cannot be installed here: the browser tests are skipped."

$(VENV)/app: requirements.txt | $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt && touch $@

$(VENV)/dev: requirements.txt requirements-dev.txt | $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt && touch $@

$(VENV):
	$(PYTHON) -m venv $(VENV)

.PHONY: help run test slow check live bench pictures numbers lint new clean chromium postgresql
