"""The evaluation API over a real socket: its ground rules, and where it must be better."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from urllib.parse import unquote

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import LiveServer
from tracker.adapters.runners.slots import Slots

V1 = "/api/v1"
CSV = b"examples,ground_truth\na,b\nc,d\n"
NOBODY = "0190a0a0-0000-7000-8000-000000000000"
ODD = 'it\'s "quoted"\n$(touch x) `id` ; \\ \u202e π 日本 \U0001f600'


def upload(client: httpx.Client, content: bytes = CSV, name: str = "d.csv", **fields: str) -> httpx.Response:
    return client.post(
        f"{V1}/datasets/", files={"dataset": (name, content)}, data={"format": "job", **fields}
    )


@pytest.fixture(autouse=True, scope="module")
def no_worker_begins(server: LiveServer) -> Iterator[None]:
    """All slots are taken, since what workers do is not looked at here."""
    slots = Slots(server.data / "jobs" / "slots", os.cpu_count() or 1)
    taken = list(iter(slots.take, None))
    yield
    for slot in taken:
        os.close(slot)


@pytest.fixture(autouse=True)
def nothing_goes_on(client: httpx.Client) -> Iterator[None]:
    """The server outlives these tests, and would do their work beside those to come."""
    yield
    for evaluation in client.get(f"{V1}/experiments/", params={"limit": 1000}).json()["items"]:
        for workflow in client.get(f"{V1}/experiments/{evaluation['id']}").json()["workflows"]:
            client.delete(f"{V1}/workflows/{workflow['id']}", params={"force": True})
    for job in client.get(f"{V1}/jobs/", params={"limit": 1000}).json()["items"]:
        if job["status"] in ("created", "pending", "running"):
            client.post(f"{V1}/jobs/{job['id']}/cancel")


@pytest.fixture
def dataset(client: httpx.Client) -> str:
    return upload(client).json()["id"]


def names_of_jobs(client: httpx.Client) -> set[str]:
    return {job["name"] for job in client.get(f"{V1}/jobs/", params={"limit": 1000}).json()["items"]}


def inference(dataset: str, **config: object) -> dict[str, object]:
    model = {"model": "m", "provider": "openai", "base_url": "http://127.0.0.1:9/v1", **config}
    return {"name": "j", "dataset": dataset, "job_config": {"job_type": "inference", **model}}


def test_a_collection_without_its_slash_redirects_with_the_query_and_the_method(client):
    answer = client.get(f"{V1}/jobs?job_types=inference&limit=3")
    assert (answer.status_code, answer.headers["location"]) == (
        307,
        f"{V1}/jobs/?job_types=inference&limit=3",
    )
    posted = client.post(f"{V1}/experiments", json={"name": "e", "dataset": NOBODY}, follow_redirects=True)
    assert posted.status_code == 404
    for name in ("health", "datasets", "jobs", "experiments", "models", "settings/secrets"):
        assert client.get(f"{V1}/{name}", follow_redirects=True).status_code == 200


def test_the_health_says_what_kind_of_deployment_it_is(client):
    assert client.get(f"{V1}/health/").json() == {"status": "OK", "deployment_type": "local"}


@pytest.mark.parametrize("listing", ["datasets", "jobs", "experiments", "models"])
def test_listings_are_cut_and_a_skip_past_the_end_is_an_empty_page(client, dataset, listing):
    assert client.get(f"{V1}/{listing}/", params={"skip": 10**9}).json()["items"] == []
    for wrong in ({"limit": 0}, {"limit": 1001}, {"skip": -1}):
        assert client.get(f"{V1}/{listing}/", params=wrong).status_code == 422
    assert len(client.get(f"{V1}/{listing}/", params={"limit": 1}).json()["items"]) <= 1


def test_a_dataset_has_the_shape_that_clients_know_and_its_url_needs_no_credentials(client):
    answer = upload(client)
    made = answer.json()
    known = {"id", "filename", "format", "size", "ground_truth", "run_id", "generated", "generated_by"}
    assert answer.status_code == 201 and known | {"created_at"} <= made.keys()
    assert answer.headers["location"] == f"{V1}/datasets/{made['id']}"
    urls = client.get(f"{V1}/datasets/{made['id']}/download").json()["download_urls"]
    assert [httpx.get(url).content for url in urls] == [CSV]
    other = client.get(f"{V1}/datasets/{made['id']}/download", params={"extension": "parquet"}).json()
    assert other == {"id": made["id"], "download_urls": []}


def test_no_log_has_a_link_that_would_open_a_file(client, dataset, caplog):
    (url,) = client.get(f"{V1}/datasets/{dataset}/download").json()["download_urls"]
    with caplog.at_level(logging.INFO, logger="tracker.access"):
        assert client.get(url).status_code == 200 and client.get(f"{url}x").status_code == 401
    assert caplog.text.count(f"{V1}/files/...") == 2
    assert url.rpartition("/")[2] not in caplog.text


def test_a_link_that_was_tampered_with_leads_nowhere(client, dataset):
    (url,) = client.get(f"{V1}/datasets/{dataset}/download").json()["download_urls"]
    assert httpx.get(url[:-2] + ("AA" if url[-2:] != "AA" else "BB")).status_code == 401
    client.delete(f"{V1}/datasets/{dataset}")
    assert httpx.get(url).status_code == 404


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 403), (b"other\n1\n", 403), (b"examples\n\xff\xfe\n", 422)]
)
def test_a_file_that_is_no_dataset_is_refused_as_clients_know_it(client, content, status):
    answer = upload(client, content)
    assert answer.status_code == status and answer.json()["detail"]


def test_a_form_is_refused_by_the_name_of_what_is_wrong_in_it(client):
    assert upload(client, format="csv").status_code == 422
    assert client.post(f"{V1}/datasets/", files={"other": ("d.csv", CSV)}).status_code == 422
    late = [("dataset", ("d.csv", CSV)), ("format", (None, b"csv"))]
    assert client.post(f"{V1}/datasets/", files=late).status_code == 422
    assert client.post(f"{V1}/datasets/", files=[*late[:1], ("format", (None, b"job"))]).status_code == 201
    assert client.post(f"{V1}/datasets/", content=b"x").status_code == 415


def test_a_dataset_over_the_limit_is_413_and_leaves_nothing(start_server, tmp_path):
    server = start_server(tmp_path, max_dataset_bytes=100_000)
    with httpx.Client(base_url=server.url) as http:
        for size in (100_001, 3_000_000):
            answer = upload(http, b"examples\n" + b"a\n" * (size // 2))
            assert answer.status_code == 413 and "TRACKER_MAX_DATASET" in answer.json()["detail"]
        assert http.get(f"{V1}/datasets/").json()["total"] == 0


def test_a_body_that_does_not_say_what_it_is_is_json_but_not_from_a_browser(client, dataset):
    body = json.dumps({"name": "e", "dataset": dataset}).encode()
    assert client.post(f"{V1}/experiments/", content=body).status_code == 201
    assert client.put(f"{V1}/settings/secrets/untyped", content=b'{"value": "x"}').status_code == 201
    for header in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post(f"{V1}/experiments/", content=body, headers=header).status_code == 415
    assert client.post(f"{V1}/experiments/", content=b"{").status_code == 422


def test_what_sdks_send_as_null_is_as_if_it_was_left_out(client, dataset):
    left_open = ("accelerator", "revision", "base_url", "output_field", "system_prompt", "secret_key_name")
    nulls = {"model": "m", "provider": "openai", **dict.fromkeys(left_open)}
    answer = client.post(f"{V1}/jobs/inference/", json={"name": "j", "dataset": dataset, "job_config": nulls})
    assert answer.status_code == 201, answer.text
    config = answer.json()["job_config"]
    assert (config["accelerator"], config["revision"], config["output_field"]) == (
        "auto", "main", "predictions",
    )  # fmt: skip
    evaluation = client.post(f"{V1}/experiments/", json={"name": "e", "dataset": dataset}).json()["id"]
    body = {"name": "w", "experiment_id": evaluation, "model": "m", "provider": "openai"}
    nulls = dict.fromkeys(("config_template", "llm_as_judge", "base_url", "secret_key_name", "metrics"))
    assert client.post(f"{V1}/workflows/", json={**body, **nulls, "system_prompt": ""}).status_code == 201
    refused = client.post(f"{V1}/workflows/", json={**body, "config_template": "x"})
    assert refused.status_code == 422 and "config_template" in refused.json()["detail"]


def test_the_key_of_an_evaluator_is_its_judges(client):
    answered = upload(client, b"examples,predictions\na,b\n").json()["id"]
    judge = {"model_name": "m", "model_base_url": "http://127.0.0.1:9/v1"}

    def asked(**config: object) -> httpx.Response:
        body = {"name": "j", "dataset": answered, "job_config": {"job_type": "evaluator", **config}}
        return client.post(f"{V1}/jobs/evaluator/", json=body)

    assert asked(metrics=["token_length"], secret_key_name=None).status_code == 201
    judged = {"metrics": ["g_eval_summarization"], "llm_as_judge": judge}
    assert asked(**judged, secret_key_name="not-there").status_code == 400
    client.put(f"{V1}/settings/secrets/judging", json={"value": "x"})
    made = asked(**judged, secret_key_name="judging")
    assert made.json()["job_config"]["llm_as_judge"]["secret_key_name"] == "judging"


def test_how_fast_a_model_is_asked_has_a_limit_that_is_kept_with_the_job(client, dataset):
    made = client.post(f"{V1}/jobs/inference/", json=inference(dataset, requests_per_minute=60))
    assert made.json()["job_config"]["requests_per_minute"] == 60
    for wrong in (0, -1, "60", True):
        refused = client.post(f"{V1}/jobs/inference/", json=inference(dataset, requests_per_minute=wrong))
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith("job_config.requests_per_minute: ")


def test_a_job_of_a_kind_that_there_is_not_is_501(client):
    answer = client.post(f"{V1}/jobs/distillation/", json={})
    assert answer.status_code == 501 and "inference" in answer.json()["detail"]


def test_an_unknown_dataset_answers_404_and_leaves_no_row(client):  # 1
    for kind, body in (
        ("inference", inference(NOBODY)),
        ("evaluator", {"dataset": NOBODY, "job_config": {"metrics": ["json_valid"]}}),
    ):
        answer = client.post(f"{V1}/jobs/{kind}/", json={**body, "name": "of no dataset"})
        assert answer.status_code == 404
    assert "of no dataset" not in names_of_jobs(client)


def test_what_is_hostile_in_names_and_prompts_arrives_verbatim(client, dataset):  # 2
    made = client.post(f"{V1}/experiments/", json={"name": ODD, "description": ODD, "dataset": dataset})
    shown = client.get(f"{V1}/experiments/{made.json()['id']}").json()
    assert (shown["name"], shown["description"]) == (ODD, ODD)
    job = client.post(f"{V1}/jobs/inference/", json=inference(dataset, system_prompt=ODD) | {"name": ODD})
    shown = client.get(f"{V1}/jobs/{job.json()['id']}").json()
    assert (shown["name"], shown["job_config"]["system_prompt"]) == (ODD, ODD)


@pytest.mark.parametrize(
    ("content", "status", "where"),
    [
        (b"examples,ground_truth\na,1\nb,2.5\n", 201, None),
        (b"examples,ground_truth\n", 201, None),
        (b'examples\n"a\n', 422, "row 1"),
    ],
)
def test_odd_files_are_taken_or_refused_with_the_row(client, content, status, where):  # 3
    answer = upload(client, content)
    assert answer.status_code == status
    assert where is None or where in answer.json()["detail"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\con.csv", "a\u202e.csv"])
def test_hostile_file_names_are_sanitised(client, name):  # 3
    filename = upload(client, name=name).json()["filename"]
    assert not set(filename) & set('/\\:"') and filename.isprintable()


def test_an_unknown_metric_is_422_and_names_the_choices(client, dataset):  # 4
    evaluation = client.post(f"{V1}/experiments/", json={"name": "e", "dataset": dataset}).json()["id"]
    model = {"model": "m", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
    body = {"name": "w", "experiment_id": evaluation, "metrics": ["fluff"], **model}
    answer = client.post(f"{V1}/workflows/", json=body)
    assert answer.status_code == 422 and "exact_match" in answer.json()["detail"]
    config = {"metrics": ["exact_match", "fluff"]}
    job = {"name": "j", "dataset": dataset, "job_config": config}
    assert client.post(f"{V1}/jobs/evaluator/", json=job).status_code == 422


def test_what_a_workflow_lacks_is_400(client, dataset):
    model = {"name": "w", "model": "m", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
    assert client.post(f"{V1}/workflows/", json={**model, "experiment_id": NOBODY}).status_code == 400
    free = {"task": "text-generation"}
    body = {"name": "e", "dataset": dataset, "task_definition": free}
    evaluation = client.post(f"{V1}/experiments/", json=body).json()["id"]
    without_prompt = client.post(f"{V1}/workflows/", json={**model, "experiment_id": evaluation})
    assert without_prompt.status_code == 400 and "system_prompt" in without_prompt.json()["detail"]
    body = {**model, "experiment_id": evaluation, "system_prompt": "x", "secret_key_name": "none"}
    assert client.post(f"{V1}/workflows/", json=body).status_code == 400


@pytest.mark.parametrize("taken", ["examples", "ground_truth"])
def test_a_column_that_answers_may_not_take_is_refused_by_the_name_of_the_field(client, dataset, taken):
    evaluation = client.post(f"{V1}/experiments/", json={"name": "e", "dataset": dataset}).json()["id"]
    model = {"name": "w", "model": "m", "provider": "openai", "experiment_id": evaluation}
    answer = client.post(f"{V1}/workflows/", json={**model, "inference_output_field": taken})
    assert answer.status_code == 422 and answer.json()["detail"].startswith("inference_output_field: ")


def test_columns_are_kept_in_every_format(client):  # 11
    buffer = io.BytesIO()
    table = pa.table({"examples": ["a"], "ground_truth": ["b"], "note": [7]})
    pq.write_table(table, buffer)
    files = {
        "d.csv": b"examples,ground_truth,note\na,b,7\n",
        "d.jsonl": b'{"examples": "a", "ground_truth": "b", "note": 7}\n',
        "d.parquet": buffer.getvalue(),
    }
    made = {name: upload(client, content, name).json() for name, content in files.items()}
    columns = ["examples", "ground_truth", "note"]
    assert all(one["columns"] == columns for one in made.values())
    assert all(one["ground_truth"] is True for one in made.values())


def test_an_evaluation_without_a_dataset_or_a_name_is_refused(client, dataset):  # 12
    assert client.post(f"{V1}/experiments/", json={"name": "e", "dataset": NOBODY}).status_code == 404
    for name in ("", "   "):
        assert client.post(f"{V1}/experiments/", json={"name": name, "dataset": dataset}).status_code == 422


def test_what_does_not_exist_is_404(client):  # 12
    for kind in ("datasets", "jobs", "experiments", "workflows"):
        assert client.get(f"{V1}/{kind}/{NOBODY}").status_code == 404
    for kind in ("datasets", "experiments", "workflows"):
        assert client.delete(f"{V1}/{kind}/{NOBODY}").status_code == 404


def test_secrets_are_write_only_and_their_names_have_no_case(client):  # 9
    value = "sk-very-secret"
    path = f"{V1}/settings/secrets/My%2FKey"
    made = client.put(path, json={"value": value, "description": "a key"})
    again = client.put(path.replace("My", "mY"), json={"value": value})
    listed = client.get(f"{V1}/settings/secrets/")
    assert (made.status_code, again.status_code) == (201, 204)
    assert {"name": "my/key", "description": ""} in listed.json()
    assert all(value not in answer.text for answer in (made, again, listed))
    for wrong in ("", "x" * 1025):
        refused = client.put(path, json={"value": wrong})
        assert refused.status_code == 422 and (not wrong or wrong not in refused.text)
    assert [client.delete(path).status_code for _ in range(2)] == [204, 204]


def test_the_catalogue_is_found_by_task_and_changed(client):
    found = client.get(f"{V1}/models/", params={"tasks": ["SUMMARIZATION", "translation"]}).json()
    assert found["total"] >= 1
    wrong = client.get(f"{V1}/models/", params={"tasks": "knitting"})
    assert wrong.status_code == 400 and "summarization" in wrong.json()["detail"]
    body = {"model": "mine", "provider": "openai", "tasks": ["translation"], "input_price": 1.5}
    assert [client.post(f"{V1}/models/", json=body).status_code for _ in range(2)] == [201, 200]
    key = {"provider": "openai", "model": "mine"}
    assert [client.delete(f"{V1}/models/", params=key).status_code for _ in range(2)] == [204, 404]


def test_shipped_models_need_only_what_clients_know(client):
    items = client.get(f"{V1}/models/").json()["items"]
    shipped = [item for item in items if item["origin"] == "shipped"]
    assert {need for item in shipped for need in item["requirements"]} == {"api_key", "llamafile"}


def test_what_is_told_of_a_model_is_whole_or_null(client):
    body = {"model": "plain", "provider": "openai", "tasks": ["summarization"]}
    client.post(f"{V1}/models/", json=body)
    items = client.get(f"{V1}/models/").json()["items"]
    told = [item["info"] for item in items if item["info"] is not None]
    assert told and all({"parameter_count", "tensor_type", "model_size"} <= info.keys() for info in told)
    assert all(isinstance(value, str) for info in told for value in info.values())
    assert all(isinstance(item["website_url"], str) for item in items)
    assert any(item["info"] is None for item in items)


def test_bodies_that_are_no_json_or_too_deep_are_422(client, dataset):
    deep = json.dumps(inference(dataset))[:-2] + ',"x":' + "[" * 5000 + "]" * 5000 + "}}"
    for body in (b"{", b"\xff", deep.encode()):
        headers = {"Content-Type": "application/json"}
        assert client.post(f"{V1}/jobs/inference/", content=body, headers=headers).status_code == 422


def test_nothing_of_the_desk_is_answered_without_its_pass(client, dataset):
    job = client.post(f"{V1}/jobs/inference/", json=inference(dataset)).json()["id"]
    desk = f"{V1}/desk/{job}/1"
    asked = [
        client.post(f"{desk}/admit", json={"handle": "x" * 40}),
        client.post(f"{desk}/heartbeat", headers={"Authorization": "Bearer x"}),
        client.get(f"{desk}/dataset"),
        client.get(f"{desk}/rows", headers={"Authorization": "Bearer x"}),
    ]
    assert [answer.status_code for answer in asked] == [401] * 4


def test_paths_are_free_of_files_of_the_machine(client):
    assert client.get(f"{V1}/files/..%2F..%2Fetc%2Fpasswd").status_code == 401


def test_a_key_that_is_not_stored_is_refused_by_the_field_that_names_it(client, dataset):  # 5
    evaluation = client.post(f"{V1}/experiments/", json={"name": "e", "dataset": dataset}).json()["id"]
    model = {"model": "m", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
    judge = {"model_name": "m", "model_base_url": "http://127.0.0.1:9/v1", "secret_key_name": "not-there"}
    body = {"name": "of no key", "experiment_id": evaluation, "metrics": ["g_eval_summarization"], **model}
    for lacking, place in (
        ({"llm_as_judge": judge}, ["llm_as_judge", "secret_key_name"]),
        ({"secret_key_name": "not-there", "metrics": ["json_valid"]}, ["secret_key_name"]),
    ):
        answer = client.post(f"{V1}/workflows/", json={**body, **lacking})
        assert answer.status_code == 400 and "not-there" in answer.json()["detail"]
        assert answer.json()["detail"].startswith(f"{'.'.join(place)}: ")
        assert answer.json()["errors"][0]["loc"] == ["body", *place]
    assert not any("of no key" in name for name in names_of_jobs(client))
    assert client.get(f"{V1}/experiments/{evaluation}").json()["workflows"] == []


def test_a_deletion_says_what_stays(client):  # 8
    dataset = upload(client, b"examples\nof a dataset that is deleted\n").json()["id"]
    evaluation = client.post(f"{V1}/experiments/", json={"name": "e", "dataset": dataset}).json()["id"]
    model = {"model": "m", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
    body = {"name": "w", "experiment_id": evaluation, "metrics": ["json_valid"], **model}
    workflow = client.post(f"{V1}/workflows/", json=body).json()["id"]
    origin = {"Origin": "https://ui.example"}

    def kept(path: str, **query: object) -> str:
        answer = client.delete(f"{V1}/{path}", params=query, headers=origin)
        assert answer.status_code == 204, answer.text
        assert "X-Kept" in answer.headers["access-control-expose-headers"]
        return unquote(answer.headers["x-kept"])

    assert "the dataset of their evaluation; answers" in kept(f"workflows/{workflow}", force=True)
    assert client.get(f"{V1}/datasets/{dataset}").status_code == 200
    assert "evaluations and jobs that read it" in kept(f"datasets/{dataset}")
    assert client.get(f"{V1}/experiments/{evaluation}").status_code == 200
    assert "answers of models" in kept(f"experiments/{evaluation}")
