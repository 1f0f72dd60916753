"""Comparisons over a socket."""

from __future__ import annotations

import httpx
import pytest


@pytest.fixture
def runs(client: httpx.Client, project) -> list[str]:
    """Three seeds of each of two learning rates."""
    client.patch(
        f"/api/projects/{project['id']}", json={"metrics": [{"name": "acc", "direction": "maximize"}]}
    )
    ids = []
    for lr, base in ((0.1, 0.5), (0.2, 0.7)):
        for seed in range(3):
            body = {
                "projectId": project["id"], "name": f"{lr}-{seed}", "status": "complete",
                "params": {"lr": lr, "seed": seed},
            }  # fmt: skip
            ids.append(client.post("/api/experiments", json=body).json()["id"])
            value = {"experimentId": ids[-1], "name": "acc", "value": base + seed / 100}
            client.post("/api/metrics", json=value)
    return ids


def test_two_experiments_side_by_side(client: httpx.Client, runs) -> None:
    answer = client.get("/api/experiments/compare", params={"ids": [runs[3], runs[0]], "baseline": runs[0]})
    assert answer.status_code == 200
    found = answer.json()
    assert found.keys() == {
        "experiments", "baselineId", "params", "features", "code", "trees", "environment", "metrics", "words",
    }  # fmt: skip
    assert found["baselineId"] == runs[0] and [e["id"] for e in found["experiments"]] == [runs[3], runs[0]]
    assert found["params"] == [{"name": "lr", "path": ["lr"], "values": {runs[0]: 0.1, runs[3]: 0.2}}]
    (row,) = found["metrics"]
    assert (row["key"], row["direction"]) == ("acc", "maximize")
    cell = row["cells"][0]
    assert cell["delta"] == pytest.approx(0.2) and cell["best"] is True
    contrast = cell["contrast"]
    assert contrast["interval"][0] > 0 and (contrast["n"], contrast["baselineN"]) == (3, 3)
    assert contrast["p"] == contrast["adjustedP"] < 0.01 and contrast["level"] == 0.95
    assert "It mattered: acc got better." in found["words"]


def test_a_page_of_the_table_a_front_and_importance(client: httpx.Client, project, runs) -> None:
    home = f"/api/projects/{project['id']}"
    page = client.get(f"{home}/table", params={"orderBy": "-acc", "limit": 2, "baseline": runs[0]}).json()
    assert [item["name"] for item in page["items"]] == ["0.2-2", "0.2-1"] and page["nextCursor"]
    assert page["items"][0]["cells"] == [
        {"value": 0.72, "best": True, "parentDelta": None, "baselineDelta": pytest.approx(0.22)}
    ]
    front = client.get(f"{home}/pareto", params={"metric": ["acc", "cost"], "minimize": "cost"}).json()
    assert (front["members"], front["considered"], front["excluded"]) == ([], 0, 6)
    assert [m["direction"] for m in front["metrics"]] == ["maximize", "minimize"]
    told = client.get(f"{home}/importance", params={"metric": "acc"}).json()
    assert told["params"][0]["name"] == "lr" and told["runs"] == 6 and told["warnings"]


def test_the_same_budget(client: httpx.Client, runs) -> None:
    for run, slope in ((runs[0], 1), (runs[3], 2)):
        rows = [{"scalars": {"acc": slope * step}, "step": step} for step in range(4 - slope)]
        client.post(f"/api/scalars/log_batch/{run}", json={"scalars": rows})
    asked = {"ids": [runs[0], runs[3]], "name": "acc"}
    found = client.get("/api/experiments/compare/budget", params=asked).json()
    assert (found["at"], found["ahead"], found["axis"]) == (1, [runs[3]], "step")
    assert [row["value"] for row in found["rows"]] == [1, 2]


@pytest.mark.parametrize(
    ("path", "query", "status", "field"),
    [
        ("/api/experiments/compare", {}, 422, "ids"),
        ("/api/experiments/compare", {"ids": "x"}, 422, "ids"),
        ("/api/experiments/compare", {"ids": ["00000000-0000-7000-8000-000000000000"] * 101}, 422, "ids"),
        ("/api/experiments/compare", {"ids": "00000000-0000-7000-8000-000000000000"}, 404, None),
        ("/api/experiments/compare", {"ids": "RUN", "nonsense": 1}, 422, "nonsense"),
        ("/api/experiments/compare", {"ids": "RUN", "baseline": ""}, 422, "baseline"),
        ("/api/experiments/compare/budget", {"ids": "RUN"}, 422, "name"),
        ("/api/experiments/compare/budget", {"ids": "RUN", "name": "a", "at": "nan"}, 422, "at"),
        ("/api/projects/HOME/table", {"filter": "acc >"}, 422, "filter"),
        ("/api/projects/HOME/table", {"limit": 0}, 422, "limit"),
        ("/api/projects/HOME/pareto", {"metric": "acc"}, 422, "metric"),
        ("/api/projects/HOME/pareto", {"metric": ["acc", "acc"]}, 422, "metric"),
        ("/api/projects/HOME/pareto", {"metric": ["acc", "name"]}, 422, "metric"),
        ("/api/projects/HOME/importance", {"metric": "acc["}, 422, "metric"),
        ("/api/projects/HOME/importance", {"metric": "acc", "method": "guess"}, 422, "method"),
    ],
)
def test_a_wrong_question_names_the_field(
    client: httpx.Client, project, runs, path, query, status, field
) -> None:
    asked = {key: runs[0] if value == "RUN" else value for key, value in query.items()}
    answer = client.get(path.replace("HOME", project["id"]), params=asked)
    assert answer.status_code == status
    if field is not None:
        assert any(field in error["loc"] for error in answer.json()["errors"])
