.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help: ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'

run: $(VENV)/app ## install what the app needs and open it
	$(BIN)/streamlit run app.py

test: $(VENV)/dev chromium ## install what the tests need, Chromium included, and run them all
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(VENV)/dev chromium ## run all tests and those that take longer
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "check or not check" $(TESTS)

bench: $(VENV)/dev chromium ## measure the budgets; prints a table, writes build/bench.json
	$(BIN)/python -m tests.bench

pictures: $(VENV)/dev chromium ## make the pictures of terms that have changed, in static/pictures
	$(BIN)/python -m edition.pictures

lint: $(VENV)/dev ## check the code's form, and mend what can be mended
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

clean: ## remove everything that was made
	rm -rf $(VENV) build static/made/* .pytest_cache .ruff_cache .hypothesis

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

.PHONY: help run test check bench pictures lint clean chromium
