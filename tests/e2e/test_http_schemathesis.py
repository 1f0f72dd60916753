"""Generated requests against the running server: everything in the OpenAPI document holds."""

from __future__ import annotations

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from entrypoints.http.openapi import openapi
from entrypoints.http.routes import ROUTES

pytestmark = pytest.mark.slow

FIELDS = st.sampled_from(["", "{num}", "{num}_from_{parent}_{change}", "{name} {seed}", "exp-{a}.{b}"])
schemathesis.openapi.format("naming-pattern", FIELDS)
# A cursor is one that an answer gave; the empty one asks for everything.
schemathesis.openapi.format("scalars-cursor", st.just(""))

CONFIG = schemathesis.Config.from_dict({"generation": {"allow-x00": False}})
# Packed columns are bytes, of which JSON Schema says too little to make good ones.
SCHEMA = schemathesis.openapi.from_dict(openapi(ROUTES), config=CONFIG).exclude(path_regex="/columns/")


@pytest.fixture(scope="module")
def known(server) -> dict[str, str]:
    """Ids of things that exist, so that generated requests reach beyond "not found"."""
    with httpx.Client(base_url=server.url) as http:
        project = http.post("/api/projects", json={"name": "generated"}).json()
        run = http.post("/api/experiments", json={"projectId": project["id"], "name": "a"}).json()
    return {"project_id": project["id"], "experiment_id": run["id"]}


@schemathesis.hook
def filter_body(context, body):
    """Leaves out what breaks a rule that JSON Schema has no words for: (name, label) is unique, and
    integers inside free JSON have 64 bits."""
    metrics = body.get("metrics") if isinstance(body, dict) else None
    keys = [
        (str(m.get("name")), str(m.get("label")))
        for m in (metrics if isinstance(metrics, list) else ())
        if isinstance(m, dict)
    ]
    return len(set(keys)) == len(keys) and not has_huge_integer(body)


def has_huge_integer(value) -> bool:
    """Whether an integer of more than 64 bits stands anywhere in it."""
    if isinstance(value, dict):
        return any(map(has_huge_integer, value.values()))
    if isinstance(value, list):
        return any(map(has_huge_integer, value))
    return isinstance(value, int) and not -(2**63) <= value < 2**63


@SCHEMA.parametrize()
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_does_what_its_document_says(case, server, known):
    if not filter_body(None, case.body):  # hand-made examples pass by the hook
        return
    reads = case.operation.method.upper() == "GET"
    if reads and case.meta and not case.meta.generation.mode.is_negative:
        case.path_parameters.update({k: v for k, v in known.items() if k in (case.path_parameters or {})})
    case.call_and_validate(base_url=server.url)
