"""Generated requests against the running server: everything in the OpenAPI document holds."""

from __future__ import annotations

import hashlib

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from entrypoints.http.openapi import openapi
from entrypoints.http.routes import ROUTES

pytestmark = pytest.mark.slow

FIELDS = ["{num}", "{num}_from_{parent}_{change}", "{name} {seed}", "exp-{a}.{b}"]
schemathesis.openapi.format("naming-pattern", st.sampled_from(["", *FIELDS]))
schemathesis.openapi.format("naming-pattern-of-several", st.sampled_from(FIELDS))
# A cursor is one that an answer gave; the empty one asks for everything.
schemathesis.openapi.format("scalars-cursor", st.just(""))
schemathesis.openapi.format("search-cursor", st.just(""))
schemathesis.openapi.format(
    "search-filter",
    st.sampled_from(
        ["", "acc > 0.5", 'not (tag = "a" or params.lr in (1, 2)) and name like "%"', "id is null"]
    ),
)
PATHS = [f"{folder}/{name}" for folder in ("src", "data.d", "ü") for name in ("a.py", "b", "c d")]
schemathesis.openapi.format("relative-path", st.sampled_from(PATHS))
METRICS = ["acc", "metrics.loss[val]", "last(loss)", *(f"m{n}" for n in range(20))]
schemathesis.openapi.format("search-metric", st.sampled_from(METRICS))
schemathesis.openapi.format("search-order", st.sampled_from(["", "-acc,name", "last(loss)", "created"]))

schemathesis.openapi.format("provider", st.sampled_from(["openai", "ollama"]))
schemathesis.openapi.format(
    "endpoint-url", st.sampled_from(["http://127.0.0.1:9/v1", "https://a.example/v1"])
)
schemathesis.openapi.format("scoring-metric", st.sampled_from(["json_valid", "token_length", "regex:^a"]))
schemathesis.openapi.format("secret-name", st.sampled_from(["key", "My key", "ü", "a-b.c"]))
schemathesis.openapi.format("output-column", st.sampled_from(["predictions", "answer", "ü b"]))
schemathesis.openapi.format("task", st.sampled_from(["summarization", "Translation", "TEXT-GENERATION"]))

# 400 is how clients of this API are told of a wrong password, a used code or a taken address.
TOLD = ["2xx", "3xx", "400", "401", "403", "404", "409", "429", "5xx"]
CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"allow-x00": False},
        "checks": {"positive_data_acceptance": {"expected-statuses": TOLD}},
    }
)
# Packed columns and blobs are bytes, of which JSON Schema says too little to make good ones; there is no
# identity provider here.
SCHEMA = schemathesis.openapi.from_dict(openapi(ROUTES), config=CONFIG).exclude(
    path_regex="/columns/|/blobs/bulk|/oidc/login"
)


@pytest.fixture(scope="module")
def known(server) -> dict[str, str]:
    """Ids of things that exist, so that generated requests reach beyond "not found"."""
    with httpx.Client(base_url=server.url) as http:
        project = http.post("/api/projects", json={"name": "generated"}).json()
        run = http.post("/api/experiments", json={"projectId": project["id"], "name": "a"}).json()
        query = http.post(f"/api/projects/{project['id']}/queries", json={"name": "kept"}).json()
        http.post("/api/metrics", json={"experimentId": run["id"], "name": "acc", "value": 0.5})
        claim = {"projectId": project["id"], "title": "a", "targetMetrics": ["acc"]}
        hypothesis = http.post("/api/hypotheses", json={**claim, "experimentIds": [run["id"]]}).json()
        content = b"print()"
        digest = hashlib.sha256(content).hexdigest()
        http.post("/api/blobs/upload", params={"hash": digest}, files={"file": content})
        file = {"name": "a.py", "hash": digest, "size": len(content)}
        artifact = http.post(f"/api/experiments/{run['id']}/artifacts", json=file).json()
        tree = {"experiment_id": run["id"], "files": [{"path": "a.py", "hash": digest, "size": len(content)}]}
        snapshot = {"id": http.post("/api/snapshots", json=tree).json()["snapshot_id"]}
        evaluated = known_evaluation(http)
    made = {
        **evaluated, "project": project, "experiment": run, "query": query, "hypothesis": hypothesis,
        "artifact": artifact, "snapshot": snapshot,
    }  # fmt: skip
    return {f"{kind}_id": one["id"] for kind, one in made.items()}


def known_evaluation(http: httpx.Client) -> dict[str, dict[str, str]]:
    """A dataset, a job, an evaluation and a workflow of it."""
    model = {"model": "m", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
    file = {"dataset": ("a.csv", b"examples\na\n")}
    dataset = http.post("/api/v1/datasets/", files=file).json()
    body = {"name": "a", "dataset": dataset["id"]}
    evaluation = http.post("/api/v1/experiments/", json=body).json()
    job = http.post("/api/v1/jobs/inference/", json={**body, "job_config": model}).json()
    workflow = {"name": "a", "experiment_id": evaluation["id"], "metrics": ["json_valid"], **model}
    made = http.post("/api/v1/workflows/", json=workflow).json()
    return {"dataset": dataset, "evaluation": evaluation, "job": job, "workflow": made}


def is_upside_down(case, body) -> bool:
    """Whether the scale of a judge's criterion ends where it begins, or two criteria have one name."""
    judge = body.get("llm_as_judge") or _mapping(body.get("job_config")).get("llm_as_judge")
    criteria = [_mapping(each) for each in _listed(_mapping(_mapping(judge).get("rubric")).get("criteria"))]
    scales = [(each.get("low", 1), each.get("high", 5)) for each in criteria]
    names = [str(each.get("name")) for each in criteria]
    return len(set(names)) < len(names) or any(
        isinstance(low, int | float) and isinstance(high, int | float) and low >= high for low, high in scales
    )


def _mapping(value) -> dict:
    return value if isinstance(value, dict) else {}


def breaks_a_rule(case) -> bool:
    """Whether it breaks a rule that JSON Schema has no words for."""
    body = case.body if isinstance(case.body, dict) else {}
    query = case.query or {}
    metrics = body.get("metrics", body.get("targets"))
    keys = [
        (str(m.get("name")), str(m.get("label")))
        for m in (metrics if isinstance(metrics, list) else ())
        if isinstance(m, dict)
    ]
    asked = query if case.path.startswith(("/api/permissions/", "/api/audit")) or not body else body
    places = [asked.get(name) for name in ("projectId", "teamId", "project", "team")]
    given = body.get("settings") if isinstance(body.get("settings"), dict) else {}
    return (
        {"namingPattern", "namingPatterns"} <= given.keys()  # the one is the first of the others
        or len(set(keys)) < len(keys)  # (name, label) is unique
        or repeats_a_path(body)
        or has_huge_integer(body)  # integers inside free JSON have 64 bits
        or str(body.get("until") or "9999") < "2100"  # not in the past
        or (body.get("teamId") is not None and case.path.startswith("/api/projects"))  # one's own team
        or (case.path.startswith("/api/permissions") and places.count(None) != len(places) - 1)
        or (case.path.startswith("/api/audit") and places.count(None) < len(places) - 1)
        or (case.path == "/api/teams/members" and (body.get("userId") is None) == (body.get("email") is None))
        or ((query.get("fate") == "transfer") != ("transferTo" in query))
        or not set(_listed(query.get("metric"))) <= set(METRICS)  # named as in a filter
        # Only what is weighed can be better the smaller it is.
        or not set(_listed(query.get("minimize"))) <= set(_listed(query.get("metric")))
        or (case.path == "/api/v1/workflows/compare" and query.get("first") == query.get("second"))
        or (case.path.startswith("/api/v1/") and is_upside_down(case, body))
        or case.path == "/api/auth/jwt/login"  # a form whose lists of ignored fields are repeated fields
    )


def repeats_a_path(body) -> bool:
    """Whether two files of a snapshot have one path, or one blob has two sizes."""
    files = [f for f in _listed(body.get("files")) if isinstance(f, dict)]
    sizes = {(str(f.get("hash")), str(f.get("size"))) for f in files}
    paths = {str(f.get("path")) for f in files}
    return len(paths) < len(files) or len({digest for digest, _ in sizes}) < len(sizes)


def _listed(value) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


def has_huge_integer(value) -> bool:
    """Whether an integer of more than 64 bits stands anywhere in it."""
    if isinstance(value, dict):
        return any(map(has_huge_integer, value.values()))
    if isinstance(value, list):
        return any(map(has_huge_integer, value))
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def checked(case, url: str, **more) -> None:
    """Sends it, unless it was to be valid and breaks a rule all the same."""
    modes = [part.mode for part in case.meta.components.values()] if case.meta else []
    is_valid = not any(mode.is_negative for mode in modes)
    if is_valid and case.path == "/api/v1/datasets/" and isinstance(case.body, dict):
        # JSON Schema has no words for the rows of a file, nor for the order of a form's fields.
        case.body = {k: v for k, v in case.body.items() if k != "dataset"} | {"dataset": "examples\na\n"}
    if not breaks_a_rule(case):
        case.call_and_validate(base_url=url, **more)


@SCHEMA.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_does_what_its_document_says(case, server, known):
    # Of a job that made no dataset, its clients are told with 422.
    reads = case.operation.method.upper() == "GET" and case.path != "/api/v1/jobs/{job_id}/dataset"
    if reads and case.meta and not case.meta.generation.mode.is_negative:
        case.path_parameters.update({k: v for k, v in known.items() if k in (case.path_parameters or {})})
    checked(case, server.url)


@pytest.fixture(scope="module")
def admin_token(team_server) -> str:
    """An API token with every scope: unlike a session, no request can end it by chance."""
    with httpx.Client(base_url=team_server.url) as http:
        shown = {"Authorization": f"Bearer {team_server.session}"}
        made = http.post("/api/api-tokens", json={"name": "all", "scopes": ["*"]}, headers=shown)
    return str(made.json()["token"])


@SCHEMA.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_of_a_team_s_server_does_too(case, team_server, admin_token):
    checked(case, team_server.url, headers={"Authorization": f"Bearer {admin_token}"})
