"""A project goes out into a folder and comes back as it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracker
from tests.e2e.conftest import databases, server  # noqa: F401  (fixtures)
from tests.importers.tools import bits, series_of
from tests.tries import tries
from tracker.domain.artifacts.snapshot import SnapshotFile
from tracker.domain.errors import Conflict, Invalid
from tracker.domain.experiments.ending import EndKind
from tracker.domain.hypotheses.hypothesis import BaselineRule
from tracker.domain.ids import BatchId
from tracker.domain.json_tree import thaw
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition, ProjectSettings
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.importers.tracker_folder.exporting import export_project
from tracker.importers.tracker_folder.importing import import_folder
from tracker.importers.tracker_folder.source import TrackerFolder

storable = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
texts = st.text(storable, min_size=1, max_size=12)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), texts,
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
trees = st.dictionaries(texts, st.recursive(leaves, lambda inner: st.lists(inner, max_size=3)), max_size=3)
ODD = [0x7FF8000000000000, 0x7FF8DEADBEEF0001, 0xFFF0000000000001, 0xFFF0000000000000, 0x8000000000000000, 1]
patterns = st.integers(0, 2**64 - 1) | st.sampled_from(ODD)
steps = st.integers(-(2**63), 2**63 - 1)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, Any]:
    """What a project may hold; experiments are named by their places."""
    count = draw(st.integers(0, 4))
    earlier = [
        st.sets(st.integers(0, place - 1), max_size=2) if place else st.just(set()) for place in range(count)
    ]
    return {
        "description": draw(st.text(storable, max_size=20)),
        "metrics": draw(st.lists(st.tuples(texts, st.sampled_from(Direction), st.sampled_from(Aggregation)),
                                 max_size=2, unique_by=lambda each: each[0])),
        "replicates": tuple(draw(st.lists(texts, max_size=2))),
        "experiments": [
            {
                "name": draw(texts),
                "parents": sorted(draw(earlier[place])),
                "features": draw(trees),
                "params": draw(st.dictionaries(texts, leaves, max_size=3)),
                "tags": tuple(draw(st.sets(texts, max_size=3))),
                "progress": draw(st.floats(0, 100)),
                "status": draw(st.sampled_from(["planned", "running", "complete", "failed"])),
                "reason": draw(st.none() | texts),
                "git_diff": draw(st.none() | texts),
                "color": draw(st.sampled_from(["#000000", "#ABCDEF"])),
                "finals": draw(st.lists(st.tuples(texts, st.floats(allow_nan=False, allow_infinity=False),
                                                  st.integers(-5, 5), st.none() | texts), max_size=3)),
                "files": draw(st.dictionaries(
                    st.tuples(st.sampled_from(["a.txt", "b/c.png"]), st.none() | st.integers(-2, 2)),
                    st.binary(max_size=9), max_size=2,
                )),
                "snapshot": draw(st.none() | st.dictionaries(texts, leaves, max_size=2)),
                "points": draw(st.lists(st.tuples(texts, steps, steps, patterns), max_size=8)),
                "step_tags": draw(st.lists(st.tuples(st.integers(-3, 3), st.sets(texts, max_size=2),
                                                     st.sets(texts, min_size=1, max_size=2)), max_size=3)),
            }
            for place in range(count)
        ],
        "queries": draw(st.dictionaries(texts, st.sampled_from(["", "status = 'failed'"]), max_size=2)),
        "hypotheses": draw(st.lists(st.tuples(
            texts, st.sets(st.integers(0, max(count - 1, 0)), max_size=count), st.sampled_from(BaselineRule),
            st.lists(st.tuples(st.none() | st.sampled_from(["supported", "refuted"]), texts), max_size=2),
        ), max_size=2)),
    }  # fmt: skip


def build(library: tracker.Tracker, told: dict[str, Any]) -> Any:
    project = library.projects.create(
        f"p {uuid4()}", description=told["description"], settings=ProjectSettings(naming_patterns=()),
        metrics=[MetricDefinition(name=key, direction=to, aggregation=by) for key, to, by in told["metrics"]],
    )  # fmt: skip
    made: list[Any] = []
    for each in told["experiments"]:
        made.append(_experiment(library, project, made, each))
    queries = [library.queries.save(project.id, name, text) for name, text in told["queries"].items()]
    for title, linked, baseline, decisions in told["hypotheses"]:
        judged = library.hypotheses.create(
            project.id, title=title, targets=["loss"], baseline=baseline, threshold=0.3,
            experiments=[made[place].id for place in linked if made], queries=[query.id for query in queries],
        )  # fmt: skip
        for status, reason in decisions:
            library.hypotheses.decide(judged.id, status, reason)
    patterns = ProjectSettings(replicate_keys=told["replicates"])  # as a project has it that was always there
    return library.projects.edit(project.id, settings=patterns)


def _experiment(library: tracker.Tracker, project: Any, made: list[Any], told: dict[str, Any]) -> Any:
    parents = [made[place].id for place in told["parents"]]
    failed = told["status"] == "failed" and told["reason"] is not None
    experiment = library.experiments.create(
        project.id, name=told["name"], parent_id=parents[0] if parents else None, merged_from=parents[1:],
        status=told["status"],
        **{name: told[name] for name in ("features", "params", "tags", "progress", "git_diff", "color")},
        **({"end_reason": told["reason"], "end_kind": EndKind.KILLED} if failed else {}),
    )  # fmt: skip
    for name, value, step, label in told["finals"]:
        library.metrics.log(experiment.id, name, value, step=step, label=label)
    for (name, step), content in told["files"].items():
        put(library, experiment, name, content, step=step, kind="image", metadata={"caption": name})
    if told["snapshot"] is not None:
        digest = put(library, experiment, "code", b"print(1)")
        file = SnapshotFile(path="src/train.py", digest=digest, size=8, mode=0o755)
        library.artifacts.snapshot(experiment.id, [file], environment=told["snapshot"])
    names = tuple(dict.fromkeys(name for name, *_ in told["points"]))
    library.scalars.append(
        ScalarBatch(
            id=BatchId(uuid4()), experiment_id=experiment.id, names=names,
            series=np.array([names.index(name) for name, *_ in told["points"]], np.int64),
            step=np.array([step for _, step, _, _ in told["points"]], np.int64),
            time=np.array([time for _, _, time, _ in told["points"]], np.int64),
            value=np.array([value for *_, value in told["points"]], np.uint64).view(np.float64),
            tags=tuple(
                StepTags(step=step, names=tuple(sorted(on)), tags=tuple(sorted(tags)))
                for step, on, tags in told["step_tags"]
            ),
        )
    )  # fmt: skip
    return experiment


def put(library: tracker.Tracker, experiment: Any, name: str, content: bytes, **fields: Any) -> str:
    digest = hashlib.sha256(content).hexdigest()
    library.artifacts.upload(digest, content)
    library.artifacts.put(experiment.id, name, digest=digest, size=len(content), **fields)
    return digest


def contents(library: tracker.Tracker, project: Any) -> dict[str, Any]:
    """Everything that is said to be carried, with experiments and queries named by their places."""
    project = library.projects.get(project.id)
    experiments = library.experiments.list(project.id)
    place = {each.id: index for index, each in enumerate(experiments)}
    queries = library.queries.list(project.id)
    query_name = {query.id: query.name for query in queries}
    told: dict[str, Any] = {
        "project": (project.description, project.metrics, project.settings),
        "queries": [(query.name, query.filter, query.order_by) for query in queries],
        "experiments": [],
        "hypotheses": [],
    }
    for each in experiments:
        fields = {
            name: getattr(each, name)
            for name in ("name", "description", "status", "git_diff", "color", "position", "tags", "progress",
                         "started_at", "completed_at", "end_kind", "end_reason")
        }  # fmt: skip
        told["experiments"].append({
            **fields,
            "trees": repr((thaw(each.features), thaw(each.params))),  # tells 1, 1.0, true and -0.0 apart
            "parent": None if each.parent_id is None else place[each.parent_id],
            "merged": sorted(place[parent] for parent in each.merged_from),
            "metrics": sorted(
                (final.name, final.label or "", final.label is None, final.step, bits([final.value]))
                for final in library.metrics.list(each.id)
            ),
            "series": series_of(library, each),
            "files": [
                (file.name, file.step, file.kind, file.media_type, repr(thaw(file.metadata)), file.size,
                 library.artifacts.read(file))
                for file in library.artifacts.list(each.id)
            ],
            "snapshots": [
                (shot.files, repr(thaw(shot.environment))) for shot in library.artifacts.snapshots(each.id)
            ],
            "step_tags": library.scalars.tags(each.id),
        })  # fmt: skip
    for judged in library.hypotheses.list(project.id):
        hypothesis = judged.hypothesis
        decisions = library.hypotheses.decisions(judged.id)
        told["hypotheses"].append((
            hypothesis.title, hypothesis.targets, hypothesis.threshold, hypothesis.alpha, hypothesis.baseline,
            sorted(place[linked] for linked in hypothesis.experiments),
            sorted(query_name[query] for query in hypothesis.queries),
            [(decision.status, decision.reason) for decision in decisions], judged.status,
        ))  # fmt: skip
    return told


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tracker.Tracker]:
    with tracker.open(tmp_path_factory.mktemp("here")) as library:
        yield library


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tracker.Tracker]:
    with tracker.open(tmp_path_factory.mktemp("there")) as library:
        yield library


@settings(max_examples=tries(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=projects(), parquet=st.booleans())
@pytest.mark.slow
def test_what_went_out_comes_back_identical(here, there, tmp_path: Path, told: dict, parquet: bool) -> None:
    project = build(here, told)
    folder = tmp_path / str(uuid4())
    export_project(here, project, here.experiments.list(project.id), folder, parquet=parquet)
    report = import_folder(there, TrackerFolder(folder))
    assert report.is_faithful, (report.differences, [run.problems for run in report.runs])
    wanted = contents(here, project)
    target = there.projects.find(project.name)
    assert contents(there, target) == wanted
    again = import_folder(there, TrackerFolder(folder))
    assert again.is_faithful and sum(run.added for run in again.runs) == 0
    assert contents(there, target) == wanted


@pytest.fixture
def project(here: tracker.Tracker) -> Any:
    """A small one with a curve."""
    made = here.projects.create(f"digits {uuid4()}", metrics=[MetricDefinition(name="loss")])
    with_curve = here.experiments.create(made.id, name="1_a", params={"lr": 0.1}, status="complete")
    here.experiments.create(made.id, name="2_from_1_b")
    here.scalars.log(
        with_curve.id, [tracker.ScalarRecord(step=n, values={"loss": 1 / (n + 1)}) for n in range(9)]
    )
    here.hypotheses.create(made.id, title="b is better", targets=["loss"], experiments=[with_curve.id])
    return made


@pytest.fixture
def folder(here: tracker.Tracker, project: Any, tmp_path: Path) -> Path:
    export_project(here, project, here.experiments.list(project.id), tmp_path / "out")
    return tmp_path / "out"


def test_the_shell_writes_and_reads_it(tmp_path: Path, run, library) -> None:
    library.experiments.create(library.projects.create("digits").id, name="1_a")
    first = run("export", "digits", "--to", tmp_path / "out")
    assert first.exit_code == 0, first.output
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        "experiments.jsonl", "manifest.json", "project.json", "scalars.csv",
    ]  # fmt: skip
    itself = run("import", "tracker", tmp_path / "out")
    assert itself.exit_code == 1 and "--project NAME puts it into another one" in itself.output
    other = run("import", "tracker", tmp_path / "out", "--project", "copy")
    assert other.exit_code == 0 and "every bit is as in the source" in other.output
    again = run("export", "digits", "--to", tmp_path / "out")
    assert again.exit_code == 1 and "is there already and not empty" in again.output


def test_one_experiment_goes_alone(tmp_path: Path, run, library) -> None:
    project = library.projects.create("digits")
    parent = library.experiments.create(project.id, name="1_a")
    library.experiments.create(project.id, name="2_from_1_b", parent_id=parent.id)
    assert run("export", "2_from_1_b", "--to", tmp_path / "out", "--format", "parquet").exit_code == 0
    result = run("import", "tracker", tmp_path / "out", "--project", "copy")
    assert result.exit_code == 0 and f"not carried: parent {parent.id}: is not in the source" in result.output
    (only,) = library.experiments.list(library.projects.find("copy").id)
    assert (only.name, only.parent_id) == ("2_from_1_b", None)


def test_into_a_server_too(here, folder: Path, project: Any, server) -> None:  # noqa: F811
    with tracker.open(url=server.url) as library:
        report = import_folder(library, TrackerFolder(folder))
        assert report.is_faithful, report
        assert contents(library, library.projects.find(project.name)) == contents(here, project)


def test_a_project_with_other_experiments_keeps_its_settings(there, folder: Path) -> None:
    mine = there.projects.create(f"mine {uuid4()}", description="mine")
    there.experiments.create(mine.id, name="1_mine")
    report = import_folder(there, TrackerFolder(folder), project=mine.name)
    assert report.is_faithful and any("keeps its own" in each.why for each in report.left_out)
    assert there.projects.get(mine.id).description == "mine"
    assert len(there.experiments.list(mine.id)) == 3


@pytest.mark.parametrize("name", ["experiments.jsonl", "project.json", "scalars.csv"])
def test_a_changed_file_is_refused_before_anything_is_kept(there, folder: Path, name: str) -> None:
    with (folder / name).open("a") as file:
        file.write(" ")
    before = there.projects.list()
    with pytest.raises(Invalid, match=f"{name} is not as it was written"):
        TrackerFolder(folder)
    assert there.projects.list() == before


def test_folders_that_are_no_export_are_told(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(Invalid, match=r"it has no manifest\.json"):
        TrackerFolder(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "version": 2}))
    with pytest.raises(Invalid, match="of version 2; this tracker reads version 1"):
        TrackerFolder(folder)


def test_the_exported_project_itself_takes_no_copy(here, folder: Path) -> None:
    with pytest.raises(Conflict, match="is the project that was exported"):
        import_folder(here, TrackerFolder(folder))


def test_a_branch_that_stays_behind_is_told(here, there, project: Any, tmp_path: Path) -> None:
    run = here.experiments.list(project.id)[0]
    here.experiments.resume(run.id, step=5)
    export_project(here, project, here.experiments.list(project.id), tmp_path / "out")
    report = import_folder(there, TrackerFolder(tmp_path / "out"))
    assert report.is_faithful and "branches" in {each.what for each in report.runs[0].left_out}
    assert report.runs[0].points == 5


def test_a_blob_that_is_gone_fails(here, there, project: Any, tmp_path: Path) -> None:
    put(here, here.experiments.list(project.id)[0], "model.bin", b"weights")
    export_project(here, project, here.experiments.list(project.id), tmp_path / "out")
    (blob,) = (tmp_path / "out" / "blobs").glob("*/*")
    blob.unlink()
    report = import_folder(there, TrackerFolder(tmp_path / "out"))
    assert not report.is_faithful
    assert any("file model.bin: cannot be read" in problem for problem in report.runs[0].problems)


def test_after_an_error_nothing_is_left(here, project: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(tracker.Unavailable):
        export_project(here, project, (), tmp_path / "file" / "out")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file"]
    shutil.rmtree(tmp_path)
