"""Hypotheses over a socket, as existing clients speak of them and beyond."""

from __future__ import annotations

import math

import httpx
import pytest

CONTRACT = {
    "id", "projectId", "title", "description", "author", "status", "targetMetrics", "baseline", "createdAt",
    "updatedAt",
}  # fmt: skip


def run_of(client: httpx.Client, project, name: str, value: float, **params) -> str:
    body = {"projectId": project["id"], "name": name, "status": "complete", "params": params}
    run = client.post("/api/experiments", json=body).json()["id"]
    client.post("/api/metrics", json={"experimentId": run, "name": "acc", "value": value})
    return run


@pytest.fixture
def claim(client: httpx.Client, project):
    body = {"projectId": project["id"], "title": "wider is better", "targetMetrics": ["acc"], "author": "Ada"}
    answer = client.post("/api/hypotheses", json={**body, "baseline": "root", "description": "so they say"})
    assert answer.status_code == 201
    return answer.json()


def test_an_existing_client_finds_the_fields_it_knows(client: httpx.Client, project, claim):
    assert claim.keys() >= CONTRACT
    assert (claim["status"], claim["targetMetrics"], claim["baseline"]) == ("proposed", ["acc"], "root")
    assert claim["author"] == "Local user" and claim["projectId"] == project["id"]
    one = f"/api/hypotheses/{claim['id']}"
    assert client.get(one).json() == claim
    assert client.get(f"/api/projects/{project['id']}/hypotheses").json() == [claim]
    recent = client.get("/api/hypotheses/recent", params={"projectId": project["id"], "limit": 1}).json()
    assert recent == [claim]
    assert client.get(f"/api/projects/{project['id']}").json()["hypothesisCount"] == 1
    changed = client.patch(one, json={"title": "b", "status": "supported", "targetMetrics": ["acc", "f1"]})
    assert changed.status_code == 200
    shown = changed.json()
    assert (shown["title"], shown["status"], shown["computedStatus"]) == ("b", "supported", "proposed")
    assert (shown["decision"]["status"], shown["decision"]["reason"]) == ("supported", "")
    stats = client.get(f"/api/dashboard/project/{project['id']}/stats").json()
    told = [stats[f"{kind}Hypotheses"] for kind in ("total", "supported", "refuted")]
    assert told == [1, 1, 0]
    assert client.delete(one).json() == {"success": True}
    assert client.get(one).status_code == 404


def test_evidence_has_everything_a_forest_plot_needs(client: httpx.Client, project, claim):
    base = [run_of(client, project, f"n{s}", v, width=8, seed=s) for s, v in enumerate((0.5, 0.51, 0.49))]
    wide = [run_of(client, project, f"w{s}", v, width=64, seed=s) for s, v in enumerate((0.6, 0.61, 0.62))]
    one = f"/api/hypotheses/{claim['id']}"
    client.patch(one, json={"baseline": base[0]})
    for run in wide:
        linked = client.post(f"{one}/experiments", json={"experimentId": run})
        assert linked.status_code == 200
    assert linked.json()["experimentIds"] == sorted(wide)
    evidence = client.get(f"{one}/evidence").json()
    assert evidence["status"] == evidence["computedStatus"] == "supported"
    assert evidence["effect"] == pytest.approx(0.11) and evidence["n"] == 3
    low, high = evidence["interval"]
    assert 0 < low < 0.11 < high and 0 < evidence["p"] < 0.05
    assert (evidence["threshold"], evidence["alpha"]) == (0.2, 0.05)
    (target,) = evidence["targets"]
    assert (target["direction"], target["level"], target["baselineN"]) == ("maximize", 0.95, 3)
    (group,) = evidence["groups"]
    assert (group["experimentIds"], group["baselineIds"]) == (sorted(wide), sorted(base))
    assert [unit["experimentId"] for unit in evidence["units"]] == sorted(wide)
    assert {each["name"] for each in evidence["experiments"]} == {"n0", "n1", "n2", "w0", "w1", "w2"}
    assert "interval of the improvement" in evidence["why"]
    gone = client.delete(f"{one}/experiments/{wide[0]}")
    assert gone.status_code == 200 and gone.json()["headline"]["n"] == 2
    assert client.delete(f"{one}/experiments/{wide[0]}").status_code == 404


def test_an_effect_beyond_all_floats_is_text_on_the_wire(client: httpx.Client, project, claim):
    base = run_of(client, project, "a", -1.7e308, width=8)
    run = run_of(client, project, "b", 1.7e308, width=64)
    one = f"/api/hypotheses/{claim['id']}"
    client.patch(one, json={"baseline": base, "experimentIds": [run]})
    evidence = client.get(f"{one}/evidence").json()
    assert evidence["effect"] == evidence["units"][0]["delta"] == "Infinity"
    assert evidence["score"] == pytest.approx(math.tanh(2) / 2)


def test_a_decision_needs_a_reason_and_is_logged(client: httpx.Client, claim):
    one = f"/api/hypotheses/{claim['id']}"
    for body in ({"status": "refuted"}, {"status": "refuted", "reason": ""}, {"reason": "x"}):
        refused = client.post(f"{one}/decisions", json=body)
        assert refused.status_code == 422 and refused.json()["errors"][0]["loc"][0] == "body"
    assert client.get(f"{one}/decisions").json() == []
    decided = client.post(f"{one}/decisions", json={"status": "refuted", "reason": "too slow"})
    assert (decided.status_code, decided.json()["status"]) == (201, "refuted")
    client.post(f"{one}/decisions", json={"status": None, "reason": "fast now"})
    log = client.get(f"{one}/decisions").json()
    assert [(each["status"], each["reason"]) for each in log] == [("refuted", "too slow"), (None, "fast now")]
    assert client.get(one).json()["decision"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"threshold": 1}, "threshold"),
        ({"alpha": 0}, "alpha"),
        ({"baseline": "nonsense"}, "baseline"),
        ({"baseline": "00000000-0000-7000-8000-000000000000"}, "baseline"),
        ({"experimentIds": ["00000000-0000-7000-8000-000000000000"]}, "experimentIds"),
        ({"targets": [{"name": "a", "weight": 0}]}, "targets"),
        ({"targets": [{"name": "a"}, {"name": "a"}]}, "targets"),
        ({"status": "done"}, "status"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_changes(client: httpx.Client, claim, change, field):
    one = f"/api/hypotheses/{claim['id']}"
    refused = client.patch(one, json={"title": "changed", **change})
    assert refused.status_code == 422
    assert any(field in error["loc"] for error in refused.json()["errors"])
    assert client.get(one).json() == claim
