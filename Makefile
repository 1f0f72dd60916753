# Two commands matter: `make demo` and `make test`. Each makes .venv itself when it is not there.
PY ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# The tests start hundreds of processes, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test slow databases lint types docs bench chdb integrations clean

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

# The libraries that tracker fits into, in an environment of their own: 2.5 GB, most of it torch. Where pip
# finds no build of torch for the processor alone, it takes one for GPUs of several GB more.
integrations: pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
	    set -e; \
	    test -x .venv-integrations/bin/python || uv venv --quiet --python '>=3.11' .venv-integrations; \
	    uv pip install --quiet --python .venv-integrations/bin/python --constraint constraints.txt --group integrations --editable .; \
	else \
	    set -e; \
	    test -x .venv-integrations/bin/python || $(PY) -m venv .venv-integrations; \
	    .venv-integrations/bin/python -m pip --version | grep -qE '^pip (2[6-9]|[3-9][0-9]|25\.[1-9])' \
	        || .venv-integrations/bin/python -m pip install --quiet --upgrade 'pip>=25.1'; \
	    .venv-integrations/bin/python -m pip install --quiet --constraint constraints.txt --group integrations --editable .; \
	fi
	.venv-integrations/bin/python -m pytest -W default -m '' tests/integrations tests/docs/test_integrations_guide.py

clean:
	rm -rf .venv .venv-integrations dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
