# Two commands matter: `make demo` and `make test`. Each makes .venv itself when it is not there.
PY ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# The tests start hundreds of processes, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test backend-test backend-unit-test backend-int-test slow databases lint types docs bench chdb importers integrations ray clean

demo: $(STAMP)
	$(BIN)/tracker demo

test: $(STAMP)
	$(BIN)/python -m pytest

# The tests of evaluation, by the names that people of the other evaluation backend know.
EVALUATION_UNIT := tests/unit/evaluation tests/property/evaluation tests/service/evaluation
EVALUATION_INT := $(wildcard tests/e2e/test_http_evaluation*.py tests/e2e/test_evaluat*.py)

backend-test: backend-unit-test backend-int-test

backend-unit-test: $(STAMP)
	$(BIN)/python -m pytest $(EVALUATION_UNIT)

backend-int-test: $(STAMP)
	$(BIN)/python -m pytest -m '' $(EVALUATION_INT)

# Operations of the API are tests of one name, of which a worker beside others would run the last alone.
slow: $(STAMP)
	$(BIN)/python -m pytest -m slow --ignore tests/e2e/test_http_schemathesis.py
	$(BIN)/python -m pytest -m slow -n 0 tests/e2e/test_http_schemathesis.py

# What a database can make a difference to, and properties with many more examples; servers run on a
# SQLite file anyway.
databases: $(STAMP)
	TEST_TRIES=2 TEST_DATABASE_URL=sqlite:///$$(mktemp -d)/test.db $(BIN)/python -m pytest -q \
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
	$(BIN)/python -m pytest -m "" tests/docs

bench: $(STAMP)
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# $(call install,FOLDER,GROUP[,CONSTRAINTS]): the environment in FOLDER, made if need be, with tracker and a
# group of packages, in the versions of constraints.txt or another file.
define install
@if command -v uv >/dev/null 2>&1; then \
    set -e; \
    test -x $(1)/bin/python || uv venv --quiet --python '>=3.11' $(1); \
    uv pip install --quiet --compile-bytecode --python $(1)/bin/python --constraint $(or $(3),constraints.txt) --group $(2) --editable .; \
else \
    set -e; \
    test -x $(1)/bin/python || $(PY) -m venv $(1); \
    $(1)/bin/python -m pip --version | grep -qE '^pip (2[6-9]|[3-9][0-9]|25\.[1-9])' \
        || $(1)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'; \
    $(1)/bin/python -m pip install --quiet --constraint $(or $(3),constraints.txt) --group $(2) --editable .; \
fi
endef

# The stamp makes a second run quick and offline; it is older than the files that change what is installed.
$(STAMP): pyproject.toml constraints.txt
	$(call install,.venv,dev)
	@touch $@

# The embedded ClickHouse is 800 MB: without it the tests of the ClickHouse store are skipped.
chdb: $(STAMP)
	$(call install,.venv,chdb)

# The tools whose files are imported write them in the tests, in an environment of their own: they bring
# 100 packages, some in other versions than those that tracker is tested with (trackio wants an older Pillow).
importers: pyproject.toml constraints-importers.txt
	$(call install,.venv-importers,importers,constraints-importers.txt)
	.venv-importers/bin/python -m pytest $(foreach tool,tensorboard wandb mlflow trackio,tests/importers/test_$(tool).py)

# The libraries that tracker fits into, in an environment of their own: 2.5 GB, most of it torch. Where pip
# finds no build of torch for the processor alone, it takes one for GPUs of several GB more.
integrations: pyproject.toml constraints.txt
	$(call install,.venv-integrations,integrations)
	.venv-integrations/bin/python -m pytest -W default -m '' tests/integrations tests/docs/test_integrations_guide.py \
	    tests/contract/test_language_models_contract.py

# A Ray head, in an environment of its own: 400 MB. One process runs the tests, since each would start a head.
ray: pyproject.toml constraints.txt
	$(call install,.venv-ray,ray)
	.venv-ray/bin/python -m pytest -n 0 -m '' tests/contract/test_runner_contract.py tests/contract/test_runner_ray.py

clean:
	rm -rf .venv .venv-importers .venv-integrations .venv-ray dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
