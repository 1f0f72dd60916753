"""The table of routes, what is served, and what is documented are one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrypoints.http.app import create_app
from entrypoints.http.docs_page import docs_page
from entrypoints.http.errors import STATUSES
from entrypoints.http.openapi import openapi
from entrypoints.http.reference import reference
from entrypoints.http.routes import ROUTES
from entrypoints.http.server import guarded
from tracker.container import build
from tracker.domain import errors
from tracker.domain.errors import TrackerError
from tracker.settings import Settings

ROOT = Path(__file__).parents[2]


def served(nodes) -> set[tuple[str, str]]:
    """(method, path) of everything that the app's router can reach."""
    found = set()
    for node in nodes:
        if node.method_map:
            own = {m for m, f in node.method_map.items() if hasattr(node.resource, f"on_{m.lower()}")}
            found |= {(method, node.uri_template) for method in own}
        found |= served(node.children)
    return found


def test_everything_served_is_in_the_table_once(tmp_path):
    app = create_app(build(Settings(data=tmp_path, database_url="sqlite:///:memory:")))
    table = [(route.method, route.path) for route in ROUTES]
    # A collection of the evaluation API is told of under its other spelling, too.
    slashes = {
        (method, path[:-1])
        for path in {p for _, p in table if p.startswith("/api/v1/") and p.endswith("/")}
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    }
    found = {(method, path.replace(":path}", "}")) for method, path in served(app.app._router._roots)}
    assert found == set(table) | slashes
    assert len(set(table)) == len(table)


@pytest.mark.slow  # its schema is as long as ours
def test_the_openapi_document_is_valid():
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(openapi(ROUTES))


def test_every_route_is_documented_under_a_name_of_its_own():
    document = openapi(ROUTES)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == len(ROUTES)
    assert len({operation["operationId"] for operation in operations}) == len(ROUTES)


def test_the_page_for_people_names_every_path_and_loads_nothing():
    page = docs_page(openapi(ROUTES)).decode()
    assert all(route.path in page for route in ROUTES)
    assert "<script" not in page and "http://" not in page and "https://" not in page


def test_the_reference_page_is_what_the_table_gives():
    page = (ROOT / "docs/reference/http.md").read_text(encoding="utf-8")
    assert page == reference(ROUTES), "run: python -m entrypoints.http.reference > docs/reference/http.md"


def test_every_error_of_the_domain_has_a_status():
    kinds = [getattr(errors, name) for name in errors.__all__]
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, TrackerError) and kind is not TrackerError:
            assert any(parent in STATUSES for parent in kind.__mro__), kind


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_where_others_can_reach_it_a_server_requires_credentials(host):
    assert guarded(Settings(), host).auth == "required"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_a_server_requires_credentials_only_if_told(host):
    assert guarded(Settings(), host).auth == "local"
    assert guarded(Settings(auth="required"), host).auth == "required"
