# `make run` and `make test` need only Python 3.11 or later, git and make.
PYTHON ?= python3
# A start without compiled sources takes four times as long, and the tests start the program often.
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check format screenshots clean

run: $(VENV)/.installed
	$(BIN)/isexplore practice

test: $(VENV)/.tested
	$(BIN)/python -m pytest -n auto --dist worksteal -q

check: $(VENV)/.checked
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.checked
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Makes the pictures of README.md anew.
screenshots: $(VENV)/.tested
	$(BIN)/python scripts/screenshots.py
	$(BIN)/python scripts/readme_tables.py

# The stamps depend on pyproject.toml, so that a new dependency is installed by the next `make`.
$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "isexplore needs Python 3.11 or later; try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo 'Installing isexplore and its libraries into $(VENV): about half a minute, once.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	$(BIN)/python -m compileall -q $(VENV)/lib src
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group test
	touch $@

$(VENV)/.checked: $(VENV)/.tested
	$(BIN)/python -m pip install --quiet --group check
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
