"""Scalars over HTTP beyond JSON: columns, news, ranges, ETags and rankings."""

from __future__ import annotations

import math
from array import array
from uuid import uuid4

import httpx
import msgpack
import numpy as np
import pytest

from tracker import octets

OCTETS = {"Accept": "application/octet-stream"}
PACKED = {"Content-Type": "application/msgpack"}


def column(kind: str, numbers) -> list[object]:
    return [kind, np.asarray(numbers, f"<{kind}").tobytes()]


def send(client: httpx.Client, run: str, body: object) -> httpx.Response:
    return client.post(f"/api/scalars/columns/{run}", content=msgpack.packb(body), headers=PACKED)


@pytest.fixture
def run(experiment) -> str:
    return experiment["id"]


def test_columns_of_every_type_are_kept_bit_for_bit(client: httpx.Client, run: str) -> None:
    odd = np.array([0x7FF8DEADBEEF0001, 0x8000000000000000, 0xFFF0000000000000], np.uint64).view(np.float64)
    body = {
        "names": ["a", "ü"],
        "series": column("u1", [0, 1, 0]),
        "step": column("i2", [5, -3, 4]),
        "time": column("i8", [50, 30, 40]),
        "value": column("f8", odd),
        "tags": [{"step": 5, "scalar_names": ["a"], "tags": ["best"]}],
    }
    assert send(client, run, body).json() == {"status": "logged", "points": 3}
    found, cursor = octets.read(client.get(f"/api/scalars/get/{run}", headers=OCTETS).content)
    assert cursor is None and [series.name for series in found] == ["a", "ü"]
    assert (found[0].step.tolist(), found[0].time.tolist()) == ([4, 5], [40, 50])
    assert found[0].value.view(np.uint64).tolist() == odd[[2, 0]].view(np.uint64).tolist()
    assert found[1].value.view(np.uint64).tolist() == odd[[1]].view(np.uint64).tolist()
    tagged = client.get(f"/api/scalars/get/{run}", params={"return_tags": True}).json()["data"][0]
    assert tagged["tags"] == [{"step": 5, "scalar_names": ["a"], "tags": ["best"]}]


def test_columns_sent_again_change_nothing(client: httpx.Client, run: str) -> None:
    body = {"names": ["a"], "step": column("i8", [1]), "value": column("f4", [0.5]), "batch_id": str(uuid4())}
    for _ in range(3):
        assert send(client, run, body).status_code == 200
    curve = client.get(f"/api/scalars/get/{run}").json()["data"][0]["scalars"]["a"]
    assert curve == {"x": [1], "y": [0.5]}


GOOD = {"names": ["a"], "step": column("i8", [1, 2]), "value": column("f8", [0.5, 0.25])}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"step": column("i8", [1])}, "length"),
        ({"step": column("f8", [1, 2])}, "step"),
        ({"step": [1, 2]}, "step"),
        ({"step": ["i8", b"1234567"]}, "step"),
        ({"value": column("i8", [1, 2])}, "value"),
        ({"value": ["f8", "text"]}, "value"),
        ({"series": column("i1", [0, 1])}, "series"),
        ({"series": column("i1", [0, -1])}, "series"),
        ({"names": ["a", "a"]}, "names"),
        ({"names": [""]}, "names"),
        ({"names": ["a\0"]}, "names"),
        ({"batch_id": "nonsense"}, "batch_id"),
        ({"other": 1}, "other"),
        ({"tags": [{"step": 1, "scalar_names": [], "tags": []}]}, "tags"),
    ],
    ids=lambda part: part if isinstance(part, str) else None,
)
def test_columns_that_do_not_fit_are_refused_and_named(
    client: httpx.Client, run: str, wrong, field: str
) -> None:
    answer = send(client, run, GOOD | wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert field in str(answer.json())
    assert client.get(f"/api/scalars/get/{run}").json()["data"][0]["scalars"] == {}


def test_a_body_of_another_kind_is_refused(client: httpx.Client, run: str) -> None:
    path = f"/api/scalars/columns/{run}"
    assert client.post(path, json=GOOD["names"]).status_code == 415
    for raw in (b"\xc1", b"", b"\x81\xa5names", b"\x91" * 3000):
        assert client.post(path, content=raw, headers=PACKED).status_code == 422
    huge = {**GOOD, "value": column("f8", np.zeros(200_000))}
    assert send(client, run, huge).status_code == 413
    assert send(client, str(uuid4()), GOOD).status_code == 404


@pytest.fixture
def sine(client: httpx.Client, run: str) -> str:
    """10,000 points of a sine with one spike and one NaN, and a short series."""
    value = np.sin(np.arange(10_000) / 100)
    value[[7777, 8888]] = [50.0, np.nan]
    body = {"names": ["sine"], "step": column("i8", np.arange(10_000)), "value": column("f8", value)}
    send(client, run, body)
    send(client, run, {"names": ["short"], "step": column("i8", [1]), "value": column("f8", [1.0])})
    return run


def test_names_choose_and_ranges_give_finer_buckets(client: httpx.Client, sine: str) -> None:
    def asked(**query: object):
        answer = client.get(f"/api/scalars/get/{sine}", params={"max_points": 40, **query}, headers=OCTETS)
        return {series.name: series for series in octets.read(answer.content)[0]}

    assert asked().keys() == {"sine", "short"}
    whole = asked(name="sine")
    assert whole.keys() == {"sine"} and whole["sine"].total == 10_000
    assert len(whole["sine"]) <= 40 and 50.0 in whole["sine"].value and len(whole["sine"].gaps) == 1
    part = asked(name=["sine", "none"], start_step=7700, stop_step=7800)["sine"]
    assert part.total == 100 and part.step.min() == 7700 and part.step.max() == 7799 and 7777 in part.step
    assert asked(start_step=7770, stop_step=7780)["sine"].step.tolist() == list(range(7770, 7780))
    assert asked(start_step=20_000) == {}


def test_an_answer_that_the_caller_has_is_not_sent_again(client: httpx.Client, sine: str, project) -> None:
    for path in (f"/api/scalars/get/{sine}", f"/api/scalars/get/project/{project['id']}"):
        for extra in ({}, OCTETS):
            first = client.get(path, headers=extra)
            known = {**extra, "If-None-Match": first.headers["etag"]}
            again = client.get(path, headers=known)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            assert client.get(path, headers=known, params={"max_points": 7}).status_code == 200
            body = {"scalars": {"short": 2.0}, "step": 2}
            assert client.post(f"/api/scalars/log/{sine}", json=body).status_code == 200
            changed = client.get(path, headers=known)
            assert changed.status_code == 200 and changed.headers["etag"] != first.headers["etag"]
    tagged = client.get(f"/api/scalars/get/{sine}", params={"return_tags": True})
    send(client, sine, {
        "names": [], "step": column("i8", []), "value": column("f8", []),
        "tags": [{"step": 1, "scalar_names": ["short"], "tags": ["new"]}],
    })  # fmt: skip
    known = {"If-None-Match": tagged.headers["etag"]}
    assert (
        client.get(f"/api/scalars/get/{sine}", params={"return_tags": True}, headers=known).status_code == 200
    )


def test_a_cursor_gives_each_new_point_once(client: httpx.Client, sine: str) -> None:
    path = f"/api/scalars/get/{sine}"
    whole = client.get(path, params={"since": ""}).json()
    assert len(whole["data"][0]["scalars"]["sine"]["x"]) == 10_000
    cursor = client.get(path, params={"return_cursor": True, "name": "short"}).json()["cursor"]
    nothing = client.get(path, params={"since": cursor}).json()
    assert nothing["data"] == [{"experiment_id": sine, "scalars": {}}]
    for step in (3, 2):
        client.post(f"/api/scalars/log/{sine}", json={"scalars": {"short": step, "other": 0.0}, "step": step})
    news = client.get(path, params={"since": cursor, "name": "short"}).json()
    assert news["data"][0]["scalars"] == {"short": {"x": [2, 3], "y": [2.0, 3.0]}}
    found, following = octets.read(client.get(path, params={"since": cursor}, headers=OCTETS).content)
    assert [series.name for series in found] == ["other", "short"] and following == news["cursor"]
    assert client.get(path, params={"since": following}).json()["data"][0]["scalars"] == {}
    wrong = client.get(path, params={"since": "nonsense"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")


def test_what_only_columns_or_only_json_can_carry_is_said(client: httpx.Client, sine: str) -> None:
    path = f"/api/scalars/get/{sine}"
    many = client.get(path, params={"max_points": 2_000_000})
    assert many.status_code == 422 and "application/octet-stream" in many.json()["detail"]
    assert client.get(path, params={"max_points": 2_000_000}, headers=OCTETS).status_code == 200
    assert client.get(path, params={"return_tags": True}, headers=OCTETS).status_code == 422
    assert client.get(path, headers={"Accept": "text/html"}).headers["content-type"] == "application/json"


def test_top_ranks_the_experiments_of_a_project(client: httpx.Client, project) -> None:
    runs = []
    for number, last in enumerate([3.0, math.nan, 9.0]):
        new = {"projectId": project["id"], "name": f"run {number}"}
        runs.append(client.post("/api/experiments", json=new).json()["id"])
        body = {"names": ["acc"], "step": column("i8", [1, 2]), "value": column("f8", [number, last])}
        send(client, runs[-1], body)
    path = f"/api/scalars/top/{project['id']}"
    best = client.get(path, params={"name": "acc"}).json()["data"]
    assert [row["experiment_id"] for row in best] == [runs[2], runs[0]]
    lowest = client.get(path, params={"name": "acc", "by": "min", "descending": False, "k": 1}).json()["data"]
    assert [(row["experiment_id"], row["min_value"]) for row in lowest] == [(runs[0], 0.0)]
    assert client.get(path).status_code == 422
    assert client.get(f"/api/scalars/top/{uuid4()}", params={"name": "acc"}).status_code == 404


def test_plain_arrays_read_the_answer(client: httpx.Client, sine: str) -> None:
    data = client.get(f"/api/scalars/get/{sine}", params={"name": "short"}, headers=OCTETS).content
    words = array("q", data)
    assert data[:8] == b"TRKSCAL1" and words[1:3].tolist() == [1, 0]
    assert words[3:7].tolist() == [1, 1, 0, len("short")]
    assert words[10] == 1 and array("d", data)[12] == 1.0


@pytest.mark.parametrize("cut", [0, 7, 8, 24, 30, 70, -1])
def test_cut_columns_are_no_columns(client: httpx.Client, sine: str, cut: int) -> None:
    data = client.get(f"/api/scalars/get/{sine}", headers=OCTETS).content
    with pytest.raises(ValueError):
        octets.read(data[:cut])
