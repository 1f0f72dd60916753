"""One experiment's whole life over a socket."""

from __future__ import annotations

import json
import socket
import time

import httpx


def test_an_experiment_lives_from_planned_to_deleted(client: httpx.Client, project, experiment):
    one = f"/api/experiments/{experiment['id']}"
    assert experiment["status"] == "planned"
    assert experiment["startedAt"] is None and experiment["featuresDiff"] is None

    running = client.patch(one, json={"status": "running", "progress": 50, "params": {"lr": 0.1}}).json()
    assert running["startedAt"].endswith("Z") and running["completedAt"] is None
    assert running["params"] == {"lr": 0.1}

    logged = client.post(f"/api/scalars/log/{experiment['id']}", json={"scalars": {"loss": 0.5}, "step": 1})
    assert logged.status_code == 200 and logged.json() == {"status": "logged"}
    metric = client.post("/api/metrics", json={"experimentId": experiment["id"], "name": "acc", "value": 0.9})
    assert metric.status_code == 201

    done = client.patch(one, json={"status": "complete"}).json()
    assert done["completedAt"] is not None and done["startedAt"] == running["startedAt"]
    assert client.get(one).json() == done

    assert client.delete(one).json() == {"success": True}
    assert client.get(one).status_code == 404
    assert client.get(f"/api/scalars/get/{experiment['id']}").status_code == 404
    assert client.get(f"/api/projects/{project['id']}/experiments").json() == []


def test_a_child_is_found_by_its_name_and_tells_what_changed(client: httpx.Client, project, experiment):
    body = {
        "projectId": project["id"],
        "name": "2_from_1_slower",
        "features": {"optimizer": {"lr": 0.01}, "width": 32},
    }
    child = client.post("/api/experiments", json=body).json()
    assert child["parentExperimentId"] == experiment["id"]
    assert child["featuresDiff"] == {
        "added": {"width": 32},
        "removed": {},
        "changed": {"optimizer.lr": {"old": 0.1, "new": 0.01}},
    }
    listed = client.get(f"/api/projects/{project['id']}/experiments").json()
    assert [each["name"] for each in listed] == ["1_baseline", "2_from_1_slower"]
    assert listed[1] == child
    order = {"projectId": project["id"], "experimentIds": [child["id"]]}
    reordered = client.post("/api/experiments/reorder", json=order).json()
    assert [each["order"] for each in reordered] == [0, 1]
    assert reordered[0]["id"] == child["id"]
    newest = client.get("/api/experiments/recent", params={"projectId": project["id"], "limit": 1}).json()
    assert [each["id"] for each in newest] == [child["id"]]


def test_a_computed_field_that_clients_send_back_is_ignored(client: httpx.Client, experiment):
    one = f"/api/experiments/{experiment['id']}"
    changed = client.patch(one, json={"featuresDiff": {"added": {"x": 1}}, "description": "kept"})
    assert changed.status_code == 200
    assert changed.json()["featuresDiff"] is None and changed.json()["description"] == "kept"


def test_a_project_shows_owner_counts_metrics_and_settings(client: httpx.Client):
    metric = {"name": "acc", "direction": "maximize", "aggregation": "best", "label": None}
    made = client.post("/api/projects", json={"name": "p", "metrics": [metric]})
    assert made.status_code == 201
    shown = made.json()
    assert shown["metrics"] == [metric] and shown["team"] is None
    assert shown["owner"].keys() == {"id", "email", "displayName"}
    assert shown["settings"] == {
        "namingPattern": "{num}_from_{parent}_{change}",
        "namingPatterns": ["{num}_from_{parent}_{change}"],
        "displayMetrics": [],
        "replicateKeys": ["seed"],
    }
    one = f"/api/projects/{shown['id']}"
    run = client.post("/api/experiments", json={"projectId": shown["id"], "name": "a", "status": "running"})
    for step, value in ((0, 0.5), (1, 0.9), (2, 0.7)):
        body = {
            "experimentId": run.json()["id"],
            "name": "acc",
            "value": value,
            "step": step,
            "direction": "x",
        }
        assert client.post("/api/metrics", json=body).status_code == 201
    assert client.get(f"{one}/metrics").json() == [
        {**metric, "experimentId": run.json()["id"], "value": 0.9, "step": 1}
    ]
    stats = client.get(f"/api/dashboard/project/{shown['id']}/stats").json()
    assert stats["totalExperiments"] == stats["runningExperiments"] == 1
    assert stats["totalHypotheses"] == 0 and client.get(f"{one}/hypotheses").json() == []
    assert client.patch(one, json={"name": "q"}).json()["experimentCount"] == 1
    assert client.delete(one).json() == {"success": True}
    assert client.get(one).status_code == 404


def test_scalars_that_are_not_finite_come_back_as_they_went(client: httpx.Client, project, experiment):
    url = f"/api/scalars/log_batch/{experiment['id']}"
    steps = [(0, 1.5), (1, "NaN"), (2, "Infinity"), (3, "-Infinity"), (4, 2)]
    batch = [{"scalars": {"loss": value}, "step": step, "tags": ["t"]} for step, value in steps]
    assert client.post(url, json={"scalars": batch}).status_code == 200
    query = {"return_tags": "true", "max_points": 100}
    (entry,) = client.get(f"/api/scalars/get/{experiment['id']}", params=query).json()["data"]
    assert entry["experiment_id"] == experiment["id"]
    assert entry["scalars"] == {
        "loss": {"x": [0, 1, 2, 3, 4], "y": [1.5, "NaN", "Infinity", "-Infinity", 2.0]}
    }
    assert entry["tags"][0] == {"step": 0, "scalar_names": ["loss"], "tags": ["t"]}
    of_project = client.get(
        f"/api/scalars/get/project/{project['id']}",
        params={"experiment_id": [experiment["id"], project["id"]], "return_tags": "1", "max_points": 100},
    )
    assert of_project.json()["data"] == [entry]
    (row,) = client.post(f"/api/scalars/last_logged/{project['id']}", json={}).json()["data"]
    assert row["experiment_id"] == experiment["id"] and row["last_modified"].endswith("Z")


def test_a_time_window_leaves_out_what_was_logged_before_it(client: httpx.Client, experiment):
    client.post(f"/api/scalars/log/{experiment['id']}", json={"scalars": {"a": 1}, "step": 0})
    url = f"/api/scalars/get/{experiment['id']}"
    (entry,) = client.get(url, params={"start_time": "2999-01-01T00:00:00Z"}).json()["data"]
    assert entry["scalars"] == {}
    (entry,) = client.get(url, params={"end_time": "2999-01-01T00:00:00"}).json()["data"]
    assert entry["scalars"] == {"a": {"x": [0], "y": [1.0]}}


def test_what_was_accepted_before_a_shutdown_is_answered_and_kept(start_server, tmp_path):
    first = start_server(tmp_path)
    with httpx.Client(base_url=first.url) as http:
        project = http.post("/api/projects", json={"name": "p"}).json()
        run = http.post("/api/experiments", json={"projectId": project["id"], "name": "a"}).json()
    body = json.dumps({"scalars": {"loss": 0.25}, "step": 7}).encode()
    head = (
        f"POST /api/scalars/log/{run['id']} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", first.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # a responder now waits for the body
        first.request_stop()
        while _is_listening(first.port):
            time.sleep(0.01)
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    first.stop()
    second = start_server(tmp_path)
    (entry,) = httpx.get(f"{second.url}/api/scalars/get/{run['id']}").json()["data"]
    assert entry["scalars"] == {"loss": {"x": [7], "y": [0.25]}}


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
