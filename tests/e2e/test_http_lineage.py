"""Names, parents, graphs and bulk creation over a socket."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest


def created(client: httpx.Client, project: dict, name: str, **fields) -> dict:
    answer = client.post("/api/experiments", json={"projectId": project["id"], "name": name, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("given", "patterns"),
    [
        ({}, ["{num}_from_{parent}_{change}"]),
        ({"namingPattern": ""}, []),
        ({"namingPattern": "a{num}"}, ["a{num}"]),
        ({"namingPatterns": []}, []),
        ({"namingPatterns": ["a{num}", "b"]}, ["a{num}", "b"]),
        ({"namingPatterns": ["a", "b"], "namingPattern": "a"}, ["a", "b"]),
        ({"namingPatterns": [], "namingPattern": ""}, []),
    ],
)
def test_one_pattern_is_the_first_of_several(client: httpx.Client, given, patterns):
    made = client.post("/api/projects", json={"name": "p", "settings": given}).json()
    assert made["settings"]["namingPatterns"] == patterns
    assert made["settings"]["namingPattern"] == (patterns[0] if patterns else "")
    one = f"/api/projects/{made['id']}"
    changed = client.patch(one, json={"settings": {"replicateKeys": ["fold", "seed"], **given}}).json()
    assert changed["settings"] == {**made["settings"], "replicateKeys": ["fold", "seed"]}
    assert client.get(one).json() == changed


def test_a_warning_stands_in_the_answer_that_creates_and_in_no_other(
    client: httpx.Client, project, experiment
):
    odd = created(client, project, "3_from_9_x")
    (warning,) = odd.pop("warnings")
    assert warning.startswith("3_from_9_x has no parent: ")
    assert client.get(f"/api/experiments/{odd['id']}").json() == odd
    assert "warnings" not in created(client, project, "4_from_1_x")


def test_a_dry_run_tells_what_a_name_means(client: httpx.Client, project, experiment):
    url = f"/api/projects/{project['id']}/names/check"
    assert client.get(url, params={"name": "{num}_from_1_x"}).json() == {
        "name": "2_from_1_x",
        "pattern": "{num}_from_{parent}_{change}",
        "fields": {"num": "2", "parent": "1", "change": "x"},
        "parent": {"id": experiment["id"], "name": "1_baseline"},
        "why": None,
        "nextNumber": 2,
        "taken": False,
        "warnings": [],
    }
    free = client.get(url, params={"name": "1_baseline"}).json()
    assert free["taken"] and free["parent"] is None and "no naming pattern matches" in free["why"]
    assert client.get(url).status_code == client.get(url, params={"name": "x" * 101}).status_code == 422


def test_the_difference_of_features_follows_the_parent(client: httpx.Client, project):
    a = created(client, project, "a", features={"x": 1, "layers": [{"name": "fc", "width": 1}]})
    b = created(client, project, "b", features={"x": 2})
    child = created(client, project, "c", features={"x": 1}, parentExperimentId=a["id"])
    one = f"/api/experiments/{child['id']}"
    assert child["featuresDiff"] == {"added": {}, "removed": {"layers.fc.width": 1}, "changed": {}}
    moved = client.patch(one, json={"parentExperimentId": b["id"]}).json()
    assert moved["featuresDiff"] == {"added": {}, "removed": {}, "changed": {"x": {"old": 2, "new": 1}}}
    client.patch(f"/api/experiments/{b['id']}", json={"features": {"x": 1}})
    assert client.get(one).json()["featuresDiff"] == {"added": {}, "removed": {}, "changed": {}}
    client.delete(f"/api/experiments/{b['id']}")
    assert client.get(one).json()["featuresDiff"] is None


def test_a_graph_has_nodes_in_order_and_edges_of_both_kinds(client: httpx.Client, project, experiment):
    b = created(client, project, "b", tags=["x"])
    child = created(client, project, "2_from_1_x", mergedFrom=[b["id"]], status="running")
    assert child["mergedFrom"] == [b["id"]]
    graph = client.get(f"/api/projects/{project['id']}/graph").json()
    same = ("id", "name", "status", "parentExperimentId", "mergedFrom", "color", "order", "tags", "createdAt")
    assert graph["nodes"] == [
        {**{name: each[name] for name in same}, "depth": depth, "isRoot": not depth}
        for each, depth in ((experiment, 0), (b, 0), (child, 1))
    ]
    assert graph["edges"] == [
        {"source": experiment["id"], "target": child["id"], "kind": "primary"},
        {"source": b["id"], "target": child["id"], "kind": "merged"},
    ]
    for change in ({"mergedFrom": [child["id"]]}, {"parentExperimentId": child["id"]}):
        answer = client.patch(f"/api/experiments/{b['id']}", json=change)
        assert (answer.status_code, answer.json()["code"]) == (409, "lineage_cycle")
    gone = client.delete(f"/api/experiments/{experiment['id']}")
    assert gone.status_code == 200
    assert client.get(f"/api/experiments/{child['id']}").json()["parentExperimentId"] is None


def test_parameters_of_an_ended_run_are_a_conflict(client: httpx.Client, experiment):
    one = f"/api/experiments/{experiment['id']}"
    client.patch(one, json={"params": {"lr": 1}, "status": "complete"})
    for change in ({"params": {"lr": 2}}, {"params": {"lr": 1.0}}, {"params": {}, "status": "running"}):
        answer = client.patch(one, json=change)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert "resume it first" in answer.json()["detail"]
    assert client.patch(one, json={"params": {"lr": 1}, "tags": ["x"]}).status_code == 200
    assert client.patch(one, json={"status": "running"}).status_code == 200
    assert client.patch(one, json={"params": {"lr": 2}}).json()["params"] == {"lr": 2}


def test_many_are_created_at_once_or_none(client: httpx.Client, project):
    value = {"name": "acc", "value": 0.5}
    drafts = [{"name": "{num}_a", "metrics": [value]}, {"name": "{num}_from_1_b"}, {"name": "3_from_9_c"}]
    url, body = "/api/experiments/bulk", {"projectId": project["id"], "experiments": drafts}
    made = client.post(url, json=body)
    assert made.status_code == 201
    first, second, third = made.json()
    assert [each["name"] for each in made.json()] == ["1_a", "2_from_1_b", "3_from_9_c"]
    assert second["parentExperimentId"] == first["id"] and "warnings" not in second
    assert len(third.pop("warnings")) == 1
    assert client.get(f"/api/projects/{project['id']}/experiments").json() == [first, second, third]
    (metric,) = client.get(f"/api/experiments/{first['id']}/metrics").json()
    assert (metric["value"], metric["step"]) == (0.5, 0)
    for bad, loc in (
        ({"name": "x" * 101}, ["body", "experiments", 1, "name"]),
        ({"name": "x", "projectId": project["id"]}, ["body", "experiments", 1, "projectId"]),
        ({"name": "x", "parentExperimentId": str(uuid4())}, ["body", "experiments", 1, "parentExperimentId"]),
        (
            {"name": "x", "metrics": [{**value, "value": None}]},
            ["body", "experiments", 1, "metrics", 0, "value"],
        ),
    ):
        answer = client.post(url, json={**body, "experiments": [{"name": "y"}, bad]})
        assert answer.status_code == 422
        assert loc in [each["loc"] for each in answer.json()["errors"]]
    assert client.post(url, json={**body, "experiments": []}).json() == []
    assert client.post(url, json={**body, "experiments": [{"name": "y"}] * 1001}).status_code == 422
    assert len(client.get(f"/api/projects/{project['id']}/experiments").json()) == 3
