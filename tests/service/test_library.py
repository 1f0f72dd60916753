"""The library's front door, in process and against a live server: one suite over both."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest

import tracker
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)
from tests.factories import new_id
from tracker.domain.errors import Conflict, Invalid, InvalidTransition, LineageCycle, NotFound
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition, ProjectSettings
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.record import ScalarRecord

Where = dict[str, str]


@pytest.fixture(params=["embedded", "server"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """What `open` and `init` are given."""
    if request.param == "embedded":
        return {"data": str(tmp_path)}
    live: LiveServer = request.getfixturevalue("server")
    return {"url": live.url}


@pytest.fixture
def library(where: Where) -> Iterator[tracker.Tracker]:
    with tracker.open(**where) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    return f"project {new_id()}"


def test_a_run_is_tracked_from_start_to_end(library: tracker.Tracker, where: Where, name: str) -> None:
    with tracker.init(name, name="1_baseline", params={"opt": {"lr": 0.1}}, tags=["a"], **where) as run:
        for step in range(30):
            run.log({"loss": 1 / (step + 1), "odd": math.nan if step % 2 else math.inf}, step=step)
        run.metric("acc", 0.5)
    with pytest.raises(ZeroDivisionError), tracker.init(name, name="2_from_1_lr", **where) as broken:
        broken.log({"loss": 1 / 0})
    (project,) = library.projects.list(name=name)
    first, second = library.experiments.list(project.id)
    assert (first.status, second.status) == ("complete", "failed")
    assert second.parent_id == first.id
    assert dict(first.params) == {"opt.lr": 0.1}
    assert [(m.name, m.value) for m in library.metrics.list(first.id)] == [("acc", 0.5)]
    loss = library.scalars.read(first.id, "loss")
    assert loss.step.tolist() == list(range(30))
    assert loss.value.tolist() == [1 / (step + 1) for step in range(30)]
    odd = library.scalars.read(first.id, "odd").value
    assert np.isinf(odd[::2]).all()
    assert np.isnan(odd[1::2]).all()


def test_two_runs_share_the_project_they_name(library: tracker.Tracker, where: Where, name: str) -> None:
    for _ in range(2):
        tracker.init(name, **where).finish()
    assert len(library.projects.list(name=name)) == 1


def test_a_batch_sent_twice_is_kept_once(library: tracker.Tracker, name: str) -> None:
    run = library.experiments.create(library.projects.create(name).id, name="a")
    batch = ScalarBatch(
        id=BatchId(new_id()),
        experiment_id=run.id,
        names=("loss",),
        series=np.zeros(3, np.int64),
        step=np.arange(3),
        time=np.arange(3) * 1_000_000,
        value=np.array([3.0, 2.0, 1.0]),
    )
    for _ in range(2):
        library.scalars.append(batch)
    assert library.scalars.read(run.id, "loss").value.tolist() == [3.0, 2.0, 1.0]


def test_a_project_is_judged_by_its_metrics(library: tracker.Tracker, name: str) -> None:
    accuracy = MetricDefinition(name="acc", direction=Direction.MAXIMIZE, aggregation=Aggregation.BEST)
    project = library.projects.create(name, metrics=(accuracy,))
    run = library.experiments.create(project.id, name="a")
    for step, value in enumerate((0.1, 0.9, 0.5)):
        library.metrics.log(run.id, "acc", value, step=step)
    assert [(row.value, row.step) for row in library.metrics.table(project.id)] == [(0.9, 1)]
    renamed = library.projects.edit(project.id, description="why")
    assert (renamed.description, renamed.metrics) == ("why", (accuracy,))


def test_a_summary_tells_what_the_points_say(library: tracker.Tracker, name: str) -> None:
    project = library.projects.create(name)
    run = library.experiments.create(project.id, name="a")
    values = [3.0, math.nan, -1.0]
    library.scalars.log(run.id, [ScalarRecord(step=s, values={"v": v}) for s, v in enumerate(values)])
    (row,) = library.scalars.summary(project.id)
    assert (row.count, row.non_finite, row.min_value, row.max_value) == (3, 1, -1.0, 3.0)
    assert (row.first_step, row.last_step, row.last_value) == (0, 2, -1.0)


@pytest.mark.parametrize(
    ("error", "attempt"),
    [
        (NotFound, lambda lib, a, b: lib.experiments.get(ExperimentId(UUID(int=1)))),
        (NotFound, lambda lib, a, b: lib.scalars.read(ExperimentId(UUID(int=1)), "x")),
        (Invalid, lambda lib, a, b: lib.experiments.create(a.project_id, name="x" * 101)),
        (Invalid, lambda lib, a, b: lib.metrics.log(a.id, "acc", math.nan)),
        (Invalid, lambda lib, a, b: lib.experiments.edit(a.id, color="red")),
        (Invalid, lambda lib, a, b: lib.experiments.edit(a.id, parent_id=ExperimentId(UUID(int=1)))),
        (LineageCycle, lambda lib, a, b: lib.experiments.edit(a.id, parent_id=b.id)),
        (InvalidTransition, lambda lib, a, b: lib.experiments.edit(b.id, status="planned")),
    ],
)
def test_errors_are_the_same_on_both_sides(
    library: tracker.Tracker, name: str, error: type[Exception], attempt: Callable[..., object]
) -> None:
    project = library.projects.create(name)
    a = library.experiments.create(project.id, name="a")
    b = library.experiments.create(project.id, name="b", parent_id=a.id)
    library.experiments.edit(b.id, status="running")
    with pytest.raises(error):
        attempt(library, a, b)
    assert library.experiments.get(a.id) == a


def test_deleting_takes_everything_along(library: tracker.Tracker, name: str) -> None:
    project = library.projects.create(name)
    run = library.experiments.create(project.id, name="a")
    library.scalars.log(run.id, [ScalarRecord(step=0, values={"loss": 1.0})])
    library.projects.delete(project.id)
    for gone in (lambda: library.projects.get(project.id), lambda: library.scalars.read(run.id, "loss")):
        with pytest.raises(NotFound):
            gone()


def test_threads_that_create_one_project_at_once_all_get_the_same(
    library: tracker.Tracker, name: str
) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda _: library.projects.create(name, exist_ok=True), range(8))
        assert len({project.id for project in made}) == 1


def test_points_keep_the_time_they_were_measured(library: tracker.Tracker, name: str) -> None:
    project = library.projects.create(name)
    run = library.experiments.create(project.id, name="a")
    noon = datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=UTC)
    library.scalars.log(run.id, [ScalarRecord(step=0, values={"loss": 1.0}, time=noon)])
    moment = round(noon.timestamp() * 1_000_000)
    assert library.scalars.read(run.id, "loss").time.tolist() == [moment]
    (sampled,) = library.scalars.sample(project.id, [run.id])
    (row,) = library.scalars.summary(project.id, [run.id], ["loss"])
    assert (sampled.time.tolist(), row.last_time, row.modified) == ([moment], moment, moment)
    assert library.scalars.summary(project.id, []) == library.scalars.summary(project.id, names=[]) == ()


async def test_it_works_inside_a_running_loop(where: Where, name: str) -> None:
    with tracker.open(**where) as tr:
        made = tr.projects.create(name)
    async with tracker.aopen(**where) as library:
        assert await library.projects.get(str(made.id)) == made


def test_a_closed_library_says_so(where: Where) -> None:
    tr = tracker.open(**where)
    tr.close()
    tr.close()
    with pytest.raises(tracker.Conflict, match="closed"):
        tr.projects.list()


def test_batches_come_back_bit_for_bit_with_their_tags(library: tracker.Tracker, name: str) -> None:
    run = library.experiments.create(library.projects.create(name).id, name="a")
    odd = np.array([0x7FF8DEADBEEF0001, 0x8000000000000000, 0xFFF0000000000000], np.uint64).view(np.float64)
    whole = np.arange(3)
    tags = (StepTags(step=-1, names=(), tags=("early",)), StepTags(step=2, names=("x",), tags=("a", "b")))
    names = tuple(f"n{i}" for i in range(30))
    library.scalars.append(
        ScalarBatch(
            id=BatchId(uuid4()), experiment_id=run.id, names=("x",), series=np.zeros(3, np.int64), step=whole,
            time=whole - 5, value=odd, tags=tags,
        )
    )  # fmt: skip
    library.scalars.log(run.id, [ScalarRecord(step=0, values=dict.fromkeys(names, 1.0))])
    series = library.scalars.read(run.id, "x")
    assert series.value.view(np.uint64).tolist() == odd.view(np.uint64).tolist()
    assert (series.step.tolist(), series.time.tolist()) == ([0, 1, 2], [-5, -4, -3])
    assert library.scalars.tags(run.id) == tags
    assert len(library.scalars.read(run.id, "none")) == 0
    for chosen in (names[:3], names[:20]):
        found = library.scalars.sample(run.project_id, [run.id], names=chosen)
        assert sorted(each.name for each in found) == sorted(chosen)
        rows = library.scalars.summary(run.project_id, names=chosen)
        assert sorted(row.name for row in rows) == sorted(chosen)


def test_bad_ids_are_refused_and_unknown_ones_not_found(library: tracker.Tracker) -> None:
    with pytest.raises(tracker.Invalid, match="project_id"):
        library.projects.get("nonsense")
    with pytest.raises(tracker.NotFound):
        library.experiments.get(uuid4())


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with tracker.open(url="http://127.0.0.1:9") as tr, pytest.raises(tracker.Unavailable, match="answer"):
        tr.projects.list()


class Relay(BaseHTTPRequestHandler):
    """Passes requests on to a server, and loses its first answer to a batch."""

    target = ""
    lost = 0
    tokens: ClassVar[set[str | None]] = set()

    def relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {"Content-Type": self.headers.get("Content-Type", "")}
        answer = httpx.request(self.command, self.target + self.path, content=body, headers=headers)
        type(self).tokens.add(self.headers.get("Authorization"))
        self.close_connection = True
        if "columns" in self.path and not self.lost:
            type(self).lost += 1
            return
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PATCH = relay

    def log_message(self, *args: object) -> None: ...


def test_a_run_whose_answer_is_lost_keeps_each_point_once(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TRACKER_TOKEN", "secret")
    Relay.target = request.getfixturevalue("server").url
    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        with tracker.init(name, url=f"http://127.0.0.1:{relay.server_port}") as run:
            for step in range(50):
                run.log({"loss": float(step)})
        relay.shutdown()
    assert (Relay.lost, run.unsaved, Relay.tokens) == (1, 0, {"Bearer secret"})
    with tracker.open(url=Relay.target) as tr:
        assert tr.scalars.read(run.id, "loss").step.tolist() == list(range(50))


def test_the_server_tells_a_new_project_from_one_that_was_there(
    request: pytest.FixtureRequest, name: str
) -> None:
    address = request.getfixturevalue("server").url + "/api/projects"
    answers = [httpx.post(address, json={"name": name, "existOk": True}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("time", "status"),
    [("2026-01-02T12:00:00+02:00", 200), ("0001-01-01T00:00:00+14:00", 422), ("noon", 422), (True, 422)],
)
def test_the_server_reads_iso_times_and_keeps_a_step_of_one_batch_once(
    request: pytest.FixtureRequest, name: str, time: object, status: int
) -> None:
    url = request.getfixturevalue("server").url
    with tracker.open(url=url) as tr:
        run = tr.experiments.create(tr.projects.create(name).id, name="a")
        body = {"scalars": {"loss": 1.0}, "step": 0, "time": time, "batch_id": str(uuid4())}
        for _ in range(2):
            assert httpx.post(f"{url}/api/scalars/log/{run.id}", json=body).status_code == status
        times = tr.scalars.read(run.id, "loss").time.tolist()
    assert times == ([1767348000000000] if status == 200 else [])


def test_names_get_numbers_and_parents_and_warn_of_what_is_missing(
    library: tracker.Tracker, name: str
) -> None:
    patterns = ("{num}_from_{parent}_{change}", "run-{num}")
    project = library.projects.create(name, settings=ProjectSettings(naming_patterns=patterns))
    assert library.projects.get(project.id).settings == ProjectSettings(naming_patterns=patterns)
    first = library.experiments.create(project.id, name="run-{num}")
    check = library.projects.check_name(project.id, "{num}_from_1_wider")
    assert (check.name, check.parent_id, check.parent_name) == ("2_from_1_wider", first.id, "run-1")
    assert (check.pattern, check.next_number, check.is_taken) == (patterns[0], 2, False)
    child = library.experiments.create(project.id, name="{num}_from_1_wider")
    assert (child.name, child.parent_id) == ("2_from_1_wider", first.id)
    with pytest.warns(tracker.TrackerWarning, match="9_from_8_x has no parent"):
        library.experiments.create(project.id, name="9_from_8_x")
    assert library.projects.check_name(project.id, "9_from_8_x").warnings == (
        "9_from_8_x has no parent: no experiment of the project has the number or the name 8",
    )


def test_a_graph_tells_what_came_from_what(library: tracker.Tracker, name: str) -> None:
    project = library.projects.create(name)
    a = library.experiments.create(project.id, name="a", tags=["x"])
    b = library.experiments.create(project.id, name="b")
    c = library.experiments.create(project.id, name="c", parent_id=a.id, merged_from=[str(b.id)])
    assert c == library.experiments.get(c.id)
    assert (c.merged_from, c.created_by) == ((b.id,), a.created_by)
    graph = library.experiments.graph(project.id)
    assert [(m.id, m.name, m.tags, m.created_at) for m in graph.members] == [
        (e.id, e.name, e.tags, e.created_at) for e in (a, b, c)
    ]
    assert [(e.source, e.target, e.kind) for e in graph.edges] == [
        (a.id, c.id, "primary"),
        (b.id, c.id, "merged"),
    ]
    assert dict(graph.depths) == {a.id: 0, b.id: 0, c.id: 1}
    for change in ({"merged_from": [c.id]}, {"parent_id": c.id}):
        with pytest.raises(LineageCycle):
            library.experiments.edit(a.id, **change)
    assert library.experiments.edit(c.id, merged_from=[]).merged_from == ()
    library.experiments.delete(a.id)
    assert library.experiments.graph(project.id).edges == ()


def test_many_runs_are_created_at_once_or_none(library: tracker.Tracker, name: str) -> None:
    project = library.projects.create(name)
    drafts = [
        {"name": "1_a", "params": {"lr": 0.1}, "tags": ["x"], "metrics": [{"name": "acc", "value": 0.5}]},
        {"name": "2_from_1_b", "status": "complete", "metrics": [{"name": "acc", "value": 1, "step": 3}]},
    ]
    first, second = library.experiments.create_many(project.id, drafts)
    assert library.experiments.list(project.id) == (first, second)
    assert (second.parent_id, second.status, first.tags) == (first.id, "complete", ("x",))
    assert [(m.value, m.step) for m in library.metrics.list(second.id)] == [(1.0, 3)]
    for bad in (
        {"name": "x" * 101},
        {"name": "c", "parent_id": new_id()},
        {"name": "c", "metrics": [{"name": "acc", "value": math.nan}]},
    ):
        with pytest.raises(Invalid, match="experiments"):
            library.experiments.create_many(project.id, [drafts[0], bad])
    with pytest.warns(tracker.TrackerWarning, match="5_from_4_x has no parent"):
        library.experiments.create_many(project.id, [{"name": "5_from_4_x"}])
    assert len(library.experiments.list(project.id)) == 3


def test_a_run_that_has_ended_keeps_its_parameters(library: tracker.Tracker, name: str) -> None:
    run = library.experiments.create(library.projects.create(name).id, name="a", params={"lr": 1})
    library.experiments.edit(run.id, status="complete")
    with pytest.raises(Conflict, match="resume it first"):
        library.experiments.edit(run.id, params={"lr": 1.0})
    assert dict(library.experiments.get(run.id).params) == {"lr": 1}


def test_a_run_that_failed_tells_why_until_it_runs_again(library: tracker.Tracker, name: str) -> None:
    run = library.experiments.create(library.projects.create(name).id, name="a", status="running")
    failed = library.experiments.edit(
        run.id, status="failed", end_kind="out_of_memory", end_reason="killed by the kernel"
    )
    assert (failed.end_kind, failed.end_reason) == ("out_of_memory", "killed by the kernel")
    assert library.experiments.get(run.id) == failed
    (found,) = library.experiments.search(run.project_id, "ended = out_of_memory and reason like '%kernel'")
    assert found.end_reason == "killed by the kernel"
    again = library.experiments.edit(run.id, status="running")
    assert (again.end_kind, again.end_reason) == (None, None)
    with pytest.raises(Conflict, match="only a run that failed"):
        library.experiments.edit(run.id, end_reason="no reason")


def test_a_run_that_beats_has_a_heartbeat(library: tracker.Tracker, name: str) -> None:
    run = library.experiments.create(library.projects.create(name).id, name="a")
    library.experiments.beat(run.id)
    assert library.experiments.get(run.id).heartbeat_at is None  # it does not run
    library.experiments.edit(run.id, status="running")
    library.experiments.beat(str(run.id))
    assert library.experiments.get(run.id).heartbeat_at is not None
    with pytest.raises(NotFound):
        library.experiments.beat(new_id())


def test_a_run_key_makes_one_experiment(library: tracker.Tracker, name: str) -> None:
    project, key = library.projects.create(name), new_id()
    made = library.experiments.create(project.id, name="{num}_run", run_key=key)
    assert made.run_key == key
    assert library.experiments.create(project.id, name="{num}_run", run_key=str(key)) == made
    assert len(library.experiments.list(project.id)) == 1
    with pytest.raises(Invalid, match=r"run_?[kK]ey"):
        library.experiments.edit(made.id, run_key=new_id())
