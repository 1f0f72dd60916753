"""What is asked of routes, by people of a world in which ``$name`` is the id of that name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.models import CatalogueEntry, ModelReference
from tracker.domain.evaluation.tasks import TaskKind
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import DatasetId, ProjectId

if TYPE_CHECKING:
    from tests.service.test_every_route_and_role import World

Request = dict[str, Any]


def nothing(world: World) -> Request:
    return {}


def body(**fields: Any) -> Callable[[World], Request]:
    """A body in which ``$name`` stands for the id of that name."""
    return lambda world: {"json": {k: filled(world, v) for k, v in fields.items()}}


def filled(world: World, value: Any) -> Any:
    if isinstance(value, list):
        return [filled(world, each) for each in value]
    return world.id(value[1:]) if isinstance(value, str) and value.startswith("$") else value


def both(one: Callable[[World], Request], other: Callable[[World], Request]) -> Callable[[World], Request]:
    return lambda world: {**one(world), **other(world)}


def query(**fields: Any) -> Callable[[World], Request]:
    return lambda world: {"params": {key: filled(world, value) for key, value in fields.items()}}


MODEL = {"model": "small", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
V1 = "/api/v1"
DESK = f"{V1}/desk/{{job_id}}/{{attempt}}"


def on(*names: str, **more: Any) -> Callable[[World], Request]:
    """The ids of these in the path, and other words."""
    return lambda world: {"path": {f"{name}_id": world.id(name) for name in names} | more}


def job(config: dict[str, Any]) -> Callable[[World], Request]:
    return body(name="j", dataset="$dataset", job_config=config)


def at_desk(content: Any = None) -> Callable[[World], Request]:
    return both(
        on("job", attempt=1, file="result"), lambda world: {} if content is None else {"json": content}
    )


EVALUATION_REQUESTS: dict[tuple[str, str], Callable[[World], Request]] = {
    ("GET", f"{V1}/health/"): nothing,
    ("POST", f"{V1}/datasets/"): lambda world: {
        "data": {"project_id": world.id("project")}, "files": {"dataset": ("new.csv", b"examples\nb\n")},
    },
    ("GET", f"{V1}/datasets/"): query(project_id="$project"),
    ("GET", f"{V1}/datasets/{{dataset_id}}"): on("dataset"),
    ("DELETE", f"{V1}/datasets/{{dataset_id}}"): on("dataset"),
    ("GET", f"{V1}/datasets/{{dataset_id}}/download"): on("dataset"),
    ("GET", f"{V1}/files/{{link}}"): lambda world: {
        "path": {"link": world.container.links().to_dataset(DatasetId(world.ids["dataset"]))}
    },
    ("POST", f"{V1}/jobs/inference/"): job(MODEL),
    ("POST", f"{V1}/jobs/annotate/"): job(MODEL),
    ("POST", f"{V1}/jobs/evaluator/"): job({"metrics": ["json_valid"]}),
    ("GET", f"{V1}/jobs/"): query(project_id="$project"),
    ("GET", f"{V1}/jobs/{{job_id}}"): on("job"),
    ("GET", f"{V1}/jobs/{{job_id}}/logs"): on("job"),
    ("GET", f"{V1}/jobs/{{job_id}}/dataset"): on("job"),
    ("GET", f"{V1}/jobs/{{job_id}}/result"): on("job"),
    ("GET", f"{V1}/jobs/{{job_id}}/result/download"): on("job"),
    ("POST", f"{V1}/jobs/{{job_id}}/cancel"): on("job"),
    ("POST", f"{V1}/jobs/{{job_id}}/retry"): on("job"),
    ("POST", f"{V1}/experiments/"): body(name="e", dataset="$dataset"),
    ("GET", f"{V1}/experiments/"): query(project_id="$project"),
    ("GET", f"{V1}/experiments/{{evaluation_id}}"): on("evaluation"),
    ("DELETE", f"{V1}/experiments/{{evaluation_id}}"): on("evaluation"),
    ("POST", f"{V1}/workflows/"): body(
        name="w", experiment_id="$evaluation", metrics=["json_valid"], **MODEL
    ),
    ("GET", f"{V1}/workflows/compare"): query(first="$workflow", second="$other_workflow"),
    ("GET", f"{V1}/workflows/{{workflow_id}}"): on("workflow"),
    ("GET", f"{V1}/workflows/{{workflow_id}}/logs"): on("workflow"),
    ("GET", f"{V1}/workflows/{{workflow_id}}/result/download"): on("workflow"),
    ("DELETE", f"{V1}/workflows/{{workflow_id}}"): both(on("workflow"), query(force="true")),
    ("GET", f"{V1}/models/"): nothing,
    ("POST", f"{V1}/models/"): body(model="new", provider="openai", tasks=["summarization"]),
    ("DELETE", f"{V1}/models/"): query(provider="openai", model="kept"),
    ("GET", f"{V1}/settings/secrets/"): nothing,
    ("PUT", f"{V1}/settings/secrets/{{name}}"): both(on(name="key"), body(value="x")),
    ("DELETE", f"{V1}/settings/secrets/{{name}}"): on(name="key"),
    ("POST", f"{DESK}/admit"): at_desk({"handle": "x"}),
    ("POST", f"{DESK}/begin"): at_desk({}),
    ("POST", f"{DESK}/heartbeat"): at_desk(),
    ("GET", f"{DESK}/dataset"): at_desk(),
    ("GET", f"{DESK}/answered"): at_desk(),
    ("POST", f"{DESK}/remembered"): at_desk({"keys": []}),
    ("POST", f"{DESK}/rows"): at_desk({"outcomes": []}),
    ("GET", f"{DESK}/rows"): at_desk(),
    ("PUT", f"{DESK}/files/{{file}}"): both(
        at_desk(), lambda world: {"content": b"{}", "headers": {"Content-Type": "application/octet-stream"}}
    ),
}  # fmt: skip

UNREADY = {
    ("GET", f"{V1}/jobs/{{job_id}}/dataset"): 422,
    ("GET", f"{V1}/jobs/{{job_id}}/result"): 409,
    ("GET", f"{V1}/jobs/{{job_id}}/result/download"): 409,
    ("POST", f"{V1}/jobs/{{job_id}}/retry"): 409,
    ("GET", f"{V1}/workflows/compare"): 409,
    ("GET", f"{V1}/workflows/{{workflow_id}}/result/download"): 409,
}
"""What is answered to who may do it, where no job has run."""


async def add_evaluation(world: World, actor: Actor) -> None:
    """A dataset with a job, and an evaluation with two workflows of it; nothing looks after them."""

    async def content() -> AsyncIterator[bytes]:
        yield b"examples,predictions\na,b\n"

    container, project_id = world.container, ProjectId(world.ids["project"])
    dataset = await container.datasets().upload(actor, "kept.csv", content(), project_id=project_id)
    job = await container.jobs().create(
        actor, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config=MODEL
    )
    evaluation = await container.evaluations().create(actor, name="e", dataset_id=dataset.id)
    workflows = [
        await container.workflows().create(
            actor, evaluation_id=evaluation.id, name="w", metrics=["json_valid"], **MODEL
        )
        for _ in range(2)
    ]
    kept = CatalogueEntry(
        model=ModelReference(name="kept"), display_name="kept", tasks=(TaskKind.SUMMARIZATION,)
    )
    await container.models().put(actor, kept)
    world.ids |= {
        "dataset": dataset.id, "job": job.id, "evaluation": evaluation.id, "workflow": workflows[0].id,
        "other_workflow": workflows[1].id,
    }  # fmt: skip
