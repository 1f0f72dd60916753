"""The arrows of docs/architecture.md hold, and every contract bites when an import breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

ROOT = Path(__file__).resolve().parents[2]
KINDS: Mapping[str, type[Contract]] = {
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}
CONFIGURATION: dict[str, Any] = read_configuration(str(ROOT / "pyproject.toml"))
CONTRACTS: dict[str, Contract] = {
    options["id"]: KINDS[options["type"]](
        name=options["name"],
        session_options=CONFIGURATION["session_options"],
        contract_options=options,
    )
    for options in CONFIGURATION["contracts_options"]
}
# One import a contract that must break it.
VIOLATIONS = {
    "layers": ("tracker.adapters.memory", "tracker.container"),
    "ports": ("tracker.domain.projects.project", "tracker.ports.clock"),
    "services": ("tracker.adapters.memory", "tracker.domain.projects.service"),
    "composition": ("tracker.adapters.memory", "tracker.settings"),
    "pure": ("tracker.domain.projects.project", "sqlalchemy"),
    "numpy": ("tracker.domain.projects.project", "numpy"),
    "adapters": ("tracker.adapters.memory", "tracker.adapters.system"),
    "areas": ("tracker.domain.projects.project", "tracker.domain.experiments.experiment"),
    "injection": ("tracker.adapters.memory", "dependency_injector"),
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("tracker", "entrypoints", include_external_packages=True, cache_dir=None)


def test_every_contract_has_an_import_that_breaks_it() -> None:
    assert set(CONTRACTS) == set(VIOLATIONS)


@pytest.mark.parametrize("key", CONTRACTS)
def test_contract_holds(key: str, graph: grimp.ImportGraph) -> None:
    assert CONTRACTS[key].check(deepcopy(graph), verbose=False).kept, (
        "run `make lint` for the import at fault"
    )


@pytest.mark.parametrize("key", CONTRACTS)
def test_contract_bites(key: str, graph: grimp.ImportGraph) -> None:
    importer, imported = VIOLATIONS[key]
    broken = deepcopy(graph)
    if imported not in broken.modules:
        broken.add_module(imported, is_squashed=True)
    broken.add_import(importer=importer, imported=imported, line_number=1, line_contents="")
    assert not CONTRACTS[key].check(broken, verbose=False).kept
