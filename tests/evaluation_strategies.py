"""Hypothesis strategies of what evaluations keep. As in ``tests.strategies``, each names every field."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.factories import NOON
from tests.strategies import HOUR, characters, finite, instants, json_trees, names
from tracker.domain.evaluation.datasets.dataset import Coverage, Dataset, DatasetFormat, Lineage
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.events import Cause, Event
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Lease
from tracker.domain.evaluation.jobs.passes import JobPass
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.jobs.status import JobStatus
from tracker.domain.evaluation.models import CatalogueEntry, ModelReference, Origin
from tracker.domain.evaluation.secrets import SealedSecret, Secret
from tracker.domain.evaluation.tasks import TaskDefinition, TaskKind
from tracker.domain.evaluation.workflows.workflow import Step, Workflow, WorkflowStatus
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import DatasetId, EvaluationId, ExperimentId, JobId, ProjectId, WorkflowId
from tracker.ports.evaluation.jobs import JobFile

__all__ = [
    "DIGESTS", "answers", "datasets", "evaluations", "job_files", "jobs", "models", "outcomes", "passes",
    "sealed_secrets", "secrets", "workflows",
]  # fmt: skip

DIGESTS = [f"{n:064x}" for n in (0, 1, 2**256 - 1)]
"""Few, so that two things are of one blob, and two answers of one key."""

digests = st.sampled_from(DIGESTS)
makers = st.sampled_from([None, LOCAL_USER])
texts = st.text(characters, max_size=50)
words = st.text(characters, min_size=1, max_size=20)
counts = st.integers(0, 2**31 - 1)
near = st.sampled_from([NOON, NOON + HOUR, NOON + HOUR + timedelta(microseconds=1)])
"""Few times, so that some are equal."""

tasks = st.sampled_from(
    [
        TaskDefinition(),
        TaskDefinition(task=TaskKind.TEXT_GENERATION),
        TaskDefinition(task=TaskKind.TRANSLATION, source_language="de", target_language="Ä"),
    ]
)
coverages = st.tuples(st.integers(0, 2**53), st.floats(0, 1), st.floats(0, 1)).map(
    lambda drawn: Coverage(
        rows=drawn[0], ground_truth=int(drawn[0] * drawn[1]), predictions=int(drawn[0] * drawn[2])
    )
)


@st.composite
def datasets(
    draw: st.DrawFn,
    dataset_id: DatasetId,
    project_id: ProjectId,
    others: list[DatasetId],
    job_ids: list[JobId],
) -> Dataset:
    """Datasets of this id and project, which may follow or come of others; few names, which collide."""
    revision = draw(st.integers(1, 2))
    parts = draw(st.lists(words, min_size=3, max_size=3, unique=True))
    related = st.sampled_from([None, *(each for each in others if each != dataset_id)])
    lineage = st.builds(
        Lineage, job_id=st.sampled_from(job_ids), source_id=related, generated_by=names
    )  # fmt: skip
    return Dataset(
        id=dataset_id,
        project_id=project_id,
        filename=draw(st.sampled_from(["a.csv", "ä 🎯.jsonl"])),
        format=draw(st.sampled_from(DatasetFormat)),
        kind=draw(st.sampled_from(FileKind)),
        size=draw(st.integers(0, 2**53 - 1)),
        digest=draw(digests),
        content_hash=draw(digests),
        names=(*parts, *draw(st.lists(words, max_size=3))),
        columns=Columns(examples=parts[0], ground_truth=parts[1], predictions=parts[2]),
        coverage=draw(coverages),
        lineage=draw(st.none() | lineage) if job_ids else None,
        revision=revision,
        previous_id=None if revision == 1 else draw(related),
        label=draw(st.none() | names),
        created_at=draw(near),
        created_by=draw(makers),
        version=0,
    )


@st.composite
def logs(draw: st.DrawFn, status: str) -> tuple[Event, ...]:
    """Events of which the last leads to this status."""
    drawn = draw(st.lists(st.tuples(instants, st.sampled_from(Cause), words, counts), min_size=1, max_size=3))
    events = [
        Event(at=at, status="created", cause=cause, why=why, attempt=attempt)
        for at, cause, why, attempt in drawn
    ]
    return (*events[:-1], events[-1].evolve(status=status))


@st.composite
def jobs(draw: st.DrawFn, job_id: JobId, project_id: ProjectId, version: int = 0) -> Job:
    """Jobs of this id and project, in any state, whether or not a life leads there."""
    status = draw(st.sampled_from(JobStatus))
    attempt, total, done = draw(st.integers(0, 3)), draw(st.none() | counts), draw(counts)
    lengths = st.timedeltas(timedelta(0), timedelta(days=400))
    lease = None
    if attempt and not status.has_ended and draw(st.booleans()):
        lease = Lease(holder=draw(words), until=draw(instants), attempt=attempt)
    return Job(
        id=job_id,
        project_id=project_id,
        workflow_id=draw(st.none() | st.uuids().map(WorkflowId)),
        kind=draw(st.sampled_from(JobKind)),
        name=draw(names),
        description=draw(texts),
        dataset_id=DatasetId(draw(st.uuids())),
        max_samples=draw(st.integers(-(2**31), 2**31 - 1)),
        batch_size=draw(st.integers(1, 2**31 - 1)),
        config=draw(json_trees),
        timeout=draw(st.timedeltas(timedelta(microseconds=1), timedelta(days=365))),
        status=status,
        attempt=attempt,
        attempts_before=draw(counts),
        fruitless=draw(counts),
        lease=lease,
        claimed_at=draw(st.none() | instants),
        running_since=draw(st.none() | instants),
        spent=draw(lengths),
        not_before=draw(st.none() | instants),
        stop_asked_at=draw(st.none() | instants),
        kill_asked_at=draw(st.none() | instants),
        unreachable_since=draw(st.none() | instants),
        rows_total=total,
        rows_done=done if total is None else min(done, total),
        rows_at_claim=draw(counts),
        events=draw(logs(status)),
        created_at=draw(near),
        created_by=draw(makers),
        version=version,
    )


@st.composite
def outcomes(draw: st.DrawFn, numbers: st.SearchStrategy[int]) -> RowOutcome:
    """Outcomes of rows; half of them answer."""
    tokens = st.none() | st.integers(0, 2**53 - 1)
    amounts = st.floats(0, allow_infinity=False, allow_nan=False)
    answers = draw(st.booleans())
    text = draw(texts | st.sampled_from(["long " * 1000]))
    return RowOutcome(
        number=draw(numbers),
        input_hash=draw(digests),
        prediction=text if answers else None,
        reasoning=draw(st.none() | texts),
        error=None if answers else text,
        input_tokens=draw(tokens),
        output_tokens=draw(tokens),
        reasoning_tokens=draw(tokens),
        cost=draw(st.none() | amounts),
        seconds=draw(amounts),
        tries=draw(counts),
        attempt=draw(st.integers(1, 2**31 - 1)),
        at=draw(instants),
    )


answers = st.dictionaries(digests, outcomes(st.integers(1, 9)), max_size=3)
job_files = st.builds(
    JobFile,
    name=st.sampled_from(["result", "dataset"]),
    digest=digests,
    size=st.integers(0, 2**53 - 1),
    at=instants,
)


def passes(job_id: JobId) -> st.SearchStrategy[JobPass]:
    """Passes of this job; few attempts."""
    return st.builds(
        JobPass,
        job_id=st.just(job_id),
        attempt=st.integers(1, 2),
        handle_digest=digests,
        pass_digest=st.none() | digests,
        admitted_at=st.none() | instants,
        sent_by=st.just(LOCAL_USER),
    )


def evaluations(evaluation_id: EvaluationId, project_id: ProjectId) -> st.SearchStrategy[Evaluation]:
    """Evaluations of this id and project."""
    return st.builds(
        Evaluation,
        id=st.just(evaluation_id),
        project_id=st.just(project_id),
        name=names.filter(lambda name: bool(name.strip())),
        description=texts,
        dataset_id=st.uuids().map(DatasetId),
        max_samples=st.integers(-(2**31), 2**31 - 1),
        task=tasks,
        created_at=near,
        updated_at=instants,
        created_by=makers,
        version=st.just(0),
    )


@st.composite
def workflows(
    draw: st.DrawFn,
    workflow_id: WorkflowId,
    evaluation: tuple[EvaluationId, ProjectId],
    runs: list[ExperimentId],
    version: int = 0,
) -> Workflow:
    """Workflows of this id and evaluation, in any state; some are recorded as one of these experiments."""
    status = draw(st.sampled_from(WorkflowStatus))
    job_ids = draw(st.lists(st.uuids(), min_size=1, max_size=3, unique=True))
    begun = draw(st.integers(0, len(job_ids)))

    def step(number: int, key: Any) -> Step:
        at: datetime | None = draw(instants) if number < begun else None
        return Step(kind=draw(st.sampled_from(JobKind)), job_id=JobId(key), begun_at=at)

    return Workflow(
        id=workflow_id,
        project_id=evaluation[1],
        evaluation_id=evaluation[0],
        experiment_id=draw(st.sampled_from([None, *runs])),
        name=draw(names),
        description=draw(texts),
        model=draw(names),
        config=draw(json_trees),
        steps=tuple(step(number, key) for number, key in enumerate(job_ids)),
        status=status,
        stop_asked_at=draw(st.none() | instants),
        events=draw(logs(status)),
        created_at=draw(near),
        created_by=draw(makers),
        version=version,
    )


def secrets(name: str) -> st.SearchStrategy[Secret]:
    """What is known of secrets of this name."""
    return st.builds(
        Secret,
        name=st.just(name),
        description=texts,
        created_at=instants,
        updated_at=instants,
        updated_by=makers,
        version=st.just(0),
    )


def sealed_secrets(name: str) -> st.SearchStrategy[SealedSecret]:
    """Values of secrets of this name, under few keys."""
    return st.builds(
        SealedSecret,
        name=st.just(name),
        key_id=st.sampled_from(["a" * 8, "b" * 8]),
        nonce=st.binary(min_size=12, max_size=24),
        ciphertext=st.binary(min_size=17, max_size=40),
    )


models = st.builds(
    CatalogueEntry,
    model=st.builds(
        ModelReference,
        name=st.sampled_from(["a", "Ä", "B"]),
        provider=st.sampled_from(["hf", "openai"]),
        base_url=st.sampled_from([None, "http://localhost:8000/v1"]),
    ),
    display_name=names,
    website_url=st.sampled_from([None, "https://example.org"]),
    description=texts,
    tasks=st.lists(st.sampled_from(TaskKind), min_size=1, max_size=3).map(tuple),
    requirements=st.lists(words, max_size=2).map(tuple),
    info=json_trees,
    defaults=json_trees,
    input_price=st.none() | finite.map(abs),
    output_price=st.none() | finite.map(abs),
    origin=st.sampled_from(Origin),
    hidden=st.booleans(),
)
