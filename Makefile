# Two commands matter: `make demo` and `make test`. Each makes .venv itself when it is not there.
PY ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# The tests start hundreds of processes, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test slow databases lint types docs bench chdb importers clean

demo: $(STAMP)
	$(BIN)/tracker demo

test: $(STAMP)
	$(BIN)/python -m pytest

# Operations of the API are tests of one name, of which a worker beside others would run the last alone.
slow: $(STAMP)
	$(BIN)/python -m pytest -m slow --ignore tests/e2e/test_http_schemathesis.py
	$(BIN)/python -m pytest -m slow -n 0 tests/e2e/test_http_schemathesis.py

# What a database can make a difference to, and properties with many more examples; servers run on a
# SQLite file anyway.
databases: $(STAMP)
	TEST_TRIES=5 TEST_DATABASE_URL=sqlite:///$$(mktemp -d)/test.db $(BIN)/python -m pytest -q \
	    tests/contract tests/property tests/migrations tests/service/test_scalars_clickhouse.py
	$(BIN)/python -m tests.databases $(BIN)/python -m pytest -q \
	    tests/contract tests/migrations tests/e2e tests/service/test_library.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/python -m pytest tests/docs

bench: $(STAMP)
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# The stamp makes a second run quick and offline; it is older than the files that change what is installed.
$(STAMP): pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
	    set -e; \
	    test -x $(BIN)/python || uv venv --quiet --python '>=3.11' .venv; \
	    uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --group dev --editable .; \
	else \
	    set -e; \
	    test -x $(BIN)/python || $(PY) -m venv .venv; \
	    $(BIN)/python -m pip --version | grep -qE '^pip (2[6-9]|[3-9][0-9]|25\.[1-9])' \
	        || $(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'; \
	    $(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .; \
	fi
	@touch $@

# The embedded ClickHouse is 800 MB: without it the tests of the ClickHouse store are skipped.
chdb: $(STAMP)
	@if command -v uv >/dev/null 2>&1; then \
	    uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --group chdb; \
	else \
	    $(BIN)/python -m pip install --quiet --constraint constraints.txt --group chdb; \
	fi

# The tools whose files are imported write them in the tests, in an environment of their own: they bring
# 100 packages, some of which would be other versions than those that tracker is tested with.
importers: pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
	    set -e; \
	    test -x .venv-importers/bin/python || uv venv --quiet --python '>=3.11' .venv-importers; \
	    uv pip install --quiet --python .venv-importers/bin/python --constraint constraints.txt --group importers --editable .; \
	else \
	    set -e; \
	    test -x .venv-importers/bin/python || $(PY) -m venv .venv-importers; \
	    .venv-importers/bin/python -m pip --version | grep -qE '^pip (2[6-9]|[3-9][0-9]|25\.[1-9])' \
	        || .venv-importers/bin/python -m pip install --quiet --upgrade 'pip>=25.1'; \
	    .venv-importers/bin/python -m pip install --quiet --constraint constraints.txt --group importers --editable .; \
	fi
	.venv-importers/bin/python -m pytest tests/importers

clean:
	rm -rf .venv .venv-importers dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
